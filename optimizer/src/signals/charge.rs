//! What the optimizer keeps about one controller, and what can be told from it.

use greenkerb_models::plan::PublishedPlan;
use greenkerb_models::signal::{
    Controller, PlanView, Schedule, ScheduledStage, TimedStep, TimingPlan, TransitionMethod,
};
use greenkerb_models::units::{Ds, TimeDs};

use crate::estimation::Passed;
use crate::safety::{Heard, Validated};

use super::junction::{Demand, Junction, START_UP_S};
use super::rolling::{Rolling, Told};
use super::timeline::Timeline;
use super::word::{Said, Word};

/// What the optimizer keeps about one controller.
#[derive(Debug)]
pub(super) struct Charge {
    pub(super) junction: Junction,
    pub(super) timeline: Timeline,
    pub(super) published: Option<Validated<PublishedPlan>>,
    pub(super) checksum: String,
    /// Revision up to which the numbers are spent.
    pub(super) spent: u64,
    /// Cycle start that has been decided for.
    pub(super) decided: Option<TimeDs>,
    /// What the controller has said about what it runs.
    pub(super) word: Word,
    /// The schedules it runs; empty while it runs cyclic plans.
    pub(super) rolling: Rolling,
}

impl Charge {
    pub(super) fn new(controller: &Controller, junction: Junction, method: TransitionMethod) -> Self {
        let timeline = Timeline::of_time_of_day(controller, method);
        Self {
            junction,
            word: Word::new(timeline.clone()),
            timeline,
            published: None,
            checksum: controller.checksum(),
            spent: 0,
            decided: None,
            rolling: Rolling::default(),
        }
    }

    /// Takes up a plan that is published from now on.
    pub(super) fn commit(&mut self, controller: &Controller, plan: Validated<PublishedPlan>) {
        if let Some(told) = Told::of(controller, plan.get()) {
            let then = Timeline::of_time_of_day_from(controller, self.timeline.method(), told.gives_way);
            self.rolling.publish(controller, told, &self.timeline);
            self.timeline = then;
            self.published = Some(plan);
            return;
        }
        self.word.publish(&self.timeline, self.published.as_ref());
        self.timeline.follow(controller, plan.get());
        self.published = Some(plan);
    }

    /// Takes up what was in force before a restart.
    pub(super) fn restore(&mut self, controller: &Controller, plan: Validated<PublishedPlan>) {
        let told = Told::of(controller, plan.get());
        self.commit(controller, plan);
        if let Some(told) = told {
            self.rolling.restore(controller, told);
        }
    }

    /// Takes note of what the controller says of a revision; true when it runs something else than was thought.
    pub(super) fn hear(&mut self, controller: &Controller, said: Said, at: TimeDs, now: Option<TimeDs>) -> bool {
        let Some(published) = &self.published else { return false };
        if published.get().schedule.is_some() {
            let Some(timeline) = self.rolling.hear(controller, &self.timeline, said) else { return false };
            self.timeline = timeline;
            return true;
        }
        // A controller's clock may be anything; what it says is about now.
        let at = now.map_or(at, |now| at.clamp(now - HEARD_PAST, now + HEARD_AHEAD));
        let Some(timeline) = self.word.hear(controller, published, &self.timeline, said, at) else { return false };
        self.timeline = timeline;
        self.decided = None;
        true
    }

    /// Gives up on a plan that the controller ought to have confirmed by now, if it confirms plans at all.
    pub(super) fn doubt(&mut self, now: TimeDs, within: Ds) {
        if let Some(timeline) = self.rolling.doubt(now, within) {
            self.timeline = timeline;
        }
        if self.published.as_ref().is_some_and(|p| p.get().schedule.is_some()) {
            return;
        }
        let overdue = self.published.as_ref().is_some_and(|p| now.since(p.get().valid_from) > i64::from(within.0));
        if overdue && let Some(timeline) = self.word.doubt() {
            self.timeline = timeline;
            self.decided = None;
        }
    }

    /// What the controller runs, as the validator is told it.
    pub(super) fn heard(&self) -> Heard<'_> {
        self.word.heard()
    }

    /// Instant before which no other plan can follow upon the one that is to run.
    pub(super) fn taken(&self) -> TimeDs {
        match self.heard() {
            Heard::AsTold => self.published.as_ref().map_or(TimeDs(i64::MIN), |p| p.get().valid_from + Ds(1)),
            Heard::Runs { since, .. } => since + Ds(1),
            Heard::Own { .. } => TimeDs(i64::MIN),
        }
    }
}

/// Green of a stage, where rates are asked for that hardly depend on it, seconds.
const USUAL_S: f64 = 20.0;

/// How far what a controller says may lie from now.
const HEARD_PAST: Ds = Ds::from_s(600);
const HEARD_AHEAD: Ds = Ds::from_s(2);

