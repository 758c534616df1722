//! Why files are not a scenario.

use greenkerb_models::formats::cityflow::CityflowError;
use greenkerb_models::formats::native_demand::NativeDemandError;
use greenkerb_models::formats::sumo_demand::SumoDemandError;
use greenkerb_models::formats::{FileKind, FormatError, SourceError, WrongKind};
use greenkerb_models::network::NetworkError;

/// Why files are not a scenario. Nothing partial is ever returned beside it.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioFileError {
    /// A file cannot be read as text.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The operating system says no.
    #[error("{file}: {source}")]
    Io {
        /// The offending file or folder.
        file: String,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The file that describes the scenario cannot be understood, or holds a key that does not exist.
    #[error("{file}: {reason}")]
    Syntax {
        /// The offending file.
        file: String,
        /// What is wrong, with its line where there is one.
        reason: String,
    },
    /// The file is sound and no scenario.
    #[error(
        "{file}: this is {found}, which alone is no scenario; wanted are a scenario.toml, a .sumocfg, CityFlow's config.json, \
         a folder with one of them, or a pair roadnet.json,flow.json"
    )]
    NoScenario {
        /// The offending file.
        file: String,
        /// What it is.
        found: FileKind,
    },
    /// A key has a value it cannot have.
    #[error("{file}: {key}: {reason}")]
    Value {
        /// The offending file.
        file: String,
        /// The key.
        key: &'static str,
        /// What is wrong with its value.
        reason: String,
    },
    /// The folder holds no scenario.
    #[error("{folder}: no scenario.toml, no .sumocfg and no CityFlow road network in this folder")]
    Nothing {
        /// The folder.
        folder: String,
    },
    /// The folder holds several scenarios.
    #[error("{folder}: several files to choose from, name one: {}", found.join(", "))]
    Several {
        /// The folder.
        folder: String,
        /// What it holds.
        found: Vec<String>,
    },
    /// The network is broken.
    #[error(transparent)]
    Network(#[from] FormatError),
    /// A file is of another kind than is wanted where it is named.
    #[error(transparent)]
    Kind(#[from] WrongKind),
    /// SUMO's part of it is broken.
    #[error(transparent)]
    Sumo(#[from] SumoDemandError),
    /// CityFlow's part of it is broken.
    #[error(transparent)]
    Cityflow(#[from] CityflowError),
    /// The native demand is broken.
    #[error(transparent)]
    Demand(#[from] NativeDemandError),
    /// The detectors of the files do not fit the network.
    #[error("{file}: {source}")]
    Detectors {
        /// The first of the files.
        file: String,
        /// What does not fit.
        source: NetworkError,
    },
}
