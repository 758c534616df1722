//! All detectors and lanes together: takes observations as they come and keeps the estimates up to date.

use std::sync::Arc;

use greenkerb_models::detection::{DetectorKind, Observation};
use greenkerb_models::ids::{ControllerId, DetectorId, LaneId};
use greenkerb_models::network::Network;
use greenkerb_models::units::{Ds, MetresPerSecond, TimeDs};

use crate::signals::Budget;

use super::detector::{DetectorStatus, DetectorTrack, Interval, Reading, Timeliness};
use super::health::{Beside, Evidence, Health, HealthRules};
use super::imputation::{Imputed, UsualLane, chance_all_fail, impute_vph};
use super::lane::{LaneEstimate, LaneTrack, Trust, Upstream};
use super::presumed::Presumed;
use super::ways::Ways;

/// How often health is judged.
const JUDGE_EVERY: Ds = Ds::from_s(10);

/// Vehicles that passed a stop bar while a queue stood behind it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Passed {
    pub(crate) lane: LaneId,
    pub(crate) begin: TimeDs,
    pub(crate) length: Ds,
    pub(crate) count: u32,
}

/// What the signals did to a lane since the estimator was last advanced.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Shown {
    /// Vehicles that could pass.
    pub can_pass_veh: f64,
    /// It has green now.
    pub green: bool,
}

/// Where a loop lies, as its lane sees it. Upstream comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Upstream(usize),
    StopBar,
}

/// Estimates of a whole network.
#[derive(Debug, Clone)]
pub struct Estimator {
    network: Arc<Network>,
    rules: HealthRules,
    detectors: Vec<DetectorTrack>,
    lanes: Vec<LaneTrack>,
    /// What each lane passes under the controller's own plan.
    usual: Vec<UsualLane>,
    lane_track: Vec<Option<usize>>,
    feed_since: Option<TimeDs>,
    feed_now: TimeDs,
    judged: TimeDs,
    /// When it was last advanced.
    advanced: Option<TimeDs>,
    /// Whether each lane had green then.
    green: Vec<bool>,
    passed: Vec<Passed>,
    ways: Ways,
}

impl Estimator {
    /// Nothing is known yet.
    #[must_use]
    pub fn new(network: Arc<Network>) -> Self {
        let mut lane_track = vec![None; network.lanes().len()];
        let mut lanes = Vec::new();
        let controllers = (0..network.controllers().len()).map(ControllerId::at);
        let mut ids: Vec<(LaneId, ControllerId)> =
            controllers.flat_map(|c| network.approach_lanes(c).into_iter().map(move |lane| (lane, c))).collect();
        ids.sort_unstable();
        ids.dedup_by_key(|(lane, _)| *lane);
        let mut usual = Vec::new();
        for (id, controller) in ids {
            usual.push(UsualLane::new(&network, controller, id));
            let watching = network.detectors_watching(id);
            let stop = watching.iter().copied().find(|d| network.detector(*d).kind == DetectorKind::StopBar);
            let advance = watching
                .iter()
                .filter(|d| network.detector(**d).kind == DetectorKind::Advance)
                .map(|d| Upstream::new(&network, *d, id))
                .collect();
            lane_track[id.index()] = Some(lanes.len());
            lanes.push(LaneTrack::new(id, network.lane(id), stop, advance));
        }
        Self {
            detectors: vec![DetectorTrack::default(); network.detectors().len()],
            rules: HealthRules::default(),
            green: vec![false; lanes.len()],
            advanced: None,
            lanes,
            usual,
            ways: Ways::new(&network),
            lane_track,
            network,
            feed_since: None,
            feed_now: TimeDs(i64::MIN / 2),
            judged: TimeDs(i64::MIN / 2),
            passed: Vec::new(),
        }
    }

    /// Takes one observation.
    pub fn observe(&mut self, o: &Observation) -> Timeliness {
        self.feed_since.get_or_insert(o.begin);
        self.feed_now = self.feed_now.max(o.end());
        self.detectors[o.detector.index()].take(o, self.feed_now)
    }

    /// End of the newest interval heard, if any.
    #[must_use]
    pub fn feed_now(&self) -> Option<TimeDs> {
        self.feed_since.map(|_| self.feed_now)
    }

