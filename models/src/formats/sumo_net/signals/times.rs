//! Safety times of groups and intergreens of pairs.
//!
//! Where the program shows a time, that is the time. Where it does not, the time is derived, but never beyond what the
//! program itself may show with every stage at its minimum: the controller's own program is legal by definition.

use super::draft::{Draft, Run};
use super::relation::{Pair, Pairs};
use super::steps::{Minimums, clearance_needed};
use crate::formats::Notes;
use crate::formats::sumo_net::nema::Rings;
use crate::ids::GroupId;
use crate::signal::{ConflictMatrix, GroupKind, Indication, Relation, SignalGroup};
use crate::units::Ds;

/// Shortest green of vehicles.
const VEHICLE_GREEN_MIN: Ds = Ds::from_s(5);
/// Shortest walk (MUTCD: 7 s; 4 s where policy allows).
const WALK_MIN: Ds = Ds::from_s(7);
/// Shortest red between two greens of a group (red revert, NTCIP 1202, common setting).
const RED_MIN: Ds = Ds::from_s(2);
/// Longest red while there is demand, unless the file's own plan has a longer one.
const RED_MAX: Ds = Ds::from_s(120);
/// Length of a vehicle and longest all-red in ITE's formula.
const VEHICLE_LENGTH_M: f64 = 6.1;
const ALL_RED_S_MAX: f64 = 6.0;

/// Lengths of all steps under one choice of stage lengths.
struct Lengths(Vec<Ds>);

impl Lengths {
    fn shipped(draft: &Draft) -> Self {
        Self(draft.steps.iter().map(|s| s.length).collect())
    }

    fn shortest(draft: &Draft, minimums: &Minimums) -> Self {
        Self(draft.steps.iter().zip(minimums).map(|(s, min)| min.unwrap_or(s.length)).collect())
    }

    fn of(&self, steps: impl Iterator<Item = usize>) -> Ds {
        steps.map(|i| self.0[i]).sum()
    }
}

fn all_red(way_m: f64, approach_mps: f64) -> Ds {
    let s = if approach_mps > 0.0 { (way_m + VEHICLE_LENGTH_M) / approach_mps } else { ALL_RED_S_MAX };
    Ds::from_seconds((s.min(ALL_RED_S_MAX) * 10.0).ceil() / 10.0).unwrap_or(Ds::from_s(6))
}

/// Times between consecutive greens of one group.
fn own_gaps(draft: &Draft, g: usize, lengths: &Lengths) -> Vec<Ds> {
    let runs = draft.green_runs(g);
    let bounded = runs.iter().filter(|r| r.count < draft.steps.len());
    bounded
        .map(|r| {
            let next = runs.iter().map(|s| draft.between(draft.after(*r), s.start)).min_by_key(Iterator::size_hint);
            next.map_or(Ds::ZERO, |steps| lengths.of(steps))
        })
        .collect()
}

