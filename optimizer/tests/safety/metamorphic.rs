//! What must not matter to safety does not.

use greenkerb_models::ids::GroupId;
use greenkerb_models::signal::{ConflictMatrix, Controller, TimingPlan};
use greenkerb_models::units::Ds;
use proptest::prelude::*;

use crate::sample::{Dice, any_sample};
use crate::verdict::rules;

/// The same controller and plan with their groups in another order.
fn permuted(controller: &Controller, plan: &TimingPlan, order: &[usize]) -> (Controller, TimingPlan) {
    let (mut c, mut p) = (controller.clone(), plan.clone());
    let place = |g: usize| order.iter().position(|o| *o == g).expect("a permutation");
    c.groups = order.iter().map(|g| controller.groups[*g].clone()).collect();
    p.greens = order.iter().map(|g| plan.greens[*g].clone()).collect();
    c.conflicts = ConflictMatrix::compatible(order.len());
    for (i, a) in order.iter().enumerate() {
        for (j, b) in order.iter().enumerate() {
            c.conflicts.set(GroupId::at(i), GroupId::at(j), controller.conflicts.get(GroupId::at(*a), GroupId::at(*b)));
        }
    }
    for (step, old) in c.program.steps.iter_mut().zip(&controller.program.steps) {
        step.shows = order.iter().map(|g| old.shows[*g]).collect();
    }
    for phase in
        c.ring_barrier.iter_mut().flat_map(|r| &mut r.barrier_groups).flat_map(|b| b.rings.iter_mut().flatten())
    {
        phase.group = GroupId::at(place(phase.group.index()));
    }
    (c, p)
}

/// A plan that may be wrong, in one of a few ways.
fn perhaps_wrong(plan: &TimingPlan, dice: &mut Dice) -> TimingPlan {
    let mut plan = plan.clone();
    let g = dice.below(plan.greens.len());
    match dice.below(4) {
        0 => plan.greens[g].clear(),
        1 => plan.greens[g].iter_mut().for_each(|i| i.start = Ds((i.start.0 + 70) % plan.cycle.0)),
        2 => plan.greens[g].iter_mut().for_each(|i| i.length = Ds(i.length.0 / 2)),
        _ => {}
    }
    plan
}

proptest! {
    #[test]
    fn turning_all_offsets_changes_no_verdict(sample in any_sample(), seed: u64, by in 0_u32..5000) {
        let unit = sample.controller.limits.resolution.0;
        let plan = perhaps_wrong(&sample.plan, &mut Dice::new(seed));
        let mut turned = plan.clone();
        turned.offset = Ds((plan.offset.0 + by / unit * unit) % plan.cycle.0);
        // A cycle that is a multiple of the resolution keeps every offset one.
        prop_assert_eq!(rules(&plan, &sample.controller), rules(&turned, &sample.controller));
    }

    #[test]
    fn the_order_of_the_groups_changes_no_verdict(sample in any_sample(), seed: u64) {
        let mut dice = Dice::new(seed);
        let plan = perhaps_wrong(&sample.plan, &mut dice);
        let mut order: Vec<usize> = (0..plan.greens.len()).collect();
        for i in (1..order.len()).rev() {
            order.swap(i, dice.below(i + 1));
        }
        let (controller, same) = permuted(&sample.controller, &plan, &order);
        prop_assert_eq!(rules(&plan, &sample.controller), rules(&same, &controller));
    }
}
