//! Texts of records, one a line: a word, a blank, a JSON value; a first line that names format and version, and a last one
//! that counts the records. What our own formats have in common.

use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{FileKind, Source, WrongKind, json};

/// Longest piece of a text that a message repeats.
const QUOTED_CHARS_MAX: usize = 20;

/// Name and version of a format.
#[derive(Debug, Clone, Copy)]
pub(super) struct Format {
    /// What files of the format are, with the article.
    pub(super) what: &'static str,
    /// First word of every file.
    pub(super) magic: &'static str,
    /// Version that is written, and the only one that is read.
    pub(super) version: u32,
    /// What is to be done with files of an older version.
    pub(super) outdated: &'static str,
}

/// Why a text is not made of records.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// The file is of another kind.
    #[error(transparent)]
    File(#[from] WrongKind),
    /// The first line is not ours.
    #[error("{file}:1: the first line is not `{expected}`")]
    Header {
        /// The offending file.
        file: String,
        /// What the first line should be.
        expected: String,
    },
    /// A version that lacks what is needed now.
    #[error("{file}:1: version {version} of the format {advice} to get version {known}")]
    Outdated {
        /// The offending file.
        file: String,
        /// The version it gives.
        version: u32,
        /// What is to be done.
        advice: &'static str,
        /// The version that is read.
        known: u32,
    },
    /// A version this program does not know.
    #[error("{file}:1: version {version} of the format is not known here, only {known} is")]
    Version {
        /// The offending file.
        file: String,
        /// The version it gives.
        version: String,
        /// The version that is read.
        known: u32,
    },
    /// A line that is no record.
    #[error("{file}:{line}{}: {kind} record{}: {reason}", after(":", *column), quoted(element))]
    Record {
        /// The offending file.
        file: String,
        /// The offending line.
        line: usize,
        /// Where in the line reading ended, in bytes from 1, where that tells anything.
        column: Option<usize>,
        /// What it should be a record of.
        kind: String,
        /// The name it gives, where that much can be read.
        element: Option<String>,
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
}

/// `:` and a number, or nothing.
pub(super) fn after(mark: &str, number: Option<usize>) -> String {
    number.map_or_else(String::new, |n| format!("{mark}{n}"))
}

fn quoted(name: &Option<String>) -> String {
    name.as_ref().map_or_else(String::new, |n| format!(" '{}'", short(n)))
}

/// What is wrong with one record.
#[derive(Debug)]
pub(super) struct Wrong {
    reason: String,
    /// Byte of its JSON at which reading ended, from 1.
    column: Option<usize>,
}

impl From<String> for Wrong {
    fn from(reason: String) -> Self {
        Self { reason, column: None }
    }
}

/// Where the name of an element stands in its record: as a JSON pointer.
pub(super) const NAME: &str = "/name";
/// The same in a flow.
pub(super) const TEMPLATE_NAME: &str = "/template/name";

fn text_at(json: &str, pointer: &str) -> Option<String> {
    let value: serde_json::Value = serde_json::from_str(json).ok()?;
    Some(value.pointer(pointer)?.as_str()?.to_owned())
}

/// Which record of a text is meant.
#[derive(Debug, Clone, Copy)]
pub(super) enum Which<'a> {
    /// The one at this place among its kind, from 0.
    At(usize),
    /// The first with this text at a JSON pointer.
    First(&'static str, &'a str),
    /// The second.
    Second(&'static str, &'a str),
}

impl<'a> Which<'a> {
    /// The one that is called `#3` where records of the kind have no names.
    pub(super) fn numbered(name: &'a str) -> Self {
        let number = name.strip_prefix('#').and_then(|n| n.parse().ok());
        number.map_or(Self::First(NAME, name), Self::At)
    }
}

/// Line of a record of a text that was read to its end; only looked for when something is wrong with it.
pub(super) fn line_of(source: &Source, word: &str, which: Which<'_>) -> Option<usize> {
    let records = source.text.lines().enumerate().skip(1).filter_map(|(i, text)| {
        let (kind, json) = text.split_once(' ')?;
        (kind == word).then_some((i + 1, json))
    });
    let mut lines = records.filter(|(_, json)| match which {
        Which::At(_) => true,
        Which::First(pointer, name) | Which::Second(pointer, name) => text_at(json, pointer).is_some_and(|t| t == name),
    });
    let nth = match which {
        Which::At(n) => n,
        Which::First(..) => 0,
        Which::Second(..) => 1,
    };
    lines.nth(nth).map(|(line, _)| line)
}

