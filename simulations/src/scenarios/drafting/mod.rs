//! Drafting: from a plain description of streets to a whole network, with the geometry, right of way, crossings, signal
//! controllers and detectors that nobody wants to write by hand.
//!
//! | step | file |
//! | --- | --- |
//! | what is wanted | `plan` |
//! | stop lines, links and lanes | `layout` |
//! | movements and curved ways | `turns` |
//! | crossings, who goes first | `right_of_way` |
//! | groups, stages, databases | `controllers`, with `stages`, `times` and `change` |
//!
//! Detectors lie where an imported network is taken to have them (a stop-bar and an advance loop per signalled lane).
//! Every controller ships a plan that the validator passes.

mod change;
mod controllers;
mod layout;
mod plan;
mod right_of_way;
mod stages;
mod times;
mod turns;

pub use plan::{Ban, Lanes, Lefts, Place, Plan, Rule, Street};

use greenkerb_models::formats::Notes;
use greenkerb_models::formats::sumo_net::detectors;
use greenkerb_models::ids::LaneId;
use greenkerb_models::network::{NetworkError, NetworkParts};

/// Why a plan cannot be drafted.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DraftError {
    /// Something in the plan cannot be built.
    #[error("{kind} '{name}': {reason}")]
    Unfit {
        /// What kind of thing.
        kind: &'static str,
        /// Its name.
        name: String,
        /// Why not.
        reason: String,
    },
    /// What was drafted is no network.
    #[error(transparent)]
    Network(#[from] NetworkError),
}

/// Drafts the tables of a network; [`NetworkParts::build`] makes it whole.
///
/// # Errors
/// [`DraftError`] naming what in the plan cannot be built.
pub fn draft(plan: &Plan) -> Result<NetworkParts, DraftError> {
    plan.check()?;
    let mut parts = NetworkParts { name: plan.name.clone(), ..NetworkParts::default() };
    let layout = layout::lay(plan, &mut parts);
    turns::lay(plan, &layout, &mut parts);
    right_of_way::lay(plan, &layout, &mut parts);
    controllers::raise(plan, &layout, &mut parts)?;
    let mut approaches: Vec<LaneId> =
        parts.connections.iter().filter(|c| c.signal.is_some()).map(|c| c.from_lane).collect();
    approaches.sort_unstable();
    approaches.dedup();
    parts.detectors = detectors::derive(&approaches, &parts, &mut Notes::default());
    Ok(parts)
}
