//! Rule 18.

use greenkerb_models::ids::GroupId;
use greenkerb_models::signal::Relation;
use greenkerb_models::units::{Ds, TimeDs};
use greenkerb_optimizer::safety::validate_stored;
use proptest::prelude::*;

use crate::sample::any_sample;
use crate::verdict::{published_rules, rules, unbounded};

proptest! {
    #[test]
    fn a_plan_for_another_database_is_refused(sample in any_sample(), how in 0..5) {
        let now = TimeDs(77);
        let plan = sample.published(now);
        let mut controller = sample.controller.clone();
        match how {
            0 => controller.groups[0].max_red += Ds(1),
            1 => controller.limits.cycle_max = Ds(controller.limits.cycle_max.0 - 10),
            2 => controller.nodes.push(greenkerb_models::ids::NodeId(9)),
            3 => controller.groups[0].turn_on_red = true,
            _ => controller.groups[0].link_indices.push(3),
        }
        prop_assert_eq!(published_rules(&unbounded(), &plan, None, &controller, now), vec![18]);
        prop_assert_eq!(validate_stored(plan, &controller, &unbounded()).unwrap_err().rules(), vec![18]);
    }

    #[test]
    fn a_plan_for_another_controller_is_refused(sample in any_sample()) {
        let now = TimeDs(77);
        let mut plan = sample.published(now);
        plan.controller.push('x');
        prop_assert_eq!(published_rules(&unbounded(), &plan, None, &sample.controller, now), vec![1]);
    }

    #[test]
    fn nothing_is_judged_by_a_database_that_contradicts_itself(sample in any_sample(), how in 0..4) {
        let mut controller = sample.controller.clone();
        match how {
            0 => { controller.groups.pop(); }
            1 => controller.limits.resolution = Ds(0),
            2 => controller.conflicts.set(GroupId(0), GroupId(0), Relation::Conflict { intergreen: Ds(1) }),
            _ => controller.program.steps.clear(),
        }
        prop_assert_eq!(rules(&sample.plan, &controller), vec![18]);
    }
}
