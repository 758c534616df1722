//! What a run is made of: options as given, and the scenario they resolve to.

use std::path::PathBuf;
use std::sync::Arc;

use greenkerb_models::formats;
use greenkerb_models::network::Network;
use greenkerb_models::units::Ds;
use greenkerb_optimizer::signals::Mode;
use serde::{Deserialize, Serialize};

use super::error::SumoError;
use super::installation::Installation;
use crate::cancel::Cancel;
use crate::sensing::Faults;

/// Longest reporting interval of a detector, seconds.
pub const INTERVAL_S_MAX: u32 = 60;

/// Where the service is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Service {
    /// Somebody runs it, with its clock set to follow the data; this is its address.
    At(String),
    /// We start this program with `serve`, anew for every seed, and end it.
    Spawn(PathBuf),
}

/// Who controls the signals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Control {
    /// Field controllers that poll the service.
    Ours(Service),
    /// SUMO itself, by the programs in the network file.
    Shipped,
    /// Field controllers that nobody tells anything: they run the programs of the network file. Must give exactly what
    /// SUMO gives.
    ShippedField,
}

impl Control {
    /// Name in reports.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Ours(_) => "ours",
            Self::Shipped => "shipped",
            Self::ShippedField => "shipped-field",
        }
    }
}

/// What the service may know of the traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sensing {
    /// Stop-bar and advance loops: counts and occupancies.
    #[default]
    Loops,
    /// The same, and every vehicle within 250 m of a signal: lane, position, speed, and the way it will take.
    Full,
}

/// A run as it was asked for.
#[derive(Debug, Clone)]
pub struct SumoOptions {
    /// SUMO network, plain or compressed.
    pub net: PathBuf,
    /// Route files.
    pub routes: Vec<PathBuf>,
    /// Further SUMO files.
    pub additional: Vec<PathBuf>,
    /// First second.
    pub begin_s: u32,
    /// Last second.
    pub end_s: u32,
    /// Seeds, one run each.
    pub seeds: Vec<u64>,
    /// Who controls.
    pub control: Control,
    /// What is known.
    pub sensing: Sensing,
    /// How the service we start times controllers.
    pub mode: Mode,
    /// Clearances between stages are as the file's own program shows them; else those it does not show are derived.
    pub clearances_as_shown: bool,
    /// How often detectors report, seconds.
    pub interval_s: u32,
    /// Length of SUMO's step.
    pub step: Ds,
    /// Detectors that fail.
    pub faults: Option<Faults>,
    /// Folder for what was reported and what was polled.
    pub record: Option<PathBuf>,
    /// The SUMO to use.
    pub sumo_bin: Option<PathBuf>,
    /// Calls the run off.
    pub cancel: Cancel,
}

impl SumoOptions {
    /// Options with the customary values: one seed, steps and reports of 1 s, nothing broken.
    #[must_use]
    pub fn new(net: PathBuf, routes: Vec<PathBuf>, begin_s: u32, end_s: u32, control: Control) -> Self {
        Self {
            net,
            routes,
            additional: Vec::new(),
            begin_s,
            end_s,
            seeds: vec![1],
            control,
            sensing: Sensing::Loops,
            mode: Mode::Cycle,
            clearances_as_shown: false,
            interval_s: 1,
            step: Ds::from_s(1),
            faults: None,
            record: None,
            sumo_bin: None,
            cancel: Cancel::default(),
        }
    }
}

/// Why options make no run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OptionsError {
    /// The window is empty.
    #[error("the run must end after it begins, not from {begin_s} s to {end_s} s")]
    Window {
        /// First second.
        begin_s: u32,
        /// Last second.
        end_s: u32,
    },
    /// No seed.
    #[error("at least one seed is needed")]
    NoSeed,
    /// The text describes no seeds.
    #[error("'{text}' are no seeds: write 7, 1..5 or 1,2,5")]
    Seeds {
        /// The text.
        text: String,
    },
    /// More seeds than are run in one go.
    #[error("'{text}' are more than {SEEDS_MAX} seeds, the most that are run in one go")]
    SeedsMax {
        /// The text.
        text: String,
    },
    /// No routes.
    #[error("at least one route file is needed")]
    NoRoutes,
    /// The reporting interval does not fit.
    #[error(
        "detectors report every 1 to {INTERVAL_S_MAX} s, a multiple of the step of {step}: not every {interval_s} s"
    )]
    Interval {
        /// The interval.
        interval_s: u32,
        /// The step.
        step: Ds,
    },
    /// The step does not fit.
    #[error("SUMO's step must be 0.1 s to 1 s and divide a second, not {step}")]
    Step {
        /// The step.
        step: Ds,
    },
}

