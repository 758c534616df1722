//! What is right passes; what is drawn at random is judged as the oracle judges it.

use greenkerb_models::signal::{GreenInterval, Protection};
use greenkerb_models::units::Ds;
use greenkerb_optimizer::safety::Policy;
use proptest::prelude::*;

use crate::oracle;
use crate::sample::{Dice, any_sample};
use crate::verdict::{rules, rules_under};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_plan_from_the_database_passes(sample in any_sample()) {
        prop_assert_eq!(rules(&sample.plan, &sample.controller), Vec::<u8>::new());
        prop_assert_eq!(oracle::broken(&sample.plan, &sample.controller, 1200), Vec::<u8>::new());
    }

    #[test]
    fn rules_9_to_12_are_what_a_walk_through_the_cycle_finds(sample in any_sample(), seed: u64, red_s in 20_u32..120) {
        let mut dice = Dice::new(seed);
        let mut plan = sample.plan.clone();
        let cycle = plan.cycle.0;
        // A few groups get greens that have nothing to do with the database: up to three, apart from one another or
        // touching, round the end of the cycle too.
        for _ in 0..dice.within(0, 4) {
            let g = dice.below(plan.greens.len());
            let count = dice.within(0, 3);
            let part = cycle / count.max(1);
            let turn = dice.within(0, cycle - 1);
            plan.greens[g] = (0..count)
                .map(|i| {
                    let from = dice.within(0, part / 3);
                    let length = if dice.chance(30) { part - from } else { dice.within(1, part - from) };
                    let protection = if dice.chance(60) { Protection::Protected } else { Protection::Permissive };
                    GreenInterval { start: Ds((turn + i * part + from) % cycle), length: Ds(length), protection }
                })
                .collect();
            plan.greens[g].sort_by_key(|i| i.start);
        }
        let policy = Policy { max_red: Ds::from_s(red_s), ..Policy::default() };
        let found: Vec<u8> = rules_under(&policy, &plan, &sample.controller)
            .into_iter()
            .filter(|rule| (9..=12).contains(rule))
            .collect();
        prop_assert_eq!(found, oracle::broken(&plan, &sample.controller, policy.max_red.0));
    }
}
