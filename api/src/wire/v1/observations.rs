//! What detectors report, and what becomes of it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::PictureReport;

/// A batch of reports.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Reports {
    /// The reports. Each is judged by itself: one that is refused takes no other with it.
    pub observations: Vec<Report>,
    /// What was seen of junctions, by those that see every vehicle. A picture is refused or taken as a whole.
    #[serde(default)]
    pub pictures: Vec<PictureReport>,
}

/// What one detector saw in one interval.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Report {
    /// Name of the detector.
    #[schema(example = "lane_0.stop")]
    pub detector: String,
    /// Start of the interval, RFC 3339.
    #[schema(example = "2026-03-02T07:00:00Z")]
    pub begin: String,
    /// Length of the interval, above 0 and at most 3600.
    #[schema(example = 1.0)]
    pub length_s: f64,
    /// Vehicles whose front entered the detector.
    #[schema(example = 1)]
    pub count: u32,
    /// Share of the interval with a vehicle over the detector, 0 to 1.
    #[schema(example = 0.35)]
    pub occupancy: f64,
    /// Mean speed, where it is measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speed_mps: Option<f64>,
}

/// What became of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Receipt {
    /// Reports taken, the late and the out-of-order ones included.
    pub accepted: usize,
    /// Taken, but more than a minute behind the newest.
    pub late: usize,
    /// Taken, but older than what the detector had said before.
    pub out_of_order: usize,
    /// Said before, word for word; not counted again.
    pub duplicate: usize,
    /// Pictures of junctions taken.
    #[serde(default)]
    pub pictures: usize,
    /// Number of refused reports and pictures.
    pub refused_total: usize,
    /// The refused reports, then the refused pictures; the first 1,000 of each.
    pub refused: Vec<RefusedItem>,
    /// Now, on the service's clock; null while nothing has set it.
    pub clock: Option<String>,
}

/// A refused report or picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RefusedItem {
    /// Position among the batch's observations, or among its pictures, from 0; in NDJSON the line, blank lines not counted.
    pub index: usize,
    /// Name of the detector, where it can be read.
    pub detector: Option<String>,
    /// Name of the controller, for a picture, where it can be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub controller: Option<String>,
    /// What kind of fault it is.
    pub code: RefusalCode,
    /// What is wrong, in a sentence.
    pub reason: String,
}

/// Kinds of fault in a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RefusalCode {
    /// The network has no such detector.
    UnknownDetector,
    /// A value that no detector can mean.
    ImpossibleValue,
    /// The interval lies too far from the service's clock.
    ClockFarOff,
    /// It cannot be read.
    Malformed,
    /// The detector has said something else about the same time: the intervals overlap.
    Contradiction,
    /// The network has no such controller.
    UnknownController,
    /// The network has no such lane, or it does not lead to the controller's signals.
    UnknownLane,
    /// The controller has no such movement.
    UnknownMovement,
}
