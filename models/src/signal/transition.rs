//! From one plan to the next without breaking either: how a controller gets into step with a new offset.
//!
//! A controller changes plan at the start of a cycle. When the new plan would then stand elsewhere in its cycle, the
//! controller runs up to three lengthened or shortened cycles of the new plan until it is in step. The same code plans
//! the transition in the validator and runs it in every street.

use serde::{Deserialize, Serialize};

use crate::signal::{Controller, OffsetReference, PlanView, Program, ProgramError, TimingPlan};
use crate::units::{Ds, TimeDs};

/// Most cycles a transition may take.
const CYCLES_MAX: u32 = 3;

/// Most a cycle may be lengthened in transition, as a share of the cycle (1/4), so that queues on red stay bounded.
const LENGTHEN_SHARE: u32 = 4;

/// How a controller gets into step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransitionMethod {
    /// Stay in the first stage until in step; one cycle, however long.
    Dwell,
    /// Lengthen or shorten, whichever is done in fewer cycles, then with less change.
    ShortWay,
    /// Only ever lengthen.
    Add,
}

/// Cycles to run before the new plan is in step; empty when it is so at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition {
    /// Plans to run for one cycle each, in order; offsets say when each starts.
    pub cycles: Vec<TimingPlan>,
    /// When the new plan itself takes over, in step.
    pub ends: TimeDs,
}

/// Why there is no transition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransitionError {
    /// Three cycles do not suffice.
    #[error("{late} out of step cannot be made up within {CYCLES_MAX} cycles")]
    TooFar {
        /// How far the plan is ahead of the controller at the change.
        late: Ds,
    },
    /// The plan's view has no stages of this program.
    #[error("a transition needs the stages of the controller's program")]
    NoStages,
    /// The stages do not fit the program.
    #[error(transparent)]
    Program(#[from] ProgramError),
}

/// Adds `total` to the splits in proportion to `weights`, exactly (largest remainder, first wins ties).
fn spread(splits: &mut [Ds], weights: &[u32], total: u32, add: bool) {
    let sum: u64 = weights.iter().map(|w| u64::from(*w)).sum();
    if sum == 0 {
        return;
    }
    let share = |w: u32| u64::from(total) * u64::from(w);
    let mut parts: Vec<u32> = weights.iter().map(|w| (share(*w) / sum) as u32).collect();
    let mut left = total - parts.iter().sum::<u32>();
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by_key(|&i| (std::cmp::Reverse(share(weights[i]) % sum), i));
    for i in order.into_iter().cycle().take(weights.len() * 2) {
        if left == 0 {
            break;
        }
        if weights[i] > parts[i] || add {
            parts[i] += 1;
            left -= 1;
        }
    }
    for (s, p) in splits.iter_mut().zip(parts) {
        *s = if add { *s + Ds(p) } else { *s - Ds(p) };
    }
}

impl Transition {
    /// Plans the way into `new` for a controller that starts a cycle at `at`.
    ///
    /// # Errors
    /// [`TransitionError`] when the plan has no stages or three cycles do not suffice.
    pub fn into_plan(
        controller: &Controller,
        new: &TimingPlan,
        at: TimeDs,
        method: TransitionMethod,
    ) -> Result<Self, TransitionError> {
        let late = new.position_at(at);
        if late == Ds::ZERO {
            return Ok(Self { cycles: Vec::new(), ends: at });
        }
        let PlanView::Stages { splits } = &new.view else {
            return Err(TransitionError::NoStages);
        };
        let splits: Vec<Ds> = splits.iter().map(|s| s.green).collect();
        let program = &controller.program;
        let slack: Vec<u32> = splits.iter().zip(program.min_splits()).map(|(s, min)| s.saturating_sub(min).0).collect();
        let early = new.cycle - late;
        let room = controller.limits.cycle_max.saturating_sub(new.cycle).0;
        let longest = (new.cycle.0 / LENGTHEN_SHARE).min(room);
        let shortest = slack.iter().sum::<u32>().min(new.cycle.saturating_sub(controller.limits.cycle_min).0);
        let cycles_for = |total: Ds, per_cycle: u32| (per_cycle > 0).then(|| total.0.div_ceil(per_cycle));
        let (total, add, count) = match method {
            TransitionMethod::Dwell => {
                if early.0 > room {
                    return Err(TransitionError::TooFar { late });
                }
                (early, true, Some(1))
            }
            TransitionMethod::Add => (early, true, cycles_for(early, longest)),
            TransitionMethod::ShortWay => {
                let (up, down) = (cycles_for(early, longest), cycles_for(late, shortest));
                let rank = |count: Option<u32>, total: Ds| (count.unwrap_or(u32::MAX), total.0);
                if rank(down, late) < rank(up, early) { (late, false, down) } else { (early, true, up) }
            }
        };
        let count = count.filter(|c| *c <= CYCLES_MAX).ok_or(TransitionError::TooFar { late })?;
        let mut cycles = Vec::new();
        let mut start = at;
        let mut left = total.0;
        for k in (1..=count).rev() {
            let part = left.div_ceil(k);
            left -= part;
            let mut lengths = splits.clone();
            if method == TransitionMethod::Dwell {
                lengths[0] += Ds(part);
            } else if add {
                let weights: Vec<u32> = splits.iter().map(|s| s.0).collect();
                spread(&mut lengths, &weights, part, true);
            } else {
                spread(&mut lengths, &slack, part, false);
            }
            let plan = starting_at(program, controller, &lengths, start)?;
            start = start + plan.cycle;
            cycles.push(plan);
        }
        debug_assert_eq!(new.position_at(start), Ds::ZERO);
        Ok(Self { cycles, ends: start })
    }
}

/// Compiles stage lengths into a plan whose cycle starts at `start`.
fn starting_at(
    program: &Program,
    controller: &Controller,
    splits: &[Ds],
    start: TimeDs,
) -> Result<TimingPlan, ProgramError> {
    let mut plan = program.compile(&controller.groups, splits, Ds::ZERO)?;
    debug_assert_eq!(plan.reference, OffsetReference::CycleStart);
    plan.offset = Ds(start.0.rem_euclid(i64::from(plan.cycle.0)) as u32);
    Ok(plan)
}
