//! What passes between field and service, kept in files: to look at, to decide from once more (`greenkerb optimize`), or to
//! be told to a service again (`greenkerb replay`).
//!
//! A recording is a folder:
//!
//! | file | holds |
//! | --- | --- |
//! | `recording.json` | the [`Manifest`]: format, network, controllers with their checksums, what was broken on purpose |
//! | `observations.ndjson` | every report and picture as it was posted, one a line; a blank line ends a batch |
//! | `timings.ndjson` | every timing as it was polled, one a line, with the controller and the instant |

mod manifest;
mod read;
mod replay;
mod write;

pub use manifest::{FORMAT, Manifest, VERSION};
pub use read::{Batch, Batches, Recording, Told};
pub use replay::{Difference, Replay, ReplayError, ReplayOptions, replay};
pub use write::Recorder;

use std::path::PathBuf;

/// File of the manifest.
const MANIFEST: &str = "recording.json";
/// File of the reports.
const OBSERVATIONS: &str = "observations.ndjson";
/// File of the timings.
const TIMINGS: &str = "timings.ndjson";

/// Why a recording cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// A file cannot be written or read.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// A line, or the manifest, is not what it should be.
    #[error("{}: line {line}: {reason}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// It was written by a version that this one does not know.
    #[error("{}: format '{format}' version {version}; this program reads '{FORMAT}' version {VERSION}", path.display())]
    Version {
        /// The manifest.
        path: PathBuf,
        /// The format it names.
        format: String,
        /// The version it names.
        version: u32,
    },
}
