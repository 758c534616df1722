//! What survives a crash: the network, the configuration, the published plans, the acknowledgements, and an audit that
//! is only ever appended to; when it gets too long its oldest entries go.
//!
//! One trait, so that a second store can stand beside the embedded one; `tests/store.rs` holds the conformance suite
//! that each must pass. A step of the service is one transaction, and it is on disk before anybody can poll what it
//! publishes.

mod embedded;
mod record;

pub use embedded::{AUDIT_MAX, EmbeddedStore};
pub use record::{AckRecord, AuditEntry, AuditEvent, NetworkRecord, Recovered, Step};

use greenkerb_models::plan::PublishedPlan;

/// Publications kept for each controller, beside the audit that keeps the fact of each. Schedules are neither kept nor
/// audited: they come every second, and the last of each controller is enough.
pub const HISTORY_MAX: usize = 200;

/// Why the store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It cannot be opened.
    #[error("{place}: the store cannot be opened: {reason}")]
    Open {
        /// Where it is.
        place: String,
        /// Why not.
        reason: String,
    },
    /// Another process has it.
    #[error("{place}: another process has this store open")]
    InUse {
        /// Where it is.
        place: String,
    },
    /// It was written by a version whose records we cannot read.
    #[error("{place}: the store is of format {found}, this version reads format {known}")]
    Format {
        /// Where it is.
        place: String,
        /// Format it says it has.
        found: u32,
        /// Format we know.
        known: u32,
    },
    /// Reading or writing failed.
    #[error("{action} failed: {reason}")]
    Failed {
        /// What was being done.
        action: &'static str,
        /// Why it failed.
        reason: String,
    },
    /// A record cannot be read back.
    #[error("the record '{key}' in {table} cannot be read: {reason}")]
    Damaged {
        /// Which table.
        table: &'static str,
        /// Which record.
        key: String,
        /// Why not.
        reason: String,
    },
}

/// Somewhere to keep what must survive.
pub trait Store: Send + Sync + std::fmt::Debug {
    /// Everything the service needs to go on where it stopped.
    ///
    /// # Errors
    /// [`StoreError`]. A single plan that cannot be read is no error: it is left out and named in
    /// [`Recovered::unreadable`].
    fn recover(&self) -> Result<Recovered, StoreError>;

    /// Takes note of the network and the configuration the service runs with from now on.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing has changed.
    fn set_network(&self, network: &NetworkRecord, events: &[AuditEvent]) -> Result<(), StoreError>;

    /// Makes one step durable: all of it or nothing, on disk when this returns.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing of the step is in the store.
    fn commit(&self, step: &Step<'_>) -> Result<(), StoreError>;

    /// Publications of a controller, newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    fn history(&self, controller: &str, limit: usize) -> Result<Vec<PublishedPlan>, StoreError>;

    /// Audit entries from a sequence number on, in order.
    ///
    /// # Errors
    /// [`StoreError`].
    fn audit(&self, from: u64, limit: usize) -> Result<Vec<AuditEntry>, StoreError>;

    /// Checks that the store still answers.
    ///
    /// # Errors
    /// [`StoreError`] when it does not.
    fn probe(&self) -> Result<(), StoreError>;
}
