//! Rule 5.

use greenkerb_models::signal::OffsetReference;
use greenkerb_models::units::Ds;
use greenkerb_optimizer::safety::{Policy, validate_plan};
use proptest::prelude::*;

use crate::sample::{any_ringed, any_sample, any_staged};
use crate::verdict::rules;

proptest! {
    #[test]
    fn an_offset_outside_the_cycle_is_refused(sample in any_sample(), turns in 0_u32..3) {
        let mut plan = sample.plan.clone();
        // At the cycle itself, or beyond.
        plan.offset = if turns == 0 { plan.cycle } else { Ds(plan.offset.0 + plan.cycle.0 * turns) };
        let refusals = validate_plan(plan, &sample.controller, &Policy::default()).unwrap_err();
        prop_assert_eq!(refusals.rules(), vec![5]);
        prop_assert!(refusals.iter().all(|r| r.ntcip() == Some("invalidOffset")));
    }

    #[test]
    fn a_reference_point_elsewhere_than_its_kind_says_is_refused(sample in any_sample()) {
        let mut plan = sample.plan.clone();
        let unit = sample.controller.limits.resolution;
        plan.reference_position = Ds((plan.reference_position.0 + unit.0) % plan.cycle.0);
        prop_assert_eq!(rules(&plan, &sample.controller), vec![5]);
    }

    #[test]
    fn stages_have_no_coordinated_phase_to_refer_to(sample in any_staged(), end: bool) {
        let mut plan = sample.plan.clone();
        plan.reference =
            if end { OffsetReference::CoordinatedSplitEnd } else { OffsetReference::CoordinatedGreenStart };
        prop_assert_eq!(rules(&plan, &sample.controller), vec![5]);
    }

    #[test]
    fn ts2_and_type_170_are_not_taken_for_one_another(sample in any_ringed()) {
        let mut plan = sample.plan.clone();
        plan.reference = match plan.reference {
            OffsetReference::CoordinatedSplitEnd => OffsetReference::CoordinatedGreenStart,
            OffsetReference::CoordinatedGreenStart | OffsetReference::CycleStart => OffsetReference::CoordinatedSplitEnd,
        };
        prop_assert_eq!(rules(&plan, &sample.controller), vec![5]);
    }
}
