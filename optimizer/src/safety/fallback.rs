//! Rule 21: the fallback is the controller's own time-of-day plan, it passes the same rules, and there is a way back to it.

use greenkerb_models::plan::PublishedPlan;
use greenkerb_models::signal::Controller;

use super::policy::Policy;
use super::refusal::Refusal;

/// Judges the fallback as any other plan. The way back is rule 15's.
pub(super) fn judge(controller: &Controller, policy: &Policy, plan: &PublishedPlan, refusals: &mut Vec<Refusal>) {
    if plan.fallback.plan != controller.time_of_day_plan() {
        refusals.push(Refusal::OtherFallback);
    }
    let broken = super::judge_plan(&plan.fallback.plan, controller, policy);
    refusals.extend(broken.into_iter().map(|broken| Refusal::Fallback { broken: Box::new(broken) }));
}
