//! Rule 2: between two barriers all rings take the same time, and the barrier groups fill the cycle exactly. For stages:
//! the splits and the clearances between them do.
//!
//! Sums are of integer deciseconds, so whatever rounding made the splits has to come out exactly.

use greenkerb_models::signal::{Controller, PlanView};
use greenkerb_models::units::Ds;

use super::case::Case;
use super::refusal::Refusal;

/// Judges the sums of the view, which has passed rule 1.
pub(super) fn judge(case: &Case<'_>, refusals: &mut Vec<Refusal>) {
    let mut sum_ds: u64 = 0;
    match &case.plan.view {
        PlanView::Stages { splits } => {
            let lengths: Vec<Ds> = splits.iter().map(|s| s.green).collect();
            let Controller { program, groups, conflicts, .. } = case.controller;
            // Which clearances there are depends on the stages that are kept. Splits that make no course have been
            // refused by others; their sum is then taken with all clearances.
            let clearance_ds = match program.course(groups, conflicts, &lengths) {
                Ok(course) => course.iter().filter(|s| s.stage.is_none()).map(|s| u64::from(s.length.0)).sum(),
                Err(_) => u64::from(program.clearance_total().0),
            };
            sum_ds += lengths.iter().map(|s| u64::from(s.0)).sum::<u64>() + clearance_ds;
        }
        PlanView::RingBarrier { splits } => {
            let Some(rings) = &case.controller.ring_barrier else { return };
            let split = |phase: u8| splits.iter().filter(|s| s.0 == phase).map(|s| u64::from(s.1.0)).sum::<u64>();
            for (barrier_group, between) in rings.barrier_groups.iter().enumerate() {
                let takes = |ring: usize| {
                    between.rings[ring].iter().filter(|p| !p.omitted).map(|p| split(p.phase)).sum::<u64>()
                };
                let first_ds = if between.rings.is_empty() { 0 } else { takes(0) };
                for ring in 1..between.rings.len() {
                    let takes_ds = takes(ring);
                    if takes_ds != first_ds {
                        refusals.push(Refusal::UnequalRings { barrier_group, ring, takes_ds, first_ds });
                    }
                }
                sum_ds += first_ds;
            }
        }
    }
    if sum_ds != u64::from(case.plan.cycle.0) {
        refusals.push(Refusal::CycleSum { sum_ds, cycle: case.plan.cycle });
    }
}
