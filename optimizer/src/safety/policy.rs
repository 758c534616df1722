//! What the operator allows within what the controller can do.

use serde::{Deserialize, Serialize};

use greenkerb_models::signal::TransitionMethod;
use greenkerb_models::units::Ds;

/// The operator's bounds. They narrow the controller's own database and can never widen it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// Shortest cycle. The controller's own limit holds as well.
    pub cycle_min: Ds,
    /// Longest cycle. The controller's own limit holds as well, and 255 s (NTCIP 1202) in any case.
    pub cycle_max: Ds,
    /// Longest time without green for any group that the controller's program serves. A group's own maximum red holds
    /// as well. Neither refuses a red that the controller's shipped program itself has: that one is its operator's.
    pub max_red: Ds,
    /// Most the cycle may change from one plan to the next.
    pub cycle_change_max: Ds,
    /// Most any split may change from one plan to the next.
    pub split_change_max: Ds,
    /// Most the offset may change from one plan to the next, the short way round. The default is any offset: what bounds
    /// a change of offset on the street is the transition (rule 15).
    pub offset_change_max: Ds,
    /// Least time between the activations of two different plans.
    pub hold: Ds,
    /// Within how long all controllers of a coordination group change plan. The default is the longest cycle there is:
    /// each changes at its own next cycle start.
    pub group_spread_max: Ds,
    /// How controllers get into step with a new plan.
    pub transition: TransitionMethod,
    /// A schedule is certain for at least so long from when it is computed: longer than a controller takes to poll it.
    pub frozen: Ds,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            cycle_min: Ds::from_s(10),
            cycle_max: Ds::from_s(255),
            max_red: Ds::from_s(120),
            cycle_change_max: Ds::from_s(30),
            split_change_max: Ds::from_s(20),
            offset_change_max: Ds::from_s(255),
            hold: Ds::from_s(10),
            group_spread_max: Ds::from_s(255),
            transition: TransitionMethod::ShortWay,
            frozen: Ds::from_s(2),
        }
    }
}
