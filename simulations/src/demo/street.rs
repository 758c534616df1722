//! The street as a whole, in steps of one second.

use std::collections::VecDeque;
use std::sync::Arc;

use greenkerb_models::ids::{ConnectionId, ControllerId, GroupId, LaneId};
use greenkerb_models::network::Network;
use greenkerb_models::signal::Indication;
use greenkerb_models::units::{Ds, TimeDs};
use serde::Serialize;

use super::demand::{Choice, Demand};
use super::lanes::{LaneQueue, SPACING_M, Vehicle};
use super::loops::{Loops, Reading};
use super::right_of_way::{CRITICAL_GAP_S, Crossroads, Lamps, Leave, Way};
use crate::random::SplitMix64;

/// Time lost by the first driver after a red (HCM 7th ed., exhibit 19-11).
const START_UP_MS: i64 = 2_000;
/// Length of a step.
pub const STEP: Ds = Ds::from_s(1);
const STEP_MS: i64 = 1_000;

/// How many vehicles are where. `inserted = driving + arrived`, and `wanted = inserted + waiting`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Totals {
    /// Vehicles that wanted to come into the city.
    pub wanted: u64,
    /// Of them, those that found room to.
    pub inserted: u64,
    /// On the road now.
    pub driving: u64,
    /// Left the city.
    pub arrived: u64,
    /// Outside, because the first lane is full.
    pub waiting: u64,
    /// On the road and hardly moving.
    pub queued: u64,
}

/// A vehicle that crossed a line with a signal in the last step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Crossed {
    /// The way it took.
    pub way: ConnectionId,
    /// What its signal showed.
    pub shown: Indication,
}

/// A mesoscopic street: lanes are queues, drivers neither overtake nor change lanes within a link.
#[derive(Debug, Clone)]
pub struct Street {
    network: Arc<Network>,
    now: TimeDs,
    demand: Demand,
    turns: SplitMix64,
    choices: Vec<Choice>,
    ways: Vec<Way>,
    lanes: Vec<LaneQueue>,
    /// Vehicles outside, per lane: how many want in.
    outside: Vec<u64>,
    lamps: Vec<Lamps>,
    crossroads: Vec<Crossroads>,
    /// Lanes that lead to each node, for junctions without signals.
    lanes_into: Vec<Vec<LaneId>>,
    loops: Loops,
    crossed: Vec<Crossed>,
    totals: Totals,
}

impl Street {
    /// An empty street at an instant.
    #[must_use]
    pub fn new(network: Arc<Network>, seed: u64, start: TimeDs) -> Self {
        let mut seeds = SplitMix64(seed);
        let demand = Demand::new(&network, seeds.next(), start);
        let mut lanes_into = vec![Vec::new(); network.nodes().len()];
        for (i, lane) in network.lanes().iter().enumerate() {
            lanes_into[network.link(lane.link).to.index()].push(LaneId::at(i));
        }
        Self {
            now: start,
            demand,
            turns: SplitMix64(seeds.next()),
            choices: (0..network.lanes().len()).map(|i| Choice::on(&network, LaneId::at(i))).collect(),
            ways: Way::all(&network),
            lanes: network.lanes().iter().map(LaneQueue::of).collect(),
            outside: vec![0; network.lanes().len()],
            lamps: vec![Lamps::default(); network.controllers().len()],
            crossroads: vec![Crossroads::default(); network.nodes().len()],
            lanes_into,
            loops: Loops::of(&network),
            crossed: Vec::new(),
            totals: Totals::default(),
            network,
        }
    }

    /// What time it is on the street.
    #[must_use]
    pub const fn now(&self) -> TimeDs {
        self.now
    }

    /// How many vehicles are where.
    #[must_use]
    pub const fn totals(&self) -> Totals {
        self.totals
    }

    /// Links on which vehicles come into the city.
    #[must_use]
    pub fn sources(&self) -> usize {
        self.demand.sources()
    }

