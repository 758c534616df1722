//! `greenkerb demo`: the service and a street for it, in one process.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use anyhow::Context;
use clap::Args;
use greenkerb_models::network::Network;
use greenkerb_models::units::{Ds, TimeDs};
use greenkerb_simulations::cancel::Cancel;
use greenkerb_simulations::demo::{self, DemoError, DemoOptions, Pace, Progress};
use tokio::sync::oneshot;

use super::stop::{say, stop, stopped};
use crate::engine::clock::Clock;
use crate::service::{NetworkSource, Options, Service};
use crate::settings::RawSettings;

/// A Monday at seven: the morning peak begins. The same for everybody, so that a seed tells all.
const START: TimeDs = TimeDs::from_s(1_772_434_800);

/// Arguments of `greenkerb demo`.
#[derive(Debug, Args)]
pub(super) struct DemoArgs {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Where to keep plans between two demos; without it they go when the demo ends
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Times real time; max for as fast as the service answers
    #[arg(long, value_name = "N", default_value = "5", visible_alias = "speed")]
    pace: PaceArg,
    /// Seed of the traffic
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// End after so many seconds of the street's time
    #[arg(long = "for", value_name = "SECONDS")]
    length_s: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct PaceArg(Pace);

impl FromStr for PaceArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "max" {
            return Ok(Self(Pace::Unbound));
        }
        match text.parse::<f64>() {
            Ok(times) if (0.01..=1000.0).contains(&times) => Ok(Self(Pace::Times(times))),
            _ => Err("a number from 0.01 to 1000, or max".to_owned()),
        }
    }
}

/// Runs service and street until the demo is over or told to stop.
pub(super) fn run(args: DemoArgs) -> anyhow::Result<()> {
    let network = demo::city().context("the bundled city")?;
    let stopped = stopped(args.data.as_deref());
    // Removed when it goes out of scope, after the service has ended.
    let (data, _scratch) = match args.data {
        Some(data) => (data, None),
        None => {
            let scratch = tempfile::Builder::new().prefix("greenkerb-demo-").tempdir();
            let scratch = scratch.context("a directory for the store")?;
            (scratch.path().to_owned(), Some(scratch))
        }
    };
    let options = Options {
        network: NetworkSource::BuiltIn(Box::new(network.clone())),
        listen: args.listen,
        data: Some(data),
        clock: Clock::external(),
        settings: RawSettings::default().resolve()?,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("starting the runtime")?;
    runtime.block_on(async {
        let service = Service::start(options).await?;
        service.notes().iter().for_each(|note| say(&format!("note: {note}")));
        let address = format!("http://{}", service.address()?);
        let street = DemoOptions {
            network: Arc::new(network),
            address: address.clone(),
            seed: args.seed,
            start: begin(service.now()),
            length: args.length_s.map(Ds::from_s),
            pace: args.pace.0,
            cancel: Cancel::default(),
        };
        let stop = stop();
        greet(&address, &street.network)?;
        let cancel = street.cancel.clone();
        let mut ended = drive(street)?;
        let mut outcome = None;
        let over = async {
            // Whichever comes first ends both: the street first, so that it does not find its service gone.
            let result = tokio::select! {
                result = &mut ended => result,
                () = stop => {
                    cancel.cancel();
                    ended.await
                }
            };
            outcome = Some(result);
        };
        service.serve(over).await?;
        match outcome {
            Some(Ok(result)) => {
                result.context("the street stopped")?;
                say(&stopped);
                Ok(())
            }
            _ => anyhow::bail!("the street broke off"),
        }
    })
}

/// When the street begins: a clock that an earlier demo left behind goes on, since time never goes back for a service.
fn begin(kept: Option<TimeDs>) -> TimeDs {
    let whole = kept.map(|at| TimeDs::from_s((at.0 + 9).div_euclid(10)));
    whole.map_or(START, |at| at.max(START))
}

/// Runs the street on a thread of its own; the receiver hears how it ended.
fn drive(street: DemoOptions) -> anyhow::Result<oneshot::Receiver<Result<Progress, DemoError>>> {
    let (tell_end, ended) = oneshot::channel();
    let run = move || {
        let mut remarked = None;
        let result = demo::run(&street, |progress| {
            let remark = progress.remark.clone();
            let news = remark.as_deref().filter(|_| remark != remarked);
            // Whoever has closed our output still has the service.
            let _ = writeln!(std::io::stdout(), "{}", line(progress, news));
            remarked = remark;
        });
        // Nobody listens any more when the service has failed.
        let _ = tell_end.send(result);
    };
    std::thread::Builder::new().name("street".to_owned()).spawn(run).context("a thread for the street")?;
    Ok(ended)
}

/// Says what there is to see.
fn greet(address: &str, network: &Network) -> anyhow::Result<()> {
    let controller = network.controllers().first().map_or("", |c| c.name.as_str());
    let mut out = std::io::stdout().lock();
    writeln!(out, "The city of {} and its traffic. Open", network.name())?;
    writeln!(out, "  {address}/")?;
    writeln!(out, "or ask: what a controller is to run, why, and how traffic is,")?;
    writeln!(out, "  curl -s {address}/v1/controllers/{controller}/timing")?;
    writeln!(out, "  curl -s '{address}/v1/controllers/{controller}/history?limit=3'")?;
    writeln!(out, "  curl -s {address}/v1/network/state")?;
    writeln!(out, "Ctrl-C ends it.")?;
    out.flush()?;
    Ok(())
}

/// How the demo goes, in a line; a remark is told once.
fn line(p: &Progress, news: Option<&str>) -> String {
    let mut text = format!(
        "{}  {} vehicles, mean queue {:.2}; {} controllers on published plans, {} plans taken up; {} fallbacks, \
         {} monitor violations",
        p.at.rfc3339(),
        p.driving,
        p.mean_queue_veh,
        p.on_published_plan,
        p.plans_active,
        p.fallbacks,
        p.monitor_violations,
    );
    let trouble =
        [(p.plans_rejected, "plans rejected"), (p.reports_refused, "reports refused"), (p.failures, "requests failed")];
    for (count, what) in trouble.into_iter().filter(|(count, _)| *count > 0) {
        text.push_str(&format!(", {count} {what}"));
    }
    if let Some(news) = news {
        text.push_str(&format!(" (newest: {news})"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_start_is_seven_on_a_monday_and_a_kept_clock_goes_on() {
        assert_eq!(START.rfc3339(), "2026-03-02T07:00:00Z");
        assert_eq!(begin(None), START);
        assert_eq!(begin(Some(TimeDs(0))), START);
        assert_eq!(begin(Some(START + Ds(601))), START + Ds(610));
        assert_eq!(begin(Some(START + Ds(600))), START + Ds(600));
    }

    #[test]
    fn a_pace_is_a_number_or_max() {
        assert_eq!("2.5".parse(), Ok(PaceArg(Pace::Times(2.5))));
        assert_eq!("max".parse(), Ok(PaceArg(Pace::Unbound)));
        for wrong in ["0", "-1", "nan", "inf", "fast", ""] {
            assert!(wrong.parse::<PaceArg>().is_err(), "{wrong}");
        }
    }
}
