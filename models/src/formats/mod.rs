//! Files in and out.
//!
//! A reader either returns a whole [`Network`](crate::network::Network), with notes on what it had to derive, or an
//! error that names file, line, element and reason. Nothing in between exists.

pub mod cityflow;
pub mod geojson;
mod import;
pub mod native;
pub mod native_demand;
mod records;
mod source;
mod summary;
mod sumo;
pub mod sumo_additional;
pub mod sumo_demand;
pub mod sumo_net;

use std::path::Path;

pub use import::{Import, Note, Notes};
pub use records::RecordError;
pub use source::{SOURCE_BYTES_MAX, Source, SourceError};
pub use summary::{ControllerSummary, NetworkSummary};

/// Why a file is no network.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    /// The file cannot be read at all.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// It looks like a SUMO network and is broken.
    #[error(transparent)]
    SumoNet(#[from] sumo_net::SumoNetError),
    /// It looks like a CityFlow road network and is broken.
    #[error(transparent)]
    Cityflow(#[from] cityflow::CityflowError),
    /// It looks like a native network and is broken.
    #[error(transparent)]
    Native(#[from] native::NativeError),
    /// It looks like nothing we know.
    #[error(
        "{file}: neither a SUMO network (XML) nor a CityFlow one (JSON) nor a native one (first line `{}`)",
        native::HEADER
    )]
    Unknown {
        /// The offending file.
        file: String,
    },
}

/// Reads a network of any known format, told apart by content, plain or compressed with gzip.
///
/// # Errors
/// [`FormatError`] naming the file and what is wrong with it.
pub fn read(path: &Path) -> Result<Import, FormatError> {
    let source = Source::open(path)?;
    let start = source.text.trim_start_matches('\u{feff}').trim_start();
    if start.starts_with('<') {
        Ok(sumo_net::read_source(&source)?)
    } else if start.starts_with('{') {
        Ok(cityflow::read_roadnet_source(&source, &cityflow::RoadnetOptions::default())?)
    } else if start.starts_with(native::MAGIC) {
        let network = native::read_source(&source)?;
        Ok(Import { network, notes: Vec::new() })
    } else {
        Err(FormatError::Unknown { file: source.name })
    }
}
