//! Rule 12.

use greenkerb_models::ids::GroupId;
use greenkerb_models::signal::{GroupKind, Indication, Protection, Relation};
use greenkerb_models::units::Ds;
use proptest::prelude::*;

use crate::sample::{Walk, any_staged};
use crate::verdict::rules;

proptest! {
    /// Of two groups that are green together, the one that ends first is made a permissive turn beside the other.
    #[test]
    fn a_permissive_green_that_ends_before_the_oncoming_stream_is_refused(sample in any_staged()) {
        let walk = Walk::of(&sample.plan);
        let cycle = walk.cycle();
        let ids: Vec<GroupId> = sample.controller.group_ids().collect();
        for &turn in &ids {
            for &oncoming in ids.iter().filter(|o| **o != turn) {
                if sample.controller.conflicts.get(turn, oncoming) != Relation::Compatible {
                    continue;
                }
                let (t, o) = (turn.index(), oncoming.index());
                if walk.shows[t].contains(&Some(Protection::Permissive)) {
                    continue;
                }
                let ends = (0..cycle).filter(|at| walk.at(t, at + cycle - 1).is_some() && walk.at(t, *at).is_none());
                let runs_on = ends.filter(|at| walk.at(o, *at).is_some()).count() > 0;
                let mut controller = sample.controller.clone();
                for step in &mut controller.program.steps {
                    if step.shows[t] == Indication::Protected {
                        step.shows[t] = Indication::Permissive;
                    }
                }
                controller.conflicts.set(turn, oncoming, Relation::Permitted { yields: true, intergreen: Ds(0) });
                controller.conflicts.set(oncoming, turn, Relation::Permitted { yields: false, intergreen: Ds(0) });
                let mut plan = sample.plan.clone();
                plan.greens[t].iter_mut().for_each(|g| g.protection = Protection::Permissive);
                let vehicles = [t, o].iter().all(|g| controller.groups[*g].kind == GroupKind::Vehicle);
                let expected = if runs_on && vehicles { vec![12] } else { vec![] };
                prop_assert_eq!(rules(&plan, &controller), expected);
            }
        }
    }
}
