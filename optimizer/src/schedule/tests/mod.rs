//! Tests of the schedule layer, and the junctions they are about.

mod exchange;
mod oracle;
mod playout;
mod search;
mod traffic;

use std::path::Path;

use greenkerb_models::formats;
use greenkerb_models::ids::{ConnectionId, ControllerId, GroupId, LaneId, LinkId, MovementId, NodeId, StageId};
use greenkerb_models::network::{
    Admits, Connection, Lane, Link, Movement, Network, NetworkParts, Node, Point, Polyline, SignalHead, Turn,
};
use greenkerb_models::signal::{
    ConflictMatrix, Controller, GroupKind, Indication, Limits, Program, Relation, SignalGroup, Step, StepKind,
};
use greenkerb_models::units::{Ds, Metres, MetresPerSecond, VehPerHour};

use super::model::Model;
use super::playout::{Manner, Scene, State};
use super::search::lanes_now;
use super::traffic::{Traffic, Vehicle};
use crate::safety::Policy;

/// Length of the links of [`street`], metres.
const BLOCK_M: f64 = 300.0;
/// Speed there, m/s.
const SPEED_MPS: f64 = 13.9;

/// SUMO's crossroads of two stages, with permissive turns and people on foot.
fn crossroads() -> Network {
    let net = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/tests/data/crossroads.net.xml");
    formats::read(&net).unwrap().network
}

/// Two junctions on a one-way street from west to east, each crossed by a road of one lane each way.
///
/// Groups and stages of both: 0 from the west; 1 from the south straight on; 2 from the north; 3 from the south to the
/// right, which is green in stages 1 and 2.
fn street() -> Network {
    let mut p = NetworkParts { name: "street".to_owned(), ..NetworkParts::default() };
    let at = [(-1, 0), (0, 0), (1, 0), (2, 0), (0, -1), (0, 1), (1, -1), (1, 1)];
    for (i, (x, y)) in at.into_iter().enumerate() {
        let position = Point { x: f64::from(x) * BLOCK_M, y: f64::from(y) * BLOCK_M };
        let controller = (1..3).contains(&i).then(|| ControllerId::at(i - 1));
        p.nodes.push(Node { name: format!("n{i}"), position, controller });
    }
    let links = [(0, 1), (1, 2), (2, 3), (4, 1), (1, 5), (5, 1), (1, 4), (6, 2), (2, 7), (7, 2), (2, 6)];
    for (from, to) in links {
        add_link(&mut p, NodeId::at(from), NodeId::at(to));
    }
    for (node, [west, east, in_south, out_north, in_north, out_south]) in
        [(1, [0, 1, 3, 4, 5, 6]), (2, [1, 2, 7, 8, 9, 10])]
    {
        let ways = [
            (west, east, Turn::Straight, 0),
            (in_south, out_north, Turn::Straight, 1),
            (in_north, out_south, Turn::Straight, 2),
            (in_south, east, Turn::Right, 3),
        ];
        add_controller(&mut p, NodeId::at(node), ways);
    }
    p.build().unwrap()
}

fn add_link(p: &mut NetworkParts, from: NodeId, to: NodeId) {
    let (id, lane) = (LinkId::at(p.links.len()), LaneId::at(p.lanes.len()));
    let shape = Polyline(vec![p.nodes[from.index()].position, p.nodes[to.index()].position]);
    let name = format!("{}>{}", p.nodes[from.index()].name, p.nodes[to.index()].name);
    let (length, speed) = (Metres::new(BLOCK_M).unwrap(), MetresPerSecond::new(SPEED_MPS).unwrap());
    p.lanes.push(Lane {
        name: format!("{name}.0"),
        link: id,
        index: 0,
        length,
        speed,
        width: Metres::new(3.2).unwrap(),
        shape: shape.clone(),
        admits: Admits { cars: true, ..Admits::default() },
    });
    p.links.push(Link { name, from, to, lanes: vec![lane], length, speed, shape });
}

fn add_controller(p: &mut NetworkParts, node: NodeId, ways: [(usize, usize, Turn, usize); 4]) {
    let controller = ControllerId::at(p.controllers.len());
    let mut groups = Vec::new();
    for (from, to, turn, group) in ways {
        let (id, movement) = (ConnectionId::at(p.connections.len()), MovementId::at(p.movements.len()));
        let speed_mps = if turn == Turn::Straight { SPEED_MPS } else { 8.0 };
        p.connections.push(Connection {
            from_lane: p.links[from].lanes[0],
            to_lane: p.links[to].lanes[0],
            movement,
            signal: Some(SignalHead { controller, group: GroupId::at(group), link_index: group as u32 }),
            length: Metres::new(15.0).unwrap(),
            speed: MetresPerSecond::new(speed_mps).unwrap(),
            wait_at: None,
            shape: Polyline(vec![p.nodes[node.index()].position; 2]),
        });
        let saturation = VehPerHour::new(1_900.0).unwrap();
        let (from_link, to_link) = (LinkId::at(from), LinkId::at(to));
        p.movements.push(Movement { node, from_link, to_link, turn, saturation, connections: vec![id] });
        groups.push(SignalGroup {
            name: format!("g{group}"),
            kind: GroupKind::Vehicle,
            link_indices: vec![group as u32],
            connections: vec![id],
            crossings: Vec::new(),
            min_green: Ds::from_s(5),
            yellow: Ds::from_s(3),
            red_amber: Ds::ZERO,
            clearance: Ds::ZERO,
            min_red: Ds::ZERO,
            max_red: Ds::from_s(120),
            turn_on_red: false,
        });
    }
    let mut conflicts = ConflictMatrix::compatible(4);
    let conflict = Relation::Conflict { intergreen: Ds::from_s(4) };
    for (a, b) in [(0, 1), (0, 2), (0, 3), (1, 2)] {
        conflicts.set(GroupId::at(a), GroupId::at(b), conflict);
        conflicts.set(GroupId::at(b), GroupId::at(a), conflict);
    }
    p.controllers.push(Controller {
        name: p.nodes[node.index()].name.clone(),
        nodes: vec![node],
        groups,
        conflicts,
        program: program(),
        ring_barrier: None,
        limits: Limits { cycle_min: Ds::from_s(36), cycle_max: Ds::from_s(120), resolution: Ds(1) },
    });
}

