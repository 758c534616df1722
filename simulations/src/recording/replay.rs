//! Telling a recording to a service once more, and comparing what it publishes with what was recorded.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use greenkerb_models::units::TimeDs;
use serde::Serialize;

use super::read::{Batch, Recording, Told};
use super::{RecordingError, TIMINGS};
use crate::cancel::Cancel;
use crate::client::{Client, ClientError, Polled};

/// How many differences are kept in words.
const DIFFERENCES_MAX: usize = 20;

/// How a recording is replayed.
#[derive(Debug, Clone)]
pub struct ReplayOptions {
    /// Folder of the recording.
    pub recording: PathBuf,
    /// Address of the service, whose clock is set by the data and has not been set yet.
    pub service: String,
    /// Times real time; none: as fast as the service answers.
    pub pace: Option<f64>,
    /// File for what is polled, in the recording's own form.
    pub out: Option<PathBuf>,
    /// Calls it off.
    pub cancel: Cancel,
}

/// Why a recording cannot be replayed.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The recording cannot be read, or what is polled cannot be written.
    #[error(transparent)]
    Recording(#[from] RecordingError),
    /// The service does not answer as agreed.
    #[error("the service: {0}")]
    Client(#[from] ClientError),
    /// The service runs another network.
    #[error("controller '{controller}': the recording is of database {recorded}, the service has {served}")]
    OtherNetwork {
        /// The controller.
        controller: String,
        /// Checksum in the recording.
        recorded: String,
        /// Checksum of the service, or that it has none.
        served: String,
    },
    /// The service has lived through some of the recording's time already, or through later times.
    #[error("the service's clock is at {clock}, the recording begins at {begin}: time never goes back for a service")]
    Late {
        /// The service's clock.
        clock: String,
        /// Begin of the recording.
        begin: String,
    },
    /// The run was called off.
    #[error("cancelled")]
    Cancelled,
}

/// A recorded timing that did not come again as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The controller.
    pub controller: String,
    /// The revision.
    pub revision: u64,
    /// What is different.
    pub what: String,
}

/// What came of a replay.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Replay {
    /// Batches told.
    pub batches: u64,
    /// Reports in them.
    pub reports: u64,
    /// Reports the service refused.
    pub refused: u64,
    /// Timings in the recording.
    pub recorded: u64,
    /// Of them, those that the service published again, byte for byte.
    pub identical: u64,
    /// Timings that were polled in the replay.
    pub polled: u64,
    /// The first of those that did not come again as they were.
    pub differences: Vec<Difference>,
}

impl Replay {
    /// True when every recorded timing came again, byte for byte.
    #[must_use]
    pub fn is_identical(&self) -> bool {
        self.identical == self.recorded
    }
}

/// Tells a recording to a service, batch by batch, and polls every controller after each.
///
/// `progress` hears the instant that has been reached.
///
/// # Errors
/// [`ReplayError`].
pub fn replay(options: &ReplayOptions, mut progress: impl FnMut(TimeDs)) -> Result<Replay, ReplayError> {
    let recording = Recording::open(&options.recording)?;
    let client = Client::new(&options.service);
    let names = check(&recording, &client)?;
    let recorded = recording.timings()?;
    let mut comparison = Comparison::with(&recorded);
    let mut out = String::new();
    let mut etags: BTreeMap<&str, String> = BTreeMap::new();
    let mut told = Replay::default();
    let begun = Instant::now();
    let mut first = None;
    for batch in recording.batches()? {
        let Batch { reports, pictures, end } = batch?;
        if options.cancel.is_cancelled() {
            return Err(ReplayError::Cancelled);
        }
        let first = *first.get_or_insert(end);
        if let Some(times) = options.pace {
            options.cancel.wait_until(begun, end.since(first) as f64 / 10.0 / times);
        }
        let key = format!("replay-{}-{}", recording.manifest.begin, told.batches);
        // An answer may be lost after the request was heard: the same key makes asking again harmless.
        let accepted =
            client.observe(&reports, &pictures, &key).or_else(|_| client.observe(&reports, &pictures, &key))?;
        told.batches += 1;
        told.reports += reports.len() as u64;
        told.refused += accepted.refused.len() as u64;
        for name in &names {
            let known = etags.get(name.as_str()).map(String::as_str);
            let Polled::Timing { timing, body, etag } = client.poll(name, known)? else { continue };
            told.polled += 1;
            comparison.compare(name, timing.revision, &body);
            if options.out.is_some() {
                let quoted = serde_json::Value::from(name.as_str());
                out.push_str(&format!(
                    "{{\"polled_at\":\"{}\",\"controller\":{quoted},\"timing\":{body}}}\n",
                    end.rfc3339()
                ));
            }
            if let Some(etag) = etag {
                etags.insert(name, etag);
            }
        }
        progress(end);
    }
    if let Some(path) = &options.out {
        std::fs::write(path, out).map_err(|source| RecordingError::Io { path: path.clone(), source })?;
    }
    comparison.conclude(&mut told);
    Ok(told)
}

