//! Which lane leads where: movements, and the connections they are made of.

use std::f64::consts::PI;

use greenkerb_models::ids::{ConnectionId, LaneId, LinkId, MovementId, NodeId};
use greenkerb_models::network::{Connection, Movement, NetworkParts, Turn, curve};
use greenkerb_models::units::{Metres, MetresPerSecond, VehPerHour};

use super::layout::{Arm, Layout};
use super::plan::{Lanes, Plan};

/// Within this angle of ahead, the way that is closest to it is straight on.
const STRAIGHT_DEG: f64 = 50.0;
/// Pieces a way across a place is drawn in, and how far its curve reaches.
const PIECES: usize = 10;
const REACH: f64 = 0.42;
/// Sideways acceleration drivers take in a turn, and the bounds of the speed that follows.
const SIDEWAYS_MPS2: f64 = 2.5;
const TURN_MPS: (f64, f64) = (4.0, 9.0);
/// Saturation flow of a lane and what turning leaves of it (HCM 7th ed., exhibit 19-11 and eqs. 19-13, 19-14).
const SATURATION_VPH: f64 = 1_900.0;
const LEFT_EQUIVALENT: f64 = 1.05;
const RIGHT_EQUIVALENT: f64 = 1.18;

/// Lanes of one kind at the end or the start of a link, rightmost first.
struct Kinds {
    bus: Vec<LaneId>,
    right: Vec<LaneId>,
    through: Vec<LaneId>,
    left: Vec<LaneId>,
}

impl Kinds {
    fn of(parts: &NetworkParts, link: LinkId, lanes: Lanes) -> Self {
        let mut ids = parts.links[link.index()].lanes.iter().copied();
        let mut take = |n: u32| ids.by_ref().take(n as usize).collect::<Vec<_>>();
        Self {
            bus: take(u32::from(lanes.bus)),
            right: take(lanes.right),
            through: take(lanes.through),
            left: take(lanes.left),
        }
    }
}

/// An exit as an approach sees it.
struct Exit {
    arm: usize,
    link: LinkId,
    turn: Turn,
}

/// Lays the movements of every place.
pub(super) fn lay(plan: &Plan, layout: &Layout, parts: &mut NetworkParts) {
    for (place, arms) in layout.arms.iter().enumerate() {
        for from in 0..arms.len() {
            let Some(inbound) = arms[from].inbound else { continue };
            let exits = exits(plan, place, arms, from);
            let kinds = Kinds::of(parts, inbound, layout.lanes[inbound.index()]);
            let sources = sources(&kinds, &exits);
            for (exit, sources) in exits.iter().zip(sources) {
                let mut target = Kinds::of(parts, exit.link, layout.lanes[exit.link.index()]);
                // A lane for buses leads straight on and to the right, into one of its own or the outermost ones.
                let mut bus_pairs = Vec::new();
                if let Some(&bus) = kinds.bus.first().filter(|_| exit.turn != Turn::Left) {
                    let beside = match target.bus.first() {
                        Some(own) => vec![*own],
                        None => target.right.drain(..).chain(target.through.first().copied()).collect(),
                    };
                    bus_pairs.extend(beside.into_iter().map(|to| (bus, to)));
                }
                let mut pairs = pairs(&sources, &target, exit.turn);
                pairs.extend(bus_pairs);
                let angle = turned(&arms[from], &arms[exit.arm]).abs();
                add(parts, place, inbound, exit, angle, &pairs);
            }
        }
    }
}

/// Angle by which a way turns to the left, from -π to π.
pub(super) fn turned(from: &Arm, to: &Arm) -> f64 {
    let angle = to.heading - from.heading - PI;
    angle.sin().atan2(angle.cos())
}

fn exits(plan: &Plan, place: usize, arms: &[Arm], from: usize) -> Vec<Exit> {
    let banned = |to: usize| {
        plan.bans.iter().any(|b| b.place == place && b.from == arms[from].street && b.to == arms[to].street)
    };
    let open: Vec<usize> =
        (0..arms.len()).filter(|&to| to != from && arms[to].outbound.is_some() && !banned(to)).collect();
    let degrees = |to: usize| turned(&arms[from], &arms[to]).to_degrees();
    // Where a street only bends, it goes on.
    let bend = arms.len() == 2;
    let straight = open
        .iter()
        .copied()
        .filter(|&to| bend || degrees(to).abs() <= STRAIGHT_DEG)
        .min_by(|&a, &b| degrees(a).abs().total_cmp(&degrees(b).abs()));
    open.into_iter()
        .filter_map(|to| {
            let turn = match degrees(to) {
                _ if straight == Some(to) => Turn::Straight,
                d if d > 0.0 => Turn::Left,
                _ => Turn::Right,
            };
            arms[to].outbound.map(|link| Exit { arm: to, link, turn })
        })
        .collect()
}