    /// Who crossed a line with a signal in the last step.
    #[must_use]
    pub fn crossed(&self) -> &[Crossed] {
        &self.crossed
    }

    /// Vehicles on a lane, and how many find room there.
    #[must_use]
    pub fn filling(&self, lane: LaneId) -> (usize, usize) {
        let lane = &self.lanes[lane.index()];
        (lane.len(), lane.storage())
    }

    /// Vehicles that hardly move, per lane that ends at a signal, on average.
    #[must_use]
    pub fn mean_queue(&self) -> f64 {
        let controllers = (0..self.network.controllers().len()).map(ControllerId::at);
        let lanes: Vec<LaneId> = controllers.flat_map(|c| self.network.approach_lanes(c)).collect();
        let queued: usize = lanes.iter().map(|l| self.lanes[l.index()].queued()).sum();
        if lanes.is_empty() { 0.0 } else { queued as f64 / lanes.len() as f64 }
    }

    /// What every detector saw since the last time, in the order of the network's detectors.
    pub fn read_loops(&mut self) -> Vec<Reading> {
        self.loops.take()
    }

    /// What the heads of a controller show from now on.
    pub fn show(&mut self, controller: ControllerId, heads: &[Indication]) {
        self.lamps[controller.index()].show(heads, ms(self.now));
    }

    /// One second passes.
    pub fn step(&mut self) {
        let now_ms = ms(self.now);
        self.crossed.clear();
        let arrivals = self.demand.arrivals(self.now);
        self.totals.wanted += arrivals.len() as u64;
        for lane in arrivals {
            self.outside[lane.index()] += 1;
        }
        let mut entering: VecDeque<(LaneId, Vehicle)> = VecDeque::new();
        let mut room: Vec<usize> = self.lanes.iter().map(|l| l.storage().saturating_sub(l.len())).collect();
        for i in 0..self.lanes.len() {
            self.discharge(LaneId::at(i), now_ms, &mut room, &mut entering);
        }
        for lane in &mut self.lanes {
            lane.advance(now_ms + STEP_MS);
        }
        for (lane, vehicle) in entering {
            self.lanes[lane.index()].enter(vehicle);
        }
        self.let_in(&mut room);
        self.look();
        self.now = self.now + STEP;
        self.totals.driving = self.lanes.iter().map(|l| l.len() as u64).sum();
        self.totals.waiting = self.outside.iter().sum();
        self.totals.queued = self.lanes.iter().map(|l| l.queued() as u64).sum();
    }

    /// The foremost vehicle of a lane crosses the line if it may.
    fn discharge(&mut self, id: LaneId, now_ms: i64, room: &mut [usize], entering: &mut VecDeque<(LaneId, Vehicle)>) {
        let Some(front) = self.lanes[id.index()].front() else { return };
        let Some(way) = front.way else {
            // Out of the city.
            if self.lanes[id.index()].front_reaches_line() {
                self.take_off(id);
                self.totals.arrived += 1;
            }
            return;
        };
        if !self.may_go(id, way, now_ms) {
            return;
        }
        let lane = &self.lanes[id.index()];
        let rules = &self.ways[way.index()];
        if !lane.front_reaches_line() || lane.free_ms >= now_ms + STEP_MS || room[rules.to.index()] == 0 {
            return;
        }
        let (to, across_m, headway_ms) = (rules.to, rules.across_m, rules.headway_ms);
        if let Some((controller, group)) = rules.signal
            && let Some(shown) = self.lamps[controller.index()].shown(group)
        {
            self.crossed.push(Crossed { way, shown });
        }
        if let Some(node) = rules.contested {
            self.crossroads[node.index()].cross(self.network.lane(id).link, now_ms);
        }
        let lane = &mut self.lanes[id.index()];
        lane.free_ms = lane.free_ms.max(now_ms) + headway_ms;
        room[to.index()] -= 1;
        if let Some(beyond_m) = self.take_off(id) {
            let next = self.choices[to.index()].draw(&mut self.turns);
            entering.push_back((to, Vehicle::at(beyond_m - across_m, -across_m.max(SPACING_M), next)));
        }
    }

