//! A grid of signals: every junction has four approaches of two lanes (straight and right; left), four stages, and links
//! to its neighbours or to the edge of the map.

use greenkerb_models::detection::{Detector, DetectorKind};
use greenkerb_models::ids::{ConnectionId, ControllerId, GroupId, LaneId, LinkId, MovementId, NodeId, StageId};
use greenkerb_models::network::{
    Admits, Connection, Lane, Link, Movement, Network, NetworkError, NetworkParts, Node, Point, Polyline, SignalHead,
    Turn,
};
use greenkerb_models::signal::{
    ConflictMatrix, Controller, GroupKind, Indication, Limits, Program, Relation, SignalGroup, Step, StepKind,
};
use greenkerb_models::units::{Ds, Metres, MetresPerSecond, VehPerHour};

/// Approaches, clockwise from the one that comes from the north.
const FROM: [(i32, i32); 4] = [(0, 1), (1, 0), (0, -1), (-1, 0)];
const YELLOW: Ds = Ds::from_s(3);
const ALL_RED: Ds = Ds::from_s(1);

fn metres(m: f64) -> Metres {
    Metres::new(m).unwrap_or_default()
}

/// Builds `columns` × `rows` signals, `block_m` metres apart.
///
/// # Errors
/// [`NetworkError`] when the size leaves nothing to build (a block shorter than its own detectors, say).
pub fn grid(columns: u32, rows: u32, block_m: f64) -> Result<Network, NetworkError> {
    let mut p = NetworkParts { name: format!("grid {columns}x{rows}"), ..NetworkParts::default() };
    let (w, h) = (columns as i32, rows as i32);
    let mut nodes = std::collections::BTreeMap::new();
    for y in -1..=h {
        for x in -1..=w {
            let inside = (0..w).contains(&x) && (0..h).contains(&y);
            let beside = (0..w).contains(&x) || (0..h).contains(&y);
            if !beside {
                continue;
            }
            nodes.insert((x, y), NodeId::at(p.nodes.len()));
            let position = Point { x: f64::from(x) * block_m, y: f64::from(y) * block_m };
            let controller = inside.then(|| ControllerId::at((y * w + x) as usize));
            p.nodes.push(Node { name: format!("n{x}_{y}"), position, controller });
        }
    }
    let mut links = std::collections::BTreeMap::new();
    for (&(x, y), &from) in &nodes {
        for (dx, dy) in FROM {
            let Some(&to) = nodes.get(&(x + dx, y + dy)) else { continue };
            if p.nodes[from.index()].controller.is_none() && p.nodes[to.index()].controller.is_none() {
                continue;
            }
            links.insert((from, to), add_link(&mut p, from, to, block_m));
        }
    }
    for y in 0..h {
        for x in 0..w {
            let at = nodes[&(x, y)];
            let around = FROM.map(|(dx, dy)| nodes[&(x + dx, y + dy)]);
            add_controller(&mut p, at, around, |a, b| links[&(a, b)]);
        }
    }
    p.build()
}

fn add_link(p: &mut NetworkParts, from: NodeId, to: NodeId, block_m: f64) -> LinkId {
    let id = LinkId::at(p.links.len());
    let shape = Polyline(vec![p.nodes[from.index()].position, p.nodes[to.index()].position]);
    let name = format!("{}>{}", p.nodes[from.index()].name, p.nodes[to.index()].name);
    let speed = MetresPerSecond::new(13.9).unwrap_or_default();
    let lanes = (0..2)
        .map(|index| {
            let lane = LaneId::at(p.lanes.len());
            p.lanes.push(Lane {
                name: format!("{name}.{index}"),
                link: id,
                index,
                length: metres(block_m),
                speed,
                width: metres(3.2),
                shape: shape.clone(),
                admits: Admits { cars: true, buses: true, ..Admits::default() },
            });
            lane
        })
        .collect();
    p.links.push(Link { name, from, to, lanes, length: metres(block_m), speed, shape });
    id
}

fn add_controller(p: &mut NetworkParts, at: NodeId, around: [NodeId; 4], link: impl Fn(NodeId, NodeId) -> LinkId) {
    let controller = ControllerId::at(p.controllers.len());
    // Group 2a is straight and right of approach a, group 2a + 1 its left turn.
    let mut connections = vec![Vec::new(); 8];
    for a in 0..4 {
        let from = link(around[a], at);
        for (turn, exit, lane, group) in [
            (Turn::Straight, (a + 2) % 4, 0, 2 * a),
            (Turn::Right, (a + 3) % 4, 0, 2 * a),
            (Turn::Left, (a + 1) % 4, 1, 2 * a + 1),
        ] {
            let to = link(at, around[exit]);
            let (id, movement) = (ConnectionId::at(p.connections.len()), MovementId::at(p.movements.len()));
            p.connections.push(Connection {
                from_lane: p.links[from.index()].lanes[lane],
                to_lane: p.links[to.index()].lanes[lane],
                movement,
                signal: Some(SignalHead { controller, group: GroupId::at(group), link_index: id.0 % 12 }),
                length: metres(15.0),
                speed: MetresPerSecond::new(if turn == Turn::Straight { 13.9 } else { 8.0 }).unwrap_or_default(),
                wait_at: None,
                shape: Polyline(vec![p.nodes[at.index()].position; 2]),
            });
            let saturation = VehPerHour::new(if turn == Turn::Straight { 1900.0 } else { 1750.0 }).unwrap_or_default();
            p.movements.push(Movement {
                node: at,
                from_link: from,
                to_link: to,
                turn,
                saturation,
                connections: vec![id],
            });
            connections[group].push(id);
        }
        for lane in p.links[from.index()].lanes.clone() {
            add_detectors(p, lane);
        }
    }
    let name = p.nodes[at.index()].name.clone();
    p.controllers.push(Controller {
        name,
        nodes: vec![at],
        groups: connections.into_iter().enumerate().map(|(g, c)| group(g, c)).collect(),
        conflicts: conflicts(),
        program: program(),
        ring_barrier: None,
        limits: Limits { cycle_min: Ds::from_s(36), cycle_max: Ds::from_s(120), resolution: Ds(1) },
    });
}

