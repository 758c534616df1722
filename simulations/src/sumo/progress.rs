//! How far a run has come.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressStyle};

/// How far a run has come.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// The seed that runs.
    pub seed: u64,
    /// Its number, from 1.
    pub run: usize,
    /// Number of seeds.
    pub runs: usize,
    /// Seconds simulated in this run.
    pub done_s: u32,
    /// Seconds to simulate in this run.
    pub of_s: u32,
}

/// Shows progress on standard error: a bar on a terminal, a line every quarter elsewhere.
pub fn on_stderr() -> impl FnMut(Progress) {
    let bar = std::io::stderr().is_terminal().then(|| {
        let style = ProgressStyle::with_template("{msg} [{bar:40}] {pos}/{len} s, {eta} left");
        ProgressBar::no_length().with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
    });
    let mut quarter = 0;
    move |p| {
        if let Some(bar) = &bar {
            bar.set_length(u64::from(p.of_s));
            bar.set_position(u64::from(p.done_s));
            if p.done_s == 0 {
                bar.reset_eta();
                bar.set_message(format!("seed {} ({}/{})", p.seed, p.run, p.runs));
            }
            if p.done_s == p.of_s && p.run == p.runs {
                bar.finish_and_clear();
            }
        } else {
            let now = u64::from(p.done_s) * 4 / u64::from(p.of_s.max(1));
            if p.done_s == 0 || now != quarter {
                eprintln!("seed {} ({}/{}): {}/{} s", p.seed, p.run, p.runs, p.done_s, p.of_s);
            }
            quarter = now;
        }
    }
}
