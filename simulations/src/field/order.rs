//! What a controller is told, and what it answers.

use greenkerb_models::ids::GroupId;
use greenkerb_models::plan::Revision;
use greenkerb_models::signal::{Controller, Schedule, ScheduleError, TimingPlan, TransitionError, TransitionMethod};
use greenkerb_models::units::{Ds, TimeDs};

use super::monitor::Violation;

/// Longest an order may wait to take over.
const FAR: Ds = Ds::from_s(3_600);

/// A timing plan as a controller polled it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Rises with every publication.
    pub revision: Revision,
    /// The service's hash of it, given back in acknowledgements.
    pub hash: String,
    /// The plan.
    pub plan: TimingPlan,
    /// When it takes over: a cycle start of the plan before it.
    pub valid_from: TimeDs,
    /// When it has run out.
    pub valid_until: TimeDs,
    /// Checksum of the controller database it was computed against.
    pub configuration_checksum: String,
    /// What to run once it has run out.
    pub fallback: TimingPlan,
    /// How to get into step.
    pub transition: TransitionMethod,
}

/// A rolling schedule as a controller polled it. It takes over at once, in the middle of what is shown, and is followed by
/// the next one before it runs out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduleOrder {
    /// Rises with every publication.
    pub revision: Revision,
    /// The service's hash of it, given back in acknowledgements.
    pub hash: String,
    /// The schedule.
    pub schedule: Schedule,
    /// Checksum of the controller database it was computed against.
    pub configuration_checksum: String,
    /// The cyclic plan that follows when no further schedule comes.
    pub fallback: TimingPlan,
}

/// Why a controller does not take an order.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// It was computed against another database.
    #[error("it was computed against database {theirs}, this controller has {ours}")]
    Configuration {
        /// Checksum in the order.
        theirs: String,
        /// Our own.
        ours: String,
    },
    /// A newer one has been seen: old orders are never replayed.
    #[error("revision {revision} is older than {newest}, which this controller has seen")]
    Old {
        /// Its revision.
        revision: u64,
        /// The newest revision seen.
        newest: u64,
    },
    /// It has run out before it could take over.
    #[error("it ran out at {until}", until = valid_until.rfc3339())]
    RanOut {
        /// When.
        valid_until: TimeDs,
    },
    /// It is to take over so late that it cannot be meant.
    #[error("it takes over at {from}, more than {FAR} from now", from = valid_from.rfc3339())]
    FarOff {
        /// When.
        valid_from: TimeDs,
    },
    /// Its cycle is none that this controller can run.
    #[error("{part}: a cycle of {cycle} is outside {min} to {max}")]
    Cycle {
        /// Plan or fallback.
        part: &'static str,
        /// Its cycle.
        cycle: Ds,
        /// The controller's shortest.
        min: Ds,
        /// The controller's longest.
        max: Ds,
    },
    /// An offset or a green lies outside the cycle.
    #[error("{part}: {what} lies outside the cycle")]
    Outside {
        /// Plan or fallback.
        part: &'static str,
        /// What.
        what: String,
    },
    /// It is for another number of signal groups.
    #[error("{part}: it shows {shows} signal groups, this controller has {groups}")]
    Groups {
        /// Plan or fallback.
        part: &'static str,
        /// Groups in the order.
        shows: usize,
        /// Groups of the controller.
        groups: usize,
    },
    /// There is no way into it.
    #[error("there is no way into it: {0}")]
    NoWay(#[from] TransitionError),
    /// The schedule is none of this controller.
    #[error("schedule: {0}")]
    Schedule(#[from] ScheduleError),
    /// The schedule begins otherwise than what is shown.
    #[error("the schedule does not begin with what is shown at {at}", at = at.rfc3339())]
    Seam {
        /// When.
        at: TimeDs,
    },
    /// Rehearsed beside what runs, it would have tripped the conflict monitor.
    #[error("the conflict monitor would trip: {0}")]
    Unsafe(Violation),
    /// It cannot be understood at all.
    #[error("it cannot be read: {0}")]
    Unreadable(String),
}

/// How far an order has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It has arrived.
    Received,
    /// It was checked and will be run.
    Validated,
    /// It runs.
    Active,
    /// It will not be run.
    Rejected(Rejection),
    /// It has run out, and the controller runs its own plan.
    LocalMode,
    /// It was made for what ran before the controller was switched on, which runs its own plan now.
    SwitchedOn,
}

/// What a controller tells the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledgement {
    /// Of which order.
    pub revision: Revision,
    /// Its hash.
    pub hash: String,
    /// How far it has come.
    pub state: State,
    /// When.
    pub at: TimeDs,
}

impl Order {
    /// Checks what can be checked without knowing what runs.
    pub(super) fn check(&self, controller: &Controller, checksum: &str, now: TimeDs) -> Result<(), Rejection> {
        if self.configuration_checksum != checksum {
            let theirs = self.configuration_checksum.clone();
            return Err(Rejection::Configuration { theirs, ours: checksum.to_owned() });
        }
        if self.valid_until <= now || self.valid_until <= self.valid_from {
            return Err(Rejection::RanOut { valid_until: self.valid_until });
        }
        if self.valid_from > now + FAR {
            return Err(Rejection::FarOff { valid_from: self.valid_from });
        }
        check_plan("plan", &self.plan, controller)?;
        check_plan("fallback", &self.fallback, controller)
    }
}

impl ScheduleOrder {
    /// Checks what can be checked without knowing what runs.
    pub(super) fn check(&self, controller: &Controller, checksum: &str, now: TimeDs) -> Result<(), Rejection> {
        if self.configuration_checksum != checksum {
            let theirs = self.configuration_checksum.clone();
            return Err(Rejection::Configuration { theirs, ours: checksum.to_owned() });
        }
        self.schedule.check(controller)?;
        check_plan("fallback", &self.fallback, controller)?;
        match (self.schedule.begins(), self.schedule.ends()) {
            (Some(begins), _) if begins > now => Err(Rejection::Seam { at: now }),
            (_, Some(valid_until)) if valid_until <= now => Err(Rejection::RanOut { valid_until }),
            _ => Ok(()),
        }
    }
}

fn check_plan(part: &'static str, plan: &TimingPlan, controller: &Controller) -> Result<(), Rejection> {
    let (min, max, cycle) = (controller.limits.cycle_min, controller.limits.cycle_max, plan.cycle);
    if cycle < min || cycle > max || cycle == Ds::ZERO {
        return Err(Rejection::Cycle { part, cycle, min, max });
    }
    let outside = |what: String| Err(Rejection::Outside { part, what });
    if plan.offset >= cycle || plan.reference_position >= cycle {
        return outside("the offset".into());
    }
    if plan.greens.len() != controller.groups.len() {
        return Err(Rejection::Groups { part, shows: plan.greens.len(), groups: controller.groups.len() });
    }
    for (i, greens) in plan.greens.iter().enumerate() {
        if greens.iter().any(|g| g.start >= cycle || g.length == Ds::ZERO || g.length > cycle) {
            return outside(format!("a green of group '{}'", controller.group(GroupId::at(i)).name));
        }
    }
    Ok(())
}
