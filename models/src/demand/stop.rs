//! Bus stops, and stays at them.

use serde::{Deserialize, Serialize};

use crate::ids::{LaneId, StopId};
use crate::units::{Ds, Metres, TimeDs};

/// A place on a lane where buses stop.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BusStop {
    /// Name, unique in the demand.
    pub name: String,
    /// The lane.
    pub lane: LaneId,
    /// Where a bus's front stands, from the start of the lane.
    pub at: Metres,
    /// Beside the lane: a bus that stands there lets others pass.
    pub bay: bool,
}

/// A stay at a stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stay {
    /// Where.
    pub stop: StopId,
    /// Dwell time.
    pub dwell: Ds,
    /// Not before this instant, where there is a timetable.
    pub until: Option<TimeDs>,
}
