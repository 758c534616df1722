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

/// Whether the cycle may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CycleRule {
    /// Seconds are only traded between stages.
    Fixed,
    /// The cycle may lie anywhere in `[shortest, longest]`, seconds.
    Free {
        /// Shortest cycle.
        shortest_s: u32,
        /// Longest cycle.
        longest_s: u32,
    },
}

/// Splits in whole seconds and their modelled delay.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Refined {
    pub(crate) splits_s: Vec<u32>,
    pub(crate) delay_veh_s: f64,
}

/// Modelled delay of given splits.
pub(crate) fn delay(junction: &Junction, demand: &Demand, arrivals: &Arrivals, splits_s: &[u32]) -> f64 {
    let exact: Vec<f64> = splits_s.iter().map(|s| f64::from(*s)).collect();
    let service = junction.service(&demand.flow_vps, &exact);
    fluid::run(junction, &service, &exact, &demand.queue_veh, arrivals, false).delay_veh_s
}

/// Descends from `start` within `bounds_s`.
pub(crate) fn refine(
    junction: &Junction,
    demand: &Demand,
    arrivals: &Arrivals,
    start: &[u32],
    bounds_s: &[(u32, u32)],
    rule: CycleRule,
    budget: &dyn Budget,
) -> Refined {
    let mut best = Refined { splits_s: start.to_vec(), delay_veh_s: delay(junction, demand, arrivals, start) };
    let clearance_s = junction.clearance_s;
    let allowed = |splits: &[u32]| {
        let inside = splits
            .iter()
            .zip(bounds_s)
            .enumerate()
            .all(|(p, (s, b))| (b.0..=b.1).contains(s) || (*s == 0 && junction.omittable[p] && b.1 > 0));
        let inside = inside && (splits.iter().all(|s| *s > 0) || junction.serves_all(splits));
        let cycle_s = f64::from(splits.iter().sum::<u32>()) + clearance_s;
        inside
            && match rule {
                CycleRule::Fixed => true,
                CycleRule::Free { shortest_s, longest_s } => {
                    cycle_s >= f64::from(shortest_s) && cycle_s <= f64::from(longest_s)
                }
            }
    };
    for _ in 0..SWEEPS_MAX {
        let before = best.delay_veh_s;
        for step in STEPS_S {
            for p in (0..best.splits_s.len()).filter(|p| junction.omittable[*p]) {
                for candidate in toggled(&best.splits_s, p, bounds_s[p].0, rule) {
                    if allowed(&candidate) {
                        let d = delay(junction, demand, arrivals, &candidate);
                        if d < best.delay_veh_s - 1e-9 {
                            best = Refined { splits_s: candidate, delay_veh_s: d };
                        }
                    }
                }
            }
            for moved in moves(best.splits_s.len(), rule) {
                if budget.exhausted() {
                    return best;
                }
                let Some(candidate) = moved.apply(&best.splits_s, step) else { continue };
                if !allowed(&candidate) {
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
    best
}

/// A stage left out or taken in again; with a fixed cycle, at the expense of each other stage in turn.
fn toggled(splits: &[u32], stage: usize, shortest_s: u32, rule: CycleRule) -> Vec<Vec<u32>> {
    let new_s = if splits[stage] == 0 { shortest_s } else { 0 };
    let mut base = splits.to_vec();
    base[stage] = new_s;
    if rule != CycleRule::Fixed {
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

fn moves(stages: usize, rule: CycleRule) -> Vec<Move> {
    let mut all = Vec::new();
    if rule != CycleRule::Fixed {
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
