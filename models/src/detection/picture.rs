//! What is seen of a junction by those that see every vehicle: cameras, radars, connected vehicles.

use crate::ids::{ControllerId, LaneId, MovementId};
use crate::units::{Metres, MetresPerSecond, TimeDs};

/// A vehicle near a junction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sighting {
    /// The lane it is on: one that ends at the junction's signals, or one upstream of it.
    pub lane: LaneId,
    /// From its front to the end of that lane.
    pub to_lane_end: Metres,
    /// Its speed.
    pub speed: MetresPerSecond,
    /// The movement it will take at the junction, where that is known.
    pub movement: Option<MovementId>,
}

/// Every vehicle near a junction at one instant. What it does not show is not there.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    /// The junction's controller.
    pub controller: ControllerId,
    /// When it was taken.
    pub at: TimeDs,
    /// The vehicles, in any order.
    pub vehicles: Vec<Sighting>,
}