    /// Turns everything that ended by `now` into estimates. `shown` tells what the signals did to a lane meanwhile.
    pub fn advance(&mut self, now: TimeDs, shown: impl Fn(LaneId) -> Shown) {
        if self.feed_since.is_none() {
            return;
        }
        if now.since(self.judged) >= i64::from(JUDGE_EVERY.0) {
            self.judged = now;
            self.judge(now);
        }
        let seconds = self.advanced.map_or(0.0, |last| now.since(last) as f64 / 10.0).clamp(0.0, 60.0);
        self.advanced = Some(now);
        let heard = self.drain(now);
        for (d, intervals) in heard.iter().enumerate() {
            for i in intervals {
                self.ways.count(DetectorId::at(d), i);
                self.detectors[d].look(i);
            }
        }
        let measured_vph = self.measured_vph();
        let failing_share = self.failing_share();
        for k in 0..self.lanes.len() {
            let trust = self.trust(k);
            let shown = shown(self.lanes[k].lane);
            self.look_beside(k, &heard, shown.green);
            for (interval, place) in self.due(k, &heard) {
                match place {
                    Place::StopBar if trust.stop => self.depart(k, &interval, trust),
                    Place::Upstream(number) if trust.advance => self.lanes[k].arrive(number, &interval),
                    _ => {}
                }
            }
            self.lanes[k].settle(trust);
            if !trust.stop && !trust.advance {
                let imputed = self.imputed(k, &measured_vph, failing_share);
                self.lanes[k].impute(imputed, seconds);
            }
            if !trust.stop {
                self.lanes[k].depart_unseen(shown.can_pass_veh);
            }
        }
    }

    /// An interval of the stop bar of lane `k`.
    fn depart(&mut self, k: usize, interval: &Interval, trust: Trust) {
        let lane = &mut self.lanes[k];
        let queued_before = lane.queued();
        let unseen = lane.depart(interval, trust);
        if queued_before && lane.queued() {
            let Interval { begin, length, count, .. } = *interval;
            self.passed.push(Passed { lane: lane.lane, begin, length, count });
        }
        self.take_from_beside(k, unseen);
    }

    /// Notes what the loops of lane `k` and its signals say about each other.
    fn look_beside(&mut self, k: usize, heard: &[Vec<Interval>], green: bool) {
        let ended = std::mem::replace(&mut self.green[k], green) && !green;
        let lane = &self.lanes[k];
        let Some(stop) = lane.stop else { return };
        let counted = |d: DetectorId| heard[d.index()].iter().map(|i| f64::from(i.count)).sum::<f64>();
        let heard_s = |d: DetectorId| heard[d.index()].iter().map(|i| i.length.seconds()).sum::<f64>();
        // Who has not been heard for long may yet turn out to lie.
        let usable = |tracks: &[DetectorTrack], d: DetectorId| {
            tracks[d.index()].health.trusted() && tracks[d.index()].is_known()
        };
        let came: f64 = lane.advance.iter().map(|u| counted(u.detector) * u.weight).sum();
        let came = if lane.advance.iter().all(|u| usable(&self.detectors, u.detector)) { came } else { 0.0 };
        let went = if usable(&self.detectors, stop) { counted(stop) } else { 0.0 };
        let nobody_stands = lane.is_free() && usable(&self.detectors, stop);
        let track = &mut self.detectors[stop.index()];
        track.beside.vehicles += came;
        track.beside.greens += u32::from(ended && track.is_covered());
        for u in &lane.advance {
            let track = &mut self.detectors[u.detector.index()];
            if u.weight >= 1.0 {
                track.beside.vehicles += went;
            }
            let covered_s = if track.is_covered() && nobody_stands { heard_s(u.detector) } else { 0.0 };
            track.beside.alone_s += covered_s;
        }
    }

    /// Vehicles that left lane `k` without having come there came on a lane beside it: the fullest one.
    fn take_from_beside(&mut self, k: usize, mut vehicles: f64) {
        let link = self.network.lane(self.lanes[k].lane).link;
        let mut beside: Vec<usize> =
            self.network.link(link).lanes.iter().filter_map(|l| self.lane_track[l.index()]).collect();
        beside.retain(|&other| other != k && self.trust(other).advance);
        while vehicles > 1e-6 {
            let fuller = |a: &usize, b: &usize| self.lanes[*a].between().total_cmp(&self.lanes[*b].between());
            let Some(fullest) = beside.iter().copied().max_by(fuller) else { return };
            vehicles = self.lanes[fullest].give(vehicles);
            beside.retain(|&other| other != fullest);
        }
    }

    /// Where the vehicles of an approach lane are presumed to be; `green_s` is how long it has been green, if it is.
    #[must_use]
    pub fn presumed(&self, lane: LaneId, now: TimeDs, green_s: Option<f64>) -> Vec<Presumed> {
        let track = self.lane_track[lane.index()].map(|k| &self.lanes[k]);
        let speed_mps = self.network.lane(lane).speed.get();
        track.map_or_else(Vec::new, |t| t.presumed(now, speed_mps, green_s))
    }

    /// Intervals of every detector that ended by `now`.
    fn drain(&mut self, now: TimeDs) -> Vec<Vec<Interval>> {
        self.detectors
            .iter_mut()
            .map(|d| {
                let due = d.pending.iter().take_while(|i| i.end() <= now).count();
                d.pending.drain(..due).collect()
            })
            .collect()
    }

