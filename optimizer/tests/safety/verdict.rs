//! What the validator says, in a form tests compare.

use greenkerb_models::plan::PublishedPlan;
use greenkerb_models::signal::{Controller, TimingPlan};
use greenkerb_models::units::TimeDs;
use greenkerb_optimizer::safety::{Heard, Policy, Publication, Refusals, validate_plan, validate_publication};

/// Numbers of the rules that a plan breaks; none when it passes.
pub(crate) fn rules(plan: &TimingPlan, controller: &Controller) -> Vec<u8> {
    rules_under(&Policy::default(), plan, controller)
}

pub(crate) fn rules_under(policy: &Policy, plan: &TimingPlan, controller: &Controller) -> Vec<u8> {
    match validate_plan(plan.clone(), controller, policy) {
        Ok(validated) => {
            assert_eq!(validated.get(), plan, "validation changes nothing");
            Vec::new()
        }
        Err(refusals) => told(&refusals),
    }
}

/// Rules that a publication breaks; none when it passes.
pub(crate) fn published_rules(
    policy: &Policy,
    candidate: &PublishedPlan,
    previous: Option<&PublishedPlan>,
    controller: &Controller,
    now: TimeDs,
) -> Vec<u8> {
    let publication =
        Publication { candidate: candidate.clone(), previous, heard: Heard::AsTold, controller, policy, now };
    match validate_publication(publication) {
        Ok(validated) => {
            assert_eq!(validated.get(), candidate, "validation changes nothing");
            Vec::new()
        }
        Err(refusals) => told(&refusals),
    }
}

/// Every message names the controller, is written in lower case and says its rule.
fn told(refusals: &Refusals) -> Vec<u8> {
    let text = refusals.to_string();
    assert!(text.starts_with("controller '") && text.contains(refusals.subject()), "{text}");
    for refusal in refusals.iter() {
        assert!(text.contains(&format!("(rule {}", refusal.rule())), "{text}");
        assert!(!refusal.to_string().starts_with(char::is_uppercase), "{text}");
        if let Some(name) = refusal.ntcip() {
            assert!(text.contains(name), "{text}");
        }
    }
    refusals.rules()
}

/// A policy that lets plans change as they like, for tests of what comes after.
pub(crate) fn unbounded() -> Policy {
    let any = greenkerb_models::units::Ds(u32::MAX);
    Policy { cycle_change_max: any, split_change_max: any, offset_change_max: any, ..Policy::default() }
}
