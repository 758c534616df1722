//! What a controller says about what it runs, against what it was told.
//!
//! A controller does as it is told until it says otherwise: that it runs its own plan (it has been switched on again), that
//! it takes a plan over later than that was meant, or that it will not run it. One that is known to confirm plans and does
//! not confirm one runs what it confirmed last, until that has run out, and then its own plan.

use greenkerb_models::plan::{PublishedPlan, Revision};
use greenkerb_models::signal::Controller;
use greenkerb_models::units::{Ds, TimeDs};
use serde::{Deserialize, Serialize};

use crate::safety::{Heard, Validated};

use super::timeline::Timeline;

/// Instants of a controller and of ours that differ by no more mean the same: its clock is not ours.
const SAME: Ds = Ds::from_s(2);

/// What a controller says about a revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Said {
    /// It has arrived, or been checked.
    Heard(Revision),
    /// It has taken over.
    Active(Revision),
    /// It will not be run.
    Rejected(Revision),
    /// The controller runs its own plan instead, because the revision has run out or was never taken up.
    LocalMode(Revision),
}

/// What a controller is taken to run.
#[derive(Debug, Clone, PartialEq)]
enum Belief {
    AsTold,
    Runs { plan: Box<Validated<PublishedPlan>>, since: TimeDs },
    Own { since: TimeDs },
}

/// What one controller has said.
#[derive(Debug)]
pub(super) struct Word {
    belief: Belief,
    /// It has acknowledged something: then silence says something too.
    speaks: bool,
    /// It has said that the newest plan runs.
    confirmed: bool,
    /// What it ran before the newest plan, and along which timeline.
    before: (Timeline, Belief),
    /// It waits for a plan that follows upon what it runs.
    pub(super) waits: bool,
}

impl Word {
    pub(super) fn new(timeline: Timeline) -> Self {
        let own = Belief::Own { since: TimeDs(i64::MIN) };
        Self { belief: Belief::AsTold, speaks: false, confirmed: false, before: (timeline, own), waits: false }
    }

    pub(super) fn heard(&self) -> Heard<'_> {
        match &self.belief {
            Belief::AsTold => Heard::AsTold,
            Belief::Runs { plan, since } => Heard::Runs { plan: plan.get(), since: *since },
            Belief::Own { since } => Heard::Own { since: *since },
        }
    }

    /// A newer plan is about to be published. What runs until then is what counts if the controller will not take it.
    pub(super) fn publish(&mut self, timeline: &Timeline, last: Option<&Validated<PublishedPlan>>) {
        if self.confirmed || !self.speaks || self.belief != Belief::AsTold {
            let belief = match (std::mem::replace(&mut self.belief, Belief::AsTold), last) {
                (Belief::AsTold, Some(plan)) => {
                    Belief::Runs { since: plan.get().valid_from, plan: Box::new(plan.clone()) }
                }
                (Belief::AsTold, None) => Belief::Own { since: TimeDs(i64::MIN) },
                (other, _) => other,
            };
            self.before = (timeline.clone(), belief);
        }
        self.belief = Belief::AsTold;
        self.confirmed = false;
        self.waits = false;
    }

    /// Takes note of what is said; the timeline that follows from it, where it is not the one that was thought.
    pub(super) fn hear(
        &mut self,
        controller: &Controller,
        published: &Validated<PublishedPlan>,
        timeline: &Timeline,
        said: Said,
        at: TimeDs,
    ) -> Option<Timeline> {
        self.speaks = true;
        let newest = published.get();
        match said {
            Said::Active(revision) if revision == newest.revision => self.active(controller, published, timeline, at),
            Said::Rejected(revision) if revision == newest.revision && self.belief == Belief::AsTold => {
                self.waits = true;
                self.doubt_now()
            }
            Said::LocalMode(revision) if revision <= newest.revision => {
                let over = self.confirmed && at.0 + i64::from(SAME.0) >= newest.valid_until.0;
                if revision == newest.revision && over {
                    return None;
                }
                let own = Timeline::of_time_of_day(controller, timeline.method());
                self.before = (own.clone(), Belief::Own { since: at });
                if revision == newest.revision {
                    self.belief = Belief::Own { since: at };
                    (self.confirmed, self.waits) = (false, true);
                    return Some(own);
                }
                if self.confirmed {
                    return None;
                }
                // It has not judged the newest one yet, and may take it over from its own plan.
                Some(self.taken_over(controller, published, own, newest.valid_from.max(at) + SAME))
            }
            Said::Heard(_) | Said::Active(_) | Said::Rejected(_) | Said::LocalMode(_) => None,
        }
    }

    fn active(
        &mut self,
        controller: &Controller,
        published: &Validated<PublishedPlan>,
        timeline: &Timeline,
        at: TimeDs,
    ) -> Option<Timeline> {
        let since = match &self.belief {
            Belief::AsTold => Some(published.get().valid_from),
            Belief::Runs { plan, since } if plan.get().revision == published.get().revision => Some(*since),
            Belief::Runs { .. } | Belief::Own { .. } => None,
        };
        let again = std::mem::replace(&mut self.confirmed, true);
        if since.is_some_and(|since| at.since(since) <= i64::from(SAME.0)) {
            return None;
        }
        // It took over later than was thought, from what it ran before; for the second time only from its own plan.
        let base = match again {
            true => Timeline::of_time_of_day(controller, timeline.method()),
            false => self.before.0.clone(),
        };
        Some(self.taken_over(controller, published, base, at))
    }

    /// The newest plan takes over from what a timeline says, at the cycle start that an instant means.
    fn taken_over(
        &mut self,
        controller: &Controller,
        published: &Validated<PublishedPlan>,
        mut base: Timeline,
        at: TimeDs,
    ) -> Timeline {
        let since = base.next_cycle_start((at - SAME).max(base.settled_from()));
        base.take_over(controller, published.get(), since);
        self.belief = Belief::Runs { plan: Box::new(published.clone()), since };
        base
    }

    /// Gives up on the newest plan, if that was never confirmed by a controller that confirms plans.
    pub(super) fn doubt(&mut self) -> Option<Timeline> {
        (self.speaks && !self.confirmed && self.belief == Belief::AsTold).then(|| self.doubt_now()).flatten()
    }

    fn doubt_now(&mut self) -> Option<Timeline> {
        let (timeline, belief) = self.before.clone();
        self.belief = belief;
        Some(timeline)
    }
}
