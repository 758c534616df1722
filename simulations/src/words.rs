//! What a process said last.

use std::path::Path;

/// How much of it is repeated.
const LAST_WORDS_BYTES: usize = 2_000;

/// The end of what a process printed into a file.
pub(crate) fn last_words_of(file: &Path) -> String {
    let said = std::fs::read(file).unwrap_or_default();
    let tail = &said[said.len().saturating_sub(LAST_WORDS_BYTES)..];
    String::from_utf8_lossy(tail).trim().to_owned()
}
