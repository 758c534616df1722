//! The end of a command that runs until it is told to stop.

use std::io::Write as _;
use std::path::Path;

use anyhow::Context;
use greenkerb_simulations::cancel::Cancel;

/// Says something to whoever started the command. Nobody may be listening any more.
pub(super) fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// The last word of a command that ran until it was told to stop.
pub(super) fn stopped(data: Option<&Path>) -> String {
    match data {
        Some(directory) => format!("stopped; plans, acknowledgements and audit are kept in {}", directory.display()),
        None => "stopped; nothing is kept without --data".to_owned(),
    }
}

/// Done when the process is asked to end, from now on: what comes before it is first waited for does not get lost.
pub(super) fn stop() -> impl Future<Output = ()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let asked = [SignalKind::interrupt(), SignalKind::terminate()].map(signal);
        async move {
            let [interrupt, terminate] = asked;
            match (interrupt, terminate) {
                (Ok(mut interrupt), Ok(mut terminate)) => {
                    tokio::select! {
                        _ = interrupt.recv() => {}
                        _ = terminate.recv() => {}
                    }
                }
                _ => drop(tokio::signal::ctrl_c().await),
            }
        }
    }
    #[cfg(not(unix))]
    async {
        let _ = tokio::signal::ctrl_c().await;
    }
}

/// Calls a run off on Ctrl-C, SIGTERM or SIGHUP; what it has started is ended with it.
pub(super) fn call_off_on_signal(cancel: Cancel) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("signal handling")?;
    std::thread::spawn(move || {
        runtime.block_on(async {
            use tokio::signal::unix::{SignalKind, signal};
            let (Ok(mut terminate), Ok(mut hang_up)) = (signal(SignalKind::terminate()), signal(SignalKind::hangup()))
            else {
                return;
            };
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
                _ = hang_up.recv() => {}
            }
        });
        cancel.cancel();
    });
    Ok(())
}
