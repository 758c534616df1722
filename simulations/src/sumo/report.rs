//! What a run tells: one entry per seed, and their means.

use greenkerb_optimizer::signals::Mode;
use serde::{Deserialize, Serialize};

use super::options::Sensing;
use crate::line::Exchange;
use crate::metrics::{Delay, Mean};
use crate::sensing::Faults;

/// One seed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SeedReport {
    /// The seed.
    pub seed: u64,
    /// Delay and its parts.
    #[serde(flatten)]
    pub delay: Delay,
    /// Times a conflict monitor tripped; anything but zero is a fault of ours.
    pub monitor_violations: u64,
    /// What passed between field and service.
    #[serde(flatten)]
    pub exchange: Exchange,
    /// Time the run took.
    pub wall_s: f64,
}

/// A whole run. Delays are means over the seeds, counts are sums, the longest wait is the longest of all.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SumoReport {
    /// Name of the network.
    pub network: String,
    /// Who controlled: `ours`, `shipped` or `shipped-field`.
    pub control: String,
    /// What was known.
    pub sensing: Sensing,
    /// How the service we started timed controllers.
    #[serde(default)]
    pub mode: Mode,
    /// First second.
    pub begin_s: u32,
    /// Last second.
    pub end_s: u32,
    /// Length of a step, seconds.
    pub step_length_s: f64,
    /// How often detectors reported, seconds.
    pub interval_s: u32,
    /// Detectors in the network.
    pub detectors: usize,
    /// What was broken on purpose.
    pub faults: Option<Faults>,
    /// How many detectors were broken on purpose.
    pub faulty_detectors: usize,
    /// Version of SUMO.
    pub sumo_version: String,
    /// Version of Greenkerb.
    pub greenkerb_version: String,
    /// Mean total delay over all vehicles loaded.
    pub total_delay_s_per_veh: f64,
    /// Half the width of its 95 % interval over the seeds.
    pub total_delay_half_width_95_s: Option<f64>,
    /// Part lost on the way.
    pub time_loss_s_per_veh: f64,
    /// Part spent waiting to get in.
    pub depart_delay_s_per_veh: f64,
    /// Vehicles that were to depart, all seeds.
    pub loaded: u64,
    /// Vehicles that got in, all seeds.
    pub inserted: u64,
    /// Vehicles that arrived, all seeds.
    pub arrived: u64,
    /// Vehicles that never got in, all seeds.
    pub undeparted: u64,
    /// Longest wait of any vehicle in any seed.
    pub max_wait_s: f64,
    /// Collisions, all seeds.
    pub collisions: u64,
    /// Teleports, all seeds.
    pub teleports: u64,
    /// Monitor violations, all seeds.
    pub monitor_violations: u64,
    /// Time all seeds took.
    pub wall_s: f64,
    /// Every seed.
    pub seeds: Vec<SeedReport>,
    /// What the reader should know.
    pub warnings: Vec<String>,
}

/// What holds for all seeds of a run.
#[derive(Debug, Clone)]
pub(super) struct Heading {
    pub(super) network: String,
    pub(super) control: &'static str,
    pub(super) sensing: Sensing,
    pub(super) mode: Mode,
    pub(super) begin_s: u32,
    pub(super) end_s: u32,
    pub(super) step_length_s: f64,
    pub(super) interval_s: u32,
    pub(super) detectors: usize,
    pub(super) faults: Option<Faults>,
    pub(super) faulty_detectors: usize,
    pub(super) sumo_version: String,
    pub(super) warnings: Vec<String>,
}

impl SumoReport {
    pub(super) fn new(heading: Heading, seeds: Vec<SeedReport>) -> Self {
        let values = |of: fn(&Delay) -> f64| seeds.iter().map(|s| of(&s.delay)).collect::<Vec<f64>>();
        let mean = |of| Mean::of(&values(of)).map_or(f64::NAN, |m| m.mean);
        let sum = |of: fn(&Delay) -> u64| seeds.iter().map(|s| of(&s.delay)).sum();
        let total = Mean::of(&values(|d| d.total_delay_s_per_veh));
        Self {
            network: heading.network,
            control: heading.control.to_owned(),
            sensing: heading.sensing,
            mode: heading.mode,
            begin_s: heading.begin_s,
            end_s: heading.end_s,
            step_length_s: heading.step_length_s,
            interval_s: heading.interval_s,
            detectors: heading.detectors,
            faults: heading.faults,
            faulty_detectors: heading.faulty_detectors,
            sumo_version: heading.sumo_version,
            greenkerb_version: env!("CARGO_PKG_VERSION").to_owned(),
            total_delay_s_per_veh: total.map_or(f64::NAN, |m| m.mean),
            total_delay_half_width_95_s: total.and_then(|m| m.half_width_95),
            time_loss_s_per_veh: mean(|d| d.time_loss_s_per_veh),
            depart_delay_s_per_veh: mean(|d| d.depart_delay_s_per_veh),
            loaded: sum(|d| d.loaded),
            inserted: sum(|d| d.inserted),
            arrived: sum(|d| d.arrived),
            undeparted: sum(|d| d.undeparted),
            max_wait_s: values(|d| d.max_wait_s).into_iter().fold(0.0, f64::max),
            collisions: sum(|d| d.collisions),
            teleports: sum(|d| d.teleports),
            monitor_violations: seeds.iter().map(|s| s.monitor_violations).sum(),
            wall_s: seeds.iter().map(|s| s.wall_s).sum(),
            seeds,
            warnings: heading.warnings,
        }
    }
}

impl std::fmt::Display for SumoReport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(
            f,
            "{} · control {} · {} to {} s · {} · delay in seconds per vehicle, all {} loaded vehicles counted",
            self.network, self.control, self.begin_s, self.end_s, self.sumo_version, self.loaded
        )?;
        writeln!(
            f,
            "{:>8} {:>8} {:>9} {:>9} {:>8} {:>8} {:>9} {:>8} {:>6} {:>6} {:>8} {:>7} {:>7}",
            "seed",
            "total",
            "time loss",
            "departure",
            "inserted",
            "arrived",
            "never in",
            "max wait",
            "coll.",
            "tele.",
            "monitor",
            "plans",
            "wall"
        )?;
        let mut line = |name: &str, d: &Delay, monitor: u64, plans: u64, wall_s: f64| {
            writeln!(
                f,
                "{name:>8} {:>8.2} {:>9.2} {:>9.2} {:>8} {:>8} {:>9} {:>6.0} s {:>6} {:>6} {monitor:>8} {plans:>7} {wall_s:>5.1} s",
                d.total_delay_s_per_veh,
                d.time_loss_s_per_veh,
                d.depart_delay_s_per_veh,
                d.inserted,
                d.arrived,
                d.undeparted,
                d.max_wait_s,
                d.collisions,
                d.teleports,
            )
        };
        for s in &self.seeds {
            line(&s.seed.to_string(), &s.delay, s.monitor_violations, s.exchange.plans_served, s.wall_s)?;
        }
        let half = self.total_delay_half_width_95_s.map_or_else(String::new, |h| format!(" ± {h:.2} (95 %)"));
        write!(f, "total delay {:.2}{half} s per vehicle", self.total_delay_s_per_veh)?;
        let remarks = self.seeds.iter().flat_map(|s| s.exchange.remarks.iter().map(move |r| (s.seed, r)));
        for (seed, remark) in remarks.take(10) {
            write!(f, "\nseed {seed}: {remark}")?;
        }
        self.warnings.iter().try_for_each(|w| write!(f, "\nwarning: {w}"))
    }
}
