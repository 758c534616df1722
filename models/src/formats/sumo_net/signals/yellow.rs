//! Yellow: as long as the program shows it, and never beside a conflicting green.

use super::draft::{Draft, DraftStep};
use super::relation::{Pair, Pairs};
use super::steps::{STAGE_MIN, is_stage};
use crate::formats::Notes;
use crate::formats::sumo_net::error::{Fault, Flaw};
use crate::signal::{GroupKind, Indication};
use crate::units::Ds;

/// Perception and reaction, deceleration, and bounds of yellow (ITE, "Guidelines for Determining Traffic Signal Change
/// and Clearance Intervals", 2020; MUTCD).
const REACTION_S: f64 = 1.0;
const DECELERATION_MPS2: f64 = 3.05;
const YELLOW_S_MIN: f64 = 3.0;
const YELLOW_S_MAX: f64 = 6.0;

/// Yellow by ITE's formula on level ground.
pub(super) fn formula(approach_mps: f64) -> Ds {
    let s = REACTION_S + approach_mps / (2.0 * DECELERATION_MPS2);
    Ds::from_seconds(s.clamp(YELLOW_S_MIN, YELLOW_S_MAX)).unwrap_or(Ds::from_s(6))
}

/// Yellow of each group: the longest its program shows after green, else by formula; zero for pedestrians.
pub(super) fn of_groups(draft: &Draft, notes: &mut Notes) -> Vec<Ds> {
    (0..draft.groups.len())
        .map(|g| {
            let group = &draft.groups[g];
            if group.kind == GroupKind::Pedestrian {
                return Ds::ZERO;
            }
            let shown = |run: &super::draft::Run| -> Ds {
                let after = draft.after(*run);
                let rest = (0..draft.steps.len() - run.count).map(|i| (after + i) % draft.steps.len());
                rest.map(|i| &draft.steps[i]).take_while(|s| s.shows[g] == Indication::Yellow).map(|s| s.length).sum()
            };
            let ends: Vec<Ds> = draft.green_runs(g).iter().filter(|r| r.count < draft.steps.len()).map(shown).collect();
            let longest = ends.iter().max().copied().unwrap_or(Ds::ZERO);
            if longest == Ds::ZERO {
                notes.add("yellow derived: 1.0 s + v / 6.1 m/s², 3 to 6 s (ITE, MUTCD)", draft.group_name(g));
                return formula(group.fastest_approach_mps());
            }
            if ends.iter().any(|y| *y < longest) {
                notes.add("yellow shown with several lengths taken as the longest", draft.group_name(g));
            }
            longest
        })
        .collect()
}

/// A green that ends too shortly before another begins.
struct TooClose {
    ending: usize,
    starting: usize,
    end_step: usize,
    start_step: usize,
    missing: Ds,
}

fn first_too_close(draft: &Draft, pairs: &Pairs, yellows: &[Ds]) -> Option<TooClose> {
    let n = draft.groups.len();
    for ending in (0..n).filter(|e| yellows[*e] > Ds::ZERO) {
        for starting in 0..n {
            let (ends, starts) = if starting == ending {
                let own = draft.green_runs(ending);
                if own.iter().any(|r| r.count == draft.steps.len()) { continue } else { (own.clone(), own) }
            } else {
                pairs.greens(draft, ending, starting)
            };
            for e in &ends {
                for s in &starts {
                    let end_step = draft.after(*e);
                    let gap: Ds = draft.between(end_step, s.start).map(|i| draft.steps[i].length).sum();
                    // Protected green that turns permissive has no yellow of its own and waits for nobody.
                    let goes_on = draft.steps[end_step].shows[ending].is_green();
                    if gap < yellows[ending] && !goes_on {
                        let missing = yellows[ending] - gap;
                        return Some(TooClose { ending, starting, end_step, start_step: s.start, missing });
                    }
                }
            }
        }
    }
    None
}

