//! Rule 15.

use greenkerb_models::signal::{Relation, TimingPlan, Transition, TransitionMethod};
use greenkerb_models::units::{Ds, TimeDs};
use greenkerb_optimizer::safety::Policy;
use proptest::prelude::*;

use crate::oracle;
use crate::sample::{Dice, Sample, Walk, any_sample};
use crate::verdict::{published_rules, rules_under, unbounded};

fn any_method() -> impl Strategy<Value = TransitionMethod> {
    prop::sample::select(vec![TransitionMethod::ShortWay, TransitionMethod::Add, TransitionMethod::Dwell])
}

/// The whole way, from the controller's own plan through the transition into the plan and back to the fallback: judged by
/// the validator as by a walk along it, decisecond by decisecond.
fn judged_as_walked(sample: &Sample, policy: &Policy, now: TimeDs) -> Result<(), TestCaseError> {
    let controller = &sample.controller;
    let candidate = sample.published(now);
    let own = &candidate.fallback.plan;
    let way = |to, at| Transition::into_plan(controller, to, at, policy.transition);
    let into = way(&candidate.plan, candidate.valid_from);
    let settled = into.as_ref().map_or(candidate.valid_from, |t| t.ends);
    let back = way(own, candidate.plan.next_cycle_start(candidate.valid_until.max(settled)));
    let walks = |t: &Transition, a: &TimingPlan, b: &TimingPlan| {
        oracle::broken_along(&Walk::of_change(a, &t.cycles, b), controller, policy.max_red.0)
    };
    let found = published_rules(policy, &candidate, None, controller, candidate.computed_at);
    if found.iter().any(|r| *r != 15) {
        // The plan itself lets somebody wait too long for this policy.
        prop_assert!(found.contains(&11) || found.contains(&21), "{:?}", found);
        return Ok(());
    }
    let safe = match (&into, &back) {
        (Ok(into), Ok(back)) => {
            walks(into, own, &candidate.plan).is_empty() && walks(back, &candidate.plan, own).is_empty()
        }
        _ => false,
    };
    prop_assert_eq!(found.is_empty(), safe, "{:?}", found);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn every_cycle_on_the_way_is_a_plan_of_the_database(sample in any_sample(), seed: u64, method in any_method()) {
        let mut dice = Dice::new(seed);
        let controller = &sample.controller;
        let from = sample.another_plan(&mut dice);
        let at = from.next_cycle_start(TimeDs::from_s(i64::from(dice.within(0, 1_000_000))));
        let Ok(way) = Transition::into_plan(controller, &sample.plan, at, method) else { return Ok(()) };
        prop_assert!(way.cycles.len() <= 3);
        prop_assert_eq!(sample.plan.position_at(way.ends), Ds(0), "in step at the end");
        let mut start = at;
        for cycle in &way.cycles {
            prop_assert_eq!(cycle.position_at(start), Ds(0));
            // Only how long somebody waits may pass what is allowed in a plan that stays.
            let policy = Policy { max_red: Ds::from_s(255), ..Policy::default() };
            let broken = rules_under(&policy, cycle, controller);
            prop_assert!(broken.iter().all(|r| *r == 11), "{:?}", broken);
            start = start + cycle.cycle;
        }
        prop_assert_eq!(start, way.ends);
    }

    /// The database asks exactly what both plans have; what lies between them is then often not enough.
    #[test]
    fn a_seam_may_be_wrong_where_both_plans_are_right(sample in any_sample(), now_s in 0_u32..1_000_000) {
        let mut controller = sample.controller.clone();
        let own = controller.time_of_day_plan();
        let walks = [Walk::of(&sample.plan), Walk::of(&own)];
        let green = |s: Option<_>| s.is_some();
        for a in controller.group_ids() {
            for b in controller.group_ids().filter(|b| sample.controller.conflicts.conflicts(a, *b)) {
                let gap = |w: &Walk| w.gap((a.index(), green), (b.index(), green));
                if let Some(gap) = walks.iter().filter_map(gap).min() {
                    controller.conflicts.set(a, b, Relation::Conflict { intergreen: Ds(gap) });
                }
            }
            let shortest = |w: &Walk| w.runs(a.index(), green).min();
            if let Some(green) = walks.iter().filter_map(shortest).min() {
                controller.groups[a.index()].min_green = Ds(green);
            }
        }
        let sample = Sample { controller, plan: sample.plan };
        judged_as_walked(&sample, &unbounded(), TimeDs::from_s(i64::from(now_s)))?;
    }

    #[test]
    fn the_way_is_safe_at_every_seam(sample in any_sample(), red_s in 60_u32..=120, method in any_method()) {
        let policy = Policy { max_red: Ds::from_s(red_s), transition: method, ..unbounded() };
        judged_as_walked(&sample, &policy, TimeDs::from_s(1_000_000))?;
    }

    #[test]
    fn a_controller_in_transition_is_left_alone(sample in any_sample(), seed: u64) {
        let policy = unbounded();
        let controller = &sample.controller;
        let first = sample.published(TimeDs::from_s(500_000));
        let way = Transition::into_plan(controller, &first.plan, first.valid_from, policy.transition);
        let Ok(Transition { cycles, ends }) = way else { return Ok(()) };
        if cycles.is_empty() {
            return Ok(());
        }
        let mut next = first.clone();
        next.revision.0 += 1;
        next.plan = sample.another_plan(&mut Dice::new(seed));
        next.valid_from = first.valid_from + cycles[0].cycle;
        let found = published_rules(&policy, &next, Some(&first), controller, first.valid_from);
        prop_assert!(found.contains(&15) || next.valid_from >= ends, "{:?}", found);
    }
}
