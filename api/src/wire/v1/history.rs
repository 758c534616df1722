//! What was published for a controller.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Plan, ReasonEntry};

/// Publications of a controller, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct History {
    /// Name of the controller.
    pub controller: String,
    /// The publications.
    pub revisions: Vec<HistoryEntry>,
}

/// One publication.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct HistoryEntry {
    /// Its revision.
    pub revision: u64,
    /// Its hash.
    pub hash: String,
    /// When it was computed.
    pub computed_at: String,
    /// When it took over.
    pub valid_from: String,
    /// When it ran out, unless a newer one came.
    pub valid_until: String,
    /// What changed against the publication before it; null where that one is no longer kept.
    pub change: Option<Change>,
    /// Why.
    pub reasons: Vec<ReasonEntry>,
    /// The plan.
    pub plan: Plan,
    /// What its controller was to run after `valid_until`.
    pub fallback: Plan,
}

/// New minus old.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Change {
    /// Cycle.
    pub cycle_ds: i64,
    /// Offset, the short way round.
    pub offset_ds: i64,
    /// Splits in the order of stages (or phases); empty when they cannot be compared.
    pub splits_ds: Vec<i64>,
}
