//! Rule 11: nobody starves. Every group, pedestrians included, is served within the maximum red.
//!
//! What the controller's shipped program shows is its operator's decision: a group that it never serves (heads that are
//! dark, or only flash) need not be served, and a red as long as its own is not refused.

use greenkerb_models::ids::GroupId;
use greenkerb_models::signal::{Controller, SignalGroup, TimingPlan};
use greenkerb_models::units::Ds;

use super::course::Course;
use super::policy::Policy;
use super::refusal::Refusal;

/// Judges every group's longest time without green.
pub(super) fn judge(
    controller: &Controller,
    policy: &Policy,
    shipped: &TimingPlan,
    course: &Course,
    refusals: &mut Vec<Refusal>,
) {
    let shipped = Course::of_plan(shipped);
    for (id, group) in controller.group_ids().zip(&controller.groups) {
        let Some(max) = longest_allowed(&shipped, id, group, policy) else { continue };
        if course.greens(id).is_empty() {
            refusals.push(Refusal::NeverServed { group: group.name.clone() });
            continue;
        }
        let red_ds = longest_red(course, id);
        if red_ds > i64::from(max.0) {
            refusals.push(Refusal::MaxRed { group: group.name.clone(), red_ds, max });
        }
    }
}

/// The longest red that a group may have; none for one that the shipped program never serves.
pub(super) fn longest_allowed(shipped: &Course, id: GroupId, group: &SignalGroup, policy: &Policy) -> Option<Ds> {
    if shipped.greens(id).is_empty() {
        return None;
    }
    let shipped_red = Ds(u32::try_from(longest_red(shipped, id)).unwrap_or(u32::MAX));
    Some(group.max_red.min(policy.max_red).max(shipped_red))
}

/// Longest time without green; the reds that the ends of the course cut off count as far as they are seen.
fn longest_red(course: &Course, group: GroupId) -> i64 {
    let greens = course.greens(group);
    let between = greens.windows(2).map(|p| p[1].start - p[0].end);
    let first = greens.first().map_or(0, |g| g.start);
    let last = greens.last().map_or(0, |g| course.length() - g.end);
    between.chain([first, last]).max().unwrap_or(0)
}

/// Longest red that is allowed per group of a controller; none for groups that its own plan never shows green.
pub(crate) fn longest_reds(controller: &Controller, policy: &Policy) -> Vec<Option<Ds>> {
    let shipped = Course::of_plan(&controller.time_of_day_plan());
    controller.group_ids().zip(&controller.groups).map(|(id, g)| longest_allowed(&shipped, id, g, policy)).collect()
}
