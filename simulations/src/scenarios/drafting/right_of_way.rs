//! Who goes first where two ways across a place meet, and where ways lead over crossings.

use std::cmp::Ordering;
use std::f64::consts::PI;

use greenkerb_models::ids::{ConnectionId, CrossingId, LinkId};
use greenkerb_models::network::{
    Conflict, Connection, Crossing, CrossingConflict, Meeting, NetworkParts, Point, Polyline, Turn,
};
use greenkerb_models::units::Metres;

use super::layout::{Arm, CROSSING_MIDDLE_M, Layout, arm_name};
use super::plan::{Plan, Rule};
use super::turns::turned;

/// Ways into one lane are one from where they are this close: the width of a car.
const MERGED_GAP_M: f64 = 1.8;
/// Who waits inside a junction leaves half a lane and a gap to the way of others, and half a crossing and a gap to walkers.
const WAIT_BEFORE_WAY_M: f64 = 2.6;
const WAIT_BEFORE_CROSSING_M: f64 = 2.5;
/// Closer to the line nobody waits inside: most of the vehicle would still stand before it.
const WAIT_M_MIN: f64 = 4.0;
/// Two approaches within this angle of facing each other are each other's oncoming stream.
const FACING: f64 = 40.0 / 180.0 * PI;

/// How one way stands to another that it meets.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Rank {
    /// Position of its approach among the arms of the place.
    arm: usize,
    turn: Turn,
    bus: bool,
    /// Lanes it leaves and enters, counted from the right.
    lanes: (u32, u32),
    /// Where it goes, from right to left: the angle it turns by.
    angle: f64,
}

impl Rank {
    /// True where two ways of one approach change sides: the one further right leaves further left.
    fn changes_sides(self, other: Self) -> bool {
        let goal = |r: Self| (r.angle, r.lanes.1);
        match self.lanes.0.cmp(&other.lanes.0) {
            Ordering::Less => goal(self) > goal(other),
            Ordering::Greater => goal(self) < goal(other),
            Ordering::Equal => false,
        }
    }
}

/// Lays crossings, and the conflicts of every place.
pub(super) fn lay(plan: &Plan, layout: &Layout, parts: &mut NetworkParts) {
    let mut at_node: Vec<std::ops::Range<usize>> = vec![0..0; plan.places.len()];
    for m in &parts.movements {
        let (Some(first), Some(last)) = (m.connections.first(), m.connections.last()) else { continue };
        let range = &mut at_node[m.node.index()];
        // Movements are laid place by place, so their connections are one stretch.
        let start = if range.start == range.end { first.index() } else { range.start };
        *range = start..last.index() + 1;
    }
    for (place, arms) in layout.arms.iter().enumerate() {
        let first_crossing = parts.crossings.len();
        lay_crossings(plan, place, arms, parts);
        let here = at_node[place].clone();
        if here.start == here.end {
            continue;
        }
        meet(plan, place, arms, here.clone(), parts);
        meet_crossings(plan, place, here.clone(), first_crossing, parts);
        if matches!(plan.places[place].control, Rule::Signals(_)) {
            let first_conflict = parts.conflicts.partition_point(|c| c.first.index() < here.start);
            let first_over = parts.crossing_conflicts.partition_point(|c| c.connection.index() < here.start);
            give_room_to_wait(here, first_conflict, first_over, parts);
        }
    }
}

/// Turns that give way at signals wait inside the junction, before the first place where they meet whom they give way to.
fn give_room_to_wait(here: std::ops::Range<usize>, first_conflict: usize, first_over: usize, parts: &mut NetworkParts) {
    let mut first_m = vec![f64::INFINITY; here.len()];
    let mut note = |c: ConnectionId, at_m: f64| {
        let slot = &mut first_m[c.index() - here.start];
        *slot = slot.min(at_m);
    };
    for c in &parts.conflicts[first_conflict..] {
        if c.first_yields {
            note(c.first, c.first_at.get() - WAIT_BEFORE_WAY_M);
        }
        if c.second_yields {
            note(c.second, c.second_at.get() - WAIT_BEFORE_WAY_M);
        }
    }
    for c in parts.crossing_conflicts[first_over..].iter().filter(|c| c.vehicle_yields) {
        note(c.connection, c.at.get() - WAIT_BEFORE_CROSSING_M);
    }
    for (way, at_m) in parts.connections[here].iter_mut().zip(first_m) {
        if at_m.is_finite() && at_m >= WAIT_M_MIN {
            way.wait_at = Some(along(way, at_m));
        }
    }
}

/// Point `along_m` from the place and `left_m` to the left of an arm's middle line.
fn beside(at: Point, arm: &Arm, along_m: f64, left_m: f64) -> Point {
    let (x, y) = (arm.heading.cos(), arm.heading.sin());
    Point { x: at.x + x * along_m - y * left_m, y: at.y + y * along_m + x * left_m }
}

fn lay_crossings(plan: &Plan, place: usize, arms: &[Arm], parts: &mut NetworkParts) {
    let at = plan.places[place].at;
    for (a, arm) in arms.iter().enumerate().filter(|(_, a)| a.crossing) {
        let along_m = (arm.setback_m - CROSSING_MIDDLE_M).max(0.0);
        let shape = Polyline(vec![beside(at, arm, along_m, arm.left_m), beside(at, arm, along_m, -arm.right_m)]);
        let links: Vec<LinkId> = [arm.inbound, arm.outbound].into_iter().flatten().collect();
        parts.crossings.push(Crossing {
            name: format!("{}.{}", plan.places[place].name, arm_name(plan, arms, a)),
            node: greenkerb_models::ids::NodeId::at(place),
            links,
            length: Metres::new(arm.left_m + arm.right_m).unwrap_or_default(),
            shape,
            signal: None,
        });
    }
}