    /// What a lane's loops said, in order; advance loops first where they tie, because vehicles come before they go.
    fn due(&self, k: usize, heard: &[Vec<Interval>]) -> Vec<(Interval, Place)> {
        let lane = &self.lanes[k];
        let stop = lane.stop.iter().map(|d| (*d, Place::StopBar));
        let upstream = lane.advance.iter().enumerate().map(|(n, u)| (u.detector, Place::Upstream(n)));
        let mut due: Vec<(Interval, Place)> =
            stop.chain(upstream).flat_map(|(d, place)| heard[d.index()].iter().map(move |i| (*i, place))).collect();
        due.sort_by_key(|(i, place)| (i.end(), *place));
        due
    }

    fn trusted(&self, detector: Option<DetectorId>) -> bool {
        detector.is_some_and(|d| self.detectors[d.index()].is_believed())
    }

    fn trust(&self, k: usize) -> Trust {
        let lane = &self.lanes[k];
        let advance = !lane.advance.is_empty() && lane.advance.iter().all(|u| self.trusted(Some(u.detector)));
        Trust { stop: self.trusted(lane.stop), advance }
    }

    fn judge(&mut self, now: TimeDs) {
        let window_start = now - self.rules.window;
        for d in &mut self.detectors {
            d.trim(window_start);
        }
        let feed_since = self.feed_since.unwrap_or(now);
        let measured_vph = self.measured_vph();
        for d in 0..self.detectors.len() {
            let id = DetectorId::at(d);
            let detector = self.network.detector(id);
            let lane = self.network.lane(detector.lane);
            let watched: Vec<usize> = detector.watches.iter().filter_map(|l| self.lane_track[l.index()]).collect();
            let track = &self.detectors[d];
            let health = self.rules.judge(&Evidence {
                intervals: &track.window,
                usual: track.usual,
                beside: track.beside,
                feed_now: self.feed_now,
                feed_since,
                other_count: self.other_count(id, &watched),
                past_vph: self.past_vph(id, &watched),
                promised_veh: self.nearby_vph(id, &watched, &measured_vph) * track.beside.quiet_s / 3600.0,
                speed_max: MetresPerSecond::new(lane.speed.get() * 1.4 + 3.0).unwrap_or_default(),
                loop_m: detector.length.get(),
            });
            let track = &mut self.detectors[d];
            if track.health == health {
                continue;
            }
            track.health = health;
            track.since = Some(now);
            // Whoever is stuck and has counted nobody lately has been so for as long as is remembered.
            let stuck = matches!(health, Health::StuckOn | Health::StuckOff) && track.count() == 0;
            if health.lied() || stuck {
                self.forget(id, &watched);
            }
        }
    }

    /// Takes back what a detector taught that turns out to have lied, also about those beside it.
    fn forget(&mut self, liar: DetectorId, watched: &[usize]) {
        for &k in watched {
            self.lanes[k].forget(liar);
            let lane = &self.lanes[k];
            // What speaks against the liar itself came from others and stands.
            let loops = lane.stop.into_iter().chain(lane.advance.iter().map(|u| u.detector));
            for d in loops.filter(|d| *d != liar) {
                let beside = &mut self.detectors[d.index()].beside;
                *beside = Beside { quiet_s: beside.quiet_s, ..Beside::default() };
            }
        }
    }

    /// Vehicles in the window that the other loops of the same lanes counted, as far as those can be compared.
    fn other_count(&self, id: DetectorId, watched: &[usize]) -> Option<u32> {
        let count = |d: DetectorId| {
            let track = &self.detectors[d.index()];
            let speaks = matches!(track.health, Health::Healthy | Health::Inconsistent) && track.is_known();
            speaks.then(|| f64::from(track.count()))
        };
        let mut sum = 0.0;
        for &k in watched {
            let lane = &self.lanes[k];
            if lane.stop == Some(id) {
                for u in &lane.advance {
                    sum += count(u.detector)? * u.weight;
                }
                if lane.advance.is_empty() {
                    return None;
                }
            } else {
                sum += count(lane.stop?)? / lane.advance.len() as f64;
            }
        }
        (!watched.is_empty()).then_some(sum.round() as u32)
    }

    /// What the detector should see by the long-term flow of the lanes it watches.
    fn past_vph(&self, id: DetectorId, watched: &[usize]) -> Option<f64> {
        watched
            .iter()
            .map(|&k| {
                let lane = &self.lanes[k];
                let loops = if lane.stop == Some(id) { 1.0 } else { lane.advance.len() as f64 };
                lane.past_vph().map(|q| q / loops)
            })
            .sum()
    }

