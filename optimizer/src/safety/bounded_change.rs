//! Rule 14: cycle, splits and offset change by so much at once and no more, and not sooner after the last change than the
//! hold time. Drivers and walkers learn a signal; a jump also is what a lying detector or a broken solve looks like.

use greenkerb_models::plan::PlanDiff;
use greenkerb_models::signal::TimingPlan;
use greenkerb_models::units::Ds;

use super::policy::Policy;
use super::refusal::Refusal;

/// Judges the change from the plan that is in force to the one that follows it.
pub(super) fn judge(policy: &Policy, old: &TimingPlan, new: &TimingPlan, refusals: &mut Vec<Refusal>) {
    let diff = PlanDiff::between(old, new);
    let beyond = |change: i64, max: Ds| change.unsigned_abs() > u64::from(max.0);
    if beyond(diff.cycle_ds, policy.cycle_change_max) {
        refusals.push(Refusal::CycleChange { change_ds: diff.cycle_ds, max: policy.cycle_change_max });
    }
    if beyond(diff.offset_ds, policy.offset_change_max) {
        refusals.push(Refusal::OffsetChange { change_ds: diff.offset_ds, max: policy.offset_change_max });
    }
    // Views of different kinds have no splits in common; each group's green has.
    let green = |plan: &TimingPlan, g: usize| plan.greens[g].iter().map(|i| i64::from(i.length.0)).sum::<i64>();
    let same_kind = std::mem::discriminant(&old.view) == std::mem::discriminant(&new.view);
    let changes = if same_kind {
        diff.splits_ds
    } else {
        let groups = old.greens.len().min(new.greens.len());
        (0..groups).map(|g| green(new, g) - green(old, g)).collect()
    };
    for (index, change_ds) in changes.into_iter().enumerate() {
        if beyond(change_ds, policy.split_change_max) {
            refusals.push(Refusal::SplitChange { index, change_ds, max: policy.split_change_max });
        }
    }
}

/// Judges the time since the last activation of another plan.
pub(super) fn judge_hold(policy: &Policy, after_ds: i64, refusals: &mut Vec<Refusal>) {
    if after_ds < i64::from(policy.hold.0) {
        refusals.push(Refusal::Hold { after_ds, hold: policy.hold });
    }
}
