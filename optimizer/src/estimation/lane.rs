//! Arrivals and queue of one approach lane from its stop-bar and advance loops.
//!
//! Between the two loops vehicles are conserved: `queue += counted in − counted out`. Three things break that sum, and each
//! is repaired from what the loops themselves show:
//! * a stop bar that is empty and counts nothing means nobody waits: what is left is still rolling in;
//! * an advance loop that stays occupied means the queue stands on it: what arrives behind it is unseen and is taken
//!   from the flow before;
//! * lane changes between the loops: the sum is held within zero and what the lane can store.
//!
//! A green that ends while vehicles still pass without a gap has left some behind. The stop bar sees that by itself, so a
//! lane whose queue stands beyond all its loops (a short lane, a dead advance loop) still asks for more green.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use greenkerb_models::ids::{DetectorId, LaneId};
use greenkerb_models::network::{Lane, Network, Turn};
use greenkerb_models::units::{Ds, TimeDs};

use super::detector::Interval;
use super::imputation::Imputed;

/// Where an estimate comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Both loops, or the advance loop alone.
    Measured,
    /// Only the stop bar is trusted: arrivals are what left.
    StopBarOnly,
    /// No loop is trusted: the lane's own past, or its neighbours'.
    Imputed,
    /// Nothing is known yet.
    Unknown,
}

/// What is known about a lane.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LaneEstimate {
    /// The lane.
    pub lane: LaneId,
    /// Arrivals, vehicles per hour.
    pub flow_vph: f64,
    /// Arrivals the signals are to have room for: more than the flow where the lane's loops fail, vehicles per hour.
    pub room_vph: f64,
    /// Vehicles that wait or roll up to the line.
    pub queue_veh: f64,
    /// The advance loop is covered: the queue may be longer.
    pub queue_is_lower_bound: bool,
    /// Share of time the stop bar was occupied, smoothed.
    pub occupancy: f64,
    /// How long a vehicle has been held at the line, about, seconds.
    pub held_s: f64,
    /// Where the numbers come from.
    pub source: Source,
}

/// Space a standing vehicle takes, metres (length and gap).
pub(crate) const STANDING_VEHICLE_M: f64 = 7.0;

/// Most vehicles an hour one lane is believed to bring: what one detector can move is bounded by this.
const FLOW_MAX_VPH: f64 = 1900.0;

/// Occupancy from which a loop is taken to be under a standing or crawling vehicle.
const COVERED: f64 = 0.8;

/// Occupancy below which a loop is taken to be free.
const FREE: f64 = 0.2;

/// Seconds without a vehicle at the stop bar that show that the queue has gone: more than any saturation headway.
const GAP_S: f64 = 3.0;

/// Vehicles taken to be left behind by each further green that ended without a gap, and most greens counted.
const LEFT_BEHIND_VEH: f64 = 4.0;
const GREENS_FAILED_MAX: u32 = 5;

/// Vehicles that are left at least of a queue that has had no gap yet.
const QUEUED_VEH: f64 = 2.0;

/// By how much the flow is taken to exceed what passed, for each green in a row that ended without a gap.
const HIDDEN_SHARE: f64 = 0.15;

/// A mean that forgets exponentially, without the bias of its first values.
#[derive(Debug, Clone, Copy)]
struct Fading {
    tau_s: f64,
    sum: f64,
    weight: f64,
}

impl Fading {
    fn new(tau_s: f64) -> Self {
        Self { tau_s, sum: 0.0, weight: 0.0 }
    }

    fn add(&mut self, value: f64, seconds: f64) {
        let keep = (-seconds / self.tau_s).exp();
        self.sum = self.sum * keep + value * (1.0 - keep);
        self.weight = self.weight * keep + (1.0 - keep);
    }

    fn mean(&self) -> Option<f64> {
        (self.weight > 1e-6).then(|| self.sum / self.weight)
    }

    /// Seconds of data behind the mean, at most the memory.
    fn memory_s(&self) -> f64 {
        self.weight * self.tau_s
    }
}

