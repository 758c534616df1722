//! Mutations of valid plans: each is really wrong, and each is refused, for a reason that fits.

use greenkerb_models::ids::{GroupId, StageId};
use greenkerb_models::plan::PublishedPlan;
use greenkerb_models::signal::{
    Controller, GroupKind, OffsetReference, PlanView, Protection, Relation, StepKind, TimingPlan,
};
use greenkerb_models::units::{Ds, TimeDs};

use crate::oracle;
use crate::sample::{Dice, Sample, Walk};
use crate::verdict::{published_rules, rules, unbounded};

/// Mutations of plans that are made at least.
const PLANS: usize = 10_000;

/// Mutations of publications that are made at least.
const PUBLICATIONS: usize = 3_000;

/// One way to break a plan: what it is, the rules of which one at least must be named, and the broken plan (with the
/// database, where that is what is broken). `None` where the sample has nothing to break that way.
type Mutation = (&'static str, &'static [u8], fn(&Sample, &mut Dice) -> Option<(TimingPlan, Controller)>);

fn plan_of(sample: &Sample, change: impl FnOnce(&mut TimingPlan) -> bool) -> Option<(TimingPlan, Controller)> {
    let mut plan = sample.plan.clone();
    change(&mut plan).then(|| (plan, sample.controller.clone()))
}

/// A green that does not last the whole cycle.
fn some_green(plan: &TimingPlan, dice: &mut Dice) -> Option<(usize, usize)> {
    let all: Vec<(usize, usize)> = plan
        .greens
        .iter()
        .enumerate()
        .flat_map(|(g, greens)| (0..greens.len()).map(move |i| (g, i)))
        .filter(|(g, i)| plan.greens[*g][*i].length < plan.cycle)
        .collect();
    (!all.is_empty()).then(|| all[dice.below(all.len())])
}

/// The splits of the view.
fn splits(plan: &mut TimingPlan) -> Vec<&mut Ds> {
    match &mut plan.view {
        PlanView::Stages { splits } => splits.iter_mut().map(|s| &mut s.green).collect(),
        PlanView::RingBarrier { splits } => splits.iter_mut().map(|s| &mut s.1).collect(),
    }
}

/// Two groups that conflict, both served, and the time from the end of the first to the start of the second.
fn tight_pair(sample: &Sample, dice: &mut Dice) -> Option<(GroupId, GroupId, u32)> {
    let walk = Walk::of(&sample.plan);
    let green = |s: Option<Protection>| s.is_some();
    let ids: Vec<GroupId> = sample.controller.group_ids().collect();
    let pairs: Vec<(GroupId, GroupId, u32)> = ids
        .iter()
        .flat_map(|a| ids.iter().map(move |b| (*a, *b)))
        .filter(|(a, b)| sample.controller.conflicts.conflicts(*a, *b))
        .filter_map(|(a, b)| Some((a, b, walk.gap((a.index(), green), (b.index(), green))?)))
        .collect();
    (!pairs.is_empty()).then(|| pairs[dice.below(pairs.len())])
}

