//! Detectors that fail: silent, stuck or lying, chosen by seed.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::random::SplitMix64;

/// How a detector fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// It reports nothing.
    Silent,
    /// It reports a vehicle that never leaves.
    StuckOn,
    /// It reports an empty road.
    StuckOff,
    /// It reports numbers that have nothing to do with the road.
    Lying,
}

const KINDS: [(FaultKind, &str); 4] = [
    (FaultKind::Silent, "silent"),
    (FaultKind::StuckOn, "stuck_on"),
    (FaultKind::StuckOff, "stuck_off"),
    (FaultKind::Lying, "lying"),
];

/// Which share of the detectors fails in which way.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct DetectorFaults {
    /// Shares, 0–1, together at most 1.
    pub shares: Vec<(FaultKind, f64)>,
    /// Chooses the detectors and the lies.
    pub seed: u64,
}

/// Why a text describes no faults.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum FaultsError {
    /// An item is not understood.
    #[error(
        "'{item}' is no fault: write silent:10%, stuck_on:5%, stuck_off:5%, lying:5% or seed:7, separated by commas"
    )]
    Item {
        /// The item.
        item: String,
    },
    /// More than all detectors fail.
    #[error("{percent:.0} % of the detectors cannot fail")]
    TooMany {
        /// The sum of all shares.
        percent: f64,
    },
}

impl FromStr for DetectorFaults {
    type Err = FaultsError;

    /// Reads e.g. `silent:10%,stuck_on:10%,lying:10%,seed:3`.
    fn from_str(text: &str) -> Result<Self, FaultsError> {
        let mut faults = Self::default();
        for item in text.split(',').map(str::trim).filter(|i| !i.is_empty()) {
            let unknown = || FaultsError::Item { item: item.to_owned() };
            let (name, value) = item.split_once([':', '=']).ok_or_else(unknown)?;
            if name == "seed" {
                faults.seed = value.parse().map_err(|_| unknown())?;
                continue;
            }
            let kind = KINDS.iter().find(|(_, known)| *known == name).ok_or_else(unknown)?.0;
            let percent: f64 = value.strip_suffix('%').ok_or_else(unknown)?.parse().map_err(|_| unknown())?;
            if !(0.0..=100.0).contains(&percent) {
                return Err(unknown());
            }
            faults.shares.push((kind, percent / 100.0));
        }
        let percent = faults.shares.iter().map(|s| s.1).sum::<f64>() * 100.0;
        if percent > 100.0 + 1e-9 { Err(FaultsError::TooMany { percent }) } else { Ok(faults) }
    }
}

/// Detectors with their faults, and a source of lies.
#[derive(Debug)]
pub(super) struct FaultyDetectors {
    faults: Vec<Option<FaultKind>>,
    lies: SplitMix64,
}

impl FaultyDetectors {
    /// Chooses among `detectors` detectors.
    #[must_use]
    pub(super) fn choose(faults: &DetectorFaults, detectors: usize) -> Self {
        let mut random = SplitMix64(faults.seed);
        let mut order: Vec<usize> = (0..detectors).collect();
        // Fisher and Yates.
        for i in (1..detectors).rev() {
            order.swap(i, random.below(i as u64 + 1) as usize);
        }
        let mut chosen = vec![None; detectors];
        let mut order = order.into_iter();
        for (kind, share) in &faults.shares {
            for i in order.by_ref().take((share * detectors as f64).round() as usize) {
                chosen[i] = Some(*kind);
            }
        }
        Self { faults: chosen, lies: random }
    }

    /// How a detector fails, if it does.
    #[must_use]
    pub(super) fn fault(&self, detector: usize) -> Option<FaultKind> {
        self.faults.get(detector).copied().flatten()
    }

    /// Number of detectors that fail.
    #[must_use]
    pub(super) fn count(&self) -> usize {
        self.faults.iter().flatten().count()
    }

    /// What a detector reports instead of `count` and `occupancy` over `interval_s`; nothing when it is silent.
    pub(super) fn distort(
        &mut self,
        detector: usize,
        count: u32,
        occupancy: f64,
        interval_s: f64,
    ) -> Option<(u32, f64)> {
        match self.fault(detector) {
            None => Some((count, occupancy)),
            Some(FaultKind::Silent) => None,
            Some(FaultKind::StuckOn) => Some((0, 1.0)),
            Some(FaultKind::StuckOff) => Some((0, 0.0)),
            Some(FaultKind::Lying) => {
                // Possible by itself (up to one vehicle every 2 s), so that only its course gives it away.
                let count = self.lies.below((interval_s / 2.0) as u64 + 2) as u32;
                Some((count, self.lies.unit()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_read() {
        let faults: DetectorFaults = "silent:10%, stuck_on:5%,seed:7".parse().unwrap();
        assert_eq!(faults.shares, [(FaultKind::Silent, 0.1), (FaultKind::StuckOn, 0.05)]);
        assert_eq!(faults.seed, 7);
        assert!("noisy:10%".parse::<DetectorFaults>().is_err());
        assert!("silent:10".parse::<DetectorFaults>().is_err());
        assert!("silent:-1%".parse::<DetectorFaults>().is_err());
        assert!(matches!("silent:60%,lying:60%".parse::<DetectorFaults>(), Err(FaultsError::TooMany { .. })));
    }

    #[test]
    fn shares_are_kept_and_the_choice_follows_the_seed() {
        let choose = |seed| {
            let faults = DetectorFaults { shares: vec![(FaultKind::Silent, 0.1), (FaultKind::Lying, 0.2)], seed };
            FaultyDetectors::choose(&faults, 100).faults
        };
        let count = |kind| choose(1).iter().filter(|f| **f == Some(kind)).count();
        assert_eq!((count(FaultKind::Silent), count(FaultKind::Lying)), (10, 20));
        assert_eq!(choose(1), choose(1));
        assert_ne!(choose(1), choose(2));
    }

    #[test]
    fn lies_are_possible_values() {
        let faults = DetectorFaults { shares: vec![(FaultKind::Lying, 1.0)], seed: 3 };
        let mut faulty = FaultyDetectors::choose(&faults, 1);
        let lies: Vec<_> = (0..200).filter_map(|_| faulty.distort(0, 9, 9.0, 1.0)).collect();
        assert_eq!(lies.len(), 200);
        assert!(lies.iter().all(|(count, occupancy)| *count <= 1 && (0.0..1.0).contains(occupancy)));
        assert!(lies.iter().any(|l| l.0 == 1) && lies.iter().any(|l| l.0 == 0));
    }
}
