//! `greenkerb scenario show`.

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use greenkerb_simulations::scenarios::{ScenarioSummary, bundled};
use greenkerb_simulations::sketch::{Sketch, draw};

/// Arguments of `greenkerb scenario show`.
#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    /// A name that `greenkerb scenario list` shows, a folder, a scenario.toml, a .sumocfg, or CityFlow's roadnet.json,flow.json
    #[arg(value_name = "NAME|FILE")]
    scenario: String,
    /// Draw its streets into this file as SVG, to scale
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
}

/// Tells what is in a scenario, and draws it.
pub(super) fn run(args: &ShowArgs) -> anyhow::Result<()> {
    let opened = super::open(&args.scenario)?;
    let scenario = &opened.scenario;
    if let Some(file) = &args.svg {
        let backdrop = bundled::backdrop(&args.scenario);
        let drawn = draw(&Sketch {
            title: &format!("Streets of the scenario {}", scenario.name),
            network: &scenario.network,
            demand: Some(&scenario.demand),
            backdrop: backdrop.as_ref(),
        });
        std::fs::write(file, drawn).with_context(|| format!("writing {}", file.display()))?;
        eprintln!("wrote {}", file.display());
    }
    let mut out = std::io::stdout().lock();
    write!(out, "{}", ScenarioSummary::of(scenario, &opened.notes))?;
    out.flush()?;
    Ok(())
}