/// Builds the groups and lifts stage minimums until every group's shortest green fits into them.
pub(super) fn groups(
    draft: &Draft,
    pairs: &Pairs,
    yellows: &[Ds],
    minimums: &mut Minimums,
    rings: Option<&Rings>,
    notes: &mut Notes,
) -> Vec<SignalGroup> {
    let shipped = Lengths::shipped(draft);
    let min_greens: Vec<Ds> = (0..draft.groups.len())
        .map(|g| {
            let pedestrian = draft.groups[g].kind == GroupKind::Pedestrian;
            let stated = rings.and_then(|r| draft.groups[g].indices.iter().filter_map(|i| r.min_green(*i)).min());
            let usual = if let Some(stated) = stated.filter(|_| !pedestrian) {
                stated
            } else if pedestrian {
                notes.add("shortest walk taken as 7 s (MUTCD)", draft.group_name(g));
                WALK_MIN
            } else {
                notes.add("shortest green of a vehicle group taken as 5 s", draft.group_name(g));
                VEHICLE_GREEN_MIN
            };
            let shown = draft.green_runs(g).into_iter().map(|r| shipped.of(draft.steps_of(r))).min();
            let shown = shown.unwrap_or(usual);
            if shown < usual {
                notes.add("shortest green limited to the shortest the file's plan shows", draft.group_name(g));
            }
            usual.min(shown)
        })
        .collect();
    for (g, min_green) in min_greens.iter().enumerate() {
        for run in draft.green_runs(g) {
            lift(draft, run, *min_green, minimums);
        }
    }
    let shortest = Lengths::shortest(draft, minimums);
    (0..draft.groups.len())
        .map(|g| {
            let group = &draft.groups[g];
            let yellow = yellows[g];
            let own_gap = own_gaps(draft, g, &shortest).into_iter().min();
            let red_amber = red_amber(draft, g).min(own_gap.unwrap_or(Ds::ZERO).saturating_sub(yellow));
            let clearance = pedestrian_clearance(draft, pairs, g, own_gap, &shortest, notes);
            let own_red = own_gap.map(|gap| gap.saturating_sub(yellow + red_amber + clearance));
            let longest_red = own_gaps(draft, g, &shipped).into_iter().max().unwrap_or(Ds::ZERO);
            let (connections, crossings) = obeying(draft, g);
            SignalGroup {
                name: group.name(),
                kind: group.kind,
                connections,
                crossings,
                link_indices: group.indices.clone(),
                min_green: min_greens[g],
                yellow,
                red_amber,
                clearance,
                min_red: own_red.unwrap_or(RED_MIN).min(RED_MIN),
                max_red: longest_red.max(RED_MAX),
                turn_on_red: group.turn_on_red,
            }
        })
        .collect()
}

fn obeying(draft: &Draft, g: usize) -> (Vec<crate::ids::ConnectionId>, Vec<crate::ids::CrossingId>) {
    use super::draft::Obeys;
    let heads = &draft.groups[g].heads;
    let connections = heads.iter().filter_map(|h| match h.obeys {
        Obeys::Connection(c) => Some(c),
        Obeys::Crossing(_) => None,
    });
    let crossings = heads.iter().filter_map(|h| match h.obeys {
        Obeys::Crossing(c) => Some(c),
        Obeys::Connection(_) => None,
    });
    let mut crossings: Vec<_> = crossings.collect();
    crossings.sort_unstable();
    crossings.dedup();
    (connections.collect(), crossings)
}

/// Raises minimums of the stages in a run, first to last, until the run lasts `needed` with every stage at its minimum.
fn lift(draft: &Draft, run: Run, needed: Ds, minimums: &mut Minimums) {
    let now = Lengths::shortest(draft, minimums).of(draft.steps_of(run));
    let mut missing = needed.saturating_sub(now);
    for i in draft.steps_of(run) {
        if let Some(min) = &mut minimums[i] {
            let more = draft.steps[i].length.saturating_sub(*min).min(missing);
            *min += more;
            missing = missing - more;
        }
    }
}

fn red_amber(draft: &Draft, g: usize) -> Ds {
    let n = draft.steps.len();
    let shown = |run: &Run| -> Ds {
        (1..=n - run.count)
            .map(|k| &draft.steps[(run.start + n - k) % n])
            .take_while(|s| s.shows[g] == Indication::RedAmber)
            .map(|s| s.length)
            .sum()
    };
    draft.green_runs(g).iter().map(shown).max().unwrap_or(Ds::ZERO)
}

fn pedestrian_clearance(
    draft: &Draft,
    pairs: &Pairs,
    g: usize,
    own_gap: Option<Ds>,
    shortest: &Lengths,
    notes: &mut Notes,
) -> Ds {
    let group = &draft.groups[g];
    if group.kind != GroupKind::Pedestrian {
        return Ds::ZERO;
    }
    notes.add("pedestrian clearance derived: length of the crossing / 1.07 m/s (MUTCD)", draft.group_name(g));
    let needed = clearance_needed(group.longest_way_m());
    let others = 0..draft.groups.len();
    let shown = others.filter_map(|s| shortest_gap(draft, pairs, g, s, shortest)).chain(own_gap).min();
    match shown {
        Some(shown) if shown < needed => {
            notes.add("pedestrian clearance limited to what the file's program shows", draft.group_name(g));
            shown
        }
        _ => needed,
    }
}

