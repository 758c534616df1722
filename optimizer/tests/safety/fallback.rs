//! Rule 21.

use greenkerb_models::units::{Ds, TimeDs};
use greenkerb_optimizer::safety::{Policy, validate_stored};
use proptest::prelude::*;

use crate::sample::{Dice, Sample, any_sample};
use crate::verdict::unbounded;

proptest! {
    #[test]
    fn the_fallback_is_the_controllers_own_plan(sample in any_sample(), seed: u64, how in 0..3) {
        let mut plan = sample.published(TimeDs(5));
        let fallback = &mut plan.fallback.plan;
        match how {
            0 => *fallback = sample.another_plan(&mut Dice::new(seed)),
            1 => fallback.offset = Ds((fallback.offset.0 + sample.controller.limits.resolution.0) % fallback.cycle.0),
            _ => fallback.greens[0].clear(),
        }
        if plan.fallback.plan == sample.controller.time_of_day_plan() {
            return Ok(());
        }
        prop_assert_eq!(validate_stored(plan, &sample.controller, &unbounded()).unwrap_err().rules(), vec![21]);
    }

    #[test]
    fn the_fallback_passes_the_same_rules(sample in any_sample()) {
        // A policy that the controller's own plan does not keep to: then nothing is published for it.
        let own = Sample { plan: sample.controller.time_of_day_plan(), ..sample };
        let cycle_max = own.plan.cycle - Ds(1);
        let found = validate_stored(own.published(TimeDs(5)), &own.controller, &Policy { cycle_max, ..unbounded() });
        prop_assert_eq!(found.unwrap_err().rules(), vec![4, 21]);
        let kept = validate_stored(own.published(TimeDs(5)), &own.controller, &unbounded());
        prop_assert!(kept.is_ok(), "{}", kept.unwrap_err());
    }
}
