//! Detectors that fail, and controllers whose line to the service is cut; chosen by seed.

use std::str::FromStr;

use greenkerb_models::units::Ds;
use serde::{Deserialize, Serialize};

use super::reporter::rounded;
use crate::random::SplitMix64;

/// Share of the vehicles that a noisy detector misses.
const NOISE_MISSED: f64 = 0.10;
/// Share of the vehicles that it counts twice.
const NOISE_TWICE: f64 = 0.05;
/// Most by which its occupancy is off, either way, relative to the true one.
const NOISE_OCCUPANCY: f64 = 0.2;
/// How late reports of a delayed detector come, where nothing else is asked for.
const DELAY_S: u32 = 30;
/// Tells the choice of cut lines from that of failing detectors.
const LINES: u64 = 0x6C69_6E65;

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
    /// It misses some vehicles, counts some twice, and its occupancy is off by up to a fifth.
    Noisy,
    /// Its reports come late.
    Delayed,
}

const KINDS: [(FaultKind, &str); 6] = [
    (FaultKind::Silent, "silent"),
    (FaultKind::StuckOn, "stuck_on"),
    (FaultKind::StuckOff, "stuck_off"),
    (FaultKind::Lying, "lying"),
    (FaultKind::Noisy, "noisy"),
    (FaultKind::Delayed, "delayed"),
];

/// Controllers that neither hear nor are heard for a while: no poll, no acknowledgement, no report of their detectors.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Loss {
    /// Share of the controllers, 0–1.
    pub share: f64,
    /// From so many seconds after the beginning.
    pub from_s: u32,
    /// For so many seconds; none: to the end.
    pub for_s: Option<u32>,
}

/// What is broken on purpose.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Faults {
    /// Share of the detectors that fail in each way, 0–1, together at most 1.
    pub shares: Vec<(FaultKind, f64)>,
    /// Chooses detectors, lines and lies.
    pub seed: u64,
    /// How late delayed reports come, seconds.
    pub delay_s: u32,
    /// Lines that are cut.
    pub lost: Option<Loss>,
}

impl Default for Faults {
    fn default() -> Self {
        Self { shares: Vec::new(), seed: 0, delay_s: DELAY_S, lost: None }
    }
}

/// Why a text describes no faults.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum FaultsError {
    /// An item is not understood.
    #[error(
        "'{item}' is no fault: write silent:10%, stuck_on:5%, stuck_off:5%, lying:5%, noisy:5%, delayed:5%, delay_s:30, \
         lost:20%, lost_from_s:600, lost_for_s:900 or seed:7, separated by commas"
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
    /// A window of lost communication without a share of controllers that lose it.
    #[error("{item} says when lines are cut, but no share of them is: write lost:20%")]
    NoLoss {
        /// The item.
        item: &'static str,
    },
}

impl FromStr for Faults {
    type Err = FaultsError;

    /// Reads e.g. `silent:10%,stuck_on:10%,delayed:5%,delay_s:60,lost:20%,lost_from_s:600,lost_for_s:900,seed:3`.
    fn from_str(text: &str) -> Result<Self, FaultsError> {
        let mut faults = Self::default();
        let (mut lost, mut from_s, mut for_s) = (None, None, None);
        for item in text.split(',').map(str::trim).filter(|i| !i.is_empty()) {
            let unknown = || FaultsError::Item { item: item.to_owned() };
            let (name, value) = item.split_once([':', '=']).ok_or_else(unknown)?;
            let number = || value.parse().map_err(|_| unknown());
            match name {
                "seed" => faults.seed = value.parse().map_err(|_| unknown())?,
                "delay_s" => faults.delay_s = number()?,
                "lost_from_s" => from_s = Some(number()?),
                "lost_for_s" => for_s = Some(number()?),
                "lost" => lost = Some(share(value).ok_or_else(unknown)?),
                _ => {
                    let kind = KINDS.iter().find(|(_, known)| *known == name).ok_or_else(unknown)?.0;
                    faults.shares.push((kind, share(value).ok_or_else(unknown)?));
                }
            }
        }
        faults.lost = match (lost, from_s, for_s) {
            (Some(share), from_s, for_s) => Some(Loss { share, from_s: from_s.unwrap_or(0), for_s }),
            (None, Some(_), _) => return Err(FaultsError::NoLoss { item: "lost_from_s" }),
            (None, _, Some(_)) => return Err(FaultsError::NoLoss { item: "lost_for_s" }),
            (None, None, None) => None,
        };
        let percent = faults.shares.iter().map(|s| s.1).sum::<f64>() * 100.0;
        if percent > 100.0 + 1e-9 { Err(FaultsError::TooMany { percent }) } else { Ok(faults) }
    }
}