fn along(way: &Connection, at_m: f64) -> Metres {
    Metres::new(at_m.clamp(0.0, way.length.get())).unwrap_or_default()
}

fn meet(plan: &Plan, place: usize, arms: &[Arm], here: std::ops::Range<usize>, parts: &mut NetworkParts) {
    let ways = &parts.connections[here.clone()];
    let ranks: Vec<Rank> = ways
        .iter()
        .map(|w| {
            let m = &parts.movements[w.movement.index()];
            let arm = arms.iter().position(|a| a.inbound == Some(m.from_link)).unwrap_or(0);
            let exit = arms.iter().find(|a| a.outbound == Some(m.to_link));
            let lane = |l: greenkerb_models::ids::LaneId| &parts.lanes[l.index()];
            Rank {
                arm,
                turn: m.turn,
                bus: !lane(w.from_lane).admits.cars,
                lanes: (lane(w.from_lane).index, lane(w.to_lane).index),
                angle: exit.map_or(0.0, |e| turned(&arms[arm], e)),
            }
        })
        .collect();
    let mut found = Vec::new();
    for a in 0..ways.len() {
        for b in a + 1..ways.len() {
            let (way_a, way_b) = (&ways[a], &ways[b]);
            if way_a.from_lane == way_b.from_lane {
                continue;
            }
            let merge = way_a.to_lane == way_b.to_lane;
            // Ways of one approach keep their order, however tight its corner is drawn.
            let one_approach = ranks[a].arm == ranks[b].arm;
            if one_approach && !merge && !ranks[a].changes_sides(ranks[b]) {
                continue;
            }
            let met = if merge {
                Meeting::within(&way_a.shape, &way_b.shape, MERGED_GAP_M)
            } else {
                Meeting::crossing(&way_a.shape, &way_b.shape)
            };
            let Some(met) = met else { continue };
            let (first_yields, second_yields) = yields(plan.places[place].control, arms, (ranks[a], ranks[b]), merge);
            found.push(Conflict {
                first: ConnectionId::at(here.start + a),
                second: ConnectionId::at(here.start + b),
                first_yields,
                second_yields,
                first_at: along(way_a, met.first_at_m),
                second_at: along(way_b, met.second_at_m),
            });
        }
    }
    parts.conflicts.extend(found);
}

/// Who of two ways that meet gives way. Both false: signals keep them apart, or who comes first goes.
fn yields(rule: Rule, arms: &[Arm], (a, b): (Rank, Rank), merge: bool) -> (bool, bool) {
    if a.arm == b.arm {
        // Buses keep to their lane; who turns across it waits. Where lanes run together, who comes first goes.
        return match (a.bus, b.bus) {
            (true, false) if !merge => (false, true),
            (false, true) if !merge => (true, false),
            _ => (false, false),
        };
    }
    let (arm_a, arm_b) = (&arms[a.arm], &arms[b.arm]);
    if facing(arm_a, arm_b) {
        return by_turn(a, b);
    }
    if matches!(rule, Rule::Signals(_)) {
        return (false, false);
    }
    match (arm_a.main, arm_b.main) {
        (true, false) => (false, true),
        (false, true) => (true, false),
        _ => right_before_left(arm_a, arm_b),
    }
}

/// Between oncoming streams: left turns give way to all others.
fn by_turn(a: Rank, b: Rank) -> (bool, bool) {
    let left = |r: Rank| matches!(r.turn, Turn::Left | Turn::UTurn);
    (left(a) && !left(b), left(b) && !left(a))
}

/// True for two approaches that face each other.
pub(super) fn facing(a: &Arm, b: &Arm) -> bool {
    turned(a, b).abs() <= FACING
}

fn right_before_left(a: &Arm, b: &Arm) -> (bool, bool) {
    // Whoever drives on `a` sees `b` on the right when going there would be a turn to the right.
    let b_is_right_of_a = turned(a, b) < 0.0;
    (b_is_right_of_a, !b_is_right_of_a)
}

fn meet_crossings(
    plan: &Plan,
    place: usize,
    here: std::ops::Range<usize>,
    first_crossing: usize,
    parts: &mut NetworkParts,
) {
    let signals = matches!(plan.places[place].control, Rule::Signals(_));
    let mut found = Vec::new();
    for c in here {
        let way = &parts.connections[c];
        let m = &parts.movements[way.movement.index()];
        for x in first_crossing..parts.crossings.len() {
            let crossing = &parts.crossings[x];
            // A way leads over the crossing of the street it leaves and over that of the street it enters.
            let (leaves, enters) = (crossing.links.contains(&m.from_link), crossing.links.contains(&m.to_link));
            if !(leaves || enters) {
                continue;
            }
            let met = Meeting::crossing(&way.shape, &crossing.shape).map(|met| met.first_at_m);
            let at_m = met.unwrap_or(if leaves { CROSSING_MIDDLE_M } else { way.length.get() - CROSSING_MIDDLE_M });
            // At signals a street is never crossed while it has green; whoever turns into it gives way to walkers.
            let turns = m.turn != Turn::Straight;
            found.push(CrossingConflict {
                connection: ConnectionId::at(c),
                crossing: CrossingId::at(x),
                at: along(way, at_m),
                vehicle_yields: !signals || (enters && turns),
            });
        }
    }
    parts.crossing_conflicts.extend(found);
}
