//! Rule 18: computed for this controller, against the database that it has.

use greenkerb_models::plan::PublishedPlan;
use greenkerb_models::signal::Controller;

use super::refusal::Refusal;

/// Judges whose plan it is.
pub(super) fn judge(controller: &Controller, plan: &PublishedPlan, refusals: &mut Vec<Refusal>) {
    if plan.controller != controller.name {
        refusals.push(Refusal::OtherController { given: plan.controller.clone() });
    }
    let expected = controller.checksum();
    if plan.configuration_checksum != expected {
        refusals.push(Refusal::Checksum { given: plan.configuration_checksum.clone(), expected });
    }
}
