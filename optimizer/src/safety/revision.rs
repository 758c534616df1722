//! Rule 17: revisions strictly rise and the same revision means the same bytes; a plan takes over at a cycle start of the
//! plan that is running then, in the future, and is in step before it runs out.

use greenkerb_models::plan::PublishedPlan;
use greenkerb_models::units::TimeDs;

use super::refusal::Refusal;
use super::running::Running;

/// Instants further than this from 1970 (some 3,000 years) are no instants of this service; within it, no sum of an
/// instant and a few cycles overflows.
const INSTANT_DS_MAX: i64 = 1_000_000_000_000;

/// Judges the instants by themselves.
pub(super) fn judge_instants(plan: &PublishedPlan, refusals: &mut Vec<Refusal>) {
    let instants =
        [("computed_at", plan.computed_at), ("valid_from", plan.valid_from), ("valid_until", plan.valid_until)];
    for (what, TimeDs(at_ds)) in instants {
        if at_ds.unsigned_abs() > INSTANT_DS_MAX.unsigned_abs() {
            refusals.push(Refusal::Instant { what, at_ds });
        }
    }
    if plan.valid_until <= plan.valid_from {
        refusals.push(Refusal::Validity { valid_until: plan.valid_until, in_step: plan.valid_from });
    }
}

/// Judges number and bytes against the last publication. True when the candidate is that very publication again.
pub(super) fn judge_number(plan: &PublishedPlan, last: &PublishedPlan, refusals: &mut Vec<Refusal>) -> bool {
    let again = plan.revision == last.revision && plan == last;
    if plan.revision <= last.revision && !again {
        refusals.push(Refusal::Revision { given: plan.revision.0, last: last.revision.0 });
    }
    again
}

/// Judges that the plan takes over later than now.
pub(super) fn judge_future(plan: &PublishedPlan, now: TimeDs, refusals: &mut Vec<Refusal>) {
    let valid_from = plan.valid_from;
    if valid_from <= now {
        refusals.push(Refusal::NotInFuture { valid_from, now });
    }
}

/// Judges that the plan takes over at a cycle start of a plan that is in step.
pub(super) fn judge_boundary(plan: &PublishedPlan, running: &Running<'_>, refusals: &mut Vec<Refusal>) {
    let valid_from = plan.valid_from;
    if valid_from < running.settled {
        refusals.push(Refusal::Unsettled { until: running.settled, valid_from });
        return;
    }
    let position = running.plan.position_at(valid_from);
    if position.0 != 0 {
        refusals.push(Refusal::NotAtCycleStart { valid_from, position });
    }
}
