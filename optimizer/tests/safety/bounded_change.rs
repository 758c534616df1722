//! Rule 14.

use greenkerb_models::plan::{PlanDiff, Revision};
use greenkerb_models::signal::Transition;
use greenkerb_models::units::{Ds, TimeDs};
use greenkerb_optimizer::safety::Policy;
use proptest::prelude::*;

use crate::sample::{Dice, any_sample};
use crate::verdict::{published_rules, unbounded};

proptest! {
    #[test]
    fn a_change_is_as_large_as_the_policy_allows_and_no_larger(sample in any_sample(), seed: u64) {
        let mut dice = Dice::new(seed);
        let policy = unbounded();
        let first = sample.published(TimeDs(1_000_000));
        if !published_rules(&policy, &first, None, &sample.controller, first.computed_at).is_empty() {
            return Ok(());
        }
        let mut next = first.clone();
        next.plan = sample.another_plan(&mut dice);
        next.revision = Revision(2);
        let settled =
            Transition::into_plan(&sample.controller, &first.plan, first.valid_from, policy.transition).unwrap().ends;
        next.computed_at = settled;
        next.valid_from = first.plan.next_cycle_start(settled + Ds(100));
        if !published_rules(&policy, &next, Some(&first), &sample.controller, settled).is_empty() {
            return Ok(());
        }
        let diff = PlanDiff::between(&first.plan, &next.plan);
        let most = |of: &[i64]| Ds(of.iter().map(|d| d.unsigned_abs() as u32).max().unwrap_or(0));
        let exact = Policy {
            cycle_change_max: most(&[diff.cycle_ds]),
            split_change_max: most(&diff.splits_ds),
            offset_change_max: most(&[diff.offset_ds]),
            hold: Ds((next.valid_from.0 - first.valid_from.0) as u32),
            ..Policy::default()
        };
        let judge = |policy: &Policy| published_rules(policy, &next, Some(&first), &sample.controller, settled);
        prop_assert!(judge(&exact).is_empty());
        let mut tighter = vec![Policy { hold: exact.hold + Ds(1), ..exact.clone() }];
        if exact.cycle_change_max > Ds(0) {
            tighter.push(Policy { cycle_change_max: exact.cycle_change_max - Ds(1), ..exact.clone() });
        }
        if exact.split_change_max > Ds(0) {
            tighter.push(Policy { split_change_max: exact.split_change_max - Ds(1), ..exact.clone() });
        }
        if exact.offset_change_max > Ds(0) {
            tighter.push(Policy { offset_change_max: exact.offset_change_max - Ds(1), ..exact.clone() });
        }
        for policy in &tighter {
            prop_assert_eq!(judge(policy), if next.plan == first.plan { vec![] } else { vec![14] });
        }
    }
}
