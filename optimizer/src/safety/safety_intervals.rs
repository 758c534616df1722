//! Rule 7: yellow, all-red, clearance and the order of the stages are byte for byte those of the controller's database.
//!
//! A plan holds no such times of its own: they are the gaps between its greens. So the greens are made again from the
//! splits and the database, and have to come out the same.

use super::case::Case;
use super::refusal::Refusal;

/// Compares the plan's greens with those the database makes of its splits.
pub(super) fn judge(case: &Case<'_>, refusals: &mut Vec<Refusal>) {
    let groups = &case.controller.groups;
    let differs = match &case.recompiled {
        Some(made) => {
            groups.iter().zip(made.greens.iter().zip(&case.plan.greens)).find(|(_, (a, b))| a != b).map(|x| x.0)
        }
        // The splits make no plan at all; other rules have said why, this one must not pass it either.
        None => groups.first(),
    };
    if let Some(group) = differs {
        refusals.push(Refusal::SafetyIntervals { group: group.name.clone() });
    }
}
