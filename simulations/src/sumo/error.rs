//! Why a run in SUMO ends without a result.

use std::path::PathBuf;

use greenkerb_models::formats::FormatError;
use greenkerb_models::network::NetworkError;

use super::installation::InstallationError;
use super::options::OptionsError;
use super::process::ProcessError;
use crate::line::{LineError, ServiceError};
use crate::metrics::MetricsError;

/// Why a run ends without a result.
#[derive(Debug, thiserror::Error)]
pub enum SumoError {
    /// The options do not go together.
    #[error(transparent)]
    Options(#[from] OptionsError),
    /// A file that was named is not there.
    #[error("there is no file '{}'", path.display())]
    NoFile {
        /// The file.
        path: PathBuf,
    },
    /// SUMO is not installed.
    #[error(transparent)]
    Installation(#[from] InstallationError),
    /// The network is none.
    #[error(transparent)]
    Network(#[from] FormatError),
    /// Its clearances do not fit its program.
    #[error(transparent)]
    Clearances(#[from] NetworkError),
    /// SUMO failed.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// The service does not start.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// The line to the service is of no use.
    #[error(transparent)]
    Line(#[from] LineError),
    /// SUMO does not have a light that the network has.
    #[error("SUMO has no traffic light '{controller}'")]
    NoLight {
        /// The controller.
        controller: String,
    },
    /// A light shows fewer letters than its groups need.
    #[error("traffic light '{controller}' shows {letters} letters, but has link index {index}")]
    LightWidth {
        /// The controller.
        controller: String,
        /// Letters shown.
        letters: usize,
        /// The index that is missing.
        index: u32,
    },
    /// SUMO's time is not what it should be.
    #[error("SUMO is at {is_s} s instead of {expected_s} s")]
    Time {
        /// SUMO's time.
        is_s: f64,
        /// The time expected.
        expected_s: f64,
    },
    /// What SUMO wrote tells nothing.
    #[error(transparent)]
    Metrics(#[from] MetricsError),
    /// A file of ours cannot be written.
    #[error("{}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The run was called off.
    #[error("cancelled")]
    Cancelled,
}
