//! `scenario.toml`: which network and demand make up a scenario, and when it runs.

use std::path::{Path, PathBuf};

use greenkerb_models::formats::Source;
use greenkerb_models::units::{Ds, TimeDs};
use serde::{Deserialize, Serialize};

use super::sources::Sources;
use super::{Draft, Opened, Run, ScenarioFileError, tick};
use crate::scenarios::Driving;

/// Version that is written, and the only one that is read.
pub(super) const VERSION: u32 = 1;

/// The file as it is written.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ScenarioToml {
    pub(super) version: u32,
    pub(super) name: String,
    #[serde(default)]
    pub(super) description: String,
    /// Path of the network, from the scenario's folder.
    pub(super) network: String,
    /// Path of the demand, or paths where SUMO parts it in several files.
    pub(super) demand: Files,
    /// Seconds, or hours, minutes and seconds.
    pub(super) begin: toml::Value,
    pub(super) end: toml::Value,
    #[serde(default)]
    pub(super) warm_up_s: f64,
    #[serde(default = "one")]
    pub(super) tick_s: f64,
    #[serde(default)]
    pub(super) driving: Driving,
    #[serde(default)]
    pub(super) congestion_aware: bool,
}

const fn one() -> f64 {
    1.0
}

/// A file or several.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected the name of a file or a list of names")]
pub(super) enum Files {
    One(String),
    Several(Vec<String>),
}

pub(super) fn open(path: &Path, source: &Source) -> Result<Opened, ScenarioFileError> {
    let file = source.name.as_str();
    let value = |key, reason: String| ScenarioFileError::Value { file: file.into(), key, reason };
    let raw: ScenarioToml = toml::from_str(&source.text)
        .map_err(|e| ScenarioFileError::Syntax { file: file.into(), reason: e.to_string().trim_end().to_owned() })?;
    if raw.version != VERSION {
        return Err(value("version", format!("{} is not known here, only {VERSION} is", raw.version)));
    }
    let of_files = |c: char| c.is_alphanumeric() || "-_.".contains(c);
    if raw.name.is_empty() || raw.name.starts_with('.') || !raw.name.chars().all(of_files) {
        return Err(value("name", format!("'{}' is no name of a file without blanks and slashes", raw.name)));
    }
    let begin = instant(file, "begin", &raw.begin)?;
    let end = instant(file, "end", &raw.end)?;
    if end <= begin {
        return Err(value("end", "it does not come after the beginning".into()));
    }
    let warm_up = Ds::from_seconds(raw.warm_up_s).map_err(|e| value("warm_up_s", e.to_string()))?;
    if begin + warm_up >= end {
        return Err(value("warm_up_s", "nothing is left after it".into()));
    }
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut sources = Sources::of(folder);
    sources.add(path)?;
    let network = folder.join(&raw.network);
    sources.add(&network)?;
    let mut draft = Draft::on(&network)?;
    let files: Vec<PathBuf> = match &raw.demand {
        Files::One(name) => vec![folder.join(name)],
        Files::Several(names) => names.iter().map(|n| folder.join(n)).collect(),
    };
    if files.is_empty() {
        return Err(value("demand", "it names no file".into()));
    }
    draft.demand(&files, begin, &mut sources)?;
    let run = Run {
        name: raw.name,
        description: raw.description,
        begin,
        end,
        warm_up,
        tick: tick(file, "tick_s", raw.tick_s)?,
        driving: raw.driving,
        congestion_aware: raw.congestion_aware,
    };
    Ok(draft.finish(run, sources))
}

fn instant(file: &str, key: &'static str, given: &toml::Value) -> Result<TimeDs, ScenarioFileError> {
    let text = match given {
        toml::Value::Integer(s) => s.to_string(),
        toml::Value::Float(s) => s.to_string(),
        toml::Value::String(clock) => clock.clone(),
        other => other.to_string(),
    };
    let wrong = |reason| ScenarioFileError::Value { file: file.into(), key, reason };
    let at = TimeDs::parse_clock(&text)
        .ok_or_else(|| wrong(format!("{text} is neither seconds from 0 nor hours:minutes:seconds")))?;
    match overflow(&text) {
        Some((part, of, below)) => Err(wrong(format!("{text}: {part} {of}; fewer than {below} can be"))),
        None => Ok(at),
    }
}

/// The part of a time of day that is too large for its place, its unit and its bound. SUMO takes any number of minutes; here
/// 7:99:00 can only be a slip of the pen.
fn overflow(text: &str) -> Option<(&str, &'static str, u32)> {
    let parts = text.split(':').skip(1).collect::<Vec<_>>().into_iter().rev();
    let units = [("seconds", 60), ("minutes", 60), ("hours", 24)];
    parts
        .zip(units)
        .map(|(part, (of, below))| (part.trim(), of, below))
        .find(|(part, _, below)| part.parse::<f64>().is_ok_and(|v| v >= f64::from(*below)))
}
