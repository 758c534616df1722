//! What is kept about a controller that runs schedules: what it shows, by what it was told and by what it says.
//!
//! Schedules follow one upon the other without a gap as long as they come. A controller that hears no more runs the last
//! one to its end and goes over into its own plan; from there the next row of schedules begins, in the middle of a stage.

use greenkerb_models::ids::{ControllerId, StageId};
use greenkerb_models::plan::{PublishedPlan, Revision};
use greenkerb_models::signal::{
    Controller, GreenInterval, Schedule, ScheduledStage, StepKind, TimedGreen, TimingPlan, resting_stage,
};
use greenkerb_models::units::{Ds, TimeDs};

use crate::safety::Basis;
use crate::schedule::Running;

use super::timeline::Timeline;
use super::word::Said;

/// A stage that a cyclic plan shows is taken to have begun so much later: the controller may have shown it late.
const SHOWN_LATE: Ds = Ds::from_s(1);

/// A schedule that was published, as it is run.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Told {
    pub(super) revision: Revision,
    pub(super) computed_at: TimeDs,
    /// How far is planned.
    pub(super) ends: TimeDs,
    /// The schedule, its way into the fallback included.
    pub(super) whole: Schedule,
    /// When the fallback takes over.
    pub(super) gives_way: TimeDs,
}

impl Told {
    /// `None` for a plan without a schedule; the validator has seen that there is a way back.
    pub(super) fn of(controller: &Controller, plan: &PublishedPlan) -> Option<Self> {
        let schedule = plan.schedule.as_ref()?;
        let rejoin = schedule.rejoin(controller, &plan.fallback.plan).ok()?;
        Some(Self {
            revision: plan.revision,
            computed_at: plan.computed_at,
            ends: schedule.ends()?,
            whole: schedule.until_rejoin(&rejoin),
            gives_way: rejoin.at,
        })
    }
}

/// What is kept about one controller.
#[derive(Debug, Default)]
pub(super) struct Rolling {
    /// The newest schedule that it has said it runs.
    confirmed: Option<Told>,
    /// Schedules published since, oldest first; it is taken to run the last of them.
    told: Vec<Told>,
    /// It has said something: then silence says something too.
    speaks: bool,
    /// What it came from, while the first schedule of a row is not confirmed.
    came_from: Option<Timeline>,
    /// When each group was green last before the last schedule.
    last_green: Vec<TimeDs>,
    /// When a picture of it was taken last.
    pub(super) seen: Option<TimeDs>,
    /// When its loops were heard last, where nobody sees it.
    pub(super) presumed: Option<TimeDs>,
    /// The validator refused its last schedule.
    pub(super) refused: bool,
}

impl Rolling {
    /// The last schedule that it is taken to have run.
    fn last(&self) -> Option<&Told> {
        self.told.last().or(self.confirmed.as_ref())
    }

    /// The schedule that runs at an instant, its way into the fallback included.
    pub(super) fn at(&self, at: TimeDs) -> Option<&Told> {
        self.last().filter(|t| at < t.gives_way)
    }

    /// The last row of schedules is over: the controller is told cyclic plans again.
    pub(super) fn end(&mut self) {
        (self.confirmed, self.told, self.came_from) = (None, Vec::new(), None);
    }

    /// Takes up a schedule from before a restart.
    pub(super) fn restore(&mut self, controller: &Controller, told: Told) {
        self.last_green = vec![told.whole.begins().unwrap_or(told.computed_at); controller.groups.len()];
        (self.confirmed, self.told, self.came_from) = (None, vec![told], None);
    }

    /// What the controller shows and has been promised until `frozen_until`; `None` while it is between two stages of
    /// its own plan, or about to go over into it.
    pub(super) fn running(
        &self,
        (id, controller): (ControllerId, &Controller),
        plan: &TimingPlan,
        (now, frozen_until): (TimeDs, TimeDs),
    ) -> Option<Running> {
        let Some(told) = self.at(now) else {
            let rests = resting_stage(plan, controller, now).filter(|r| r.end >= frozen_until)?;
            let start = rests.start + SHOWN_LATE;
            let stage =
                ScheduledStage { start, end: earliest_end(controller, rests.stage, start, frozen_until), ..rests };
            return (start < now).then(|| Running { controller: id, stages: vec![stage], frozen_until });
        };
        let stages = &told.whole.stages;
        let first = stages.iter().rposition(|s| s.start < now)?;
        let mut last = first;
        while last + 1 < stages.len() && stages[last].end < frozen_until {
            last += 1;
        }
        // What the fallback takes over in the middle of is too late to change.
        if last + 1 == stages.len() && frozen_until >= told.gives_way {
            return None;
        }
        let mut kept = stages[first..=last].to_vec();
        let open = kept.last_mut()?;
        open.end = earliest_end(controller, open.stage, open.start, frozen_until);
        Some(Running { controller: id, stages: kept, frozen_until })
    }

