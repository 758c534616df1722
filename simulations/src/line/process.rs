//! The service as a process of its own: started for a run, spoken to over HTTP only, ended with it.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use greenkerb_optimizer::signals::Mode;

use crate::cancel::Cancel;
use crate::words::last_words_of;

/// How long the service may take to read the network and listen.
const STARTING: Duration = Duration::from_secs(120);

/// Why there is no service.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// It cannot be started.
    #[error("cannot start the service '{}': {source}", program.display())]
    Start {
        /// The program.
        program: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It ended by itself.
    #[error("the service ended by itself ({status}): {last_words}")]
    Died {
        /// How it ended.
        status: String,
        /// What it said last.
        last_words: String,
    },
    /// It never said where it listens.
    #[error("the service does not say where it listens after {waited_s} s: {last_words}")]
    Mute {
        /// How long we waited.
        waited_s: u64,
        /// What it said last.
        last_words: String,
    },
    /// The run was called off.
    #[error("cancelled")]
    Cancelled,
}

/// A running service. It is ended when this is dropped.
#[derive(Debug)]
pub struct ServiceProcess {
    child: Child,
    said: PathBuf,
    address: String,
}

impl ServiceProcess {
    /// Starts `program serve` for a network, with its clock set by the data, on a free port. `settings` is a file for it,
    /// where the defaults will not do.
    ///
    /// # Errors
    /// [`ServiceError`] with what it said.
    pub fn start(
        program: &Path,
        network: &Path,
        settings: Option<&Path>,
        mode: Mode,
        folder: &Path,
        cancel: &Cancel,
    ) -> Result<Self, ServiceError> {
        let failed = |source| ServiceError::Start { program: program.to_owned(), source };
        let said = folder.join("service.stderr");
        let stderr = File::create(&said).map_err(failed)?;
        let mut command = Command::new(program);
        if let Some(settings) = settings {
            command.arg("serve").arg("--settings").arg(settings);
        } else {
            command.arg("serve");
        }
        let mut child = command
            .arg("--network")
            .arg(network)
            .args(["--clock", "external", "--listen", "127.0.0.1:0", "--mode", mode.name(), "--data"])
            .arg(folder.join("service-data"))
            // A Ctrl-C in the terminal is ours to handle; we end the service then.
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(stderr)
            .spawn()
            .map_err(failed)?;
        let (send, heard) = mpsc::channel();
        if let Some(stdout) = child.stdout.take() {
            std::thread::spawn(move || listen(stdout, &send));
        }
        let mut service = Self { child, said, address: String::new() };
        let started = Instant::now();
        loop {
            match heard.recv_timeout(Duration::from_millis(50)) {
                Ok(address) => {
                    service.address = address;
                    return Ok(service);
                }
                Err(mpsc::RecvTimeoutError::Disconnected) => std::thread::sleep(Duration::from_millis(50)),
                Err(mpsc::RecvTimeoutError::Timeout) => {}
            }
            if cancel.is_cancelled() {
                return Err(ServiceError::Cancelled);
            }
            service.check()?;
            if started.elapsed() > STARTING {
                return Err(ServiceError::Mute {
                    waited_s: STARTING.as_secs(),
                    last_words: last_words_of(&service.said),
                });
            }
        }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Checks that it still runs.
    ///
    /// # Errors
    /// [`ServiceError::Died`] with its last words.
    pub fn check(&mut self) -> Result<(), ServiceError> {
        match self.child.try_wait() {
            Ok(Some(status)) => {
                Err(ServiceError::Died { status: status.to_string(), last_words: last_words_of(&self.said) })
            }
            _ => Ok(()),
        }
    }
}

impl Drop for ServiceProcess {
    fn drop(&mut self) {
        // Its store survives a blow at any moment, and nobody needs this one any more.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads what the service prints to its end, so that it never waits for us, and passes on the first address.
fn listen(stdout: ChildStdout, found: &mpsc::Sender<String>) {
    let mut told = false;
    for line in BufReader::new(stdout).lines() {
        let Ok(line) = line else { return };
        if let Some(address) = address_in(&line).filter(|_| !told) {
            told = true;
            // Nobody listens once the run was called off.
            let _ = found.send(address);
        }
    }
}

/// The address of a service on this machine in a line of text.
fn address_in(line: &str) -> Option<String> {
    let start = line.find("http://127.0.0.1:")?;
    let address = &line[start..];
    let host_end = "http://127.0.0.1:".len();
    let port: String = address[host_end..].chars().take_while(char::is_ascii_digit).collect();
    port.parse::<u16>().ok().filter(|p| *p != 0).map(|p| format!("http://127.0.0.1:{p}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_found_in_what_people_read() {
        assert_eq!(address_in("listening on http://127.0.0.1:4711/").as_deref(), Some("http://127.0.0.1:4711"));
        assert_eq!(address_in("listening on http://127.0.0.1:0"), None);
        assert_eq!(address_in("ready"), None);
    }

    #[test]
    fn a_service_that_ends_says_why() {
        let folder = tempfile::tempdir().unwrap();
        let run = |program: &str| {
            ServiceProcess::start(
                Path::new(program),
                Path::new("x"),
                None,
                Mode::Cycle,
                folder.path(),
                &Cancel::default(),
            )
            .unwrap_err()
        };
        // `ls serve --network …` fails, and says so.
        assert!(matches!(run("ls"), ServiceError::Died { last_words, .. } if !last_words.is_empty()));
        assert!(matches!(run("/nowhere/greenkerb"), ServiceError::Start { .. }));
    }
}
