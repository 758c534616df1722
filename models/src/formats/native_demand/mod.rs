//! The native demand format: one record a line, everything by name, so that a demand can be written by hand and stays
//! true when its network is imported anew. See `docs/formats.md`.

mod raw;
mod read;
mod write;

pub use read::{NativeDemandError, line_of_vehicle, read, read_source};
pub use write::{write, write_file};

use super::records::Format;

/// First word of every file.
pub const MAGIC: &str = "greenkerb-demand";
/// Version that is written, and the only one that is read.
pub const VERSION: u32 = 1;

const FORMAT: Format = Format {
    what: "a native demand",
    magic: MAGIC,
    version: VERSION,
    outdated: "is no longer read; write the demand anew",
};
