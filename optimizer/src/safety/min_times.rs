//! Rule 10: minimum green (walk, for pedestrians) and minimum red, with yellow, pedestrian clearance and red-amber fitting
//! into what lies between two greens.
//!
//! A green counts from its first to its last moment, protected or permissive: that is what the minimum protects a driver
//! or a walker from. The length of a protected part alone is bounded by the minimum of its stage (rule 8).

use greenkerb_models::signal::Controller;

use super::course::Course;
use super::refusal::Refusal;

/// Judges every green, and every gap between two greens, that lies wholly in the course.
pub(super) fn judge(controller: &Controller, course: &Course, refusals: &mut Vec<Refusal>) {
    for (id, group) in controller.group_ids().zip(&controller.groups) {
        let greens = course.greens(id);
        let short = greens.iter().filter(|g| course.whole(g)).find(|g| g.end - g.start < i64::from(group.min_green.0));
        if let Some(g) = short {
            refusals.push(Refusal::MinGreen {
                group: group.name.clone(),
                at_ds: g.start,
                length_ds: g.end - g.start,
                min: group.min_green,
            });
        }
        let needed_ds =
            [group.yellow, group.clearance, group.min_red, group.red_amber].iter().map(|d| i64::from(d.0)).sum();
        if let Some(pair) = greens.windows(2).find(|p| p[1].start - p[0].end < needed_ds) {
            refusals.push(Refusal::MinRed {
                group: group.name.clone(),
                at_ds: pair[0].end,
                gap_ds: pair[1].start - pair[0].end,
                needed_ds,
            });
        }
    }
}
