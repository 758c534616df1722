//! Which files a scenario was made from, and what was in them.

use std::io::Read;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::ScenarioFileError;

/// Bytes read at a time.
const CHUNK_BYTES: usize = 1 << 16;

/// Names and SHA-256 of files. Names are relative to the scenario's folder: manifests tell nothing about the machine.
#[derive(Debug)]
pub(super) struct Sources {
    folder: PathBuf,
    found: Vec<(String, String)>,
}

impl Sources {
    pub(super) fn of(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), found: Vec::new() }
    }

    /// Hashes a file as it lies there.
    pub(super) fn add(&mut self, path: &Path) -> Result<(), ScenarioFileError> {
        let io = |source| ScenarioFileError::Io { file: path.display().to_string(), source };
        let mut file = std::fs::File::open(path).map_err(io)?;
        let mut hash = Sha256::new();
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            let read = file.read(&mut chunk).map_err(io)?;
            if read == 0 {
                break;
            }
            hash.update(&chunk[..read]);
        }
        let name = path.strip_prefix(&self.folder).ok().map(|p| p.to_string_lossy().into_owned());
        let name = name.or_else(|| Some(path.file_name()?.to_string_lossy().into_owned())).unwrap_or_default();
        self.found.push((name, hex::encode(hash.finalize())));
        Ok(())
    }

    pub(super) fn into_inner(self) -> Vec<(String, String)> {
        self.found
    }
}