/// A percentage as a share.
fn share(text: &str) -> Option<f64> {
    let percent: f64 = text.strip_suffix('%')?.parse().ok()?;
    (0.0..=100.0).contains(&percent).then_some(percent / 100.0)
}

impl Faults {
    /// Which of so many controllers have their line cut.
    #[must_use]
    pub(super) fn cut_lines(&self, controllers: usize) -> Vec<bool> {
        let mut cut = vec![false; controllers];
        let share = self.lost.map_or(0.0, |l| l.share);
        let order = shuffled(&mut SplitMix64(self.seed ^ LINES), controllers);
        for i in order.into_iter().take((share * controllers as f64).round() as usize) {
            cut[i] = true;
        }
        cut
    }

    /// True while lines are cut, so long after the beginning.
    #[must_use]
    pub(super) fn loses_at(&self, since_begin: i64) -> bool {
        self.lost.is_some_and(|lost| {
            let from = i64::from(lost.from_s) * 10;
            since_begin >= from && lost.for_s.is_none_or(|s| since_begin < from + i64::from(s) * 10)
        })
    }
}

/// Numbers below `n` in an order of chance (Fisher and Yates).
fn shuffled(random: &mut SplitMix64, n: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    for i in (1..n).rev() {
        order.swap(i, random.below(i as u64 + 1) as usize);
    }
    order
}

/// Detectors with their faults, and a source of lies.
#[derive(Debug, Clone)]
pub(super) struct FaultyDetectors {
    faults: Vec<Option<FaultKind>>,
    lies: SplitMix64,
    delay: Ds,
}

