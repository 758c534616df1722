//! Detectors and what they report.

mod detector;
mod observation;

pub use detector::{Detector, DetectorKind};
pub use observation::{Observation, ObservationError};