/// Stages with which the next cycle may begin: the clearance that the running plan ends with was made for the stage it
/// begins with, and has to do for another one.
pub(super) fn may_start(controller: &Controller, running_s: &[u32]) -> Vec<bool> {
    let kept = |p: &usize| running_s[*p] > 0;
    let stages = running_s.len();
    let (Some(first), Some(last)) = ((0..stages).find(kept), (0..stages).rfind(kept)) else { return vec![] };
    let (program, groups) = (&controller.program, &controller.groups);
    let clearance = |to: usize| program.clearance(groups, &controller.conflicts, (last, to));
    let length = |steps: &[TimedStep]| steps.iter().map(|s| s.length).sum::<Ds>();
    let shown: Vec<TimedStep> = clearance(first);
    let stage = |p: usize| program.stages().nth(p).map(|s| &s.shows);
    let goes_on = |p: usize| {
        let before = shown.last().map(|s| &s.shows).or(stage(last));
        before.zip(stage(p)).is_some_and(|(b, s)| b.iter().zip(s).all(|(b, s)| !b.is_green() || s.is_green()))
    };
    (0..stages).map(|p| p == first || (length(&clearance(p)) <= length(&shown) && goes_on(p))).collect()
}

/// Stage lengths of a plan in whole seconds; none for a plan of rings.
pub(super) fn whole_splits(plan: &TimingPlan) -> Vec<u32> {
    match &plan.view {
        PlanView::Stages { splits } => splits.iter().map(|s| (s.green.0 + 5) / 10).collect(),
        PlanView::RingBarrier { .. } => Vec::new(),
    }
}

/// Vehicles that each lane can pass from one instant to another under the plan in force at the first, and whether it has
/// green at the second.
pub(super) fn passing(charge: &Charge, demand: &Demand, from: TimeDs, to: TimeDs) -> Option<(Vec<f64>, Vec<bool>)> {
    if let Some(told) = charge.rolling.at(from) {
        return Some(passing_scheduled(charge, demand, &told.whole, (from, to)));
    }
    let plan = charge.timeline.plan_at(from);
    let PlanView::Stages { splits } = &plan.view else { return None };
    let splits_s: Vec<f64> = splits.iter().map(|s| s.green.seconds()).collect();
    let junction = &charge.junction;
    let service = junction.service(demand, &splits_s);
    let lengths_s = service.shape.lengths_s(&splits_s);
    let cycle_s: f64 = lengths_s.iter().sum();
    let begin_s = plan.position_at(from).seconds();
    let end_s = begin_s + (to.since(from) as f64 / 10.0).min(cycle_s);
    let mut passed = vec![0.0; junction.lanes.len()];
    let mut green = vec![false; junction.lanes.len()];
    let mut step_s = 0.0;
    for (s, length_s) in lengths_s.iter().enumerate() {
        for wrap_s in [0.0, cycle_s] {
            let (first, last) = (step_s + wrap_s, step_s + wrap_s + length_s);
            let overlap_s = (last.min(end_s) - first.max(begin_s)).max(0.0);
            let ends_in_it = first <= end_s && end_s < last;
            for l in 0..junction.lanes.len() {
                passed[l] += service.rate_vps[s][l] * overlap_s;
                green[l] |= ends_in_it && junction.is_green(&service.shape, s, l);
            }
        }
        step_s += length_s;
    }
    Some((passed, green))
}

/// The same under a schedule: by the rates of its stages, as if each had a usual green.
fn passing_scheduled(
    charge: &Charge,
    demand: &Demand,
    schedule: &Schedule,
    (from, to): (TimeDs, TimeDs),
) -> (Vec<f64>, Vec<bool>) {
    let junction = &charge.junction;
    let shape = &junction.whole;
    let service = junction.service(demand, &vec![USUAL_S; junction.stages]);
    let (mut passed, mut green) = (vec![0.0; junction.lanes.len()], vec![false; junction.lanes.len()]);
    for part in &schedule.stages {
        let Some(step) = shape.steps.iter().position(|s| s.stage == Some(part.stage.index())) else { continue };
        let overlap_s = part.end.min(to).since(part.start.max(from)).max(0) as f64 / 10.0;
        for l in 0..junction.lanes.len() {
            passed[l] += service.rate_vps[step][l] * overlap_s;
            green[l] |= part.start <= to && to < part.end && junction.is_green(shape, step, l);
        }
    }
    (passed, green)
}

/// The stage of a schedule that was shown through the whole of an interval, if the lane was past its start-up then.
pub(super) fn scheduled_stage(schedule: &Schedule, passed: &Passed) -> Option<usize> {
    let ends = passed.begin + passed.length;
    let settled = |s: &&ScheduledStage| s.start + Ds::from_s(START_UP_S.ceil() as u32) <= passed.begin && ends <= s.end;
    schedule.stages.iter().find(settled).map(|s| s.stage.index())
}

/// The stage that a controller showed through the whole of an interval, if the lane was past its start-up then.
pub(super) fn settled_stage(
    junction: &Junction,
    plan: &TimingPlan,
    splits_s: &[f64],
    passed: &Passed,
    lane: usize,
) -> Option<usize> {
    let shape = junction.shape(splits_s)?;
    let position_s = plan.position_at(passed.begin).seconds();
    let steps = shape.steps.len();
    let mut from_s = 0.0;
    for (s, length_s) in shape.lengths_s(splits_s).into_iter().enumerate() {
        let starts = junction.is_green(shape, s, lane) && !junction.is_green(shape, (s + steps - 1) % steps, lane);
        let settled_s = if starts { from_s + START_UP_S } else { from_s };
        if position_s >= settled_s - 0.5 && position_s + passed.length.seconds() <= from_s + length_s + 0.05 {
            return shape.steps[s].stage.filter(|_| junction.is_green(shape, s, lane));
        }
        from_s += length_s;
    }
    None
}
