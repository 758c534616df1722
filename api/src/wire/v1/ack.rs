//! What controllers tell us about a timing.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An acknowledgement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Ack {
    /// Revision it is about.
    pub revision: u64,
    /// Hash of that timing, as it was polled.
    pub hash: String,
    /// How far it has come.
    pub state: AckState,
    /// Why, for `rejected` and `local_mode`.
    #[serde(default)]
    pub reason: Option<String>,
    /// When, on the controller's clock, RFC 3339.
    #[schema(example = "2026-03-02T07:00:00Z")]
    pub at: String,
}

/// How far a timing has come in its controller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AckState {
    /// It has arrived.
    Received,
    /// The controller's own checks have passed.
    Validated,
    /// It runs.
    Active,
    /// It will not be run.
    Rejected,
    /// The controller runs its own plan and takes no orders.
    LocalMode,
}
