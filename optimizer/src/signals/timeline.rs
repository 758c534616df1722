//! What a controller runs, and when: the plans it has been given, with the transitions between them.

use greenkerb_models::plan::PublishedPlan;
use greenkerb_models::signal::{Controller, TimingPlan, Transition, TransitionMethod};
use greenkerb_models::units::TimeDs;

/// One plan from one instant on.
#[derive(Debug, Clone)]
struct Segment {
    from: TimeDs,
    plan: TimingPlan,
}

/// Plans in order of the instant they start at. The last one runs on.
#[derive(Debug, Clone)]
pub struct Timeline {
    segments: Vec<Segment>,
    /// How the controller gets into step with another plan.
    method: TransitionMethod,
    expires: Option<TimeDs>,
}

impl Timeline {
    /// A controller that has always run its time-of-day plan.
    #[must_use]
    pub fn of_time_of_day(controller: &Controller, method: TransitionMethod) -> Self {
        let own = Segment { from: TimeDs(i64::MIN), plan: controller.time_of_day_plan() };
        Self { segments: vec![own], method, expires: None }
    }

    /// A controller that comes to its time-of-day plan, in step, at an instant.
    #[must_use]
    pub fn of_time_of_day_from(controller: &Controller, method: TransitionMethod, at: TimeDs) -> Self {
        let mut timeline = Self::of_time_of_day(controller, method);
        timeline.segments.push(Segment { from: at, plan: controller.time_of_day_plan() });
        timeline
    }

    /// Follows a publication: the transition and the plan from `valid_from` on, the fallback once it has run out.
    /// A transition that cannot be made is left out; the validator has refused such plans before.
    pub fn follow(&mut self, controller: &Controller, published: &PublishedPlan) {
        self.take_over(controller, published, published.valid_from);
    }

    /// The same for a publication that takes over at another instant than it says.
    pub fn take_over(&mut self, controller: &Controller, published: &PublishedPlan, at: TimeDs) {
        self.expire(controller, at);
        self.segments.retain(|s| s.from < at);
        self.switch(controller, published.plan.clone(), at);
        self.expires = Some(published.valid_until);
    }

    /// How the controller gets into step with another plan.
    #[must_use]
    pub const fn method(&self) -> TransitionMethod {
        self.method
    }

    /// Takes note that the last plan ran out before `now`, if it did.
    pub fn expire(&mut self, controller: &Controller, now: TimeDs) {
        let Some(at) = self.expires.filter(|at| *at <= now) else { return };
        self.expires = None;
        let boundary = self.plan_at(at).next_cycle_start(at);
        self.segments.retain(|s| s.from < boundary);
        self.switch(controller, controller.time_of_day_plan(), boundary);
    }

    fn switch(&mut self, controller: &Controller, plan: TimingPlan, at: TimeDs) {
        let mut from = at;
        if let Ok(t) = Transition::into_plan(controller, &plan, at, self.method) {
            for cycle in t.cycles {
                let next = from + cycle.cycle;
                self.segments.push(Segment { from, plan: cycle });
                from = next;
            }
        }
        self.segments.push(Segment { from, plan });
    }

    /// The plan in force at an instant.
    #[must_use]
    pub fn plan_at(&self, at: TimeDs) -> &TimingPlan {
        let i = self.segments.partition_point(|s| s.from <= at);
        &self.segments[i.max(1) - 1].plan
    }

    /// First cycle start at or after `at`, transitions and changes of plan included.
    #[must_use]
    pub fn next_cycle_start(&self, at: TimeDs) -> TimeDs {
        let i = self.segments.partition_point(|s| s.from <= at).max(1) - 1;
        let within = self.segments[i].plan.next_cycle_start(at);
        match self.segments.get(i + 1) {
            Some(next) if next.from < within => next.from,
            _ => within,
        }
    }

    /// When the last plan is in step: no transition is under way from then on.
    #[must_use]
    pub fn settled_from(&self) -> TimeDs {
        self.segments.last().map_or(TimeDs(i64::MIN), |s| s.from)
    }

    /// Forgets what ended before `before`.
    pub fn forget(&mut self, before: TimeDs) {
        let keep_from = self.segments.partition_point(|s| s.from <= before).max(1) - 1;
        self.segments.drain(..keep_from);
    }
}
