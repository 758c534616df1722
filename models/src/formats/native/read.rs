//! Reading the native format.

use std::path::Path;

use serde::de::DeserializeOwned;

use super::FORMAT;
use crate::formats::records::{self, NAME, RecordError, Which, Wrong, after, line_of, parse, push};
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
    #[error("{file}{}: {reason}", after(":", *line))]
    Network {
        /// The offending file.
        file: String,
        /// Line of the offending record.
        line: Option<usize>,
        /// What does not fit.
        reason: NetworkError,
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
    tables.parts.build().map_err(|reason| NativeError::Network {
        file: source.name.clone(),
        line: line(source, &reason),
        reason,
    })
}

/// Line of the record that an error is about.
fn line(source: &Source, error: &NetworkError) -> Option<usize> {
    let (kind, which) = match error {
        NetworkError::Duplicate { kind, name } => (*kind, Which::Second(NAME, name)),
        NetworkError::Dangling { kind, name, .. } | NetworkError::Inconsistent { kind, name, .. } => {
            (*kind, Which::numbered(name))
        }
    };
    let word = if kind == "crossing conflict" { "crossing_conflict" } else { kind };
    line_of(source, word, which)
}

#[derive(Default)]
struct Tables {
    parts: NetworkParts,
    named: bool,
    projected: bool,
}

impl Tables {
    /// Takes one record; `false` when there is no such kind.
    fn take(&mut self, kind: &str, json: &str) -> Result<bool, Wrong> {
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

fn once<T: DeserializeOwned>(given: &mut bool, slot: &mut T, json: &str) -> Result<(), Wrong> {
    if std::mem::replace(given, true) {
        return Err("given twice".to_owned().into());
    }
    *slot = parse(json)?;
    Ok(())
}
