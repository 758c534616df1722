//! Files in and out.
//!
//! A reader either returns a whole [`Network`](crate::network::Network), with notes on what it had to derive, or an
//! error that names file, line, element and reason. Nothing in between exists.

pub mod cityflow;
pub mod geojson;
mod import;
mod json;
mod kind;
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
pub use kind::{FileKind, WrongKind};
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
    /// It is something else.
    #[error(transparent)]
    Kind(#[from] WrongKind),
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
    match FileKind::of(&source.text) {
        FileKind::SumoNet => Ok(sumo_net::read_source(&source)?),
        FileKind::CityflowRoadnet => Ok(cityflow::read_roadnet_source(&source, &cityflow::RoadnetOptions::default())?),
        FileKind::NativeNetwork => Ok(Import { network: native::read_source(&source)?, notes: Vec::new() }),
        // What is broken before it tells what it is: its reader says where.
        FileKind::Unknown => match source.text.trim_start_matches('\u{feff}').trim_start().chars().next() {
            Some('<') => Ok(sumo_net::read_source(&source)?),
            Some('{') => Ok(cityflow::read_roadnet_source(&source, &cityflow::RoadnetOptions::default())?),
            _ => Err(FormatError::Unknown { file: source.name }),
        },
        found => Err(WrongKind { file: source.name, found, wanted: "a network" }.into()),
    }
}
