use proptest::prelude::*;

use super::super::model::Model;
use super::super::playout::Manner;
use super::super::search::{Effort, Found, Start, search};
use super::{Dice, crossroads, model, random_traffic, scene, state, street};

/// What is found for a random picture of a junction.
fn found(model: &Model, seed: u64, effort: &Effort) -> (Start, Found) {
    let mut dice = Dice::of(seed);
    let traffic = random_traffic(model, &mut dice, 12);
    let (manner, rooms) = (Manner::default(), vec![None; model.ways.len()]);
    let scene = scene(model, &traffic, &manner, &rooms);
    let stage = dice.below(model.stages.len() as u64) as usize;
    let since_ds = -10 * dice.below(40) as i32;
    let start = Start { state: state(&scene, stage, since_ds), stage, since_ds, bound_ds: 20 };
    let found = search(&scene, &start, effort);
    (start, found)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_found_is_never_worse_than_the_rule_and_can_be_shown(seed in any::<u64>(), which in 0..2usize) {
        let network = if which == 0 { crossroads() } else { street() };
        let model = model(&network, 0);
        let effort = Effort::default();
        let (start, found) = found(&model, seed, &effort);
        prop_assert!(found.cost <= found.rule_cost, "{} {}", found.cost, found.rule_cost);
        let first = found.legs[0];
        prop_assert_eq!((first.stage, first.starts_ds), (start.stage, start.since_ds));
        prop_assert!(first.ends_ds >= start.bound_ds);
        for leg in &found.legs[..found.legs.len() - 1] {
            prop_assert!(leg.ends_ds - leg.starts_ds >= model.stages[leg.stage].min_ds, "{:?}", found.legs);
        }
        for pair in found.legs.windows(2) {
            prop_assert!(pair[0].stage != pair[1].stage);
            let clears_ds = model.change(pair[0].stage, pair[1].stage).length_ds;
            prop_assert_eq!(pair[1].starts_ds - pair[0].ends_ds, clears_ds);
        }
        // No lane is left sooner than its vehicles can come one after the other.
        prop_assert!(found.crossings.iter().all(|c| (0..effort.horizon_ds).contains(&c.at_ds)));
    }

    #[test]
    fn the_same_picture_gives_the_same_plan(seed in any::<u64>()) {
        let network = street();
        let model = model(&network, 0);
        let (_, once) = found(&model, seed, &Effort::default());
        let (_, again) = found(&model, seed, &Effort::default());
        prop_assert_eq!((once.cost, once.legs, once.crossings), (again.cost, again.legs, again.crossings));
    }
}

#[test]
fn no_group_is_left_red_for_longer_than_it_may_be() {
    let network = street();
    let model = model(&network, 0);
    for seed in 0..100 {
        let mut dice = Dice::of(seed);
        let traffic = random_traffic(&model, &mut dice, 12);
        let (manner, rooms) = (Manner::default(), vec![None; model.ways.len()]);
        let scene = scene(&model, &traffic, &manner, &rooms);
        let mut state = state(&scene, 0, -100);
        // Group 2 has to be green within half a minute.
        state.green_ds[2] = -900;
        let start = Start { state, stage: 0, since_ds: -100, bound_ds: 20 };
        let legs = search(&scene, &start, &Effort::default()).legs;
        let served = legs.iter().find(|l| model.stages[l.stage].groups.contains(&2));
        assert!(served.is_some_and(|l| l.starts_ds <= 300), "seed {seed}: {legs:?}");
    }
}
