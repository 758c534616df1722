//! Rule 4.

use greenkerb_models::units::Ds;
use greenkerb_optimizer::safety::{Policy, validate_plan};
use proptest::prelude::*;

use crate::sample::any_sample;
use crate::verdict::{rules, rules_under};

proptest! {
    #[test]
    fn the_cycle_lies_within_policy_and_limits(sample in any_sample()) {
        let cycle = sample.plan.cycle;
        let just = Policy { cycle_min: cycle, cycle_max: cycle, ..Policy::default() };
        prop_assert!(rules_under(&just, &sample.plan, &sample.controller).is_empty());
        for policy in [
            Policy { cycle_min: cycle + Ds(1), ..Policy::default() },
            Policy { cycle_max: cycle - Ds(1), ..Policy::default() },
        ] {
            let refusals = validate_plan(sample.plan.clone(), &sample.controller, &policy).unwrap_err();
            prop_assert_eq!(refusals.rules(), vec![4]);
            prop_assert_eq!(refusals.iter().next().unwrap().ntcip(), Some("badCycleTime"));
        }
        let mut controller = sample.controller.clone();
        controller.limits.cycle_max = cycle - Ds(1);
        prop_assert_eq!(rules(&sample.plan, &controller), vec![4]);
        controller.limits.cycle_max = Ds::from_s(255);
        controller.limits.cycle_min = cycle + Ds(1);
        prop_assert_eq!(rules(&sample.plan, &controller), vec![4]);
    }

    #[test]
    fn no_policy_allows_more_than_255_s(sample in any_sample()) {
        let mut controller = sample.controller.clone();
        let stage = controller.program.steps.iter_mut().find(|s| s.kind != greenkerb_models::signal::StepKind::Clearance);
        stage.unwrap().shipped = Ds(2560);
        let plan = controller.time_of_day_plan();
        let policy = Policy { cycle_max: Ds::from_s(9000), max_red: Ds::from_s(9000), ..Policy::default() };
        prop_assert_eq!(rules_under(&policy, &plan, &controller), vec![4]);
    }
}
