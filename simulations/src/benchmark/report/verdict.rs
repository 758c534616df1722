//! The verdict: what the benchmark found, in one sentence, and what must be known beside it.

use super::svg::{num, p_value, percent, percent_half};
use crate::benchmark::record::RunRecord;
use crate::benchmark::summary::{Row, Summary, paired};
use crate::metrics::Paired;

/// What the benchmark found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Verdict {
    /// In one sentence.
    pub(super) sentence: String,
    /// What must be known beside it.
    pub(super) more: Vec<String>,
    /// What makes figures doubtful.
    pub(super) warnings: Vec<String>,
    /// The controller it is about.
    pub(super) about: String,
}

impl Verdict {
    /// From the summary and all runs.
    pub(super) fn of(summary: &Summary, runs: &[&RunRecord]) -> Self {
        let reference = summary.row(&summary.reference);
        let about = about(summary);
        let mut verdict = Self { sentence: String::new(), more: Vec::new(), warnings: warnings(summary), about };
        let (Some(reference), Some(row)) = (reference, summary.row(&verdict.about)) else {
            verdict.sentence = "There are no runs.".into();
            return verdict;
        };
        if row.controller == reference.controller {
            verdict.sentence = format!("{}: total delay {}.", row.controller, with_interval(row));
            verdict.more.push("There is nothing to compare it with.".into());
            return verdict;
        }
        let of = |c: &str| runs.iter().copied().filter(|r| r.controller == c).collect::<Vec<_>>();
        let against = |other: &Row| paired(&of(&row.controller), &of(&other.controller));
        verdict.sentence = match row.against_reference {
            // The same p as in the table: corrected for the number of controllers.
            Some(p) => sentence(row, reference, &p, row.p_holm, summary.is_significant(&row.controller)),
            None => format!("{} and {} have no seed in common.", row.controller, reference.controller),
        };
        let others = || {
            let others = summary.rows.iter().filter(|r| r.controller != row.controller);
            others.filter(|r| r.controller != reference.controller)
        };
        for (best, sees) in [
            (least(others().filter(|r| r.sees <= row.sees)), "that see no more"),
            (least(others().filter(|r| r.sees > row.sees)), "that see more"),
        ] {
            if let Some((best, p)) = best.and_then(|best| Some((best, against(best)?))) {
                let text = sentence(row, best, &p, p.p_t, p.is_significant());
                verdict.more.push(format!("Against the best of the others {sees}, {}: {text}", best.controller));
            }
        }
        if row.runs < 2 {
            verdict.more.push("One seed only: nothing can be said about chance.".into());
        } else if summary.rows.iter().all(|r| leaves_nothing_to_chance(&of(&r.controller))) {
            verdict.more.push(
                "Nothing in this scenario is left to chance: all seeds give the same run, so one is enough and p says nothing."
                    .into(),
            );
        }
        verdict
    }
}

/// True when runs of different seeds are the same to the last event.
fn leaves_nothing_to_chance(runs: &[&RunRecord]) -> bool {
    runs.windows(2).all(|w| w[0].event_hash == w[1].event_hash)
}

/// The controller a verdict is about: ours, else the one with the least delay that is not the reference.
fn about(summary: &Summary) -> String {
    let ours = summary.rows.iter().find(|r| r.controller == "ours" && r.controller != summary.reference);
    let best = || least(summary.rows.iter().filter(|r| r.controller != summary.reference));
    ours.or_else(best).or(summary.rows.first()).map_or(String::new(), |r| r.controller.clone())
}

fn delay_s(row: &Row) -> f64 {
    row.figures[0].map_or(f64::INFINITY, |f| f.mean.mean)
}

fn least<'a>(rows: impl Iterator<Item = &'a Row>) -> Option<&'a Row> {
    rows.min_by(|a, b| delay_s(a).total_cmp(&delay_s(b)))
}

fn with_interval(row: &Row) -> String {
    let Some(f) = row.figures[0] else { return "unknown, as no vehicle was loaded".into() };
    let half = f.mean.half_width_95.map_or(String::new(), |h| format!(" ± {}", num(h, 1)));
    format!("{}{half} s per vehicle", num(f.mean.mean, 1))
}

fn sentence(row: &Row, other: &Row, p: &Paired, chance: Option<f64>, significant: bool) -> String {
    let half = p.change_half_width_95.map_or(String::new(), |h| format!(" ± {}", percent_half(p.change, h)));
    let chance = chance.map_or(String::new(), |p| format!(", {}", p_value(p)));
    let figures = format!(
        "{}{half} ({} against {} s per vehicle, {} {}{chance})",
        percent(p.change),
        num(delay_s(row), 1),
        num(delay_s(other), 1),
        p.pairs,
        if p.pairs == 1 { "seed" } else { "seeds" },
    );
    let (a, b) = (&row.controller, &other.controller);
    match p.change {
        _ if p.pairs < 2 => format!("{a} against {b} on one seed: {figures}."),
        _ if !significant => format!("No significant difference between {a} and {b}: {figures}."),
        c if c <= -0.55 => format!("{a} cuts delay to less than half of {b}'s: {figures}."),
        c if c <= -0.45 => format!("{a} halves delay against {b}: {figures}."),
        c if c < 0.0 => format!("{a} cuts delay against {b}: {figures}."),
        _ => format!("{a} is worse than {b}: {figures}."),
    }
}

