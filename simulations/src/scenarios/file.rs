//! Scenarios in files: our own `scenario.toml`, SUMO's `.sumocfg`, and CityFlow's road network with its flow.

mod error;
mod save;
mod sources;
#[cfg(test)]
mod tests;
mod toml_file;

use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use error::ScenarioFileError;
use greenkerb_models::demand::Demand;
use greenkerb_models::formats::cityflow::{self, RoadnetOptions};
use greenkerb_models::formats::sumo_demand::{self, SumoConfig, SumoDemandOptions, with_detectors};
use greenkerb_models::formats::{self, FileKind, Import, Note, Source, WrongKind, native_demand};
use greenkerb_models::network::Network;
use greenkerb_models::units::{Ds, TimeDs};
pub use save::save;
use serde::Deserialize;
use sources::Sources;

use super::{Driving, Scenario};

/// Name of a scenario's file in its folder.
pub const SCENARIO_FILE: &str = "scenario.toml";
/// How long a run goes on after the last departure where nobody says when it ends.
const RUN_OUT: Ds = Ds::from_s(3_600);
/// How long CityFlow's benchmarks run (their papers agree on it; the files say nothing).
const CITYFLOW_END: TimeDs = TimeDs::from_s(3_600);

/// A scenario from files.
#[derive(Debug, Clone)]
pub struct Opened {
    /// The scenario.
    pub scenario: Scenario,
    /// What the files did not say, or said in a way that had to be changed.
    pub notes: Vec<Note>,
    /// The file its vehicles stand in by name, where it is in our own format.
    pub demand_file: Option<PathBuf>,
}

/// Opens a scenario: a folder with a `scenario.toml`, a `.sumocfg` or a CityFlow pair in it; such a file; CityFlow's own
/// `config.json`; or `roadnet.json+flow.json`.
///
/// # Errors
/// [`ScenarioFileError`] naming the file and what is wrong with it.
pub fn open(path: &Path) -> Result<Opened, ScenarioFileError> {
    if path.is_dir() {
        return open_folder(path);
    }
    if !path.exists()
        && let Some((roadnet, flow)) = path.to_str().and_then(|p| p.split_once('+'))
    {
        return open_cityflow(Path::new(roadnet), Path::new(flow));
    }
    let source = Source::open(path)?;
    match FileKind::of(&source.text) {
        FileKind::SumoConfig => open_sumo(path, &source),
        FileKind::CityflowConfig => open_cityflow_config(path, &source),
        FileKind::Unknown => match source.text.trim_start_matches('\u{feff}').trim_start().chars().next() {
            // Broken before it tells what it is: its reader says where.
            Some('<') => open_sumo(path, &source),
            Some('{') => open_cityflow_config(path, &source),
            _ => toml_file::open(path, &source),
        },
        found => Err(ScenarioFileError::NoScenario { file: source.name, found }),
    }
}

