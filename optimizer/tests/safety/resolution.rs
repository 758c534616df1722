//! Rule 6.

use greenkerb_models::signal::PlanView;
use greenkerb_models::units::Ds;
use proptest::prelude::*;

use crate::sample::any_sample;
use crate::verdict::rules;

proptest! {
    #[test]
    fn every_time_is_a_multiple_of_the_resolution(sample in any_sample(), resolution in 1_u32..=20) {
        let mut controller = sample.controller.clone();
        controller.limits.resolution = Ds(resolution);
        let plan = &sample.plan;
        let mut times = vec![plan.cycle, plan.offset, plan.reference_position];
        times.extend(plan.greens.iter().flatten().flat_map(|g| [g.start, g.length]));
        match &plan.view {
            PlanView::Stages { splits } => times.extend(splits.iter().map(|s| s.green)),
            PlanView::RingBarrier { splits } => times.extend(splits.iter().map(|s| s.1)),
        }
        let fits = times.iter().all(|t| t.0 % resolution == 0);
        prop_assert_eq!(rules(plan, &controller), if fits { vec![] } else { vec![6] });
    }
}
