//! The validator: the one gate between what the optimizer proposes and what a controller may poll.
//!
//! Safety is judged on one canonical form only (green intervals per signal group, beside the controller's intergreen
//! matrix), and independently of how the plan was made. Rule by rule:
//!
//! | rule | file |
//! | --- | --- |
//! | 1 references and structure | `structure` |
//! | 2 rings are equal and fill the cycle | `ring_sum` |
//! | 3 coordinated phases | `coordination` |
//! | 4 cycle range | `cycle_range` |
//! | 5 offset and reference point | `offset` |
//! | 6 time resolution | `resolution` |
//! | 7 safety intervals are the database's | `safety_intervals` |
//! | 8 minimum splits | `min_split` |
//! | 9 conflicts and intergreens | `intergreen` |
//! | 10 minimum green, red, walk and clearance | `min_times` |
//! | 11 maximum red | `max_red` |
//! | 12 yellow trap | `yellow_trap` |
//! | 13 preemption, monitor, intergreen, start-up | by type, see below |
//! | 14 bounded change and hold time | `bounded_change` |
//! | 15 transition | `transition` |
//! | 16 coordination group | `group_change` |
//! | 17 revision and activation | `revision` |
//! | 18 configuration checksum | `configuration` |
//! | 19 capability and encoding | `capability` |
//! | 20 finite | `finite` |
//! | 21 fallback | `fallback` |
//! | 23 a schedule is one of the program's | `schedule` |
//! | 24 a schedule keeps what was promised | `schedule` |
//!
//! Rule 13 needs no code: a [`PublishedPlan`] has a cycle, an offset, greens, a view and instants, and no field for
//! preemption, monitor, intergreen or start-up objects; the [`Controller`] is only ever borrowed. Rule 22 (no input
//! whatever makes a failing plan reach the street) is [`Validated`]: publishing takes nothing else, and no input makes the
//! functions here panic.
//!
//! A schedule is judged as the greens it leads to, the way back into the fallback and some cycles of that included, by rules
//! 9, 10 and 12 as they stand, and by 6, 11 and 17 to 21 as `schedule` says.

mod bounded_change;
mod capability;
mod case;
mod configuration;
mod coordination;
mod course;
mod cycle_range;
mod fallback;
mod finite;
mod group_change;
mod intergreen;
mod max_red;
mod min_split;
mod min_times;
mod offset;
mod policy;
mod refusal;
mod refusals;
mod resolution;
mod revision;
mod ring_sum;
mod running;
mod safety_intervals;
mod schedule;
mod structure;
mod transition;
mod validated;
mod yellow_trap;

pub(crate) use max_red::longest_reds;
pub use policy::Policy;
pub use refusal::Refusal;
pub use refusals::Refusals;
pub use schedule::{Basis, ScheduledPublication, validate_schedule};
pub use validated::Validated;

use greenkerb_models::plan::PublishedPlan;
use greenkerb_models::signal::{Controller, TimingPlan};
use greenkerb_models::units::TimeDs;

use case::Case;
use course::Course;
use running::Running;
use transition::Change;

/// What a controller runs, by what it has said.
#[derive(Debug, Clone, Copy, Default)]
pub enum Heard<'a> {
    /// It does as it was told last.
    #[default]
    AsTold,
    /// A plan that took over at another moment than it says, or that a newer one was to replace and did not.
    Runs {
        /// The plan.
        plan: &'a PublishedPlan,
        /// Cycle start at which it took over.
        since: TimeDs,
    },
    /// Its own plan, in step, and nothing of what it was told.
    Own {
        /// Since when.
        since: TimeDs,
    },
}

/// A plan about to be published, with all that it is judged by.
#[derive(Debug)]
pub struct Publication<'a> {
    /// The plan.
    pub candidate: PublishedPlan,
    /// What was published for this controller last, if anything.
    pub previous: Option<&'a PublishedPlan>,
    /// What the controller has said about what it runs.
    pub heard: Heard<'a>,
    /// The controller.
    pub controller: &'a Controller,
    /// The operator's bounds.
    pub policy: &'a Policy,
    /// Now, on the data's clock.
    pub now: TimeDs,
}

