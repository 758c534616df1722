//! From one plan to the next without breaking either: how a controller gets into step with a new offset.
//!
//! A controller changes plan at the start of a cycle. When the new plan would then stand elsewhere in its cycle, the
//! controller runs up to three lengthened or shortened cycles of the new plan until it is in step. The same code plans
//! the transition in the validator and runs it in every street.

use serde::{Deserialize, Serialize};

use crate::signal::{
    Controller, OffsetReference, PlanView, ProgramError, RingBarrier, RingBarrierError, RingPhase, TimingPlan,
};
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
    /// The view's stages or phases are not those of the controller.
    #[error("a transition needs the stages or the rings of the controller")]
    NoStages,
    /// The controller cannot make up so fine a difference.
    #[error("{late} out of step is no multiple of the controller's resolution {resolution}")]
    Resolution {
        /// How far the plan is ahead of the controller at the change.
        late: Ds,
        /// Smallest step of time the controller resolves.
        resolution: Ds,
    },
    /// The plan's splits do not add up to its cycle, so the way does not end in step.
    #[error("the splits do not add up to the cycle")]
    OutOfStep,
    /// The stages do not fit the program.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// The splits do not fit the rings.
    #[error(transparent)]
    Rings(#[from] RingBarrierError),
}

/// Divides `total` in proportion to `weights`, exactly: largest remainder, first wins ties. No share passes its weight
/// when `total` does not pass their sum. All zero when the weights are.
fn shares(total: u32, weights: &[u32]) -> Vec<u32> {
    let sum: u64 = weights.iter().map(|w| u64::from(*w)).sum();
    if sum == 0 {
        return vec![0; weights.len()];
    }
    let product = |w: u32| u64::from(total) * u64::from(w);
    let mut parts: Vec<u32> = weights.iter().map(|w| (product(*w) / sum) as u32).collect();
    let left = total - parts.iter().sum::<u32>();
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by_key(|&i| (std::cmp::Reverse(product(weights[i]) % sum), i));
    // Fewer are left than there are weights with a remainder, and a share with a remainder is below its weight.
    for i in order.into_iter().take(left as usize) {
        parts[i] += 1;
    }
    parts
}

/// What a transition lengthens and shortens: the splits of a plan, in multiples of the controller's resolution.
struct Splits<'a> {
    controller: &'a Controller,
    plan: &'a TimingPlan,
    unit: u32,
}

