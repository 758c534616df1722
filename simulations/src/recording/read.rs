//! Reading a recording.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Lines};
use std::path::{Path, PathBuf};

use greenkerb_models::units::{Ds, TimeDs};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{FORMAT, MANIFEST, Manifest, OBSERVATIONS, RecordingError, TIMINGS, VERSION};
use crate::client::{DetectorReport, PictureReport};

/// A recording in its folder.
#[derive(Debug, Clone)]
pub struct Recording {
    folder: PathBuf,
    /// What it is of.
    pub manifest: Manifest,
}

/// What was posted at once.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// The reports, in the order in which they were posted.
    pub reports: Vec<DetectorReport<'static>>,
    /// The pictures of junctions posted with them.
    pub pictures: Vec<PictureReport>,
    /// End of the newest interval in it; of a batch of pictures alone when the newest was taken.
    pub end: TimeDs,
}

/// A line of what was posted.
#[derive(Debug)]
enum Said {
    Report(DetectorReport<'static>),
    Picture(PictureReport),
}

/// What tells a picture from a report.
#[derive(Deserialize)]
struct OnlyController {
    #[serde(rename = "controller")]
    _controller: String,
}

/// A timing as it was polled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// When it was polled, RFC 3339.
    pub polled_at: String,
    /// By which controller.
    pub controller: String,
    /// Its revision.
    pub revision: u64,
    /// The body, byte for byte.
    pub body: String,
}

/// A line of the timings.
#[derive(Deserialize)]
struct TimingLine<'a> {
    polled_at: String,
    controller: String,
    #[serde(borrow)]
    timing: &'a RawValue,
}

/// What of a timing is needed to tell it from others.
#[derive(Deserialize)]
struct OnlyRevision {
    revision: u64,
}

impl Recording {
    /// Opens a recording.
    ///
    /// # Errors
    /// [`RecordingError`] when there is none, or one of another version.
    pub fn open(folder: &Path) -> Result<Self, RecordingError> {
        let path = folder.join(MANIFEST);
        let text =
            std::fs::read_to_string(&path).map_err(|source| RecordingError::Io { path: path.clone(), source })?;
        let wrong =
            |e: serde_json::Error| RecordingError::Line { path: path.clone(), line: e.line(), reason: e.to_string() };
        // A later version may have other fields, so its number is looked at first.
        let value: serde_json::Value = serde_json::from_str(&text).map_err(wrong)?;
        let format = value["format"].as_str().unwrap_or_default().to_owned();
        let version = value["version"].as_u64().and_then(|v| u32::try_from(v).ok()).unwrap_or(0);
        if format != FORMAT || version != VERSION {
            return Err(RecordingError::Version { path, format, version });
        }
        let manifest = serde_json::from_value(value).map_err(wrong)?;
        Ok(Self { folder: folder.to_owned(), manifest })
    }

    /// The batches, one after the other.
    ///
    /// # Errors
    /// [`RecordingError::Io`] when there are none.
    pub fn batches(&self) -> Result<Batches, RecordingError> {
        Batches::open(&self.folder.join(OBSERVATIONS))
    }

    /// The timings that were polled, oldest first.
    ///
    /// # Errors
    /// [`RecordingError`] naming the line that is none.
    pub fn timings(&self) -> Result<Vec<Told>, RecordingError> {
        let path = self.folder.join(TIMINGS);
        let io = |source| RecordingError::Io { path: path.clone(), source };
        let file = File::open(&path).map_err(io)?;
        let mut told = Vec::new();
        for (i, line) in BufReader::new(file).lines().enumerate() {
            let line = line.map_err(io)?;
            let wrong =
                |e: serde_json::Error| RecordingError::Line { path: path.clone(), line: i + 1, reason: e.to_string() };
            let read: TimingLine<'_> = serde_json::from_str(&line).map_err(wrong)?;
            let OnlyRevision { revision } = serde_json::from_str(read.timing.get()).map_err(wrong)?;
            let TimingLine { polled_at, controller, timing } = read;
            told.push(Told { polled_at, controller, revision, body: timing.get().to_owned() });
        }
        Ok(told)
    }
}

/// Batches of a file of reports. A blank line ends a batch; so does a report that ends later than all before it, for files
/// that know no blank lines.
#[derive(Debug)]
pub struct Batches {
    path: PathBuf,
    lines: Lines<BufReader<File>>,
    line: usize,
    newest: Option<TimeDs>,
    /// The first line of the next batch.
    ahead: Option<(Said, TimeDs)>,
}

impl Batches {
    /// Opens a file of reports.
    ///
    /// # Errors
    /// [`RecordingError::Io`].
    pub fn open(path: &Path) -> Result<Self, RecordingError> {
        let file = File::open(path).map_err(|source| RecordingError::Io { path: path.to_owned(), source })?;
        let lines = BufReader::new(file).lines();
        Ok(Self { path: path.to_owned(), lines, line: 0, newest: None, ahead: None })
    }