    /// What stands in for a lane without any trusted loop: its own past, else what lanes nearby say.
    fn imputed(&self, k: usize, measured_vph: &[Option<f64>], failing_share: f64) -> Imputed {
        let lane = &self.lanes[k];
        if let Some(past_vph) = lane.past_vph() {
            return Imputed { flow_vph: past_vph, room_vph: past_vph };
        }
        let flow_vph = impute_vph(k, &self.usual, measured_vph);
        let quiet = |d: DetectorId| matches!(self.detectors[d.index()].health, Health::Healthy | Health::StuckOff);
        let blind = if lane.loops().all(quiet) { chance_all_fail(failing_share, lane.loops().count()) } else { 1.0 };
        Imputed { flow_vph, room_vph: self.usual[k].room_vph(flow_vph, blind) }
    }

    /// Share of loops that fail, by the lanes of which at least one loop is believed. Of `n` loops that fail with chance `p`
    /// each, that leaves out the lanes where all do; for two loops, which is what lanes have, the share seen is p / (1 + p).
    fn failing_share(&self) -> f64 {
        let believed = |d: DetectorId| self.detectors[d.index()].is_believed();
        let (mut loops, mut failing) = (0u32, 0u32);
        for lane in self.lanes.iter().filter(|lane| lane.loops().any(believed)) {
            loops += lane.loops().count() as u32;
            failing += lane.loops().filter(|d| !believed(*d)).count() as u32;
        }
        let seen = f64::from(failing) / f64::from(loops.max(1));
        seen / (1.0 - seen).max(0.5)
    }

    /// Flow of every lane that a trusted loop watches.
    fn measured_vph(&self) -> Vec<Option<f64>> {
        let measured = |n: usize| {
            let trust = self.trust(n);
            (trust.stop || trust.advance).then(|| self.lanes[n].estimate().flow_vph)
        };
        (0..self.lanes.len()).map(measured).collect()
    }

    /// What a detector should see by the load of the lanes near those it watches; nothing while no lane is measured.
    fn nearby_vph(&self, id: DetectorId, watched: &[usize], measured_vph: &[Option<f64>]) -> f64 {
        if measured_vph.iter().all(Option::is_none) {
            return 0.0;
        }
        let part_vph = |k: usize| {
            let lane = &self.lanes[k];
            let loops = if lane.stop == Some(id) { 1 } else { lane.advance.len().max(1) };
            impute_vph(k, &self.usual, measured_vph) / loops as f64
        };
        watched.iter().map(|&k| part_vph(k)).sum()
    }

    /// Finds anew which way vehicles go, by the counts of the last twenty minutes.
    pub(crate) fn estimate_ways(&mut self, now: TimeDs, budget: &dyn Budget) {
        let detectors = &self.detectors;
        self.ways.estimate(now, |d| detectors[d.index()].is_believed(), budget);
    }

    /// Share of its lane's vehicles that each connection of the network takes.
    pub(crate) fn way_shares(&self) -> &[f64] {
        self.ways.shares()
    }

    /// Takes what passed under a queue since the last call.
    pub(crate) fn take_passed(&mut self) -> Vec<Passed> {
        std::mem::take(&mut self.passed)
    }

    /// What is known about a lane; `None` for lanes that end at no signal.
    #[must_use]
    pub fn lane(&self, id: LaneId) -> Option<LaneEstimate> {
        self.lane_track[id.index()].map(|k| self.lanes[k].estimate())
    }

    /// What is known about every approach lane, in lane order.
    #[must_use]
    pub fn lanes(&self) -> Vec<LaneEstimate> {
        self.lanes.iter().map(LaneTrack::estimate).collect()
    }

    /// Seconds of flow measured on the best-known of these lanes.
    #[must_use]
    pub fn memory_s(&self, lanes: &[LaneId]) -> f64 {
        lanes.iter().filter_map(|l| self.lane_track[l.index()]).map(|k| self.lanes[k].memory_s()).fold(0.0, f64::max)
    }

    /// Raw value, flag and imputed value of every detector, in detector order.
    #[must_use]
    pub fn detectors(&self) -> Vec<DetectorStatus> {
        let network = &self.network;
        self.detectors
            .iter()
            .enumerate()
            .map(|(i, t)| {
                let imputed =
                    (!t.health.trusted()).then(|| self.lane_track[network.detectors()[i].watches[0].index()]).flatten();
                DetectorStatus {
                    detector: DetectorId::at(i),
                    health: t.health,
                    since: t.since,
                    heard: t.heard,
                    raw: t.reading(),
                    imputed: imputed.map(|k| {
                        let e = self.lanes[k].estimate();
                        Reading { flow_vph: e.flow_vph, occupancy: e.occupancy }
                    }),
                }
            })
            .collect()
    }

    /// How a detector is doing.
    #[must_use]
    pub fn health(&self, d: DetectorId) -> Health {
        self.detectors[d.index()].health
    }
}
