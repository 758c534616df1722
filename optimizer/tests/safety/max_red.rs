//! Rule 11.

use greenkerb_models::units::Ds;
use greenkerb_optimizer::safety::Policy;
use proptest::prelude::*;

use crate::sample::{Walk, any_sample};
use crate::verdict::{rules, rules_under};

proptest! {
    #[test]
    fn nobody_waits_longer_than_the_maximum_red(sample in any_sample(), by_policy: bool) {
        let (walk, shipped) = (Walk::of(&sample.plan), Walk::of(&sample.controller.time_of_day_plan()));
        for g in 0..sample.controller.groups.len() {
            let red = |w: &Walk| w.runs(g, |s| s.is_none()).max();
            let (Some(longest), Some(of_shipped)) = (red(&walk), red(&shipped)) else { continue };
            let mut controller = sample.controller.clone();
            let mut policy = Policy::default();
            controller.groups[g].max_red = Ds(longest);
            prop_assert!(rules(&sample.plan, &controller).is_empty());
            if by_policy {
                policy.max_red = Ds(longest - 1);
            } else {
                controller.groups[g].max_red = Ds(longest - 1);
            }
            // A red that the shipped program has as well is its operator's decision.
            let broken = rules_under(&policy, &sample.plan, &controller);
            if of_shipped < longest {
                prop_assert_eq!(broken, vec![11]);
            } else {
                prop_assert!(by_policy || broken.is_empty());
            }
        }
    }

    #[test]
    fn a_group_that_the_program_serves_is_served(sample in any_sample()) {
        let shipped = sample.controller.time_of_day_plan();
        for g in 0..sample.controller.groups.len() {
            let mut plan = sample.plan.clone();
            plan.greens[g].clear();
            prop_assert_eq!(rules(&plan, &sample.controller).contains(&11), !shipped.greens[g].is_empty());
        }
    }
}
