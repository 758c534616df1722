//! Writing a recording.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use greenkerb_models::detection::{Observation, Picture};
use greenkerb_models::network::Network;
use greenkerb_models::units::TimeDs;

use super::{MANIFEST, Manifest, OBSERVATIONS, RecordingError, TIMINGS};
use crate::client::{DetectorReport, PictureReport};

/// A file that is being written, with its name for messages.
#[derive(Debug)]
struct Out {
    path: PathBuf,
    file: BufWriter<File>,
}

impl Out {
    fn create(path: PathBuf) -> Result<Self, RecordingError> {
        match File::create(&path) {
            Ok(file) => Ok(Self { path, file: BufWriter::new(file) }),
            Err(source) => Err(RecordingError::Io { path, source }),
        }
    }

    fn write(&mut self, text: &[u8]) -> Result<(), RecordingError> {
        self.file.write_all(text).map_err(|source| RecordingError::Io { path: self.path.clone(), source })
    }
}

/// A recording that is being written.
#[derive(Debug)]
pub struct Recorder {
    observations: Out,
    timings: Out,
}

impl Recorder {
    /// Begins a recording in a folder, which is made where it does not exist.
    ///
    /// # Errors
    /// [`RecordingError::Io`] naming the file.
    pub fn create(folder: &Path, manifest: &Manifest) -> Result<Self, RecordingError> {
        std::fs::create_dir_all(folder).map_err(|source| RecordingError::Io { path: folder.to_owned(), source })?;
        let mut out = Out::create(folder.join(MANIFEST))?;
        let text = serde_json::to_string_pretty(manifest)
            .map_err(|source| RecordingError::Io { path: out.path.clone(), source: source.into() })?;
        out.write(text.as_bytes())?;
        out.write(b"\n")?;
        let Out { path, mut file } = out;
        file.flush().map_err(|source| RecordingError::Io { path, source })?;
        Ok(Self { observations: Out::create(folder.join(OBSERVATIONS))?, timings: Out::create(folder.join(TIMINGS))? })
    }

    /// Writes what was posted at once.
    ///
    /// # Errors
    /// [`RecordingError::Io`].
    pub fn batch(
        &mut self,
        network: &Network,
        told: &[Observation],
        pictures: &[Picture],
    ) -> Result<(), RecordingError> {
        let mut text = Vec::with_capacity(told.len() * 120);
        let failed = |source: serde_json::Error| RecordingError::Io {
            path: self.observations.path.clone(),
            source: source.into(),
        };
        for o in told {
            serde_json::to_writer(&mut text, &DetectorReport::of(network, o)).map_err(failed)?;
            text.push(b'\n');
        }
        for picture in pictures {
            serde_json::to_writer(&mut text, &PictureReport::of(network, picture)).map_err(failed)?;
            text.push(b'\n');
        }
        text.push(b'\n');
        self.observations.write(&text)
    }

    /// Writes a timing, as it came.
    ///
    /// # Errors
    /// [`RecordingError::Io`].
    pub fn timing(&mut self, controller: &str, at: TimeDs, body: &str) -> Result<(), RecordingError> {
        let name = serde_json::Value::from(controller);
        let line = format!("{{\"polled_at\":\"{}\",\"controller\":{name},\"timing\":{body}}}\n", at.rfc3339());
        self.timings.write(line.as_bytes())
    }

    /// Ends the recording: all of it is in the files.
    ///
    /// # Errors
    /// [`RecordingError::Io`].
    pub fn finish(self) -> Result<(), RecordingError> {
        for Out { path, mut file } in [self.observations, self.timings] {
            file.flush().map_err(|source| RecordingError::Io { path, source })?;
        }
        Ok(())
    }
}
