//! Rule 12: no yellow trap. A driver who waits in a permissive green sees yellow, believes that the oncoming stream sees
//! yellow too, and turns; if the oncoming stream is still green, the two meet (FHWA, Signal Timing Manual, 2nd ed.,
//! ch. 4 on permissive lead-lag turns).
//!
//! Refused: the permissive green of a vehicle group ends (it does not go on as a protected one) at a moment at which a
//! vehicle group that it yields to is green and stays green. Whether the group is served again later does not matter,
//! the driver has turned by then. Not refused, because the belief is right: both end together; the oncoming stream ends
//! earlier and the turn goes on, protected or not (early cut-off, lagging turn); the oncoming stream starts later
//! (late start, leading turn). Walkers are no oncoming stream: nobody takes a yellow for their signal.

use greenkerb_models::signal::{Controller, GroupKind, Relation};

use super::course::Course;
use super::refusal::Refusal;

/// Judges every permissive green that ends within the course.
pub(super) fn judge(controller: &Controller, course: &Course, refusals: &mut Vec<Refusal>) {
    let vehicles = || controller.group_ids().filter(|g| controller.group(*g).kind == GroupKind::Vehicle);
    for turning in vehicles() {
        let ends: Vec<i64> = course
            .parts(turning)
            .iter()
            .filter(|p| !p.protected && p.end < course.length())
            .map(|p| p.end)
            .filter(|end| !course.parts(turning).iter().any(|p| p.start == *end))
            .collect();
        if ends.is_empty() {
            continue;
        }
        let yields_to = |o| matches!(controller.conflicts.get(turning, o), Relation::Permitted { yields: true, .. });
        for opposing in vehicles().filter(|o| yields_to(*o)) {
            let trap = ends.iter().find_map(|end| {
                let runs_on = course.greens(opposing).iter().find(|g| g.start <= *end && *end < g.end)?;
                Some((*end, runs_on.end))
            });
            if let Some((at_ds, until_ds)) = trap {
                refusals.push(Refusal::YellowTrap {
                    turning: controller.group(turning).name.clone(),
                    opposing: controller.group(opposing).name.clone(),
                    at_ds,
                    until_ds,
                });
            }
        }
    }
}
