//! From what the store knows to what is in force: plans are validated again before anybody is shown one.

use greenkerb_models::network::Network;
use greenkerb_models::plan::{PublishedPlan, Revision};
use greenkerb_optimizer::safety::{Policy, Validated, validate_stored};

use crate::store::{AuditEvent, Recovered};

/// What a restart starts from.
#[derive(Debug, Default)]
pub struct InForce {
    /// Plans that are served again.
    pub plans: Vec<Validated<PublishedPlan>>,
    /// Stored plans that are not, for the audit.
    pub dropped: Vec<AuditEvent>,
    /// The same as (controller, reason), for people.
    pub told: Vec<(String, String)>,
}

/// Sorts what the store knows into what may be served and what may not.
#[must_use]
pub fn in_force(network: &Network, policy: &Policy, recovered: Recovered) -> InForce {
    let mut out = InForce::default();
    let drop_it = |out: &mut InForce, controller: String, revision: Option<Revision>, reason: String| {
        out.told.push((controller.clone(), reason.clone()));
        out.dropped.push(AuditEvent::Dropped { controller, revision: revision.map(|r| r.0), reason });
    };
    for (name, reason) in recovered.unreadable {
        drop_it(&mut out, name, None, reason);
    }
    // A controller runs what it was told, the way into step included: another way needs another publication.
    let transition = transition_name(policy);
    let before = recovered.network.as_ref().and_then(|n| transition_of(&n.settings)).unwrap_or(transition.clone());
    for (name, plan) in recovered.plans {
        let revision = plan.revision;
        if before != transition {
            let reason = format!("it was published with the transition '{before}', now it is '{transition}'");
            drop_it(&mut out, name, Some(revision), reason);
            continue;
        }
        let Some(id) = network.controller_named(&name) else {
            drop_it(&mut out, name, Some(revision), "the network has no such controller any more".to_owned());
            continue;
        };
        match validate_stored(plan, network.controller(id), policy) {
            Ok(plan) => out.plans.push(plan),
            Err(refusals) => drop_it(&mut out, name, Some(revision), refusals.to_string()),
        }
    }
    out
}

fn transition_name(policy: &Policy) -> String {
    toml::Value::try_from(policy.transition).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}

/// The transition that settings of an earlier life name.
fn transition_of(settings: &str) -> Option<String> {
    let settings: toml::Value = toml::from_str(settings).ok()?;
    settings.get("optimizer")?.get("policy")?.get("transition")?.as_str().map(str::to_owned)
}