fn short(text: &str) -> String {
    text.chars().take(QUOTED_CHARS_MAX).collect()
}

/// Hands every record to `take`, which gets its kind and its JSON, and returns `false` for a kind that does not
/// exist.
pub(super) fn read(
    source: &Source,
    format: Format,
    mut take: impl FnMut(&str, &str) -> Result<bool, Wrong>,
) -> Result<(), RecordError> {
    let file = || source.name.clone();
    let mut lines = source.text.lines().enumerate().map(|(i, l)| (i + 1, l));
    let header = lines.next().map_or("", |(_, l)| l.trim_end());
    match header.split_once(' ') {
        Some((magic, version)) if magic == format.magic => {
            let known = format.version;
            match version.parse::<u32>() {
                Ok(v) if v == known => {}
                Ok(v) if (1..known).contains(&v) => {
                    return Err(RecordError::Outdated { file: file(), version: v, advice: format.outdated, known });
                }
                _ => return Err(RecordError::Version { file: file(), version: short(version), known }),
            }
        }
        _ => {
            let found = FileKind::of(&source.text);
            if found != FileKind::Unknown && !header.starts_with(format.magic) {
                return Err(WrongKind { file: file(), found, wanted: format.what }.into());
            }
            let expected = format!("{} {}", format.magic, format.version);
            return Err(RecordError::Header { file: file(), expected });
        }
    }
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
            return if closed && nothing_follows {
                Ok(())
            } else {
                Err(RecordError::End { file: file(), line, records })
            };
        }
        records += 1;
        match take(kind, rest) {
            Ok(true) => {}
            Ok(false) => return Err(RecordError::Kind { file: file(), line, kind: short(kind) }),
            Err(Wrong { reason, column }) => {
                let element = text_at(rest, NAME).or_else(|| text_at(rest, TEMPLATE_NAME));
                let column = column.map(|c| kind.len() + 1 + c);
                return Err(RecordError::Record { file: file(), line, column, kind: short(kind), element, reason });
            }
        }
    }
    Err(RecordError::End { file: file(), line: last + 1, records })
}

/// Reads the JSON of a record.
pub(super) fn parse<T: DeserializeOwned>(text: &str) -> Result<T, Wrong> {
    serde_json::from_str(text).map_err(|e| {
        let reason = json::reason::<T>(&mut serde_json::Deserializer::from_str(text), &e);
        Wrong { reason, column: (e.column() > 0).then_some(e.column()) }
    })
}

/// Adds the JSON of a record to a table.
pub(super) fn push<T: DeserializeOwned>(table: &mut Vec<T>, json: &str) -> Result<(), Wrong> {
    table.push(parse(json)?);
    Ok(())
}

/// A text that is being written.
pub(super) struct Lines<W> {
    sink: W,
    records: usize,
}

impl<W: Write> Lines<W> {
    /// Starts a text.
    pub(super) fn begin(mut sink: W, format: Format) -> io::Result<Self> {
        writeln!(sink, "{} {}", format.magic, format.version)?;
        Ok(Self { sink, records: 0 })
    }

    /// Writes one record.
    pub(super) fn record(&mut self, kind: &str, value: &impl Serialize) -> io::Result<()> {
        self.records += 1;
        write!(self.sink, "{kind} ")?;
        serde_json::to_writer(&mut self.sink, value)?;
        writeln!(self.sink)
    }

    /// Writes a record for each row.
    pub(super) fn table(&mut self, kind: &str, rows: &[impl Serialize]) -> io::Result<()> {
        rows.iter().try_for_each(|row| self.record(kind, row))
    }

    /// Ends the text.
    pub(super) fn end(mut self) -> io::Result<()> {
        writeln!(self.sink, "end {}", self.records)?;
        self.sink.flush()
    }
}

/// Writes to a file, compressed when its name ends in `.gz`.
pub(super) fn to_file(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut file = io::BufWriter::new(std::fs::File::create(path)?);
    if path.extension().is_some_and(|e| e == "gz") {
        let mut gzip = flate2::write::GzEncoder::new(file, flate2::Compression::default());
        write(&mut gzip)?;
        gzip.finish()?.flush()
    } else {
        write(&mut file)?;
        file.flush()
    }
}