/// Checks that the service is one for this recording; the names of its controllers.
fn check(recording: &Recording, client: &Client) -> Result<Vec<String>, ReplayError> {
    let known = client.controllers()?;
    for (controller, recorded) in &recording.manifest.controllers {
        let served = known.iter().find(|k| k.name == *controller);
        let served = served.map(|k| k.configuration_checksum.clone().unwrap_or_else(|| recorded.clone()));
        if served.as_ref() != Some(recorded) {
            return Err(ReplayError::OtherNetwork {
                controller: controller.clone(),
                recorded: recorded.clone(),
                served: served.unwrap_or_else(|| "none of that name".to_owned()),
            });
        }
    }
    let begin = recording.manifest.begin.clone();
    if let Some(clock) = client.clock()?
        && TimeDs::parse_rfc3339(&begin).is_ok_and(|begin| clock >= begin)
    {
        return Err(ReplayError::Late { clock: clock.rfc3339(), begin });
    }
    Ok(recording.manifest.controllers.keys().cloned().collect())
}

/// What was recorded against what is polled.
struct Comparison<'a> {
    /// Recorded timings that have not come again yet.
    open: BTreeMap<(String, u64), &'a Told>,
    recorded: u64,
    identical: u64,
    differences: Vec<Difference>,
}

impl<'a> Comparison<'a> {
    fn with(recorded: &'a [Told]) -> Self {
        let open: BTreeMap<_, _> = recorded.iter().map(|t| ((t.controller.clone(), t.revision), t)).collect();
        Self { recorded: open.len() as u64, open, identical: 0, differences: Vec::new() }
    }

    fn compare(&mut self, controller: &str, revision: u64, body: &str) {
        // Controllers whose line was cut have not polled all there was.
        let Some(was) = self.open.remove(&(controller.to_owned(), revision)) else { return };
        if was.body == body {
            self.identical += 1;
            return;
        }
        let same = was.body.bytes().zip(body.bytes()).take_while(|(a, b)| a == b).count();
        let around =
            |text: &str| text.get(same.saturating_sub(30)..).unwrap_or(text).chars().take(60).collect::<String>();
        let what = format!("from byte {same} on: recorded '…{}…', now '…{}…'", around(&was.body), around(body));
        self.differ(controller, revision, what);
    }

    fn differ(&mut self, controller: &str, revision: u64, what: String) {
        if self.differences.len() < DIFFERENCES_MAX {
            self.differences.push(Difference { controller: controller.to_owned(), revision, what });
        }
    }

    fn conclude(mut self, told: &mut Replay) {
        for ((controller, revision), _) in std::mem::take(&mut self.open) {
            self.differ(&controller, revision, format!("is in {TIMINGS} and was not published again"));
        }
        told.recorded = self.recorded;
        told.identical = self.identical;
        told.differences = self.differences;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_again_is_compared_byte_for_byte() {
        let timing = |revision: u64, body: &str| Told {
            polled_at: String::new(),
            controller: "c".into(),
            revision,
            body: body.into(),
        };
        let recorded = [timing(1, "abc"), timing(2, "abd"), timing(3, "x")];
        let mut comparison = Comparison::with(&recorded);
        comparison.compare("c", 1, "abc");
        comparison.compare("c", 2, "abe");
        comparison.compare("c", 9, "more than was polled");
        let mut told = Replay::default();
        comparison.conclude(&mut told);
        assert_eq!((told.recorded, told.identical, told.differences.len()), (3, 1, 2));
        assert!(told.differences[0].what.contains("from byte 2"), "{told:?}");
        assert_eq!(told.differences[1].revision, 3);
        assert!(!told.is_identical());
    }
}