/// Shortest time from the end of a green of `ending` to the start of one of `starting`.
fn shortest_gap(draft: &Draft, pairs: &Pairs, ending: usize, starting: usize, lengths: &Lengths) -> Option<Ds> {
    let (ends, starts) = pairs.greens(draft, ending, starting);
    let gaps = ends.iter().flat_map(|e| starts.iter().map(move |s| (draft.after(*e), s.start)));
    gaps.map(|(from, to)| lengths.of(draft.between(from, to))).min()
}

/// Shortest time from one green to the other where only clearances lie between: the program states it.
fn stated_gap(draft: &Draft, pairs: &Pairs, minimums: &Minimums, ending: usize, starting: usize) -> Option<Ds> {
    let shipped = Lengths::shipped(draft);
    let (ends, starts) = pairs.greens(draft, ending, starting);
    let gaps = ends.iter().flat_map(|e| starts.iter().map(move |s| (draft.after(*e), s.start)));
    let stated = gaps.filter(|(from, to)| draft.between(*from, *to).all(|i| minimums[i].is_none()));
    stated.map(|(from, to)| shipped.of(draft.between(from, to))).min()
}

/// The conflict matrix with all intergreens.
pub(super) fn conflicts(
    draft: &Draft,
    pairs: &Pairs,
    groups: &[SignalGroup],
    minimums: &Minimums,
    notes: &mut Notes,
) -> ConflictMatrix {
    let n = groups.len();
    let shortest = Lengths::shortest(draft, minimums);
    let mut matrix = ConflictMatrix::compatible(n);
    for (e, ending) in groups.iter().enumerate() {
        for s in 0..n {
            let pair = pairs.get(e, s);
            if pair == Pair::Apart {
                continue;
            }
            let name = || format!("{} -> {}", draft.group_name(e), draft.groups[s].name());
            let intergreen = if pair == Pair::Together {
                Ds::ZERO
            } else if let Some(stated) = stated_gap(draft, pairs, minimums, e, s) {
                if stated < ending.yellow {
                    notes.add(
                        "protected green that turns permissive as the other stream starts, as the file shows",
                        name(),
                    );
                }
                stated
            } else {
                let own = &draft.groups[e];
                let derived = if own.kind == GroupKind::Pedestrian {
                    notes.add("intergreen after pedestrians derived: their clearance", name());
                    ending.clearance
                } else {
                    notes.add(
                        "intergreen not shown by the program derived: yellow + (way across + 6.1 m) / approach speed, at \
                         most 6 s of all-red (ITE)",
                        name(),
                    );
                    ending.yellow + all_red(own.longest_way_m(), own.fastest_approach_mps())
                };
                let shown = shortest_gap(draft, pairs, e, s, &shortest).unwrap_or(derived);
                if shown < derived {
                    notes.add(
                        "derived intergreen limited to what the program shows with its stages at their minimum",
                        name(),
                    );
                }
                derived.min(shown)
            };
            let relation = match pair {
                Pair::Conflict => Relation::Conflict { intergreen },
                _ => Relation::Permitted { yields: pair == Pair::Yields, intergreen },
            };
            matrix.set(GroupId::at(e), GroupId::at(s), relation);
        }
    }
    matrix
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_red_follows_ite() {
        // 20 m across at 13.9 m/s: 26.1 / 13.9 = 1.88 s.
        assert_eq!(all_red(20.0, 13.9), Ds(19));
        assert_eq!(all_red(200.0, 5.0), Ds(60));
        assert_eq!(all_red(10.0, 0.0), Ds(60));
    }
}
