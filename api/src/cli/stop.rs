//! The end of a command that runs until it is told to stop.

use std::io::Write as _;
use std::path::Path;

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

/// Done when the process is asked to end.
pub(super) async fn stop() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = interrupt => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    let _ = interrupt.await;
}
