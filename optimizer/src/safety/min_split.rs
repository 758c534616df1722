//! Rule 8: no split below its minimum. A stage's minimum is in the controller's database; a phase's is the longer of
//! minimum green and walk with clearance, and yellow and all-red.
//!
//! A stage of length zero is left out of the plan; compiling the view (rule 7) refuses that unless each of its groups is
//! green in a stage that is kept, and the rules on the timeline judge what is then shown.

use greenkerb_models::signal::{PlanView, StepKind};
use greenkerb_models::units::Ds;

use super::case::Case;
use super::refusal::Refusal;

/// Judges the splits of the view, which has passed rule 1.
pub(super) fn judge(case: &Case<'_>, refusals: &mut Vec<Refusal>) {
    match &case.plan.view {
        PlanView::Stages { splits } => {
            let minima = case.controller.program.steps.iter().filter_map(|s| match s.kind {
                StepKind::Stage { min, .. } => Some(min),
                StepKind::Clearance => None,
            });
            for (split, min) in splits.iter().zip(minima) {
                if split.green < min && split.green != Ds::ZERO {
                    refusals.push(Refusal::StageMin { stage: split.stage.0, green: split.green, min });
                }
            }
        }
        PlanView::RingBarrier { splits } => {
            let Some(rings) = &case.controller.ring_barrier else { return };
            for p in rings.phases() {
                let min_ds =
                    u64::from(p.min_green.max(p.walk_and_clearance).0) + u64::from(p.yellow.0) + u64::from(p.all_red.0);
                for (phase, split) in splits.iter().filter(|s| s.0 == p.phase) {
                    if u64::from(split.0) < min_ds {
                        refusals.push(Refusal::PhaseMin { phase: *phase, split: *split, min_ds });
                    }
                }
            }
        }
    }
}
