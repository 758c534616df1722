//! Rule 2.

use greenkerb_models::signal::PlanView;
use greenkerb_models::units::Ds;
use proptest::prelude::*;

use crate::sample::any_sample;
use crate::verdict::rules;

proptest! {
    #[test]
    fn splits_that_do_not_fill_the_cycle_are_refused(sample in any_sample(), at: prop::sample::Index, add: bool) {
        let mut plan = sample.plan.clone();
        let unit = sample.controller.limits.resolution;
        let change = |d: &mut Ds| *d = if add { *d + unit } else { *d - unit };
        match &mut plan.view {
            PlanView::Stages { splits } => change(&mut at.get_mut(splits).green),
            PlanView::RingBarrier { splits } => change(&mut at.get_mut(splits).1),
        }
        // Overfull or not full: the greens are not those of such splits either.
        let broken = rules(&plan, &sample.controller);
        prop_assert!(broken.starts_with(&[2]) && broken.contains(&7), "{:?}", broken);
    }

    #[test]
    fn a_cycle_that_is_not_the_sum_is_refused(sample in any_sample()) {
        let mut plan = sample.plan.clone();
        plan.cycle += sample.controller.limits.resolution;
        prop_assert!(rules(&plan, &sample.controller).contains(&2));
    }
}
