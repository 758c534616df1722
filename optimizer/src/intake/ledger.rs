//! What detectors have said already, so that nothing counts twice.

use std::collections::VecDeque;

use greenkerb_models::detection::Observation;
use greenkerb_models::units::TimeDs;

/// What an observation is beside those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Novelty {
    /// Nothing was said about this interval yet.
    New,
    /// The same was said before.
    Duplicate,
    /// Something else was said about the same interval.
    Contradiction,
}

/// Observations of every detector within the age that is still taken. What is older is refused before it gets here, so
/// the memory is bounded by that age.
#[derive(Debug)]
pub(super) struct Ledger {
    said: Vec<VecDeque<Observation>>,
}

impl Ledger {
    /// An empty ledger for so many detectors.
    #[must_use]
    pub(super) fn new(detectors: usize) -> Self {
        Self { said: vec![VecDeque::new(); detectors] }
    }

    /// Enters an observation when it is new. Entries that ended before `oldest` are forgotten.
    pub(super) fn enter(&mut self, o: &Observation, oldest: TimeDs) -> Novelty {
        let Some(said) = self.said.get_mut(o.detector.index()) else { return Novelty::New };
        while said.front().is_some_and(|s| s.end() < oldest) {
            said.pop_front();
        }
        let at = said.partition_point(|s| (s.begin, s.length) < (o.begin, o.length));
        match said.get(at) {
            Some(same) if same == o => Novelty::Duplicate,
            Some(other) if (other.begin, other.length) == (o.begin, o.length) => Novelty::Contradiction,
            _ => {
                said.insert(at, *o);
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

    fn saw(begin: i64, count: u32) -> Observation {
        Observation::new(DetectorId(0), TimeDs(begin), Ds(10), count, 0.5, None).unwrap()
    }

    #[test]
    fn twice_the_same_is_said_once_and_something_else_contradicts() {
        let mut ledger = Ledger::new(1);
        assert_eq!(ledger.enter(&saw(20, 1), TimeDs(0)), Novelty::New);
        assert_eq!(ledger.enter(&saw(10, 1), TimeDs(0)), Novelty::New);
        assert_eq!(ledger.enter(&saw(20, 1), TimeDs(0)), Novelty::Duplicate);
        assert_eq!(ledger.enter(&saw(20, 2), TimeDs(0)), Novelty::Contradiction);
    }

    #[test]
    fn the_old_is_forgotten() {
        let mut ledger = Ledger::new(1);
        for begin in 0..1_000 {
            ledger.enter(&saw(begin * 10, 1), TimeDs(begin * 10 - 100));
        }
        assert!(ledger.said[0].len() <= 13);
    }
}
