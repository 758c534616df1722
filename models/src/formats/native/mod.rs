//! The native network format: one record a line, so that two networks can be compared with any diff. See
//! `docs/formats.md`.

mod read;
mod write;

pub use read::{NativeError, read, read_bytes, read_source};
pub use write::{write, write_file};

use super::records::Format;

/// First word of every file.
pub const MAGIC: &str = "greenkerb-network";
/// Version that is written, and the only one that is read.
pub const VERSION: u32 = 2;
/// First line of every file.
pub const HEADER: &str = "greenkerb-network 2";

const FORMAT: Format = Format {
    what: "a native network",
    magic: MAGIC,
    version: VERSION,
    outdated: "says too little about nodes and is no longer read; import the network anew from its source",
};
