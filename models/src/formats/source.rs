//! Bytes of a file as text: plain or gzip, told apart by the first two bytes, never more than a cap.

use std::io::Read;
use std::path::Path;

/// Most bytes a file may have once it is decompressed: 1 GiB, above the largest city networks known to us, so that a
/// small hostile file cannot fill the memory.
pub const SOURCE_BYTES_MAX: u64 = 1 << 30;

/// First two bytes of every gzip member (RFC 1952).
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Text of a file and the name to blame.
#[derive(Debug, Clone)]
pub struct Source {
    /// Name of the file, as the caller gave it.
    pub name: String,
    /// Its text, decompressed.
    pub text: String,
}

/// Why a file cannot be read as text.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The operating system says no.
    #[error("{file}: {source}")]
    Io {
        /// The offending file.
        file: String,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The gzip stream is broken or ends early.
    #[error("{file}: broken gzip: {source}")]
    Gzip {
        /// The offending file.
        file: String,
        /// What the decompressor said.
        source: std::io::Error,
    },
    /// More bytes than we read.
    #[error("{file}: more than {bytes_max} bytes of text")]
    TooLarge {
        /// The offending file.
        file: String,
        /// The cap.
        bytes_max: u64,
    },
    /// Bytes that are not UTF-8.
    #[error("{file}:{line}: not UTF-8 text")]
    Encoding {
        /// The offending file.
        file: String,
        /// Line of the first offending byte.
        line: u32,
    },
}

impl Source {
    /// Reads a file.
    ///
    /// # Errors
    /// [`SourceError`] when it cannot be read, is too large, broken gzip or not UTF-8.
    pub fn open(path: &Path) -> Result<Self, SourceError> {
        let name = path.display().to_string();
        let io = |source| SourceError::Io { file: name.clone(), source };
        let mut bytes = Vec::new();
        let mut file = std::fs::File::open(path).map_err(io)?.take(SOURCE_BYTES_MAX + 1);
        file.read_to_end(&mut bytes).map_err(io)?;
        Self::from_bytes(&name, bytes)
    }

    /// Takes bytes that are already in memory.
    ///
    /// # Errors
    /// As [`Source::open`].
    pub fn from_bytes(name: &str, bytes: Vec<u8>) -> Result<Self, SourceError> {
        Self::with_cap(name, bytes, SOURCE_BYTES_MAX)
    }

    fn with_cap(name: &str, bytes: Vec<u8>, bytes_max: u64) -> Result<Self, SourceError> {
        let file = || name.to_owned();
        let bytes = if bytes.starts_with(&GZIP_MAGIC) {
            let mut plain = Vec::new();
            flate2::read::MultiGzDecoder::new(bytes.as_slice())
                .take(bytes_max + 1)
                .read_to_end(&mut plain)
                .map_err(|source| SourceError::Gzip { file: file(), source })?;
            plain
        } else {
            bytes
        };
        if bytes.len() as u64 > bytes_max {
            return Err(SourceError::TooLarge { file: file(), bytes_max });
        }
        let text = String::from_utf8(bytes).map_err(|e| {
            let good = e.utf8_error().valid_up_to();
            SourceError::Encoding { file: file(), line: line_at(&e.as_bytes()[..good]) }
        })?;
        Ok(Self { name: file(), text })
    }
}

/// Number of the line, from 1, that follows these bytes.
fn line_at(before: &[u8]) -> u32 {
    let breaks = before.iter().filter(|b| **b == b'\n').count();
    u32::try_from(breaks + 1).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        out.write_all(bytes).unwrap();
        out.finish().unwrap()
    }

    #[test]
    fn gzip_is_known_by_its_magic() {
        assert_eq!(Source::from_bytes("n", gzip(b"text")).unwrap().text, "text");
        assert_eq!(Source::from_bytes("n", b"text".to_vec()).unwrap().text, "text");
    }

    #[test]
    fn a_bomb_is_refused_at_the_cap() {
        let bomb = gzip(&vec![b' '; 200_000]);
        assert!(bomb.len() < 1_000);
        let refused = Source::with_cap("bomb.gz", bomb, 100_000).unwrap_err();
        assert_eq!(refused.to_string(), "bomb.gz: more than 100000 bytes of text");
    }

    #[test]
    fn truncated_gzip_and_foreign_encodings_are_refused() {
        let mut cut = gzip(&[7; 5_000]);
        cut.truncate(cut.len() - 6);
        assert!(matches!(Source::from_bytes("n", cut), Err(SourceError::Gzip { .. })));
        let latin1 = Source::from_bytes("n", b"one\ntwo\nM\xfcnchen".to_vec()).unwrap_err();
        assert_eq!(latin1.to_string(), "n:3: not UTF-8 text");
    }
}
