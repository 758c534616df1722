//! The gate between what detectors say and what the estimator hears: nothing counts twice, nobody's clock carries off
//! everybody's, and what was said in one batch is heard in the order of time.
//!
//! Pure, so that the service, a simulation in one process and a replay hear the same of the same words.

mod ledger;
mod moment;

use std::collections::BTreeMap;
use std::mem;

use greenkerb_models::detection::Observation;
use greenkerb_models::ids::DetectorId;
use greenkerb_models::units::{Ds, TimeDs};

use ledger::{Ledger, Novelty};
use moment::Moment;

/// What moves the clock that reports are judged by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockSource {
    /// Time passes by itself.
    Passing,
    /// Only what the detectors say moves it.
    Told {
        /// An earlier life has left the time, and detectors had agreed on it.
        kept: bool,
    },
}

/// How far from the clock a report may end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Before it.
    pub age_max: Ds,
    /// After it.
    pub ahead_max: Ds,
}

/// Why a report is not heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unheard {
    /// It ends too far from the clock.
    #[error("the interval ends at {end}, the service's clock says {clock}", end = end.rfc3339(), clock = clock.rfc3339())]
    FarOff {
        /// End of its interval.
        end: TimeDs,
        /// The clock it was judged by.
        clock: TimeDs,
    },
    /// The detector has said something else about the same time.
    #[error("the detector has said something else about the same time")]
    Contradiction,
}

/// A batch after the gate.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Taken {
    /// The instant that the reports were compared with; none when there is neither a clock nor anything to set it by.
    pub reference: Option<TimeDs>,
    /// Most detectors insist on a past: the clock is to be set back to it, and all that was said since is void. To be done
    /// before anything is heard.
    pub back_to: Option<TimeDs>,
    /// Where a told clock has come to, if anything is new.
    pub clock: Option<TimeDs>,
    /// Reports that are new; those that end later than a told clock shows are heard when it gets there.
    pub accepted: usize,
    /// End of the newest interval that is new.
    pub newest: Option<TimeDs>,
    /// What is to be heard now, in this order.
    pub due: Vec<Observation>,
    /// Reports that were said before, word for word.
    pub duplicates: usize,
    /// What is not heard: its place in the batch, the report, and why.
    pub refused: Vec<(usize, Observation, Unheard)>,
}

/// What detectors have said already, and what time they say it is.
#[derive(Debug)]
pub struct Intake {
    ledger: Ledger,
    /// `None` where time passes by itself.
    moment: Option<Moment>,
    /// Reports that end later than a told clock shows.
    ahead: BTreeMap<(TimeDs, DetectorId), Observation>,
    detectors: usize,
    window: Window,
}

impl Intake {
    /// Has heard nothing of so many detectors yet.
    #[must_use]
    pub fn new(detectors: usize, window: Window, source: ClockSource) -> Self {
        let moment = match source {
            ClockSource::Passing => None,
            ClockSource::Told { kept } => Some(Moment::new(detectors, window, kept)),
        };
        Self { ledger: Ledger::new(detectors), moment, ahead: BTreeMap::new(), detectors, window }
    }

    /// Takes a batch at a time of the clock, if it has one; every report comes with its place in the batch.
    pub fn take(&mut self, mut batch: Vec<(usize, Observation)>, now: Option<TimeDs>) -> Taken {
        let mut taken = Taken { reference: now, ..Taken::default() };
        if let Some(moment) = &mut self.moment {
            let ends: Vec<_> = batch.iter().map(|(_, o)| (o.detector, o.end())).collect();
            let verdict = moment.hear(now, &ends);
            taken.reference = verdict.map(|v| v.reference);
            taken.back_to = verdict.filter(|v| v.goes_back).map(|v| v.reference);
        }
        let Some(reference) = taken.reference else { return taken };
        if taken.back_to.is_some() {
            self.ledger = Ledger::new(self.detectors);
            self.ahead.clear();
        }
        // In the order of time, whatever order they were sent in: a batch sorted by detector is not late.
        batch.sort_by_key(|(_, o)| (o.end(), o.detector));
        for (place, o) in batch {
            let ahead = o.end().since(reference);
            if ahead > i64::from(self.window.ahead_max.0) || -ahead > i64::from(self.window.age_max.0) {
                taken.refused.push((place, o, Unheard::FarOff { end: o.end(), clock: reference }));
                continue;
            }
            match self.ledger.enter(&o, reference - self.window.age_max) {
                Novelty::Duplicate => taken.duplicates += 1,
                Novelty::Contradiction => taken.refused.push((place, o, Unheard::Contradiction)),
                Novelty::New => {
                    taken.accepted += 1;
                    taken.newest = taken.newest.max(Some(o.end()));
                    self.ahead.insert((o.end(), o.detector), o);
                }
            }
        }
        let reached = self.moment.as_ref().map(|m| m.reached(reference));
        // A clock that passes is this far whatever is said; what is a little ahead of it is heard at once.
        let until = reached.unwrap_or(TimeDs(i64::MAX));
        let later = self.ahead.split_off(&(until, DetectorId(u32::MAX)));
        taken.due = mem::replace(&mut self.ahead, later).into_values().collect();
        taken.clock = reached.filter(|_| taken.accepted > 0);
        taken
    }

