//! Rule 17.

use greenkerb_models::plan::Revision;
use greenkerb_models::units::{Ds, TimeDs};
use greenkerb_optimizer::safety::validate_stored;
use proptest::prelude::*;

use crate::sample::{Dice, Sample, any_sample};
use crate::verdict::{published_rules, unbounded};

const NOW: TimeDs = TimeDs::from_s(2_000_000);

/// A first publication that passes; most samples have one (the others have no transition into their plan).
fn passing(sample: &Sample) -> Option<greenkerb_models::plan::PublishedPlan> {
    let first = sample.published(NOW);
    published_rules(&unbounded(), &first, None, &sample.controller, NOW).is_empty().then_some(first)
}

proptest! {
    #[test]
    fn revisions_rise_and_one_revision_means_one_plan(sample in any_sample(), last in 1_u64..1000, step in -5_i64..5) {
        let Some(mut first) = passing(&sample) else { return Ok(()) };
        first.revision = Revision(last);
        let judge = |candidate: &_| published_rules(&unbounded(), candidate, Some(&first), &sample.controller, NOW);
        prop_assert!(judge(&first).is_empty(), "the very same again");
        let mut next = first.clone();
        next.revision = Revision(last.saturating_add_signed(step));
        next.valid_until = next.valid_until + Ds(10);
        let rises = next.revision > first.revision;
        prop_assert_eq!(judge(&next), if rises { vec![] } else { vec![17] });
    }

    #[test]
    fn a_plan_takes_over_at_a_cycle_start_in_the_future(sample in any_sample(), away in -3000_i64..3000) {
        let Some(first) = passing(&sample) else { return Ok(()) };
        let mut moved = first.clone();
        moved.valid_from.0 += away;
        let at_once = published_rules(&unbounded(), &first, None, &sample.controller, first.valid_from);
        prop_assert_eq!(at_once, vec![17], "now is not the future");
        let own = sample.controller.time_of_day_plan();
        let right = own.position_at(moved.valid_from) == Ds(0) && moved.valid_from > NOW;
        let found = published_rules(&unbounded(), &moved, None, &sample.controller, NOW);
        // At another cycle start the way into the plan is another.
        prop_assert_eq!(found.contains(&17), !right, "{:?}", found);
        prop_assert!(found.iter().all(|r| *r == 17 || *r == 15));
    }

    #[test]
    fn after_a_plan_ran_out_the_controllers_own_plan_sets_the_cycle(sample in any_sample(), seed: u64) {
        let mut dice = Dice::new(seed);
        let Some(first) = passing(&sample) else { return Ok(()) };
        let own = sample.controller.time_of_day_plan();
        let mut next = first.clone();
        next.revision = Revision(2);
        // Long after: any transition is over.
        let late = first.valid_until + Ds(20_000 + dice.within(0, 5000));
        next.computed_at = late;
        next.valid_from = own.next_cycle_start(late + Ds(1));
        next.valid_until = next.valid_from + Ds(36_000);
        let found = published_rules(&unbounded(), &next, Some(&first), &sample.controller, late);
        prop_assert!(found.is_empty() || found == [15], "{:?}", found);
        next.valid_from = next.valid_from + Ds(1 + dice.within(0, own.cycle.0 - 2));
        prop_assert_eq!(published_rules(&unbounded(), &next, Some(&first), &sample.controller, late), vec![17]);
    }

    #[test]
    fn a_plan_is_in_force_before_it_runs_out(sample in any_sample(), back in 0_u32..5000) {
        let mut plan = sample.published(NOW);
        plan.valid_until = plan.valid_from - Ds(back);
        prop_assert_eq!(published_rules(&unbounded(), &plan, None, &sample.controller, NOW), vec![17]);
    }

    #[test]
    fn no_clock_shows_such_instants(sample in any_sample(), which in 0..3, at in prop::sample::select(vec![i64::MIN, i64::MIN + 1, i64::MAX, i64::MAX - 1, 1_000_000_000_001])) {
        let mut plan = sample.published(NOW);
        let instant = match which {
            0 => &mut plan.computed_at,
            1 => &mut plan.valid_from,
            _ => &mut plan.valid_until,
        };
        *instant = TimeDs(at);
        prop_assert_eq!(published_rules(&unbounded(), &plan, None, &sample.controller, NOW), vec![17]);
        let stored = validate_stored(plan, &sample.controller, &unbounded());
        prop_assert_eq!(stored.unwrap_err().rules(), vec![17]);
    }

    #[test]
    fn nothing_takes_over_before_what_was_published_before(sample in any_sample(), seed: u64) {
        let Some(first) = passing(&sample) else { return Ok(()) };
        let mut later = first.clone();
        later.valid_from = first.fallback.plan.next_cycle_start(first.valid_from + Ds(1));
        let mut next = first.clone();
        next.revision = Revision(2);
        prop_assert_eq!(published_rules(&unbounded(), &next, Some(&later), &sample.controller, NOW), vec![17]);
        // At the same moment only the same plan may, for longer.
        next.valid_until = next.valid_until + Ds(600);
        // Running out at another moment, it may find no way back to the fallback; its own moment is right.
        let renewed = published_rules(&unbounded(), &next, Some(&first), &sample.controller, NOW);
        prop_assert!(renewed.is_empty() || renewed == [15], "{:?}", renewed);
        next.plan = sample.another_plan(&mut Dice::new(seed));
        let other = next.plan != first.plan;
        let found = published_rules(&unbounded(), &next, Some(&first), &sample.controller, NOW);
        prop_assert_eq!(found, if other { vec![17] } else { renewed });
    }
}
