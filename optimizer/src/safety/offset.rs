//! Rule 5: `0 ≤ offset < cycle`, and the offset points at what it says it points at. The same number means instants tens
//! of seconds apart for a TS2 and for a type 170 controller.

use super::case::Case;
use super::refusal::Refusal;

/// Judges the offset and its reference point.
pub(super) fn judge(case: &Case<'_>, refusals: &mut Vec<Refusal>) {
    let plan = case.plan;
    if plan.offset >= plan.cycle {
        refusals.push(Refusal::Offset { offset: plan.offset, cycle: plan.cycle });
    }
    if let Some(expected) = &case.recompiled
        && (expected.reference, expected.reference_position) != (plan.reference, plan.reference_position)
    {
        refusals
            .push(Refusal::ReferencePoint { given: plan.reference_position, expected: expected.reference_position });
    }
}
