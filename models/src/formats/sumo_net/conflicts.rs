//! Where the ways through a node meet, and who gives way there.
//!
//! The matrices say which ways touch; the courses of the lanes inside the junction say where.

use std::collections::BTreeMap;

use super::connections::{Connections, Strand};
use super::raw::{EdgeKind, RawNet};
use super::right_of_way::Pair;
use super::streets::metres;
use crate::formats::Notes;
use crate::ids::{ConnectionId, CrossingId, LaneId};
use crate::network::{Conflict, Connection, CrossingConflict, Meeting, Polyline, Turn};

/// SUMO's width of a crossing that states none.
const CROSSING_WIDTH_DEFAULT_M: f64 = 4.0;
/// Ways whose middles come no closer than this do not touch, where no matrix says they do: the width of a narrow car.
const TOUCH_M: f64 = 1.8;

/// What the matrices say about one pair, and whether they say anything.
#[derive(Default)]
struct Verdict {
    first_yields: bool,
    second_yields: bool,
    guessed: bool,
    /// Everybody stops: who comes first goes first.
    all_stop: bool,
}

/// Pairs of connections that touch, in the order of their ids, and connections that lead over crossings.
pub(super) fn resolve(
    raw: &RawNet,
    pairs: &[Pair],
    ways: &Connections,
    notes: &mut Notes,
) -> (Vec<Conflict>, Vec<CrossingConflict>) {
    let mut meet: BTreeMap<(ConnectionId, ConnectionId), Verdict> = BTreeMap::new();
    let mut walks: BTreeMap<(ConnectionId, CrossingId), (bool, bool)> = BTreeMap::new();
    for p in pairs {
        match (ways.strands[p.mine], ways.strands[p.other]) {
            (Strand::Connection(a), Strand::Connection(b)) => {
                let (a_lane, b_lane) = (ways.connections[a.index()].from_lane, ways.connections[b.index()].from_lane);
                if a == b || a_lane == b_lane {
                    continue;
                }
                let v = meet.entry((a.min(b), a.max(b))).or_default();
                v.guessed = p.guessed;
                v.all_stop = raw.junctions[p.junction].kind == "allway_stop";
                if a < b {
                    v.first_yields |= p.yields;
                } else {
                    v.second_yields |= p.yields;
                }
            }
            (Strand::Connection(a), Strand::Crossing(x)) => {
                let (yields, guessed) = walks.entry((a, x)).or_default();
                // Where nobody says, people on a crossing have the right of way, as on a zebra.
                *yields |= p.yields || p.guessed;
                *guessed = p.guessed;
            }
            (Strand::Crossing(x), Strand::Connection(a)) => {
                walks.entry((a, x)).or_insert((p.guessed, p.guessed));
            }
            _ => {}
        }
    }
    let names = names(raw, ways);
    merges(ways, &mut meet, &names, notes);
    let conflicts = meet.into_iter().filter_map(|(pair, v)| conflict(ways, pair, &v, &names, notes)).collect();
    let widths = crossing_widths(raw);
    let crossed = walks.into_iter().filter_map(|((connection, crossing), (vehicle_yields, guessed))| {
        let way = &ways.connections[connection.index()];
        let (at_m, _, gap_m) = meeting(way, &ways.crossings[crossing.index()].shape)?;
        if guessed && gap_m > TOUCH_M {
            return None;
        }
        let at = metres((at_m - widths[crossing.index()] / 2.0).max(0.0));
        Some(CrossingConflict { connection, crossing, at, vehicle_yields })
    });
    let crossed = crossed.collect();
    (conflicts, crossed)
}

/// What the file's connections are called, in the order of the network's.
fn names<'r>(raw: &'r RawNet, ways: &Connections) -> Vec<&'r str> {
    let mut names = vec![""; ways.connections.len()];
    for (c, strand) in raw.connections.iter().zip(&ways.strands) {
        if let Strand::Connection(id) = strand {
            names[id.index()] = &c.at.id;
        }
    }
    names
}

/// Widths of the crossings, in the order of the network's.
fn crossing_widths(raw: &RawNet) -> Vec<f64> {
    let crossings = raw.edges.iter().filter(|e| e.kind == EdgeKind::Crossing);
    crossings.map(|e| e.lanes.first().and_then(|l| l.width_m).unwrap_or(CROSSING_WIDTH_DEFAULT_M)).collect()
}

/// Ways into the same lane touch at its start whatever the matrix says.
fn merges(
    ways: &Connections,
    meet: &mut BTreeMap<(ConnectionId, ConnectionId), Verdict>,
    names: &[&str],
    notes: &mut Notes,
) {
    let mut into: BTreeMap<LaneId, Vec<ConnectionId>> = BTreeMap::new();
    for (i, c) in ways.connections.iter().enumerate() {
        into.entry(c.to_lane).or_default().push(ConnectionId::at(i));
    }
    for ids in into.values() {
        for (n, &a) in ids.iter().enumerate() {
            for &b in &ids[n + 1..] {
                if ways.connections[a.index()].from_lane != ways.connections[b.index()].from_lane {
                    meet.entry((a, b)).or_insert_with(|| {
                        notes.add(
                            "ways into the same lane that no right-of-way matrix pairs: who comes first goes first",
                            names[a.index()],
                        );
                        Verdict::default()
                    });
                }
            }
        }
    }
}

fn conflict(
    ways: &Connections,
    (first, second): (ConnectionId, ConnectionId),
    v: &Verdict,
    names: &[&str],
    notes: &mut Notes,
) -> Option<Conflict> {
    let (a, b) = (&ways.connections[first.index()], &ways.connections[second.index()]);
    let (first_at, second_at) = if a.to_lane == b.to_lane {
        (a.length, b.length)
    } else {
        let (a_m, b_share, gap_m) = meeting(a, &b.shape)?;
        if v.guessed && gap_m > TOUCH_M {
            return None;
        }
        (metres(a_m), metres(b_share * b.length.get()))
    };
    let (mut first_yields, mut second_yields) = (v.first_yields, v.second_yields);
    if first_yields && second_yields {
        if v.all_stop {
            notes.add(
                "ways that yield to each other at an all-way stop: who comes first goes first",
                names[first.index()],
            );
            (first_yields, second_yields) = (false, false);
        } else {
            notes.add(
                "ways that yield to each other: the left turn, else the right turn, else the later is taken to yield",
                names[first.index()],
            );
            let rank = |c: &Connection| match ways.movements[c.movement.index()].turn {
                Turn::Straight => 0,
                Turn::Right => 1,
                Turn::Left => 2,
                Turn::UTurn => 3,
            };
            first_yields = rank(a) > rank(b);
            second_yields = !first_yields;
        }
    }
    Some(Conflict { first, second, first_yields, second_yields, first_at, second_at })
}

/// Where a way comes closest to a course: metres along the way, share of the course, and the metres between them.
fn meeting(way: &Connection, course: &Polyline) -> Option<(f64, f64, f64)> {
    let (met, gap_m) = Meeting::closest(&way.shape, course)?;
    let share = |m: f64, length_m: f64| if length_m > 0.0 { (m / length_m).min(1.0) } else { 0.0 };
    let mine = share(met.first_at_m, way.shape.length_m());
    Some((mine * way.length.get(), share(met.second_at_m, course.length_m()), gap_m))
}
