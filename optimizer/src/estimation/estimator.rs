//! All detectors and lanes together: takes observations as they come and keeps the estimates up to date.

use std::sync::Arc;

use greenkerb_models::detection::{DetectorKind, Observation};
use greenkerb_models::ids::{ControllerId, DetectorId, LaneId};
use greenkerb_models::network::Network;
use greenkerb_models::units::{Ds, MetresPerSecond, TimeDs};

use super::detector::{DetectorStatus, DetectorTrack, Interval, Reading, Timeliness};
use super::health::{Evidence, Health, HealthRules};
use super::lane::{LaneEstimate, LaneTrack, Trust};

/// How often health is judged.
const JUDGE_EVERY: Ds = Ds::from_s(10);

/// Flow of a lane of which nothing was ever known, vehicles per hour: a lane that is seldom empty and seldom full.
const UNKNOWN_VPH: f64 = 200.0;

/// Estimates of a whole network.
#[derive(Debug, Clone)]
pub struct Estimator {
    network: Arc<Network>,
    rules: HealthRules,
    detectors: Vec<DetectorTrack>,
    lanes: Vec<LaneTrack>,
    lane_track: Vec<Option<usize>>,
    feed_since: Option<TimeDs>,
    feed_now: TimeDs,
    judged: TimeDs,
}

impl Estimator {
    /// Nothing is known yet.
    #[must_use]
    pub fn new(network: Arc<Network>) -> Self {
        let mut lane_track = vec![None; network.lanes().len()];
        let mut lanes = Vec::new();
        let mut ids: Vec<LaneId> =
            (0..network.controllers().len()).flat_map(|c| network.approach_lanes(ControllerId::at(c))).collect();
        ids.sort_unstable();
        ids.dedup();
        for id in ids {
            let of = |kind| network.detectors_on(id).iter().copied().find(|d| network.detector(*d).kind == kind);
            let advance = of(DetectorKind::Advance).map(|d| (d, network.detector(d).to_stop_line.get()));
            lane_track[id.index()] = Some(lanes.len());
            lanes.push(LaneTrack::new(id, network.lane(id), of(DetectorKind::StopBar), advance));
        }
        Self {
            detectors: vec![DetectorTrack::default(); network.detectors().len()],
            rules: HealthRules::default(),
            lanes,
            lane_track,
            network,
            feed_since: None,
            feed_now: TimeDs(i64::MIN / 2),
            judged: TimeDs(i64::MIN / 2),
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

    /// Turns everything that ended by `now` into estimates.
    pub fn advance(&mut self, now: TimeDs) {
        if self.feed_since.is_none() {
            return;
        }
        if now.since(self.judged) >= i64::from(JUDGE_EVERY.0) {
            self.judged = now;
            self.judge(now);
        }
        for k in 0..self.lanes.len() {
            let trust = self.trust(k);
            for (interval, at_stop_bar) in self.pending(k, now) {
                let lane = &mut self.lanes[k];
                match at_stop_bar {
                    true if trust.stop => lane.depart(&interval, trust),
                    false if trust.advance => lane.arrive(&interval),
                    _ => {}
                }
            }
            self.lanes[k].settle(trust);
            if !trust.stop && !trust.advance {
                let flow_vph = self.imputed_vph(k);
                self.lanes[k].impute(flow_vph);
            }
        }
    }

    /// Intervals of a lane's two loops that ended by `now`, in order; the advance loop first where they tie, because
    /// vehicles come before they go.
    fn pending(&mut self, k: usize, now: TimeDs) -> Vec<(Interval, bool)> {
        let mut due = Vec::new();
        for (detector, at_stop_bar) in [(self.lanes[k].advance, false), (self.lanes[k].stop, true)] {
            let Some(d) = detector else { continue };
            let track = &mut self.detectors[d.index()];
            while track.pending.front().is_some_and(|i| i.end() <= now) {
                due.extend(track.pending.pop_front().map(|i| (i, at_stop_bar)));
            }
        }
        due.sort_by_key(|(i, at_stop_bar)| (i.end(), *at_stop_bar));
        due
    }

    fn trusted(&self, detector: Option<DetectorId>) -> bool {
        detector.is_some_and(|d| self.detectors[d.index()].health.trusted())
    }

    fn trust(&self, k: usize) -> Trust {
        let lane = &self.lanes[k];
        Trust { stop: self.trusted(lane.stop), advance: self.trusted(lane.advance) }
    }

    fn judge(&mut self, now: TimeDs) {
        let window_start = now - self.rules.window;
        for d in &mut self.detectors {
            d.trim(window_start);
        }
        let feed_since = self.feed_since.unwrap_or(now);
        for k in 0..self.lanes.len() {
            let (stop, advance) = (self.lanes[k].stop, self.lanes[k].advance);
            let past_vph = self.lanes[k].past_vph();
            let lane = self.network.lane(self.lanes[k].lane);
            let count_of = |d: Option<DetectorId>, tracks: &[DetectorTrack]| {
                d.map(|d| &tracks[d.index()])
                    .filter(|t| !matches!(t.health, Health::Missing | Health::Chatter | Health::StuckOff))
                    .map(DetectorTrack::count)
            };
            let counts = (count_of(stop, &self.detectors), count_of(advance, &self.detectors));
            for (detector, other_count) in [(stop, counts.1), (advance, counts.0)] {
                let Some(d) = detector else { continue };
                let track = &self.detectors[d.index()];
                let health = self.rules.judge(&Evidence {
                    intervals: &track.window,
                    usual: track.usual,
                    feed_now: self.feed_now,
                    feed_since,
                    other_count,
                    past_vph,
                    speed_max: MetresPerSecond::new(lane.speed.get() * 1.4 + 3.0).unwrap_or_default(),
                    loop_m: self.network.detector(d).length.get(),
                });
                let track = &mut self.detectors[d.index()];
                if track.health != health {
                    track.health = health;
                    track.since = Some(now);
                }
            }
        }
    }

    /// What stands in for a lane without any trusted loop: its own past, else its neighbours on the link, else a guess.
    fn imputed_vph(&self, k: usize) -> f64 {
        if let Some(past) = self.lanes[k].past_vph() {
            return past;
        }
        let link = self.network.lane(self.lanes[k].lane).link;
        let neighbours: Vec<f64> = self
            .network
            .link(link)
            .lanes
            .iter()
            .filter_map(|l| self.lane_track[l.index()])
            .filter(|&n| n != k && (self.trust(n).stop || self.trust(n).advance))
            .map(|n| self.lanes[n].estimate().flow_vph)
            .collect();
        if neighbours.is_empty() {
            return UNKNOWN_VPH;
        }
        neighbours.iter().sum::<f64>() / neighbours.len() as f64
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
                    (!t.health.trusted()).then(|| self.lane_track[network.detectors()[i].lane.index()]).flatten();
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