/// An advance loop as one lane sees it.
#[derive(Debug, Clone)]
pub(crate) struct Upstream {
    pub(crate) detector: DetectorId,
    /// Share of its vehicles that go to the lane.
    pub(crate) weight: f64,
    /// It lies on the lane itself.
    on_lane: bool,
    /// Distance to the stop line, metres.
    pub(crate) to_line_m: f64,
    arrivals: Fading,
    past: Fading,
    covered: bool,
}

impl Upstream {
    /// The loop `detector` as the lane sees it. Before a fork each way straight on is worth three turns.
    pub(crate) fn new(network: &Network, detector: DetectorId, lane: LaneId) -> Self {
        let d = network.detector(detector);
        let worth = |turn: Turn| match turn {
            Turn::Straight => 3.0,
            Turn::Left | Turn::Right => 1.0,
            Turn::UTurn => 0.0,
        };
        let (mut to_lane, mut all) = (0.0, 0.0);
        for c in network.connections_from(d.lane).iter().map(|c| network.connection(*c)) {
            let w = worth(network.movement(c.movement).turn);
            all += w;
            if c.to_lane == lane || d.watches.len() == 1 {
                to_lane += w;
            }
        }
        // On the lane itself, or further upstream than the next node: all that is not known to go elsewhere.
        let weight = if d.lane == lane || all <= 0.0 {
            1.0
        } else if to_lane > 0.0 {
            to_lane / all
        } else {
            1.0 / d.watches.len() as f64
        };
        Self {
            detector,
            weight,
            on_lane: d.lane == lane,
            to_line_m: d.to_stop_line.get(),
            arrivals: Fading::new(FLOW_MEMORY_S),
            past: Fading::new(PAST_MEMORY_S),
            covered: false,
        }
    }
}

/// Running estimate of one lane.
#[derive(Debug, Clone)]
pub(crate) struct LaneTrack {
    pub(crate) lane: LaneId,
    pub(crate) stop: Option<DetectorId>,
    pub(crate) advance: Vec<Upstream>,
    /// Seconds a free vehicle takes between the loops.
    travel_s: f64,
    /// Vehicles that fit between the loops, and on the whole lane.
    between_veh: f64,
    storage_veh: f64,
    departures: Fading,
    /// Departures with the memory of the past.
    leaving: Fading,
    /// Last scale found while nothing stood on the loops.
    scale_held: f64,
    past: Fading,
    occupancy: Fading,
    queue: f64,
    beyond: f64,
    /// Arrivals still rolling between the loops: when they passed, how many.
    rolling: VecDeque<(TimeDs, f64)>,
    imputed: Option<Imputed>,
    source: Source,
    stop_is_trusted: bool,
    /// Seconds the stop bar has been free without a count.
    free_s: f64,
    /// Vehicles since the last gap.
    since_gap: u32,
    /// Greens in a row that ended without a gap.
    greens_failed: u32,
    /// A vehicle stood at the line, and there has been no gap since: a queue stands or discharges.
    queued: bool,
    /// Time the stop bar has been covered, less what departures since then show, seconds.
    held_s: f64,
}

/// Which of a lane's loops are trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Trust {
    pub(crate) stop: bool,
    pub(crate) advance: bool,
}

/// Memory of the flows, seconds. Short enough to follow a peak, long enough to hold several cycles.
const FLOW_MEMORY_S: f64 = 240.0;
const PAST_MEMORY_S: f64 = 1200.0;
const OCCUPANCY_MEMORY_S: f64 = 120.0;

impl LaneTrack {
    pub(crate) fn new(id: LaneId, lane: &Lane, stop: Option<DetectorId>, advance: Vec<Upstream>) -> Self {
        let to_line_m = advance.iter().map(|u| u.to_line_m).fold(0.0, f64::max);
        Self {
            lane: id,
            stop,
            advance,
            travel_s: to_line_m / lane.speed.get().max(1.0) + 2.0,
            between_veh: to_line_m / STANDING_VEHICLE_M,
            storage_veh: (lane.length.get().max(to_line_m) / STANDING_VEHICLE_M).max(1.0),
            departures: Fading::new(FLOW_MEMORY_S),
            leaving: Fading::new(PAST_MEMORY_S),
            scale_held: 1.0,
            past: Fading::new(PAST_MEMORY_S),
            occupancy: Fading::new(OCCUPANCY_MEMORY_S),
            queue: 0.0,
            beyond: 0.0,
            rolling: VecDeque::new(),
            imputed: None,
            source: Source::Unknown,
            stop_is_trusted: true,
            free_s: 0.0,
            since_gap: 0,
            greens_failed: 0,
            queued: false,
            held_s: 0.0,
        }
    }

