//! Rule 15: the transition ends within three cycles, and no split falls below its minimum during it: every cycle on the
//! way passes rules 8 to 12, the seams between the cycles too.

use greenkerb_models::signal::{Controller, TimingPlan, Transition};
use greenkerb_models::units::TimeDs;

use super::case::Case;
use super::course::Course;
use super::policy::Policy;
use super::refusal::Refusal;
use super::{intergreen, max_red, min_split, min_times, yellow_trap};

/// A change of plan at an instant at which the old plan ends a cycle.
pub(super) struct Change<'a> {
    pub(super) old: &'a TimingPlan,
    pub(super) new: &'a TimingPlan,
    pub(super) at: TimeDs,
    /// What the new plan is, for messages: `plan` or `fallback`.
    pub(super) into: &'static str,
}

/// Judges the way from one plan into the next and tells when it is in step. Both plans have passed the rules of plans.
pub(super) fn judge(
    controller: &Controller,
    policy: &Policy,
    change: &Change<'_>,
    refusals: &mut Vec<Refusal>,
) -> Option<TimeDs> {
    let Change { old, new, at, into } = *change;
    let transition = match Transition::into_plan(controller, new, at, policy.transition) {
        Ok(transition) => transition,
        Err(error) => {
            refusals.push(Refusal::NoTransition { into, error });
            return None;
        }
    };
    let mut broken = Vec::new();
    for cycle in &transition.cycles {
        min_split::judge(&Case::new(controller, policy, cycle), &mut broken);
    }
    // Two cycles of each plan on both sides: every green and every gap that the change touches is then whole.
    let way = [old, old].into_iter().chain(&transition.cycles).chain([new, new]);
    let course = Course::of_cycles(way);
    intergreen::judge(controller, &course, &mut broken);
    min_times::judge(controller, &course, &mut broken);
    max_red::judge(controller, policy, &controller.time_of_day_plan(), &course, &mut broken);
    yellow_trap::judge(controller, &course, &mut broken);
    refusals.extend(broken.into_iter().map(|broken| Refusal::InTransition { into, broken: Box::new(broken) }));
    Some(transition.ends)
}