fn program() -> Program {
    use Indication::{Protected, Red, Yellow};
    let stages = [[Protected, Red, Red, Red], [Red, Protected, Red, Protected], [Red, Red, Protected, Protected]];
    let mut steps = Vec::new();
    for (i, shows) in stages.iter().enumerate() {
        let next = &stages[(i + 1) % 3];
        let ends = |g: usize| shows[g] == Protected && next[g] != Protected;
        let clears = |shown: Indication| (0..4).map(|g| if ends(g) { shown } else { kept(shows, next, g) }).collect();
        let kind = StepKind::Stage { stage: StageId::at(i), min: Ds::from_s(5) };
        steps.push(Step { kind, shipped: Ds::from_s(20), shows: shows.to_vec() });
        steps.push(Step { kind: StepKind::Clearance, shipped: Ds::from_s(3), shows: clears(Yellow) });
        steps.push(Step { kind: StepKind::Clearance, shipped: Ds::from_s(1), shows: clears(Red) });
    }
    Program { steps, shipped_offset: Ds::ZERO }
}

/// What a group shows on the way between two stages that does not end.
fn kept(shows: &[Indication; 4], next: &[Indication; 4], group: usize) -> Indication {
    if shows[group] == next[group] { shows[group] } else { Indication::Red }
}

fn model(network: &Network, controller: usize) -> Model {
    Model::of(network, ControllerId::at(controller), &Policy::default())
}

/// The way from a lane to a link.
fn way(network: &Network, model: &Model, from: &str, to: &str) -> u16 {
    let is = |w: &super::model::Way| {
        let c = network.connection(w.connection);
        let onto = network.lane(c.to_lane).link;
        network.lane(c.from_lane).name == from && network.link(onto).name == to
    };
    model.ways.iter().position(is).unwrap() as u16
}

/// Traffic of a junction: vehicles that stand from now on, or arrive then.
fn traffic(model: &Model, vehicles: &[(u16, i32)]) -> Traffic {
    let mut traffic = Traffic::none(model.lanes.len());
    for &(way, arrives_ds) in vehicles {
        let lane = model.ways[way as usize].lane;
        traffic.lanes[lane].push(Vehicle { arrives_ds, way, stands: arrives_ds <= 0 });
    }
    traffic
}

fn scene<'a>(
    model: &'a Model,
    traffic: &'a Traffic,
    manner: &'a Manner,
    rooms: &'a [Option<super::exchange::Room>],
) -> Scene<'a> {
    Scene { model, traffic, manner, rooms }
}

/// A stage that has been green since an instant; every other group has been red for half a minute longer.
fn state(scene: &Scene<'_>, stage: usize, since_ds: i32) -> State {
    let model = scene.model;
    let groups = model.max_red_ds.len();
    let mut state = State {
        lanes: lanes_now(scene, stage, since_ds),
        cost: 0,
        entered: vec![0; model.ways.len()],
        green_ds: vec![since_ds - 300; groups],
        since_ds: vec![i32::MIN / 4; groups],
    };
    for &g in &model.stages[stage].groups {
        (state.green_ds[g], state.since_ds[g]) = (0, since_ds);
    }
    state
}

/// Numbers that look random: Knuth's MMIX generator.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }

    fn of(seed: u64) -> Self {
        let mut dice = Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        dice.below(2);
        dice
    }
}

/// Up to `most` vehicles on every lane: some that stand, others that arrive within 40 s.
fn random_traffic(model: &Model, dice: &mut Dice, most: u64) -> Traffic {
    let mut traffic = Traffic::none(model.lanes.len());
    for (lane, queue) in model.lanes.iter().zip(&mut traffic.lanes) {
        let queued = dice.below(most / 2 + 1);
        let mut arrives_ds = 0;
        for k in 0..dice.below(most + 1) {
            let way = lane.ways[dice.below(lane.ways.len() as u64) as usize] as u16;
            arrives_ds += if k < queued { 0 } else { 15 + dice.below(80) as i32 };
            queue.push(Vehicle { arrives_ds, way, stands: k < queued });
        }
    }
    traffic
}
