//! A scenario in SUMO, second by second.
//!
//! At second `t` (the state after the step that ends at `t`) the loops are read and reported for the interval that ends
//! there, the controllers poll, show what they show from `t` on, and SUMO steps to the next second. The field knows the
//! service by its HTTP address only. The time base is the Unix epoch plus the simulation time.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use greenkerb_models::formats::native;
use greenkerb_models::units::{Ds, TimeDs};
use tempfile::TempDir;

use super::error::SumoError;
use super::installation::SUMO_VERSION;
use super::lights::Light;
use super::loops::Loops;
use super::options::{Control, Scenario, Sensing, Service, SumoOptions};
use super::process::{Launch, Sumo};
use super::progress::Progress;
use super::report::{Heading, SeedReport, SumoReport};
use super::watch::Watch;
use crate::client::Client;
use crate::field::FieldController;
use crate::line::{Exchange, Line, LineOptions, SETTINGS_IN_STEP, ServiceError, ServiceProcess};
use crate::metrics::Delay;
use crate::sensing::Reporter;

/// Runs every seed and tells how traffic moved.
///
/// # Errors
/// [`SumoError`]; no seed is reported when one fails.
pub fn run(options: SumoOptions, mut progress: impl FnMut(Progress)) -> Result<SumoReport, SumoError> {
    let scenario = Scenario::resolve(options)?;
    let options = &scenario.options;
    let mut version = String::new();
    let mut reports = Vec::with_capacity(options.seeds.len());
    for (i, &seed) in options.seeds.iter().enumerate() {
        let (begin_s, of_s) = (options.begin_s, options.end_s - options.begin_s);
        let mut tell = |now_s: u32| {
            progress(Progress { seed, run: i + 1, runs: options.seeds.len(), done_s: now_s - begin_s, of_s });
        };
        let report = Street::open(&scenario, seed, &mut version).and_then(|street| street.run(&mut tell));
        // What SUMO and the service say while we end them is not the cause.
        reports.push(report.map_err(|e| if options.cancel.is_cancelled() { SumoError::Cancelled } else { e })?);
    }
    let mut warnings = Vec::new();
    if !version.contains(SUMO_VERSION) {
        warnings.push(format!("figures are measured with SUMO {SUMO_VERSION}, this is {version}"));
    }
    let detectors = scenario.network.detectors().len();
    let heading = Heading {
        network: scenario.network.name().to_owned(),
        control: options.control.name(),
        sensing: options.sensing,
        mode: options.mode,
        begin_s: options.begin_s,
        end_s: options.end_s,
        step_length_s: options.step.seconds(),
        interval_s: options.interval_s,
        detectors,
        faults: options.faults.clone(),
        faulty_detectors: reporter(&scenario).faulty_detectors(),
        sumo_version: version,
        warnings,
    };
    Ok(SumoReport::new(heading, reports))
}

fn reporter(scenario: &Scenario) -> Reporter {
    let options = &scenario.options;
    let faults = options.faults.clone().unwrap_or_default();
    Reporter::new(&scenario.network, faults, Ds::from_s(options.interval_s), start(options))
}

/// SUMO's command line. The same for every controller, so that figures can be compared.
fn arguments(options: &SumoOptions, seed: u64, additional: &[String], trips: &str, statistics: &str) -> Vec<String> {
    let text = |path: &Path| path.to_string_lossy().into_owned();
    let list = |paths: &[std::path::PathBuf]| paths.iter().map(|p| text(p)).collect::<Vec<_>>();
    let mut arguments: Vec<String> = [
        ("-n", text(&options.net)),
        ("-r", list(&options.routes).join(",")),
        ("-b", options.begin_s.to_string()),
        ("-e", options.end_s.to_string()),
        ("--step-length", options.step.seconds().to_string()),
        ("--seed", seed.to_string()),
        ("--time-to-teleport", "-1".into()),
        ("--tripinfo-output", trips.into()),
        ("--statistic-output", statistics.into()),
    ]
    .into_iter()
    .flat_map(|(name, value)| [name.to_owned(), value])
    .collect();
    let flags =
        ["--no-step-log", "--no-warnings", "--tripinfo-output.write-unfinished", "--tripinfo-output.write-undeparted"];
    arguments.extend(flags.map(str::to_owned));
    let mut files = list(&options.additional);
    files.extend_from_slice(additional);
    if !files.is_empty() {
        arguments.extend(["-a".to_owned(), files.join(",")]);
    }
    arguments
}