/// Lanes for everybody that each exit is reached from, rightmost first.
fn sources(kinds: &Kinds, exits: &[Exit]) -> Vec<Vec<LaneId>> {
    let any = |turn: Turn| exits.iter().any(|e| e.turn == turn);
    let (rights, straights, lefts) = (any(Turn::Right), any(Turn::Straight), any(Turn::Left));
    let own_right = rights && !kinds.right.is_empty();
    let own_left = lefts && !kinds.left.is_empty();
    // Lanes to turn from go straight on, or whichever way there is, where there is no such turn.
    let mut middle: Vec<LaneId> = Vec::new();
    middle.extend(kinds.right.iter().filter(|_| !rights));
    middle.extend(&kinds.through);
    middle.extend(kinds.left.iter().filter(|_| !lefts));
    let n = middle.len();
    let (for_right, for_left) = match (straights, rights, lefts) {
        (true, ..) => (0..usize::from(!own_right), n - usize::from(!own_left)..n),
        // Without a way straight on the middle lanes are shared out.
        (false, true, true) => match (own_right, own_left) {
            (true, false) => (0..0, 0..n),
            (false, true) => (0..n, n..n),
            _ => (0..n.div_ceil(2), n / 2..n),
        },
        _ => (0..n, 0..n),
    };
    let lanes = |turn: Turn| -> Vec<LaneId> {
        match turn {
            Turn::Straight => middle.clone(),
            Turn::Right => {
                let own = kinds.right.iter().filter(|_| own_right).copied();
                own.chain(middle[for_right.clone()].iter().copied()).collect()
            }
            Turn::Left | Turn::UTurn => {
                let own = kinds.left.iter().filter(|_| own_left).copied();
                middle[for_left.clone()].iter().copied().chain(own).collect()
            }
        }
    };
    exits.iter().map(|e| lanes(e.turn)).collect()
}

/// Pairs of lanes that a movement joins. Each lane leads to the one it lines up with; the outermost also to lanes beside
/// that one which nobody else comes to, turn lanes among them.
fn pairs(sources: &[LaneId], target: &Kinds, turn: Turn) -> Vec<(LaneId, LaneId)> {
    let through = &target.through;
    let mut pairs = Vec::new();
    let n = sources.len();
    for (k, &from) in sources.iter().enumerate() {
        let from_left = n - 1 - k;
        match turn {
            Turn::Right => {
                if k == 0 {
                    pairs.extend(target.right.iter().map(|&to| (from, to)));
                }
                pairs.extend(through.get(k.min(through.len() - 1)).map(|&to| (from, to)));
            }
            Turn::Left | Turn::UTurn => {
                let to = through.len() - 1 - from_left.min(through.len() - 1);
                pairs.push((from, through[to]));
                if from_left == 0 {
                    pairs.extend(target.left.iter().map(|&to| (from, to)));
                }
            }
            Turn::Straight => {
                if k == 0 {
                    pairs.extend(target.right.iter().map(|&to| (from, to)));
                }
                pairs.extend(through.get(k.min(through.len() - 1)).map(|&to| (from, to)));
                if from_left == 0 {
                    pairs.extend(through.iter().skip(k + 1).map(|&to| (from, to)));
                    pairs.extend(target.left.iter().map(|&to| (from, to)));
                }
            }
        }
    }
    pairs
}

fn add(parts: &mut NetworkParts, place: usize, inbound: LinkId, exit: &Exit, angle: f64, pairs: &[(LaneId, LaneId)]) {
    let movement = MovementId::at(parts.movements.len());
    let first = parts.connections.len();
    for &(from_lane, to_lane) in pairs {
        let (from, to) = (&parts.lanes[from_lane.index()], &parts.lanes[to_lane.index()]);
        let shape = curve(&from.shape, &to.shape, REACH, PIECES).unwrap_or_default();
        let length_m = shape.length_m().max(0.1);
        let limit_mps = from.speed.get().min(to.speed.get());
        // Who goes straight on through a bend is slowed by it as well, but not held to the speed of a turn.
        let most_mps = if exit.turn == Turn::Straight { limit_mps } else { TURN_MPS.1.min(limit_mps) };
        let bend_mps = if angle < 0.2 { limit_mps } else { (SIDEWAYS_MPS2 * length_m / angle).sqrt() };
        let speed_mps = bend_mps.max(TURN_MPS.0).min(most_mps);
        parts.connections.push(Connection {
            from_lane,
            to_lane,
            movement,
            signal: None,
            length: Metres::new(length_m).unwrap_or_default(),
            speed: MetresPerSecond::new(speed_mps).unwrap_or_default(),
            wait_at: None,
            shape,
        });
    }
    let vph = match exit.turn {
        Turn::Straight => SATURATION_VPH,
        Turn::Left | Turn::UTurn => SATURATION_VPH / LEFT_EQUIVALENT,
        Turn::Right => SATURATION_VPH / RIGHT_EQUIVALENT,
    };
    parts.movements.push(Movement {
        node: NodeId::at(place),
        from_link: inbound,
        to_link: exit.link,
        turn: exit.turn,
        saturation: VehPerHour::new(vph.round()).unwrap_or_default(),
        connections: (first..parts.connections.len()).map(ConnectionId::at).collect(),
    });
}