impl Splits<'_> {
    fn units(&self, d: Ds) -> u32 {
        d.0 / self.unit
    }

    /// Slack of each stage, or of each barrier group (that of its tightest ring), in units.
    fn slacks(&self) -> Result<Vec<u32>, TransitionError> {
        match &self.plan.view {
            PlanView::Stages { splits } => {
                let minima = self.controller.program.min_splits();
                if minima.len() != splits.len() || splits.is_empty() {
                    return Err(TransitionError::NoStages);
                }
                Ok(splits.iter().zip(minima).map(|(s, min)| self.units(s.green.saturating_sub(min))).collect())
            }
            PlanView::RingBarrier { splits } => {
                let rings = self.rings()?;
                let ring_slack = |ring: &Vec<RingPhase>| -> u64 {
                    ring.iter().filter(|p| !p.omitted).map(|p| u64::from(self.phase_slack(splits, p))).sum()
                };
                let tightest = |rings: &Vec<Vec<RingPhase>>| rings.iter().map(ring_slack).min().unwrap_or(0);
                Ok(rings.barrier_groups.iter().map(|b| tightest(&b.rings).min(u64::from(u32::MAX)) as u32).collect())
            }
        }
    }

    fn rings(&self) -> Result<&RingBarrier, TransitionError> {
        self.controller.ring_barrier.as_ref().filter(|r| !r.barrier_groups.is_empty()).ok_or(TransitionError::NoStages)
    }

    fn phase_slack(&self, splits: &[(u8, Ds)], phase: &RingPhase) -> u32 {
        let split = splits.iter().find(|s| s.0 == phase.phase).map_or(Ds::ZERO, |s| s.1);
        self.units(split.saturating_sub(phase.min_split()))
    }

    /// Gives each stage (each ring of each barrier group) a change by `parts`, in units, longer or shorter, and compiles
    /// that into a plan whose cycle starts at `start`.
    fn changed(&self, parts: &[u32], add: bool, start: TimeDs) -> Result<TimingPlan, TransitionError> {
        let by = |d: Ds, part: u32| {
            let change = Ds(part * self.unit);
            if add { Ds(d.0.saturating_add(change.0)) } else { d.saturating_sub(change) }
        };
        let groups = &self.controller.groups;
        let mut plan = match &self.plan.view {
            PlanView::Stages { splits } => {
                let lengths: Vec<Ds> = splits.iter().zip(parts).map(|(s, part)| by(s.green, *part)).collect();
                self.controller.program.compile(groups, &self.controller.conflicts, &lengths, Ds::ZERO)?
            }
            PlanView::RingBarrier { splits } => {
                let rings = self.rings()?;
                let mut lengths = splits.clone();
                for (between, part) in rings.barrier_groups.iter().zip(parts) {
                    for ring in &between.rings {
                        let phases: Vec<&RingPhase> = ring.iter().filter(|p| !p.omitted).collect();
                        let length = |p: &RingPhase| splits.iter().find(|s| s.0 == p.phase).map_or(Ds::ZERO, |s| s.1);
                        let weights: Vec<u32> = phases
                            .iter()
                            .map(|p| if add { self.units(length(p)).max(1) } else { self.phase_slack(splits, p) })
                            .collect();
                        for (p, share) in phases.iter().zip(shares(*part, &weights)) {
                            for s in lengths.iter_mut().filter(|s| s.0 == p.phase) {
                                s.1 = by(s.1, share);
                            }
                        }
                    }
                }
                rings.compile(groups.len(), &lengths, Ds::ZERO, OffsetReference::CycleStart)?
            }
        };
        plan.offset = Ds(start.0.rem_euclid(i64::from(plan.cycle.0.max(1))) as u32);
        Ok(plan)
    }

    /// Lengths by which a longer cycle is shared out, in units.
    fn lengths(&self) -> Result<Vec<u32>, TransitionError> {
        Ok(match &self.plan.view {
            // A stage that is left out stays so.
            PlanView::Stages { splits } => {
                splits.iter().map(|s| if s.green == Ds::ZERO { 0 } else { self.units(s.green).max(1) }).collect()
            }
            PlanView::RingBarrier { splits } => {
                let length = |p: &RingPhase| splits.iter().find(|s| s.0 == p.phase).map_or(0, |s| u64::from(s.1.0));
                let first_ring = |rings: &Vec<Vec<RingPhase>>| -> u64 {
                    rings.first().map_or(0, |r| r.iter().filter(|p| !p.omitted).map(length).sum())
                };
                let unit = u64::from(self.unit);
                let units = |ds: u64| (ds / unit).clamp(1, u64::from(u32::MAX)) as u32;
                self.rings()?.barrier_groups.iter().map(|b| units(first_ring(&b.rings))).collect()
            }
        })
    }
}

