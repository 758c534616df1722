//! The gate for observations: from bytes to checked observations, item by item. No input makes it panic.

use std::collections::BTreeMap;

use greenkerb_models::detection::{Observation, Picture, Vicinity};
use greenkerb_models::ids::DetectorId;
use greenkerb_models::network::Network;
use greenkerb_models::units::{Ds, MetresPerSecond, TimeDs};
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::pictures::{is_picture, read_picture};
use crate::wire::read_object;
use crate::wire::v1::{RefusalCode, RefusedItem, Report};

/// Most items of a batch: 1,000 detectors over more than a minute of seconds.
pub const ITEMS_MAX: usize = 100_000;

/// Most refusals that a receipt lists; it counts all of them.
pub const REFUSALS_LISTED_MAX: usize = 1_000;

/// Longest detector name that a refusal repeats, characters.
const NAME_CHARS_MAX: usize = 200;

/// Instants further from 1970 than this, some 3,000 years, are none that a plan may have.
pub(super) const INSTANT_DS_MAX: u64 = 1_000_000_000_000;

/// A batch after the gate.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Batch {
    /// What may be told, with its position in the batch.
    pub taken: Vec<(usize, Observation)>,
    /// Pictures that may be looked at, with their position among the pictures.
    pub pictures: Vec<(usize, Picture)>,
    /// Pictures that may not, the first of them.
    pub pictures_refused: Vec<RefusedItem>,
    /// What may not, the first of them.
    pub refused: Vec<RefusedItem>,
    /// How many more may not, by their fault.
    pub unlisted: BTreeMap<RefusalCode, usize>,
}

/// Why a body is no batch at all.
#[derive(Debug, thiserror::Error)]
pub enum BatchError {
    /// It is no JSON, or not of the agreed shape.
    #[error("the body is no batch of observations: {0}")]
    Json(#[from] serde_json::Error),
    /// It has too many items.
    #[error("a batch may have {max} items, this one has {items}")]
    TooMany {
        /// How many it has.
        items: usize,
        /// How many it may have.
        max: usize,
    },
}

/// A JSON batch whose items are not read yet.
#[derive(Deserialize)]
struct RawBatch<'a> {
    #[serde(borrow)]
    observations: RawItems<'a>,
    #[serde(borrow, default)]
    pictures: RawItems<'a>,
}

/// Items of which only so many are kept as may be: what is refused for their number shall cost no memory.
#[derive(Default)]
struct RawItems<'a> {
    kept: Vec<&'a RawValue>,
    all: usize,
}

impl<'de: 'a, 'a> Deserialize<'de> for RawItems<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Counting;
        impl<'de> Visitor<'de> for Counting {
            type Value = RawItems<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an array of reports")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
                let mut raw = RawItems { kept: Vec::new(), all: 0 };
                while raw.kept.len() < ITEMS_MAX {
                    let Some(item) = items.next_element()? else { return Ok(raw) };
                    raw.kept.push(item);
                    raw.all += 1;
                }
                while items.next_element::<IgnoredAny>()?.is_some() {
                    raw.all += 1;
                }
                Ok(raw)
            }
        }
        deserializer.deserialize_seq(Counting)
    }
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
pub fn read_json(network: &Network, vicinity: &Vicinity, body: &[u8]) -> Result<Batch, BatchError> {
    let RawBatch { observations, pictures } = read_object(body)?;
    bounded(observations.all.saturating_add(pictures.all))?;
    let mut batch = Batch::default();
    for (index, item) in observations.kept.iter().enumerate() {
        batch.take(network, index, item.get().as_bytes());
    }
    for (index, item) in pictures.kept.iter().enumerate() {
        batch.look(network, vicinity, index, item.get().as_bytes());
    }
    Ok(batch)
}

/// Reads one item per line, reports and pictures; blank lines are skipped.
///
/// # Errors
/// [`BatchError`] when there are too many.
pub fn read_ndjson(network: &Network, vicinity: &Vicinity, body: &[u8]) -> Result<Batch, BatchError> {
    let lines = || body.split(|b| *b == b'\n').map(<[u8]>::trim_ascii).filter(|l| !l.is_empty());
    bounded(lines().count())?;
    let mut batch = Batch::default();
    for (index, line) in lines().enumerate() {
        if is_picture(line) {
            batch.look(network, vicinity, index, line);
        } else {
            batch.take(network, index, line);
        }
    }
    Ok(batch)
}

fn bounded(items: usize) -> Result<(), BatchError> {
    if items > ITEMS_MAX { Err(BatchError::TooMany { items, max: ITEMS_MAX }) } else { Ok(()) }
}

impl Batch {
    fn take(&mut self, network: &Network, index: usize, item: &[u8]) {
        match read_item(network, item) {
            Ok(o) => self.taken.push((index, o)),
            Err((_, code, _)) if self.refused.len() >= REFUSALS_LISTED_MAX => {
                *self.unlisted.entry(code).or_default() += 1;
            }
            Err((detector, code, reason)) => {
                self.refused.push(RefusedItem { index, detector, controller: None, code, reason });
            }
        }
    }

    fn look(&mut self, network: &Network, vicinity: &Vicinity, index: usize, item: &[u8]) {
        match read_picture(network, vicinity, item) {
            Ok(picture) => self.pictures.push((index, picture)),
            Err((_, code, _)) if self.pictures_refused.len() >= REFUSALS_LISTED_MAX => {
                *self.unlisted.entry(code).or_default() += 1;
            }
            Err((controller, code, reason)) => {
                self.pictures_refused.push(RefusedItem { index, detector: None, controller, code, reason });
            }
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

pub(super) fn shortened(text: &str) -> String {
    if text.chars().count() <= NAME_CHARS_MAX {
        return text.to_owned();
    }
    text.chars().take(NAME_CHARS_MAX).chain(['…']).collect()
}
