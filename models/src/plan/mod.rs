//! Plans as they are published: revision, validity, hash, reasons, and what changed since the last.

mod diff;
mod published;
mod reason;

pub use diff::PlanDiff;
pub use published::{Fallback, PublishedPlan, Revision};
pub use reason::{Reason, ReasonKind};