/// Judges a cyclic plan by itself: rules 1 to 12 and 19.
///
/// # Errors
/// [`Refusals`] with everything that is wrong with it.
pub fn validate_plan(
    plan: TimingPlan,
    controller: &Controller,
    policy: &Policy,
) -> Result<Validated<TimingPlan>, Refusals> {
    let mut refusals = judge_database(controller);
    if refusals.is_empty() {
        refusals = judge_plan(&plan, controller, policy);
    }
    attest(plan, &controller.name, refusals)
}

/// Judges a publication: its plan and its fallback, the change from what runs now, its number, its moment and its
/// database. Rules 1 to 15 and 17 to 21.
///
/// # Errors
/// [`Refusals`] with everything that is wrong with it.
pub fn validate_publication(publication: Publication<'_>) -> Result<Validated<PublishedPlan>, Refusals> {
    let Publication { candidate, previous, heard, controller, policy, now } = publication;
    let mut refusals = judge_by_itself(&candidate, controller, policy);
    if candidate.schedule.is_some() {
        refusals.push(Refusal::Mode { is: "a schedule", wanted: "a cyclic plan" });
    }
    // What comes next computes with plans and instants that are sound.
    if refusals.is_empty() {
        judge_change(&candidate, (previous, heard), controller, policy, now, &mut refusals);
    }
    attest(candidate, &controller.name, refusals)
}

/// Judges a publication that was in force before a restart: every rule that needs neither its predecessor nor the time.
///
/// # Errors
/// [`Refusals`] with everything that is wrong with it.
pub fn validate_stored(
    plan: PublishedPlan,
    controller: &Controller,
    policy: &Policy,
) -> Result<Validated<PublishedPlan>, Refusals> {
    let mut refusals = judge_by_itself(&plan, controller, policy);
    if let Some(schedule) = plan.schedule.as_ref().filter(|_| refusals.is_empty()) {
        schedule::judge_by_itself(&plan, schedule, controller, &mut refusals);
    } else if refusals.is_empty() {
        let running = Running::at(controller, policy, Some(&plan), plan.valid_from);
        match running.map(|r| r.settled) {
            Ok(settled) => judge_way_back(&plan, controller, policy, settled, &mut refusals),
            Err(refusal) => refusals.push(refusal),
        }
    }
    attest(plan, &controller.name, refusals)
}

/// Judges a change of a whole coordination group: the plans that change together, and those published last for the
/// members that stay as they are. Rule 16; each plan has been validated by itself before.
///
/// # Errors
/// [`Refusals`] with everything that is wrong with it; then none of the plans may be published.
pub fn validate_group(
    changing: &[&Validated<PublishedPlan>],
    staying: &[&Validated<PublishedPlan>],
    policy: &Policy,
) -> Result<(), Refusals> {
    let changing: Vec<&PublishedPlan> = changing.iter().map(|v| v.get()).collect();
    let staying: Vec<&PublishedPlan> = staying.iter().map(|v| v.get()).collect();
    let refusals = group_change::judge(&changing, &staying, policy);
    let subject = changing.first().map_or("", |p| p.controller.as_str());
    Refusals::of(subject, refusals).map_or(Ok(()), Err)
}

fn attest<T>(value: T, subject: &str, refusals: Vec<Refusal>) -> Result<Validated<T>, Refusals> {
    match Refusals::of(subject, refusals) {
        None => Ok(Validated::attest(value)),
        Some(refusals) => Err(refusals),
    }
}

/// Nothing can be judged by a database that contradicts itself.
fn judge_database(controller: &Controller) -> Vec<Refusal> {
    match controller.check() {
        Ok(()) => Vec::new(),
        Err(error) => vec![Refusal::Database { reason: error.to_string() }],
    }
}

/// Rules 1 to 12 and 19 for a plan of a sound database.
fn judge_plan(plan: &TimingPlan, controller: &Controller, policy: &Policy) -> Vec<Refusal> {
    let mut refusals = structure::judge(controller, plan);
    if !refusals.is_empty() {
        return refusals;
    }
    let case = Case::new(controller, policy, plan);
    cycle_range::judge(&case, &mut refusals);
    if plan.cycle.0 == 0 {
        return refusals;
    }
    ring_sum::judge(&case, &mut refusals);
    coordination::judge(&case, &mut refusals);
    offset::judge(&case, &mut refusals);
    resolution::judge(&case, &mut refusals);
    safety_intervals::judge(&case, &mut refusals);
    min_split::judge(&case, &mut refusals);
    let course = Course::of_plan(plan);
    intergreen::judge(controller, &course, &mut refusals);
    min_times::judge(controller, &course, &mut refusals);
    max_red::judge(controller, policy, &controller.time_of_day_plan(), &course, &mut refusals);
    yellow_trap::judge(controller, &course, &mut refusals);
    capability::judge(plan, &mut refusals);
    capability::judge_encoding(plan, &mut refusals);
    refusals
}

