//! A benchmark compared with an earlier one, for use in continuous integration.

use std::path::Path;

use super::error::BenchmarkError;
use super::record::RunRecord;
use super::setup::Setup;
use super::store::read_runs;
use super::summary::paired;
use crate::metrics::{Mean, Paired, plain, signed};

/// One controller then and now.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// The controller.
    pub controller: String,
    /// Mean total delay of the baseline, in seconds per vehicle.
    pub before_s: f64,
    /// Mean total delay now.
    pub now_s: f64,
    /// Relative change, now over before minus one.
    pub change: f64,
    /// Seed by seed, when both ran at least two of the same seeds.
    pub paired: Option<Paired>,
    /// Gridlocked runs of the baseline, and now.
    pub gridlocked: (usize, usize),
    /// It is worse than the tolerance allows.
    pub is_worse: bool,
}

/// Checks that a baseline (a `runs.jsonl`) is of the same scenario and window as a benchmark. Runs without a window, from a
/// version that did not write it, are only held against the scenario.
///
/// # Errors
/// [`BenchmarkError`] when the file cannot be read, or [`BenchmarkError::BaselineOther`].
pub fn check_baseline(path: &Path, setup: &Setup) -> Result<(), BenchmarkError> {
    let other = |what, theirs: String, ours: String| {
        Err(BenchmarkError::BaselineOther { path: path.to_owned(), what, theirs, ours })
    };
    let (name, window) = (&setup.scenario.name, setup.window());
    for run in read_runs(path)? {
        if run.scenario != *name {
            return other("scenario", format!("'{}'", run.scenario), format!("'{name}'"));
        }
        if let Some(theirs) = run.window.filter(|w| *w != window) {
            return other("window", theirs.to_string(), window.to_string());
        }
    }
    Ok(())
}

/// Compares runs with those of a baseline (a `runs.jsonl`), controller by controller. Worse is: mean total delay above the
/// baseline's by more than `tolerance`, seeds in common where there are any; or a gridlocked run where the baseline, on
/// the same number of runs, had none.
///
/// # Errors
/// [`BenchmarkError`] when the file cannot be read or knows none of the controllers.
pub fn compare<'a>(
    path: &Path,
    controllers: &[String],
    runs: impl Iterator<Item = &'a RunRecord>,
    tolerance: f64,
) -> Result<Vec<Comparison>, BenchmarkError> {
    let before = read_runs(path)?;
    let now: Vec<&RunRecord> = runs.collect();
    let found: Vec<Comparison> = controllers.iter().filter_map(|c| comparison(c, &before, &now, tolerance)).collect();
    if found.is_empty() {
        return Err(BenchmarkError::BaselineEmpty { path: path.to_owned(), controllers: controllers.join(", ") });
    }
    Ok(found)
}

fn comparison(controller: &str, before: &[RunRecord], now: &[&RunRecord], tolerance: f64) -> Option<Comparison> {
    let mut before: Vec<&RunRecord> = before.iter().filter(|r| r.controller == controller).collect();
    let mut now: Vec<&RunRecord> = now.iter().copied().filter(|r| r.controller == controller).collect();
    let common = |a: &[&RunRecord], b: &[&RunRecord]| a.iter().any(|r| b.iter().any(|s| s.seed == r.seed));
    if common(&now, &before) {
        let seeds: Vec<u64> = before.iter().map(|r| r.seed).collect();
        now.retain(|r| seeds.contains(&r.seed));
        let seeds: Vec<u64> = now.iter().map(|r| r.seed).collect();
        before.retain(|r| seeds.contains(&r.seed));
    }
    let mean = |runs: &[&RunRecord]| Mean::of(&runs.iter().map(|r| r.total_delay_s()).collect::<Vec<f64>>());
    let (before_s, now_s) = (mean(&before)?.mean, mean(&now)?.mean);
    let gridlocked = |runs: &[&RunRecord]| runs.iter().filter(|r| r.is_gridlocked()).count();
    let gridlocked = (gridlocked(&before), gridlocked(&now));
    let change = if before_s > 0.0 { now_s / before_s - 1.0 } else { 0.0 };
    // From no delay at all, any delay is worse.
    let slower = if before_s > 0.0 { change > tolerance } else { now_s > 0.0 };
    Some(Comparison {
        controller: controller.to_owned(),
        before_s,
        now_s,
        change,
        paired: paired(&now, &before).filter(|p| p.pairs > 1),
        gridlocked,
        is_worse: slower || gridlocked.1 > gridlocked.0,
    })
}

impl std::fmt::Display for Comparison {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let half = self.paired.and_then(|p| p.change_half_width_95);
        let half = half.map_or(String::new(), |h| format!(" ± {:.1}", 100.0 * h));
        write!(
            f,
            "{}: total delay {} s per vehicle, baseline {} s: {}{half} %",
            self.controller,
            plain(self.now_s, 2),
            plain(self.before_s, 2),
            signed(100.0 * self.change, 1)
        )?;
        let (before, now) = self.gridlocked;
        if before != 0 || now != 0 {
            write!(f, ", {now} gridlocked runs, baseline {before}")?;
        }
        Ok(())
    }
}

