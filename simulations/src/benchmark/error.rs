//! Why a benchmark has no result.

use std::path::PathBuf;

use crate::control::{RegistryError, RunError};
use crate::micro::MicroError;

/// Why a benchmark has no result.
#[derive(Debug, thiserror::Error)]
pub enum BenchmarkError {
    /// No controller is named.
    #[error("at least one controller is needed")]
    NoController,
    /// No seed is named.
    #[error("at least one seed is needed")]
    NoSeed,
    /// A list names something twice.
    #[error("{what} '{name}' is listed twice")]
    Twice {
        /// What kind of thing.
        what: &'static str,
        /// Which.
        name: String,
    },
    /// Nothing is left to run.
    #[error("the run must end after it begins, not from {begin_s} s to {end_s} s")]
    Window {
        /// First second.
        begin_s: f64,
        /// Last second.
        end_s: f64,
    },
    /// A controller cannot be made for the scenario.
    #[error(transparent)]
    Control(#[from] RegistryError),
    /// The scenario's demand cannot be driven, whatever controls the signals.
    #[error("{place}: {source}")]
    Street {
        /// File and line of the vehicle, or the scenario's name where it stands in no file of ours.
        place: String,
        /// Why.
        source: MicroError,
    },
    /// A run broke off.
    #[error("controller '{controller}', seed {seed}: {source}")]
    Run {
        /// The controller.
        controller: String,
        /// The seed.
        seed: u64,
        /// Why.
        source: RunError,
    },
    /// It was called off; what is finished is kept.
    #[error("called off after {finished} of {all} runs; the same command goes on from there")]
    Cancelled {
        /// Runs that are kept.
        finished: usize,
        /// Runs asked for.
        all: usize,
    },
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file does not hold what it should.
    #[error("{}: line {line}: {reason}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// Something cannot be written as JSON.
    #[error("cannot be written as JSON: {0}")]
    Encode(serde_json::Error),
    /// The baseline has nothing to compare with.
    #[error("{}: it has no run of any of these controllers: {controllers}", path.display())]
    BaselineEmpty {
        /// The file.
        path: PathBuf,
        /// Controllers of this benchmark.
        controllers: String,
    },
    /// The baseline is of something else.
    #[error("{}: no baseline for this benchmark: its {what} is {theirs}; this one's is {ours}", path.display())]
    BaselineOther {
        /// The file.
        path: PathBuf,
        /// What differs.
        what: &'static str,
        /// The baseline's.
        theirs: String,
        /// This benchmark's.
        ours: String,
    },
    /// The tolerance is no share below 1, or above 100 %.
    #[error("'{text}' is no tolerance: write 3% or 0.03")]
    Tolerance {
        /// What was given.
        text: String,
    },
}
