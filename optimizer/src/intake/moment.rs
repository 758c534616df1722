//! What time the feed says it is, by agreement: no few detectors can stop an external clock or carry it off.
//!
//! Every detector that was heard lately has a voice: the end of the newest interval in its last batch (one that is far from
//! the others of that batch apart). The clock follows the newest instant that a third of the voices near it have reached,
//! and at least [`AGREEING_MIN`] of them. When most voices speak of another time than the clock, it goes there: forward at
//! once, since a feed comes back after a gap so; back only when they insist, since an old batch may have been sent twice.
//! A clock that too few have confirmed, as after a first batch of one report, follows whoever there is. "Lately" is
//! counted in batches: there is no other time here that a replay would have as well.

use std::collections::BTreeMap;

use greenkerb_models::ids::DetectorId;
use greenkerb_models::units::{Ds, TimeDs};

use super::Window;

/// Detectors that must agree, where the network has that many.
const AGREEING_MIN: usize = 4;

/// Batches in a row in which most voices must speak of the past before the clock goes back.
const INSISTING_MIN: u32 = 10;

/// Voices this near to the clock confirm it.
const CONFIRMING: Ds = Ds::from_s(60);

/// By what a batch is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Verdict {
    /// The instant that its reports are compared with.
    pub reference: TimeDs,
    /// The feed speaks of a past, and the clock is to be set back to it.
    pub goes_back: bool,
}

/// What a detector said last.
#[derive(Debug, Clone, Copy)]
struct Voice {
    end: TimeDs,
    batch: u64,
}

/// The voices of a network's detectors.
#[derive(Debug)]
pub(super) struct Moment {
    voices: BTreeMap<DetectorId, Voice>,
    detectors: usize,
    window: Window,
    batch: u64,
    /// Enough voices were near the clock, in this batch the last time.
    confirmed: Option<u64>,
    /// Batches in a row in which most voices spoke of the past.
    insisting: u32,
}

impl Moment {
    /// Nobody has spoken yet. `kept` says that the clock was kept by an earlier life of the service.
    #[must_use]
    pub(super) fn new(detectors: usize, window: Window, kept: bool) -> Self {
        Self { voices: BTreeMap::new(), detectors, window, batch: 0, confirmed: kept.then_some(0), insisting: 0 }
    }

    /// Hears a batch: the ends of its intervals. `None` when there is neither a clock nor anything to set it by.
    pub(super) fn hear(&mut self, now: Option<TimeDs>, ends: &[(DetectorId, TimeDs)]) -> Option<Verdict> {
        self.listen(ends);
        let Some(now) = now else {
            let reference = median(self.voices.values().map(|v| v.end).collect())?;
            self.confirm(reference);
            return Some(Verdict { reference, goes_back: false });
        };
        let stays = Verdict { reference: now, goes_back: false };
        let far = self.voices.values().map(|v| v.end).filter(|end| !self.is_near(now, *end)).collect();
        let Some(agreed) = median(far) else { return Some(self.settle(stays)) };
        let agreeing = self.voices_within(agreed, self.window.ahead_max);
        if agreeing * 2 <= self.voices.len() || agreeing < self.agreeing_min() {
            return Some(self.settle(stays));
        }
        if agreed > now {
            return Some(self.settle(Verdict { reference: agreed, goes_back: false }));
        }
        self.insisting += 1;
        if self.confirmed.is_some() && self.insisting < INSISTING_MIN {
            return Some(stays);
        }
        Some(self.settle(Verdict { reference: agreed, goes_back: true }))
    }

    /// The newest instant that enough of the voices near `reference` have reached; never before it.
    #[must_use]
    pub(super) fn reached(&self, reference: TimeDs) -> TimeDs {
        let mut ends: Vec<TimeDs> =
            self.voices.values().map(|v| v.end).filter(|end| self.is_near(reference, *end)).collect();
        ends.sort_unstable_by(|a, b| b.cmp(a));
        let needed = (ends.len() / 3 + 1).max(ends.len().min(2)).max(self.agreeing_min());
        ends.get(needed - 1).copied().map_or(reference, |end| end.max(reference))
    }

