//! By which instant the reports of a batch are judged, so that no single detector can stop or carry off the clock.
//!
//! A wall clock judges by itself. An external clock is set by the first batch and moved by those that follow; a feed that
//! comes back after a gap is far ahead of a clock that stood still meanwhile. It is believed when several detectors agree
//! and none of them speaks of the time the clock shows.

use std::collections::BTreeMap;

use greenkerb_models::ids::DetectorId;
use greenkerb_models::units::{Ds, TimeDs};

/// Detectors that must agree before an external clock jumps, where the network has that many.
const AGREEING_MIN: usize = 3;

/// What detectors say about a time far ahead of the clock, since the last report that fitted it.
#[derive(Debug, Default)]
pub(super) struct Moment {
    claims: BTreeMap<DetectorId, TimeDs>,
}

impl Moment {
    /// The instant to judge a batch by: `now`, unless there is none yet or the feed has moved on without the clock.
    /// `ends` are the ends of the batch's intervals; `detectors` is how many the network has.
    pub(super) fn of(
        &mut self,
        now: Option<TimeDs>,
        ends: &[(DetectorId, TimeDs)],
        detectors: usize,
        ahead_max: Ds,
    ) -> Option<TimeDs> {
        let Some(now) = now else {
            return median(ends.iter().map(|(_, end)| *end).collect());
        };
        let far = |end: TimeDs| end.since(now) > i64::from(ahead_max.0);
        if ends.iter().any(|(_, end)| !far(*end)) {
            self.claims.clear();
            return Some(now);
        }
        for (detector, end) in ends {
            let claim = self.claims.entry(*detector).or_insert(*end);
            *claim = (*claim).max(*end);
        }
        let Some(agreed) = median(self.claims.values().copied().collect()) else { return Some(now) };
        let agree = |claim: &&TimeDs| claim.since(agreed).unsigned_abs() <= u64::from(ahead_max.0);
        if self.claims.values().filter(agree).count() >= AGREEING_MIN.min(detectors) {
            self.claims.clear();
            return Some(agreed);
        }
        Some(now)
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

    const AHEAD: Ds = Ds::from_s(600);

    fn ends(of: &[(u32, i64)]) -> Vec<(DetectorId, TimeDs)> {
        of.iter().map(|(d, s)| (DetectorId(*d), TimeDs::from_s(*s))).collect()
    }

    #[test]
    fn the_first_batch_is_judged_by_its_middle() {
        let mut moment = Moment::default();
        let batch = ends(&[(0, 0), (1, 25_200), (2, 25_201), (3, 1_900_000_000)]);
        assert_eq!(moment.of(None, &batch, 4, AHEAD), Some(TimeDs::from_s(25_200)));
        assert_eq!(moment.of(None, &[], 4, AHEAD), None);
    }

    #[test]
    fn a_feed_that_comes_back_is_believed_when_several_agree() {
        let (mut moment, now) = (Moment::default(), Some(TimeDs::from_s(1_000)));
        assert_eq!(moment.of(now, &ends(&[(0, 9_000)]), 9, AHEAD), now);
        assert_eq!(moment.of(now, &ends(&[(1, 9_001)]), 9, AHEAD), now);
        assert_eq!(moment.of(now, &ends(&[(1, 9_002)]), 9, AHEAD), now, "twice the same detector is one");
        assert_eq!(moment.of(now, &ends(&[(2, 9_003)]), 9, AHEAD), Some(TimeDs::from_s(9_002)));
    }

    #[test]
    fn liars_in_a_working_feed_are_not() {
        let (mut moment, now) = (Moment::default(), Some(TimeDs::from_s(1_000)));
        for _ in 0..10 {
            assert_eq!(moment.of(now, &ends(&[(0, 9_000), (1, 9_000), (2, 9_000), (3, 1_001)]), 9, AHEAD), now);
            assert_eq!(moment.of(now, &ends(&[(0, 9_000), (1, 50_000), (2, 900_000)]), 9, AHEAD), now);
        }
    }

    #[test]
    fn a_network_of_one_detector_is_its_own_majority() {
        let now = Some(TimeDs::from_s(1_000));
        assert_eq!(Moment::default().of(now, &ends(&[(0, 9_000)]), 1, AHEAD), Some(TimeDs::from_s(9_000)));
    }
}