/// Reads a tolerance: `3%`, `3 %` or `0.03`. A share of 1 or more is refused: who writes 3 means 3 %.
///
/// # Errors
/// [`BenchmarkError::Tolerance`].
pub fn parse_tolerance(text: &str) -> Result<f64, BenchmarkError> {
    let wrong = || BenchmarkError::Tolerance { text: text.to_owned() };
    let percent = text.trim().strip_suffix('%');
    let value: f64 = percent.unwrap_or(text).trim().parse().map_err(|_| wrong())?;
    match percent {
        Some(_) if (0.0..=100.0).contains(&value) => Ok(value * 0.01),
        None if (0.0..1.0).contains(&value) => Ok(value),
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::record::RunWindow;
    use super::super::samples::{record, setup};
    use super::*;

    fn runs(seeds: &[u64], delay_s: f64) -> Vec<RunRecord> {
        setup(&["a"], seeds).jobs().unwrap().iter().map(|j| record(j, delay_s + j.seed as f64)).collect()
    }

    fn against(before: &[RunRecord], now: &[RunRecord], tolerance: f64) -> Result<Vec<Comparison>, BenchmarkError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("runs.jsonl");
        let lines: Vec<String> = before.iter().map(|r| serde_json::to_string(r).unwrap()).collect();
        std::fs::write(&path, lines.join("\n")).unwrap();
        compare(&path, &["a".into()], now.iter(), tolerance)
    }

    #[test]
    fn worse_is_more_than_the_tolerance_over_common_seeds() {
        // Seeds 1 and 2 in common: 11.5 before, 12 now.
        let before = runs(&[1, 2, 9], 10.0);
        let now: Vec<RunRecord> = runs(&[1, 2], 10.5);
        let found = &against(&before, &now, 0.05).unwrap()[0];
        assert!((found.change - 0.5 / 11.5).abs() < 1e-12);
        assert!(!found.is_worse);
        assert!(against(&before, &now, 0.03).unwrap()[0].is_worse);
        assert_eq!(found.paired.unwrap().pairs, 2);
        let text = found.to_string();
        assert!(text.starts_with("a: total delay 12.00 s per vehicle, baseline 11.50 s: +4.3"), "{text}");
    }

    #[test]
    fn a_new_gridlock_is_worse_whatever_the_mean() {
        let before = runs(&[1, 2], 10.0);
        let mut now = runs(&[1, 2], 9.0);
        now[0].measures.gridlock_after_s = Some(100.0);
        let found = &against(&before, &now, 0.5).unwrap()[0];
        assert!(found.is_worse);
        assert!(found.to_string().ends_with("1 gridlocked runs, baseline 0"));
    }

    #[test]
    fn a_baseline_of_others_is_refused() {
        let mut before = runs(&[1], 10.0);
        before[0].controller = "b".into();
        let error = against(&before, &runs(&[1], 10.0), 0.0).unwrap_err().to_string();
        assert!(error.contains("it has no run of any of these controllers: a"), "{error}");
    }

    #[test]
    fn a_baseline_of_another_scenario_or_window_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("runs.jsonl");
        let mine = setup(&["a"], &[1]);
        let mut run = runs(&[1], 10.0).remove(0);
        let mut check = |change: &dyn Fn(&mut RunRecord)| {
            change(&mut run);
            std::fs::write(&path, serde_json::to_string(&run).unwrap()).unwrap();
            check_baseline(&path, &mine).map_err(|e| e.to_string())
        };
        check(&|_| {}).unwrap();
        check(&|r| r.window = None).unwrap();
        let error = check(&|r| r.window = Some(RunWindow { begin_s: 0.0, end_s: 300.0, warm_up_s: 0.0 })).unwrap_err();
        assert!(
            error.ends_with(
                "its window is 0 to 300 s, the first 0 s left out; this one's is 0 to 600 s, the first 0 s left out"
            ),
            "{error}"
        );
        let error = check(&|r| r.scenario = "riverside".into()).unwrap_err();
        assert!(error.ends_with("its scenario is 'riverside'; this one's is 'grid 1x1'"), "{error}");
    }

    #[test]
    fn tolerances_are_read() {
        assert_eq!(parse_tolerance("3%").unwrap(), 0.03);
        assert_eq!(parse_tolerance(" 3 % ").unwrap(), 0.03);
        assert_eq!(parse_tolerance("0.05").unwrap(), 0.05);
        assert_eq!(parse_tolerance("100%").unwrap(), 1.0);
        for wrong in ["", "%", "-3%", "three", "inf", "nan%", "3", "1", "101%", "inf%"] {
            assert!(parse_tolerance(wrong).is_err(), "{wrong}");
        }
    }
}
