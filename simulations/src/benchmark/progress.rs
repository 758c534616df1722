//! How far a benchmark has come, on standard error: a bar on a terminal, a line every tenth elsewhere.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::runner::Progress;

/// Nothing is said about the time left before so much has passed, and so much of the work is done: what the first
/// instants promise is not true.
const ESTIMATE_AFTER: Duration = Duration::from_secs(2);
const ESTIMATE_FROM: f64 = 0.005;

/// Shows progress on standard error.
pub fn on_stderr() -> impl FnMut(Progress) {
    let began = Instant::now();
    let bar = std::io::stderr().is_terminal().then(|| {
        let style = ProgressStyle::with_template("{msg} [{bar:40}] {percent} %, {prefix}");
        ProgressBar::new(1_000).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
    });
    let mut tenth = 0;
    move |p| {
        let left = time_left(began.elapsed(), p.share).map_or("estimating the time left".into(), in_words);
        let message = format!("{} of {} runs", p.finished, p.runs);
        if let Some(bar) = &bar {
            bar.set_message(message);
            bar.set_prefix(left);
            bar.set_position((p.share * 1_000.0) as u64);
            if p.finished == p.runs {
                bar.finish_and_clear();
            }
        } else {
            let now = (p.share * 10.0) as u32;
            if now > tenth {
                tenth = now;
                eprintln!("{message}, {} %, {left}", now * 10);
            }
        }
    }
}

/// Time left at the pace so far; none while that would be a guess.
fn time_left(passed: Duration, share: f64) -> Option<Duration> {
    if passed < ESTIMATE_AFTER || share < ESTIMATE_FROM {
        return None;
    }
    Some(passed.mul_f64((1.0 - share.min(1.0)) / share))
}

fn in_words(left: Duration) -> String {
    match left.as_secs() {
        s if s < 60 => format!("{s} s left"),
        s if s < 3_600 => format!("{} min {} s left", s / 60, s % 60),
        s => format!("{} h {} min left", s / 3_600, s / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_promised_at_the_start() {
        assert_eq!(time_left(Duration::from_secs(1), 0.5), None);
        assert_eq!(time_left(Duration::from_secs(10), 0.0), None);
        assert_eq!(time_left(Duration::from_secs(10), 0.25), Some(Duration::from_secs(30)));
        assert_eq!(time_left(Duration::from_secs(10), 1.0), Some(Duration::ZERO));
    }

    #[test]
    fn times_in_words() {
        let words = |s| in_words(Duration::from_secs(s));
        assert_eq!([words(59), words(61), words(3_720)], ["59 s left", "1 min 1 s left", "1 h 2 min left"]);
    }
}
