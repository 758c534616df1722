//! Rule 22: no input makes the validator panic, and nothing that fails a rule gets through it.

use greenkerb_models::ids::StageId;
use greenkerb_models::plan::PublishedPlan;
use greenkerb_models::signal::{GreenInterval, OffsetReference, PlanView, Protection, StageSplit, TimingPlan};
use greenkerb_models::units::{Ds, TimeDs};
use greenkerb_optimizer::safety::{Heard, Policy, Publication, validate_plan, validate_publication, validate_stored};
use proptest::prelude::*;

use crate::oracle;
use crate::sample::{Dice, Sample, any_sample};
use crate::verdict::unbounded;

fn any_ds() -> impl Strategy<Value = Ds> {
    prop_oneof![
        4 => (0_u32..3000).prop_map(Ds),
        1 => any::<u32>().prop_map(Ds),
        1 => prop::sample::select(vec![0, 1, u32::MAX, u32::MAX - 1, u32::MAX / 2, u32::MAX / 4]).prop_map(Ds),
    ]
}

fn any_plan() -> impl Strategy<Value = TimingPlan> {
    let protection = any::<bool>().prop_map(|p| if p { Protection::Protected } else { Protection::Permissive });
    let green = (any_ds(), any_ds(), protection).prop_map(|(start, length, protection)| GreenInterval {
        start,
        length,
        protection,
    });
    let stages = prop::collection::vec((0_u32..6, any_ds()), 0..7).prop_map(|splits| PlanView::Stages {
        splits: splits.into_iter().map(|(stage, green)| StageSplit { stage: StageId(stage), green }).collect(),
    });
    let rings = prop::collection::vec((0_u8..10, any_ds()), 0..10).prop_map(|splits| PlanView::RingBarrier { splits });
    let reference = prop::sample::select(vec![
        OffsetReference::CycleStart,
        OffsetReference::CoordinatedGreenStart,
        OffsetReference::CoordinatedSplitEnd,
    ]);
    let greens = prop::collection::vec(prop::collection::vec(green, 0..4), 0..12);
    (any_ds(), any_ds(), reference, greens, prop_oneof![stages, rings], any_ds()).prop_map(
        |(cycle, offset, reference, greens, view, reference_position)| TimingPlan {
            cycle,
            offset,
            reference,
            greens,
            view,
            reference_position,
        },
    )
}

/// Parts of a right plan in place of some parts of a random one, so that not everything is wrong at once.
fn mixed(sample: &Sample, random: &TimingPlan, dice: &mut Dice) -> TimingPlan {
    let mut plan = sample.plan.clone();
    let other = random.clone();
    if dice.chance(30) {
        plan.cycle = other.cycle;
    }
    if dice.chance(30) {
        plan.offset = other.offset;
    }
    if dice.chance(30) {
        plan.view = other.view;
    } else if let PlanView::Stages { splits } = &mut plan.view {
        splits.iter_mut().filter(|_| dice.chance(30)).for_each(|s| s.green = other.offset);
    } else if let PlanView::RingBarrier { splits } = &mut plan.view {
        splits.iter_mut().filter(|_| dice.chance(30)).for_each(|s| s.1 = other.offset);
    }
    for (g, greens) in plan.greens.iter_mut().enumerate() {
        if dice.chance(20)
            && let Some(new) = other.greens.get(g)
        {
            greens.clone_from(new);
        }
    }
    plan
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn random_plans_are_judged_without_a_panic(sample in any_sample(), random in any_plan(), seed: u64) {
        let mut dice = Dice::new(seed);
        for plan in [mixed(&sample, &random, &mut dice), random] {
            if let Ok(validated) = validate_plan(plan, &sample.controller, &Policy::default()) {
                prop_assert!(oracle::broken(validated.get(), &sample.controller, 1200).is_empty());
            }
        }
    }

    #[test]
    fn flipped_bytes_are_judged_without_a_panic(sample in any_sample(), seed: u64, now: i64) {
        let mut dice = Dice::new(seed);
        let policy = unbounded();
        let now = if dice.chance(50) { TimeDs(now) } else { TimeDs(now % 1_000_000_000) };
        let right = sample.published(TimeDs(now.0 % 1_000_000_000_000));
        let mut bytes = postcard::to_stdvec(&right).unwrap();
        for _ in 0..dice.within(1, 6) {
            let i = dice.below(bytes.len());
            bytes[i] ^= 1 << dice.below(8);
        }
        let Ok(candidate) = postcard::from_bytes::<PublishedPlan>(&bytes) else { return Ok(()) };
        let stored = validate_stored(candidate.clone(), &sample.controller, &policy);
        let previous = dice.chance(50).then_some(&right);
        let publication =
            Publication { candidate: candidate.clone(), previous, heard: Heard::AsTold, controller: &sample.controller, policy: &policy, now };
        let published = validate_publication(publication);
        if published.is_ok() {
            prop_assert!(stored.is_ok(), "what may be published may be kept");
        }
        if stored.is_ok() {
            prop_assert!(oracle::broken(&candidate.plan, &sample.controller, 1200).is_empty());
            prop_assert_eq!(&candidate.fallback, &right.fallback);
            prop_assert_eq!(&candidate.configuration_checksum, &right.configuration_checksum);
        }
    }

    #[test]
    fn random_predecessors_are_followed_without_a_panic(sample in any_sample(), random in any_plan(), seed: u64) {
        let mut dice = Dice::new(seed);
        let policy = unbounded();
        let right = sample.published(TimeDs(1000));
        let mut previous = right.clone();
        previous.plan = mixed(&sample, &random, &mut dice);
        if dice.chance(50) {
            previous.fallback.plan = mixed(&sample, &random, &mut dice);
        }
        if dice.chance(30) {
            previous.valid_from = TimeDs(dice.next() as i64);
        }
        if dice.chance(30) {
            previous.valid_until = TimeDs(dice.next() as i64);
        }
        let mut candidate = right;
        candidate.revision.0 += 1;
        candidate.valid_from = TimeDs(candidate.valid_from.0 + i64::from(dice.within(0, 100_000)));
        candidate.valid_until = candidate.valid_from + Ds(36_000);
        let controller = &sample.controller;
        let publication =
            Publication { candidate, previous: Some(&previous), heard: Heard::AsTold, controller, policy: &policy, now: TimeDs(1000) };
        let _ = validate_publication(publication);
    }
}
