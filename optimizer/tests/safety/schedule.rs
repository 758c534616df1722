//! Rules 23 and 24, and the others as they are read for schedules.

use greenkerb_models::ids::{GroupId, StageId};
use greenkerb_models::plan::{PublishedPlan, Revision};
use greenkerb_models::signal::{
    Controller, Indication, Relation, Schedule, ScheduledStage, StepKind, clearance_length, resting_stage,
};
use greenkerb_models::units::{Ds, TimeDs};
use greenkerb_optimizer::safety::{Basis, Policy, ScheduledPublication, Validated, validate_schedule, validate_stored};
use proptest::prelude::*;

use crate::sample::{Dice, Sample, any_staged};

const NOW: TimeDs = TimeDs::from_s(2_000_000);

/// A controller at an instant at which its own plan rests in a stage, and a random schedule from there on.
struct Case {
    controller: Controller,
    now: TimeDs,
    candidate: PublishedPlan,
    last_green: Vec<TimeDs>,
}

fn minimum(controller: &Controller, stage: StageId) -> Ds {
    let kind = controller.program.stages().nth(stage.index()).unwrap().kind;
    if let StepKind::Stage { min, .. } = kind { min } else { Ds::ZERO }
}

/// Stages in any order from `first` on, for about a minute; each a few of the controller's steps longer than it must.
fn random_stages(controller: &Controller, dice: &mut Dice, first: ScheduledStage) -> Vec<ScheduledStage> {
    let resolution = controller.limits.resolution.0;
    let count = controller.program.stages().count();
    let mut stages = vec![first];
    while stages.last().unwrap().end.since(first.end) < 600 && count > 1 {
        let last = *stages.last().unwrap();
        let next = StageId::at((last.stage.index() + 1 + dice.below(count - 1)) % count);
        let start = last.end + clearance_length(controller, last.stage, next);
        let end = start + minimum(controller, next) + Ds(resolution * dice.within(0, 200 / resolution));
        stages.push(ScheduledStage { stage: next, start, end });
    }
    stages
}

impl Case {
    /// `None` where the plan is never at rest for long enough, or times are no multiples of what the controller resolves.
    fn of(sample: &Sample, seed: u64) -> Option<Self> {
        let controller = sample.controller.clone();
        let mut dice = Dice::new(seed);
        let own = controller.time_of_day_plan();
        let resolution = controller.limits.resolution;
        let frozen = Policy::default().frozen;
        let from = NOW + Ds(dice.within(0, own.cycle.0));
        let now = (0..own.cycle.0).map(|k| from + Ds(k)).find(|at| {
            at.0 % i64::from(resolution.0) == 0
                && resting_stage(&own, &controller, *at).is_some_and(|r| r.start < *at && r.end >= *at + frozen)
        })?;
        let rests = resting_stage(&own, &controller, now)?;
        let frozen_until = now + frozen + Ds((-(now + frozen).0).rem_euclid(i64::from(resolution.0)) as u32);
        let end = frozen_until.max(rests.start + minimum(&controller, rests.stage));
        let end = end + Ds((-end.0).rem_euclid(i64::from(resolution.0)) as u32);
        let stages = random_stages(&controller, &mut dice, ScheduledStage { end, ..rests });
        if stages.iter().any(|s| s.end.0 % i64::from(resolution.0) != 0) {
            return None;
        }
        let mut candidate = sample.published(now);
        candidate.plan = own;
        candidate.valid_from = now;
        candidate.valid_until = stages.last()?.end;
        candidate.schedule = Some(Schedule { stages, frozen_until });
        let last_green = vec![rests.start; controller.groups.len()];
        Some(Self { controller, now, candidate, last_green })
    }

    fn judge(&self, candidate: &PublishedPlan) -> Result<Validated<PublishedPlan>, Vec<u8>> {
        let own = self.controller.time_of_day_plan();
        self.judge_on(candidate, Basis::Plan(&own), None)
    }

    fn judge_on(
        &self,
        candidate: &PublishedPlan,
        basis: Basis<'_>,
        previous: Option<&Validated<PublishedPlan>>,
    ) -> Result<Validated<PublishedPlan>, Vec<u8>> {
        let publication = ScheduledPublication {
            candidate: candidate.clone(),
            previous,
            basis,
            last_green: &self.last_green,
            controller: &self.controller,
            policy: &Policy::default(),
            now: self.now,
        };
        validate_schedule(publication).map_err(|refusals| refusals.rules())
    }

