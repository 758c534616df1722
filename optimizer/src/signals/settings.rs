//! What the signal optimizer may do. Resolved values only: the file that states them is read elsewhere, once.

use serde::{Deserialize, Serialize};

use crate::safety::Policy;
use greenkerb_models::units::Ds;

/// Settings of the signal optimizer; the defaults are what `greenkerb serve` runs with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Safety policy, shared with the validator.
    pub policy: Policy,
    /// How long a published plan holds when nothing newer is heard.
    pub validity: Ds,
    /// A plan that is kept is published again when less than this is left of its validity.
    pub renew_before: Ds,
    /// A plan is decided this long before the cycle start at which it takes over; at least 2 s, so that every
    /// controller that polls each second has it in time.
    pub lead: Ds,
    /// Cycles the split program looks ahead.
    pub horizon_cycles: usize,
    /// Below this relative gain the plan is kept.
    pub gain_min: f64,
    /// Coordination groups are formed anew this often.
    pub regroup_every: Ds,
    /// Controllers are coordinated where the model says that it saves at least this share of their delay.
    pub coordination_gain_min: f64,
    /// A controller that acknowledges plans and has not said for so long after a plan's moment that it runs is taken not
    /// to run it.
    pub acknowledged_within: Ds,
    /// Data older than this is no longer acted on: plans are then left to run out.
    pub feed_timeout: Ds,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            policy: Policy::default(),
            validity: Ds::from_s(600),
            renew_before: Ds::from_s(300),
            lead: Ds::from_s(2),
            horizon_cycles: 3,
            gain_min: 0.01,
            regroup_every: Ds::from_s(600),
            coordination_gain_min: 0.1,
            acknowledged_within: Ds::from_s(15),
            feed_timeout: Ds::from_s(60),
        }
    }
}
