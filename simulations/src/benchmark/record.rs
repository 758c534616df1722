//! What is kept of a run: a line of results that are the same whenever the run is repeated, and apart from it how long
//! things took on this machine.

use serde::{Deserialize, Serialize};

use super::setup::Job;
use crate::metrics::{Measures, quantile};

/// A finished run: one line of `runs.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// Fingerprint of everything the result depends on.
    pub key: String,
    /// The scenario.
    pub scenario: String,
    /// Its window; lines of earlier versions have none.
    #[serde(default)]
    pub window: Option<RunWindow>,
    /// The controller.
    pub controller: String,
    /// The seed.
    pub seed: u64,
    /// Times the conflict monitors tripped; anything but zero is a fault of the controller.
    pub violations: u64,
    /// The first of them, in words.
    pub first_violation: Option<String>,
    /// Vehicle-steps computed.
    pub vehicle_steps: u64,
    /// Hash of everything that happened: two runs that differ anywhere differ here.
    pub event_hash: String,
    /// Everything measured.
    pub measures: Measures,
}

/// Which part of the day a run covers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RunWindow {
    /// First second.
    pub begin_s: f64,
    /// Last second.
    pub end_s: f64,
    /// Part of the beginning that statistics leave out, in seconds.
    pub warm_up_s: f64,
}

impl std::fmt::Display for RunWindow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} to {} s, the first {} s left out", self.begin_s, self.end_s, self.warm_up_s)
    }
}

impl RunRecord {
    /// True when this is the result of a job.
    #[must_use]
    pub fn is_of(&self, job: &Job) -> bool {
        self.key == job.key && self.controller == job.controller && self.seed == job.seed
    }

    /// Total delay, in seconds per vehicle; zero when nobody was loaded.
    #[must_use]
    pub fn total_delay_s(&self) -> f64 {
        self.measures.delay.map_or(0.0, |d| d.total_delay_s_per_veh)
    }

    /// True when traffic came to a standstill.
    #[must_use]
    pub fn is_gridlocked(&self) -> bool {
        self.measures.gridlock_after_s.is_some()
    }
}

/// How long a run took here: one line of `timings.jsonl`. Never the same twice, and so kept out of every other file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Timing {
    /// Fingerprint of the run.
    pub key: String,
    /// The controller.
    pub controller: String,
    /// The seed.
    pub seed: u64,
    /// The whole run, in seconds.
    pub wall_s: f64,
    /// Decisions of the controller that were timed.
    pub decisions: u64,
    /// Their mean, in seconds.
    pub decision_mean_s: f64,
    /// Half of them took less.
    pub decision_median_s: f64,
    /// 99 of 100 took less.
    pub decision_p99_s: f64,
    /// The longest.
    pub decision_max_s: f64,
}

impl Timing {
    /// From the wall time of a run and of every decision in it.
    #[must_use]
    pub fn new(job: &Job, wall_s: f64, decisions_s: &[f64]) -> Self {
        let mut sorted = decisions_s.to_vec();
        sorted.sort_by(f64::total_cmp);
        let at = |share| quantile(&sorted, share).unwrap_or(0.0);
        Self {
            key: job.key.clone(),
            controller: job.controller.clone(),
            seed: job.seed,
            wall_s,
            decisions: sorted.len() as u64,
            decision_mean_s: sorted.iter().sum::<f64>() / sorted.len().max(1) as f64,
            decision_median_s: at(0.5),
            decision_p99_s: at(0.99),
            decision_max_s: at(1.0),
        }
    }
}
