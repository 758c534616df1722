//! The command line: one file a subcommand.

mod check;
mod demo;
mod import;
mod optimize;
mod replay;
mod scenario;
mod serve;
mod simulate;
mod simulate_benchmark;
mod stop;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Signal timings and shared parking for one city.
#[derive(Debug, Parser)]
#[command(name = "greenkerb", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the service
    Serve(serve::ServeArgs),
    /// Show the service at work on a bundled city with simulated traffic
    Demo(demo::DemoArgs),
    /// Read a network and tell what is in it, or write it in the native format
    Import(import::ImportArgs),
    /// Check a network file, and that every plan it ships is safe
    Check(check::CheckArgs),
    /// Decide from recorded observations, without a service
    Optimize(optimize::OptimizeArgs),
    /// Tell a recording to a service once more, and compare what it publishes
    Replay(replay::ReplayArgs),
    /// List, show, write and make what can be simulated
    Scenario(scenario::ScenarioArgs),
    /// Compare controllers on a simulated street, or try the service on SUMO
    Simulate(Box<simulate::SimulateArgs>),
}

/// Runs the program.
pub fn main() -> ExitCode {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let done = match Cli::parse().command {
        Command::Serve(args) => serve::run(args),
        Command::Demo(args) => demo::run(args),
        Command::Import(args) => import::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Optimize(args) => optimize::run(&args),
        Command::Replay(args) => replay::run(args),
        Command::Scenario(args) => scenario::run(args),
        Command::Simulate(args) => simulate::run(*args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads what we print has enough, as `head` does.
        Err(e) if e.chain().any(is_broken_pipe) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("greenkerb: {}", told(&e));
            simulate_benchmark::WorseThanBaseline::exit_code(&e)
        }
    }
}

/// An error with its causes, each said once: many of ours name their cause themselves.
fn told(e: &anyhow::Error) -> String {
    let mut text = e.to_string();
    for cause in e.chain().skip(1).map(ToString::to_string) {
        if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}

fn is_broken_pipe(e: &(dyn std::error::Error + 'static)) -> bool {
    use std::io::{Error, ErrorKind};
    let kind = e.downcast_ref::<Error>().map(Error::kind);
    let kind = kind.or_else(|| e.downcast_ref::<serde_json::Error>().and_then(serde_json::Error::io_error_kind));
    kind == Some(ErrorKind::BrokenPipe)
}
