//! Benchmarks: controllers compared on a scenario over seeds, and a report that can be trusted.
//!
//! [`Setup`] says what is compared, [`run`] makes the runs and keeps each in a [`Store`], [`Summary`] puts them together,
//! [`compare`] holds them against an earlier benchmark.

mod arterial;
mod baseline;
mod error;
mod manifest;
mod progress;
mod record;
mod report;
mod results;
mod runner;
mod sensing;
mod setup;
mod store;
mod summary;
mod trace;

#[cfg(test)]
mod samples;

pub use arterial::{Arterial, Piece, Station};
pub use baseline::{Comparison, check_baseline, compare, parse_tolerance};
pub use error::BenchmarkError;
pub use manifest::{Hashed, Manifest, NetworkSize};
pub use progress::on_stderr;
pub use record::{RunRecord, RunWindow, Timing};
pub use report::{Report, timings_script};
pub use results::{Found, write_results};
pub use runner::{Progress, run};
pub use sensing::Sees;
pub use setup::{ControlFactory, Job, Setup};
pub use store::{Store, read_runs};
pub use summary::{COLUMNS, Column, Figure, Row, Summary, paired};
pub use trace::{Shown, Trace, Tracer, Track};
