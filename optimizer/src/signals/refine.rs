//! Polishes splits: descent on whole seconds by the delay of the second-by-second model.
//!
//! The linear program sees queues at the end of cycles; which stage comes first, when a platoon arrives and how long a
//! red lasts inside a cycle it does not see. From its answer, single stages are lengthened and shortened and pairs traded
//! as long as the modelled delay falls. Anytime: whatever is reached when the budget ends is a complete answer.

use super::budget::Budget;
use super::fluid::{self, Arrivals};
use super::junction::{Demand, Junction};

/// Seconds by which a stage is changed in one try, largest first.
const STEPS_S: [i64; 4] = [8, 4, 2, 1];

/// Sweeps at most; each sweep tries every stage and every pair at every step length.
const SWEEPS_MAX: usize = 12;

/// What bounds the stage lengths of the next cycle.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Bounds {
    /// Shortest and longest length of each stage that is kept, seconds.
    pub(crate) stages_s: Vec<(u32, u32)>,
    /// Stages that may be left out.
    pub(crate) may_go: Vec<bool>,
    /// Stages that may be the first of those kept.
    pub(crate) may_start: Vec<bool>,
    /// Shortest and longest cycle, seconds; equal where it is set.
    pub(crate) cycle_s: (f64, f64),
}

impl Bounds {
    /// The range for a cycle that is set: stage lengths are whole seconds, clearances need not be.
    pub(crate) fn set_cycle_s(cycle_s: u32) -> (f64, f64) {
        (f64::from(cycle_s) - 0.95, f64::from(cycle_s))
    }

    /// True when these stage lengths lie within.
    pub(crate) fn allow(&self, junction: &Junction, splits_s: &[u32]) -> bool {
        let inside =
            |(p, s): (usize, &u32)| *s == 0 && self.may_go[p] || (self.stages_s[p].0..=self.stages_s[p].1).contains(s);
        splits_s.iter().position(|s| *s > 0).is_some_and(|first| self.may_start[first])
            && splits_s.iter().enumerate().all(inside)
            && junction.cycle_s(splits_s).is_some_and(|c| c >= self.cycle_s.0 - 1e-6 && c <= self.cycle_s.1 + 1e-6)
    }

    /// The nearest stage lengths that are allowed, each stage kept or left out as it is; `None` where there are none.
    fn repaired(&self, junction: &Junction, splits_s: &[u32]) -> Option<Vec<u32>> {
        let kept = |p: &usize| splits_s[*p] > 0;
        let mut out: Vec<u32> =
            splits_s.iter().zip(&self.stages_s).map(|(s, b)| if *s == 0 { 0 } else { (*s).clamp(b.0, b.1) }).collect();
        for _ in 0..TRIES_MAX {
            let cycle_s = junction.cycle_s(&out)?;
            let all = (0..out.len()).filter(kept);
            if cycle_s > self.cycle_s.1 + 1e-6 {
                let p = all.filter(|&p| out[p] > self.stages_s[p].0).max_by_key(|&p| out[p] - self.stages_s[p].0)?;
                out[p] -= 1;
            } else if cycle_s < self.cycle_s.0 - 1e-6 {
                let p = all.filter(|&p| out[p] < self.stages_s[p].1).max_by_key(|&p| out[p])?;
                out[p] += 1;
            } else {
                return Some(out).filter(|o| self.allow(junction, o));
            }
        }
        None
    }

    /// True where the cycle is set, and seconds are only traded between stages.
    fn cycle_is_set(&self) -> bool {
        self.cycle_s.1 - self.cycle_s.0 < 1.0
    }
}

/// Seconds that a repair may move in all.
const TRIES_MAX: usize = 1000;

/// Splits in whole seconds and their modelled delay.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Refined {
    pub(crate) splits_s: Vec<u32>,
    pub(crate) delay_veh_s: f64,
}

