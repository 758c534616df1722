//! Parking facilities as the street sees them: a mouth with a barrier, and room behind it.

use serde::{Deserialize, Serialize};

use crate::ids::{LaneId, LinkId};
use crate::units::{Ds, Metres};

/// A parking facility.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Facility {
    /// Name, unique in the demand.
    pub name: String,
    /// Lane its entrance is on.
    pub entrance: LaneId,
    /// Where the entrance is, from the start of the lane.
    pub entrance_at: Metres,
    /// Link its exit leads onto; vehicles enter there as new ones do.
    pub exit: LinkId,
    /// Bays.
    pub capacity: u32,
    /// Bays taken when the scenario begins.
    pub occupied: u32,
    /// Time the barrier takes for one vehicle.
    pub service: Ds,
    /// Vehicles that can wait between the street and the barrier; more of them stand on the lane.
    pub mouth: u32,
}
