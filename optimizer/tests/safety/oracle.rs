//! Rules 9 to 12 decided by walking the cycle decisecond by decisecond, from indications alone. Nothing is shared with
//! the validator.

use greenkerb_models::ids::GroupId;
use greenkerb_models::signal::{Controller, GroupKind, Protection, Relation, TimingPlan};

use crate::sample::Walk;

/// Rules that a plan breaks, of 9, 10, 11 and 12, where the policy lets nobody wait longer than `red_ds_max`.
pub(crate) fn broken(plan: &TimingPlan, controller: &Controller, red_ds_max: u32) -> Vec<u8> {
    broken_along(&Walk::of(plan), controller, red_ds_max)
}

/// The same for several cycles on end.
pub(crate) fn broken_along(walk: &Walk, controller: &Controller, red_ds_max: u32) -> Vec<u8> {
    let shipped = Walk::of(&controller.time_of_day_plan());
    let n = controller.groups.len();
    let mut rules = Vec::new();
    if (0..n).any(|a| (0..n).any(|b| a != b && clash(walk, controller, a, b))) {
        rules.push(9);
    }
    if (0..n).any(|g| wrong_length(walk, controller, g)) {
        rules.push(10);
    }
    if (0..n).any(|g| starves(walk, &shipped, controller, g, red_ds_max)) {
        rules.push(11);
    }
    if (0..n).any(|a| (0..n).any(|b| a != b && traps(walk, controller, a, b))) {
        rules.push(12);
    }
    rules
}

/// Which states of the two groups exclude one another, and the intergreen from the first to the second.
fn exclusion(controller: &Controller, a: usize, b: usize) -> Option<(bool, bool, u32)> {
    let (forth, back) = (
        controller.conflicts.get(GroupId::at(a), GroupId::at(b)),
        controller.conflicts.get(GroupId::at(b), GroupId::at(a)),
    );
    match (forth, back) {
        (Relation::Conflict { intergreen }, _) => Some((false, false, intergreen.0)),
        (Relation::Permitted { yields: true, intergreen }, _) => Some((true, false, intergreen.0)),
        (Relation::Permitted { intergreen, .. }, Relation::Permitted { yields: true, .. }) => {
            Some((false, true, intergreen.0))
        }
        _ => None,
    }
}

fn counts(shown: Option<Protection>, only_protected: bool) -> bool {
    if only_protected { shown == Some(Protection::Protected) } else { shown.is_some() }
}

fn clash(walk: &Walk, controller: &Controller, a: usize, b: usize) -> bool {
    let Some((a_protected, b_protected, intergreen)) = exclusion(controller, a, b) else { return false };
    let cycle = walk.cycle();
    let heads = &controller.groups[a];
    walk.judged().any(|t| {
        let a_now = counts(walk.at(a, t), a_protected);
        let b_now = counts(walk.at(b, t), b_protected);
        if a_now && b_now {
            return true;
        }
        let ended = !a_now && counts(walk.at(a, t + cycle - 1), a_protected);
        if !ended {
            return false;
        }
        let own = if walk.at(a, t).is_some() { 0 } else { heads.yellow.0.max(heads.clearance.0) };
        let needed = intergreen.max(own) as usize;
        // Looking on, decisecond by decisecond: `b` may not start before the time has passed.
        (0..needed.min(cycle))
            .any(|d| counts(walk.at(b, t + d), b_protected) && !counts(walk.at(b, t + d + cycle - 1), b_protected))
    })
}

fn wrong_length(walk: &Walk, controller: &Controller, g: usize) -> bool {
    let heads = &controller.groups[g];
    let off = heads.yellow.0 + heads.clearance.0 + heads.min_red.0 + heads.red_amber.0;
    walk.runs(g, |s| s.is_some()).any(|run| run < heads.min_green.0)
        || (walk.shows[g].iter().any(Option::is_some) && walk.runs(g, |s| s.is_none()).any(|run| run < off))
}

fn starves(walk: &Walk, shipped: &Walk, controller: &Controller, g: usize, red_ds_max: u32) -> bool {
    let served = |w: &Walk| w.shows[g].iter().any(Option::is_some);
    let red = |w: &Walk| w.runs(g, |s| s.is_none()).max().unwrap_or(0);
    let max = controller.groups[g].max_red.0.min(red_ds_max).max(red(shipped));
    served(shipped) && (!served(walk) || red(walk) > max)
}

fn traps(walk: &Walk, controller: &Controller, turning: usize, opposing: usize) -> bool {
    let vehicles = |g: usize| controller.groups[g].kind == GroupKind::Vehicle;
    let relation = controller.conflicts.get(GroupId::at(turning), GroupId::at(opposing));
    if !matches!(relation, Relation::Permitted { yields: true, .. }) || !vehicles(turning) || !vehicles(opposing) {
        return false;
    }
    let cycle = walk.cycle();
    walk.judged().any(|t| {
        walk.at(turning, t + cycle - 1) == Some(Protection::Permissive)
            && walk.at(turning, t).is_none()
            && walk.at(opposing, t).is_some()
    })
}