impl FaultyDetectors {
    /// Chooses among `detectors` detectors.
    #[must_use]
    pub(super) fn choose(faults: &Faults, detectors: usize) -> Self {
        let mut random = SplitMix64(faults.seed);
        let mut order = shuffled(&mut random, detectors).into_iter();
        let mut chosen = vec![None; detectors];
        for (kind, share) in &faults.shares {
            for i in order.by_ref().take((share * detectors as f64).round() as usize) {
                chosen[i] = Some(*kind);
            }
        }
        Self { faults: chosen, lies: random, delay: Ds::from_s(faults.delay_s) }
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

    /// How late a detector's reports come.
    #[must_use]
    pub(super) fn delay(&self, detector: usize) -> Option<Ds> {
        (self.fault(detector) == Some(FaultKind::Delayed)).then_some(self.delay)
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
            None | Some(FaultKind::Delayed) => Some((count, occupancy)),
            Some(FaultKind::Silent) => None,
            Some(FaultKind::StuckOn) => Some((0, 1.0)),
            Some(FaultKind::StuckOff) => Some((0, 0.0)),
            Some(FaultKind::Lying) => {
                // Possible by itself (up to one vehicle every 2 s), so that only its course gives it away.
                let count = self.lies.below((interval_s / 2.0) as u64 + 2) as u32;
                Some((count, self.lies.unit()))
            }
            Some(FaultKind::Noisy) => {
                let mut counted = 0;
                for _ in 0..count {
                    let chance = self.lies.unit();
                    counted += if chance < NOISE_MISSED { 0 } else { 1 + u32::from(chance > 1.0 - NOISE_TWICE) };
                }
                let off = 1.0 + NOISE_OCCUPANCY * (2.0 * self.lies.unit() - 1.0);
                Some((counted, rounded((occupancy * off).clamp(0.0, 1.0))))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(shares: Vec<(FaultKind, f64)>, seed: u64) -> Faults {
        Faults { shares, seed, ..Faults::default() }
    }

    #[test]
    fn delays_and_cut_lines_are_read() {
        let faults: Faults = "delayed:5%,delay_s:60,lost:20%,lost_from_s:600,lost_for_s:900".parse().unwrap();
        assert_eq!((faults.delay_s, faults.lost), (60, Some(Loss { share: 0.2, from_s: 600, for_s: Some(900) })));
        assert_eq!(faults.cut_lines(10).iter().filter(|c| **c).count(), 2);
        let at = |s: i64| faults.loses_at(s * 10);
        assert_eq!((at(599), at(600), at(1_499), at(1_500)), (false, true, true, false));
        assert!("lost:20%".parse::<Faults>().unwrap().loses_at(0));
        assert!(matches!("lost_for_s:9".parse::<Faults>(), Err(FaultsError::NoLoss { item: "lost_for_s" })));
        assert!("delay_s:-1".parse::<Faults>().is_err() && "lost:2".parse::<Faults>().is_err());
    }

    #[test]
    fn noise_is_about_right_and_never_out_of_range() {
        let mut faulty = FaultyDetectors::choose(&of(vec![(FaultKind::Noisy, 1.0)], 5), 1);
        let told: Vec<(u32, f64)> = (0..2_000).filter_map(|_| faulty.distort(0, 5, 0.9, 10.0)).collect();
        let mean = told.iter().map(|t| f64::from(t.0)).sum::<f64>() / 2_000.0;
        // Of five, 10 % are missed and 5 % counted twice: 4.75; four standard deviations of the mean either way.
        assert!((mean - 4.75).abs() < 0.08, "{mean}");
        assert!(told.iter().all(|t| t.0 <= 10 && (0.72..=1.0).contains(&t.1)));
        assert!(told.iter().any(|t| t.1 < 0.8) && told.iter().any(|t| t.1 == 1.0));
    }

    #[test]
    fn faults_are_read() {
        let faults: Faults = "silent:10%, stuck_on:5%,seed:7".parse().unwrap();
        assert_eq!(faults.shares, [(FaultKind::Silent, 0.1), (FaultKind::StuckOn, 0.05)]);
        assert_eq!(faults.seed, 7);
        assert_eq!((faults.delay_s, faults.lost), (30, None));
        assert!("loud:10%".parse::<Faults>().is_err());
        assert!("silent:10".parse::<Faults>().is_err());
        assert!("silent:-1%".parse::<Faults>().is_err());
        assert!(matches!("silent:60%,lying:60%".parse::<Faults>(), Err(FaultsError::TooMany { .. })));
    }

    #[test]
    fn shares_are_kept_and_the_choice_follows_the_seed() {
        let choose = |seed| {
            let faults = of(vec![(FaultKind::Silent, 0.1), (FaultKind::Lying, 0.2)], seed);
            FaultyDetectors::choose(&faults, 100).faults
        };
        let count = |kind| choose(1).iter().filter(|f| **f == Some(kind)).count();
        assert_eq!((count(FaultKind::Silent), count(FaultKind::Lying)), (10, 20));
        assert_eq!(choose(1), choose(1));
        assert_ne!(choose(1), choose(2));
    }

    #[test]
    fn lies_are_possible_values() {
        let mut faulty = FaultyDetectors::choose(&of(vec![(FaultKind::Lying, 1.0)], 3), 1);
        let lies: Vec<_> = (0..200).filter_map(|_| faulty.distort(0, 9, 9.0, 1.0)).collect();
        assert_eq!(lies.len(), 200);
        assert!(lies.iter().all(|(count, occupancy)| *count <= 1 && (0.0..1.0).contains(occupancy)));
        assert!(lies.iter().any(|l| l.0 == 1) && lies.iter().any(|l| l.0 == 0));
    }
}