/// One run of one seed.
struct Street<'a> {
    scenario: &'a Scenario,
    seed: u64,
    started: Instant,
    /// Everything temporary; removed when the run ends.
    folder: TempDir,
    sumo: Sumo,
    loops: Loops,
    /// Where every vehicle is seen.
    watch: Option<Watch>,
    /// Field controllers and their lights; none where SUMO itself controls.
    field: Vec<FieldController>,
    lights: Vec<Light>,
    line: Option<Line>,
}

impl<'a> Street<'a> {
    fn open(scenario: &'a Scenario, seed: u64, version: &mut String) -> Result<Self, SumoError> {
        let started = Instant::now();
        let options = &scenario.options;
        let folder = tempfile::tempdir().map_err(|source| SumoError::Write { path: std::env::temp_dir(), source })?;
        let line = match &options.control {
            Control::Ours(service) => Some(open_line(scenario, service, seed, folder.path())?),
            Control::Shipped | Control::ShippedField => None,
        };
        let loops = Loops::of(&scenario.network);
        let mut additional = Vec::new();
        if line.is_some() {
            let (path, unread) = (folder.path().join("loops.add.xml"), folder.path().join("unread.xml"));
            let xml = loops.additional_xml(&scenario.network, &unread.to_string_lossy());
            std::fs::write(&path, xml).map_err(|source| SumoError::Write { path: path.clone(), source })?;
            additional.push(path.to_string_lossy().into_owned());
        }
        let (trips, statistics) = files(folder.path());
        let arguments = arguments(options, seed, &additional, &trips, &statistics);
        let launch = Launch {
            installation: &scenario.installation,
            arguments: &arguments,
            folder: folder.path(),
            cancel: &options.cancel,
        };
        let mut sumo = launch.start()?;
        *version = sumo.talk(|traci| traci.version())?;
        let seen = if line.is_some() { loops.ids().collect() } else { Vec::new() };
        let watch = (line.is_some() && options.sensing == Sensing::Full).then(|| Watch::over(&scenario.network));
        sumo.talk(|traci| traci.subscribe(seen.into_iter(), watch.is_some()))?;
        let (field, lights) = match options.control {
            Control::Shipped => (Vec::new(), Vec::new()),
            Control::Ours(_) | Control::ShippedField => field(scenario, &mut sumo)?,
        };
        Ok(Self { scenario, seed, started, folder, sumo, loops, watch, field, lights, line })
    }

    fn run(mut self, tell: &mut dyn FnMut(u32)) -> Result<SeedReport, SumoError> {
        let options = &self.scenario.options;
        let (mut now, end) = (start(options), TimeDs::from_s(i64::from(options.end_s)));
        while now < end {
            if now.0 % 10 == 0 {
                tell((now.0 / 10) as u32);
            }
            if options.cancel.is_cancelled() {
                return Err(SumoError::Cancelled);
            }
            self.show(now)?;
            let next = now + options.step;
            let step = self.sumo.talk(|traci| traci.step())?;
            if (step.time_s - next.seconds()).abs() > 1e-6 {
                return Err(SumoError::Time { is_s: step.time_s, expected_s: next.seconds() });
            }
            self.loops.see(&step.loops, now.seconds(), next.seconds());
            if let Some(watch) = &mut self.watch {
                watch.see(step.vehicles);
                if !step.departed.is_empty() {
                    watch.enter(self.sumo.talk(|traci| traci.follow(&step.departed))?);
                    watch.forget();
                }
            }
            now = next;
        }
        tell(options.end_s);
        self.finish()
    }

    /// Reports, polls, and sets the lights to what they show from `now` on.
    fn show(&mut self, now: TimeDs) -> Result<(), SumoError> {
        let Self { field, lights, line, loops, watch, sumo, .. } = self;
        if let Some(line) = line {
            line.tend(field, now, || loops.take(), || watch.as_mut().map_or_else(Vec::new, |w| w.take(now)))?;
        }
        for (controller, light) in field.iter_mut().zip(lights) {
            let heads = controller.show(now).to_vec();
            let database = controller.database();
            if let Some(state) = light.show(database, &heads) {
                sumo.talk(|traci| {
                    traci.set_light_state(&database.name, state);
                    Ok(())
                })?;
            }
        }
        if let Some(line) = line {
            line.acknowledge(field, now)?;
        }
        Ok(())
    }

