//! Everything that is measured in one run.

use std::collections::BTreeMap;

use greenkerb_models::ids::{ControllerId, LaneId, LinkId, MovementId, NodeId};
use greenkerb_models::network::Network;
use serde::{Deserialize, Serialize};

use super::arrivals_on_green::Arrivals;
use super::emissions::Emitted;
use super::parking::ParkingUse;
use super::pedestrians::PeopleWaits;
use super::spillback::SpillbackTime;
use super::split_failures::Greens;
use super::spread::Spread;
use super::throughput::Throughput;
use super::total_delay::TotalDelay;
use super::travel_time::TravelTime;
use super::waits::Waits;

/// Everything that is measured in one run. Shares and times are as their measures define them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measures {
    /// Total delay and its parts; none when no vehicle was loaded.
    pub delay: Option<TotalDelay>,
    /// Travel times under both names.
    pub travel_time: TravelTime,
    /// Stops of the average vehicle.
    pub stops_per_veh: Option<f64>,
    /// What became of all vehicles.
    pub throughput: Throughput,
    /// Longest waits.
    pub waits: Waits,
    /// How unevenly delay is spread.
    pub spread: Option<Spread>,
    /// Arrivals at signals inside the network.
    pub arrivals: Arrivals,
    /// Greens and those that failed.
    pub greens: Greens,
    /// How long links were full.
    pub spillback: SpillbackTime,
    /// What was emitted.
    pub emitted: Emitted,
    /// Metres driven by the vehicles that count.
    pub driven_m: f64,
    /// Waits of people at crossings; none without any.
    pub people: Option<PeopleWaits>,
    /// Parking; none without facilities.
    pub parking: Option<ParkingUse>,
    /// Seconds from the beginning of the run to gridlock; none when traffic kept moving.
    pub gridlock_after_s: Option<f64>,
    /// Most vehicles locked at once.
    pub most_locked: usize,
    /// Vehicles in all queues, mean of every minute from the beginning of the run.
    pub queue_profile_veh: Vec<f64>,
    /// Vehicles that came onto each link in the window, by the link's name.
    pub link_counts_veh: BTreeMap<String, u64>,
    /// Signalised nodes.
    pub nodes: Vec<NodeMeasures>,
    /// Their approaches.
    pub approaches: Vec<ApproachMeasures>,
    /// Their movements that anybody took.
    pub movements: Vec<MovementMeasures>,
}

/// What is measured at one signalised node.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct NodeMeasures {
    /// Which.
    pub node: NodeId,
    /// Its controller.
    pub controller: ControllerId,
    /// Vehicles that came to it.
    pub vehicles: u64,
    /// Their control delay; none when nobody came.
    pub control_delay_s: Option<f64>,
    /// Degree of saturation of its fullest lane.
    pub saturation: Option<f64>,
    /// Greens of its controller, and those that failed.
    pub greens: Greens,
    /// Vehicles that crossed it in the window.
    pub crossed: u64,
}

/// What is measured at one approach of a signalised node.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ApproachMeasures {
    /// Which.
    pub link: LinkId,
    /// Vehicles that came to it, those who never got in included.
    pub vehicles: u64,
    /// Their control delay; none when nobody came.
    pub control_delay_s: Option<f64>,
    /// Times a vehicle came to a stand on it.
    pub stops: u64,
    /// Degree of saturation of its fullest lane.
    pub saturation: Option<f64>,
    /// Arrivals at its end.
    pub arrivals: Arrivals,
    /// Share of the time in which any of its lanes had green, mean of its lanes.
    pub green_share: Option<f64>,
    /// Mean queue, in vehicles.
    pub queue_mean_veh: f64,
    /// Longest queue, in vehicles.
    pub queue_max_veh: u32,
    /// How far the queue reached at most, in metres.
    pub queue_reach_m: f64,
    /// Lane-minutes in which its lanes were full.
    pub spillback_min: f64,
}

/// What is measured of one movement at a signalised node.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct MovementMeasures {
    /// Which.
    pub movement: MovementId,
    /// Vehicles that took it, or were about to.
    pub vehicles: u64,
    /// Their control delay.
    pub control_delay_s: f64,
    /// Degree of saturation of the fullest lane it may use.
    pub saturation: Option<f64>,
}

/// The largest of some that may be unknown; infinite ones are cut to 99.99, as JSON has no infinity.
pub(super) fn fullest(of: impl Fn(LaneId) -> Option<f64>, lanes: impl IntoIterator<Item = LaneId>) -> Option<f64> {
    lanes
        .into_iter()
        .filter_map(of)
        .map(|x| x.min(99.99))
        .fold(None, |most: Option<f64>, x| Some(most.map_or(x, |m| m.max(x))))
}

/// Signalised nodes of a network, in id order, with their controllers.
pub(super) fn signalised(network: &Network) -> impl Iterator<Item = (NodeId, ControllerId)> + '_ {
    network.nodes().iter().enumerate().filter_map(|(i, n)| Some((NodeId::at(i), n.controller?)))
}

/// Rounds to 3 decimals, so that files stay small and readable.
pub(super) fn rounded(value: f64) -> f64 {
    // Nought is added so that nothing becomes minus nought.
    (value * 1_000.0).round() / 1_000.0 + 0.0
}