    /// Detectors that lately spoke of another time than this.
    pub(super) fn disputing(&self, now: TimeDs) -> impl Iterator<Item = DetectorId> {
        self.voices.iter().filter(move |(_, v)| !self.is_near(now, v.end)).map(|(d, _)| *d)
    }

    fn listen(&mut self, ends: &[(DetectorId, TimeDs)]) {
        if ends.is_empty() {
            return;
        }
        self.batch += 1;
        let mut said: BTreeMap<DetectorId, Vec<TimeDs>> = BTreeMap::new();
        for (detector, end) in ends {
            said.entry(*detector).or_default().push(*end);
        }
        for (detector, ends) in said {
            let Some(middle) = median(ends.clone()) else { continue };
            // A single report of another time, among good ones of the same detector, is not what it says the time is.
            let newest = ends.into_iter().filter(|end| end.since(middle) <= i64::from(self.window.ahead_max.0)).max();
            self.voices.insert(detector, Voice { end: newest.unwrap_or(middle), batch: self.batch });
        }
        // Four rounds even where every detector sends a batch of its own.
        let lately = 4 * self.detectors as u64 + 16;
        let batch = self.batch;
        self.voices.retain(|_, v| batch - v.batch <= lately);
        self.confirmed = self.confirmed.filter(|at| batch - at <= lately);
    }

    fn settle(&mut self, verdict: Verdict) -> Verdict {
        self.insisting = 0;
        self.confirm(self.reached(verdict.reference));
        verdict
    }

    fn confirm(&mut self, clock: TimeDs) {
        if self.voices_within(clock, CONFIRMING) >= AGREEING_MIN.min(self.detectors) {
            self.confirmed = Some(self.batch);
        }
    }

    fn agreeing_min(&self) -> usize {
        if self.confirmed.is_some() { AGREEING_MIN.min(self.detectors) } else { 1 }
    }

    fn is_near(&self, now: TimeDs, end: TimeDs) -> bool {
        (-i64::from(self.window.age_max.0)..=i64::from(self.window.ahead_max.0)).contains(&end.since(now))
    }

    fn voices_within(&self, of: TimeDs, distance: Ds) -> usize {
        let within = |v: &&Voice| v.end.since(of).unsigned_abs() <= u64::from(distance.0);
        self.voices.values().filter(within).count()
    }
}