/// Everything in a folder that ends like this, in order.
fn ending(folder: &Path, end: &str) -> Result<Vec<PathBuf>, ScenarioFileError> {
    let io = |source| ScenarioFileError::Io { file: folder.display().to_string(), source };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(io)? {
        let path = entry.map_err(io)?.path();
        let name = path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
        if name.ends_with(end) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn open_folder(folder: &Path) -> Result<Opened, ScenarioFileError> {
    let own = folder.join(SCENARIO_FILE);
    if own.is_file() {
        return open(&own);
    }
    let several = |found: &[PathBuf]| ScenarioFileError::Several {
        folder: folder.display().to_string(),
        found: found.iter().filter_map(|p| Some(p.file_name()?.to_string_lossy().into_owned())).collect(),
    };
    match &ending(folder, ".sumocfg")?[..] {
        [] => {}
        [only] => return open(only),
        more => return Err(several(more)),
    }
    let json = ending(folder, ".json")?;
    let is_roadnet = |p: &&PathBuf| p.file_name().is_some_and(|n| n.to_string_lossy().starts_with("roadnet"));
    let roadnets: Vec<&PathBuf> = json.iter().filter(is_roadnet).collect();
    let flows: Vec<&PathBuf> = json.iter().filter(|p| !is_roadnet(p)).collect();
    match (&roadnets[..], &flows[..]) {
        ([roadnet], [flow]) => open_cityflow(roadnet, flow),
        ([], _) => Err(ScenarioFileError::Nothing { folder: folder.display().to_string() }),
        _ => Err(several(&json)),
    }
}

/// A simulation of SUMO's.
fn open_sumo(path: &Path, source: &Source) -> Result<Opened, ScenarioFileError> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let config: SumoConfig = sumo_demand::config::read_source(source, folder)?;
    let mut sources = Sources::of(folder);
    sources.add(path)?;
    sources.add(&config.network)?;
    let Import { network, notes } = formats::read(&config.network)?;
    let files: Vec<PathBuf> = config.additionals.iter().chain(&config.routes).cloned().collect();
    let options = SumoDemandOptions { begin: config.begin, ignore_route_errors: config.ignore_route_errors };
    let mut draft = Draft { network, notes, demand: Demand::default(), demand_file: None };
    draft.notes.extend(config.notes);
    draft.sumo(&files, options, &mut sources)?;
    let end = config.end.unwrap_or_else(|| last_departure(&draft.demand, config.begin) + RUN_OUT);
    let name = stem(path);
    let description = format!("SUMO configuration {name}");
    // SUMO chooses the ways of its trips when they depart, as traffic is by then.
    let congestion_aware = true;
    let run =
        Run { name, description, begin: config.begin, end, tick: config.step, congestion_aware, ..Run::default() };
    Ok(draft.finish(run, sources))
}

/// What CityFlow's own configuration says that matters here.
#[derive(Deserialize)]
struct CityflowConfig {
    #[serde(default)]
    dir: String,
    #[serde(rename = "roadnetFile")]
    roadnet: String,
    #[serde(rename = "flowFile")]
    flow: String,
    interval: Option<f64>,
}

fn open_cityflow_config(path: &Path, source: &Source) -> Result<Opened, ScenarioFileError> {
    let config: CityflowConfig = serde_json::from_str(&source.text).map_err(|e| ScenarioFileError::Syntax {
        file: source.name.clone(),
        reason: format!("not a CityFlow configuration: {e}"),
    })?;
    let folder = path.parent().unwrap_or(Path::new("")).join(config.dir);
    let mut opened = open_cityflow(&folder.join(config.roadnet), &folder.join(config.flow))?;
    if let Some(s) = config.interval {
        opened.scenario.tick = tick(&source.name, "interval", s)?;
    }
    Ok(opened)
}

/// A road network of CityFlow's and the vehicles on it, for an hour.
///
/// # Errors
/// As [`open`].
pub fn open_cityflow(roadnet: &Path, flow: &Path) -> Result<Opened, ScenarioFileError> {
    let mut sources = Sources::of(roadnet.parent().unwrap_or(Path::new("")));
    sources.add(roadnet)?;
    sources.add(flow)?;
    let Import { network, mut notes } = cityflow::read_roadnet(roadnet, &RoadnetOptions::default())?;
    let read = cityflow::read_flow(flow, &network)?;
    notes.extend(read.notes);
    let name = stem(flow);
    let description = format!("CityFlow road network {} with flow {name}", stem(roadnet));
    let run = Run { name, description, end: CITYFLOW_END, driving: Driving::CityFlow, ..Run::default() };
    Ok(Draft { network, notes, demand: read.demand, demand_file: None }.finish(run, sources))
}

/// A network and a demand on it, before anything is known about the run.
struct Draft {
    network: Network,
    notes: Vec<Note>,
    demand: Demand,
    /// Where the demand stands, where it is a native one.
    demand_file: Option<PathBuf>,
}

impl Draft {
    /// The network of a file.
    fn on(path: &Path) -> Result<Self, ScenarioFileError> {
        let Import { network, notes } = formats::read(path)?;
        Ok(Self { network, notes, demand: Demand::default(), demand_file: None })
    }

    /// Takes the demand of a file or of several, told apart by content; several are SUMO's.
    fn demand(&mut self, files: &[PathBuf], begin: TimeDs, sources: &mut Sources) -> Result<(), ScenarioFileError> {
        if let [only] = files {
            let source = Source::open(only)?;
            match FileKind::of(&source.text) {
                FileKind::NativeDemand => {
                    sources.add(only)?;
                    self.demand = native_demand::read_source(&self.network, &source)?;
                    self.demand_file = Some(only.clone());
                    return Ok(());
                }
                FileKind::CityflowFlow => {
                    sources.add(only)?;
                    let read = cityflow::read_flow_source(&source, &self.network)?;
                    self.notes.extend(read.notes);
                    self.demand = read.demand;
                    return Ok(());
                }
                FileKind::SumoDemand | FileKind::Unknown => {}
                found => {
                    let wanted = "a demand (SUMO's, CityFlow's flow or a native one)";
                    return Err(WrongKind { file: source.name, found, wanted }.into());
                }
            }
        }
        self.sumo(files, SumoDemandOptions { begin, ..SumoDemandOptions::default() }, sources)
    }

    fn sumo(
        &mut self,
        files: &[PathBuf],
        options: SumoDemandOptions,
        sources: &mut Sources,
    ) -> Result<(), ScenarioFileError> {
        for file in files {
            sources.add(file)?;
        }
        let read = sumo_demand::read(&self.network, files, options)?;
        self.notes.extend(read.notes);
        self.demand = read.demand;
        if !read.detectors.is_empty() {
            let file = files.first().map_or_else(String::new, |f| f.display().to_string());
            self.network = with_detectors(&self.network, &read.detectors)
                .map_err(|source| ScenarioFileError::Detectors { file, source })?;
        }
        Ok(())
    }

    fn finish(self, run: Run, sources: Sources) -> Opened {
        let scenario = Scenario {
            name: run.name,
            description: run.description,
            network: Arc::new(self.network),
            demand: Arc::new(self.demand),
            begin: run.begin,
            end: run.end,
            warm_up: run.warm_up,
            tick: run.tick,
            driving: run.driving,
            congestion_aware: run.congestion_aware,
            sources: sources.into_inner(),
        };
        Opened { scenario, notes: self.notes, demand_file: self.demand_file }
    }
}

/// What is said about a run beside its network and demand.
struct Run {
    name: String,
    description: String,
    begin: TimeDs,
    end: TimeDs,
    warm_up: Ds,
    tick: Ds,
    driving: Driving,
    congestion_aware: bool,
}

impl Default for Run {
    fn default() -> Self {
        Self {
            name: String::new(),
            description: String::new(),
            begin: TimeDs(0),
            end: TimeDs(0),
            warm_up: Ds::ZERO,
            tick: Ds::from_s(1),
            driving: Driving::Street,
            congestion_aware: false,
        }
    }
}

/// `dir/town.sumocfg` is the scenario `town`.
fn stem(path: &Path) -> String {
    let name = path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    name.rsplit_once('.').map_or(name, |(stem, _)| stem).to_owned()
}

/// When the last vehicle of a demand comes, at the latest.
fn last_departure(demand: &Demand, begin: TimeDs) -> TimeDs {
    let parts = demand.parts();
    let trips = parts.trips.iter().map(|t| t.depart);
    trips.chain(parts.flows.iter().map(|f| f.end)).max().unwrap_or(begin).max(begin)
}

/// A step that no scenario has, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("{0} is not a number of tenths of a second from 0.1 to 10 s")]
pub struct TickError(pub f64);

fn tick(file: &str, key: &'static str, seconds: f64) -> Result<Ds, ScenarioFileError> {
    tick_of(seconds).map_err(|e| ScenarioFileError::Value { file: file.into(), key, reason: e.to_string() })
}

/// A step's length, a whole number of deciseconds.
///
/// # Errors
/// [`TickError`] for what is no tenths of a second from 0.1 to 10 s.
pub fn tick_of(seconds: f64) -> Result<Ds, TickError> {
    let bad = || TickError(seconds);
    let ds = Ds::from_seconds(seconds).map_err(|_| bad())?;
    let whole = (f64::from(ds.0) - seconds * 10.0).abs() < 1e-6;
    if whole && (1..=100).contains(&ds.0) { Ok(ds) } else { Err(bad()) }
}
