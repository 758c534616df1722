//! What is kept.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use greenkerb_models::plan::PublishedPlan;
use greenkerb_models::signal::TransitionMethod;
use greenkerb_models::units::TimeDs;
use greenkerb_optimizer::safety::Validated;

/// The network the service runs with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkRecord {
    /// Its name.
    pub name: String,
    /// SHA-256 of `native`, in hex.
    pub fingerprint: String,
    /// The file it was read from.
    pub file: String,
    /// The network in the native format.
    pub native: Vec<u8>,
    /// The settings of the service, as TOML.
    pub settings: String,
    /// What moves its clock: `wall` or `external`; empty where an older version wrote the record.
    #[serde(skip)]
    pub clock_source: String,
}

/// The last that a controller said about a timing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AckRecord {
    /// Revision it was about.
    pub revision: u64,
    /// What it said (`received`, `validated`, `active`, `rejected`, `local_mode`).
    pub state: String,
    /// Why.
    pub reason: Option<String>,
    /// When, on the controller's clock.
    pub at: TimeDs,
    /// Revision it runs, as far as it has told.
    pub running: Option<u64>,
}

/// Something that happened and must be found again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum AuditEvent {
    /// A plan was published.
    Published {
        /// The controller.
        controller: String,
        /// The revision.
        revision: u64,
        /// The hash of what the controller acts on.
        hash: String,
    },
    /// A proposal was refused by the validator; the plan before it stays.
    Refused {
        /// The controller.
        controller: String,
        /// Why.
        reason: String,
    },
    /// A stored plan is not served any more.
    Dropped {
        /// The controller.
        controller: String,
        /// The revision, where it can be read.
        revision: Option<u64>,
        /// Why.
        reason: String,
    },
    /// The service runs with this network from now on.
    Network {
        /// Its name.
        name: String,
        /// Its fingerprint.
        fingerprint: String,
        /// Fingerprint of the network before it, if there was another.
        before: Option<String>,
    },
    /// Most detectors spoke of the past, and the external clock went there.
    ClockSetBack {
        /// What it showed before.
        from: Option<TimeDs>,
        /// What it shows now.
        to: TimeDs,
    },
    /// The optimizer failed and was started anew; the plans in force stay.
    OptimizerFailed {
        /// What it said.
        reason: String,
    },
}

/// An event with its place in the audit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// Rises by one with every entry, from 1.
    pub sequence: u64,
    /// When, on the service's clock; null before anything set it.
    pub at: Option<TimeDs>,
    /// What.
    #[serde(flatten)]
    pub event: AuditEvent,
}

/// What one step of the service leaves behind.
#[derive(Debug)]
pub struct Step<'a> {
    /// Now, on the service's clock.
    pub clock: Option<TimeDs>,
    /// Plans it publishes. Nothing but validated ones.
    pub publications: &'a [Validated<PublishedPlan>],
    /// How controllers get into step with them.
    pub transition: TransitionMethod,
    /// What else happened.
    pub events: &'a [AuditEvent],
    /// What controllers said since the step before, the last of each.
    pub acks: &'a [(String, AckRecord)],
}

impl Default for Step<'_> {
    fn default() -> Self {
        Self { clock: None, publications: &[], transition: TransitionMethod::ShortWay, events: &[], acks: &[] }
    }
}

/// What a store knows when it is opened.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Recovered {
    /// The network it was used with last.
    pub network: Option<NetworkRecord>,
    /// The service's clock when it last wrote.
    pub clock: Option<TimeDs>,
    /// The last plan of each controller, not validated again yet.
    pub plans: BTreeMap<String, PublishedPlan>,
    /// Revision up to which each controller's numbers are spent, readable plan or not.
    pub revisions: BTreeMap<String, u64>,
    /// Controllers whose last plan cannot be read, with the reason.
    pub unreadable: BTreeMap<String, String>,
    /// The last acknowledgement of each controller.
    pub acks: BTreeMap<String, AckRecord>,
}
