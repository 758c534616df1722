//! `greenkerb optimize`: the service without a socket, over a recording.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
use greenkerb_models::formats;
use greenkerb_models::ids::ControllerId;
use greenkerb_models::units::TimeDs;

use crate::engine::actor::Engine;
use crate::engine::clock::Clock;
use crate::engine::core::{Answer, Shared};
use crate::engine::ingest::{Batch, read_ndjson};
use crate::engine::source::NetworkFile;
use crate::service::{self, Started};
use crate::settings::RawSettings;
use crate::wire::v1::{Receipt, Timing};

/// Time for a decision: nobody waits here, so the better method is never given up for lack of time.
const SOLVE_DEADLINE: Duration = Duration::from_secs(3600);

/// Arguments of `greenkerb optimize`.
#[derive(Debug, Args)]
pub(super) struct OptimizeArgs {
    /// The network: SUMO's net.xml or the native format, plain or gzip
    #[arg(value_name = "NET")]
    net: PathBuf,
    /// Observations as they were posted, one a line, in the order of time; a blank line ends a batch
    #[arg(long, value_name = "FILE")]
    observations: PathBuf,
    /// Settings, TOML
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
}

/// Prints every timing that a service with an external clock publishes when it is told the recording, interval by
/// interval, one JSON line each. Refused lines are told on standard error.
pub(super) fn run(args: &OptimizeArgs) -> anyhow::Result<()> {
    let raw = args.settings.as_deref().map(RawSettings::read).transpose()?.unwrap_or_default();
    let mut settings = raw.resolve()?;
    settings.solve_deadline = SOLVE_DEADLINE;
    let source = NetworkFile::of(&args.net);
    let network = Arc::new(formats::read(&args.net)?.network);
    let recording = || args.observations.display().to_string();
    let file = std::fs::File::open(&args.observations).with_context(recording)?;
    let Started { shared, engine, .. } =
        service::engine(network.clone(), Some(source), None, Clock::external(), settings)?;
    let runtime = tokio::runtime::Builder::new_current_thread().build().context("starting the runtime")?;
    let mut replay =
        Replay { shared, engine, runtime, printed: BTreeMap::new(), out: std::io::stdout().lock(), refused: 0 };

    let mut batch = Batch::default();
    let mut end: Option<TimeDs> = None;
    for (line, text) in BufReader::new(file).split(b'\n').enumerate() {
        let text = text.with_context(recording)?;
        // A blank line ends a batch, and a later end than all before begins the next.
        if text.trim_ascii().is_empty() {
            replay.tell(std::mem::take(&mut batch))?;
            continue;
        }
        let mut told = read_ndjson(&network, &replay.shared.vicinity, &text)?;
        let later = told.taken.iter().any(|(_, o)| end.is_some_and(|end| o.end() > end));
        if later {
            replay.tell(std::mem::take(&mut batch))?;
        }
        end = end.max(told.taken.iter().map(|(_, o)| o.end()).max());
        batch.taken.extend(told.taken.drain(..).map(|(_, o)| (line, o)));
        batch.pictures.extend(told.pictures.drain(..).map(|(_, picture)| (line, picture)));
        batch.pictures_refused.append(&mut told.pictures_refused);
        batch.refused.extend(told.refused.drain(..).map(|mut r| {
            r.index = line;
            r
        }));
    }
    replay.tell(batch)?;
    replay.engine.stop();
    if end.is_none() {
        bail!("{}: not one of its lines is an observation of this network", args.observations.display());
    }
    if replay.refused > 0 {
        eprintln!("refused lines: {}", replay.refused);
    }
    Ok(())
}

/// A service that is told a recording.
struct Replay<W> {
    shared: Shared,
    engine: Engine,
    runtime: tokio::runtime::Runtime,
    /// Newest revision that was printed, per controller.
    printed: BTreeMap<ControllerId, u64>,
    out: W,
    refused: usize,
}

impl<W: Write> Replay<W> {
    fn tell(&mut self, batch: Batch) -> anyhow::Result<()> {
        let Answer::Receipt(receipt) = self.runtime.block_on(self.engine.ingest(batch, None))? else { return Ok(()) };
        let receipt: Receipt = serde_json::from_slice(&receipt).context("reading the receipt")?;
        self.refused += receipt.refused_total;
        for r in &receipt.refused {
            eprintln!("line {}: {}", r.index + 1, r.reason);
        }
        self.print()
    }

    /// Prints what was published since the last time, oldest first.
    fn print(&mut self) -> anyhow::Result<()> {
        let Shared { network, board, store, settings, .. } = &self.shared;
        for id in (0..network.controllers().len()).map(ControllerId::at) {
            let Some(newest) = board.shown(id).map(|s| s.plan.get().revision.0) else { continue };
            let last = self.printed.insert(id, newest).unwrap_or(0);
            if newest == last {
                continue;
            }
            let controller = network.controller(id);
            let published = store.history(&controller.name, (newest - last) as usize)?;
            for plan in published.iter().rev().filter(|p| p.revision.0 > last) {
                let (transition, poll_after_s) = (settings.optimizer.policy.transition, settings.poll_after.seconds());
                serde_json::to_writer(&mut self.out, &Timing::of(plan, controller, transition, poll_after_s))?;
                self.out.write_all(b"\n")?;
            }
            // Schedules are not kept but for the last.
            if let Some(shown) = board.shown(id).filter(|s| s.plan.get().schedule.is_some()) {
                self.out.write_all(&shown.body)?;
                self.out.write_all(b"\n")?;
            }
        }
        self.out.flush()?;
        Ok(())
    }
}
