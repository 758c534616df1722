//! Rule 10.

use greenkerb_models::units::Ds;
use proptest::prelude::*;

use crate::sample::{Walk, any_sample};
use crate::verdict::rules;

proptest! {
    #[test]
    fn a_green_or_a_walk_below_its_minimum_is_refused(sample in any_sample()) {
        let walk = Walk::of(&sample.plan);
        for g in 0..sample.controller.groups.len() {
            let Some(shortest) = walk.runs(g, |s| s.is_some()).min() else { continue };
            let mut controller = sample.controller.clone();
            controller.groups[g].min_green = Ds(shortest);
            prop_assert!(rules(&sample.plan, &controller).is_empty());
            controller.groups[g].min_green = Ds(shortest + 1);
            prop_assert_eq!(rules(&sample.plan, &controller), vec![10]);
        }
    }

    #[test]
    fn yellow_clearance_red_and_red_amber_fit_between_two_greens(sample in any_sample(), which in 0..3) {
        let walk = Walk::of(&sample.plan);
        for g in 0..sample.controller.groups.len() {
            let Some(shortest) = walk.runs(g, |s| s.is_none()).min().filter(|r| *r < sample.plan.cycle.0) else { continue };
            let mut controller = sample.controller.clone();
            let heads = &mut controller.groups[g];
            let spare = Ds(shortest) - heads.yellow - heads.clearance - heads.min_red - heads.red_amber;
            let grown = match which {
                0 => &mut heads.min_red,
                1 => &mut heads.red_amber,
                _ => &mut heads.clearance,
            };
            *grown += spare;
            // A longer clearance may pass the next conflicting green as well.
            let exact = rules(&sample.plan, &controller);
            prop_assert!(exact.iter().all(|r| which == 2 && *r == 9), "{:?}", exact);
            let heads = &mut controller.groups[g];
            match which {
                0 => heads.min_red += Ds(1),
                1 => heads.red_amber += Ds(1),
                _ => heads.clearance += Ds(1),
            }
            prop_assert!(rules(&sample.plan, &controller).contains(&10));
        }
    }
}
