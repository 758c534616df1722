//! Rule 1.

use greenkerb_models::ids::{GroupId, StageId};
use greenkerb_models::signal::PlanView;
use greenkerb_models::units::Ds;
use greenkerb_optimizer::safety::{Policy, validate_plan};
use proptest::prelude::*;

use crate::sample::{Dice, any_ringed, any_sample, any_staged};
use crate::verdict::rules;

proptest! {
    #[test]
    fn greens_that_are_no_part_of_the_cycle_are_refused(sample in any_sample(), seed: u64, how in 0..6) {
        let mut dice = Dice::new(seed);
        let mut plan = sample.plan.clone();
        let cycle = plan.cycle;
        let served: Vec<usize> = (0..plan.greens.len()).filter(|g| !plan.greens[*g].is_empty()).collect();
        let g = served[dice.below(served.len())];
        let greens = &mut plan.greens[g];
        match how {
            0 => greens[0].start = Ds(cycle.0.saturating_add(dice.within(0, 50))),
            1 => greens[0].length = Ds(0),
            2 => greens[0].length = Ds(cycle.0 + dice.within(1, 50)),
            3 => greens[0].start = Ds(u32::MAX),
            4 => { plan.greens.pop(); }
            _ => { let again = greens[0]; greens.push(again); }
        }
        let refusals = validate_plan(plan, &sample.controller, &Policy::default()).unwrap_err();
        prop_assert_eq!(refusals.rules(), vec![1]);
        prop_assert!(refusals.iter().all(|r| r.ntcip() == Some("badPlan")));
    }

    #[test]
    fn stages_that_are_not_the_programs_are_refused(sample in any_staged(), how in 0..4) {
        let mut plan = sample.plan.clone();
        let PlanView::Stages { splits } = &mut plan.view else { unreachable!("a staged sample") };
        match how {
            0 => { splits.pop(); }
            1 => splits[0].stage = StageId(99),
            2 => splits.swap(0, 1),
            _ => { let again = splits[0]; splits.push(again); }
        }
        prop_assert_eq!(rules(&plan, &sample.controller), vec![1]);
    }

    #[test]
    fn phases_that_are_not_once_in_the_rings_are_refused(sample in any_ringed(), how in 0..4) {
        let (mut plan, mut controller) = (sample.plan.clone(), sample.controller.clone());
        let PlanView::RingBarrier { splits } = &mut plan.view else { unreachable!("a ringed sample") };
        let rings = controller.ring_barrier.as_mut().unwrap();
        match how {
            0 => splits[0].0 = 9,
            1 => { let again = splits[0]; splits.push(again); }
            2 => {
                let again = rings.barrier_groups[0].rings[0][0].clone();
                rings.barrier_groups[1].rings[0].push(again);
            }
            _ => rings.barrier_groups[1].rings[1][0].group = GroupId(99),
        }
        // A phase that shows no group contradicts the database before any plan does.
        prop_assert_eq!(rules(&plan, &controller), if how == 3 { vec![18] } else { vec![1] });
        controller.ring_barrier = None;
        prop_assert_eq!(rules(&sample.plan, &controller), vec![1]);
    }
}
