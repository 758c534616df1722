//! `greenkerb simulate SCENARIO`: controllers compared on the built-in street.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Args;
use greenkerb_models::units::{Ds, TimeDs};
use greenkerb_simulations::benchmark::{self, Setup, Store};
use greenkerb_simulations::cancel::Cancel;
use greenkerb_simulations::control;
use greenkerb_simulations::scenarios::Scenario;
use greenkerb_simulations::scenarios::file::{Opened, tick_of};
use greenkerb_simulations::sumo::parse_seeds;
use sha2::{Digest, Sha256};

use super::stop::call_off_on_signal;

/// Arguments of `greenkerb simulate SCENARIO`.
#[derive(Debug, Args)]
pub(super) struct BenchmarkArgs {
    /// A name that `greenkerb scenario list` shows, a folder, a scenario.toml, a .sumocfg, or CityFlow's roadnet.json,flow.json
    scenario: Option<String>,
    /// Controllers, separated by commas; `list` shows them all
    #[arg(long, value_name = "NAMES", default_value = "shipped,actuated,greedyn7", visible_alias = "controllers")]
    controller: String,
    /// Seeds, one run each: 1..10 or 1,2,5
    #[arg(long, value_name = "SEEDS", default_value = "1..10")]
    seeds: String,
    /// Runs made at the same time; as many as there are processors where it is not given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
    /// Threads inside each run; the result is the same for any number
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: u16,
    /// Folder for results; what is finished there is not made again
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// First second, where it is not the scenario's
    #[arg(long, value_name = "S")]
    begin: Option<f64>,
    /// Last second, where it is not the scenario's
    #[arg(long, value_name = "S")]
    end: Option<f64>,
    /// Seconds at the beginning that statistics leave out, where they are not the scenario's
    #[arg(long, value_name = "S")]
    warm_up: Option<f64>,
    /// Length of a step in seconds, where it is not the scenario's
    #[arg(long, value_name = "S")]
    tick: Option<f64>,
    /// The runs.jsonl of an earlier benchmark to compare with
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Exit with status 3 when a controller's total delay is above the baseline's by more than this
    #[arg(long, value_name = "SHARE", requires = "baseline")]
    fail_if_worse: Option<String>,
}

/// A controller is worse than the baseline allows: exit status 3.
#[derive(Debug, thiserror::Error)]
#[error("worse than the baseline by more than {allowed}: {controllers}")]
pub(super) struct WorseThanBaseline {
    controllers: String,
    allowed: String,
}

impl WorseThanBaseline {
    /// What the process ends with, so that scripts can tell it from a failure.
    pub(super) const EXIT: u8 = 3;

    /// The status for an error: 3 for this one, 1 for others.
    pub(super) fn exit_code(error: &anyhow::Error) -> ExitCode {
        if error.is::<Self>() { ExitCode::from(Self::EXIT) } else { ExitCode::FAILURE }
    }
}

/// Runs the benchmark.
///
/// # Errors
/// What kept it from a result, and [`WorseThanBaseline`].
pub(super) fn run(args: BenchmarkArgs) -> anyhow::Result<()> {
    if args.controller == "list" {
        for entry in control::ENTRIES {
            println!("{:<22} {:<6} {}", entry.name, entry.sensing, entry.does);
        }
        return Ok(());
    }
    let tolerance = args.fail_if_worse.as_deref().map(benchmark::parse_tolerance).transpose()?;
    let setup = setup(&args)?;
    setup.check()?;
    if let Some(baseline) = &args.baseline {
        // A file that is no use is better told now than after an hour.
        benchmark::check_baseline(baseline, &setup)?;
    }
    let build = |name: &str, scenario: &Scenario| control::build(name, scenario);
    // Before the folder is opened, which puts runs of other benchmarks aside.
    setup.check_controllers(&build)?;
    for note in &setup.notes {
        eprintln!("note: {} x {}", note.count, note.text);
    }
    let out = args.out.clone().unwrap_or_else(|| Path::new("benchmarks").join(folder_name(&setup.scenario.name)));
    let mut store = Store::open(&out, setup.jobs()?, &program()?)?;
    tell_kept(&store, &out);
    let cancel = Cancel::default();
    call_off_on_signal(cancel.clone())?;
    let jobs = args.jobs.map_or_else(|| processors() / usize::from(args.threads), usize::from).max(1);
    benchmark::run(&setup, &build, &mut store, jobs, &cancel, &mut benchmark::on_stderr())?;
    let found = benchmark::write_results(&setup, &store)?;
    println!("{}\n{}\nreport: {}", found.summary, found.verdict, out.join("report.html").display());
    match &args.baseline {
        Some(baseline) => compare(&setup, &store, baseline, tolerance, args.fail_if_worse.as_deref()),
        None => Ok(()),
    }
}

