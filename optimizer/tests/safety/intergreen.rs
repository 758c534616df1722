//! Rule 9.

use greenkerb_models::ids::GroupId;
use greenkerb_models::signal::Relation;
use greenkerb_models::units::Ds;
use proptest::prelude::*;

use crate::sample::{Walk, any_sample};
use crate::verdict::rules;

proptest! {
    #[test]
    fn a_decisecond_less_than_the_intergreen_is_refused(sample in any_sample()) {
        let mut controller = sample.controller.clone();
        let walk = Walk::of(&sample.plan);
        let ids: Vec<GroupId> = controller.group_ids().collect();
        for &a in &ids {
            for &b in &ids {
                let Relation::Conflict { intergreen } = controller.conflicts.get(a, b) else { continue };
                let green = |s: Option<_>| s.is_some();
                let Some(gap) = walk.gap((a.index(), green), (b.index(), green)) else { continue };
                controller.conflicts.set(a, b, Relation::Conflict { intergreen: Ds(gap) });
                prop_assert!(rules(&sample.plan, &controller).is_empty());
                controller.conflicts.set(a, b, Relation::Conflict { intergreen: Ds(gap + 1) });
                prop_assert_eq!(rules(&sample.plan, &controller), vec![9]);
                controller.conflicts.set(a, b, Relation::Conflict { intergreen });
            }
        }
    }

    #[test]
    fn groups_that_conflict_are_never_green_together(sample in any_sample()) {
        let walk = Walk::of(&sample.plan);
        let ids: Vec<GroupId> = sample.controller.group_ids().collect();
        for &a in &ids {
            for &b in ids.iter().filter(|b| a < **b && walk.together(a.index(), b.index())) {
                let mut controller = sample.controller.clone();
                controller.conflicts.set(a, b, Relation::Conflict { intergreen: Ds(0) });
                controller.conflicts.set(b, a, Relation::Conflict { intergreen: Ds(0) });
                let broken = rules(&sample.plan, &controller);
                prop_assert_eq!(broken, vec![9]);
            }
        }
    }

    #[test]
    fn a_yellow_is_never_shorter_than_the_way_to_the_next_conflicting_green(sample in any_sample()) {
        // The matrix may say less; the yellow that is shown still has to end before anybody else starts.
        let mut controller = sample.controller.clone();
        let walk = Walk::of(&sample.plan);
        let ids: Vec<GroupId> = controller.group_ids().collect();
        let green = |s: Option<_>| s.is_some();
        for &a in &ids {
            let gaps = ids.iter().filter(|b| controller.conflicts.conflicts(a, **b));
            let Some(gap) = gaps.filter_map(|b| walk.gap((a.index(), green), (b.index(), green))).min() else { continue };
            let yellow = controller.groups[a.index()].yellow;
            controller.groups[a.index()].yellow = Ds(gap + 1);
            prop_assert!(rules(&sample.plan, &controller).contains(&9));
            controller.groups[a.index()].yellow = yellow;
        }
    }
}

mod permitted {
    use greenkerb_models::ids::GroupId;
    use greenkerb_models::signal::{
        ConflictMatrix, Controller, GreenInterval, GroupKind, Limits, Program, Protection, Relation,
    };
    use greenkerb_models::units::Ds;
    use greenkerb_optimizer::safety::Refusal;

    use crate::sample::{Sample, group};

    /// A turn (group 0) that yields to an oncoming stream (group 1), with intergreens of 5.0 s out of and 6.0 s into it.
    fn verdict(turn: &[(u32, u32, Protection)], oncoming: &[(u32, u32)]) -> Vec<u8> {
        let sample = Sample::stages_of_seed(0);
        let mut turning = group("turn".into(), GroupKind::Vehicle);
        turning.yellow = Ds(30);
        let mut opposing = group("oncoming".into(), GroupKind::Vehicle);
        opposing.yellow = Ds(30);
        let mut conflicts = ConflictMatrix::compatible(2);
        conflicts.set(GroupId(0), GroupId(1), Relation::Permitted { yields: true, intergreen: Ds(50) });
        conflicts.set(GroupId(1), GroupId(0), Relation::Permitted { yields: false, intergreen: Ds(60) });
        let mut steps = sample.controller.program.steps.clone();
        steps.iter_mut().for_each(|s| s.shows = vec![greenkerb_models::signal::Indication::Red; 2]);
        let controller = Controller {
            groups: vec![turning, opposing],
            conflicts,
            program: Program { steps, shipped_offset: Ds(0) },
            limits: Limits { cycle_min: Ds(100), cycle_max: Ds(2550), resolution: Ds(1) },
            ..sample.controller
        };
        let mut plan = controller.time_of_day_plan();
        plan.cycle = Ds(1000);
        plan.offset = Ds(0);
        plan.greens = vec![
            turn.iter()
                .map(|&(start, length, protection)| GreenInterval { start: Ds(start), length: Ds(length), protection })
                .collect(),
            oncoming
                .iter()
                .map(|&(start, length)| GreenInterval {
                    start: Ds(start),
                    length: Ds(length),
                    protection: Protection::Protected,
                })
                .collect(),
        ];
        let refusals = greenkerb_optimizer::safety::validate_plan(plan, &controller, &Default::default()).unwrap_err();
        // The made-up greens are not those of the program; what matters here is what rule 9 says about them.
        refusals.iter().map(Refusal::rule).filter(|rule| *rule == 9).collect()
    }

    const G: Protection = Protection::Protected;
    const Y: Protection = Protection::Permissive;

    #[test]
    fn a_permissive_green_stands_beside_the_stream_it_yields_to() {
        assert!(verdict(&[(0, 300, Y)], &[(0, 300)]).is_empty());
        assert!(verdict(&[(100, 300, Y)], &[(0, 300)]).is_empty());
        assert!(verdict(&[(990, 300, Y)], &[(200, 100)]).is_empty());
    }

    #[test]
    fn a_protected_green_does_not() {
        assert_eq!(verdict(&[(0, 300, G)], &[(0, 300)]), [9]);
        assert_eq!(verdict(&[(0, 300, Y), (300, 100, G)], &[(0, 301)]), [9]);
    }

    #[test]
    fn a_permissive_green_turns_protected_an_intergreen_after_the_stream_ends() {
        assert!(verdict(&[(0, 360, Y), (360, 100, G)], &[(0, 300)]).is_empty());
        assert_eq!(verdict(&[(0, 359, Y), (359, 100, G)], &[(0, 300)]), [9]);
    }

    #[test]
    fn a_protected_green_turns_permissive_an_intergreen_before_the_stream_starts() {
        assert!(verdict(&[(900, 200, G), (100, 300, Y)], &[(150, 250)]).is_empty());
        assert_eq!(verdict(&[(900, 200, G), (100, 300, Y)], &[(149, 251)]), [9]);
    }

    #[test]
    fn a_protected_green_that_ends_for_good_asks_its_intergreen_of_the_stream() {
        assert!(verdict(&[(800, 150, G)], &[(0, 300)]).is_empty());
        assert_eq!(verdict(&[(800, 151, G)], &[(0, 300)]), [9]);
    }
}