    /// The next line: a report with the end of its interval, a picture with its instant, or nothing when it is blank. None at
    /// the end.
    fn line(&mut self) -> Option<Result<Option<(Said, TimeDs)>, RecordingError>> {
        let line = self.lines.next()?;
        self.line += 1;
        let wrong = |reason| RecordingError::Line { path: self.path.clone(), line: self.line, reason };
        let read = |line: String| {
            if line.trim().is_empty() {
                return Ok(None);
            }
            let instant = |what: &str, text: &str| {
                TimeDs::parse_rfc3339(text).map_err(|e| wrong(format!("{what} '{text}': {e}")))
            };
            if serde_json::from_str::<OnlyController>(&line).is_ok() {
                let picture: PictureReport = serde_json::from_str(&line).map_err(|e| wrong(e.to_string()))?;
                let at = instant("at", &picture.at)?;
                return Ok(Some((Said::Picture(picture), at)));
            }
            let report: DetectorReport<'_> = serde_json::from_str(&line).map_err(|e| wrong(e.to_string()))?;
            let begin = instant("begin", &report.begin)?;
            let length = Ds::from_seconds(report.length_s).map_err(|e| wrong(format!("length_s: {e}")))?;
            let end = begin + length;
            Ok(Some((Said::Report(report.into_owned()), end)))
        };
        Some(line.map_err(|source| RecordingError::Io { path: self.path.clone(), source }).and_then(read))
    }
}

impl Iterator for Batches {
    type Item = Result<Batch, RecordingError>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut batch: Option<Batch> = None;
        let add = |batch: &mut Option<Batch>, (said, end): (Said, TimeDs)| {
            let batch = batch.get_or_insert_with(|| Batch { reports: Vec::new(), pictures: Vec::new(), end });
            match said {
                Said::Report(report) => batch.reports.push(report),
                Said::Picture(picture) => batch.pictures.push(picture),
            }
            batch.end = batch.end.max(end);
        };
        if let Some(first) = self.ahead.take() {
            add(&mut batch, first);
        }
        loop {
            match self.line() {
                None => return batch.map(Ok),
                Some(Err(error)) => return Some(Err(error)),
                Some(Ok(None)) => {
                    if let Some(batch) = batch {
                        return Some(Ok(batch));
                    }
                }
                Some(Ok(Some((said, end)))) => {
                    let later = self.newest.is_some_and(|newest| end > newest);
                    self.newest = self.newest.max(Some(end));
                    if later && batch.is_some() {
                        self.ahead = Some((said, end));
                        return batch.map(Ok);
                    }
                    add(&mut batch, (said, end));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recording::Recorder;
    use crate::scenarios::grid;
    use crate::sensing::{Faults, Reporter, Sighting};

    const BEGIN: TimeDs = TimeDs::from_s(25_200);

    #[test]
    fn what_was_recorded_is_read_back_batch_by_batch() {
        let network = grid(1, 1, 200.0).unwrap();
        let folder = tempfile::tempdir().unwrap();
        // All are delayed, so that batches hold nothing newer than those before them.
        let faults: Faults = "delayed:100%,delay_s:2".parse().unwrap();
        let manifest = Manifest::of(&network, BEGIN, Ds::from_s(1), &faults);
        let mut recorder = Recorder::create(folder.path(), &manifest).unwrap();
        let mut reporter = Reporter::new(&network, faults, Ds::from_s(1), BEGIN);
        let mut posted = Vec::new();
        for s in 1..=5 {
            let seen = vec![Sighting { count: s, ..Sighting::default() }; network.detectors().len()];
            let told = reporter.report(&seen, BEGIN + Ds::from_s(s));
            recorder.batch(&network, &told, &[]).unwrap();
            posted.push(told);
        }
        let body = r#"{"revision":3,"plan":{}}"#;
        recorder.timing("n\"0", BEGIN, body).unwrap();
        recorder.finish().unwrap();

        let recording = Recording::open(folder.path()).unwrap();
        assert_eq!(recording.manifest, manifest);
        let batches: Vec<Batch> = recording.batches().unwrap().map(Result::unwrap).collect();
        let full: Vec<_> = posted.iter().filter(|told| !told.is_empty()).collect();
        assert_eq!(batches.len(), full.len());
        for (batch, told) in batches.iter().zip(full) {
            let reports: Vec<DetectorReport<'_>> = told.iter().map(|o| DetectorReport::of(&network, o)).collect();
            assert_eq!(batch.reports, reports);
            assert_eq!(Some(batch.end), told.iter().map(greenkerb_models::detection::Observation::end).max());
        }
        let timings = recording.timings().unwrap();
        assert_eq!(timings.len(), 1);
        assert_eq!((timings[0].controller.as_str(), timings[0].revision, timings[0].body.as_str()), ("n\"0", 3, body));
    }

    #[test]
    fn without_blank_lines_a_later_end_begins_a_batch() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("o.ndjson");
        let line = |name: &str, s: i64| {
            let begin = TimeDs::from_s(s).rfc3339();
            format!(r#"{{"detector":"{name}","begin":"{begin}","length_s":1.0,"count":0,"occupancy":0.0}}"#)
        };
        let lines = [line("a", 10), line("b", 10), line("a", 11), line("b", 9), line("a", 12)];
        std::fs::write(&path, lines.join("\n")).unwrap();
        let sizes: Vec<usize> = Batches::open(&path).unwrap().map(|b| b.unwrap().reports.len()).collect();
        assert_eq!(sizes, [2, 2, 1]);
        std::fs::write(&path, format!("{}\nrubbish", lines[0])).unwrap();
        let last = Batches::open(&path).unwrap().last().unwrap().unwrap_err().to_string();
        assert!(last.contains("line 2"), "{last}");
    }

    #[test]
    fn another_version_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(MANIFEST), r#"{"format":"greenkerb-recording","version":2}"#).unwrap();
        let refused = Recording::open(folder.path()).unwrap_err().to_string();
        assert!(refused.contains("version 2") && refused.contains("version 1"), "{refused}");
        assert!(matches!(Recording::open(Path::new("/nowhere")), Err(RecordingError::Io { .. })));
    }
}
