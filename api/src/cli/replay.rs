//! `greenkerb replay`: a recording told to a service once more.

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::bail;
use clap::Args;
use greenkerb_simulations::cancel::Cancel;
use greenkerb_simulations::recording::{self, Replay, ReplayOptions};

use super::stop::call_off_on_signal;

/// Arguments of `greenkerb replay`.
#[derive(Debug, Args)]
pub(super) struct ReplayArgs {
    /// Folder of the recording, as `--record` wrote it
    #[arg(value_name = "RECORDING")]
    recording: PathBuf,
    /// Address of a service with the recording's network that was started anew with --clock external
    #[arg(long, value_name = "URL")]
    service: String,
    /// Times real time; without it as fast as the service answers
    #[arg(long, value_name = "N", value_parser = pace)]
    pace: Option<f64>,
    /// Write every timing that is polled to this file, in the form of the recording's timings.ndjson
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Tell the outcome as JSON
    #[arg(long)]
    json: bool,
}

fn pace(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(times) if (0.01..=1000.0).contains(&times) => Ok(times),
        _ => Err("a number from 0.01 to 1000".to_owned()),
    }
}

/// Replays and compares.
///
/// # Errors
/// What kept the replay from its end; also when a recorded timing did not come again byte for byte.
pub(super) fn run(args: ReplayArgs) -> anyhow::Result<()> {
    let ReplayArgs { recording, service, pace, out, json } = args;
    let options = ReplayOptions { recording, service, pace, out, cancel: Cancel::default() };
    call_off_on_signal(options.cancel.clone())?;
    let told = recording::replay(&options, |_| {})?;
    let mut stdout = std::io::stdout().lock();
    if json {
        serde_json::to_writer_pretty(&mut stdout, &told)?;
        writeln!(stdout)?;
    } else {
        tell(&mut stdout, &told)?;
    }
    if !told.is_identical() {
        bail!("{} of {} recorded timings did not come again", told.recorded - told.identical, told.recorded);
    }
    Ok(())
}

fn tell(out: &mut impl std::io::Write, told: &Replay) -> std::io::Result<()> {
    let Replay { batches, reports, refused, recorded, identical, polled, differences } = told;
    writeln!(out, "told {reports} reports in {batches} batches, {refused} refused; polled {polled} timings")?;
    writeln!(out, "{identical} of {recorded} recorded timings came again, byte for byte")?;
    for d in differences {
        writeln!(out, "controller '{}', revision {}: {}", d.controller, d.revision, d.what)?;
    }
    Ok(())
}