fn warnings(summary: &Summary) -> Vec<String> {
    let mut warnings = Vec::new();
    for row in &summary.rows {
        if row.violations > 0 {
            let times = if row.violations == 1 { "once" } else { "several times" };
            warnings.push(format!(
                "{}: conflict monitors tripped {times} ({}); its figures do not count.",
                row.controller, row.violations
            ));
        }
        if row.gridlocked > 0 {
            warnings.push(format!(
                "{}: {} of {} runs gridlocked; its mean says little, look at the median.",
                row.controller, row.gridlocked, row.runs
            ));
        }
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::super::super::samples::{record, setup};
    use super::*;

    fn verdict(delays: &[(&str, &[f64])]) -> Verdict {
        let names: Vec<&str> = delays.iter().map(|d| d.0).collect();
        let seeds: Vec<u64> = (1..=delays[0].1.len() as u64).collect();
        let s = setup(&names, &seeds);
        let delays = delays.iter().flat_map(|d| d.1.iter());
        let runs: Vec<RunRecord> = s.jobs().unwrap().iter().zip(delays).map(|(j, d)| record(j, *d)).collect();
        let summary = Summary::of(&s.controllers, s.reference(), runs.iter());
        Verdict::of(&summary, &runs.iter().collect::<Vec<_>>())
    }

    #[test]
    fn halving_is_said_with_its_interval() {
        let v = verdict(&[("shipped", &[40.0, 44.0, 42.0, 41.0]), ("ours", &[20.0, 23.0, 21.0, 20.0])]);
        assert_eq!(
            v.sentence,
            "ours halves delay against shipped: −50 % ± 2 % (21.0 against 41.8 s per vehicle, 4 seeds, p < 0.001)."
        );
        assert!(v.warnings.is_empty());
    }

    #[test]
    fn nothing_significant_is_said_too() {
        let v = verdict(&[("shipped", &[40.0, 44.0, 42.0]), ("ours", &[42.0, 40.0, 43.0])]);
        assert!(
            v.sentence.starts_with("No significant difference between ours and shipped: −0.8 % ± "),
            "{}",
            v.sentence
        );
    }

    #[test]
    fn ours_is_not_spared() {
        let v = verdict(&[
            ("shipped", &[20.0, 22.0, 21.0]),
            ("ours", &[40.0, 44.0, 41.5]),
            ("greedyn7", &[10.0, 11.0, 10.5]),
        ]);
        assert!(v.sentence.starts_with("ours is worse than shipped: +99 % ± "), "{}", v.sentence);
        assert!(
            v.more[0]
                .starts_with("Against the best of the others that see more, greedyn7: ours is worse than greedyn7"),
            "{:?}",
            v.more
        );
    }

    #[test]
    fn without_ours_the_best_is_spoken_of() {
        let v = verdict(&[
            ("shipped", &[20.0, 22.0, 21.0]),
            ("webster", &[18.0, 20.5, 19.0]),
            ("greedyn7", &[8.0, 8.9, 8.5]),
        ]);
        assert_eq!(v.about, "greedyn7");
        // The paired t test alone says 0.0006; there are two to compare.
        assert!(v.sentence.ends_with("3 seeds, p = 0.001)."), "{}", v.sentence);
        assert!(v.sentence.starts_with("greedyn7 cuts delay to less than half of shipped's: −60 %"), "{}", v.sentence);
    }

    #[test]
    fn one_seed_and_one_controller_promise_nothing() {
        let v = verdict(&[("shipped", &[20.0]), ("ours", &[10.0])]);
        assert!(v.sentence.starts_with("ours against shipped on one seed: −50 %"), "{}", v.sentence);
        assert!(v.more.contains(&"One seed only: nothing can be said about chance.".to_owned()));
        let v = verdict(&[("ours", &[10.0, 12.0])]);
        assert!(v.sentence.starts_with("ours: total delay 11.0 ± 12.7 s per vehicle."), "{}", v.sentence);
    }

    #[test]
    fn gridlock_and_violations_are_warnings() {
        let s = setup(&["shipped", "ours"], &[1, 2]);
        let mut runs: Vec<RunRecord> = s.jobs().unwrap().iter().map(|j| record(j, 10.0 + j.seed as f64)).collect();
        runs[2].measures.gridlock_after_s = Some(300.0);
        runs[3].violations = 2;
        let summary = Summary::of(&s.controllers, "shipped", runs.iter());
        let v = Verdict::of(&summary, &runs.iter().collect::<Vec<_>>());
        assert_eq!(v.warnings.len(), 2, "{:?}", v.warnings);
        assert!(v.warnings[1].contains("1 of 2 runs gridlocked"));
    }
}