/// Makes room where a green begins before the yellow of a conflicting one is over. What is shown during yellow is
/// changed first; only then are clearances lengthened, at the expense of the stage before them.
pub(super) fn make_room(draft: &mut Draft, pairs: &Pairs, yellows: &[Ds], notes: &mut Notes) -> Result<(), Fault> {
    let rounds = 4 * draft.groups.len() * draft.groups.len() + 16;
    for _ in 0..rounds {
        let Some(close) = first_too_close(draft, pairs, yellows) else { return Ok(()) };
        if !delay(draft, pairs, &close, notes) {
            lengthen(draft, &close, notes)?;
        }
    }
    match first_too_close(draft, pairs, yellows) {
        Some(close) => Err(no_room(draft, &close)),
        None => Ok(()),
    }
}

fn no_room(draft: &Draft, close: &TooClose) -> Fault {
    let n = draft.steps.len();
    draft.at.fault(Flaw::NoRoomForYellow {
        from: draft.steps[(close.end_step + n - 1) % n].phase,
        to: draft.steps[close.start_step].phase,
        needed_s: close.missing.seconds(),
    })
}

/// Lets the starting green wait until a step that shows yellow is over, if it goes on after it.
fn delay(draft: &mut Draft, pairs: &Pairs, close: &TooClose, notes: &mut Notes) -> bool {
    let (g, i) = (close.starting, close.start_step);
    let next = (i + 1) % draft.steps.len();
    let yields = pairs.get(close.ending, g) == Pair::YieldedTo;
    let goes_on = if yields {
        draft.steps[next].shows[g] == Indication::Protected
    } else {
        draft.steps[next].shows[g].is_green()
    };
    if is_stage(draft, i) || !goes_on {
        return false;
    }
    draft.steps[i].shows[g] = if yields {
        notes.add(
            "protected green shown beside the yellow of a stream it conflicts with made permissive",
            draft.group_name(g),
        );
        Indication::Permissive
    } else {
        notes.add(
            "green shown beside the yellow of a conflicting stream made red until it is over",
            draft.group_name(g),
        );
        Indication::Red
    };
    true
}

/// Lengthens the clearance before the starting green, or puts one there.
fn lengthen(draft: &mut Draft, close: &TooClose, notes: &mut Notes) -> Result<(), Fault> {
    let n = draft.steps.len();
    let clearance = draft.between(close.end_step, close.start_step).filter(|i| !is_stage(draft, *i)).last();
    let before = clearance.unwrap_or(close.start_step);
    let donor = (1..=n).map(|k| (before + n - k) % n).find(|i| is_stage(draft, *i));
    let spare = |i: usize| {
        let step = &draft.steps[i];
        step.length.saturating_sub(step.stated_min.unwrap_or(STAGE_MIN))
    };
    let Some(donor) = donor.filter(|d| spare(*d) >= close.missing) else {
        return Err(no_room(draft, close));
    };
    draft.steps[donor].length = draft.steps[donor].length - close.missing;
    match clearance {
        Some(i) => {
            notes.add("clearance lengthened to the yellow of its groups, the stage before it shortened", &draft.at.id);
            draft.steps[i].length += close.missing;
        }
        None => {
            notes.add("clearance with yellow put between two stages, the first shortened", &draft.at.id);
            let last = &draft.steps[(close.start_step + n - 1) % n];
            let first = &draft.steps[close.start_step];
            let shows = (0..draft.groups.len())
                .map(|g| match (last.shows[g], first.shows[g]) {
                    (a, b) if a.is_green() && b.is_green() => a,
                    (a, _) if a.is_green() && draft.groups[g].kind == GroupKind::Vehicle => Indication::Yellow,
                    (Indication::StopThenGo, _) => Indication::StopThenGo,
                    _ if draft.groups[g].turn_on_red => Indication::StopThenGo,
                    _ => Indication::Red,
                })
                .collect();
            let step = DraftStep { length: close.missing, stated_min: None, phase: last.phase, shows };
            draft.steps.insert(close.start_step, step);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yellow_follows_ite_within_its_bounds() {
        // 50 km/h: 1 + 13.89 / 6.1 = 3.28 s.
        assert_eq!(formula(50.0 / 3.6), Ds(33));
        assert_eq!(formula(5.0), Ds(30));
        assert_eq!(formula(60.0), Ds(60));
    }
}
