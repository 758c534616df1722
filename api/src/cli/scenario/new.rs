//! `greenkerb scenario new`.

use std::path::PathBuf;

use clap::Args;

/// Arguments of `greenkerb scenario new`.
#[derive(Debug, Args)]
pub(super) struct NewArgs {
    /// Folder to write, empty or new
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// What to begin with: any scenario that can be simulated, SUMO's and CityFlow's too
    #[arg(long, value_name = "NAME|FILE", default_value = "crossing")]
    from: String,
}

/// Writes a scenario to begin with.
pub(super) fn run(args: &NewArgs) -> anyhow::Result<()> {
    let mut scenario = super::open(&args.from)?.scenario;
    if let Some(name) = super::name_of(&args.dir) {
        scenario.name = name;
    }
    super::write(&scenario, &args.dir)
}
