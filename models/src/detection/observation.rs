//! What a detector reports for one interval, once it has been checked.

use serde::{Deserialize, Serialize};

use crate::ids::DetectorId;
use crate::units::{Ds, MetresPerSecond, TimeDs};

/// One interval of one detector. Values are possible by construction: see [`Observation::new`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// The detector.
    pub detector: DetectorId,
    /// Start of the interval.
    pub begin: TimeDs,
    /// Length of the interval, longer than zero.
    pub length: Ds,
    /// Vehicles that entered the detector.
    pub count: u32,
    /// Share of the interval during which it was occupied, 0–1.
    pub occupancy: f64,
    /// Mean speed, where the detector measures it.
    pub speed: Option<MetresPerSecond>,
}

/// Why a report is impossible.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ObservationError {
    /// The interval is empty or longer than an hour.
    #[error("interval of {length} must be longer than 0 s and at most 3600 s")]
    Length {
        /// The interval's length.
        length: Ds,
    },
    /// The occupancy is not a share.
    #[error("occupancy {occupancy} must be between 0 and 1")]
    Occupancy {
        /// The offending value.
        occupancy: f64,
    },
    /// More vehicles than one lane can pass: above one per 0.5 s plus one.
    #[error("count {count} is impossible on one lane in {length}")]
    Count {
        /// The offending count.
        count: u32,
        /// The interval's length.
        length: Ds,
    },
    /// Faster than 100 m/s.
    #[error("speed {speed} must be at most 100 m/s")]
    Speed {
        /// The offending value.
        speed: MetresPerSecond,
    },
}

impl Observation {
    /// Checks a report.
    ///
    /// # Errors
    /// [`ObservationError`] naming the impossible value.
    pub fn new(
        detector: DetectorId,
        begin: TimeDs,
        length: Ds,
        count: u32,
        occupancy: f64,
        speed: Option<MetresPerSecond>,
    ) -> Result<Self, ObservationError> {
        if length == Ds::ZERO || length > Ds::from_s(3600) {
            return Err(ObservationError::Length { length });
        }
        if !(0.0..=1.0).contains(&occupancy) {
            return Err(ObservationError::Occupancy { occupancy });
        }
        if count > length.0 / 5 + 1 {
            return Err(ObservationError::Count { count, length });
        }
        if let Some(speed) = speed.filter(|s| s.get() > 100.0) {
            return Err(ObservationError::Speed { speed });
        }
        Ok(Self { detector, begin, length, count, occupancy, speed })
    }

    /// End of the interval.
    #[must_use]
    pub fn end(&self) -> TimeDs {
        self.begin + self.length
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_impossible_is_refused() {
        let make = |length, count, occ| Observation::new(DetectorId(0), TimeDs(0), Ds(length), count, occ, None);
        assert!(make(50, 3, 0.4).is_ok());
        assert!(matches!(make(0, 0, 0.0), Err(ObservationError::Length { .. })));
        assert!(matches!(make(50, 12, 0.4), Err(ObservationError::Count { .. })));
        assert!(matches!(make(50, 1, 1.01), Err(ObservationError::Occupancy { .. })));
        assert!(matches!(make(50, 1, f64::NAN), Err(ObservationError::Occupancy { .. })));
    }
}
