//! One SUMO process and the conversation with it.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use super::installation::Installation;
use super::traci::{Traci, TraciError};
use crate::cancel::Cancel;
use crate::words::last_words_of;

/// How long SUMO may load before it listens. A city of 100,000 edges takes about half a minute.
const LOADING: Duration = Duration::from_secs(300);
/// How long one step may take.
const STEPPING: Duration = Duration::from_secs(120);
/// How long SUMO may take to end, by itself or with a blow.
const ENDING: Duration = Duration::from_secs(60);
/// How often another port is tried when somebody takes the one we found free.
const PORTS_TRIED: u32 = 5;

/// Why there is no (more) SUMO.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// The program does not start, or its files cannot be written.
    #[error("cannot start '{program}': {source}")]
    Start {
        /// The program.
        program: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It ended on its own.
    #[error("SUMO ended by itself ({status}): {last_words}")]
    Died {
        /// How it ended.
        status: String,
        /// What it said last.
        last_words: String,
    },
    /// It never listened.
    #[error("SUMO does not listen after {waited_s} s: {last_words}")]
    Deaf {
        /// How long we waited.
        waited_s: u64,
        /// What it said last.
        last_words: String,
    },
    /// It runs, but the conversation failed.
    #[error("{error}{last_words}")]
    Traci {
        /// What failed.
        error: TraciError,
        /// What it said last, after a colon.
        last_words: String,
    },
    /// The run was called off.
    #[error("cancelled")]
    Cancelled,
}

/// A running SUMO. It is killed when this is dropped.
#[derive(Debug)]
pub struct Sumo {
    child: Child,
    traci: Option<Traci>,
    stderr: PathBuf,
}

/// What SUMO is started with.
#[derive(Debug)]
pub struct Launch<'a> {
    /// The installation.
    pub installation: &'a Installation,
    /// Command line, without port and clients.
    pub arguments: &'a [String],
    /// Folder for what it prints.
    pub folder: &'a Path,
    /// Calls the run off.
    pub cancel: &'a Cancel,
}

impl Launch<'_> {
    /// Starts SUMO and connects to it.
    ///
    /// # Errors
    /// [`ProcessError`] with what SUMO said.
    pub fn start(&self) -> Result<Sumo, ProcessError> {
        let mut tried = 1;
        loop {
            match self.start_on_free_port() {
                // Somebody took the port between our look and SUMO's.
                Err(ProcessError::Died { last_words, .. })
                    if tried < PORTS_TRIED && last_words.to_lowercase().contains("port") =>
                {
                    tried += 1;
                }
                other => return other,
            }
        }
    }

    fn start_on_free_port(&self) -> Result<Sumo, ProcessError> {
        let program = &self.installation.sumo;
        let failed = |source| ProcessError::Start { program: program.clone(), source };
        let stderr = self.folder.join("sumo.stderr");
        let said = File::create(&stderr).map_err(failed)?;
        let address = free_port().map_err(failed)?;
        let mut command = Command::new(program);
        command.args(self.arguments).args(["--remote-port", &address.port().to_string(), "--num-clients", "1"]);
        if let Some(home) = self.installation.home() {
            command.env("SUMO_HOME", home);
        }
        // In a process group of its own: a Ctrl-C is ours to handle, and we end SUMO then.
        command.process_group(0).stdin(Stdio::null()).stdout(Stdio::null()).stderr(said);
        let mut sumo = Sumo { child: command.spawn().map_err(failed)?, traci: None, stderr };
        let started = Instant::now();
        loop {
            if self.cancel.is_cancelled() {
                return Err(ProcessError::Cancelled);
            }
            if let Ok(traci) = Traci::connect(address, STEPPING, self.cancel.clone()) {
                sumo.traci = Some(traci);
                return Ok(sumo);
            }
            if let Some(status) = sumo.child.try_wait().map_err(failed)? {
                return Err(sumo.died(status));
            }
            if started.elapsed() > LOADING {
                return Err(ProcessError::Deaf { waited_s: LOADING.as_secs(), last_words: sumo.last_words() });
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Sumo {
    /// Talks to SUMO; when that fails because SUMO died, the error says so, with its last words.
    ///
    /// # Errors
    /// [`ProcessError`].
    pub fn talk<T>(&mut self, say: impl FnOnce(&mut Traci) -> Result<T, TraciError>) -> Result<T, ProcessError> {
        let outcome = match self.traci.as_mut() {
            Some(traci) => say(traci),
            None => Err(TraciError::Closed),
        };
        outcome.map_err(|error| self.explain(error))
    }

    /// Lets SUMO write its files and end.
    ///
    /// # Errors
    /// [`ProcessError`] when it does not end well.
    pub fn close(mut self) -> Result<(), ProcessError> {
        let closed = self.traci.take().map_or(Ok(()), Traci::close);
        if let Err(error) = closed {
            return Err(self.explain(error));
        }
        match self.wait(ENDING) {
            Some(status) if status.success() => Ok(()),
            Some(status) => Err(self.died(status)),
            None => Err(ProcessError::Deaf { waited_s: ENDING.as_secs(), last_words: self.last_words() }),
        }
    }

    fn explain(&mut self, error: TraciError) -> ProcessError {
        match error {
            TraciError::Cancelled => ProcessError::Cancelled,
            // A broken connection usually comes a moment before the end of the process that broke it.
            TraciError::Closed | TraciError::Io(_) => match self.wait(Duration::from_secs(5)) {
                Some(status) => self.died(status),
                None => self.failed(error),
            },
            error => self.failed(error),
        }
    }

    fn failed(&self, error: TraciError) -> ProcessError {
        let words = self.last_words();
        ProcessError::Traci { error, last_words: if words.is_empty() { words } else { format!(": {words}") } }
    }

    fn died(&self, status: ExitStatus) -> ProcessError {
        ProcessError::Died { status: status.to_string(), last_words: self.last_words() }
    }

    fn wait(&mut self, longest: Duration) -> Option<ExitStatus> {
        let started = Instant::now();
        loop {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Some(status);
            }
            if started.elapsed() > longest {
                return None;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// What SUMO printed last.
    #[must_use]
    pub fn last_words(&self) -> String {
        last_words_of(&self.stderr)
    }
}

impl Drop for Sumo {
    fn drop(&mut self) {
        if !matches!(self.child.try_wait(), Ok(Some(_))) {
            // It may end between the look and the blow; nothing is lost then.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

fn free_port() -> std::io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}
