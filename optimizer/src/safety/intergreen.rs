//! Rule 9: no two conflicting groups are green together, and the intergreen passes between them, across the cycle wrap
//! too. Conflict is symmetric, intergreens may differ by direction.
//!
//! The intergreen that counts is the matrix's, and never less than the yellow and the pedestrian clearance of the group
//! that ends. Where one group may yield to the other, its *protected* greens conflict with the other's greens: a green
//! that turns from permissive to protected starts then, and one that turns from protected to permissive ends then (it
//! shows no yellow, so only the matrix's intergreen is asked).

use greenkerb_models::ids::GroupId;
use greenkerb_models::signal::{Controller, Relation};
use greenkerb_models::units::Ds;

use super::course::{Course, Span};
use super::refusal::Refusal;

/// Judges every pair of groups in both directions.
pub(super) fn judge(controller: &Controller, course: &Course, refusals: &mut Vec<Refusal>) {
    for ending in controller.group_ids() {
        for starting in controller.group_ids().filter(|s| *s != ending) {
            judge_pair(controller, course, (ending, starting), refusals);
        }
    }
}

fn judge_pair(
    controller: &Controller,
    course: &Course,
    (ending, starting): (GroupId, GroupId),
    refusals: &mut Vec<Refusal>,
) {
    let (ends, starts, intergreen): (Vec<Span>, Vec<Span>, Ds) = match controller.conflicts.get(ending, starting) {
        Relation::Compatible => return,
        Relation::Conflict { intergreen } => {
            (course.greens(ending).to_vec(), course.greens(starting).to_vec(), intergreen)
        }
        Relation::Permitted { yields: true, intergreen } => {
            (course.protected(ending), course.greens(starting).to_vec(), intergreen)
        }
        Relation::Permitted { yields: false, intergreen } => match controller.conflicts.get(starting, ending) {
            Relation::Permitted { yields: true, .. } => {
                (course.greens(ending).to_vec(), course.protected(starting), intergreen)
            }
            _ => return,
        },
    };
    let names = || (controller.group(ending).name.clone(), controller.group(starting).name.clone());
    // Both directions see an overlap; it is told once.
    if ending < starting
        && let Some(at_ds) = first_overlap(&ends, &starts)
    {
        let (a, b) = names();
        refusals.push(Refusal::Conflict { a, b, at_ds });
    }
    let heads = controller.group(ending);
    for end in &ends {
        let Some(start) = starts.iter().map(|s| s.start).find(|s| *s >= end.end) else { continue };
        let runs_on = course.greens(ending).iter().any(|g| g.start < end.end && end.end < g.end);
        let own = if runs_on { Ds::ZERO } else { heads.yellow.max(heads.clearance) };
        let (gap_ds, needed_ds) = (start - end.end, i64::from(intergreen.max(own).0));
        if gap_ds < needed_ds {
            let (ending, starting) = names();
            refusals.push(Refusal::Intergreen { ending, starting, at_ds: end.end, gap_ds, needed_ds });
            return;
        }
    }
}

fn first_overlap(a: &[Span], b: &[Span]) -> Option<i64> {
    let (mut i, mut j) = (0, 0);
    while let (Some(x), Some(y)) = (a.get(i), b.get(j)) {
        let (start, end) = (x.start.max(y.start), x.end.min(y.end));
        if start < end {
            return Some(start);
        }
        if x.end <= y.end { i += 1 } else { j += 1 }
    }
    None
}
