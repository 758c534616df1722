//! What a benchmark is made of: one scenario, some controllers, some seeds.

use std::io::Write;
use std::path::PathBuf;

use greenkerb_models::formats::{Note, Source, native_demand};
use sha2::{Digest, Sha256};

use super::error::BenchmarkError;
use super::record::RunWindow;
use crate::control::{Control, RegistryError};
use crate::scenarios::Scenario;

/// Makes a controller by its name, fit for a scenario; called once for every run.
pub type ControlFactory<'a> = dyn Fn(&str, &Scenario) -> Result<Box<dyn Control>, RegistryError> + Sync + 'a;

/// Version of what is written about a run; raised whenever a measure changes its meaning.
const RECORD_FORMAT: u32 = 2;

/// One scenario, some controllers, some seeds.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The scenario.
    pub scenario: Scenario,
    /// How the scenario was asked for, without folders: `riverside`, `grid:4x4`, `town.sumocfg`.
    pub scenario_argument: String,
    /// Controllers, in the order in which tables list them.
    pub controllers: Vec<String>,
    /// Seeds; every controller runs each of them.
    pub seeds: Vec<u64>,
    /// What the scenario's files did not say, or what was left out of them.
    pub notes: Vec<Note>,
    /// The file its vehicles stand in by name, where it is in our own format.
    pub demand_file: Option<PathBuf>,
    /// Threads inside one run. The result is the same for any number.
    pub threads: usize,
}

/// One run to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Its controller.
    pub controller: String,
    /// Its seed.
    pub seed: u64,
    /// Fingerprint of everything its result depends on.
    pub key: String,
}

impl Setup {
    /// Checks that there is something to compare.
    ///
    /// # Errors
    /// [`BenchmarkError`] when a list is empty or names something twice.
    pub fn check(&self) -> Result<(), BenchmarkError> {
        if self.controllers.is_empty() {
            return Err(BenchmarkError::NoController);
        }
        if self.seeds.is_empty() {
            return Err(BenchmarkError::NoSeed);
        }
        for (i, c) in self.controllers.iter().enumerate() {
            if self.controllers[..i].contains(c) {
                return Err(BenchmarkError::Twice { what: "controller", name: c.clone() });
            }
        }
        for (i, s) in self.seeds.iter().enumerate() {
            if self.seeds[..i].contains(s) {
                return Err(BenchmarkError::Twice { what: "seed", name: s.to_string() });
            }
        }
        let Scenario { begin, end, .. } = self.scenario;
        if begin >= end {
            return Err(BenchmarkError::Window { begin_s: begin.seconds(), end_s: end.seconds() });
        }
        Ok(())
    }

    /// Checks that every controller can be made for the scenario.
    ///
    /// # Errors
    /// [`BenchmarkError::Control`] of the first that cannot.
    pub fn check_controllers(&self, build: &ControlFactory<'_>) -> Result<(), BenchmarkError> {
        for controller in &self.controllers {
            build(controller, &self.scenario)?;
        }
        Ok(())
    }

    /// File and line in which a vehicle, or a flow of vehicles, stands; none where that is no file of our own format.
    #[must_use]
    pub fn place_of(&self, vehicle: &str) -> Option<String> {
        let source = Source::open(self.demand_file.as_deref()?).ok()?;
        let line = native_demand::line_of_vehicle(&source, vehicle)?;
        Some(format!("{}:{line}", source.name))
    }

    /// The window of its runs.
    #[must_use]
    pub fn window(&self) -> RunWindow {
        let s = &self.scenario;
        RunWindow { begin_s: s.begin.seconds(), end_s: s.end.seconds(), warm_up_s: s.warm_up.seconds() }
    }

    /// SHA-256 over the network, the demand and everything else a run depends on, except controller and seed.
    ///
    /// # Errors
    /// [`BenchmarkError::Encode`] should a table refuse to be written, which none does.
    pub fn fingerprint(&self) -> Result<String, BenchmarkError> {
        let s = &self.scenario;
        let mut hash = Hashing(Sha256::new());
        serde_json::to_writer(&mut hash, s.network.parts()).map_err(BenchmarkError::Encode)?;
        serde_json::to_writer(&mut hash, s.demand.parts()).map_err(BenchmarkError::Encode)?;
        let rest = (
            (RECORD_FORMAT, env!("CARGO_PKG_VERSION"), &s.name),
            (s.begin, s.end, s.warm_up, s.tick),
            (s.driving, s.congestion_aware),
        );
        serde_json::to_writer(&mut hash, &rest).map_err(BenchmarkError::Encode)?;
        Ok(hex::encode(hash.0.finalize()))
    }

    /// All runs: by controller, then by seed.
    ///
    /// # Errors
    /// As [`Setup::fingerprint`].
    pub fn jobs(&self) -> Result<Vec<Job>, BenchmarkError> {
        let common = self.fingerprint()?;
        let job = |controller: &String, seed: u64| Job {
            controller: controller.clone(),
            seed,
            key: sha256(format!("{common} {controller} {seed}").as_bytes())[..16].to_owned(),
        };
        Ok(self.controllers.iter().flat_map(|c| self.seeds.iter().map(move |s| job(c, *s))).collect())
    }

    /// The controller that others are compared with: the shipped plan where it runs, else the first of the list.
    #[must_use]
    pub fn reference(&self) -> &str {
        let shipped = self.controllers.iter().find(|c| matches!(c.as_str(), "shipped" | "fixed"));
        shipped.or(self.controllers.first()).map_or("", String::as_str)
    }
}

/// SHA-256 of a text in hexadecimal digits.
pub(super) fn sha256(text: &[u8]) -> String {
    hex::encode(Sha256::digest(text))
}

/// Hashes what is written to it.
struct Hashing(Sha256);

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::setup;
    use greenkerb_models::units::Ds;

    #[test]
    fn a_run_is_known_by_everything_it_depends_on() {
        let base = setup(&["a", "b"], &[1, 2]);
        let jobs = base.jobs().unwrap();
        assert_eq!(jobs.len(), 4);
        assert_eq!((jobs[1].controller.as_str(), jobs[1].seed), ("a", 2));
        let mut keys: Vec<&String> = jobs.iter().map(|j| &j.key).collect();
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), 4);
        assert_eq!(base.jobs().unwrap(), jobs);
        let mut other = base.clone();
        other.scenario.warm_up = Ds::from_s(1);
        assert_ne!(other.jobs().unwrap()[0].key, jobs[0].key);
        let mut threads = base;
        threads.threads = 7;
        assert_eq!(threads.jobs().unwrap(), jobs, "threads change nothing");
    }

    #[test]
    fn nothing_to_compare_is_refused() {
        assert_eq!(setup(&[], &[1]).check().unwrap_err().to_string(), "at least one controller is needed");
        assert_eq!(setup(&["a"], &[]).check().unwrap_err().to_string(), "at least one seed is needed");
        assert_eq!(setup(&["a", "a"], &[1]).check().unwrap_err().to_string(), "controller 'a' is listed twice");
        assert_eq!(setup(&["a"], &[3, 3]).check().unwrap_err().to_string(), "seed '3' is listed twice");
        let mut empty = setup(&["a"], &[1]);
        empty.scenario.end = empty.scenario.begin;
        assert!(empty.check().is_err());
        setup(&["a", "b"], &[1, 2]).check().unwrap();
    }

    #[test]
    fn the_shipped_plan_is_the_reference() {
        assert_eq!(setup(&["ours", "shipped"], &[1]).reference(), "shipped");
        assert_eq!(setup(&["ours", "webster"], &[1]).reference(), "ours");
    }
}
