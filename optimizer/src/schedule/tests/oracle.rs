//! The search against every way there is to choose.

use super::super::model::Model;
use super::super::playout::{Manner, Scene, State, TICK_DS};
use super::super::search::{Effort, Start, by_rule, search};
use super::{Dice, crossroads, model, random_traffic, scene, state, street};

/// The least cost of all sequences of stages, each left at a whole second, that begin as late as the search may have them
/// begin; after the last one the rule goes on, as it does for the search.
fn least(
    scene: &Scene<'_>,
    effort: &Effort,
    state: &State,
    (stage, starts_ds): (usize, i32),
    from_ds: i32,
    depth: u8,
) -> i64 {
    let model = scene.model;
    let begins = starts_ds.max(0);
    let mut played = state.clone();
    let ended = by_rule(scene, &mut played, (stage, starts_ds), (begins, from_ds), effort.horizon_ds, None, &mut None);
    let mut best = scene.total(&played, ended, effort.horizon_ds);
    if depth == 0 {
        return best;
    }
    let mut walk = state.clone();
    let mut now = begins;
    let first = from_ds.max(starts_ds + model.stages[stage].min_ds).max(begins);
    let mut leaves = first.div_euclid(TICK_DS) * TICK_DS + if first % TICK_DS == 0 { 0 } else { TICK_DS };
    while leaves <= effort.choice_ds {
        scene.run(&mut walk, &model.stages[stage].row, (now, leaves), &mut None);
        now = leaves;
        for &to in model.distinct.iter().filter(|to| **to != stage) {
            let begins_next = leaves + model.change(stage, to).length_ds;
            if begins_next <= effort.choice_ds && scene.may_leave(&walk, (stage, to), starts_ds, leaves) {
                let mut next = walk.clone();
                let starts = scene.switch(&mut next, (stage, to), leaves, &mut None);
                best = best.min(least(scene, effort, &next, (to, starts), starts, depth - 1));
            }
        }
        leaves += TICK_DS;
    }
    best
}

/// What a random case costs beyond the least: as the search has it, and by the rule alone.
struct Excess {
    seed: u64,
    search: f64,
    rule: f64,
}

fn excess(model: &Model, (seed, most): (u64, u64), effort: &Effort) -> Excess {
    let (manner, rooms) = (Manner::default(), vec![None; model.ways.len()]);
    let mut dice = Dice::of(seed);
    let traffic = random_traffic(model, &mut dice, most);
    let scene = scene(model, &traffic, &manner, &rooms);
    let stage = model.distinct[dice.below(model.distinct.len() as u64) as usize];
    let since_ds = -10 * dice.below(30) as i32;
    let start = Start { state: state(&scene, stage, since_ds), stage, since_ds, bound_ds: 20 };
    let found = search(&scene, &start, effort);
    let best = least(&scene, effort, &start.state, (stage, since_ds), start.bound_ds, effort.depth);
    assert!(found.cost >= best, "seed {seed}: {} is less than the least, {best}", found.cost);
    let beyond = |cost: i64| (cost - best) as f64 / best.max(1) as f64;
    Excess { seed, search: beyond(found.cost), rule: beyond(found.rule_cost) }
}

/// The search is close to the least on average, and the rule alone is not: the cases tell them apart.
fn is_close(model: &Model, seeds: std::ops::Range<u64>, most: u64, choice_ds: i32) {
    let effort = Effort { choice_ds, ..Effort::default() };
    let all: Vec<Excess> = seeds.map(|seed| excess(model, (seed, most), &effort)).collect();
    let mean = |of: &dyn Fn(&Excess) -> f64| all.iter().map(of).sum::<f64>() / all.len() as f64;
    let (search, rule) = (mean(&|e| e.search), mean(&|e| e.rule));
    let worst = all.iter().max_by(|a, b| a.search.total_cmp(&b.search)).unwrap();
    let told = format!(
        "{:.2} % above the least cost on average, {} of {} exact, worst {:.1} % with seed {}; the rule alone {:.1} %",
        search * 100.0,
        all.iter().filter(|e| e.search == 0.0).count(),
        all.len(),
        worst.search * 100.0,
        worst.seed,
        rule * 100.0
    );
    println!("{told}");
    assert!(search <= 0.03 && rule > 0.03, "{told}");
}

#[test]
fn two_stages_are_timed_nearly_as_well_as_can_be() {
    is_close(&model(&crossroads(), 0), 0..30, 8, 350);
}

#[test]
fn three_stages_are_chosen_and_timed_nearly_as_well_as_can_be() {
    is_close(&model(&street(), 0), 0..30, 6, 250);
    is_close(&model(&street(), 0), 100..130, 12, 350);
}
