//! What happens on the street, for whoever keeps statistics.

use greenkerb_models::ids::{ConnectionId, CrossingId, FacilityId, LaneId, LinkId, StopId};
use greenkerb_models::units::TimeDs;

use super::view::VehicleId;

/// Something that happened in a step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Event {
    /// End of the step in which it happened.
    pub at: TimeDs,
    /// What.
    pub what: What,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum What {
    /// A vehicle wants to enter a link; from now on it counts, on the road or not.
    Loaded {
        /// The vehicle.
        vehicle: VehicleId,
        /// Where.
        link: LinkId,
    },
    /// A vehicle has entered the road.
    Inserted {
        /// The vehicle.
        vehicle: VehicleId,
        /// On which lane.
        lane: LaneId,
    },
    /// A vehicle's front has crossed the line at the end of its lane.
    Crossed {
        /// The vehicle.
        vehicle: VehicleId,
        /// The way it takes.
        connection: ConnectionId,
    },
    /// A vehicle's front has reached a link from a node.
    Entered {
        /// The vehicle.
        vehicle: VehicleId,
        /// On which lane.
        lane: LaneId,
    },
    /// A vehicle came to a stand (below 0.1 m/s) after it had moved faster than 1.4 m/s (5 km/h).
    Stopped {
        /// The vehicle.
        vehicle: VehicleId,
        /// On which lane.
        lane: LaneId,
    },
    /// A vehicle has left the network at the end of its way.
    Arrived {
        /// The vehicle.
        vehicle: VehicleId,
        /// Its journey.
        journey: Journey,
    },
    /// A vehicle has passed the barrier of a facility and is off the road.
    Parked {
        /// The vehicle.
        vehicle: VehicleId,
        /// Where.
        facility: FacilityId,
        /// Its journey until now.
        journey: Journey,
        /// Way driven since it first found a facility full, in metres; 0 when it found none.
        searched_m: f32,
    },
    /// A vehicle wants to leave a facility.
    Unparked {
        /// The vehicle.
        vehicle: VehicleId,
        /// Where.
        facility: FacilityId,
    },
    /// A vehicle found its facility full and goes on searching.
    Full {
        /// The vehicle.
        vehicle: VehicleId,
        /// Where.
        facility: FacilityId,
        /// Way it has driven until now, in metres.
        driven_m: f32,
    },
    /// A bus begins its stay at a stop.
    AtStop {
        /// The bus.
        vehicle: VehicleId,
        /// Where.
        stop: StopId,
    },
    /// A bus has ended its stay at a stop and is on its lane again.
    LeftStop {
        /// The bus.
        vehicle: VehicleId,
        /// Where.
        stop: StopId,
    },
    /// Somebody begins to wait at a crossing.
    PersonCame {
        /// Where.
        crossing: CrossingId,
    },
    /// Somebody steps onto a crossing.
    PersonCrossed {
        /// Where.
        crossing: CrossingId,
        /// How long they waited.
        waited_s: f32,
    },
}

/// A journey, from what a vehicle wanted to what it got.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Journey {
    /// When it wanted to enter.
    pub due: TimeDs,
    /// When it entered.
    pub inserted: TimeDs,
    /// Way driven, in metres.
    pub driven_m: f32,
    /// Time lost against driving at the speed its driver wants where it is, in seconds; stays at stops left out.
    pub time_loss_s: f32,
    /// Time spent below 0.1 m/s, in seconds; stays at stops left out.
    pub waiting_s: f32,
    /// Times it came to a stand.
    pub stops: u16,
}