    /// How long each group has been green at an instant; none for those that are not.
    pub(super) fn green_s(&self, controller: &Controller, plan: &TimingPlan, at: TimeDs) -> Vec<Option<f64>> {
        let since_s = |start: TimeDs| at.since(start) as f64 / 10.0;
        if let Some(told) = self.at(at) {
            let greens = told.whole.greens(controller);
            let shown =
                |spans: &Vec<TimedGreen>| spans.iter().find(|g| g.start <= at && at < g.end).map(|g| since_s(g.start));
            return greens.iter().map(shown).collect();
        }
        let position = plan.position_at(at).0;
        let into = |start: Ds| (position + plan.cycle.0 - start.0) % plan.cycle.0;
        let shown = |greens: &Vec<GreenInterval>| {
            greens.iter().find(|g| into(g.start) < g.length.0).map(|g| f64::from(into(g.start)) / 10.0)
        };
        plan.greens.iter().map(shown).collect()
    }

    /// What a schedule that is decided now has to go on from.
    pub(super) fn basis<'a>(&'a self, plan: &'a TimingPlan, now: TimeDs) -> Basis<'a> {
        self.at(now).map_or(Basis::Plan(plan), |told| Basis::Schedule(&told.whole))
    }

    /// When each group was green last before an instant, at which a schedule begins that goes on from what runs at `now`.
    pub(super) fn last_green(
        &self,
        controller: &Controller,
        plan: &TimingPlan,
        (now, begins): (TimeDs, TimeDs),
    ) -> Vec<TimeDs> {
        let mut last = self.last_green.clone();
        // What was shown before the first schedule is known by the plan alone.
        last.resize(controller.groups.len(), begins - plan.cycle);
        if let Some(told) = self.last() {
            for (last, greens) in last.iter_mut().zip(told.whole.greens(controller)) {
                let before = greens.iter().rfind(|g| g.start < begins);
                *last = before.map_or(*last, |g| g.end.min(begins).max(*last));
            }
        }
        let own_from = self.last().map_or(TimeDs(i64::MIN), |t| t.gives_way);
        if self.at(now).is_none() {
            for (last, greens) in last.iter_mut().zip(&plan.greens) {
                for green in greens {
                    let into = (plan.position_at(begins).0 + plan.cycle.0 - green.start.0) % plan.cycle.0;
                    let ended = begins - Ds(into.saturating_sub(green.length.0));
                    if ended > own_from {
                        *last = ended.max(*last);
                    }
                }
            }
        }
        last
    }

    /// Takes up a schedule that is published from now on. `before` is what the controller ran where no schedule did.
    pub(super) fn publish(&mut self, controller: &Controller, told: Told, before: &Timeline) {
        let now = told.computed_at;
        let begins = told.whole.begins().unwrap_or(now);
        self.last_green = self.last_green(controller, before.plan_at(now), (now, begins));
        if self.at(now).is_none() {
            self.came_from = Some(before.clone());
            (self.confirmed, self.told) = (None, Vec::new());
        }
        // One that says nothing does as it is told.
        if !self.speaks {
            self.told.clear();
        }
        self.told.push(told);
        self.refused = false;
    }

    /// Takes note of what the controller says about a revision; the timeline that follows from it, where it is not the one
    /// that was thought.
    pub(super) fn hear(&mut self, controller: &Controller, timeline: &Timeline, said: Said) -> Option<Timeline> {
        self.speaks = true;
        match said {
            Said::Active(revision) => {
                let place = self.told.iter().position(|t| t.revision == revision)?;
                self.confirmed = self.told.drain(..=place).next_back();
                self.came_from = None;
                None
            }
            Said::Rejected(revision) if self.told.last().is_some_and(|t| t.revision == revision) => self.give_up(),
            // One that says so of an older schedule has not heard of the newest yet, and will not find it right.
            Said::LocalMode(_) => {
                (self.confirmed, self.told, self.came_from) = (None, Vec::new(), None);
                Some(Timeline::of_time_of_day(controller, timeline.method()))
            }
            Said::Heard(_) | Said::Rejected(_) => None,
        }
    }

    /// Gives up on schedules that a controller which confirms schedules ought to have confirmed by now.
    pub(super) fn doubt(&mut self, now: TimeDs, within: Ds) -> Option<Timeline> {
        let overdue = self.told.first().is_some_and(|t| now.since(t.computed_at) > i64::from(within.0));
        (self.speaks && overdue).then(|| self.give_up()).flatten()
    }

    /// The controller runs what it confirmed last, or what it ran before there were schedules.
    fn give_up(&mut self) -> Option<Timeline> {
        self.told.clear();
        if self.confirmed.is_some() { None } else { self.came_from.take() }
    }
}

/// When a stage may end: it has its shortest green, and what is frozen is over.
fn earliest_end(controller: &Controller, stage: StageId, start: TimeDs, frozen_until: TimeDs) -> TimeDs {
    let kind = controller.program.stages().nth(stage.index()).map(|s| s.kind);
    let min = if let Some(StepKind::Stage { min, .. }) = kind { min } else { Ds::ZERO };
    frozen_until.max(start + min)
}