const MUTATIONS: [Mutation; 32] = [
    ("a green is shifted by a decisecond", &[1, 6, 7], |s, dice| {
        let (g, i) = some_green(&s.plan, dice)?;
        let by = if dice.chance(50) { 1 } else { s.plan.cycle.0 - 1 };
        plan_of(s, |p| {
            p.greens[g][i].start = Ds((p.greens[g][i].start.0 + by) % p.cycle.0);
            true
        })
    }),
    ("a green lasts a decisecond longer", &[1, 6, 7], |s, dice| {
        let (g, i) = some_green(&s.plan, dice)?;
        plan_of(s, |p| {
            p.greens[g][i].length += Ds(1);
            true
        })
    }),
    ("a green is a decisecond shorter", &[1, 6, 7], |s, dice| {
        let (g, i) = some_green(&s.plan, dice)?;
        plan_of(s, |p| {
            p.greens[g][i].length = p.greens[g][i].length - Ds(1);
            true
        })
    }),
    ("the intergreen is used up by a decisecond too much", &[9], |s, dice| {
        // The green is drawn out until the gap is a decisecond less than the database asks.
        let (a, b, gap) = tight_pair(s, dice)?;
        let Relation::Conflict { intergreen } = s.controller.conflicts.get(a, b) else { return None };
        let heads = &s.controller.groups[a.index()];
        let needed = intergreen.max(heads.yellow).max(heads.clearance).0;
        let walk = Walk::of(&s.plan);
        let cycle = walk.cycle();
        plan_of(s, |p| {
            let green = p.greens[a.index()].iter_mut().find(|g| {
                let end = g.end(s.plan.cycle).0 as usize;
                walk.at(a.index(), end).is_none()
                    && walk.at(b.index(), end + gap as usize).is_some()
                    && (0..gap as usize).all(|d| walk.at(b.index(), end + d).is_none())
            });
            let Some(green) = green.filter(|_| needed > 0) else { return false };
            green.length += Ds(gap + 1 - needed);
            green.length.0 < cycle as u32
        })
    }),
    ("a yellow is dropped", &[1, 7], |s, dice| {
        let (g, i) = some_green(&s.plan, dice)?;
        let yellow = s.controller.groups[g].yellow;
        plan_of(s, |p| {
            p.greens[g][i].length += yellow;
            yellow > Ds(0)
        })
    }),
    ("a clearance is longer than the database's", &[1, 7], |s, dice| {
        let (g, i) = some_green(&s.plan, dice)?;
        let unit = s.controller.limits.resolution;
        plan_of(s, |p| {
            let green = &mut p.greens[g][i];
            (green.start, green.length) = (Ds((green.start.0 + unit.0) % p.cycle.0), green.length - unit);
            green.length > Ds(0)
        })
    }),
    ("a clearance is shorter than the database's", &[1, 7], |s, dice| {
        let (g, i) = some_green(&s.plan, dice)?;
        let unit = s.controller.limits.resolution;
        plan_of(s, |p| {
            let green = &mut p.greens[g][i];
            (green.start, green.length) = (Ds((green.start.0 + p.cycle.0 - unit.0) % p.cycle.0), green.length + unit);
            true
        })
    }),
    ("a ring is overfull", &[2], |s, dice| {
        let unit = s.controller.limits.resolution;
        plan_of(s, |p| {
            let mut all = splits(p);
            let i = dice.below(all.len());
            *all[i] += unit;
            true
        })
    }),
    ("a ring is not full", &[2], |s, dice| {
        let unit = s.controller.limits.resolution;
        plan_of(s, |p| {
            let mut all = splits(p);
            let i = dice.below(all.len());
            *all[i] = *all[i] - unit;
            true
        })
    }),
    ("two splits are swapped", &[2, 7], |s, dice| {
        plan_of(s, |p| {
            let mut all = splits(p);
            let (i, j) = (dice.below(all.len()), dice.below(all.len()));
            let (x, y) = (*all[i], *all[j]);
            (*all[i], *all[j]) = (y, x);
            x != y
        })
    }),
    ("two rings are swapped", &[7], |s, dice| {
        let PlanView::RingBarrier { .. } = s.plan.view else { return None };
        let side = dice.below(2);
        plan_of(s, |p| {
            let rings = &s.controller.ring_barrier.as_ref().expect("rings").barrier_groups[side].rings;
            let mut changed = false;
            for (a, b) in rings[0].iter().zip(&rings[1]) {
                changed |= p.greens[a.group.index()] != p.greens[b.group.index()];
                p.greens.swap(a.group.index(), b.group.index());
            }
            changed
        })
    }),
    ("two groups are swapped", &[7], |s, dice| {
        let (a, b) = (dice.below(s.plan.greens.len()), dice.below(s.plan.greens.len()));
        plan_of(s, |p| {
            p.greens.swap(a, b);
            p.greens[a] != p.greens[b]
        })
    }),
    ("the reference point is of another kind", &[5], |s, _| {
        plan_of(s, |p| {
            p.reference = match p.reference {
                OffsetReference::CoordinatedSplitEnd => OffsetReference::CoordinatedGreenStart,
                _ => OffsetReference::CoordinatedSplitEnd,
            };
            true
        })
    }),
    ("the reference point is elsewhere", &[5], |s, dice| {
        let by = dice.within(1, s.plan.cycle.0 - 1);
        plan_of(s, |p| {
            p.reference_position = Ds((p.reference_position.0 + by) % p.cycle.0);
            true
        })
    }),
    ("the offset is the cycle or more", &[5], |s, dice| {
        plan_of(s, |p| {
            p.offset = if dice.chance(50) { p.cycle } else { Ds(p.cycle.0 + dice.within(0, 5000)) };
            true
        })
    }),
    ("a group is missing", &[1], |s, dice| {
        let g = dice.below(s.plan.greens.len());
        plan_of(s, |p| {
            p.greens.remove(g);
            true
        })
    }),
    ("a group too many", &[1], |s, dice| {
        let g = dice.below(s.plan.greens.len());
        plan_of(s, |p| {
            p.greens.push(p.greens[g].clone());
            true
        })
    }),
    ("a green is there twice", &[1], |s, dice| {
        let (g, i) = some_green(&s.plan, dice)?;
        plan_of(s, |p| {
            let again = p.greens[g][i];
            p.greens[g].push(again);
            true
        })
    }),
    ("a green starts after the cycle", &[1], |s, dice| {
        let (g, i) = some_green(&s.plan, dice)?;
        let turns = dice.within(1, 3);
        plan_of(s, |p| {
            p.greens[g][i].start += Ds(p.cycle.0 * turns);
            true
        })
    }),
    ("protected and permissive are mistaken", &[7], |s, dice| {
        let (g, i) = some_green(&s.plan, dice)?;
        plan_of(s, |p| {
            let green = &mut p.greens[g][i];
            green.protection = match green.protection {
                Protection::Protected => Protection::Permissive,
                Protection::Permissive => Protection::Protected,
            };
            true
        })
    }),
    ("a group is starved", &[11], |s, dice| {
        let (g, _) = some_green(&s.plan, dice)?;
        plan_of(s, |p| {
            p.greens[g].clear();
            true
        })
    }),
    ("one of two greens is left out", &[7], |s, dice| {
        let (g, i) = some_green(&s.plan, dice)?;
        plan_of(s, |p| {
            p.greens[g].remove(i);
            true
        })
    }),
    ("the view names another stage or phase", &[1], |s, dice| {
        plan_of(s, |p| {
            match &mut p.view {
                PlanView::Stages { splits } => {
                    let i = dice.below(splits.len());
                    splits[i].stage = StageId(splits[i].stage.0 + 1 + dice.within(0, 9));
                }
                PlanView::RingBarrier { splits } => {
                    let i = dice.below(splits.len());
                    splits[i].0 = 9 + dice.within(0, 200) as u8;
                }
            }
            true
        })
    }),
    ("the view lacks a split", &[1], |s, dice| {
        plan_of(s, |p| {
            match &mut p.view {
                PlanView::Stages { splits } => drop(splits.remove(dice.below(splits.len()))),
                PlanView::RingBarrier { splits } => drop(splits.remove(dice.below(splits.len()))),
            }
            true
        })
    }),
    ("the view is of another kind", &[1], |s, _| {
        plan_of(s, |p| {
            p.view = match &p.view {
                PlanView::Stages { .. } => PlanView::RingBarrier { splits: vec![(1, Ds(100))] },
                PlanView::RingBarrier { .. } => PlanView::Stages { splits: Vec::new() },
            };
            true
        })
    }),
    ("the cycle is another than the splits'", &[2], |s, dice| {
        let by = s.controller.limits.resolution.0 * dice.within(1, 20);
        plan_of(s, |p| {
            p.cycle += Ds(by);
            true
        })
    }),
    ("a stage is cut below its minimum", &[8], |s, dice| {
        let PlanView::Stages { splits } = &s.plan.view else { return None };
        let at = dice.below(splits.len());
        let mut lengths: Vec<Ds> = splits.iter().map(|s| s.green).collect();
        lengths[at] = s.controller.program.min_splits()[at] - s.controller.limits.resolution;
        let plan = s
            .controller
            .program
            .compile(&s.controller.groups, &s.controller.conflicts, &lengths, s.plan.offset)
            .ok()?;
        Some((plan, s.controller.clone()))
    }),
    ("the cycle is beyond every limit", &[4], |s, dice| {
        let PlanView::Stages { splits } = &s.plan.view else { return None };
        let mut lengths: Vec<Ds> = splits.iter().map(|s| s.green).collect();
        let at = dice.below(lengths.len());
        lengths[at] += s.controller.limits.cycle_max;
        let plan = s
            .controller
            .program
            .compile(&s.controller.groups, &s.controller.conflicts, &lengths, s.plan.offset)
            .ok()?;
        Some((plan, s.controller.clone()))
    }),
    ("the database asks a decisecond more between two groups", &[9], |s, dice| {
        let (a, b, gap) = tight_pair(s, dice)?;
        let mut controller = s.controller.clone();
        controller.conflicts.set(a, b, Relation::Conflict { intergreen: Ds(gap + 1) });
        Some((s.plan.clone(), controller))
    }),
    ("the database's clearance step is a decisecond too short", &[9], |s, dice| {
        // The plan agrees with its program, and the program does not agree with its matrix.
        let (a, b, _) = tight_pair(s, dice)?;
        let mut controller = s.controller.clone();
        let unit = controller.limits.resolution;
        for step in &mut controller.program.steps {
            if step.kind == StepKind::Clearance {
                step.shipped = step.shipped.saturating_sub(unit);
            }
        }
        let PlanView::Stages { splits } = &s.plan.view else { return None };
        let lengths: Vec<Ds> = splits.iter().map(|s| s.green).collect();
        let plan =
            controller.program.compile(&controller.groups, &controller.conflicts, &lengths, s.plan.offset).ok()?;
        let green = |s: Option<Protection>| s.is_some();
        let gap = Walk::of(&plan).gap((a.index(), green), (b.index(), green))?;
        let heads = &controller.groups[a.index()];
        let Relation::Conflict { intergreen } = controller.conflicts.get(a, b) else { return None };
        (gap < intergreen.max(heads.yellow).max(heads.clearance).0).then_some((plan, controller))
    }),
    ("the database asks a longer green or red", &[10], |s, dice| {
        let walk = Walk::of(&s.plan);
        let g = dice.below(s.plan.greens.len());
        let mut controller = s.controller.clone();
        let heads = &mut controller.groups[g];
        if dice.chance(50) {
            heads.min_green = Ds(walk.runs(g, |s| s.is_some()).min()? + 1);
        } else {
            let red = walk.runs(g, |s| s.is_none()).min().filter(|r| *r < s.plan.cycle.0)?;
            heads.min_red = Ds(red + 1);
        }
        Some((s.plan.clone(), controller))
    }),
    ("a turn ends in a yellow trap", &[12], |s, dice| {
        let walk = Walk::of(&s.plan);
        let cycle = walk.cycle();
        let (t, o) = (dice.below(s.plan.greens.len()), dice.below(s.plan.greens.len()));
        let (turn, oncoming) = (GroupId::at(t), GroupId::at(o));
        let vehicles = [t, o].iter().all(|g| s.controller.groups[*g].kind == GroupKind::Vehicle);
        let trap = (0..cycle)
            .any(|at| walk.at(t, at + cycle - 1).is_some() && walk.at(t, at).is_none() && walk.at(o, at).is_some());
        if t == o || !vehicles || !trap || s.controller.conflicts.get(turn, oncoming) != Relation::Compatible {
            return None;
        }
        let mut controller = s.controller.clone();
        controller.conflicts.set(turn, oncoming, Relation::Permitted { yields: true, intergreen: Ds(0) });
        controller.conflicts.set(oncoming, turn, Relation::Permitted { yields: false, intergreen: Ds(0) });
        let mut plan = s.plan.clone();
        plan.greens[t].iter_mut().for_each(|g| g.protection = Protection::Permissive);
        Some((plan, controller))
    }),
];