fn setup(args: &BenchmarkArgs) -> anyhow::Result<Setup> {
    let Some(argument) = &args.scenario else {
        bail!("which scenario? e.g. `greenkerb simulate arterial`; see --help");
    };
    let Opened { mut scenario, notes, demand_file } = super::scenario::open(argument)?;
    let instant = |s: f64| -> anyhow::Result<TimeDs> { Ok(TimeDs(i64::from(Ds::from_seconds(s)?.0))) };
    if let Some(s) = args.begin {
        scenario.begin = instant(s).context("--begin")?;
    }
    if let Some(s) = args.end {
        scenario.end = instant(s).context("--end")?;
    }
    if let Some(s) = args.warm_up {
        scenario.warm_up = Ds::from_seconds(s).context("--warm-up")?;
    }
    if let Some(s) = args.tick {
        scenario.tick = tick_of(s).context("--tick")?;
    }
    let seeds = parse_seeds(&args.seeds)?;
    Ok(Setup {
        scenario,
        scenario_argument: argument.split(',').map(base_name).collect::<Vec<_>>().join(","),
        controllers: control::parse_names(&args.controller)?,
        seeds,
        notes,
        demand_file,
        threads: usize::from(args.threads),
    })
}

/// The last part of a path.
fn base_name(path: &str) -> String {
    Path::new(path).file_name().map_or_else(|| path.to_owned(), |n| n.to_string_lossy().into_owned())
}

/// A scenario's name as the name of a folder.
fn folder_name(name: &str) -> String {
    name.chars().map(|c| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '-' }).collect()
}

/// SHA-256 of this program: results of another one are not taken for its own.
fn program() -> anyhow::Result<String> {
    let path = std::env::current_exe().context("cannot find this program's file")?;
    let bytes = std::fs::read(&path).with_context(|| path.display().to_string())?;
    Ok(hex::encode(Sha256::digest(&bytes)))
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

fn tell_kept(store: &Store, out: &Path) {
    let (all, open) = (store.jobs().len(), store.open_jobs().len());
    if open < all {
        eprintln!("{} of {all} runs are finished in {} and kept", all - open, out.display());
    }
    if store.stale() > 0 {
        eprintln!(
            "{} runs in {} are of another scenario, other options or another program, or were not asked for; they are in runs.stale.jsonl now",
            store.stale(),
            out.display()
        );
    }
}

fn compare(
    setup: &Setup,
    store: &Store,
    baseline: &Path,
    tolerance: Option<f64>,
    allowed: Option<&str>,
) -> anyhow::Result<()> {
    let found = benchmark::compare(baseline, &setup.controllers, store.runs(), tolerance.unwrap_or(f64::INFINITY))?;
    for c in &found {
        println!("{c}");
    }
    let worse: Vec<&str> = found.iter().filter(|c| c.is_worse).map(|c| c.controller.as_str()).collect();
    match allowed {
        Some(allowed) if !worse.is_empty() => {
            Err(WorseThanBaseline { controllers: worse.join(", "), allowed: allowed.to_owned() }.into())
        }
        Some(allowed) => {
            println!("not worse than the baseline by more than {allowed}");
            Ok(())
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_scenarios_make_folders() {
        assert_eq!(folder_name("grid 4x4"), "grid-4x4");
        assert_eq!(base_name("some/where/net.json"), "net.json");
    }

    #[test]
    fn worse_than_the_baseline_has_a_status_of_its_own() {
        let worse = WorseThanBaseline { controllers: "ours".into(), allowed: "3%".into() };
        assert_eq!(worse.to_string(), "worse than the baseline by more than 3%: ours");
        let code = |e: anyhow::Error| format!("{:?}", WorseThanBaseline::exit_code(&e));
        assert_ne!(code(worse.into()), code(anyhow::anyhow!("else")));
    }
}