/// Everything about a publication that needs neither its predecessor nor the time.
fn judge_by_itself(plan: &PublishedPlan, controller: &Controller, policy: &Policy) -> Vec<Refusal> {
    let mut refusals = judge_database(controller);
    if !refusals.is_empty() {
        return refusals;
    }
    configuration::judge(controller, plan, &mut refusals);
    // Beside a schedule the plan is the fallback's, which is judged next.
    if plan.schedule.is_none() {
        refusals.extend(judge_plan(&plan.plan, controller, policy));
    }
    fallback::judge(controller, policy, plan, &mut refusals);
    revision::judge_instants(plan, &mut refusals);
    finite::judge(&plan.reasons, &mut refusals);
    // A figure that is not finite has been told, and is no fault of the formats.
    if refusals.is_empty() {
        capability::judge_encoding(plan, &mut refusals);
    }
    refusals
}

/// The change from what runs to a sound candidate, and the way back once it has run out.
fn judge_change(
    candidate: &PublishedPlan,
    (previous, heard): (Option<&PublishedPlan>, Heard<'_>),
    controller: &Controller,
    policy: &Policy,
    now: TimeDs,
    refusals: &mut Vec<Refusal>,
) {
    if let Some(last) = previous {
        if revision::judge_number(candidate, last, refusals) {
            return;
        }
        revision::judge_instants(last, refusals);
        if !refusals.is_empty() {
            return;
        }
        // What runs before the last publication takes over is not known here, so nothing else may follow upon it.
        let renewed = candidate.plan == last.plan && candidate.valid_from == last.valid_from;
        if matches!(heard, Heard::AsTold) && candidate.valid_from <= last.valid_from && !renewed {
            let (valid_from, last_from) = (candidate.valid_from, last.valid_from);
            refusals.push(Refusal::BeforeLast { valid_from, last: last.revision.0, last_from });
            return;
        }
    }
    let running = match heard {
        Heard::AsTold => Running::at(controller, policy, previous, candidate.valid_from),
        Heard::Runs { plan, since } => Running::taken(controller, policy, (plan, since), candidate.valid_from),
        Heard::Own { since } => Ok(Running::own(controller, since)),
    };
    let running = match running {
        Ok(running) => running,
        Err(refusal) => return refusals.push(refusal),
    };
    if candidate.plan != *running.plan {
        bounded_change::judge(policy, &running.plan, &candidate.plan, refusals);
        bounded_change::judge_hold(policy, candidate.valid_from.0.saturating_sub(running.since.0), refusals);
    }
    revision::judge_future(candidate, now, refusals);
    // The moment of a plan that is renewed before it takes over has been judged with it.
    if !matches!(heard, Heard::AsTold) || previous.is_none_or(|last| candidate.valid_from != last.valid_from) {
        revision::judge_boundary(candidate, &running, refusals);
    }
    if !refusals.is_empty() {
        return;
    }
    let change = Change { old: &running.plan, new: &candidate.plan, at: candidate.valid_from, into: "plan" };
    if let Some(settled) = transition::judge(controller, policy, &change, refusals) {
        judge_way_back(candidate, controller, policy, settled, refusals);
    }
}

/// The plan is in step before it runs out, and the way back to the fallback is legal.
fn judge_way_back(
    plan: &PublishedPlan,
    controller: &Controller,
    policy: &Policy,
    settled: TimeDs,
    refusals: &mut Vec<Refusal>,
) {
    if plan.valid_until <= settled {
        refusals.push(Refusal::Validity { valid_until: plan.valid_until, in_step: settled });
        return;
    }
    let at = running::gives_way_at(plan, settled);
    let change = Change { old: &plan.plan, new: &plan.fallback.plan, at, into: "fallback" };
    transition::judge(controller, policy, &change, refusals);
}
