//! Writing the native format: the same network always gives the same bytes.

use std::io::{self, Write};
use std::path::Path;

use super::FORMAT;
use crate::formats::records::{self, Lines};
use crate::network::NetworkParts;

/// Writes a network.
///
/// # Errors
/// Whatever the sink says.
pub fn write(parts: &NetworkParts, sink: impl Write) -> io::Result<()> {
    let mut out = Lines::begin(sink, FORMAT)?;
    out.record("name", &parts.name)?;
    out.record("projection", &parts.projection)?;
    out.table("node", &parts.nodes)?;
    out.table("link", &parts.links)?;
    out.table("lane", &parts.lanes)?;
    out.table("connection", &parts.connections)?;
    out.table("movement", &parts.movements)?;
    out.table("crossing", &parts.crossings)?;
    out.table("conflict", &parts.conflicts)?;
    out.table("crossing_conflict", &parts.crossing_conflicts)?;
    out.table("controller", &parts.controllers)?;
    out.table("detector", &parts.detectors)?;
    out.end()
}

/// Writes a network to a file, compressed when its name ends in `.gz`.
///
/// # Errors
/// Whatever the operating system says.
pub fn write_file(parts: &NetworkParts, path: &Path) -> io::Result<()> {
    records::to_file(path, |sink| write(parts, sink))
}
