//! One detector's record: what it said, what is thought of it, and what stands in for it.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use greenkerb_models::detection::Observation;
use greenkerb_models::ids::DetectorId;
use greenkerb_models::units::{Ds, TimeDs};

use super::health::{Beside, Health};

/// How long health takes to notice that a detector makes things up.
const KNOWN_AFTER: Ds = Ds::from_s(60);

/// When an observation came, against those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Timeliness {
    /// In order and fresh.
    OnTime,
    /// In order, but its interval ended more than a minute before the newest of the feed.
    Late,
    /// Older than what this detector said before.
    OutOfOrder,
}

/// A value as the detector gave it, or as it was imputed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// Vehicles per hour over the window.
    pub flow_vph: f64,
    /// Mean occupancy over the window, 0–1.
    pub occupancy: f64,
}

/// What the service says about a detector: raw, flag and imputed value apart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DetectorStatus {
    /// The detector.
    pub detector: DetectorId,
    /// What is thought of it.
    pub health: Health,
    /// Since when.
    pub since: Option<TimeDs>,
    /// End of its newest interval.
    pub heard: Option<TimeDs>,
    /// What it says.
    pub raw: Option<Reading>,
    /// What is used instead, when it is not trusted.
    pub imputed: Option<Reading>,
}

/// One interval kept in the window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Interval {
    pub(crate) begin: TimeDs,
    pub(crate) length: Ds,
    pub(crate) count: u32,
    pub(crate) occupancy: f64,
}

impl Interval {
    pub(crate) fn end(&self) -> TimeDs {
        self.begin + self.length
    }
}

/// Record of one detector.
#[derive(Debug, Clone, Default)]
pub(crate) struct DetectorTrack {
    /// Intervals in the health window, oldest first.
    pub(crate) window: VecDeque<Interval>,
    /// Intervals not yet turned into estimates, in order of begin.
    pub(crate) pending: VecDeque<Interval>,
    /// End of the newest interval.
    pub(crate) heard: Option<TimeDs>,
    /// Its usual interval length.
    pub(crate) usual: Ds,
    /// What is thought of it.
    pub(crate) health: Health,
    /// Since when.
    pub(crate) since: Option<TimeDs>,
    /// What happened beside it since it last showed life.
    pub(crate) beside: Beside,
    /// It was covered in its last interval; `None` before the first.
    covered: Option<bool>,
    /// It has shown a sign of life since it was first heard.
    alive: bool,
}

impl DetectorTrack {
    /// An interval is looked at for signs of life.
    pub(crate) fn look(&mut self, i: &Interval) {
        let covered = i.occupancy >= 0.5;
        let changed = self.covered.is_some_and(|before| before != covered);
        if i.count > 0 || changed || (i.occupancy > 0.02 && i.occupancy < 0.95) {
            self.beside = Beside::default();
            self.alive = true;
        }
        self.beside.quiet_s += i.length.seconds();
        self.covered = Some(covered);
    }

    /// It has shown that it works, and nothing speaks against it. A loop that was stuck before it was first heard looks
    /// like one on an empty lane, or like one under a queue.
    pub(crate) fn is_believed(&self) -> bool {
        self.alive && self.health.trusted()
    }

    /// It was covered, without a break, when last heard.
    pub(crate) fn is_covered(&self) -> bool {
        self.covered == Some(true)
    }

    /// It has been heard for long enough that health would have noticed if it made things up.
    pub(crate) fn is_known(&self) -> bool {
        let span = self.window.front().zip(self.window.back()).map_or(0, |(first, last)| last.end().since(first.begin));
        span >= i64::from(KNOWN_AFTER.0)
    }

    /// Takes an observation into the record.
    pub(crate) fn take(&mut self, o: &Observation, feed_now: TimeDs) -> Timeliness {
        let interval = Interval { begin: o.begin, length: o.length, count: o.count, occupancy: o.occupancy };
        let out_of_order = self.heard.is_some_and(|h| o.begin < h);
        let at = self.window.partition_point(|i| i.begin <= o.begin);
        self.window.insert(at, interval);
        if out_of_order {
            // Too late for the queue, which has moved on; it still counts for health.
            return Timeliness::OutOfOrder;
        }
        self.pending.push_back(interval);
        self.usual = o.length;
        self.heard = Some(o.end());
        if feed_now.since(o.end()) > 600 { Timeliness::Late } else { Timeliness::OnTime }
    }

    /// Forgets what left the window.
    pub(crate) fn trim(&mut self, before: TimeDs) {
        while self.window.front().is_some_and(|i| i.end() <= before) {
            self.window.pop_front();
        }
    }

    /// Vehicles counted in the window.
    pub(crate) fn count(&self) -> u32 {
        self.window.iter().map(|i| i.count).sum()
    }

    /// Flow and occupancy over the window.
    pub(crate) fn reading(&self) -> Option<Reading> {
        let seconds: f64 = self.window.iter().map(|i| i.length.seconds()).sum();
        (seconds > 0.0).then(|| Reading {
            flow_vph: f64::from(self.count()) * 3600.0 / seconds,
            occupancy: self.window.iter().map(|i| i.occupancy * i.length.seconds()).sum::<f64>() / seconds,
        })
    }
}