    fn schedule(&self) -> &Schedule {
        self.candidate.schedule.as_ref().unwrap()
    }

    /// Rules that are broken when the schedule is changed.
    fn broken(&self, change: impl FnOnce(&mut PublishedPlan, &mut Schedule)) -> Vec<u8> {
        let mut changed = self.candidate.clone();
        let mut schedule = changed.schedule.take().unwrap();
        change(&mut changed, &mut schedule);
        changed.schedule = Some(schedule);
        self.judge(&changed).err().unwrap_or_default()
    }
}

/// What is shown, decisecond by decisecond, by the schedule and then by the fallback, against the conflict matrix: no two
/// conflicting greens, and no green sooner after another than its intergreen. Written without the validator's means.
fn conflict(controller: &Controller, plan: &PublishedPlan) -> Option<String> {
    let schedule = plan.schedule.as_ref()?;
    let rejoin = schedule.rejoin(controller, &plan.fallback.plan).unwrap();
    let whole = schedule.until_rejoin(&rejoin);
    let groups = controller.groups.len();
    let mut last_green: Vec<Option<i64>> = vec![None; groups];
    let end = rejoin.at + plan.fallback.plan.cycle;
    let mut at = whole.begins()?;
    // Every group's greens in advance: asking the schedule at each instant takes too long.
    let greens = whole.greens(controller);
    while at < end {
        let shown = |g: usize| {
            if at < rejoin.at {
                return greens[g].iter().any(|s| s.start <= at && at < s.end);
            }
            let position = plan.fallback.plan.position_at(at);
            let shown = plan.fallback.plan.indication(GroupId::at(g), &controller.groups[g], position);
            matches!(shown, Indication::Protected | Indication::Permissive)
        };
        let green: Vec<bool> = (0..groups).map(shown).collect();
        for a in (0..groups).filter(|g| green[*g]) {
            for b in 0..groups {
                let Relation::Conflict { intergreen } = controller.conflicts.get(GroupId::at(b), GroupId::at(a)) else {
                    continue;
                };
                if green[b] {
                    return Some(format!("groups {a} and {b} at {at:?}"));
                }
                if let Some(ended) = last_green[b]
                    && at.0 - ended <= i64::from(intergreen.0)
                    && last_green[a] != Some(at.0 - 1)
                {
                    return Some(format!("{b} ends at {ended}, {a} starts at {}", at.0));
                }
            }
        }
        (0..groups).filter(|g| green[*g]).for_each(|g| last_green[g] = Some(at.0));
        at = at + Ds(1);
    }
    None
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_passes_shows_no_conflict(sample in any_staged(), seed: u64) {
        let Some(case) = Case::of(&sample, seed) else { return Ok(()) };
        if case.judge(&case.candidate).is_ok() {
            prop_assert_eq!(conflict(&case.controller, &case.candidate), None);
            // And it passes again after a restart.
            let stored = validate_stored(case.candidate.clone(), &case.controller, &Policy::default());
            prop_assert!(stored.is_ok(), "{:?}", stored.err());
        }
    }

    #[test]
    fn what_is_changed_does_not_pass(sample in any_staged(), seed: u64) {
        let Some(case) = Case::of(&sample, seed) else { return Ok(()) };
        if case.judge(&case.candidate).is_err() {
            return Ok(());
        }
        let resolution = case.controller.limits.resolution;
        let last = case.schedule().stages.len() - 1;
        // Rule 23: the program's stages, minima and clearances.
        prop_assert!(case.broken(|_, s| s.stages.clear()).contains(&23));
        prop_assert!(case.broken(|_, s| s.stages[last].stage = StageId(99)).contains(&23));
        if last > 0 {
            prop_assert!(case.broken(|_, s| s.stages[last].start = s.stages[last].start - Ds(1)).contains(&23));
            prop_assert!(case.broken(|_, s| s.stages[last].stage = s.stages[last - 1].stage).contains(&23));
        }
        if last > 1 {
            let middle = case.schedule().stages[1];
            let over = middle.end.since(middle.start) as u32 - minimum(&case.controller, middle.stage).0;
            let shift = |s: &mut Schedule| {
                s.stages[1].end = s.stages[1].end - Ds(over + 1);
                for later in &mut s.stages[2..] {
                    (later.start, later.end) = (later.start - Ds(over + 1), later.end - Ds(over + 1));
                }
            };
            let broken = case.broken(|p, s| {
                shift(s);
                p.valid_until = s.ends().unwrap();
            });
            prop_assert!(broken.contains(&23));
        }
        // Rule 24: what is shown is gone on with, and is certain for long enough.
        prop_assert!(case.broken(|_, s| s.frozen_until = case.now + Ds(19)).contains(&24));
        prop_assert!(case.broken(|_, s| s.stages[0].start = s.stages[0].start - resolution).contains(&24));
        prop_assert!(case.broken(|p, _| p.valid_from = p.valid_from + Ds(1)).contains(&24));
        // Rules 6, 11, 17 to 21.
        let longer = |by: Ds| {
            case.broken(|p, s| {
                s.stages[last].end = s.stages[last].end + by;
                p.valid_until = s.stages[last].end;
            })
        };
        prop_assert!(resolution.0 == 1 || longer(Ds(1)).contains(&6));
        prop_assert!(longer(Ds(36_000)).contains(&11) || case.controller.program.stages().count() == 1);
        prop_assert!(case.broken(|p, _| p.valid_until = p.valid_until + Ds(1)).contains(&17));
        prop_assert!(case.broken(|p, _| p.configuration_checksum.push('0')).contains(&18));
        prop_assert!(case.broken(|p, _| p.reasons[0].value = Some(("x_s".into(), f64::NAN))).contains(&20));
        prop_assert!(case.broken(|p, _| p.plan.offset = Ds((p.plan.offset.0 + 1) % p.plan.cycle.0)).contains(&21));
        let mut cyclic = case.candidate.clone();
        cyclic.schedule = None;
        prop_assert!(case.judge(&cyclic).unwrap_err().contains(&23));
    }

    #[test]
    fn what_was_promised_is_kept(sample in any_staged(), seed: u64, later_ds in 0u32..400) {
        let Some(mut case) = Case::of(&sample, seed) else { return Ok(()) };
        let Ok(first) = case.judge(&case.candidate) else { return Ok(()) };
        let resolution = case.controller.limits.resolution.0;
        let old = first.get().schedule.clone().unwrap();
        let rejoin = old.rejoin(&case.controller, &first.get().fallback.plan).unwrap();
        let whole = old.until_rejoin(&rejoin);
        case.now = case.now + Ds(later_ds / resolution * resolution);
        let at = case.now;
        let frozen_until = at + Policy::default().frozen;
        let frozen_until = frozen_until + Ds((-frozen_until.0).rem_euclid(i64::from(resolution)) as u32);
        if frozen_until >= old.ends().unwrap() {
            return Ok(());
        }
        let shown = old.stages.iter().rposition(|s| s.start <= at).unwrap();
        let mut next = first.get().clone();
        (next.revision, next.computed_at, next.valid_from) = (Revision(2), at, at);
        next.schedule = Some(Schedule { stages: old.stages[shown..].to_vec(), frozen_until });
        case.last_green.fill(old.stages[shown].start);
        let judge = |next: &PublishedPlan| case.judge_on(next, Basis::Schedule(&whole), Some(&first)).err().unwrap_or_default();
        prop_assert_eq!(judge(&next), Vec::<u8>::new(), "the same again");
        let same = PublishedPlan { revision: Revision(1), ..next.clone() };
        prop_assert!(judge(&same).contains(&17));
        // A stage that ends within what is frozen ends then, and no later.
        let Some(k) = old.stages.iter().position(|s| s.end > at && s.end < frozen_until) else { return Ok(()) };
        let mut changed = next.clone();
        let schedule = changed.schedule.as_mut().unwrap();
        for (i, s) in schedule.stages.iter_mut().enumerate() {
            if shown + i > k { s.start = s.start + Ds(resolution); }
            if shown + i >= k { s.end = s.end + Ds(resolution); }
        }
        changed.valid_until = changed.schedule.as_ref().unwrap().ends().unwrap();
        prop_assert!(judge(&changed).contains(&24));
    }
}

#[test]
fn most_schedules_of_the_samples_pass() {
    let judged: Vec<bool> = (0..400)
        .filter_map(|seed| Case::of(&Sample::stages_of_seed(seed), seed))
        .map(|case| case.judge(&case.candidate).is_ok())
        .collect();
    let passed = judged.iter().filter(|ok| **ok).count();
    assert!(judged.len() > 200 && passed * 3 > judged.len(), "{passed} of {}", judged.len());
}
