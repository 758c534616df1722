//! Writing the native format: the same network always gives the same bytes.

use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;

use super::HEADER;
use crate::network::NetworkParts;

/// Writes a network.
///
/// # Errors
/// Whatever the sink says.
pub fn write(parts: &NetworkParts, sink: impl Write) -> io::Result<()> {
    let mut out = Lines { sink, records: 0 };
    writeln!(out.sink, "{HEADER}")?;
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
    writeln!(out.sink, "end {}", out.records)?;
    out.sink.flush()
}

/// Writes a network to a file, compressed when its name ends in `.gz`.
///
/// # Errors
/// Whatever the operating system says.
pub fn write_file(parts: &NetworkParts, path: &Path) -> io::Result<()> {
    let file = io::BufWriter::new(std::fs::File::create(path)?);
    if path.extension().is_some_and(|e| e == "gz") {
        let mut gzip = flate2::write::GzEncoder::new(file, flate2::Compression::default());
        write(parts, &mut gzip)?;
        gzip.finish()?.flush()
    } else {
        write(parts, file)
    }
}

struct Lines<W> {
    sink: W,
    records: usize,
}

impl<W: Write> Lines<W> {
    fn record(&mut self, kind: &str, value: &impl Serialize) -> io::Result<()> {
        self.records += 1;
        write!(self.sink, "{kind} ")?;
        serde_json::to_writer(&mut self.sink, value)?;
        writeln!(self.sink)
    }

    fn table(&mut self, kind: &str, rows: &[impl Serialize]) -> io::Result<()> {
        rows.iter().try_for_each(|row| self.record(kind, row))
    }
}