#[test]
fn no_mutation_of_a_valid_plan_passes() {
    let mut dice = Dice::new(2);
    let mut made = [0_usize; MUTATIONS.len()];
    let mut seed = 0;
    while made.iter().sum::<usize>() < PLANS || made.iter().any(|m| *m < 50) {
        seed += 1;
        assert!(seed < 20_000, "a mutation cannot be made often enough: {made:?}");
        let sample = Sample::of_seed(seed);
        assert!(rules(&sample.plan, &sample.controller).is_empty(), "seed {seed}");
        for ((what, expected, mutate), made) in MUTATIONS.iter().zip(&mut made) {
            let Some((plan, controller)) = mutate(&sample, &mut dice) else { continue };
            *made += 1;
            let found = rules(&plan, &controller);
            assert!(found.iter().any(|r| expected.contains(r)), "seed {seed}: {what}: {found:?}, not {expected:?}");
            // Whatever else is wrong, what the walk through the cycle finds is found too.
            if !found.contains(&1) {
                let walked = oracle::broken(&plan, &controller, 1200);
                let judged: Vec<u8> = found.into_iter().filter(|r| (9..=12).contains(r)).collect();
                assert_eq!(judged, walked, "seed {seed}: {what}");
            }
        }
    }
    println!("{} mutations of {seed} plans: {made:?}", made.iter().sum::<usize>());
}