/// More runs than this in one go are a slip of the pen.
const SEEDS_MAX: usize = 10_000;

/// Reads seeds: `7`, `1..5` (both ends included) or `1,2,5`.
///
/// # Errors
/// [`OptionsError::Seeds`] for what describes none, [`OptionsError::SeedsMax`] for more than 10,000.
pub fn parse_seeds(text: &str) -> Result<Vec<u64>, OptionsError> {
    let wrong = || OptionsError::Seeds { text: text.to_owned() };
    let number = |part: &str| part.trim().parse::<u64>().map_err(|_| wrong());
    let mut seeds = Vec::new();
    for part in text.split(',') {
        match part.split_once("..") {
            Some((from, to)) => {
                let to = number(to.trim_start_matches('='))?;
                seeds.extend((number(from)?..=to).take(SEEDS_MAX + 1));
            }
            None => seeds.push(number(part)?),
        }
    }
    match seeds.len() {
        0 => Err(wrong()),
        n if n > SEEDS_MAX => Err(OptionsError::SeedsMax { text: text.to_owned() }),
        _ => Ok(seeds),
    }
}

/// Options with everything looked up once: the network, the installation.
#[derive(Debug)]
pub(super) struct Scenario {
    pub(super) options: SumoOptions,
    pub(super) network: Arc<Network>,
    pub(super) installation: Installation,
}

impl Scenario {
    pub(super) fn resolve(options: SumoOptions) -> Result<Self, SumoError> {
        let (begin_s, end_s, step) = (options.begin_s, options.end_s, options.step);
        if begin_s >= end_s {
            return Err(OptionsError::Window { begin_s, end_s }.into());
        }
        if options.seeds.is_empty() {
            return Err(OptionsError::NoSeed.into());
        }
        if options.routes.is_empty() {
            return Err(OptionsError::NoRoutes.into());
        }
        if step == Ds::ZERO || !Ds::from_s(1).0.is_multiple_of(step.0) {
            return Err(OptionsError::Step { step }.into());
        }
        if !(1..=INTERVAL_S_MAX).contains(&options.interval_s) {
            return Err(OptionsError::Interval { interval_s: options.interval_s, step }.into());
        }
        for path in options.routes.iter().chain(&options.additional).chain([&options.net]) {
            if !path.is_file() {
                return Err(SumoError::NoFile { path: path.clone() });
            }
        }
        let installation = Installation::find(options.sumo_bin.as_deref())?;
        let mut network = formats::read(&options.net)?.network;
        if options.clearances_as_shown {
            network = network.parts().clone().with_clearances_as_shown().build()?;
        }
        let network = Arc::new(network);
        Ok(Self { options, network, installation })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_read() {
        assert_eq!(parse_seeds("7").unwrap(), [7]);
        assert_eq!(parse_seeds("1..5").unwrap(), [1, 2, 3, 4, 5]);
        assert_eq!(parse_seeds("1,3..=4").unwrap(), [1, 3, 4]);
        for wrong in ["", "a", "1..", "5..1"] {
            assert!(matches!(parse_seeds(wrong), Err(OptionsError::Seeds { .. })), "{wrong}");
        }
        assert_eq!(parse_seeds("1..10000").unwrap().len(), 10_000);
        assert_eq!(
            parse_seeds("0..99999999999").unwrap_err().to_string(),
            "'0..99999999999' are more than 10000 seeds, the most that are run in one go"
        );
    }
}
