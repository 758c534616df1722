//! Local actuation: a controller that runs a plan may end a green early where nobody comes, never later than the plan.
//!
//! The end of each stage in the plan is its force-off. A stage that gaps out gives its time to the stages behind it, which
//! begin early and still end at their own force-offs; in the end it comes to the first stage, the coordinated one, which
//! never gaps out. So the plan's offset holds, and neighbours find the coordinated green where they expect it.

use std::sync::Arc;

use greenkerb_models::ids::GroupId;
use greenkerb_models::signal::{Controller, Indication, PlanView, TimingPlan};
use greenkerb_models::units::{Ds, TimeDs};

use crate::control::{Stages, Switch};

/// A controller's heads under local actuation.
#[derive(Debug, Clone)]
pub struct LocalActuation {
    switch: Switch,
}

/// One stage of a plan: its number in the program, and the position in the cycle at which it must end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Forced {
    stage: usize,
    force_off: Ds,
}

/// The stages that a plan keeps, in its order; none for a plan that is not made of stages.
fn forced(controller: &Controller, plan: &TimingPlan) -> Option<Vec<Forced>> {
    let PlanView::Stages { splits } = &plan.view else { return None };
    let lengths: Vec<Ds> = splits.iter().map(|s| s.green).collect();
    let course = controller.program.course(&controller.groups, &controller.conflicts, &lengths).ok()?;
    let mut at = Ds::ZERO;
    let mut stages = Vec::new();
    for step in course {
        at += step.length;
        if let Some(stage) = step.stage {
            stages.push(Forced { stage, force_off: Ds(at.0 % plan.cycle.0.max(1)) });
        }
    }
    (!stages.is_empty()).then_some(stages)
}

impl LocalActuation {
    /// Heads that show the stage a plan has at `now`, or the one it is about to come to; none where the plan is not made
    /// of stages.
    #[must_use]
    pub fn new(controller: &Arc<Controller>, plan: &TimingPlan, now: TimeDs) -> Option<Self> {
        let stages = forced(controller, plan)?;
        let position = plan.position_at(now);
        let first = stages.iter().min_by_key(|s| ahead(plan, position, s.force_off).max(1))?;
        let all = Arc::new(Stages::of(Arc::clone(controller)));
        Some(Self { switch: Switch::new(all, first.stage, now) })
    }

    /// What the heads show from `now` on while `plan` runs. `demand` tells whether anybody asks for a group's green to go
    /// on. Time never runs backwards here.
    pub fn show(&mut self, plan: &TimingPlan, now: TimeDs, demand: &dyn Fn(GroupId) -> bool) -> &[Indication] {
        let controller = Arc::clone(self.switch.stages().controller());
        if let Some(stages) = forced(&controller, plan)
            && !self.switch.is_changing()
        {
            let place = stages.iter().position(|s| s.stage == self.switch.stage());
            let next = stages[place.map_or(0, |p| (p + 1) % stages.len())].stage;
            let over = match place {
                // A stage that the plan does not have any more.
                None => true,
                Some(p) => self.is_forced(plan, stages[p], now) || (p > 0 && !self.is_asked_for(next, demand)),
            };
            if over {
                self.switch.go(next, now);
            }
        }
        self.switch.show(now)
    }

    /// The stage that is shown, or come to.
    #[must_use]
    pub const fn stage(&self) -> usize {
        self.switch.stage()
    }

    /// True when the cycle has passed the stage's force-off since the stage began.
    fn is_forced(&self, plan: &TimingPlan, stage: Forced, now: TimeDs) -> bool {
        ahead(plan, stage.force_off, plan.position_at(now)) <= self.switch.age(now).0
    }

    /// Somebody asks for a group that would end with the stage.
    fn is_asked_for(&self, next: usize, demand: &dyn Fn(GroupId) -> bool) -> bool {
        let stages = self.switch.stages();
        let (shown, after) = (&stages.all()[self.switch.stage()].shows, &stages.all()[next].shows);
        (0..shown.len()).any(|g| shown[g].is_green() && !after[g].is_green() && demand(GroupId::at(g)))
    }
}