#[test]
fn no_mutation_of_a_valid_publication_passes() {
    let mut dice = Dice::new(3);
    let policy = unbounded();
    let mut made = 0;
    let mut seed = 0;
    while made < PUBLICATIONS {
        seed += 1;
        let sample = Sample::of_seed(seed);
        let now = TimeDs::from_s(1_000_000 + seed as i64);
        let right = sample.published(now);
        let judge = |p: &PublishedPlan, before: Option<&PublishedPlan>| {
            published_rules(&policy, p, before, &sample.controller, now)
        };
        if !judge(&right, None).is_empty() {
            // No transition of three cycles leads into this plan at this moment.
            assert_eq!(judge(&right, None), [15], "seed {seed}");
            continue;
        }
        let own = right.fallback.plan.clone();
        for kind in 0..14 {
            let mut p = right.clone();
            let mut before = None;
            let expected: &[u8] = match kind {
                0 => {
                    let i = dice.below(p.configuration_checksum.len());
                    let flipped = if p.configuration_checksum.as_bytes()[i] == b'0' { "1" } else { "0" };
                    p.configuration_checksum.replace_range(i..=i, flipped);
                    &[18]
                }
                1 => {
                    p.configuration_checksum.clear();
                    &[18]
                }
                2 => {
                    p.controller = "another".into();
                    &[1]
                }
                3 => {
                    p.valid_from = p.valid_from + Ds(dice.within(1, own.cycle.0 - 1));
                    &[17]
                }
                4 => {
                    p.valid_from = own.next_cycle_start(now - Ds(own.cycle.0 * 2));
                    &[17]
                }
                5 => {
                    p.valid_until = p.valid_from;
                    &[17]
                }
                6 => {
                    p.reasons[0].value = Some(("gain_s".into(), f64::NAN));
                    &[20]
                }
                7 => {
                    let (g, _) = some_green(&own, &mut dice).expect("somebody is red at times");
                    p.fallback.plan.greens[g].clear();
                    &[21]
                }
                8 => {
                    p.fallback.plan.offset = p.fallback.plan.cycle;
                    &[21]
                }
                9 => {
                    // The revision is used again for other bytes.
                    before = Some(right.clone());
                    p.computed_at = p.computed_at - Ds(1);
                    &[17]
                }
                10 => {
                    before = Some(right.clone());
                    p.revision.0 -= 1;
                    &[17]
                }
                11 => {
                    let (g, i) = some_green(&p.plan, &mut dice).expect("somebody is red at times");
                    p.plan.greens[g][i].length += sample.controller.limits.resolution;
                    &[1, 7]
                }
                12 => {
                    p.plan.offset = p.plan.cycle;
                    &[5]
                }
                _ => {
                    p.valid_until = TimeDs(i64::MAX - (dice.next() % 1000) as i64);
                    &[17]
                }
            };
            made += 1;
            let found = judge(&p, before.as_ref());
            assert!(found.iter().any(|r| expected.contains(r)), "seed {seed}, kind {kind}: {found:?}");
        }
    }
    println!("{made} mutations of publications");
}
