//! One plan before the validator, with everything it is judged by.

use greenkerb_models::signal::{Controller, PlanView, TimingPlan};
use greenkerb_models::units::Ds;

use super::policy::Policy;

/// A plan that has passed rule 1 and has a cycle.
pub(super) struct Case<'a> {
    pub(super) controller: &'a Controller,
    pub(super) policy: &'a Policy,
    pub(super) plan: &'a TimingPlan,
    /// The plan that the database makes of the view; `None` where it makes none.
    pub(super) recompiled: Option<TimingPlan>,
}

impl<'a> Case<'a> {
    pub(super) fn new(controller: &'a Controller, policy: &'a Policy, plan: &'a TimingPlan) -> Self {
        Self { controller, policy, plan, recompiled: recompile(controller, plan) }
    }
}

fn recompile(controller: &Controller, plan: &TimingPlan) -> Option<TimingPlan> {
    let groups = &controller.groups;
    match &plan.view {
        PlanView::Stages { splits } => {
            let greens: Vec<Ds> = splits.iter().map(|s| s.green).collect();
            controller.program.compile(groups, &controller.conflicts, &greens, plan.offset).ok()
        }
        PlanView::RingBarrier { splits } => {
            let rings = controller.ring_barrier.as_ref()?;
            rings.compile(groups.len(), splits, plan.offset, plan.reference).ok()
        }
    }
}
