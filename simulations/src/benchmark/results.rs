//! Writes what a finished benchmark found: `summary.csv`, `manifest.json`, `report.html` and `timings.js`.

use super::error::BenchmarkError;
use super::manifest::Manifest;
use super::report::{Report, timings_script};
use super::setup::Setup;
use super::store::{Store, lines};
use super::summary::Summary;

/// What a finished benchmark found.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Every controller over all seeds.
    pub summary: Summary,
    /// The verdict in one sentence.
    pub verdict: String,
}

/// Writes all results of a finished benchmark into its folder. All but `timings.js` are the same bytes whenever, wherever
/// and on however many threads the benchmark is made.
///
/// # Errors
/// [`BenchmarkError`] when a file cannot be written.
pub fn write_results(setup: &Setup, store: &Store) -> Result<Found, BenchmarkError> {
    let summary = Summary::of(&setup.controllers, setup.reference(), store.runs());
    let csv = summary.csv();
    let runs = lines(store.runs())?;
    let manifest = Manifest::new(setup, &[("runs.jsonl", &runs), ("summary.csv", &csv)])?;
    let report = Report {
        setup,
        manifest: &manifest,
        summary: &summary,
        runs: store.runs().collect(),
        traces: setup.controllers.iter().map(|c| store.trace(c)).collect(),
    };
    store.write("summary.csv", &csv)?;
    store.write("manifest.json", &(serde_json::to_string_pretty(&manifest).map_err(BenchmarkError::Encode)? + "\n"))?;
    store.write("report.html", &report.html())?;
    store.write("timings.js", &timings_script(store.timings()).map_err(BenchmarkError::Encode)?)?;
    let verdict = report.verdict();
    Ok(Found { summary, verdict })
}
