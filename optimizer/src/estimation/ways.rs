//! Which way the vehicles of each approach lane go, from loop counts.
//!
//! What leaves the lanes of a junction (stop bars) is laid beside what enters the links behind it (their loops), window
//! by window and shifted by the travel time; `turning` finds the shares under which the two agree best. Where the counts
//! do not tell, straight on is worth three turns.

use std::collections::VecDeque;

use greenkerb_models::detection::DetectorKind;
use greenkerb_models::ids::{ConnectionId, ControllerId, DetectorId, LaneId, LinkId};
use greenkerb_models::network::{Network, Turn};
use greenkerb_models::units::{Ds, TimeDs};

use super::detector::Interval;
use super::turning::{TurningCounts, turning_ratios};
use crate::signals::Budget;

/// Counts are kept in slots of this length, for so many slots.
const SLOT_DS: i64 = 100;
const SLOTS: usize = 132;

/// Windows that inflow and outflow are compared over: longer than a platoon takes to disperse.
const WINDOW_SLOTS: usize = 12;

/// Fewer vehicles in all windows together tell nothing about a lane.
const EVIDENCE_MIN_VEH: f64 = 20.0;

/// How far behind a junction the loops of an exit may lie, metres and links.
const EXIT_MAX_M: f64 = 800.0;
const EXIT_LINKS_MAX: usize = 8;

/// A way out of a junction.
#[derive(Debug, Clone)]
struct Exit {
    link: LinkId,
    /// Loops that together see everybody who takes it, with the travel time to them; empty where there are none.
    loops: Vec<DetectorId>,
    travel_slots: usize,
}

/// A lane in front of a junction.
#[derive(Debug, Clone)]
struct Entry {
    stop: Option<DetectorId>,
    /// Its connections with the number of the exit that each leads to.
    ways: Vec<(ConnectionId, usize)>,
}

/// A junction: everything under one controller.
#[derive(Debug, Clone)]
struct Node {
    entries: Vec<Entry>,
    exits: Vec<Exit>,
}

/// Shares of every approach lane.
#[derive(Debug, Clone)]
pub(crate) struct Ways {
    share: Vec<f64>,
    prior: Vec<f64>,
    nodes: Vec<Node>,
    /// `counts[slot][detector]`, the oldest slot first; the newest one ends after `newest`.
    counts: VecDeque<Vec<u16>>,
    newest: Option<i64>,
    detectors: usize,
}

/// Share of a lane's vehicles by connection where nothing was counted; each lane's shares sum to one.
pub(crate) fn prior_shares(network: &Network) -> Vec<f64> {
    let worth = |c: ConnectionId| match network.movement(network.connection(c).movement).turn {
        Turn::Straight => 3.0,
        Turn::Left | Turn::Right => 1.0,
        Turn::UTurn => 0.05,
    };
    let mut share = vec![0.0; network.connections().len()];
    for lane in (0..network.lanes().len()).map(LaneId::at) {
        let ways = network.connections_from(lane);
        let sum: f64 = ways.iter().map(|c| worth(*c)).sum();
        for c in ways {
            share[c.index()] = worth(*c) / sum;
        }
    }
    share
}

impl Ways {
    /// Nothing has been counted yet.
    pub(crate) fn new(network: &Network) -> Self {
        let prior = prior_shares(network);
        Self {
            share: prior.clone(),
            prior,
            nodes: (0..network.controllers().len()).map(|c| Node::new(network, ControllerId::at(c))).collect(),
            counts: VecDeque::new(),
            newest: None,
            detectors: network.detectors().len(),
        }
    }

    /// Shares by connection.
    pub(crate) fn shares(&self) -> &[f64] {
        &self.share
    }

    /// Notes what a detector counted.
    pub(crate) fn count(&mut self, detector: DetectorId, interval: &Interval) {
        let slot = (interval.begin + Ds(interval.length.0 / 2)).0.div_euclid(SLOT_DS);
        let newest = *self.newest.get_or_insert(slot);
        for _ in newest.max(slot - SLOTS as i64)..slot {
            self.counts.push_back(vec![0; self.detectors]);
        }
        if self.counts.is_empty() {
            self.counts.push_back(vec![0; self.detectors]);
        }
        while self.counts.len() > SLOTS {
            self.counts.pop_front();
        }
        let newest = newest.max(slot);
        self.newest = Some(newest);
        let back = usize::try_from(newest - slot).unwrap_or(usize::MAX);
        if let Some(at) = self.counts.len().checked_sub(back.saturating_add(1)) {
            let cell = &mut self.counts[at][detector.index()];
            *cell = cell.saturating_add(u16::try_from(interval.count).unwrap_or(u16::MAX));
        }
    }

    /// Finds the shares anew. A junction keeps those it has when the budget ends before its turn.
    pub(crate) fn estimate(&mut self, now: TimeDs, trusted: impl Fn(DetectorId) -> bool, budget: &dyn Budget) {
        // The slot that is still filling is left out.
        let Some(newest) = self.newest.map(|n| n.min(now.0.div_euclid(SLOT_DS))) else { return };
        let full =
            self.counts.len().saturating_sub(1 + usize::try_from(self.newest.unwrap_or(0) - newest).unwrap_or(0));
        for node in &self.nodes {
            let Some(counts) = node.counts(&self.counts, full, &self.prior, &trusted) else { continue };
            let Ok(found) = turning_ratios(&counts, budget) else { continue };
            for (l, entry) in node.entries.iter().enumerate() {
                let told = found.evidence_veh[l] >= EVIDENCE_MIN_VEH;
                for (exit, share) in
                    counts.prior[l].iter().zip(&found.shares[l]).map(|((e, p), s)| (*e, if told { *s } else { *p }))
                {
                    let alike: Vec<ConnectionId> = entry.ways.iter().filter(|w| w.1 == exit).map(|w| w.0).collect();
                    for c in &alike {
                        self.share[c.index()] = share / alike.len() as f64;
                    }
                }
            }
        }
    }
}

