//! Which steps are stages, whose lengths are the optimizer's to choose, and which are clearances, which are not.

use super::draft::Draft;
use crate::formats::Notes;
use crate::formats::sumo_net::error::{Fault, Flaw};
use crate::signal::{GroupKind, Indication};
use crate::units::Ds;

/// Shortest stage where the file states none (shortest minimum green in common use: FHWA Signal Timing Manual, 2nd ed.,
/// exhibit 5-4, lists 5 s and more).
pub(super) const STAGE_MIN: Ds = Ds::from_s(5);
/// Longest cycle of a controller (NTCIP 1202: one byte of seconds).
pub(super) const CYCLE_MAX: Ds = Ds::from_s(255);
/// Pedestrians' walking speed for clearance (MUTCD: 3.5 ft/s).
pub(super) const WALKING_MPS: f64 = 1.07;
/// Shortest time kept between the end of pedestrian clearance and conflicting green (MUTCD's buffer interval).
const PEDESTRIAN_BUFFER_S: f64 = 3.0;

/// For each step: the shortest length of a stage, nothing for a clearance.
pub(super) type Minimums = Vec<Option<Ds>>;

/// Time pedestrians need to clear a way, rounded up.
pub(super) fn clearance_needed(way_m: f64) -> Ds {
    Ds::from_seconds((way_m / WALKING_MPS * 10.0).ceil() / 10.0).unwrap_or(CYCLE_MAX)
}

/// True when step `i` only lets pedestrians finish: the greens of the step before without those of some pedestrians,
/// and no longer than they need.
fn is_pedestrian_clearance(draft: &Draft, i: usize) -> bool {
    let n = draft.steps.len();
    let (before, step) = (&draft.steps[(i + n - 1) % n], &draft.steps[i]);
    let mut needed_s = None::<f64>;
    for (g, group) in draft.groups.iter().enumerate() {
        match (before.shows[g].is_green(), step.shows[g].is_green()) {
            (true, false) if group.kind == GroupKind::Pedestrian => {
                let s = clearance_needed(group.longest_way_m()).seconds() + PEDESTRIAN_BUFFER_S;
                needed_s = Some(needed_s.unwrap_or(0.0).max(s));
            }
            (was, is) if was != is => return false,
            _ => {}
        }
    }
    let free = step.stated_min.is_some_and(|min| min < step.length);
    !free && needed_s.is_some_and(|s| step.length.seconds() <= s)
}

/// True when step `i` is green for somebody and nothing in it is on its way from one indication to another.
pub(super) fn is_stage(draft: &Draft, i: usize) -> bool {
    let shows = &draft.steps[i].shows;
    shows.iter().any(|s| s.is_green())
        && !shows.iter().any(|s| matches!(s, Indication::Yellow | Indication::RedAmber))
        && !is_pedestrian_clearance(draft, i)
}

/// Sorts steps into stages and clearances and fits the cycle into what a controller can run.
pub(super) fn classify(draft: &mut Draft, notes: &mut Notes) -> Result<Minimums, Fault> {
    let minimums: Minimums = (0..draft.steps.len())
        .map(|i| {
            let step = &draft.steps[i];
            is_stage(draft, i).then(|| {
                let min = step.stated_min.filter(|m| *m > Ds::ZERO).unwrap_or_else(|| {
                    notes.add("shortest length of a stage taken as 5 s", draft.step_name(i));
                    STAGE_MIN
                });
                if min > step.length {
                    notes.add("shortest length of a stage limited to its length in the file", draft.step_name(i));
                }
                min.min(step.length)
            })
        })
        .collect();
    if minimums.iter().all(Option::is_none) {
        return Err(draft.at.fault(Flaw::NoStage));
    }
    fit_cycle(draft, &minimums, notes)?;
    Ok(minimums)
}

/// Sum of all steps, without overflow.
pub(super) fn cycle_ds(draft: &Draft) -> u64 {
    draft.steps.iter().map(|s| u64::from(s.length.0)).sum()
}

fn fit_cycle(draft: &mut Draft, minimums: &Minimums, notes: &mut Notes) -> Result<(), Fault> {
    let over = cycle_ds(draft).saturating_sub(u64::from(CYCLE_MAX.0));
    if over == 0 {
        return Ok(());
    }
    let slack: Vec<u64> = draft
        .steps
        .iter()
        .zip(minimums)
        .map(|(s, min)| min.map_or(0, |m| u64::from(s.length.saturating_sub(m).0)))
        .collect();
    let total: u64 = slack.iter().sum();
    if total < over {
        let shortest_s = (cycle_ds(draft) - total) as f64 / 10.0;
        return Err(draft.at.fault(Flaw::CycleTooLong { shortest_s }));
    }
    notes.add(
        "cycle above 255 s (NTCIP 1202) cut to it, stages in proportion to what they exceed their minimum by",
        &draft.at.id,
    );
    let mut left = over;
    for (step, slack) in draft.steps.iter_mut().zip(&slack) {
        // Rounded up, so that nothing is left when the last slack has been used; never more than the slack.
        let cut = (u128::from(over) * u128::from(*slack)).div_ceil(u128::from(total)) as u64;
        let cut = cut.min(left);
        step.length = step.length.saturating_sub(Ds(u32::try_from(cut).unwrap_or(u32::MAX)));
        left -= cut;
    }
    Ok(())
}
