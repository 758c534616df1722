//! Schedules: for every controller in that mode, each step, from what is seen of its junction.
//!
//! All of them are planned at once, because what one lets go is what another gets. A schedule is published only where it
//! differs soon from the one before, or where that one is about to run out: most polls find nothing new.

use greenkerb_models::ids::ControllerId;
use greenkerb_models::plan::{Fallback, PublishedPlan, ReasonKind, Revision};
use greenkerb_models::units::{Ds, TimeDs};

use crate::safety::{Refusals, ScheduledPublication, Validated, validate_schedule};
use crate::schedule::{Planned, Running};

use super::budget::Budget;
use super::optimizer::{SignalOptimizer, reason};
use super::report::StepOutcome;
use super::settings::Mode;

/// How far ahead a difference has to lie to be told later: it may be gone again by then.
const TOLD_AHEAD: Ds = Ds::from_s(20);

impl SignalOptimizer {
    /// Plans for every controller in schedule mode whose junction was seen of late, and publishes what is new.
    pub(super) fn schedule(&mut self, now: TimeDs, budget: &dyn Budget, outcome: &mut StepOutcome) {
        let running: Vec<Running> = (0..self.charges.len()).filter_map(|i| self.running(i, now)).collect();
        let Some(planner) = self.planner.as_mut().filter(|_| !running.is_empty()) else { return };
        let planned = planner.plan(now, &running, budget);
        outcome.scheduled = planned.len();
        for planned in planned {
            self.publish_schedule(planned, now, outcome);
        }
    }

    /// What a controller shows and has been promised, if a schedule can be made for it now.
    fn running(&self, i: usize, now: TimeDs) -> Option<Running> {
        if self.modes[i] != Mode::Schedule {
            return None;
        }
        let charge = &self.charges[i];
        let fresh = charge.rolling.seen.is_some_and(|at| now.since(at) <= i64::from(self.settings.feed_timeout.0));
        // Nothing can follow upon a publication that nobody has made yet.
        charge.published.as_ref().filter(|_| fresh)?;
        let id = ControllerId::at(i);
        let controller = self.network.controller(id);
        let resolution = i64::from(controller.limits.resolution.0.max(1));
        let frozen_until = now + self.settings.policy.frozen;
        let frozen_until = frozen_until + Ds((-frozen_until.0).rem_euclid(resolution) as u32);
        charge.rolling.running((id, controller), charge.timeline.plan_at(now), (now, frozen_until))
    }

    fn publish_schedule(&mut self, planned: Planned, now: TimeDs, outcome: &mut StepOutcome) {
        let i = planned.controller.index();
        let Some(charge) = self.charges.get(i) else { return };
        let Some(ends) = planned.schedule.ends() else { return };
        let known = charge.rolling.at(now).is_some_and(|told| {
            let until = now + TOLD_AHEAD;
            told.ends >= until && told.whole.agrees(&planned.schedule, now, until.min(ends))
        });
        if known {
            return;
        }
        match self.judge_schedule(planned, now) {
            Ok(plan) => {
                self.charges[i].commit(self.network.controller(ControllerId::at(i)), plan.clone());
                outcome.publications.push(plan);
            }
            Err(refusals) => {
                if std::mem::replace(&mut self.charges[i].rolling.refused, true) {
                    outcome.refused_again += 1;
                } else {
                    outcome.refused.push((ControllerId::at(i), refusals));
                }
            }
        }
    }

    /// What the validator says about a schedule.
    fn judge_schedule(&self, planned: Planned, now: TimeDs) -> Result<Validated<PublishedPlan>, Refusals> {
        let Planned { controller: id, schedule, expected_wait_s, reason: why } = planned;
        let controller = self.network.controller(id);
        let charge = &self.charges[id.index()];
        let own = controller.time_of_day_plan();
        let (begins, ends) = (schedule.begins().unwrap_or(now), schedule.ends().unwrap_or(now));
        let plan = charge.timeline.plan_at(now);
        let candidate = PublishedPlan {
            controller: controller.name.clone(),
            revision: Revision(charge.published.as_ref().map_or(0, |p| p.get().revision.0).max(charge.spent) + 1),
            plan: own.clone(),
            computed_at: now,
            valid_from: now,
            valid_until: ends,
            configuration_checksum: charge.checksum.clone(),
            fallback: Fallback { plan: own },
            reasons: vec![reason(ReasonKind::Changed, &why, Some(("expected_wait_s", expected_wait_s)))],
            schedule: Some(schedule),
        };
        validate_schedule(ScheduledPublication {
            candidate,
            previous: charge.published.as_ref(),
            basis: charge.rolling.basis(plan, now),
            last_green: &charge.rolling.last_green(controller, plan, (now, begins)),
            controller,
            policy: &self.settings.policy,
            now,
        })
    }
}