    /// Signals and the rules of the road for the foremost vehicle of a lane.
    fn may_go(&mut self, id: LaneId, way: ConnectionId, now_ms: i64) -> bool {
        let rules = &self.ways[way.index()];
        let Some((controller, group)) = rules.signal else {
            return rules.contested.is_none_or(|node| {
                let link = self.network.lane(id).link;
                self.crossroads[node.index()].is_clear_for(link, now_ms) && !self.others_first(id, node.index())
            });
        };
        let lamps = &self.lamps[controller.index()];
        let leave = lamps.leave(group, now_ms);
        let lane = &mut self.lanes[id.index()];
        if leave == Leave::Stop {
            lane.held = true;
            return false;
        }
        if std::mem::take(&mut lane.held) && lane.front_stands() {
            lane.free_ms = lane.free_ms.max(now_ms + START_UP_MS);
        }
        leave == Leave::Go || !rules.must_wait(lamps, |lane, group| self.comes(lane, controller, group))
    }

    /// True when the foremost driver of a lane is about to cross the line with a group.
    fn comes(&self, lane: LaneId, controller: ControllerId, group: GroupId) -> bool {
        let lane = &self.lanes[lane.index()];
        let with = |way: ConnectionId| {
            let rules = &self.ways[way.index()];
            // Who finds no room beyond the junction keeps it clear, and others use the gap.
            rules.signal == Some((controller, group)) && self.lanes[rules.to.index()].has_room()
        };
        lane.front_is_within(CRITICAL_GAP_S) && lane.front().and_then(|v| v.way).is_some_and(with)
    }

    /// True when somebody from another link came to the line of a junction without signals earlier and could go.
    fn others_first(&self, id: LaneId, node: usize) -> bool {
        let link = self.network.lane(id).link;
        let came = |lane: LaneId| self.lanes[lane.index()].front().and_then(|v| v.at_line_ms);
        let mine = came(id).unwrap_or(i64::MAX);
        self.lanes_into[node].iter().any(|other| {
            let could = |way: ConnectionId| self.lanes[self.ways[way.index()].to.index()].has_room();
            self.network.lane(*other).link != link
                && came(*other).is_some_and(|theirs| (theirs, *other) < (mine, id))
                && self.lanes[other.index()].front().and_then(|v| v.way).is_some_and(could)
        })
    }

    /// The foremost vehicle leaves its lane, seen by the loops it passes; how far beyond the line it gets.
    fn take_off(&mut self, id: LaneId) -> Option<f64> {
        let (vehicle, beyond_m) = self.lanes[id.index()].leave()?;
        for detector in self.network.detectors_on(id) {
            self.loops.see(detector.index(), vehicle.from_m, vehicle.at_m);
        }
        Some(beyond_m)
    }

    /// Those who wait outside come in where there is room, one a lane and second.
    fn let_in(&mut self, room: &mut [usize]) {
        for (i, outside) in self.outside.iter_mut().enumerate() {
            if *outside > 0 && room[i] > 0 {
                room[i] -= 1;
                *outside -= 1;
                self.totals.inserted += 1;
                let way = self.choices[i].draw(&mut self.turns);
                self.lanes[i].enter(Vehicle::at(0.0, -SPACING_M, way));
            }
        }
    }

    /// The loops see how everybody has moved.
    fn look(&mut self) {
        for (i, lane) in self.lanes.iter().enumerate() {
            for detector in self.network.detectors_on(LaneId::at(i)) {
                for (from_m, to_m) in lane.moves() {
                    self.loops.see(detector.index(), from_m, to_m);
                }
            }
        }
        self.loops.end_step();
    }
}

fn ms(at: TimeDs) -> i64 {
    at.0.saturating_mul(100)
}
