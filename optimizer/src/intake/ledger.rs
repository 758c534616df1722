//! What detectors have said already, so that nothing counts twice.

use std::collections::BTreeMap;

use greenkerb_models::detection::Observation;
use greenkerb_models::units::TimeDs;

/// What an observation is beside those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Novelty {
    /// Nothing was said about this interval yet.
    New,
    /// The same was said before.
    Duplicate,
    /// Something else was said about the same time: the intervals overlap.
    Contradiction,
}

/// Observations of every detector within the age that is still taken. No two of a detector overlap, and what is older, or
/// too far ahead, is refused before it gets here: that bounds the memory.
#[derive(Debug)]
pub(super) struct Ledger {
    /// By begin; since none overlap, in the order of their ends as well.
    said: Vec<BTreeMap<TimeDs, Observation>>,
}

impl Ledger {
    /// An empty ledger for so many detectors.
    #[must_use]
    pub(super) fn new(detectors: usize) -> Self {
        Self { said: vec![BTreeMap::new(); detectors] }
    }

    /// Enters an observation when it is new. Entries that ended before `oldest` are forgotten.
    pub(super) fn enter(&mut self, o: &Observation, oldest: TimeDs) -> Novelty {
        let Some(said) = self.said.get_mut(o.detector.index()) else { return Novelty::New };
        while let Some(first) = said.first_entry().filter(|e| e.get().end() < oldest) {
            first.remove();
        }
        match said.range(..o.end()).next_back() {
            Some((_, same)) if same == o => Novelty::Duplicate,
            Some((_, other)) if other.end() > o.begin => Novelty::Contradiction,
            _ => {
                said.insert(o.begin, *o);
                Novelty::New
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use greenkerb_models::ids::DetectorId;
    use greenkerb_models::units::Ds;
    use proptest::prelude::*;

    fn saw(begin: i64, length: u32, count: u32) -> Observation {
        Observation::new(DetectorId(0), TimeDs(begin), Ds(length), count, 0.5, None).unwrap()
    }

    #[test]
    fn twice_the_same_is_said_once_and_something_else_contradicts() {
        let mut ledger = Ledger::new(1);
        assert_eq!(ledger.enter(&saw(20, 10, 1), TimeDs(0)), Novelty::New);
        assert_eq!(ledger.enter(&saw(10, 10, 1), TimeDs(0)), Novelty::New);
        assert_eq!(ledger.enter(&saw(20, 10, 1), TimeDs(0)), Novelty::Duplicate);
        assert_eq!(ledger.enter(&saw(20, 10, 2), TimeDs(0)), Novelty::Contradiction);
    }

    #[test]
    fn the_old_is_forgotten() {
        let mut ledger = Ledger::new(1);
        for begin in 0..1_000 {
            ledger.enter(&saw(begin * 10, 10, 1), TimeDs(begin * 10 - 100));
        }
        assert!(ledger.said[0].len() <= 13);
    }

    #[test]
    fn many_intervals_with_the_same_end_are_one() {
        let mut ledger = Ledger::new(1);
        let new = (1..=6_000).filter(|l| ledger.enter(&saw(36_000 - i64::from(*l), *l, 0), TimeDs(0)) == Novelty::New);
        assert_eq!((new.count(), ledger.said[0].len()), (1, 1));
    }

    proptest! {
        #[test]
        fn what_it_takes_never_overlaps(said in proptest::collection::vec((0i64..200, 1u32..40), 0..60)) {
            let mut ledger = Ledger::new(1);
            let mut taken: Vec<Observation> = Vec::new();
            for (begin, length) in said {
                let o = saw(begin, length, 1);
                let overlaps = taken.iter().any(|t| t.begin < o.end() && o.begin < t.end());
                let novelty = ledger.enter(&o, TimeDs(0));
                prop_assert_eq!(novelty == Novelty::New, !overlaps);
                prop_assert_eq!(novelty == Novelty::Duplicate, taken.contains(&o));
                if !overlaps {
                    taken.push(o);
                }
            }
        }
    }
}
