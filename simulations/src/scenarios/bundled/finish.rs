//! From tables to a scenario.

use std::sync::Arc;

use greenkerb_models::demand::DemandParts;
use greenkerb_models::network::{Network, NetworkParts};
use greenkerb_models::units::{Ds, TimeDs};

use super::BundledError;
use crate::scenarios::drafting::{Plan, draft};
use crate::scenarios::{Driving, Scenario};

/// Steps of all bundled scenarios.
const TICK: Ds = Ds::from_s(1);

/// Drafts a plan and builds it as it comes, before anybody has counted.
pub(super) fn drafted(name: &str, plan: &Plan) -> Result<(NetworkParts, Network), BundledError> {
    let parts = draft(plan).map_err(|source| BundledError::Draft { name: name.into(), source })?;
    let network = built(name, parts.clone())?;
    Ok((parts, network))
}

/// Builds tables.
pub(super) fn built(name: &str, parts: NetworkParts) -> Result<Network, BundledError> {
    parts.build().map_err(|source| BundledError::Network { name: name.into(), source })
}

/// What a scenario is besides its network and its demand.
pub(super) struct Frame {
    pub(super) name: String,
    pub(super) about: String,
    pub(super) begin: TimeDs,
    pub(super) end: TimeDs,
    pub(super) warm_up: Ds,
}

/// Puts a scenario together.
pub(super) fn finished(frame: Frame, network: Network, demand: DemandParts) -> Result<Scenario, BundledError> {
    let Frame { name, about, begin, end, warm_up } = frame;
    let demand = demand.build(&network).map_err(|source| BundledError::Demand { name: name.clone(), source })?;
    Ok(Scenario {
        name,
        description: about,
        network: Arc::new(network),
        demand: Arc::new(demand),
        begin,
        end,
        warm_up,
        tick: TICK,
        driving: Driving::Street,
        congestion_aware: false,
        sources: Vec::new(),
    })
}