/// The middle one, the earlier of two.
fn median(mut times: Vec<TimeDs>) -> Option<TimeDs> {
    times.sort_unstable();
    times.get(times.len().saturating_sub(1) / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Window = Window { age_max: Ds::from_s(600), ahead_max: Ds::from_s(600) };

    /// A clock that follows what it hears.
    struct Followed {
        moment: Moment,
        now: Option<TimeDs>,
    }

    impl Followed {
        fn new(detectors: usize, now_s: Option<i64>) -> Self {
            Self { moment: Moment::new(detectors, WINDOW, now_s.is_some()), now: now_s.map(TimeDs::from_s) }
        }

        /// The clock after a batch, seconds.
        fn hear(&mut self, said: &[(u32, i64)]) -> i64 {
            let ends: Vec<_> = said.iter().map(|(d, s)| (DetectorId(*d), TimeDs::from_s(*s))).collect();
            if let Some(verdict) = self.moment.hear(self.now, &ends) {
                self.now = Some(self.moment.reached(verdict.reference));
            }
            self.now.map_or(-1, |t| t.0 / 10)
        }

        fn all(&mut self, detectors: u32, second: i64) -> i64 {
            self.hear(&(0..detectors).map(|d| (d, second)).collect::<Vec<_>>())
        }
    }

    #[test]
    fn the_first_batch_is_judged_by_its_middle() {
        let mut clock = Followed::new(4, None);
        assert_eq!(clock.hear(&[]), -1);
        assert_eq!(clock.hear(&[(0, 0), (1, 25_200), (2, 25_201), (3, 1_900_000_000)]), 25_200);
    }

    #[test]
    fn a_feed_of_all_moves_it_each_second_and_one_by_one_as_well() {
        let mut clock = Followed::new(68, None);
        for second in 1_000..1_400 {
            assert_eq!(clock.all(68, second), second);
        }
        for second in 1_400..1_410 {
            for d in 0..68 {
                clock.hear(&[(d, second)]);
            }
            assert_eq!(clock.now, Some(TimeDs::from_s(second)));
        }
    }

    #[test]
    fn few_cannot_carry_it_off() {
        let mut clock = Followed::new(68, None);
        clock.all(68, 1_000);
        for step in 1..20 {
            assert_eq!(clock.hear(&[(0, 1_000 + 590 * step)]), 1_000, "one, a little further each time");
            assert_eq!(clock.hear(&[(1, 99_000), (2, 99_000), (3, 99_000)]), 1_000, "three, far off");
            assert_eq!(clock.hear(&(4..24).map(|d| (d, 1_300)).collect::<Vec<_>>()), 1_000, "twenty, a little ahead");
        }
        assert_eq!(clock.all(68, 1_001), 1_001);
        // Also after a restart, before anybody else has spoken.
        let mut clock = Followed::new(68, Some(1_000));
        for step in 1..20 {
            assert_eq!(clock.hear(&[(0, 1_000 + 590 * step), (1, 99_000), (2, 99_000)]), 1_000);
        }
        assert_eq!(clock.all(68, 1_001), 1_001);
    }

    #[test]
    fn a_feed_that_comes_back_after_a_gap_is_believed_at_once() {
        let mut clock = Followed::new(9, Some(1_000));
        assert_eq!(clock.hear(&[(0, 9_000)]), 1_000);
        assert_eq!(clock.hear(&[(1, 9_001), (2, 9_002)]), 1_000);
        assert_eq!(clock.hear(&[(2, 9_003)]), 1_000, "twice the same detector is one");
        assert_eq!(clock.hear(&[(3, 9_003), (4, 9_003)]), 9_003);
    }

    #[test]
    fn a_slip_among_good_reports_is_no_voice() {
        let mut clock = Followed::new(68, None);
        assert_eq!(clock.hear(&[(0, 1_000), (0, 1_001), (0, 9_000_000)]), 1_001);
        let history: Vec<_> = (1_100..1_400).map(|s| (0, s)).collect();
        assert_eq!(Followed::new(68, None).hear(&history), 1_399);
    }

    #[test]
    fn a_first_batch_of_one_liar_heals_with_the_next() {
        for lie in [253_370_000_000, 1_590] {
            let mut clock = Followed::new(68, None);
            assert_eq!(clock.hear(&[(0, lie)]), lie);
            let healed = (1_000..1_600).find(|second| clock.all(68, *second) == *second);
            assert!(healed.is_some_and(|s| s <= 1_000 || lie < 2_000), "{healed:?}");
        }
    }

    #[test]
    fn a_kept_clock_from_the_future_heals_and_an_old_batch_sent_twice_changes_nothing() {
        let mut clock = Followed::new(68, Some(4_000_000));
        let healed = (1_000..1_030).find(|second| clock.all(68, *second) == *second);
        assert_eq!(healed, Some(999 + i64::from(INSISTING_MIN)));
        for second in 1_100..1_200 {
            assert_eq!(clock.all(68, second), second);
            assert_eq!(clock.all(68, 200), second, "an old batch");
        }
    }

    #[test]
    fn one_or_two_detectors_are_enough_where_there_are_no_more() {
        let mut clock = Followed::new(1, Some(1_000));
        assert_eq!(clock.all(1, 1_001), 1_001);
        assert_eq!(clock.all(1, 9_000), 9_000);
        let mut clock = Followed::new(2, Some(1_000));
        assert_eq!(clock.all(2, 1_001), 1_001);
        assert_eq!(clock.hear(&[(0, 9_000)]), 1_001);
        // The other one is silent for good: after a while nobody waits for it.
        let goes_on = (9_001..9_100).find(|second| clock.hear(&[(0, *second)]) == *second);
        assert!(goes_on.is_some());
    }

    #[test]
    fn few_that_are_left_go_on_after_a_while() {
        let mut clock = Followed::new(16, None);
        clock.all(16, 1_000);
        let goes_on = (1_001..1_200).find(|second| clock.hear(&[(3, *second), (5, *second)]) == *second);
        assert!(goes_on.is_some_and(|second| second > 1_020), "{goes_on:?}");
    }
}
