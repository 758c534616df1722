//! Rule 6: every time in the plan is a multiple of the smallest step that the controller resolves.

use greenkerb_models::signal::PlanView;
use greenkerb_models::units::Ds;

use super::case::Case;
use super::refusal::Refusal;

/// Judges every time in the plan.
pub(super) fn judge(case: &Case<'_>, refusals: &mut Vec<Refusal>) {
    let (plan, resolution) = (case.plan, case.controller.limits.resolution);
    let mut keep = |what: &'static str, value: Ds| {
        if resolution.0 == 0 || !value.0.is_multiple_of(resolution.0) {
            refusals.push(Refusal::Resolution { what, value, resolution });
        }
    };
    keep("the cycle", plan.cycle);
    keep("the offset", plan.offset);
    keep("the reference point", plan.reference_position);
    for green in plan.greens.iter().flatten() {
        keep("the start of a green", green.start);
        keep("the length of a green", green.length);
    }
    match &plan.view {
        PlanView::Stages { splits } => splits.iter().for_each(|s| keep("a split", s.green)),
        PlanView::RingBarrier { splits } => splits.iter().for_each(|s| keep("a split", s.1)),
    }
}
