//! `greenkerb optimize`: the way of the data without a socket, over a recording.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use greenkerb_models::formats;
use greenkerb_models::units::TimeDs;
use greenkerb_optimizer::signals::{Settings, SignalOptimizer, Unlimited};

use crate::engine::ingest::read_ndjson;
use crate::wire::v1::Timing;

/// Arguments of `greenkerb optimize`.
#[derive(Debug, Args)]
pub(super) struct OptimizeArgs {
    /// The network: SUMO's net.xml or the native format, plain or gzip
    #[arg(value_name = "NET")]
    net: PathBuf,
    /// Observations as they were posted, one a line, in the order of time
    #[arg(long, value_name = "FILE")]
    observations: PathBuf,
}

/// Prints every timing that the recording leads to, one JSON line each; refused lines are told on standard error.
pub(super) fn run(args: &OptimizeArgs) -> anyhow::Result<()> {
    let network = std::sync::Arc::new(formats::read(&args.net)?.network);
    let settings = Settings::default();
    let transition = settings.policy.transition;
    let mut optimizer = SignalOptimizer::new(network.clone(), settings);
    let file = std::fs::File::open(&args.observations).with_context(|| args.observations.display().to_string())?;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let mut now: Option<TimeDs> = None;
    let mut print = |outcome: greenkerb_optimizer::signals::StepOutcome| -> anyhow::Result<()> {
        for plan in outcome.publications {
            let Some(id) = network.controller_named(&plan.get().controller) else { continue };
            serde_json::to_writer(&mut out, &Timing::of(plan.get(), network.controller(id), transition, 1.0))?;
            out.write_all(b"\n")?;
        }
        Ok(())
    };
    for (number, line) in BufReader::new(file).lines().enumerate() {
        let line = line.with_context(|| format!("{}: line {}", args.observations.display(), number + 1))?;
        let batch = read_ndjson(&network, line.as_bytes());
        for r in &batch.refused {
            eprintln!("line {}: {}", number + 1, r.reason);
        }
        for (_, o) in batch.taken {
            // A later interval end than all before closes the second that was being told.
            if let Some(t) = now.filter(|t| o.end() > *t) {
                print(optimizer.advance(t, &Unlimited))?;
            } else if now.is_none() {
                print(optimizer.start(o.begin))?;
            }
            now = now.max(Some(o.end()));
            optimizer.observe(o);
        }
    }
    if let Some(t) = now {
        print(optimizer.advance(t, &Unlimited))?;
    }
    Ok(())
}
