//! `greenkerb scenario`: what can be simulated, shown, made and written.

mod grid;
mod list;
mod new;
mod show;

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use greenkerb_simulations::scenarios::file::{self, Opened, SCENARIO_FILE};
use greenkerb_simulations::scenarios::{Scenario, bundled};

/// Arguments of `greenkerb scenario`.
#[derive(Debug, Args)]
pub(super) struct ScenarioArgs {
    #[command(subcommand)]
    command: ScenarioCommand,
}

#[derive(Debug, Subcommand)]
enum ScenarioCommand {
    /// The scenarios that come with the program
    List,
    /// What is in a scenario, and what it looks like
    Show(show::ShowArgs),
    /// Write a scenario as a folder to edit and simulate
    New(new::NewArgs),
    /// Make a grid of signals, uneven by a seed, and write it as a folder
    Grid(grid::GridArgs),
}

/// Does what is asked.
pub(super) fn run(args: ScenarioArgs) -> anyhow::Result<()> {
    match args.command {
        ScenarioCommand::List => list::run(),
        ScenarioCommand::Show(args) => show::run(&args),
        ScenarioCommand::New(args) => new::run(&args),
        ScenarioCommand::Grid(args) => grid::run(&args),
    }
}

/// The scenario that an argument names: a file, a folder, CityFlow's pair, or a bundled one.
pub(super) fn open(argument: &str) -> anyhow::Result<Opened> {
    if let Some((roadnet, flow)) = argument.split_once(',') {
        return Ok(file::open_cityflow(Path::new(roadnet), Path::new(flow))?);
    }
    let path = Path::new(argument);
    // What looks like a path is one, so that a missing file is told as such.
    if path.exists() || argument.contains(['/', '\\', '.', '+']) {
        return Ok(file::open(path)?);
    }
    Ok(Opened { scenario: bundled(argument)?, notes: Vec::new(), demand_file: None })
}

/// Writes a scenario into a new folder, never over anything.
fn write(scenario: &Scenario, folder: &Path) -> anyhow::Result<()> {
    if folder.exists() && !folder.is_dir() {
        bail!("{} exists and is no folder; nothing was written", folder.display());
    }
    let taken =
        folder.is_dir() && std::fs::read_dir(folder).with_context(|| folder.display().to_string())?.next().is_some();
    if taken {
        bail!("{} holds something already; nothing was written. Name a folder that is empty or new", folder.display());
    }
    file::save(scenario, folder)?;
    println!("{}: {}", folder.display(), files(folder)?.join(", "));
    println!("edit {}, then: greenkerb simulate {}", folder.join(SCENARIO_FILE).display(), folder.display());
    Ok(())
}

fn files(folder: &Path) -> anyhow::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

/// The name of a scenario in a folder: the folder's, where files can have it.
fn name_of(folder: &PathBuf) -> Option<String> {
    // `.` and `..` have no name of their own.
    let whole = std::path::absolute(folder).unwrap_or_else(|_| folder.clone());
    let name = whole.file_name()?.to_str()?.to_owned();
    let fits = !name.starts_with('.') && name.chars().all(|c| c.is_alphanumeric() || "-_.".contains(c));
    fits.then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scenario_goes_by_the_name_of_its_folder() {
        assert_eq!(name_of(&"some/where/my-town".into()).as_deref(), Some("my-town"));
        assert_eq!(name_of(&"my town".into()), None);
        assert_eq!(name_of(&".hidden".into()), None);
    }
}
