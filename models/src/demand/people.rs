//! People who want to cross a street.

use serde::{Deserialize, Serialize};

use crate::ids::CrossingId;
use crate::units::TimeDs;

/// People at a crossing, a Poisson stream.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PeopleFlow {
    /// Where they cross.
    pub crossing: CrossingId,
    /// People per hour, both directions together.
    pub people_per_h: f64,
    /// From when on.
    pub begin: TimeDs,
    /// Until when, exclusive.
    pub end: TimeDs,
}
