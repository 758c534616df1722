//! Rule 8.

use greenkerb_models::ids::StageId;
use greenkerb_models::signal::{PlanView, StepKind};
use greenkerb_models::units::Ds;
use greenkerb_optimizer::safety::{Policy, validate_plan};
use proptest::prelude::*;

use crate::sample::{any_ringed, any_staged};
use crate::verdict::rules;

proptest! {
    #[test]
    fn a_stage_below_its_minimum_is_refused(sample in any_staged(), at: prop::sample::Index) {
        let PlanView::Stages { splits } = &sample.plan.view else { unreachable!("a staged sample") };
        let split = at.get(splits);
        let mut controller = sample.controller.clone();
        let mut set = |to: Ds| {
            for step in &mut controller.program.steps {
                if let StepKind::Stage { stage, min } = &mut step.kind && *stage == split.stage {
                    *min = to;
                }
            }
            validate_plan(sample.plan.clone(), &controller, &Policy::default())
        };
        prop_assert!(set(split.green).is_ok());
        let refusals = set(split.green + Ds(1)).unwrap_err();
        prop_assert_eq!(refusals.rules(), vec![8]);
        prop_assert_eq!(refusals.iter().next().unwrap().ntcip(), Some("splitOverrun"));
        prop_assert!(split.stage < StageId(99));
    }

    #[test]
    fn a_phase_needs_its_green_or_its_walk_and_clearance(sample in any_ringed(), walk: bool, at: prop::sample::Index) {
        let PlanView::RingBarrier { splits } = &sample.plan.view else { unreachable!("a ringed sample") };
        let (number, split) = *at.get(splits);
        let mut controller = sample.controller.clone();
        let rings = controller.ring_barrier.as_mut().unwrap();
        let phase = rings.barrier_groups.iter_mut().flat_map(|b| b.rings.iter_mut().flatten()).find(|p| p.phase == number);
        let phase = phase.unwrap();
        let green = split - phase.yellow - phase.all_red;
        let need = if walk { &mut phase.walk_and_clearance } else { &mut phase.min_green };
        *need = green;
        prop_assert!(rules(&sample.plan, &controller).is_empty());
        let rings = controller.ring_barrier.as_mut().unwrap();
        let phase = rings.barrier_groups.iter_mut().flat_map(|b| b.rings.iter_mut().flatten()).find(|p| p.phase == number);
        let phase = phase.unwrap();
        if walk { phase.walk_and_clearance += Ds(1) } else { phase.min_green += Ds(1) }
        prop_assert_eq!(rules(&sample.plan, &controller), vec![8]);
    }
}
