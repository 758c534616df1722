//! Detector health: what a detector's own numbers, and those of the other detector on its lane, say about it.
//!
//! The rules look at the last ten minutes. A stop-bar loop is rightly occupied through a red, so "stuck on" asks for more
//! than two of the longest cycles (`../shared/design` calls for two full cycles).

use serde::{Deserialize, Serialize};

use greenkerb_models::units::{Ds, MetresPerSecond, TimeDs};

use super::detector::Interval;

/// Intervals up to this length tell how a vehicle covers the loop from one to the next.
const COURSE_INTERVAL_MAX: Ds = Ds::from_s(2);

/// So many of them are looked at, and this share of pairs must contradict each other: random numbers do in a fifth,
/// vehicles that change lane across a loop in single ones. The first look finds a liar soon; the second, longer one does
/// not take him for cured whenever chance smiles on him.
const COURSE_LOOKS: [(usize, f64); 2] = [(40, 0.1), (200, 0.06)];

/// State of a detector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// Nothing speaks against it.
    #[default]
    Healthy,
    /// It has not reported although others have.
    Missing,
    /// Occupied without a count for longer than any red.
    StuckOn,
    /// Silent and empty while vehicles pass the other detector on its lane, or where there used to be many.
    StuckOff,
    /// More counts than one lane can pass.
    Chatter,
    /// Counts and occupancies that cannot both be true, in one interval or in two that follow each other.
    ImpossiblePair,
    /// Its total contradicts the other detector on its lane and its own past.
    Inconsistent,
}

impl Health {
    /// True when its values are used as they are.
    #[must_use]
    pub const fn trusted(self) -> bool {
        matches!(self, Self::Healthy)
    }

    /// True when nothing it ever said may be used: it was no measurement.
    #[must_use]
    pub(crate) const fn lied(self) -> bool {
        matches!(self, Self::Chatter | Self::ImpossiblePair)
    }
}

/// Thresholds of the health rules.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HealthRules {
    /// How far back the rules look.
    pub window: Ds,
    /// Silent for longer than this (and three of its own intervals) is missing.
    pub missing_after: Ds,
    /// Occupied without a break and without a count for longer than this is stuck on.
    pub stuck_on_after: Ds,
    /// Occupied without a count through this many greens of its lane, and for this long, is stuck on.
    pub stuck_on_greens: u32,
    /// See `stuck_on_greens`.
    pub stuck_on_through: Ds,
    /// Occupied without a count for this long while nobody stands before it is stuck on.
    pub stuck_on_alone: Ds,
    /// This many vehicles at the other detector, and none here, is stuck off; half of it, also by the load of lanes
    /// nearby, where not even an occupancy was seen.
    pub stuck_off_vehicles: u32,
    /// More than this many vehicles an hour over two minutes is chatter: above any saturation flow (HCM 7th ed.: 1,900
    /// veh/h/lane) with room for platoons.
    pub chatter_vph: f64,
    /// Share of intervals with traffic whose pair is impossible.
    pub impossible_share: f64,
}

impl Default for HealthRules {
    fn default() -> Self {
        Self {
            window: Ds::from_s(600),
            missing_after: Ds::from_s(30),
            stuck_on_after: Ds::from_s(240),
            stuck_on_greens: 2,
            stuck_on_through: Ds::from_s(60),
            stuck_on_alone: Ds::from_s(20),
            stuck_off_vehicles: 20,
            chatter_vph: 2600.0,
            impossible_share: 0.3,
        }
    }
}

/// What happened beside a detector since it last showed life: a count, or a change of occupancy.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Beside {
    /// Vehicles that the other detector of its lane counted.
    pub(crate) vehicles: f64,
    /// Greens of its lane that have passed.
    pub(crate) greens: u32,
    /// How long it has been covered although nobody stood before it, seconds.
    pub(crate) alone_s: f64,
    /// For how long it was heard, seconds.
    pub(crate) quiet_s: f64,
}

/// What the rules are told about one detector.
pub(crate) struct Evidence<'a> {
    /// Its intervals in the window, oldest first.
    pub(crate) intervals: &'a std::collections::VecDeque<Interval>,
    /// Its usual interval.
    pub(crate) usual: Ds,
    /// End of the newest interval of any detector.
    pub(crate) feed_now: TimeDs,
    /// What its lane and signals show beside it.
    pub(crate) beside: Beside,
    /// When the feed was first heard.
    pub(crate) feed_since: TimeDs,
    /// Vehicles counted in the window by the other detector on its lane, if there is one that is not missing.
    pub(crate) other_count: Option<u32>,
    /// Vehicles that the load of lanes nearby promises since it last showed life.
    pub(crate) promised_veh: f64,
    /// Its own vehicles per hour before the window, where known.
    pub(crate) past_vph: Option<f64>,
    /// Fastest plausible speed on the lane.
    pub(crate) speed_max: MetresPerSecond,
    /// Length of the loop, metres.
    pub(crate) loop_m: f64,
}

