//! Arrivals and queue of one approach lane from its stop-bar and advance loops.
//!
//! Between the two loops vehicles are conserved: `queue += counted in − counted out`. Three things break that sum, and each
//! is repaired from what the loops themselves show:
//! * a stop bar that is empty and counts nothing means nobody waits: what is left is still rolling in;
//! * an advance loop that stays occupied means the queue stands on it: what arrives behind it is unseen and is taken
//!   from the flow before;
//! * lane changes between the loops: the sum is held within zero and what the lane can store.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use greenkerb_models::ids::{DetectorId, LaneId};
use greenkerb_models::network::Lane;
use greenkerb_models::units::{Ds, TimeDs};

use super::detector::Interval;

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
    /// Vehicles that wait or roll up to the line.
    pub queue_veh: f64,
    /// The advance loop is covered: the queue may be longer.
    pub queue_is_lower_bound: bool,
    /// Share of time the stop bar was occupied, smoothed.
    pub occupancy: f64,
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

/// Running estimate of one lane.
#[derive(Debug, Clone)]
pub(crate) struct LaneTrack {
    pub(crate) lane: LaneId,
    pub(crate) stop: Option<DetectorId>,
    pub(crate) advance: Option<DetectorId>,
    /// Seconds a free vehicle takes between the loops.
    travel_s: f64,
    /// Vehicles that fit between the loops, and on the whole lane.
    between_veh: f64,
    storage_veh: f64,
    arrivals: Fading,
    departures: Fading,
    past: Fading,
    occupancy: Fading,
    queue: f64,
    beyond: f64,
    covered: bool,
    /// Arrivals still rolling between the loops: when they passed, how many.
    rolling: VecDeque<(TimeDs, u32)>,
    imputed_vph: Option<f64>,
    source: Source,
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
    pub(crate) fn new(id: LaneId, lane: &Lane, stop: Option<DetectorId>, advance: Option<(DetectorId, f64)>) -> Self {
        let to_line_m = advance.map_or(0.0, |a| a.1);
        Self {
            lane: id,
            stop,
            advance: advance.map(|a| a.0),
            travel_s: to_line_m / lane.speed.get().max(1.0) + 2.0,
            between_veh: to_line_m / STANDING_VEHICLE_M,
            storage_veh: (lane.length.get() / STANDING_VEHICLE_M).max(1.0),
            arrivals: Fading::new(FLOW_MEMORY_S),
            departures: Fading::new(FLOW_MEMORY_S),
            past: Fading::new(PAST_MEMORY_S),
            occupancy: Fading::new(OCCUPANCY_MEMORY_S),
            queue: 0.0,
            beyond: 0.0,
            covered: false,
            rolling: VecDeque::new(),
            imputed_vph: None,
            source: Source::Unknown,
        }
    }

    /// An interval of the advance loop.
    pub(crate) fn arrive(&mut self, i: &Interval) {
        let seconds = i.length.seconds();
        let seen_vph = f64::from(i.count) / seconds * 3600.0;
        self.covered = i.occupancy >= COVERED || (self.covered && i.occupancy > FREE);
        if self.covered {
            // What arrives behind the queue is unseen: believe the flow before, unless more than that gets through.
            let before_vph = self.past.mean().unwrap_or(seen_vph);
            let believed_vph = seen_vph.max(self.arrivals.mean().unwrap_or(before_vph)).min(FLOW_MAX_VPH);
            self.arrivals.add(believed_vph, seconds);
            self.beyond += believed_vph / 3600.0 * seconds;
            let through = f64::from(i.count).min(self.beyond);
            self.beyond -= through;
            self.queue = (self.queue + f64::from(i.count)).max(self.between_veh.min(self.storage_veh) * 0.8);
        } else {
            self.beyond = 0.0;
            self.arrivals.add(seen_vph.min(FLOW_MAX_VPH), seconds);
            self.past.add(seen_vph.min(FLOW_MAX_VPH), seconds);
            self.queue += f64::from(i.count);
        }
        if i.count > 0 {
            self.rolling.push_back((i.end(), i.count));
        }
        self.queue = self.queue.min(self.storage_veh);
        let room = (3.0 * self.storage_veh - self.queue).max(0.0);
        self.beyond = self.beyond.min(room);
    }

