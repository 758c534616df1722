//! Polishes splits: descent on whole seconds by the delay of the second-by-second model.
//!
//! The linear program sees queues at the end of cycles; which stage comes first, when a platoon arrives and how long a
//! red lasts inside a cycle it does not see. From its answer, single stages are lengthened and shortened and pairs traded
//! as long as the modelled delay falls. Anytime: whatever is reached when the budget ends is a complete answer.

use std::collections::BTreeMap;

use super::budget::Budget;
use super::fluid;
use super::isolated::Case;
use super::junction::Junction;

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

    /// Shortest and longest length of each stage.
    pub(crate) fn exact_s(&self) -> Vec<(f64, f64)> {
        self.stages_s.iter().map(|b| (f64::from(b.0), f64::from(b.1))).collect()
    }

    /// The nearest stage lengths that are allowed, each stage kept or left out as it is; `None` where there are none.
    pub(crate) fn repaired(&self, junction: &Junction, splits_s: &[u32]) -> Option<Vec<u32>> {
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

/// Steps in which stage lengths that are not legal are led back to those that run.
const WAY_PARTS: u32 = 4;

/// Work of the model per lane and second, and of the validator per lane of the junction.
const LANE_SECOND_WORK: u64 = 8;
const VALIDATION_LANE_WORK: u64 = 20_000;

/// Seconds that a repair may move in all.
const TRIES_MAX: usize = 1000;

/// Splits in whole seconds and their modelled delay.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Refined {
    pub(crate) splits_s: Vec<u32>,
    pub(crate) delay_veh_s: f64,
}

/// What was found out about stage lengths in one decision, so that nothing is worked out twice.
pub(crate) struct Search<'a> {
    case: &'a Case<'a>,
    delay_veh_s: BTreeMap<Vec<u32>, f64>,
    legal: BTreeMap<Vec<u32>, bool>,
}

impl<'a> Search<'a> {
    pub(crate) const fn new(case: &'a Case<'a>) -> Self {
        Self { case, delay_veh_s: BTreeMap::new(), legal: BTreeMap::new() }
    }

    pub(crate) const fn case(&self) -> &'a Case<'a> {
        self.case
    }

    /// Modelled delay of given splits.
    pub(crate) fn delay(&mut self, splits_s: &[u32], budget: &dyn Budget) -> f64 {
        if let Some(known) = self.delay_veh_s.get(splits_s) {
            return *known;
        }
        let Case { junction, demand, arrivals, .. } = *self.case;
        let exact: Vec<f64> = splits_s.iter().map(|s| f64::from(*s)).collect();
        let service = junction.service(demand, &exact);
        let delay_veh_s = fluid::run(junction, &service, &exact, demand, arrivals, false).delay_veh_s;
        self.delay_veh_s.insert(splits_s.to_vec(), delay_veh_s);
        let horizon_s = arrivals.per_s.first().map_or(0, Vec::len) + exact.len();
        budget.spend((junction.lanes.len() * horizon_s) as u64 * LANE_SECOND_WORK);
        delay_veh_s
    }

    /// True where the validator would let splits within the bounds pass.
    pub(crate) fn legal(&mut self, splits_s: &[u32], budget: &dyn Budget) -> bool {
        if let Some(known) = self.legal.get(splits_s) {
            return *known;
        }
        let legal = (self.case.legal)(splits_s);
        self.legal.insert(splits_s.to_vec(), legal);
        budget.spend(self.case.junction.lanes.len() as u64 * VALIDATION_LANE_WORK);
        legal
    }

    /// Descends from `start`, repaired to lie within the bounds; `None` where nothing near it is allowed.
    pub(crate) fn refine(&mut self, start: &[u32], budget: &dyn Budget) -> Option<Refined> {
        let Case { junction, bounds, .. } = *self.case;
        let start = bounds.repaired(junction, start)?;
        let start = if self.legal(&start, budget) { start } else { self.legal_near(&start, budget)? };
        let delay_veh_s = self.delay(&start, budget);
        let mut best = Refined { splits_s: start, delay_veh_s };
        let fixed = bounds.cycle_is_set();
        let moves = moves(best.splits_s.len(), fixed);
        for _ in 0..SWEEPS_MAX {
            let before = best.delay_veh_s;
            for step in STEPS_S {
                for p in (0..best.splits_s.len()).filter(|p| bounds.may_go[*p]) {
                    for candidate in toggled(&best.splits_s, p, bounds.stages_s[p].0, fixed) {
                        if budget.exhausted() {
                            return Some(best);
                        }
                        self.take_if_better(candidate, &mut best, budget);
                    }
                }
                for moved in &moves {
                    if budget.exhausted() {
                        return Some(best);
                    }
                    if let Some(candidate) = moved.apply(&best.splits_s, step) {
                        self.take_if_better(candidate, &mut best, budget);
                    }
                }
            }
            if best.delay_veh_s >= before - 1e-6 * before.abs() {
                break;
            }
        }
        Some(best)
    }

    fn take_if_better(&mut self, candidate: Vec<u32>, best: &mut Refined, budget: &dyn Budget) {
        if !self.case.bounds.allow(self.case.junction, &candidate) {
            return;
        }
        let delay_veh_s = self.delay(&candidate, budget);
        if delay_veh_s < best.delay_veh_s - 1e-9 && self.legal(&candidate, budget) {
            *best = Refined { splits_s: candidate, delay_veh_s };
        }
    }

    /// The legal stage lengths nearest to those that are within the bounds only: on the way from them to what runs.
    fn legal_near(&mut self, splits_s: &[u32], budget: &dyn Budget) -> Option<Vec<u32>> {
        let Case { junction, bounds, running_s, .. } = *self.case;
        for part in 1..=WAY_PARTS {
            let between = |(s, r): (&u32, &u32)| {
                if (*s == 0) != (*r == 0) {
                    return *s;
                }
                (s * (WAY_PARTS - part) + r * part + WAY_PARTS / 2) / WAY_PARTS
            };
            let tried: Vec<u32> = splits_s.iter().zip(running_s).map(between).collect();
            if let Some(tried) = bounds.repaired(junction, &tried).filter(|t| self.legal(t, budget)) {
                return Some(tried);
            }
        }
        None
    }
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