impl HealthRules {
    /// Judges a detector.
    pub(crate) fn judge(&self, e: &Evidence<'_>) -> Health {
        let silent_after = self.missing_after.max(Ds(e.usual.0.saturating_mul(3)));
        let last_end = e.intervals.back().map_or(e.feed_since, Interval::end);
        if e.feed_now.since(last_end) > i64::from(silent_after.0) {
            return Health::Missing;
        }
        if e.intervals.is_empty() {
            return Health::Healthy;
        }
        if self.stuck_on(e) {
            return Health::StuckOn;
        }
        if self.chatter(e) {
            return Health::Chatter;
        }
        if self.impossible_pair(e) {
            return Health::ImpossiblePair;
        }
        let count: u32 = e.intervals.iter().map(|i| i.count).sum();
        let empty = count == 0 && e.intervals.iter().all(|i| i.occupancy < 0.02);
        let seen_s = e.intervals.iter().map(|i| i.length.seconds()).sum::<f64>();
        let free = e.intervals.back().is_some_and(|i| i.occupancy < 0.02);
        let unseen_veh = e.beside.vehicles.max(if empty { e.promised_veh } else { 0.0 });
        if free && unseen_veh >= f64::from(self.stuck_off_vehicles) / 2.0 {
            return Health::StuckOff;
        }
        if empty && e.other_count.is_some_and(|o| o >= self.stuck_off_vehicles) {
            return Health::StuckOff;
        }
        // Silent where the past says that many should have come: a Poisson stream of that mean is empty once in e^20.
        if empty && e.past_vph.is_some_and(|q| q * seen_s / 3600.0 >= f64::from(self.stuck_off_vehicles)) {
            return Health::StuckOff;
        }
        if e.other_count.is_some_and(|o| contradicts(count, o))
            && e.past_vph.is_none_or(|q| {
                let expected = q * seen_s / 3600.0;
                contradicts(count, expected.round() as u32)
            })
            && e.past_vph.is_some()
        {
            return Health::Inconsistent;
        }
        Health::Healthy
    }

    fn stuck_on(&self, e: &Evidence<'_>) -> bool {
        let mut occupied = 0u64;
        for i in e.intervals.iter().rev() {
            if i.count > 0 || i.occupancy < 0.99 {
                break;
            }
            occupied += u64::from(i.length.0);
        }
        if e.beside.alone_s >= self.stuck_on_alone.seconds() {
            return true;
        }
        if e.beside.greens >= self.stuck_on_greens && occupied >= u64::from(self.stuck_on_through.0) {
            return true;
        }
        // A jam stands on both loops of a lane; then the other one counts nothing either and nobody is blamed.
        occupied > u64::from(self.stuck_on_after.0) && e.other_count.is_none_or(|o| o > 0)
    }

    fn chatter(&self, e: &Evidence<'_>) -> bool {
        let (mut count, mut length) = (0u32, 0u64);
        for i in e.intervals.iter().rev() {
            count += i.count;
            length += u64::from(i.length.0);
            if length >= 1200 {
                break;
            }
        }
        length >= 600 && f64::from(count) * 36_000.0 / length as f64 > self.chatter_vph
    }

    fn impossible_pair(&self, e: &Evidence<'_>) -> bool {
        // A vehicle of 4 m at the fastest plausible speed covers the loop for at least this long.
        let least_s = (e.loop_m + 3.0) / e.speed_max.get().max(1.0);
        let (mut with_traffic, mut impossible) = (0u32, 0u32);
        for i in e.intervals {
            if i.count == 0 && i.occupancy == 0.0 {
                continue;
            }
            with_traffic += 1;
            // The last vehicle may still be entering, so one is forgiven.
            let needed_s = f64::from(i.count.saturating_sub(1)) * least_s;
            if i.occupancy * i.length.seconds() + 1e-9 < needed_s {
                impossible += 1;
            }
        }
        if with_traffic >= 20 && f64::from(impossible) > self.impossible_share * f64::from(with_traffic) {
            return true;
        }
        self.impossible_course(e)
    }

    /// Between two counts a loop is covered once at most: two short intervals without a count that are both covered in
    /// part contradict each other, for a vehicle that came in the first still stands there in the second.
    fn impossible_course(&self, e: &Evidence<'_>) -> bool {
        let partly = |i: &Interval| i.count == 0 && i.occupancy > 0.05 && i.occupancy < 0.95;
        COURSE_LOOKS.iter().any(|&(intervals, share)| {
            let short = |i: &&Interval| i.length <= COURSE_INTERVAL_MAX;
            let newest: Vec<&Interval> = e.intervals.iter().rev().take(intervals).take_while(short).collect();
            let pairs = newest.windows(2).filter(|w| w[1].end() == w[0].begin);
            let (all, broken) = pairs.fold((0, 0), |(n, b), w| (n + 1, b + u32::from(partly(w[0]) && partly(w[1]))));
            newest.len() == intervals && f64::from(broken) >= share * f64::from(all)
        })
    }
}

/// More than twice as many, or less than half, with enough vehicles to tell.
fn contradicts(a: u32, b: u32) -> bool {
    let (low, high) = (a.min(b), a.max(b));
    high >= 40 && high > 2 * low + 10
}