    fn finish(self) -> Result<SeedReport, SumoError> {
        self.sumo.close()?;
        let (trips, statistics) = files(self.folder.path());
        let delay = Delay::read(Path::new(&trips), Path::new(&statistics))?;
        let mut exchange = self.line.map_or_else(|| Ok(Exchange::default()), Line::close)?;
        let monitors = || self.field.iter().map(|c| (c.database(), c.monitor()));
        for (database, violation) in monitors().filter_map(|(d, m)| m.first_violation().map(|v| (d, v))).take(5) {
            exchange.remarks.push(format!("conflict monitor of '{}': {violation}", database.name));
        }
        Ok(SeedReport {
            seed: self.seed,
            delay,
            monitor_violations: monitors().map(|(_, m)| m.violations()).sum(),
            exchange,
            wall_s: self.started.elapsed().as_secs_f64(),
        })
    }
}

fn start(options: &SumoOptions) -> TimeDs {
    TimeDs::from_s(i64::from(options.begin_s))
}

/// Trip and statistic file of a run.
fn files(folder: &Path) -> (String, String) {
    let name = |file: &str| folder.join(file).to_string_lossy().into_owned();
    (name("trips.xml"), name("statistics.xml"))
}

/// What the service is started with: the network it is to know, and its settings.
fn service_files(scenario: &Scenario, folder: &Path) -> Result<(PathBuf, PathBuf), SumoError> {
    let options = &scenario.options;
    let write = |name: &str, text: &[u8]| {
        let path = folder.join(name);
        std::fs::write(&path, text).map(|()| path.clone()).map_err(|source| SumoError::Write { path, source })
    };
    let network = if options.clearances_as_shown {
        let mut text = Vec::new();
        native::write(scenario.network.parts(), &mut text)
            .map_err(|source| SumoError::Write { path: folder.join("network.gkn"), source })?;
        write("network.gkn", &text)?
    } else {
        options.net.clone()
    };
    Ok((network, write("settings.toml", SETTINGS_IN_STEP.as_bytes())?))
}

fn open_line(scenario: &Scenario, service: &Service, seed: u64, folder: &Path) -> Result<Line, SumoError> {
    let options = &scenario.options;
    let process = match service {
        Service::At(_) => None,
        Service::Spawn(program) => {
            let (network, settings) = service_files(scenario, folder)?;
            Some(ServiceProcess::start(program, &network, Some(&settings), options.mode, folder, &options.cancel)?)
        }
    };
    let client = match (service, &process) {
        (_, Some(process)) => Client::new(process.address()),
        (Service::At(address), None) => Client::new(address),
        (Service::Spawn(_), None) => return Err(ServiceError::Cancelled.into()),
    };
    let line = LineOptions {
        interval: Ds::from_s(options.interval_s),
        faults: options.faults.clone().unwrap_or_default(),
        key: format!("street-{seed}"),
        failures_in_a_row_max: process.is_some().then_some(1),
        record: options.record.as_ref().map(|folder| folder.join(format!("seed-{seed}"))),
        ..LineOptions::new(start(options))
    };
    Ok(Line::open(Box::new(client), process, Arc::clone(&scenario.network), line)?)
}

/// A controller and a light for every controller of the network.
fn field(scenario: &Scenario, sumo: &mut Sumo) -> Result<(Vec<FieldController>, Vec<Light>), SumoError> {
    let lights_there = sumo.talk(|traci| traci.light_ids())?;
    let (mut field, mut lights) = (Vec::new(), Vec::new());
    for controller in scenario.network.controllers() {
        if !lights_there.contains(&controller.name) {
            return Err(SumoError::NoLight { controller: controller.name.clone() });
        }
        let state = sumo.talk(|traci| traci.light_state(&controller.name))?;
        lights.push(Light::new(controller, state)?);
        field.push(FieldController::new(Arc::new(controller.clone()), scenario.options.step));
    }
    Ok((field, lights))
}
