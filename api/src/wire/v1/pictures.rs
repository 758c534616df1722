//! What those see of a junction that see every vehicle.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Every vehicle near a junction at one instant. What it does not show is not there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PictureReport {
    /// Name of the junction's controller.
    #[schema(example = "c1")]
    pub controller: String,
    /// When it was taken, RFC 3339.
    #[schema(example = "2026-03-02T07:00:01Z")]
    pub at: String,
    /// The vehicles, in any order; at most 2,000.
    pub vehicles: Vec<VehicleReport>,
}

/// A vehicle in a picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct VehicleReport {
    /// Name of the lane it is on: one that ends at the junction's signals, or upstream of those.
    #[schema(example = "from_north_0")]
    pub lane: String,
    /// From its front to the end of that lane.
    #[schema(example = 41.5)]
    pub to_lane_end_m: f64,
    /// Its speed.
    #[schema(example = 12.0)]
    pub speed_mps: f64,
    /// The way it will take at the junction, where that is known.
    #[serde(default)]
    pub movement: Option<MovementReport>,
}

/// A way across a junction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MovementReport {
    /// Name of the link it leaves.
    #[schema(example = "from_north")]
    pub from: String,
    /// Name of the link it enters.
    #[schema(example = "to_south")]
    pub to: String,
}
