//! Schedules: rules 23 and 24, and how the rules for cyclic plans are read for them.
//!
//! A schedule is judged as the greens that it leads to: from the start of its first stage to its end, on to where the
//! fallback takes over, and through some cycles of that. Its clearances are the database's to the decisecond
//! ([`Schedule::check`](greenkerb_models::signal::Schedule::check)); conflicts, intergreens, minimum times and the yellow
//! trap are judged once more on the greens, independently of how they came about.
//!
//! **Maximum red (11)** counts from when a group was green last, before the schedule if need be, to its next green in the
//! schedule, or to the schedule's end where it has none. The way back into the fallback is not counted: it is gone only when
//! nobody tells the controller anything more, and it takes no longer than the fallback's cycle and a clearance. A red that
//! is longer than it may be already when the schedule begins is refused like any other: the controller then comes to its
//! fallback, which serves everybody.
//!
//! **What was promised (24):** from now until the last schedule's frozen part ends, and for [`Policy::frozen`] from now in
//! any case, the schedule shows what the controller would show without it; a clearance under way then goes on to the stage
//! that it leads to. Its first stage claims no more of the past than was shown.

use greenkerb_models::plan::PublishedPlan;
use greenkerb_models::signal::{Controller, Schedule, TimingPlan, resting_stage};
use greenkerb_models::units::{Ds, TimeDs};

use super::course::Course;
use super::policy::Policy;
use super::refusal::Refusal;
use super::{
    Refusals, Validated, attest, finite, intergreen, judge_database, max_red, min_times, revision, yellow_trap,
};
use super::{capability, configuration, fallback};

/// What a controller shows when it hears nothing more.
#[derive(Debug, Clone, Copy)]
pub enum Basis<'a> {
    /// A schedule as it is run to its end, its way into the fallback included.
    Schedule(&'a Schedule),
    /// A cyclic plan, in step.
    Plan(&'a TimingPlan),
}

/// A schedule about to be published, with all that it is judged by.
#[derive(Debug)]
pub struct ScheduledPublication<'a> {
    /// The publication.
    pub candidate: PublishedPlan,
    /// What was published for this controller last, if anything.
    pub previous: Option<&'a Validated<PublishedPlan>>,
    /// What the controller shows.
    pub basis: Basis<'a>,
    /// When each signal group was green last before the schedule's first stage; now for one that is.
    pub last_green: &'a [TimeDs],
    /// The controller.
    pub controller: &'a Controller,
    /// The operator's bounds.
    pub policy: &'a Policy,
    /// Now, on the data's clock.
    pub now: TimeDs,
}

/// Judges a schedule: rules 6, 9 to 12, 17 to 21, 23 and 24.
///
/// # Errors
/// [`Refusals`] with everything that is wrong with it.
pub fn validate_schedule(publication: ScheduledPublication<'_>) -> Result<Validated<PublishedPlan>, Refusals> {
    let ScheduledPublication { candidate, previous, basis, last_green, controller, policy, now } = publication;
    let mut refusals = Vec::new();
    let last = previous.map(Validated::get);
    // What has passed with the last publication passes again.
    let known = last.is_some_and(|l| {
        l.schedule.is_some()
            && l.fallback == candidate.fallback
            && l.controller == candidate.controller
            && l.configuration_checksum == candidate.configuration_checksum
    });
    if !known {
        refusals.extend(judge_database(controller));
        if refusals.is_empty() {
            configuration::judge(controller, &candidate, &mut refusals);
            fallback::judge(controller, policy, &candidate, &mut refusals);
        }
    }
    revision::judge_instants(&candidate, &mut refusals);
    finite::judge(&candidate.reasons, &mut refusals);
    let Some(schedule) = &candidate.schedule else {
        refusals.push(Refusal::Mode { is: "a cyclic plan", wanted: "a schedule" });
        return attest(candidate, &controller.name, refusals);
    };
    if let Some(last) = last
        && candidate.revision <= last.revision
    {
        refusals.push(Refusal::Revision { given: candidate.revision.0, last: last.revision.0 });
    }
    if refusals.is_empty()
        && let Some(course) = judge_by_itself(&candidate, schedule, controller, &mut refusals)
    {
        judge_reds(controller, policy, schedule, (&course, last_green), &mut refusals);
        judge_promise(&candidate, schedule, basis, controller, policy, now, &mut refusals);
    }
    if refusals.is_empty() {
        capability::judge_encoding(&candidate, &mut refusals);
    }
    attest(candidate, &controller.name, refusals)
}

