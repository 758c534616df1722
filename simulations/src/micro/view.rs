//! What can be seen of the street from outside.

use greenkerb_models::ids::{ConnectionId, KindId, LaneId};
use greenkerb_models::units::TimeDs;

use super::event::Journey;

/// A vehicle, numbered in the order in which vehicles are loaded; never used twice in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VehicleId(pub u32);

/// A vehicle on the road.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Vehicle {
    /// Which.
    pub id: VehicleId,
    /// Its kind.
    pub kind: KindId,
    /// From the start of its lane (or way across a node) to its front, in metres.
    pub front_m: f32,
    /// Bumper to bumper, in metres.
    pub length_m: f32,
    /// Speed in metres per second.
    pub speed_mps: f32,
    /// The way it takes at the end of its lane; none when it ends there.
    pub next: Option<ConnectionId>,
    /// The lane behind that.
    pub next_lane: Option<LaneId>,
    /// Since when it stands (below 0.1 m/s); none while it moves, and during a stay at a stop.
    pub stands_since: Option<TimeDs>,
    /// It stays at a stop.
    pub at_stop: bool,
    /// Its journey until now.
    pub journey: Journey,
}

/// People at a crossing.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct PeopleState {
    /// Waiting for their walk.
    pub waiting: u32,
    /// Since when the first of them waits.
    pub since: Option<TimeDs>,
    /// On the crossing.
    pub crossing: u32,
}

/// A parking facility.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FacilityState {
    /// Bays taken.
    pub occupied: u32,
    /// Vehicles between the street and the barrier.
    pub in_mouth: u32,
    /// Vehicles that stand on the street before the entrance because the mouth is full.
    pub on_street: u32,
}

/// Counts since the beginning. `loaded = waiting + on_road + arrived + parked + leaving` at any time, where `leaving`
/// vehicles wait inside a facility for room on the street.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// Vehicles that wanted to enter.
    pub loaded: u64,
    /// Vehicles that entered; one that comes out of a facility has entered before.
    pub inserted: u64,
    /// Vehicles outside that wait to enter.
    pub waiting: u64,
    /// Vehicles on the road, those in the bays of bus stops and before barriers included.
    pub on_road: u64,
    /// Vehicles that left the network.
    pub arrived: u64,
    /// Vehicles in their bays in facilities, those left out that were there when the run began.
    pub parked: u64,
    /// Vehicles in facilities that wait for room on the street.
    pub leaving: u64,
    /// Vehicle-steps computed.
    pub vehicle_steps: u64,
}