    /// Detectors that lately spoke of another time than this.
    pub fn disputing(&self, now: TimeDs) -> impl Iterator<Item = DetectorId> {
        self.moment.iter().flat_map(move |m| m.disputing(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Window = Window { age_max: Ds::from_s(600), ahead_max: Ds::from_s(600) };
    const TOLD: ClockSource = ClockSource::Told { kept: false };

    fn saw(detector: u32, end_s: i64, count: u32) -> Observation {
        let begin = TimeDs::from_s(end_s - 1);
        Observation::new(DetectorId(detector), begin, Ds::from_s(1), count, 0.5, None).unwrap()
    }

    fn take(intake: &mut Intake, now_s: Option<i64>, batch: &[Observation]) -> Taken {
        intake.take(batch.iter().copied().enumerate().collect(), now_s.map(TimeDs::from_s))
    }

    #[test]
    fn a_batch_is_heard_in_the_order_of_time_and_once() {
        let mut intake = Intake::new(2, WINDOW, TOLD);
        let batch = [saw(1, 1_000, 1), saw(0, 1_000, 1), saw(0, 999, 0)];
        let taken = take(&mut intake, None, &batch);
        assert_eq!(taken.due, [batch[2], batch[1], batch[0]]);
        assert_eq!((taken.clock, taken.newest), (Some(TimeDs::from_s(1_000)), Some(TimeDs::from_s(1_000))));
        let again = take(&mut intake, Some(1_000), &[batch[0], saw(0, 1_000, 2)]);
        assert_eq!((again.accepted, again.duplicates, again.clock), (0, 1, None));
        assert_eq!(again.refused, [(1, saw(0, 1_000, 2), Unheard::Contradiction)]);
    }

    #[test]
    fn what_ends_far_from_the_clock_is_not_heard() {
        let mut intake = Intake::new(2, WINDOW, ClockSource::Passing);
        let taken = take(&mut intake, Some(1_000), &[saw(0, 1_001, 1), saw(1, 399, 1), saw(1, 1_601, 1)]);
        assert_eq!(taken.due, [saw(0, 1_001, 1)]);
        assert_eq!(taken.refused.len(), 2);
        let said = taken.refused[0].2.to_string();
        assert!(said.contains("00:06:39Z") && said.contains("00:16:40Z"), "{said}");
        assert_eq!(take(&mut intake, None, &[]).accepted, 0);
    }

    #[test]
    fn what_is_ahead_of_a_told_clock_is_heard_when_it_gets_there() {
        let mut intake = Intake::new(8, WINDOW, TOLD);
        let all = |second| (0..8).map(|d| saw(d, second, 0)).collect::<Vec<_>>();
        take(&mut intake, None, &all(1_000));
        let early = take(&mut intake, Some(1_000), &[saw(0, 1_005, 1)]);
        assert_eq!((early.accepted, early.due.len(), early.clock), (1, 0, Some(TimeDs::from_s(1_000))));
        let later = take(&mut intake, Some(1_000), &all(1_005)[1..]);
        assert_eq!((later.due.len(), later.due[0]), (8, saw(0, 1_005, 1)));
    }

    #[test]
    fn a_clock_that_passes_is_not_moved_by_a_majority() {
        let mut intake = Intake::new(3, WINDOW, ClockSource::Passing);
        let batch: Vec<_> = (0..3).map(|d| saw(d, 9_000, 1)).collect();
        assert_eq!(take(&mut intake, Some(1_000), &batch).refused.len(), 3);
        let ahead = take(&mut intake, Some(1_000), &[saw(0, 1_002, 1)]);
        assert_eq!((ahead.due.len(), ahead.clock), (1, None));
    }

    #[test]
    fn a_clock_set_back_forgets_what_was_said_since() {
        let mut intake = Intake::new(8, WINDOW, TOLD);
        let all = |second| (0..8).map(|d| saw(d, second, 0)).collect::<Vec<_>>();
        take(&mut intake, None, &all(9_000));
        let back = (1_000..1_100).map(|second| take(&mut intake, Some(9_000), &all(second)));
        let back = back.into_iter().find(|t| t.back_to.is_some()).expect("they insist");
        assert_eq!((back.back_to, back.accepted), (back.clock, 8));
        let again = take(&mut intake, Some(9_000), &all(9_000));
        assert_eq!(again.duplicates, 0, "forgotten");
    }
}