impl Node {
    fn new(network: &Network, controller: ControllerId) -> Self {
        let mut exits: Vec<Exit> = Vec::new();
        let entries = network
            .approach_lanes(controller)
            .into_iter()
            .map(|lane| {
                let ways = network
                    .connections_from(lane)
                    .iter()
                    .map(|&c| {
                        let link = network.lane(network.connection(c).to_lane).link;
                        let known = exits.iter().position(|e| e.link == link);
                        let exit = known.unwrap_or_else(|| {
                            exits.push(Exit::new(network, link));
                            exits.len() - 1
                        });
                        (c, exit)
                    })
                    .collect();
                let watching = network.detectors_watching(lane);
                let stop = watching.iter().copied().find(|d| network.detector(*d).kind == DetectorKind::StopBar);
                Entry { stop, ways }
            })
            .collect();
        // Whoever comes by a lane without a signal is not counted: an exit that such a lane leads to tells nothing.
        let mut node = Self { entries, exits };
        let own: Vec<LaneId> = network.approach_lanes(controller);
        for exit in &mut node.exits {
            let lanes = network.movements_into(exit.link).iter().flat_map(|m| &network.movement(*m).connections);
            if lanes.map(|c| network.connection(*c).from_lane).any(|lane| !own.contains(&lane)) {
                exit.loops.clear();
            }
        }
        node
    }

    /// Counts of the windows in the first `full` slots; `None` when no exit is measured.
    fn counts(
        &self,
        slots: &VecDeque<Vec<u16>>,
        full: usize,
        prior: &[f64],
        trusted: &impl Fn(DetectorId) -> bool,
    ) -> Option<TurningCounts> {
        let seen = |e: &Entry| e.stop.is_some_and(trusted);
        let measured: Vec<bool> = (0..self.exits.len())
            .map(|x| {
                let exit = &self.exits[x];
                let from = self.entries.iter().filter(|e| e.ways.iter().any(|w| w.1 == x));
                !exit.loops.is_empty() && exit.loops.iter().all(|d| trusted(*d)) && from.clone().all(seen)
            })
            .collect();
        let late = (0..self.exits.len()).filter(|x| measured[*x]).map(|x| self.exits[x].travel_slots).max()?;
        let windows = full.saturating_sub(late) / WINDOW_SLOTS;
        let sum = |d: DetectorId, first: usize| -> f64 {
            (first..first + WINDOW_SLOTS).map(|s| f64::from(slots[s][d.index()])).sum()
        };
        let window = |w: usize| full - late - (w + 1) * WINDOW_SLOTS;
        let (mut inflow, mut outflow) = (Vec::new(), Vec::new());
        for first in (0..windows).map(window) {
            inflow.push(self.entries.iter().map(|e| e.stop.map_or(0.0, |d| sum(d, first))).collect());
            let out = |(x, exit): (usize, &Exit)| {
                let counted = || exit.loops.iter().map(|d| sum(*d, first + exit.travel_slots)).sum();
                if measured[x] { counted() } else { f64::NAN }
            };
            outflow.push(self.exits.iter().enumerate().map(out).collect());
        }
        let prior = self
            .entries
            .iter()
            .map(|e| {
                let mut by_exit: Vec<(usize, f64)> = Vec::new();
                for (c, x) in &e.ways {
                    match by_exit.iter_mut().find(|(known, _)| known == x) {
                        Some((_, share)) => *share += prior[c.index()],
                        None => by_exit.push((*x, prior[c.index()])),
                    }
                }
                by_exit
            })
            .collect();
        (windows > 0).then_some(TurningCounts { inflow, outflow, prior })
    }
}

impl Exit {
    /// Follows the only way on until loops see the whole width of a link.
    fn new(network: &Network, link: LinkId) -> Self {
        let (mut at, mut metres, mut seconds) = (link, 0.0, 0.0);
        for _ in 0..EXIT_LINKS_MAX {
            let lanes = &network.link(at).lanes;
            let first = |kind| {
                let on = |lane: &LaneId| {
                    network.detectors_on(*lane).iter().copied().find(|d| network.detector(*d).kind == kind)
                };
                lanes.iter().map(on).collect::<Option<Vec<DetectorId>>>()
            };
            let lane = network.lane(lanes[0]);
            let whole_s = lane.length.get() / lane.speed.get().max(1.0);
            if let Some(loops) = first(DetectorKind::Advance).or_else(|| first(DetectorKind::StopBar)) {
                let before_m = (lane.length.get() - network.detector(loops[0]).to_stop_line.get()).max(0.0);
                let travel_s = seconds + before_m / lane.speed.get().max(1.0);
                return Self { link, loops, travel_slots: (travel_s * 10.0 / SLOT_DS as f64).round() as usize };
            }
            (metres, seconds) = (metres + lane.length.get(), seconds + whole_s);
            let on = |turn: Turn| turn != Turn::UTurn;
            let mut ways = network.movements_from(at).iter().map(|m| network.movement(*m)).filter(|m| on(m.turn));
            let (Some(only), None) = (ways.next(), ways.next()) else { break };
            let joins = network.movements_into(only.to_link).iter().map(|m| network.movement(*m));
            if metres > EXIT_MAX_M || joins.filter(|m| on(m.turn)).count() != 1 {
                break;
            }
            at = only.to_link;
        }
        Self { link, loops: Vec::new(), travel_slots: 0 }
    }
}
