//! Rule 1: every referenced phase, stage and group exists, in one ring and one barrier group; greens are proper parts of
//! the cycle.
//!
//! The other rules compute with a plan that has passed this one: nothing here relies on any figure being sane.

use greenkerb_models::signal::{Controller, PlanView, RingBarrier, StepKind, TimingPlan};

use super::refusal::Refusal;

/// Judges the greens, then the view.
pub(super) fn judge(controller: &Controller, plan: &TimingPlan) -> Vec<Refusal> {
    let groups = controller.groups.len();
    if plan.greens.len() != groups {
        return vec![Refusal::GroupCount { given: plan.greens.len(), groups }];
    }
    let mut refusals = Vec::new();
    for (group, greens) in controller.groups.iter().zip(&plan.greens) {
        let before = refusals.len();
        for g in greens {
            if g.start >= plan.cycle || g.length.0 == 0 || g.length > plan.cycle {
                refusals.push(Refusal::Interval {
                    group: group.name.clone(),
                    start: g.start,
                    length: g.length,
                    cycle: plan.cycle,
                });
            }
        }
        if refusals.len() > before {
            continue;
        }
        // Sorted round the cycle, greens are disjoint exactly when each ends before the next one starts, and the last
        // before the first one of the next cycle does.
        let mut sorted = greens.clone();
        sorted.sort_unstable_by_key(|g| g.start);
        for (i, g) in sorted.iter().enumerate() {
            let next = sorted[(i + 1) % sorted.len()];
            let turn = if i + 1 == sorted.len() { u64::from(plan.cycle.0) } else { 0 };
            if u64::from(g.start.0) + u64::from(g.length.0) > u64::from(next.start.0) + turn {
                refusals.push(Refusal::Overlap { group: group.name.clone(), first: g.start, second: next.start });
            }
        }
    }
    match &plan.view {
        PlanView::Stages { splits } => {
            let given: Vec<u32> = splits.iter().map(|s| s.stage.0).collect();
            let stages: Vec<u32> = controller
                .program
                .steps
                .iter()
                .filter_map(|s| match s.kind {
                    StepKind::Stage { stage, .. } => Some(stage.0),
                    StepKind::Clearance => None,
                })
                .collect();
            if given != stages {
                refusals.push(Refusal::Stages { given, stages });
            }
        }
        PlanView::RingBarrier { splits } => match &controller.ring_barrier {
            Some(rings) => refusals.extend(phases(rings, splits.iter().map(|s| s.0).collect(), groups)),
            None => refusals.push(Refusal::NoRings),
        },
    }
    refusals
}

fn phases(rings: &RingBarrier, in_view: Vec<u8>, groups: usize) -> Vec<Refusal> {
    let all = || rings.barrier_groups.iter().flat_map(|b| b.rings.iter().flatten());
    let mut refusals: Vec<Refusal> = all()
        .filter(|p| p.group.index() >= groups)
        .map(|p| Refusal::PhaseGroup { phase: p.phase, group: p.group.0, groups })
        .collect();
    let mut numbers: Vec<u8> = all().map(|p| p.phase).chain(in_view.iter().copied()).collect();
    numbers.sort_unstable();
    numbers.dedup();
    for phase in numbers {
        let in_rings = all().filter(|p| p.phase == phase).count();
        let served = all().filter(|p| p.phase == phase && !p.omitted).count();
        let in_view = in_view.iter().filter(|n| **n == phase).count();
        if in_rings != 1 || in_view != served {
            refusals.push(Refusal::Phase { phase, in_rings, in_view });
        }
    }
    refusals
}