    /// Takes back what a loop said that turns out to have made it up.
    pub(crate) fn forget(&mut self, liar: DetectorId) {
        if self.stop == Some(liar) {
            self.departures = Fading::new(FLOW_MEMORY_S);
            self.leaving = Fading::new(PAST_MEMORY_S);
            self.past = Fading::new(PAST_MEMORY_S);
            self.occupancy = Fading::new(OCCUPANCY_MEMORY_S);
            (self.free_s, self.since_gap, self.greens_failed) = (0.0, 0, 0);
            (self.queued, self.held_s) = (false, 0.0);
        }
        for u in self.advance.iter_mut().filter(|u| u.detector == liar) {
            u.arrivals = Fading::new(FLOW_MEMORY_S);
            u.past = Fading::new(PAST_MEMORY_S);
            u.covered = false;
            (self.queue, self.beyond) = (0.0, 0.0);
            self.rolling.clear();
        }
        self.scale_held = 1.0;
    }

    /// An interval of the advance loop number `loop_number`.
    pub(crate) fn arrive(&mut self, loop_number: usize, i: &Interval) {
        let seconds = i.length.seconds();
        let seen_vph = f64::from(i.count) / seconds * 3600.0;
        let scale = self.scale();
        self.scale_held = scale;
        let between_veh = self.between_veh.min(self.storage_veh);
        let u = &mut self.advance[loop_number];
        let count = f64::from(i.count) * u.weight * scale;
        u.covered = i.occupancy >= COVERED || (u.covered && i.occupancy > FREE);
        if u.covered {
            // What arrives behind the queue is unseen: believe the flow before, unless more than that gets through.
            let before_vph = u.past.mean().unwrap_or(seen_vph);
            let believed_vph = seen_vph.max(u.arrivals.mean().unwrap_or(before_vph)).min(FLOW_MAX_VPH);
            u.arrivals.add(believed_vph, seconds);
            self.beyond += believed_vph / 3600.0 * seconds * u.weight * scale;
            self.beyond -= count.min(self.beyond);
            self.queue = (self.queue + count).max(between_veh * 0.8 * u.weight.min(1.0));
        } else {
            u.arrivals.add(seen_vph.min(FLOW_MAX_VPH), seconds);
            u.past.add(seen_vph.min(FLOW_MAX_VPH), seconds);
            self.queue += count;
        }
        if !self.covered() {
            self.beyond = 0.0;
        }
        if i.count > 0 {
            self.rolling.push_back((i.end(), count));
        }
        self.queue = self.queue.min(self.storage_veh);
        let room = (3.0 * self.storage_veh - self.queue).max(0.0);
        self.beyond = self.beyond.min(room);
    }

    /// The queue stands on an advance loop.
    fn covered(&self) -> bool {
        self.advance.iter().any(|u| u.covered)
    }

    /// Arrivals as the advance loops see them, vehicles per hour.
    fn arrivals_vph(&self) -> Option<f64> {
        let known = self.advance.iter().map(|u| Some(u.weight * u.arrivals.mean()?)).collect::<Option<Vec<f64>>>()?;
        (!known.is_empty()).then(|| known.iter().sum())
    }

    /// What the advance counts have to be multiplied by so that in the long run as many come as go: vehicles change
    /// lane between the loops, and a loop before a fork or a merge knows shares only roughly.
    fn scale(&self) -> f64 {
        if self.covered() || self.greens_failed > 0 || self.leaving.memory_s() < 120.0 {
            return self.scale_held;
        }
        let coming = self.advance.iter().map(|u| Some(u.weight * u.past.mean()?)).sum::<Option<f64>>();
        if self.advance.iter().all(|u| u.on_lane) {
            return 1.0;
        }
        match (self.leaving.mean(), coming) {
            (Some(d), Some(a)) if a > 10.0 => (d / a).clamp(0.3, 3.0),
            _ => 1.0,
        }
    }

