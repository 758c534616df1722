//! Rule 7.

use greenkerb_models::signal::Protection;
use greenkerb_models::units::Ds;
use proptest::prelude::*;

use crate::oracle;
use crate::sample::{Dice, any_sample};
use crate::verdict::rules;

proptest! {
    #[test]
    fn a_green_that_starts_or_ends_elsewhere_is_refused(sample in any_sample(), seed: u64, how in 0..5) {
        let mut dice = Dice::new(seed);
        let mut plan = sample.plan.clone();
        let (cycle, unit) = (plan.cycle.0, sample.controller.limits.resolution.0);
        let partial: Vec<usize> =
            (0..plan.greens.len()).filter(|g| plan.greens[*g].first().is_some_and(|i| i.length.0 + unit < cycle)).collect();
        let g = partial[dice.below(partial.len())];
        let i = dice.below(plan.greens[g].len());
        let green = &mut plan.greens[g][i];
        match how {
            0 => green.start = Ds((green.start.0 + unit) % cycle),
            1 => green.start = Ds((green.start.0 + cycle - unit) % cycle),
            2 => green.length += Ds(unit),
            3 => green.length = green.length - Ds(unit),
            _ => green.protection = match green.protection {
                Protection::Protected => Protection::Permissive,
                Protection::Permissive => Protection::Protected,
            },
        }
        let broken = rules(&plan, &sample.controller);
        // Where the greens now overlap within the group, they are no plan at all.
        prop_assert!(broken == [1] || broken.contains(&7), "{:?}", broken);
        if broken != [1] {
            let judged: Vec<u8> = broken.into_iter().filter(|r| (9..=12).contains(r)).collect();
            prop_assert_eq!(judged, oracle::broken(&plan, &sample.controller, 1200));
        }
    }
}
