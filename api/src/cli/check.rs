//! `greenkerb check`.

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::bail;
use clap::Args;
use greenkerb_models::formats;
use greenkerb_optimizer::safety::{Policy, validate_plan};

/// Arguments of `greenkerb check`.
#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    /// The network: SUMO's net.xml or the native format, plain or gzip
    #[arg(value_name = "NET")]
    net: PathBuf,
}

/// Reads a network and judges the plan that each controller ships.
pub(super) fn run(args: &CheckArgs) -> anyhow::Result<()> {
    let network = formats::read(&args.net)?.network;
    let mut out = std::io::stdout().lock();
    let mut unsafe_plans = 0;
    for c in network.controllers() {
        if let Err(refusals) = validate_plan(c.time_of_day_plan(), c, &Policy::default()) {
            unsafe_plans += 1;
            writeln!(out, "{refusals}")?;
        }
    }
    let all = network.controllers().len();
    if unsafe_plans > 0 {
        bail!("{unsafe_plans} of {all} controllers ship a plan that is not safe");
    }
    writeln!(out, "{}: whole, and the plans of all {all} controllers are safe", args.net.display())?;
    Ok(())
}
