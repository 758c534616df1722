//! Flows on movements, and what they make of every lane.

use greenkerb_models::ids::{ConnectionId, LaneId, LinkId, MovementId};
use greenkerb_models::network::{Network, Turn};

/// Vehicles per hour on every link and every movement of a network.
#[derive(Debug, Clone, PartialEq)]
pub struct Flows {
    link_vph: Vec<f64>,
    movement_vph: Vec<f64>,
}

impl Flows {
    /// An empty network.
    #[must_use]
    pub fn none(network: &Network) -> Self {
        Self { link_vph: vec![0.0; network.links().len()], movement_vph: vec![0.0; network.movements().len()] }
    }

    /// Adds a stream along a route; pairs of links that no movement joins are passed over.
    pub fn add(&mut self, network: &Network, route: &[LinkId], vph: f64) {
        for link in route {
            self.link_vph[link.index()] += vph;
        }
        for pair in route.windows(2) {
            if let Some(m) = movement(network, pair[0], pair[1]) {
                self.movement_vph[m.index()] += vph;
            }
        }
    }

    /// Flow of a link.
    #[must_use]
    pub fn of_link(&self, link: LinkId) -> f64 {
        self.link_vph[link.index()]
    }

    /// Flow of a movement.
    #[must_use]
    pub fn of_movement(&self, movement: MovementId) -> f64 {
        self.movement_vph[movement.index()]
    }

    /// These flows and others.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        let sum = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x + y).collect();
        Self {
            link_vph: sum(&self.link_vph, &other.link_vph),
            movement_vph: sum(&self.movement_vph, &other.movement_vph),
        }
    }

    /// Counts the vehicles of every movement for more or less than one.
    pub(super) fn weigh(&mut self, weight: impl Fn(MovementId) -> f64) {
        for (m, vph) in self.movement_vph.iter_mut().enumerate() {
            *vph *= weight(MovementId::at(m));
        }
    }

    /// Every flow times a factor.
    #[must_use]
    pub fn scaled(&self, factor: f64) -> Self {
        let times = |v: &Vec<f64>| v.iter().map(|q| q * factor).collect();
        Self { link_vph: times(&self.link_vph), movement_vph: times(&self.movement_vph) }
    }
}

/// The movement from one link to another.
pub(super) fn movement(network: &Network, from: LinkId, to: LinkId) -> Option<MovementId> {
    network.movements_from(from).iter().copied().find(|m| network.movement(*m).to_link == to)
}

/// How long each lane of every link needs green, as shares of time: flow over saturation flow.
#[derive(Debug, Clone, PartialEq)]
pub struct LaneLoads {
    /// Per lane: share of time its straight and right turning vehicles need, and its left turning ones.
    ahead: Vec<f64>,
    left: Vec<f64>,
}

impl LaneLoads {
    /// Spreads the flows of each link over its lanes: turns to the lanes they start from, who goes straight on to
    /// wherever the others leave room.
    #[must_use]
    pub fn of(network: &Network, flows: &Flows) -> Self {
        let n = network.lanes().len();
        let mut loads = Self { ahead: vec![0.0; n], left: vec![0.0; n] };
        for link in 0..network.links().len() {
            let movements = network.movements_from(LinkId::at(link));
            let turn = |m: &&MovementId| network.movement(**m).turn;
            for m in movements.iter().filter(|m| turn(m) != Turn::Straight) {
                loads.spread(network, flows, *m);
            }
            for m in movements.iter().filter(|m| turn(m) == Turn::Straight) {
                loads.spread(network, flows, *m);
            }
        }
        loads
    }

    /// Share of time a lane needs.
    #[must_use]
    pub fn of_lane(&self, lane: LaneId) -> f64 {
        self.ahead[lane.index()] + self.left[lane.index()]
    }

    /// Share of time the left turning vehicles of a lane need.
    #[must_use]
    pub fn left_of_lane(&self, lane: LaneId) -> f64 {
        self.left[lane.index()]
    }

    fn spread(&mut self, network: &Network, flows: &Flows, id: MovementId) {
        let m = network.movement(id);
        let vph = flows.of_movement(id);
        let mut lanes: Vec<LaneId> = m.connections.iter().map(|c| network.connection(*c).from_lane).collect();
        lanes.sort_unstable();
        lanes.dedup();
        lanes.retain(|l| network.lane(*l).admits.cars);
        if lanes.is_empty() || vph <= 0.0 {
            return;
        }
        let left = matches!(m.turn, Turn::Left | Turn::UTurn);
        let equivalent = if left { left_equivalent(network, flows, id) } else { 1.0 };
        let needed = vph * equivalent / m.saturation.get();
        // Water finds its level: raise the emptiest lanes until everything has its place.
        let mut levels: Vec<f64> = lanes.iter().map(|l| self.of_lane(*l)).collect();
        levels.sort_by(f64::total_cmp);
        let mut level = levels[0];
        let mut rest = needed;
        for k in 1..=levels.len() {
            let next = levels.get(k).copied().unwrap_or(f64::INFINITY);
            let room = (next - level) * k as f64;
            if rest <= room {
                level += rest / k as f64;
                break;
            }
            rest -= room;
            level = next;
        }
        for lane in lanes {
            let more = (level - self.of_lane(lane)).max(0.0);
            let side = if left { &mut self.left } else { &mut self.ahead };
            side[lane.index()] += more;
        }
    }
}

/// How many vehicles that go straight on a left turning one counts for: 1 where nobody comes towards it or it has a
/// stage of its own, more the denser the oncoming stream (HCM 2000, exhibit C16-3, single lane).
fn left_equivalent(network: &Network, flows: &Flows, id: MovementId) -> f64 {
    const OPPOSED: [(f64, f64); 7] =
        [(0.0, 1.4), (200.0, 1.7), (400.0, 2.1), (600.0, 2.5), (800.0, 3.1), (1_000.0, 3.7), (1_200.0, 4.5)];
    let own_stage = network.movement(id).connections.iter().any(|c| is_ever_protected(network, *c));
    let oncoming_vph: f64 = oncoming(network, id).into_iter().map(|m| flows.of_movement(m)).sum();
    if own_stage || oncoming_vph <= 0.0 {
        return 1.0;
    }
    let above = OPPOSED.iter().position(|(q, _)| *q >= oncoming_vph);
    match above {
        None => OPPOSED[OPPOSED.len() - 1].1,
        Some(0) => OPPOSED[0].1,
        Some(k) => {
            let ((q0, e0), (q1, e1)) = (OPPOSED[k - 1], OPPOSED[k]);
            e0 + (e1 - e0) * (oncoming_vph - q0) / (q1 - q0)
        }
    }
}

/// Movements that this one gives way to.
fn oncoming(network: &Network, id: MovementId) -> Vec<MovementId> {
    let mut found: Vec<MovementId> = network
        .movement(id)
        .connections
        .iter()
        .flat_map(|c| network.foes(*c))
        .filter(|f| f.i_yield)
        .map(|f| network.connection(f.connection).movement)
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// True where some stage shows a connection a green of its own.
pub(super) fn is_ever_protected(network: &Network, connection: ConnectionId) -> bool {
    use greenkerb_models::signal::Indication;
    let Some(head) = network.connection(connection).signal else { return false };
    let shows = |s: &greenkerb_models::signal::Step| s.shows[head.group.index()] == Indication::Protected;
    network.controller(head.controller).program.stages().any(shows)
}