fn add_detectors(p: &mut NetworkParts, lane: LaneId) {
    let l = &p.lanes[lane.index()];
    let advance_m = (l.length.get() - 10.0).min(80.0);
    for (kind, suffix, to_line_m) in
        [(DetectorKind::StopBar, "stop", 1.0), (DetectorKind::Advance, "advance", advance_m)]
    {
        p.detectors.push(Detector {
            name: format!("{}.{suffix}", p.lanes[lane.index()].name),
            lane,
            kind,
            to_lane_end: metres(to_line_m),
            to_stop_line: metres(to_line_m),
            length: metres(2.0),
            watches: vec![lane],
        });
    }
}

fn group(number: usize, connections: Vec<ConnectionId>) -> SignalGroup {
    SignalGroup {
        name: format!("g{number}"),
        kind: GroupKind::Vehicle,
        link_indices: connections.iter().map(|c| c.0 % 12).collect(),
        connections,
        crossings: Vec::new(),
        min_green: Ds::from_s(5),
        yellow: YELLOW,
        red_amber: Ds::ZERO,
        clearance: Ds::ZERO,
        min_red: Ds::ZERO,
        max_red: Ds::from_s(120),
        turn_on_red: false,
    }
}

/// Left turns yield to the oncoming straight stream; everything else that crosses conflicts.
fn conflicts() -> ConflictMatrix {
    let mut m = ConflictMatrix::compatible(8);
    let intergreen = YELLOW + ALL_RED;
    for a in 0..8 {
        for b in 0..8 {
            let (from_a, from_b) = (a / 2, b / 2);
            let (left_a, left_b) = (a % 2 == 1, b % 2 == 1);
            let opposed = from_a % 2 == from_b % 2 && from_a != from_b;
            let relation = if from_a == from_b || (opposed && left_a == left_b) {
                Relation::Compatible
            } else if opposed {
                Relation::Permitted { yields: left_a, intergreen }
            } else {
                Relation::Conflict { intergreen }
            };
            m.set(GroupId::at(a), GroupId::at(b), relation);
        }
    }
    m
}

/// North and south, their left turns, east and west, theirs.
fn program() -> Program {
    let mut steps = Vec::new();
    for (pair, stages) in [(0, [0, 1]), (1, [2, 3])] {
        let of = |g: usize| (g / 2) % 2 == pair;
        let show = |f: &dyn Fn(usize) -> Indication| (0..8).map(f).collect::<Vec<_>>();
        let red = Indication::Red;
        let pick = |straight: Indication, left: Indication| {
            show(&|g| {
                if !of(g) {
                    red
                } else if g % 2 == 0 {
                    straight
                } else {
                    left
                }
            })
        };
        let stage = |number: u32, shipped: u32, shows| Step {
            kind: StepKind::Stage { stage: StageId(number), min: Ds::from_s(5) },
            shipped: Ds::from_s(shipped),
            shows,
        };
        let clearance = |length: Ds, shows| Step { kind: StepKind::Clearance, shipped: length, shows };
        use Indication::{Permissive, Protected, Yellow};
        steps.push(stage(stages[0], 28, pick(Protected, Permissive)));
        steps.push(clearance(YELLOW, pick(Yellow, Permissive)));
        steps.push(clearance(ALL_RED, pick(red, Permissive)));
        steps.push(stage(stages[1], 9, pick(red, Protected)));
        steps.push(clearance(YELLOW, pick(red, Yellow)));
        steps.push(clearance(ALL_RED, pick(red, red)));
    }
    Program { steps, shipped_offset: Ds::ZERO }
}

#[cfg(test)]
mod tests {
    use greenkerb_optimizer::safety::{Policy, validate_plan};

    use super::*;

    #[test]
    fn every_signal_of_a_grid_ships_a_valid_plan() {
        let net = grid(3, 2, 200.0).unwrap();
        assert_eq!((net.controllers().len(), net.nodes().len()), (6, 16));
        for c in net.controllers() {
            validate_plan(c.time_of_day_plan(), c, &Policy::default()).unwrap();
        }
    }
}
