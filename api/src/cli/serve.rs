//! `greenkerb serve`.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use greenkerb_models::units::Ds;
use greenkerb_optimizer::signals::Mode;

use super::stop::{say, stop, stopped};
use crate::engine::clock::Clock;
use crate::service::{NetworkSource, Options, Service};
use crate::settings::RawSettings;

/// Arguments of `greenkerb serve`.
#[derive(Debug, Args)]
pub(super) struct ServeArgs {
    /// The network: SUMO's net.xml or the native format, plain or gzip
    #[arg(long, value_name = "FILE")]
    network: PathBuf,
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Where to keep plans, acknowledgements and the audit; without it nothing survives a restart
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// What moves the clock: this machine, or the data
    #[arg(long, value_enum, default_value_t = ClockArg::Wall)]
    clock: ClockArg,
    /// Settings, TOML
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// How controllers are timed for which the settings do not say; where it is not given, as the settings say
    #[arg(long, value_enum)]
    mode: Option<ModeArg>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ClockArg {
    /// Time passes by itself
    Wall,
    /// The newest observation is the time
    External,
}

/// How controllers are timed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ModeArg {
    /// By their own time-of-day plans
    Fixed,
    /// By cyclic plans that are retimed as traffic asks
    Cycle,
    /// By schedules of the next minute, made anew every second
    Schedule,
}

impl From<ModeArg> for Mode {
    fn from(mode: ModeArg) -> Self {
        match mode {
            ModeArg::Fixed => Self::Fixed,
            ModeArg::Cycle => Self::Cycle,
            ModeArg::Schedule => Self::Schedule,
        }
    }
}

/// Runs the service until it is told to stop.
pub(super) fn run(args: ServeArgs) -> anyhow::Result<()> {
    let mut raw = args.settings.as_deref().map(RawSettings::read).transpose()?.unwrap_or_default();
    raw.mode = args.mode.map_or(raw.mode, Mode::from);
    let settings = raw.resolve()?;
    if args.clock == ClockArg::Wall && settings.schedules() && settings.optimizer.policy.frozen == Ds::ZERO {
        bail!(
            "optimizer.policy.frozen of 0 is for --clock external: a controller cannot hear of what is changed at once"
        );
    }
    let stopped = stopped(args.data.as_deref());
    let options = Options {
        network: NetworkSource::File(args.network),
        listen: args.listen,
        data: args.data,
        clock: match args.clock {
            ClockArg::Wall => Clock::wall(),
            ClockArg::External => Clock::external(),
        },
        settings,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("starting the runtime")?;
    runtime.block_on(async {
        let service = Service::start(options).await?;
        service.notes().iter().for_each(|note| say(&format!("note: {note}")));
        let stop = stop();
        let mut out = std::io::stdout().lock();
        writeln!(out, "listening on http://{}", service.address()?)?;
        out.flush()?;
        drop(out);
        service.serve(stop).await?;
        say(&stopped);
        Ok(())
    })
}
