//! Rule 16: a coordination group changes as one: same cycle (or half, or double), same time base, all or none.
//!
//! The time base is one by type (instants count from 1970, UTC). "At once" cannot mean the same instant: each controller
//! changes at its own cycle start, so it means plans of one computation that take over within one longest cycle.

use greenkerb_models::plan::PublishedPlan;
use greenkerb_models::units::{Ds, TimeDs};

use super::policy::Policy;
use super::refusal::Refusal;

/// Judges the plans that change together and those of the group's other members, which stay.
pub(super) fn judge(changing: &[&PublishedPlan], staying: &[&PublishedPlan], policy: &Policy) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    let everyone = || changing.iter().chain(staying).copied();
    let longest = everyone().map(|p| p.plan.cycle).max().unwrap_or(Ds::ZERO);
    let mut names: Vec<&str> = Vec::new();
    for p in everyone() {
        let controller = || p.controller.clone();
        let cycle = p.plan.cycle;
        if cycle != longest && u64::from(cycle.0) * 2 != u64::from(longest.0) {
            refusals.push(Refusal::GroupCycle { controller: controller(), cycle, of: longest });
        }
        if names.contains(&p.controller.as_str()) {
            refusals.push(Refusal::GroupTwice { controller: controller() });
        }
        names.push(&p.controller);
    }
    let Some(first) = changing.iter().map(|p| p.valid_from).min() else { return refusals };
    let group_at = changing[0].computed_at;
    for p in changing {
        let TimeDs(from) = p.valid_from;
        let after_ds = from.saturating_sub(first.0);
        if after_ds > i64::from(policy.group_spread_max.0) {
            let max = policy.group_spread_max;
            refusals.push(Refusal::GroupSpread { controller: p.controller.clone(), after_ds, max });
        }
        if p.computed_at != group_at {
            refusals.push(Refusal::GroupComputed { controller: p.controller.clone(), at: p.computed_at, group_at });
        }
    }
    refusals
}