/// Deciseconds from one position in the cycle forward to another.
fn ahead(plan: &TimingPlan, from: Ds, to: Ds) -> u32 {
    (to.0 + plan.cycle.0 - from.0) % plan.cycle.0.max(1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::control::sample;
    use crate::field::ConflictMonitor;

    /// The stage of every second; the monitor sees all of it.
    fn run(controller: &Arc<Controller>, seconds: i64, demand: impl Fn(i64, GroupId) -> bool) -> Vec<Option<usize>> {
        let plan = controller.time_of_day_plan();
        let begin = TimeDs(0) + plan.offset;
        let mut heads = LocalActuation::new(controller, &plan, begin).unwrap();
        let mut monitor = ConflictMonitor::new(Arc::clone(controller), Ds::from_s(1));
        let seen = (0..seconds).map(|s| {
            let now = begin + Ds::from_s(s as u32);
            let shows = heads.show(&plan, now, &|g| demand(s, g)).to_vec();
            monitor.look(now, &shows);
            controller.program.stages().position(|stage| stage.shows == shows)
        });
        let seen = seen.collect();
        assert_eq!(monitor.first_violation(), None);
        seen
    }

    /// The stage each second has in the plan itself.
    fn planned(controller: &Controller, seconds: i64) -> Vec<Option<usize>> {
        let plan = controller.time_of_day_plan();
        let at = |s: i64| {
            let position = plan.position_at(TimeDs(0) + plan.offset + Ds::from_s(s as u32));
            let shows: Vec<Indication> = (0..controller.groups.len())
                .map(|g| plan.indication(GroupId::at(g), &controller.groups[g], position))
                .collect();
            controller.program.stages().position(|stage| stage.shows == shows)
        };
        (0..seconds).map(at).collect()
    }

    #[test]
    fn with_demand_everywhere_the_plan_is_run() {
        for controller in [sample::permissive_cross(), sample::eight_stages(), crate::field::sample::controller()] {
            let controller = Arc::new(controller);
            assert_eq!(run(&controller, 500, |_, _| true), planned(&controller, 500), "{}", controller.name);
        }
    }

    #[test]
    fn without_demand_the_coordinated_stage_begins_early_and_ends_on_time() {
        // 20 s of main, 5 s between, 15 s of side, 5 s between.
        let controller = Arc::new(crate::field::sample::controller());
        let seen = run(&controller, 180, |_, _| false);
        let main: Vec<i64> = (0..180).filter(|s| seen[*s as usize] == Some(0)).collect();
        // The side's 5 s are its shortest: main is back at 35 s instead of 45 s, and leaves at 65 s as in the plan.
        let expected: Vec<i64> = (0..20).chain(35..65).chain(80..110).chain(125..155).chain(170..180).collect();
        assert_eq!(main, expected);
    }

    proptest! {
        #[test]
        fn no_green_lasts_past_its_force_off(seed in 0_u64..10_000) {
            let controller = Arc::new(sample::eight_stages());
            let asks = |s: i64, g: GroupId| {
                let mut chance = crate::random::SplitMix64(seed ^ (s as u64 / 3) << 8 ^ u64::from(g.0));
                chance.below(3) == 0
            };
            let seen = run(&controller, 600, asks);
            let plan = planned(&controller, 600);
            // Wherever the plan has just ended a stage, nobody shows that stage any more.
            for s in 1..600 {
                if let Some(stage) = plan[s - 1]
                    && plan[s] != Some(stage)
                {
                    prop_assert_ne!(seen[s], Some(stage), "second {}", s);
                }
            }
            // And the coordinated stage ends exactly there.
            for s in 1..600 {
                if plan[s - 1] == Some(0) && plan[s] != Some(0) {
                    prop_assert_eq!(seen[s - 1], Some(0), "second {}", s);
                }
            }
        }
    }
}
