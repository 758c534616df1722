//! A scenario: a network, a demand, a window of time, and how vehicles are driven in it.

use std::sync::Arc;

use greenkerb_models::demand::Demand;
use greenkerb_models::network::Network;
use greenkerb_models::units::{Ds, TimeDs};
use serde::{Deserialize, Serialize};

/// Whose rules vehicles are driven by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Driving {
    /// The street: each kind's own following law, lane changes, gaps, keep-clear, people on crossings. Comparable with
    /// SUMO.
    #[default]
    Street,
    /// CityFlow's rules, deterministic, for scenarios that come from CityFlow files.
    CityFlow,
}

/// Everything a run needs except a seed and a controller.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// Short name, also of files.
    pub name: String,
    /// One sentence about it.
    pub description: String,
    /// The network.
    pub network: Arc<Network>,
    /// The demand.
    pub demand: Arc<Demand>,
    /// When a run begins; vehicles that depart earlier are none of its business.
    pub begin: TimeDs,
    /// When it ends.
    pub end: TimeDs,
    /// Part of the beginning that statistics leave out.
    pub warm_up: Ds,
    /// Length of a step.
    pub tick: Ds,
    /// Whose rules vehicles are driven by.
    pub driving: Driving,
    /// Vehicles without a route take measured instead of free-flow travel times into account.
    pub congestion_aware: bool,
    /// Name and SHA-256 of every file it was made from, for manifests.
    pub sources: Vec<(String, String)>,
}
