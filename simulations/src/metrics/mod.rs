//! How well traffic moved: the one place where delay is computed, for the command line, the service and every report.

mod delay;
mod interval;

pub use delay::{Delay, MetricsError};
pub use interval::Mean;