impl Transition {
    /// Plans the way into `new` for a controller that starts a cycle at `at`. Every split changes by multiples of the
    /// controller's resolution, and none falls below its minimum.
    ///
    /// # Errors
    /// [`TransitionError`] when the plan is not of this controller or three cycles do not suffice.
    pub fn into_plan(
        controller: &Controller,
        new: &TimingPlan,
        at: TimeDs,
        method: TransitionMethod,
    ) -> Result<Self, TransitionError> {
        if new.cycle == Ds::ZERO {
            return Err(TransitionError::NoStages);
        }
        let late = new.position_at(at);
        if late == Ds::ZERO {
            return Ok(Self { cycles: Vec::new(), ends: at });
        }
        let resolution = controller.limits.resolution;
        let unit = resolution.0.max(1);
        let early = new.cycle - late;
        if !late.0.is_multiple_of(unit) || !early.0.is_multiple_of(unit) {
            return Err(TransitionError::Resolution { late, resolution });
        }
        let splits = Splits { controller, plan: new, unit };
        let slacks = splits.slacks()?;
        let (late_units, early_units) = (late.0 / unit, early.0 / unit);
        let room = splits.units(controller.limits.cycle_max.saturating_sub(new.cycle));
        let longest = splits.units(Ds(new.cycle.0 / LENGTHEN_SHARE)).min(room);
        let slack = slacks.iter().map(|s| u64::from(*s)).sum::<u64>().min(u64::from(u32::MAX)) as u32;
        let shortest = slack.min(splits.units(new.cycle.saturating_sub(controller.limits.cycle_min)));
        let cycles_for = |total: u32, per_cycle: u32| (per_cycle > 0).then(|| total.div_ceil(per_cycle));
        let (total, add, count) = match method {
            TransitionMethod::Dwell => (early_units, true, (early_units <= room).then_some(1)),
            TransitionMethod::Add => (early_units, true, cycles_for(early_units, longest)),
            TransitionMethod::ShortWay => {
                let (up, down) = (cycles_for(early_units, longest), cycles_for(late_units, shortest));
                let rank = |count: Option<u32>, total: u32| (count.unwrap_or(u32::MAX), total);
                if rank(down, late_units) < rank(up, early_units) {
                    (late_units, false, down)
                } else {
                    (early_units, true, up)
                }
            }
        };
        let count = count.filter(|c| *c <= CYCLES_MAX).ok_or(TransitionError::TooFar { late })?;
        let weights = match (method, add) {
            (_, false) => slacks,
            (TransitionMethod::Dwell, _) => (0..slacks.len()).map(|i| u32::from(i == 0)).collect(),
            (_, true) => splits.lengths()?,
        };
        let mut cycles = Vec::new();
        let mut start = at;
        let mut left = total;
        for k in (1..=count).rev() {
            let part = left.div_ceil(k);
            left -= part;
            let plan = splits.changed(&shares(part, &weights), add, start)?;
            start = start + plan.cycle;
            cycles.push(plan);
        }
        if new.position_at(start) != Ds::ZERO {
            return Err(TransitionError::OutOfStep);
        }
        Ok(Self { cycles, ends: start })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{GroupId, NodeId, StageId};
    use crate::signal::{
        BarrierGroup, ConflictMatrix, GroupKind, Indication, Limits, Program, SignalGroup, Step, StepKind,
    };

    fn group(name: &str) -> SignalGroup {
        SignalGroup {
            name: name.into(),
            kind: GroupKind::Vehicle,
            connections: Vec::new(),
            crossings: Vec::new(),
            link_indices: Vec::new(),
            min_green: Ds::from_s(5),
            yellow: Ds::from_s(3),
            red_amber: Ds::ZERO,
            clearance: Ds::ZERO,
            min_red: Ds::ZERO,
            max_red: Ds::from_s(120),
            turn_on_red: false,
        }
    }

    /// Two stages of at least 5 s, 3 s of yellow after each; one ring of two phases says the same.
    fn controller(resolution: Ds) -> Controller {
        let step = |kind, shipped, shows: [Indication; 2]| Step { kind, shipped, shows: shows.to_vec() };
        let stage = |n| StepKind::Stage { stage: StageId(n), min: Ds::from_s(5) };
        let (g, y, r) = (Indication::Protected, Indication::Yellow, Indication::Red);
        let phase = |phase, group| RingPhase {
            phase,
            group: GroupId(group),
            min_green: Ds::from_s(5),
            walk_and_clearance: Ds::ZERO,
            yellow: Ds::from_s(3),
            all_red: Ds::ZERO,
            omitted: false,
        };
        Controller {
            name: "c".into(),
            nodes: vec![NodeId(0)],
            groups: vec![group("a"), group("b")],
            conflicts: ConflictMatrix::compatible(2),
            program: Program {
                steps: vec![
                    step(stage(0), Ds::from_s(27), [g, r]),
                    step(StepKind::Clearance, Ds::from_s(3), [y, r]),
                    step(stage(1), Ds::from_s(27), [r, g]),
                    step(StepKind::Clearance, Ds::from_s(3), [r, y]),
                ],
                shipped_offset: Ds::ZERO,
            },
            ring_barrier: Some(RingBarrier {
                barrier_groups: vec![
                    BarrierGroup { rings: vec![vec![phase(2, 0)]] },
                    BarrierGroup { rings: vec![vec![phase(4, 1)]] },
                ],
                coordinated: vec![2],
            }),
            limits: Limits { cycle_min: Ds::from_s(20), cycle_max: Ds::from_s(120), resolution },
        }
    }

    #[test]
    fn a_plan_in_step_needs_no_transition() {
        let c = controller(Ds(1));
        let plan = c.time_of_day_plan();
        let way = Transition::into_plan(&c, &plan, TimeDs::from_s(600), TransitionMethod::ShortWay).unwrap();
        assert_eq!(way, Transition { cycles: Vec::new(), ends: TimeDs::from_s(600) });
    }

    #[test]
    fn the_short_way_is_the_one_of_fewer_cycles_then_of_less_change() {
        let c = controller(Ds(1));
        let plan = c.time_of_day_plan();
        let cycles = |at, method| {
            let way = Transition::into_plan(&c, &plan, TimeDs::from_s(at), method).unwrap();
            assert_eq!(plan.position_at(way.ends), Ds::ZERO);
            way.cycles.iter().map(|p| p.cycle).collect::<Vec<_>>()
        };
        // 10 s ahead: one cycle shorter by that; 50 s ahead: one longer by what is left.
        assert_eq!(cycles(610, TransitionMethod::ShortWay), [Ds::from_s(50)]);
        assert_eq!(cycles(650, TransitionMethod::ShortWay), [Ds::from_s(70)]);
        // Only longer: 30 s in two cycles, a quarter of a cycle at most in each.
        assert_eq!(cycles(630, TransitionMethod::Add), [Ds::from_s(75), Ds::from_s(75)]);
        assert_eq!(cycles(630, TransitionMethod::Dwell), [Ds::from_s(90)]);
        let too_far = Transition::into_plan(&c, &plan, TimeDs::from_s(610), TransitionMethod::Add);
        assert_eq!(too_far, Err(TransitionError::TooFar { late: Ds::from_s(10) }));
    }

    #[test]
    fn no_split_falls_below_its_minimum() {
        let c = controller(Ds(1));
        // The second stage has no second to give away.
        let plan = c.program.compile(&c.groups, &c.conflicts, &[Ds::from_s(29), Ds::from_s(5)], Ds::ZERO).unwrap();
        let way = Transition::into_plan(&c, &plan, TimeDs(15), TransitionMethod::ShortWay).unwrap();
        let PlanView::Stages { splits } = &way.cycles[0].view else { panic!("stages") };
        assert_eq!([splits[0].green, splits[1].green], [Ds(275), Ds::from_s(5)]);
    }

    #[test]
    fn splits_change_by_what_the_controller_resolves() {
        let c = controller(Ds::from_s(1));
        let plan = c.time_of_day_plan();
        let way = Transition::into_plan(&c, &plan, TimeDs::from_s(607), TransitionMethod::ShortWay).unwrap();
        assert!(way.cycles.iter().flat_map(|p| p.greens.iter().flatten()).all(|g| g.length.0 % 10 == 0));
        let finer = Transition::into_plan(&c, &plan, TimeDs(6073), TransitionMethod::ShortWay);
        assert!(matches!(finer, Err(TransitionError::Resolution { late: Ds(73), .. })));
    }

    #[test]
    fn rings_get_into_step_as_stages_do() {
        let c = controller(Ds(1));
        let rings = c.ring_barrier.as_ref().unwrap();
        let splits = [(2, Ds::from_s(30)), (4, Ds::from_s(30))];
        let plan = rings.compile(2, &splits, Ds::ZERO, OffsetReference::CoordinatedSplitEnd).unwrap();
        // The split ends 30 s into the cycle, so the cycle starts half a cycle off the epoch.
        assert_eq!(plan.position_at(TimeDs::from_s(30)), Ds::ZERO);
        let way = Transition::into_plan(&c, &plan, TimeDs::from_s(40), TransitionMethod::ShortWay).unwrap();
        assert_eq!(way.cycles.iter().map(|p| p.cycle).collect::<Vec<_>>(), [Ds::from_s(50)]);
        assert_eq!(plan.position_at(way.ends), Ds::ZERO);
    }
}