    /// Takes vehicles out of the queue that left by another lane; what was not there to take.
    pub(crate) fn give(&mut self, vehicles: f64) -> f64 {
        let given = vehicles.min(self.queue);
        self.queue -= given;
        vehicles - given
    }

    /// Vehicles that wait or roll up to the line, those included that a queue hides: one that has not had a gap yet is not
    /// over, whatever was counted.
    pub(crate) fn known_veh(&self) -> f64 {
        let at_least = if self.queued { QUEUED_VEH } else { 0.0 };
        self.estimate().queue_veh.max(at_least)
    }

    /// Vehicles that passed an advance loop of late, oldest first: when, and how many.
    pub(crate) fn rolling(&self) -> impl DoubleEndedIterator<Item = (TimeDs, f64)> + '_ {
        self.rolling.iter().copied()
    }

    /// Vehicles known to be between the loops.
    pub(crate) fn between(&self) -> f64 {
        self.queue
    }

    /// An interval of the stop bar. Returns the vehicles that left without having come: they changed lane on the way.
    pub(crate) fn depart(&mut self, i: &Interval, trust: Trust) -> f64 {
        let seconds = i.length.seconds();
        let rate_vph = (f64::from(i.count) / seconds * 3600.0).min(FLOW_MAX_VPH);
        self.departures.add(rate_vph, seconds);
        self.leaving.add(rate_vph, seconds);
        self.occupancy.add(i.occupancy, seconds);
        self.watch_gap(i);
        self.held_s = match i.count {
            _ if i.occupancy < FREE => 0.0,
            0 => self.held_s + seconds,
            // Others go round whoever waits for a gap, so a departure halves the time and does not end it.
            n => (0.5 * self.held_s - 10.0 * f64::from(n)).max(0.0),
        };
        let mut unseen = 0.0;
        if trust.advance {
            unseen = (f64::from(i.count) - self.queue).max(0.0);
            self.queue = (self.queue - f64::from(i.count)).max(0.0);
            if self.free_s >= GAP_S {
                // Nobody stands at the line: only what is still rolling between the loops is left.
                self.queue = self.queue.min(self.still_rolling(i.end()));
            } else if i.occupancy >= COVERED && i.count == 0 {
                self.queue = self.queue.max(1.0);
            }
        } else {
            // Without the advance loop: arrivals are what left, and a line that stays covered grows at that rate.
            self.past.add(rate_vph, seconds);
            let flow_vph = self.departures.mean().unwrap_or(0.0);
            if self.free_s >= GAP_S {
                self.queue = 0.0;
            } else {
                let grown = self.queue + flow_vph / 3600.0 * seconds - f64::from(i.count);
                self.queue = grown.clamp(if i.occupancy >= COVERED { 1.0 } else { 0.0 }, self.storage_veh);
            }
        }
        unseen
    }

    /// Notes whether the queue cleared before the line was covered again.
    fn watch_gap(&mut self, i: &Interval) {
        if i.count == 0 && i.occupancy <= FREE {
            self.free_s += i.length.seconds();
            if self.free_s >= GAP_S {
                self.since_gap = 0;
                self.greens_failed = 0;
                self.queued = false;
            }
            return;
        }
        self.free_s = 0.0;
        if i.count == 0 && i.occupancy >= COVERED {
            self.queued = true;
        }
        if i.count > 0 {
            self.since_gap += i.count;
        } else if i.occupancy >= COVERED && self.since_gap >= 2 {
            // Vehicles passed, and now one stands: red fell before the queue was gone.
            self.greens_failed = (self.greens_failed + 1).min(GREENS_FAILED_MAX);
            self.since_gap = 0;
        }
    }

    /// Vehicles left behind by greens that ended without a gap.
    fn left_behind(&self) -> f64 {
        f64::from(self.greens_failed) * LEFT_BEHIND_VEH
    }

    /// True while a queue stands or discharges at the stop bar.
    pub(crate) fn queued(&self) -> bool {
        self.queued
    }

    fn still_rolling(&mut self, now: TimeDs) -> f64 {
        let oldest = now - Ds((self.travel_s * 10.0) as u32);
        while self.rolling.front().is_some_and(|r| r.0 <= oldest) {
            self.rolling.pop_front();
        }
        self.rolling.iter().map(|r| r.1).sum()
    }

    /// Time passes without a trusted stop bar: so many go as the signals let pass.
    pub(crate) fn depart_unseen(&mut self, can_pass_veh: f64) {
        let beyond = self.beyond;
        self.queue = (self.queue - can_pass_veh).max(0.0);
        self.beyond = if self.covered() { beyond } else { 0.0 };
        (self.greens_failed, self.since_gap, self.held_s, self.queued) = (0, 0, 0.0, false);
    }

    /// Its stop bar, then its advance loops.
    pub(crate) fn loops(&self) -> impl Iterator<Item = DetectorId> + '_ {
        self.stop.into_iter().chain(self.advance.iter().map(|u| u.detector))
    }

    /// Time passes without any trusted loop: so many come as the imputed flow brings.
    pub(crate) fn impute(&mut self, imputed: Imputed, seconds: f64) {
        self.imputed = Some(imputed);
        self.queue = (self.queue + imputed.flow_vph / 3600.0 * seconds).min(self.storage_veh);
        self.beyond = 0.0;
        for u in &mut self.advance {
            u.covered = false;
        }
    }

    /// Nobody has stood at the line for longer than any headway.
    pub(crate) fn is_free(&self) -> bool {
        self.free_s >= GAP_S
    }

    /// Settles where the numbers come from.
    pub(crate) fn settle(&mut self, trust: Trust) {
        self.source = match (trust.advance, trust.stop) {
            (true, _) if self.arrivals_vph().is_some() => Source::Measured,
            (_, true) if self.departures.mean().is_some() => Source::StopBarOnly,
            (false, false) => Source::Imputed,
            _ => Source::Unknown,
        };
        if self.source != Source::Imputed {
            self.imputed = None;
        }
        self.stop_is_trusted = trust.stop;
    }

    /// Long-term flow while the lane was trusted, vehicles per hour.
    pub(crate) fn past_vph(&self) -> Option<f64> {
        let seen = self.advance.iter().map(|u| Some(u.weight * u.past.mean()?)).collect::<Option<Vec<f64>>>();
        let long = self.advance.iter().all(|u| u.past.memory_s() > 120.0);
        if let Some(seen) = seen.filter(|s| long && !s.is_empty()) {
            return Some(seen.iter().sum());
        }
        (self.past.memory_s() > 120.0).then(|| self.past.mean()).flatten()
    }

    /// Seconds of measured flow behind the estimate.
    pub(crate) fn memory_s(&self) -> f64 {
        self.advance.iter().map(|u| u.arrivals.memory_s()).fold(self.departures.memory_s(), f64::max)
    }

    /// The estimate.
    pub(crate) fn estimate(&self) -> LaneEstimate {
        let flow_vph = match self.source {
            // The two loops see the same stream; vehicles that changed lane between them show in one only.
            Source::Measured => {
                let (a, d) = (self.arrivals_vph().unwrap_or(0.0) * self.scale(), self.departures.mean());
                let d = d.filter(|_| self.stop_is_trusted);
                d.map_or(a, |d| if self.covered() { a.max(d) } else { 0.5 * (a + d) })
            }
            Source::StopBarOnly => self.departures.mean().unwrap_or(0.0),
            Source::Imputed => self.imputed.map_or(0.0, |i| i.flow_vph),
            Source::Unknown => 0.0,
        };
        // With the advance loop free the sum of the two loops is the better witness.
        let blind = self.source != Source::Measured || self.covered();
        let hidden = if blind { f64::from(self.greens_failed) * HIDDEN_SHARE } else { 0.0 };
        let queue_veh = self.queue + self.beyond;
        let flow_vph = (flow_vph * (1.0 + hidden)).min(FLOW_MAX_VPH);
        LaneEstimate {
            lane: self.lane,
            flow_vph,
            room_vph: self.imputed.map_or(flow_vph, |i| i.room_vph.clamp(flow_vph, FLOW_MAX_VPH)),
            queue_veh: if blind { queue_veh.max(self.left_behind()) } else { queue_veh },
            queue_is_lower_bound: self.covered(),
            occupancy: self.occupancy.mean().unwrap_or(0.0),
            held_s: if self.source == Source::Imputed { 0.0 } else { self.held_s },
            source: self.source,
        }
    }
}