/// Modelled delay of given splits.
pub(crate) fn delay(junction: &Junction, demand: &Demand, arrivals: &Arrivals, splits_s: &[u32]) -> f64 {
    let exact: Vec<f64> = splits_s.iter().map(|s| f64::from(*s)).collect();
    let service = junction.service(demand, &exact);
    fluid::run(junction, &service, &exact, demand, arrivals, false).delay_veh_s
}

/// Descends from `start`, repaired to lie within `bounds`; `None` where nothing near it does.
pub(crate) fn refine(
    junction: &Junction,
    demand: &Demand,
    arrivals: &Arrivals,
    start: &[u32],
    bounds: &Bounds,
    budget: &dyn Budget,
) -> Option<Refined> {
    let start = bounds.repaired(junction, start)?;
    let delay_veh_s = delay(junction, demand, arrivals, &start);
    let mut best = Refined { splits_s: start, delay_veh_s };
    let fixed = bounds.cycle_is_set();
    for _ in 0..SWEEPS_MAX {
        let before = best.delay_veh_s;
        for step in STEPS_S {
            for p in (0..best.splits_s.len()).filter(|p| bounds.may_go[*p]) {
                for candidate in toggled(&best.splits_s, p, bounds.stages_s[p].0, fixed) {
                    if bounds.allow(junction, &candidate) {
                        let d = delay(junction, demand, arrivals, &candidate);
                        if d < best.delay_veh_s - 1e-9 {
                            best = Refined { splits_s: candidate, delay_veh_s: d };
                        }
                    }
                }
            }
            for moved in moves(best.splits_s.len(), fixed) {
                if budget.exhausted() {
                    return Some(best);
                }
                let Some(candidate) = moved.apply(&best.splits_s, step) else { continue };
                if !bounds.allow(junction, &candidate) {
                    continue;
                }
                let d = delay(junction, demand, arrivals, &candidate);
                if d < best.delay_veh_s - 1e-9 {
                    best = Refined { splits_s: candidate, delay_veh_s: d };
                }
            }
        }
        if best.delay_veh_s >= before - 1e-6 * before.abs() {
            break;
        }
    }
    Some(best)
}

/// A stage left out or taken in again; with a fixed cycle, at the expense of each other stage in turn.
fn toggled(splits: &[u32], stage: usize, shortest_s: u32, fixed: bool) -> Vec<Vec<u32>> {
    let new_s = if splits[stage] == 0 { shortest_s } else { 0 };
    let mut base = splits.to_vec();
    base[stage] = new_s;
    if !fixed {
        return vec![base];
    }
    (0..splits.len())
        .filter(|q| *q != stage && splits[*q] > 0)
        .filter_map(|q| {
            let mut out = base.clone();
            out[q] = (out[q] + splits[stage]).checked_sub(new_s)?;
            Some(out)
        })
        .collect()
}

/// One change of the splits.
#[derive(Debug, Clone, Copy)]
struct Move {
    longer: Option<usize>,
    shorter: Option<usize>,
}

impl Move {
    fn apply(self, splits: &[u32], step: i64) -> Option<Vec<u32>> {
        let mut out = splits.to_vec();
        if let Some(p) = self.longer {
            if out[p] == 0 {
                return None;
            }
            out[p] = u32::try_from(i64::from(out[p]) + step).ok()?;
        }
        if let Some(p) = self.shorter {
            out[p] = u32::try_from(i64::from(out[p]) - step).ok()?;
        }
        Some(out)
    }
}

fn moves(stages: usize, fixed: bool) -> Vec<Move> {
    let mut all = Vec::new();
    if !fixed {
        for p in 0..stages {
            all.push(Move { longer: None, shorter: Some(p) });
            all.push(Move { longer: Some(p), shorter: None });
        }
    }
    for p in 0..stages {
        for q in 0..stages {
            if p != q {
                all.push(Move { longer: Some(p), shorter: Some(q) });
            }
        }
    }
    all
}
