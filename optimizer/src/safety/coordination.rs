//! Rule 3: one coordinated phase a ring, all on the same side of the barrier, none omitted.

use greenkerb_models::signal::PlanView;

use super::case::Case;
use super::refusal::Refusal;

/// Judges the coordinated phases of a plan of rings and barriers; stages have none.
pub(super) fn judge(case: &Case<'_>, refusals: &mut Vec<Refusal>) {
    let PlanView::RingBarrier { .. } = &case.plan.view else { return };
    let Some(rings) = &case.controller.ring_barrier else { return };
    let phases = &rings.coordinated;
    let ring_count = rings.barrier_groups.iter().map(|b| b.rings.len()).max().unwrap_or(0);
    let mut refuse = |reason| refusals.push(Refusal::Coordination { phases: phases.clone(), reason });
    // Where each coordinated phase stands: barrier group and ring.
    let places: Vec<Option<(usize, usize)>> = phases
        .iter()
        .map(|number| {
            rings.barrier_groups.iter().enumerate().find_map(|(b, between)| {
                let ring = between.rings.iter().position(|r| r.iter().any(|p| p.phase == *number && !p.omitted))?;
                Some((b, ring))
            })
        })
        .collect();
    if places.iter().any(Option::is_none) {
        return refuse("one is omitted or in no ring");
    }
    let places: Vec<(usize, usize)> = places.into_iter().flatten().collect();
    if (0..ring_count).any(|ring| places.iter().filter(|p| p.1 == ring).count() != 1) || places.len() != ring_count {
        return refuse("there must be one in each ring");
    }
    if places.iter().any(|p| p.0 != places[0].0) {
        refuse("they are on different sides of a barrier");
    }
}
