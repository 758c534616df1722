//! The file the network was read from: is it still the one that was loaded?
//!
//! A running service keeps the network it was started with. When the file changes it says so, and a restart takes the
//! new one up.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use sha2::{Digest, Sha256};

/// What a file looked like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    modified: Option<SystemTime>,
    bytes: u64,
}

/// The file a network was read from.
#[derive(Debug, Clone)]
pub struct NetworkFile {
    path: PathBuf,
    digest: Option<[u8; 32]>,
    seen: Option<Stamp>,
    changed: Option<String>,
}

fn stamp(path: &Path) -> std::io::Result<Stamp> {
    let meta = std::fs::metadata(path)?;
    Ok(Stamp { modified: meta.modified().ok(), bytes: meta.len() })
}

fn digest(path: &Path) -> std::io::Result<[u8; 32]> {
    Ok(Sha256::digest(std::fs::read(path)?).into())
}

/// An error that says nothing about the file: this process, or the machine, has no descriptors or no memory left.
fn is_our_own(e: &std::io::Error) -> bool {
    // ENOMEM, ENFILE, EMFILE
    e.kind() == std::io::ErrorKind::OutOfMemory || cfg!(unix) && matches!(e.raw_os_error(), Some(12 | 23 | 24))
}

impl NetworkFile {
    /// Takes note of a file as it is now. Call it before the file is read, so that no change slips in between.
    #[must_use]
    pub fn of(path: &Path) -> Self {
        Self { path: path.to_owned(), seen: stamp(path).ok(), digest: digest(path).ok(), changed: None }
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// In what the file differs from what was loaded; `None` when it does not. Its content is only read again when its
    /// length or time have changed.
    pub fn check(&mut self) -> Option<String> {
        let now = match stamp(&self.path) {
            Ok(now) => now,
            Err(e) if is_our_own(&e) => return self.changed.clone(),
            Err(e) => {
                self.seen = None;
                self.changed = Some(self.tell(&format!("cannot be read any more ({e})")));
                return self.changed.clone();
            }
        };
        if self.seen == Some(now) {
            return self.changed.clone();
        }
        let found = digest(&self.path);
        if found.as_ref().is_err_and(is_our_own) {
            return self.changed.clone();
        }
        self.seen = Some(now);
        self.changed = match found {
            Ok(found) if Some(found) == self.digest => None,
            Ok(_) => Some(self.tell("has changed")),
            Err(e) => Some(self.tell(&format!("cannot be read any more ({e})"))),
        };
        self.changed.clone()
    }

    fn tell(&self, what: &str) -> String {
        format!(
            "network file '{}' {what} since it was loaded: the service goes on with the network it has; restart it to \
             take the new one up",
            self.path.display()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_told_and_a_change_back_too() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("net.xml");
        std::fs::write(&path, "one").unwrap();
        let mut file = NetworkFile::of(&path);
        assert_eq!(file.check(), None);
        std::fs::write(&path, "three").unwrap();
        assert!(file.check().unwrap().contains("has changed"));
        assert!(file.check().is_some(), "it goes on telling");
        std::fs::write(&path, "one").unwrap();
        assert_eq!(file.check(), None);
        std::fs::remove_file(&path).unwrap();
        assert!(file.check().unwrap().contains("cannot be read"));
    }

    #[test]
    fn a_lack_of_descriptors_is_no_change() {
        assert!(is_our_own(&std::io::Error::from_raw_os_error(24)));
        for kind in [std::io::ErrorKind::NotFound, std::io::ErrorKind::PermissionDenied] {
            assert!(!is_our_own(&kind.into()), "{kind}");
        }
    }
}
