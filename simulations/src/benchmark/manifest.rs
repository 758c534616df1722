//! The manifest: everything one needs to make the same benchmark again, and to see that it is the same. No instants, no
//! folders and nothing else that differs from machine to machine.

use serde::{Deserialize, Serialize};

use super::error::BenchmarkError;
use super::setup::{Setup, sha256};

/// A file or a result, and its SHA-256.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hashed {
    /// Name, without folders.
    pub name: String,
    /// SHA-256 in hexadecimal digits.
    pub sha256: String,
}

/// Everything one needs to make the same benchmark again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of Greenkerb.
    pub greenkerb_version: String,
    /// The scenario.
    pub scenario: String,
    /// One sentence about it.
    pub description: String,
    /// The command that makes the same results.
    pub command: String,
    /// Controllers.
    pub controllers: Vec<String>,
    /// Seeds.
    pub seeds: Vec<u64>,
    /// First second.
    pub begin_s: f64,
    /// Last second.
    pub end_s: f64,
    /// Part of the beginning that statistics leave out.
    pub warm_up_s: f64,
    /// Length of a step.
    pub tick_s: f64,
    /// Size of the network: nodes, signals, links, lanes.
    pub network: NetworkSize,
    /// SHA-256 over network, demand and window.
    pub fingerprint: String,
    /// Files the scenario was made from.
    pub sources: Vec<Hashed>,
    /// Files of results that are the same whenever they are made.
    pub results: Vec<Hashed>,
}

/// Size of a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkSize {
    /// Nodes.
    pub nodes: usize,
    /// Signal controllers.
    pub controllers: usize,
    /// Links.
    pub links: usize,
    /// Lanes.
    pub lanes: usize,
}

impl Manifest {
    /// The manifest of a benchmark. `results` are the names and texts of its result files.
    ///
    /// # Errors
    /// [`BenchmarkError::Encode`].
    pub fn new(setup: &Setup, results: &[(&str, &str)]) -> Result<Self, BenchmarkError> {
        let s = &setup.scenario;
        let hashed = |name: &str, sha256: String| Hashed { name: name.to_owned(), sha256 };
        Ok(Self {
            greenkerb_version: env!("CARGO_PKG_VERSION").to_owned(),
            scenario: s.name.clone(),
            description: s.description.clone(),
            command: command(setup),
            controllers: setup.controllers.clone(),
            seeds: setup.seeds.clone(),
            begin_s: s.begin.seconds(),
            end_s: s.end.seconds(),
            warm_up_s: s.warm_up.seconds(),
            tick_s: s.tick.seconds(),
            network: NetworkSize {
                nodes: s.network.nodes().len(),
                controllers: s.network.controllers().len(),
                links: s.network.links().len(),
                lanes: s.network.lanes().len(),
            },
            fingerprint: setup.fingerprint()?,
            sources: s.sources.iter().map(|(name, sha)| hashed(base_name(name), sha.clone())).collect(),
            results: results.iter().map(|(name, text)| hashed(name, sha256(text.as_bytes()))).collect(),
        })
    }
}

/// The command, with everything in it that results depend on.
fn command(setup: &Setup) -> String {
    let s = &setup.scenario;
    format!(
        "greenkerb simulate {} --controller {} --seeds {} --begin {} --end {} --tick {}",
        setup.scenario_argument,
        setup.controllers.join(","),
        seeds(&setup.seeds),
        s.begin.seconds(),
        s.end.seconds(),
        s.tick.seconds(),
    )
}

/// Seeds as short as they can be written: `1..10`, `3`, `1,4..6`.
#[must_use]
pub(super) fn seeds(seeds: &[u64]) -> String {
    let mut parts: Vec<String> = Vec::new();
    for run in seeds.chunk_by(|a, b| a.checked_add(1) == Some(*b)) {
        match run {
            [one] => parts.push(one.to_string()),
            [one, two] => parts.extend([one.to_string(), two.to_string()]),
            [first, .., last] => parts.push(format!("{first}..{last}")),
            [] => {}
        }
    }
    parts.join(",")
}

/// The last part of a path, whichever slashes it is written with.
pub(super) fn base_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::super::samples::setup;
    use super::*;

    #[test]
    fn seeds_are_written_short() {
        assert_eq!(seeds(&[1, 2, 3, 4]), "1..4");
        assert_eq!(seeds(&[7]), "7");
        assert_eq!(seeds(&[1, 2, 9, 4, 5, 6]), "1,2,9,4..6");
        assert_eq!(seeds(&[u64::MAX]), u64::MAX.to_string());
    }

    #[test]
    fn a_manifest_holds_no_folders() {
        let mut s = setup(&["a", "b"], &[1, 2, 3]);
        s.scenario.sources = vec![("/home/somebody/net.xml".into(), "ab".into())];
        let manifest = Manifest::new(&s, &[("summary.csv", "text")]).unwrap();
        assert_eq!(manifest.sources[0].name, "net.xml");
        let command = "greenkerb simulate grid:1x1 --controller a,b --seeds 1..3 --begin 0 --end 600 --tick 1";
        assert_eq!(manifest.command, command);
        let text = serde_json::to_string(&manifest).unwrap();
        assert!(!text.contains("somebody"), "{text}");
        assert_eq!(manifest, Manifest::new(&s, &[("summary.csv", "text")]).unwrap());
    }
}
