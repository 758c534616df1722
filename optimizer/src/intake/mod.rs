//! The gate between what detectors say and what the estimator hears: nothing counts twice, nobody's clock carries off
//! everybody's, and what was said in one batch is heard in the order of time.
//!
//! Pure, so that the service, a simulation in one process and a replay hear the same of the same words.

mod ledger;
mod moment;

use greenkerb_models::detection::Observation;
use greenkerb_models::units::{Ds, TimeDs};

use ledger::{Ledger, Novelty};
use moment::Moment;

/// The clock that a batch is judged by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockReading {
    /// Time that passes by itself.
    Passing(TimeDs),
    /// Time that only the data moves; none before it has been told anything.
    Told(Option<TimeDs>),
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
    /// The detector has said something else about the same interval.
    #[error("the detector has said something else about the same interval")]
    Contradiction,
}

/// A batch after the gate.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Taken {
    /// What is new, in the order in which it is to be heard.
    pub new: Vec<Observation>,
    /// Reports that were said before, word for word.
    pub duplicates: usize,
    /// What is not heard: its place in the batch, the report, and why.
    pub refused: Vec<(usize, Observation, Unheard)>,
}

impl Taken {
    /// End of the newest interval that is new.
    #[must_use]
    pub fn newest(&self) -> Option<TimeDs> {
        self.new.iter().map(Observation::end).max()
    }
}

/// What detectors have said already, and what time they say it is.
#[derive(Debug)]
pub struct Intake {
    ledger: Ledger,
    moment: Moment,
    detectors: usize,
}

impl Intake {
    /// Has heard nothing of so many detectors yet.
    #[must_use]
    pub fn new(detectors: usize) -> Self {
        Self { ledger: Ledger::new(detectors), moment: Moment::default(), detectors }
    }

    /// Takes a batch; every report comes with its place in it.
    pub fn take(&mut self, mut batch: Vec<(usize, Observation)>, clock: ClockReading, window: Window) -> Taken {
        let reference = match clock {
            ClockReading::Passing(now) => Some(now),
            ClockReading::Told(now) => {
                let ends: Vec<_> = batch.iter().map(|(_, o)| (o.detector, o.end())).collect();
                self.moment.of(now, &ends, self.detectors, window.ahead_max)
            }
        };
        let mut taken = Taken::default();
        let Some(reference) = reference else { return taken };
        // In the order of time, whatever order they were sent in: a batch sorted by detector is not late.
        batch.sort_by_key(|(_, o)| (o.end(), o.detector));
        for (place, o) in batch {
            let ahead = o.end().since(reference);
            if ahead > i64::from(window.ahead_max.0) || -ahead > i64::from(window.age_max.0) {
                taken.refused.push((place, o, Unheard::FarOff { end: o.end(), clock: reference }));
                continue;
            }
            match self.ledger.enter(&o, reference - window.age_max) {
                Novelty::Duplicate => taken.duplicates += 1,
                Novelty::Contradiction => taken.refused.push((place, o, Unheard::Contradiction)),
                Novelty::New => taken.new.push(o),
            }
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use greenkerb_models::ids::DetectorId;

    use super::*;

    const WINDOW: Window = Window { age_max: Ds::from_s(600), ahead_max: Ds::from_s(600) };

    fn saw(detector: u32, end_s: i64, count: u32) -> Observation {
        let begin = TimeDs::from_s(end_s - 1);
        Observation::new(DetectorId(detector), begin, Ds::from_s(1), count, 0.5, None).unwrap()
    }

    fn take(intake: &mut Intake, now: Option<i64>, batch: &[Observation]) -> Taken {
        let now = now.map(TimeDs::from_s);
        intake.take(batch.iter().copied().enumerate().collect(), ClockReading::Told(now), WINDOW)
    }

    #[test]
    fn a_batch_is_heard_in_the_order_of_time_and_once() {
        let mut intake = Intake::new(2);
        let batch = [saw(1, 1_000, 1), saw(0, 1_000, 1), saw(0, 999, 0)];
        let taken = take(&mut intake, None, &batch);
        assert_eq!(taken.new, [batch[2], batch[1], batch[0]]);
        assert_eq!(taken.newest(), Some(TimeDs::from_s(1_000)));
        let again = take(&mut intake, Some(1_000), &[batch[0], saw(0, 1_000, 2)]);
        assert_eq!((again.new.len(), again.duplicates), (0, 1));
        assert_eq!(again.refused, [(1, saw(0, 1_000, 2), Unheard::Contradiction)]);
    }

    #[test]
    fn what_ends_far_from_the_clock_is_not_heard() {
        let mut intake = Intake::new(2);
        let taken = take(&mut intake, Some(1_000), &[saw(0, 1_001, 1), saw(1, 399, 1), saw(1, 1_601, 1)]);
        assert_eq!(taken.new, [saw(0, 1_001, 1)]);
        assert_eq!(taken.refused.len(), 2);
        let said = taken.refused[0].2.to_string();
        assert!(said.contains("00:06:39Z") && said.contains("00:16:40Z"), "{said}");
        assert_eq!(take(&mut intake, None, &[]), Taken::default());
    }

    #[test]
    fn a_clock_that_passes_is_not_moved_by_a_majority() {
        let mut intake = Intake::new(3);
        let clock = ClockReading::Passing(TimeDs::from_s(1_000));
        let batch: Vec<_> = (0..3).map(|d| saw(d, 9_000, 1)).enumerate().collect();
        assert_eq!(intake.take(batch, clock, WINDOW).refused.len(), 3);
    }
}
