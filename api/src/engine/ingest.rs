//! The gate for observations: from bytes to checked observations, item by item. No input makes it panic.

use greenkerb_models::detection::Observation;
use greenkerb_models::ids::DetectorId;
use greenkerb_models::network::Network;
use greenkerb_models::units::{Ds, MetresPerSecond, TimeDs};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::wire::read_object;
use crate::wire::v1::{RefusalCode, RefusedItem, Report};

/// Most refusals that a receipt lists; it counts all of them.
pub const REFUSALS_LISTED_MAX: usize = 1_000;

/// Longest detector name that a refusal repeats, characters.
const NAME_CHARS_MAX: usize = 200;

/// Instants further from 1970 than this, some 3,000 years, are none that a plan may have.
const INSTANT_DS_MAX: u64 = 1_000_000_000_000;

/// A batch after the gate.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Batch {
    /// What may be told, with its position in the batch.
    pub taken: Vec<(usize, Observation)>,
    /// What may not.
    pub refused: Vec<RefusedItem>,
}

/// Why a body is no batch at all.
#[derive(Debug, thiserror::Error)]
pub enum BatchError {
    /// It is no JSON, or not of the agreed shape.
    #[error("the body is no batch of observations: {0}")]
    Json(#[from] serde_json::Error),
}

/// A JSON batch whose items are not read yet.
#[derive(Deserialize)]
struct RawBatch<'a> {
    #[serde(borrow)]
    observations: Vec<&'a RawValue>,
}

/// The name in an item that cannot be read otherwise.
#[derive(Deserialize)]
struct OnlyName {
    detector: String,
}

/// Reads a JSON batch.
///
/// # Errors
/// [`BatchError`] when the body as a whole is not of the agreed shape; items are refused one by one.
pub fn read_json(network: &Network, body: &[u8]) -> Result<Batch, BatchError> {
    let raw: RawBatch<'_> = read_object(body)?;
    let mut batch = Batch::default();
    for (index, item) in raw.observations.iter().enumerate() {
        batch.take(network, index, item.get().as_bytes());
    }
    Ok(batch)
}

/// Reads one item per line; blank lines are skipped.
#[must_use]
pub fn read_ndjson(network: &Network, body: &[u8]) -> Batch {
    let mut batch = Batch::default();
    let lines = body.split(|b| *b == b'\n').map(<[u8]>::trim_ascii).filter(|l| !l.is_empty());
    for (index, line) in lines.enumerate() {
        batch.take(network, index, line);
    }
    batch
}

impl Batch {
    fn take(&mut self, network: &Network, index: usize, item: &[u8]) {
        match read_item(network, item) {
            Ok(o) => self.taken.push((index, o)),
            Err((detector, code, reason)) => self.refused.push(RefusedItem { index, detector, code, reason }),
        }
    }
}

type Fault = (Option<String>, RefusalCode, String);

fn read_item(network: &Network, item: &[u8]) -> Result<Observation, Fault> {
    let report: Report = read_object(item).map_err(|e| {
        let name = read_object::<OnlyName>(item).ok().map(|n| shortened(&n.detector));
        (name, RefusalCode::Malformed, e.to_string())
    })?;
    let Some(detector) = network.detector_named(&report.detector) else {
        let name = shortened(&report.detector);
        let reason = format!("the network has no detector '{name}'");
        return Err((Some(name), RefusalCode::UnknownDetector, reason));
    };
    check(detector, &report).map_err(|(code, reason)| (Some(report.detector), code, reason))
}

fn check(detector: DetectorId, report: &Report) -> Result<Observation, (RefusalCode, String)> {
    let impossible = |reason: String| (RefusalCode::ImpossibleValue, reason);
    let begin = TimeDs::parse_rfc3339(&report.begin).map_err(|e| {
        (RefusalCode::Malformed, format!("begin '{}' is no RFC 3339 instant: {e}", shortened(&report.begin)))
    })?;
    if begin.0.unsigned_abs() > INSTANT_DS_MAX {
        return Err(impossible(format!("begin '{}' is thousands of years off", shortened(&report.begin))));
    }
    let length = Ds::from_seconds(report.length_s).map_err(|e| impossible(format!("length_s: {e}")))?;
    let speed = report.speed_mps.map(MetresPerSecond::new).transpose();
    let speed = speed.map_err(|e| impossible(format!("speed_mps: {e}")))?;
    Observation::new(detector, begin, length, report.count, report.occupancy, speed)
        .map_err(|e| impossible(e.to_string()))
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= NAME_CHARS_MAX {
        return text.to_owned();
    }
    text.chars().take(NAME_CHARS_MAX).chain(['…']).collect()
}
