//! Rule 16.

use greenkerb_models::plan::PublishedPlan;
use greenkerb_models::units::{Ds, TimeDs};
use greenkerb_optimizer::safety::{Policy, Validated, validate_group, validate_stored};
use proptest::prelude::*;

use crate::sample::{Sample, any_staged};

/// A member of a group: its own name, its plan with a cycle made `cycle`, by its last stage.
fn member(sample: &Sample, name: &str, cycle: Ds, later: Ds, computed_at: TimeDs) -> Option<Validated<PublishedPlan>> {
    let mut controller = sample.controller.clone();
    controller.name = name.into();
    let mut splits = controller.program.min_splits();
    let rest = controller.program.clearance_total() + splits[1..].iter().copied().sum();
    splits[0] = Ds(cycle.0.checked_sub(rest.0)?);
    let plan = controller.program.compile(&controller.groups, &controller.conflicts, &splits, Ds(0)).ok()?;
    let mut published = Sample { controller: controller.clone(), plan }.published(computed_at);
    published.valid_from = TimeDs(50_000_000) + later;
    published.valid_until = published.valid_from + Ds(36_000);
    let policy = Policy { max_red: Ds::from_s(255), ..Policy::default() };
    controller.groups.iter_mut().for_each(|g| g.max_red = Ds::from_s(255));
    published.configuration_checksum = controller.checksum();
    validate_stored(published, &controller, &policy).ok()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_group_has_one_cycle_or_its_half_and_changes_as_one(
        sample in any_staged(),
        cycle_s in 60_u32..=90,
        others in prop::collection::vec((0_usize..4, 0_u32..3000, 0_i64..2), 1..4),
    ) {
        let cycle = Ds::from_s(cycle_s * 2);
        let policy = Policy::default();
        let Some(first) = member(&sample, "first", cycle, Ds(0), TimeDs(0)) else { return Ok(()) };
        let mut members = vec![first];
        let (mut cycles_fit, mut moments_fit) = (true, true);
        for (i, (kind, later, computed)) in others.into_iter().enumerate() {
            let of = [cycle, Ds(cycle.0 / 2), cycle - Ds::from_s(1), Ds(cycle.0 / 2 - 10)][kind];
            let name = format!("other{i}");
            let Some(m) = member(&sample, &name, of, Ds(later), TimeDs(computed)) else { continue };
            cycles_fit &= kind < 2;
            moments_fit &= later <= policy.group_spread_max.0 && computed == 0;
            members.push(m);
        }
        let all: Vec<&Validated<PublishedPlan>> = members.iter().collect();
        let verdict = validate_group(&all, &[], &policy);
        prop_assert_eq!(verdict.is_ok(), cycles_fit && moments_fit, "{:?}", verdict);
        if let Err(refusals) = verdict {
            prop_assert_eq!(refusals.rules(), vec![16]);
        }
        // Members that stay changed at other times, but keep step.
        prop_assert_eq!(validate_group(&all[..1], &all[1..], &policy).is_ok(), cycles_fit);
        prop_assert!(validate_group(&[all[0], all[0]], &[], &policy).is_err(), "one controller twice");
        prop_assert!(validate_group(&[], &[], &policy).is_ok(), "nobody changes");
    }
}
