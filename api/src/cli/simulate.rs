//! `greenkerb simulate`: a street to try the service on.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::{Args, Subcommand, ValueEnum};
use greenkerb_models::units::Ds;
use greenkerb_optimizer::signals::Mode;
use greenkerb_simulations::cancel::Cancel;
use greenkerb_simulations::sensing::Faults;
use greenkerb_simulations::sumo::{
    self, Control, INTERVAL_S_MAX, Sensing, Service, SumoOptions, SumoReport, parse_seeds,
};

use super::serve::ModeArg;
use super::simulate_benchmark::{self, BenchmarkArgs};
use super::stop::call_off_on_signal;

/// Arguments of `greenkerb simulate`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct SimulateArgs {
    #[command(subcommand)]
    street: Option<StreetCommand>,
    #[command(flatten)]
    benchmark: BenchmarkArgs,
}

#[derive(Debug, Subcommand)]
enum StreetCommand {
    /// Run a scenario in SUMO 1.28, with emulated loops and field controllers, and tell how traffic moved
    Sumo(SumoArgs),
}

/// Arguments of `greenkerb simulate sumo`.
#[derive(Debug, Args)]
struct SumoArgs {
    /// SUMO network (.net.xml, plain or gzip)
    #[arg(long, value_name = "FILE")]
    net: PathBuf,
    /// Route files, separated by commas
    #[arg(long, value_name = "FILES", value_delimiter = ',', required = true)]
    routes: Vec<PathBuf>,
    /// Further SUMO files, separated by commas
    #[arg(long, value_name = "FILES", value_delimiter = ',')]
    additional: Vec<PathBuf>,
    /// First second of the run
    #[arg(long, value_name = "S")]
    begin: u32,
    /// Last second of the run
    #[arg(long, value_name = "S")]
    end: u32,
    /// Seed of the run
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Several seeds, one run each: 1..5 or 1,2,5
    #[arg(long, value_name = "SEEDS", conflicts_with = "seed")]
    seeds: Option<String>,
    /// What the service may know of the traffic
    #[arg(long, value_enum, default_value_t = SensingArg::Loops)]
    sensing: SensingArg,
    /// How the service that is started times controllers; cycle where it is not given
    #[arg(long, value_enum, conflicts_with = "service")]
    mode: Option<ModeArg>,
    /// Clearances between stages that do not follow each other in the file's program: derived (yellow and an all-red), or
    /// no longer than those the program shows, as rules of the literature have them
    #[arg(long, value_enum, conflicts_with = "service", default_value_t = ClearancesArg::Derived)]
    clearances: ClearancesArg,
    /// Who controls the signals
    #[arg(long, value_enum, default_value_t = ControlArg::Ours)]
    control: ControlArg,
    /// Address of a running service (its clock set to external); without it one is started for every seed
    #[arg(long, value_name = "URL")]
    service: Option<String>,
    /// Write the report to this file as JSON; - is standard output
    #[arg(long, value_name = "OUT")]
    json: Option<PathBuf>,
    /// How often detectors report, in seconds
    #[arg(long, value_name = "S", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=i64::from(INTERVAL_S_MAX)))]
    interval: u32,
    /// Length of SUMO's step in seconds, 0.1 to 1
    #[arg(long, value_name = "S", default_value_t = 1.0)]
    step_length: f64,
    /// What is broken, e.g. silent:10%,stuck_on:10%,stuck_off:5%,lying:5%,noisy:5%,delayed:5%,delay_s:30,seed:7 for
    /// detectors, lost:20%,lost_from_s:600,lost_for_s:900 for the lines of controllers
    #[arg(long, value_name = "FAULTS")]
    faults: Option<Faults>,
    /// Keep what was reported and what was polled in this folder
    #[arg(long, value_name = "DIR")]
    record: Option<PathBuf>,
    /// The SUMO to use: the program, or its SUMO_HOME
    #[arg(long, value_name = "PATH")]
    sumo_bin: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ControlArg {
    /// Field controllers that poll the service
    Ours,
    /// SUMO itself, by the plans in the network file
    Shipped,
    /// Field controllers that run the plans in the network file; must give what SUMO gives
    ShippedField,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ClearancesArg {
    /// Yellow and an all-red that lets everybody out of the junction
    Derived,
    /// As long as the longest that the program shows
    Shown,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum SensingArg {
    /// A stop-bar and an advance loop per lane: counts and occupancies
    Loops,
    /// The same, and every vehicle within 250 m of a signal
    Full,
}

/// Runs the street.
///
/// # Errors
/// What kept the run from a result; also when a conflict monitor tripped, which no plan of ours may cause.
pub(super) fn run(args: SimulateArgs) -> anyhow::Result<()> {
    let Some(StreetCommand::Sumo(args)) = args.street else {
        return simulate_benchmark::run(args.benchmark);
    };
    let json = args.json.clone();
    let options = args.options()?;
    call_off_on_signal(options.cancel.clone())?;
    let report = sumo::run(options, sumo::on_stderr())?;
    tell(&report, json.as_deref())?;
    if report.monitor_violations > 0 {
        bail!("a conflict monitor tripped {} times", report.monitor_violations);
    }
    Ok(())
}

impl SumoArgs {
    fn options(self) -> anyhow::Result<SumoOptions> {
        let control = match (self.control, self.service) {
            (ControlArg::Shipped, None) => Control::Shipped,
            (ControlArg::ShippedField, None) => Control::ShippedField,
            (ControlArg::Shipped | ControlArg::ShippedField, Some(_)) => {
                bail!("--service is for --control ours: nobody else asks it")
            }
            (ControlArg::Ours, Some(address)) => Control::Ours(Service::At(address)),
            (ControlArg::Ours, None) => {
                let own = std::env::current_exe().context("cannot find the program to start the service with")?;
                Control::Ours(Service::Spawn(own))
            }
        };
        let seeds = self.seeds.as_deref().map_or_else(|| Ok(vec![self.seed]), parse_seeds)?;
        let step = Ds::from_seconds(self.step_length).context("--step-length")?;
        let sensing = match self.sensing {
            SensingArg::Loops => Sensing::Loops,
            SensingArg::Full => Sensing::Full,
        };
        Ok(SumoOptions {
            additional: self.additional,
            seeds,
            sensing,
            mode: self.mode.map_or(Mode::Cycle, Mode::from),
            clearances_as_shown: self.clearances == ClearancesArg::Shown,
            interval_s: self.interval,
            step,
            faults: self.faults,
            record: self.record,
            sumo_bin: self.sumo_bin,
            cancel: Cancel::default(),
            ..SumoOptions::new(self.net, self.routes, self.begin, self.end, control)
        })
    }
}

fn tell(report: &SumoReport, json: Option<&Path>) -> anyhow::Result<()> {
    let text = serde_json::to_string_pretty(report).context("the report as JSON")?;
    match json {
        Some(path) if path == Path::new("-") => println!("{text}"),
        Some(path) => {
            println!("{report}");
            std::fs::write(path, text + "\n").with_context(|| path.display().to_string())?;
        }
        None => println!("{report}"),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        simulate: SimulateArgs,
    }

    fn options(line: &str) -> Result<SumoOptions, String> {
        let words = ["greenkerb", "sumo", "--net", "n", "--routes", "a,b", "--begin", "10", "--end", "20"];
        let parsed = Cli::try_parse_from(words.into_iter().chain(line.split_whitespace()));
        let Some(StreetCommand::Sumo(args)) = parsed.map_err(|e| e.to_string())?.simulate.street else {
            return Err("not SUMO".into());
        };
        args.options().map_err(|e| e.to_string())
    }

    #[test]
    fn the_command_line_is_resolved() {
        let given = "--seeds 1..3 --control shipped --interval 5 --step-length 0.5 --faults silent:10% --sensing loops";
        let options = options(given).unwrap();
        assert_eq!((options.begin_s, options.end_s, options.interval_s, options.step), (10, 20, 5, Ds(5)));
        assert_eq!(options.seeds, [1, 2, 3]);
        assert_eq!(options.control, Control::Shipped);
        assert_eq!(options.routes.len(), 2);
        assert!(options.faults.is_some());
    }

    #[test]
    fn ours_starts_the_service_unless_there_is_one() {
        assert!(matches!(options("").unwrap().control, Control::Ours(Service::Spawn(_))));
        let at = Control::Ours(Service::At("http://127.0.0.1:1".into()));
        assert_eq!(options("--service http://127.0.0.1:1").unwrap().control, at);
        assert!(options("--service http://127.0.0.1:1 --control shipped").is_err());
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for wrong in ["--interval 0", "--interval 61", "--seed 1 --seeds 1..2", "--faults loud:1%", "--step-length -1"]
        {
            assert!(options(wrong).is_err(), "{wrong}");
        }
    }
}
