//! Where SUMO is on this machine.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The version every figure of ours is measured with.
pub const SUMO_VERSION: &str = "1.28";

/// What to do when SUMO is not there.
pub const HOW_TO_INSTALL: &str = "install it with `pip install eclipse-sumo==1.28.0` (a `.venv` in the project is found), \
    or name it with --sumo-bin or SUMO_HOME";

/// Why there is no SUMO to run.
#[derive(Debug, thiserror::Error)]
pub enum InstallationError {
    /// It is nowhere we look.
    #[error("SUMO was not found ({looked}); {HOW_TO_INSTALL}")]
    NotFound {
        /// Where we looked.
        looked: String,
    },
    /// A path that was named is no program.
    #[error("'{path}' is no SUMO program; {HOW_TO_INSTALL}")]
    NoProgram {
        /// The path.
        path: PathBuf,
    },
}

/// An installed SUMO.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installation {
    /// The simulator itself, not a script around it: killing it must kill the simulation.
    pub sumo: PathBuf,
}

/// Names by which Python installations are asked where their SUMO lies.
const PYTHONS: [&str; 2] = ["python3", "python"];

impl Installation {
    /// Looks for SUMO: the path given, `SUMO_HOME`, a `.venv` here or above, `PATH`, Python's `sumo` package.
    ///
    /// # Errors
    /// [`InstallationError`], with what to do about it.
    pub fn find(given: Option<&Path>) -> Result<Self, InstallationError> {
        if let Some(path) = given {
            let found = program_at(path).or_else(|| program_at(&path.join("bin/sumo")));
            return found.map(|sumo| Self { sumo }).ok_or(InstallationError::NoProgram { path: path.into() });
        }
        let home = std::env::var_os("SUMO_HOME").and_then(|home| program_at(&Path::new(&home).join("bin/sumo")));
        let found = home
            .or_else(in_virtual_environment)
            .or_else(on_path)
            .or_else(|| PYTHONS.iter().find_map(|python| in_python(Path::new(python))));
        found.map(|sumo| Self { sumo }).ok_or_else(|| InstallationError::NotFound {
            looked: "looked in SUMO_HOME, .venv, PATH and Python's packages".into(),
        })
    }

    /// SUMO's home, with its schemas and tools, when the program lies in one.
    #[must_use]
    pub fn home(&self) -> Option<&Path> {
        self.sumo.parent()?.parent().filter(|home| home.join("data").is_dir())
    }

    /// Another program of the same installation, e.g. `netgenerate`.
    #[must_use]
    pub fn program(&self, name: &str) -> PathBuf {
        self.sumo.with_file_name(name)
    }
}

/// The program at a path; where that is a Python script around the real one, the real one.
fn program_at(path: &Path) -> Option<PathBuf> {
    if !path.is_file() {
        return None;
    }
    let mut start = [0; 256];
    let read = std::fs::File::open(path).and_then(|mut f| std::io::Read::read(&mut f, &mut start)).unwrap_or(0);
    match start[..read].strip_prefix(b"#!") {
        None => Some(path.to_owned()),
        Some(line) => {
            let line = line.split(|b| *b == b'\n').next()?;
            let interpreter = std::str::from_utf8(line).ok()?.trim();
            // `#!/usr/bin/env python3` and `#!/some/where/python3` alike: the last word is what runs.
            in_python(Path::new(interpreter.split_whitespace().next_back()?))
        }
    }
}

/// SUMO in a Python installation's `sumo` package.
fn in_python(python: &Path) -> Option<PathBuf> {
    let asked = Command::new(python).args(["-c", "import sumo; print(sumo.SUMO_HOME)"]).output().ok()?;
    let home = String::from_utf8(asked.stdout).ok()?;
    let program = Path::new(home.trim()).join("bin/sumo");
    (asked.status.success() && program.is_file()).then_some(program)
}

/// SUMO in a virtual environment of this folder or one above it.
fn in_virtual_environment() -> Option<PathBuf> {
    let here = std::env::current_dir().ok()?;
    let libraries = here.ancestors().map(|folder| folder.join(".venv/lib")).find(|l| l.is_dir())?;
    let mut versions: Vec<PathBuf> = std::fs::read_dir(libraries).ok()?.flatten().map(|e| e.path()).collect();
    versions.sort();
    versions.iter().map(|v| v.join("site-packages/sumo/bin/sumo")).find(|p| p.is_file())
}

fn on_path() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).find_map(|folder| program_at(&folder.join("sumo")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_path_says_how_to_install() {
        let error = Installation::find(Some(Path::new("/nowhere/sumo"))).unwrap_err().to_string();
        assert!(error.contains("pip install eclipse-sumo==1.28.0"), "{error}");
        assert!(error.contains("/nowhere/sumo"), "{error}");
    }

    #[test]
    fn a_home_is_as_good_as_a_program() {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(home.path().join("bin")).unwrap();
        std::fs::create_dir_all(home.path().join("data")).unwrap();
        std::fs::write(home.path().join("bin/sumo"), b"\x7fELF").unwrap();
        let found = Installation::find(Some(home.path())).unwrap();
        assert_eq!(found.sumo, home.path().join("bin/sumo"));
        assert_eq!(found.home(), Some(home.path()));
        assert_eq!(found.program("netgenerate"), home.path().join("bin/netgenerate"));
    }
}
