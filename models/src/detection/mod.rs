//! Detectors and what they report.

mod detector;
mod laying;
mod observation;
mod picture;
mod vicinity;

pub use detector::{Detector, DetectorKind};
pub use laying::{ADVANCE_FROM_START_M, ADVANCE_TO_LINE_M, LOOP_LENGTH_M, STOP_BAR_TO_LINE_M, lay};
pub use observation::{Observation, ObservationError};
pub use picture::{Picture, Sighting};
pub use vicinity::Vicinity;
