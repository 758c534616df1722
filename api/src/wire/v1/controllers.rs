//! The list of controllers.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::AckState;

/// All controllers, in the network's order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Controllers {
    /// Now, on the service's clock; null while nothing has set it.
    pub clock: Option<String>,
    /// The controllers.
    pub controllers: Vec<ControllerEntry>,
}

/// One controller: what it is asked to run beside what it says it runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ControllerEntry {
    /// Its name.
    pub name: String,
    /// Degrees east.
    pub lon: f64,
    /// Degrees north.
    pub lat: f64,
    /// Names of its signal groups, in order.
    pub groups: Vec<String>,
    /// Newest published revision; null before the first.
    pub revision: Option<u64>,
    /// Revision that ought to run by now; null before the first takes over and after the last has run out.
    pub expected_revision: Option<u64>,
    /// Revision it says it runs; null while it runs its own plan or has said nothing.
    pub running_revision: Option<u64>,
    /// State it last told.
    pub last_state: Option<AckState>,
    /// Revision that state is about.
    pub last_state_revision: Option<u64>,
    /// Its reason, where it gave one.
    pub last_reason: Option<String>,
    /// When it last told a state, on its own clock.
    pub acknowledged_at: Option<String>,
    /// When it last polled, on the service's clock.
    pub polled_at: Option<String>,
    /// SHA-256 of the database its timings are computed against.
    pub configuration_checksum: String,
    /// End of the validity of the newest timing.
    pub valid_until: Option<String>,
    /// It has missed three polls, or never polled.
    pub stale: bool,
    /// Alarm: it says that it runs something else than it was told.
    pub mismatch: bool,
    /// Why the alarm is up.
    pub mismatch_reason: Option<String>,
    /// Nothing published is in force: it runs its own time-of-day plan.
    pub on_time_of_day_plan: bool,
}
