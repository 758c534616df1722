//! Detectors: where they lie and what they are for.

use serde::{Deserialize, Serialize};

use crate::ids::LaneId;
use crate::units::Metres;

/// What a detector is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DetectorKind {
    /// At the stop line: what leaves.
    StopBar,
    /// Upstream of the queue: what arrives.
    Advance,
    /// Sees a whole stretch of lane.
    Area,
}

/// A detector on a lane.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Detector {
    /// Name under which it reports.
    pub name: String,
    /// The lane it lies on.
    pub lane: LaneId,
    /// What it is for.
    pub kind: DetectorKind,
    /// Distance from its downstream edge to the end of its lane.
    pub to_lane_end: Metres,
    /// Distance from its downstream edge to the stop line of the lanes it watches, along the way.
    pub to_stop_line: Metres,
    /// Length of the loop along the lane.
    pub length: Metres,
    /// Approach lanes it speaks for: its own, or those downstream of it where it lies before a fork.
    pub watches: Vec<LaneId>,
}
