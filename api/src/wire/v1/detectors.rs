//! The list of detectors.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::HealthName;

/// All detectors, in the network's order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Detectors {
    /// The detectors.
    pub detectors: Vec<DetectorEntry>,
}

/// Where a detector lies and how it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DetectorEntry {
    /// Name under which it reports.
    pub name: String,
    /// Its lane.
    pub lane: String,
    /// What it is for.
    pub kind: DetectorKindName,
    /// From its downstream edge to the stop line.
    pub to_stop_line_m: f64,
    /// Its length along the lane.
    pub length_m: f64,
    /// What is thought of it.
    pub health: HealthName,
}

/// What a detector is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DetectorKindName {
    /// At the stop line: what leaves.
    StopBar,
    /// Upstream of the queue: what arrives.
    Advance,
    /// Sees a whole stretch of lane.
    Area,
}

impl From<greenkerb_models::detection::DetectorKind> for DetectorKindName {
    fn from(kind: greenkerb_models::detection::DetectorKind) -> Self {
        use greenkerb_models::detection::DetectorKind as D;
        match kind {
            D::StopBar => Self::StopBar,
            D::Advance => Self::Advance,
            D::Area => Self::Area,
        }
    }
}
