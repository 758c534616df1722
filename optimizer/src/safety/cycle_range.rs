//! Rule 4: the cycle lies within policy, the controller's own limits, and 255 s (NTCIP 1202: one octet of seconds).

use greenkerb_models::units::Ds;

use super::case::Case;
use super::refusal::Refusal;

/// Longest cycle that NTCIP 1202 can state.
const CYCLE_MAX: Ds = Ds::from_s(255);

/// Judges the cycle. A cycle of zero is below any range, whatever the limits say.
pub(super) fn judge(case: &Case<'_>, refusals: &mut Vec<Refusal>) {
    let limits = &case.controller.limits;
    let min = limits.cycle_min.max(case.policy.cycle_min).max(Ds(1));
    let max = limits.cycle_max.min(case.policy.cycle_max).min(CYCLE_MAX);
    let cycle = case.plan.cycle;
    if cycle < min || cycle > max {
        refusals.push(Refusal::Cycle { cycle, min, max });
    }
}
