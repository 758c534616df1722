//! What a controller polls.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::plan::Reason;
use crate::signal::{Schedule, TimingPlan, TransitionMethod};
use crate::units::TimeDs;

/// Rises by at least one with every publication of a controller; the same revision always means the same bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Revision(pub u64);

/// What a controller runs when the plan it has runs out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fallback {
    /// The controller's own time-of-day plan.
    pub plan: TimingPlan,
}

/// A plan with everything a controller needs to trust and time it: a cyclic plan, or a schedule for the next minute or two.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PublishedPlan {
    /// Name of the controller.
    pub controller: String,
    /// Its number.
    pub revision: Revision,
    /// The cyclic plan. Beside a schedule it is that of the fallback, which takes over when the schedule has run out.
    pub plan: TimingPlan,
    /// When it was computed, on the data's clock.
    pub computed_at: TimeDs,
    /// When it takes over: a cycle start of the plan before it; a schedule does so when it is computed.
    pub valid_from: TimeDs,
    /// When the controller returns to its fallback unless it has heard a newer plan; the end of a schedule.
    pub valid_until: TimeDs,
    /// SHA-256 of the controller database it was computed against.
    pub configuration_checksum: String,
    /// What to run after `valid_until`.
    pub fallback: Fallback,
    /// Why it is what it is.
    pub reasons: Vec<Reason>,
    /// What is shown from when to when until `valid_until`; none for a cyclic plan. (Last, so that what was written before
    /// there were schedules can be read.)
    #[serde(default)]
    pub schedule: Option<Schedule>,
}

impl PublishedPlan {
    /// SHA-256 over everything a controller acts on, in hex: the plan or schedule, and how it is to get into step with it; not the
    /// reasons.
    ///
    /// # Panics
    /// Never: the plan is plain data.
    #[must_use]
    pub fn hash(&self, transition: TransitionMethod) -> String {
        let acted_on = (
            &self.controller,
            self.revision,
            &self.plan,
            self.valid_from,
            self.valid_until,
            &self.configuration_checksum,
            &self.fallback,
            transition,
        );
        let mut bytes = postcard::to_stdvec(&acted_on).expect("plain data serialises");
        if let Some(schedule) = &self.schedule {
            bytes.extend(postcard::to_stdvec(schedule).expect("plain data serialises"));
        }
        Sha256::digest(&bytes).iter().map(|b| format!("{b:02x}")).collect()
    }
}
