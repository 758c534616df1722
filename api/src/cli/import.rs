//! `greenkerb import`.

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use greenkerb_models::formats::{self, NetworkSummary, native};

/// Arguments of `greenkerb import`.
#[derive(Debug, Args)]
pub(super) struct ImportArgs {
    /// The network: SUMO's net.xml or the native format, plain or gzip
    #[arg(value_name = "NET")]
    net: PathBuf,
    /// Tell what is in it and what was derived (the default when nothing is written)
    #[arg(long)]
    summary: bool,
    /// The summary as JSON
    #[arg(long)]
    json: bool,
    /// Write it in the native format; a name that ends in .gz is compressed
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Reads a network, tells about it, writes it.
pub(super) fn run(args: &ImportArgs) -> anyhow::Result<()> {
    let import = formats::read(&args.net)?;
    let summary = NetworkSummary::of(&import);
    let mut out = std::io::stdout().lock();
    if args.json {
        writeln!(out, "{}", serde_json::to_string_pretty(&summary)?)?;
    } else if args.summary || args.out.is_none() {
        write!(out, "{summary}")?;
    }
    out.flush()?;
    if let Some(file) = &args.out {
        native::write_file(import.network.parts(), file).with_context(|| format!("writing {}", file.display()))?;
        eprintln!("wrote {}", file.display());
    }
    Ok(())
}