/// Everything that needs neither what ran before nor the time; the greens that it leads to, where they can be told.
pub(super) fn judge_by_itself(
    plan: &PublishedPlan,
    schedule: &Schedule,
    controller: &Controller,
    refusals: &mut Vec<Refusal>,
) -> Option<Course> {
    if plan.plan != plan.fallback.plan {
        refusals.push(Refusal::OtherFallback);
    }
    let rejoin = schedule.check(controller).and_then(|()| schedule.rejoin(controller, &plan.fallback.plan));
    let rejoin = rejoin.map_err(|e| refusals.push(Refusal::Schedule(e))).ok()?;
    let (begins, ends) = (schedule.begins()?, schedule.ends()?);
    if plan.valid_until != ends || ends < schedule.frozen_until {
        refusals.push(Refusal::Validity { valid_until: plan.valid_until, in_step: ends.max(schedule.frozen_until) });
    }
    let resolution = controller.limits.resolution;
    for part in &schedule.stages {
        let off = part.end.0.rem_euclid(i64::from(resolution.0.max(1)));
        if off != 0 {
            refusals.push(Refusal::Resolution { what: "the end of a stage", value: Ds(off as u32), resolution });
        }
    }
    let whole = schedule.until_rejoin(&rejoin);
    let course = Course::of_schedule(&whole.greens(controller), begins, (rejoin.at, &plan.fallback.plan));
    intergreen::judge(controller, &course, refusals);
    min_times::judge(controller, &course, refusals);
    yellow_trap::judge(controller, &course, refusals);
    Some(course)
}

/// Rule 11.
fn judge_reds(
    controller: &Controller,
    policy: &Policy,
    schedule: &Schedule,
    (course, last_green): (&Course, &[TimeDs]),
    refusals: &mut Vec<Refusal>,
) {
    let (Some(begins), Some(ends)) = (schedule.begins(), schedule.ends()) else { return };
    let ends_ds = ends.since(begins);
    let shipped = Course::of_plan(&controller.time_of_day_plan());
    for (id, group) in controller.group_ids().zip(&controller.groups) {
        let Some(max) = max_red::longest_allowed(&shipped, id, group, policy) else { continue };
        let mut green_ds = last_green.get(id.index()).map_or(0, |at| at.since(begins));
        let greens = course.greens(id).iter().filter(|g| g.start < ends_ds);
        let mut reds = Vec::new();
        for green in greens {
            reds.push(green.start - green_ds);
            green_ds = green.end;
        }
        reds.push(ends_ds - green_ds);
        let red_ds = reds.into_iter().max().unwrap_or(0);
        if red_ds > i64::from(max.0) {
            refusals.push(Refusal::MaxRed { group: group.name.clone(), red_ds, max });
        }
    }
}

/// Rule 24.
fn judge_promise(
    candidate: &PublishedPlan,
    schedule: &Schedule,
    basis: Basis<'_>,
    controller: &Controller,
    policy: &Policy,
    now: TimeDs,
    refusals: &mut Vec<Refusal>,
) {
    let least = now + policy.frozen;
    if schedule.frozen_until < least {
        refusals.push(Refusal::Frozen { frozen_until: schedule.frozen_until, least });
    }
    let Some(first) = schedule.stages.first() else { return };
    let (kept, until) = match basis {
        Basis::Schedule(old) => {
            let frozen = old.frozen_until.max(least);
            let until = old.clearance_ends(frozen).unwrap_or(frozen);
            let shown = old.stages.iter().any(|s| s.stage == first.stage && s.start <= first.start);
            (shown && old.agrees(schedule, now, until), until)
        }
        Basis::Plan(plan) => {
            let rests = resting_stage(plan, controller, now);
            let shown = rests.is_some_and(|r| r.stage == first.stage && r.start <= first.start && r.end >= least);
            (shown && first.end >= least, least)
        }
    };
    if !kept || candidate.valid_from != now || candidate.computed_at != now || first.start > now {
        refusals.push(Refusal::Promise { from: now, until });
    }
}
