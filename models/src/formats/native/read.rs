//! Reading the native format.

use std::path::Path;

use serde::de::DeserializeOwned;

use super::{MAGIC, VERSION};
use crate::formats::{Source, SourceError};
use crate::network::{Network, NetworkError, NetworkParts};

/// Why a file is not a native network. Nothing partial is ever returned beside it.
#[derive(Debug, thiserror::Error)]
pub enum NativeError {
    /// The file cannot be read as text.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The first line is not ours.
    #[error("{file}:1: the first line is not `{MAGIC} {VERSION}`")]
    Header {
        /// The offending file.
        file: String,
    },
    /// A version that lacks what is needed now.
    #[error(
        "{file}:1: version {version} of the format says too little about nodes and is no longer read; import the network \
         anew from its source to get version {VERSION}"
    )]
    Outdated {
        /// The offending file.
        file: String,
        /// The version it gives.
        version: u32,
    },
    /// A version this program does not know.
    #[error("{file}:1: version {version} of the format is not known here, only {VERSION} is")]
    Version {
        /// The offending file.
        file: String,
        /// The version it gives.
        version: String,
    },
    /// A line that is no record.
    #[error("{file}:{line}: {kind} record: {reason}")]
    Record {
        /// The offending file.
        file: String,
        /// The offending line.
        line: usize,
        /// What it should be a record of.
        kind: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A record of a kind that does not exist.
    #[error("{file}:{line}: '{kind}' is no kind of record")]
    Kind {
        /// The offending file.
        file: String,
        /// The offending line.
        line: usize,
        /// The word it starts with.
        kind: String,
    },
    /// The last line is missing or counts other records than there are: the file was cut or spliced.
    #[error("{file}:{line}: the file should end with `end {records}` here")]
    End {
        /// The offending file.
        file: String,
        /// Where the end should be.
        line: usize,
        /// Records read.
        records: usize,
    },
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
    let file = || source.name.clone();
    let mut lines = source.text.lines().enumerate().map(|(i, l)| (i + 1, l));
    let header = lines.next().map_or("", |(_, l)| l.trim_end());
    match header.split_once(' ') {
        Some((MAGIC, version)) if version == VERSION.to_string() => {}
        Some((MAGIC, version)) => {
            if let Some(version) = version.parse().ok().filter(|v| (1..VERSION).contains(v)) {
                return Err(NativeError::Outdated { file: file(), version });
            }
            return Err(NativeError::Version { file: file(), version: version.chars().take(20).collect() });
        }
        _ => return Err(NativeError::Header { file: file() }),
    }
    let mut tables = Tables::default();
    let mut records = 0;
    let mut last = 1;
    for (line, text) in lines.by_ref() {
        last = line;
        if text.trim().is_empty() || text.starts_with('#') {
            continue;
        }
        let (kind, rest) = text.split_once(' ').unwrap_or((text, ""));
        if kind == "end" {
            let closed = rest.trim_end().parse() == Ok(records);
            let nothing_follows = lines.all(|(_, l)| l.trim().is_empty());
            if !closed || !nothing_follows {
                return Err(NativeError::End { file: file(), line, records });
            }
            let parts = tables.parts();
            return parts.build().map_err(|source| NativeError::Network { file: file(), source });
        }
        records += 1;
        match tables.take(kind, rest) {
            Ok(true) => {}
            Ok(false) => {
                return Err(NativeError::Kind { file: file(), line, kind: kind.chars().take(20).collect() });
            }
            Err(reason) => return Err(NativeError::Record { file: file(), line, kind: kind.into(), reason }),
        }
    }
    Err(NativeError::End { file: file(), line: last + 1, records })
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

    fn parts(self) -> NetworkParts {
        self.parts
    }
}

fn parse<T: DeserializeOwned>(json: &str) -> Result<T, String> {
    serde_json::from_str(json).map_err(|e| e.to_string())
}

fn push<T: DeserializeOwned>(table: &mut Vec<T>, json: &str) -> Result<(), String> {
    table.push(parse(json)?);
    Ok(())
}

fn once<T: DeserializeOwned>(given: &mut bool, slot: &mut T, json: &str) -> Result<(), String> {
    if std::mem::replace(given, true) {
        return Err("given twice".into());
    }
    *slot = parse(json)?;
    Ok(())
}