    /// An interval of the stop bar.
    pub(crate) fn depart(&mut self, i: &Interval, trust: Trust) {
        let seconds = i.length.seconds();
        let rate_vph = (f64::from(i.count) / seconds * 3600.0).min(FLOW_MAX_VPH);
        self.departures.add(rate_vph, seconds);
        self.occupancy.add(i.occupancy, seconds);
        if trust.advance {
            self.queue = (self.queue - f64::from(i.count)).max(0.0);
            if i.occupancy <= FREE && i.count == 0 {
                // Nobody stands at the line: only what is still rolling between the loops is left.
                self.queue = self.queue.min(self.still_rolling(i.end()));
            } else if i.occupancy >= COVERED && i.count == 0 {
                self.queue = self.queue.max(1.0);
            }
        } else {
            // Without the advance loop: arrivals are what left, and a line that stays covered grows at that rate.
            self.past.add(rate_vph, seconds);
            let flow_vph = self.departures.mean().unwrap_or(0.0);
            if i.occupancy <= FREE && i.count == 0 {
                self.queue = 0.0;
            } else {
                let grown = self.queue + flow_vph / 3600.0 * seconds - f64::from(i.count);
                self.queue = grown.clamp(if i.occupancy >= COVERED { 1.0 } else { 0.0 }, self.storage_veh);
            }
        }
    }

    fn still_rolling(&mut self, now: TimeDs) -> f64 {
        let oldest = now - Ds((self.travel_s * 10.0) as u32);
        while self.rolling.front().is_some_and(|r| r.0 <= oldest) {
            self.rolling.pop_front();
        }
        self.rolling.iter().map(|r| f64::from(r.1)).sum()
    }

    /// Time passes without any trusted loop: the queue is what the imputed flow would bring in half a minute.
    pub(crate) fn impute(&mut self, flow_vph: f64) {
        self.imputed_vph = Some(flow_vph);
        self.queue = (flow_vph / 3600.0 * 30.0).min(self.storage_veh);
        self.beyond = 0.0;
        self.covered = false;
    }

    /// Settles where the numbers come from.
    pub(crate) fn settle(&mut self, trust: Trust) {
        self.source = match (trust.advance, trust.stop) {
            (true, _) if self.arrivals.mean().is_some() => Source::Measured,
            (_, true) if self.departures.mean().is_some() => Source::StopBarOnly,
            (false, false) => Source::Imputed,
            _ => Source::Unknown,
        };
        if self.source != Source::Imputed {
            self.imputed_vph = None;
        }
    }

    /// Long-term flow while the lane was trusted, vehicles per hour.
    pub(crate) fn past_vph(&self) -> Option<f64> {
        (self.past.memory_s() > 120.0).then(|| self.past.mean()).flatten()
    }

    /// Seconds of measured flow behind the estimate.
    pub(crate) fn memory_s(&self) -> f64 {
        self.arrivals.memory_s().max(self.departures.memory_s())
    }

    /// The estimate.
    pub(crate) fn estimate(&self) -> LaneEstimate {
        let flow_vph = match self.source {
            // The two loops see the same stream; vehicles that changed lane between them show in one only.
            Source::Measured => {
                let (a, d) = (self.arrivals.mean().unwrap_or(0.0), self.departures.mean());
                d.map_or(a, |d| if self.covered { a.max(d) } else { 0.5 * (a + d) })
            }
            Source::StopBarOnly => self.departures.mean().unwrap_or(0.0),
            Source::Imputed => self.imputed_vph.unwrap_or(0.0),
            Source::Unknown => 0.0,
        };
        LaneEstimate {
            lane: self.lane,
            flow_vph: flow_vph.min(FLOW_MAX_VPH),
            queue_veh: self.queue + self.beyond,
            queue_is_lower_bound: self.covered,
            occupancy: self.occupancy.mean().unwrap_or(0.0),
            source: self.source,
        }
    }
}
