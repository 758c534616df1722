//! Reading the native format.

use std::path::Path;

use serde::de::DeserializeOwned;

use super::FORMAT;
use crate::formats::records::{self, RecordError, parse, push};
use crate::formats::{Source, SourceError};
use crate::network::{Network, NetworkError, NetworkParts};

/// Why a file is not a native network. Nothing partial is ever returned beside it.
#[derive(Debug, thiserror::Error)]
pub enum NativeError {
    /// The file cannot be read as text.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The text is not made of records of the format.
    #[error(transparent)]
    Records(#[from] RecordError),
    /// The records do not make a network.
    #[error("{file}: {source}")]
    Network {
        /// The offending file.
        file: String,
        /// What does not fit.
        source: NetworkError,
    },
}

/// Reads a native network from a file.
///
/// # Errors
/// [`NativeError`] naming file, line and reason; no partial network is returned.
pub fn read(path: &Path) -> Result<Network, NativeError> {
    read_source(&Source::open(path)?)
}

/// Reads a native network from memory; `name` stands for the file in messages.
///
/// # Errors
/// As [`read`].
pub fn read_bytes(name: &str, bytes: &[u8]) -> Result<Network, NativeError> {
    read_source(&Source::from_bytes(name, bytes.to_vec())?)
}

/// Reads a native network from text.
///
/// # Errors
/// As [`read`].
pub fn read_source(source: &Source) -> Result<Network, NativeError> {
    let mut tables = Tables::default();
    records::read(source, FORMAT, |kind, json| tables.take(kind, json))?;
    tables.parts.build().map_err(|e| NativeError::Network { file: source.name.clone(), source: e })
}

#[derive(Default)]
struct Tables {
    parts: NetworkParts,
    named: bool,
    projected: bool,
}

impl Tables {
    /// Takes one record; `false` when there is no such kind.
    fn take(&mut self, kind: &str, json: &str) -> Result<bool, String> {
        let p = &mut self.parts;
        match kind {
            "name" => once(&mut self.named, &mut p.name, json)?,
            "projection" => once(&mut self.projected, &mut p.projection, json)?,
            "node" => push(&mut p.nodes, json)?,
            "link" => push(&mut p.links, json)?,
            "lane" => push(&mut p.lanes, json)?,
            "connection" => push(&mut p.connections, json)?,
            "movement" => push(&mut p.movements, json)?,
            "crossing" => push(&mut p.crossings, json)?,
            "conflict" => push(&mut p.conflicts, json)?,
            "crossing_conflict" => push(&mut p.crossing_conflicts, json)?,
            "controller" => push(&mut p.controllers, json)?,
            "detector" => push(&mut p.detectors, json)?,
            _ => return Ok(false),
        }
        Ok(true)
    }
}

fn once<T: DeserializeOwned>(given: &mut bool, slot: &mut T, json: &str) -> Result<(), String> {
    if std::mem::replace(given, true) {
        return Err("given twice".into());
    }
    *slot = parse(json)?;
    Ok(())
}
