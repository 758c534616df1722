//! `greenkerb scenario grid`.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use greenkerb_simulations::scenarios::bundled::{GridOptions, grid};

/// Arguments of `greenkerb scenario grid`.
#[derive(Debug, Args)]
pub(super) struct GridArgs {
    /// Columns and rows of signals, from 2x2 to 100x100
    #[arg(value_name = "COLSxROWS")]
    size: Size,
    /// Seed of everything that is uneven
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// How saturated the busiest signals are under the plans they ship; 1 is their capacity
    #[arg(long, value_name = "X", default_value_t = GridOptions::default().load, conflicts_with = "vehicles_per_h")]
    load: f64,
    /// So many vehicles per hour in all instead, whatever that makes of the signals
    #[arg(long, value_name = "N")]
    vehicles_per_h: Option<u32>,
    /// How long vehicles come, in seconds
    #[arg(long, value_name = "S", default_value_t = GridOptions::default().duration_s)]
    duration: u32,
    /// No crossings, and nobody to cross
    #[arg(long)]
    no_walkers: bool,
    /// Folder to write, empty or new
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Size(u32, u32);

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        GridOptions::parse_size(text).map(|(c, r)| Self(c, r)).ok_or_else(|| "columns x rows, as in 10x8".to_owned())
    }
}

/// Makes a grid and writes it.
pub(super) fn run(args: &GridArgs) -> anyhow::Result<()> {
    let duration_h = f64::from(args.duration) / 3_600.0;
    let scenario = grid(&GridOptions {
        columns: args.size.0,
        rows: args.size.1,
        seed: args.seed,
        load: args.load,
        vehicles: args.vehicles_per_h.map(|n| (f64::from(n) * duration_h).round() as u32),
        duration_s: args.duration,
        walkers: !args.no_walkers,
    })?;
    super::write(&scenario, &args.out)
}
