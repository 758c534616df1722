//! What the signal optimizer may do. Resolved values only: the file that states them is read elsewhere, once.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::safety::Policy;
use greenkerb_models::units::Ds;

/// How a controller is timed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// By its own time-of-day plan, and nothing else is published.
    Fixed,
    /// By cyclic plans that are retimed as traffic asks.
    #[default]
    Cycle,
    /// By schedules of the next minute, made anew every second.
    Schedule,
}

impl Mode {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fixed => "fixed",
            Self::Cycle => "cycle",
            Self::Schedule => "schedule",
        }
    }
}

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
    /// How controllers are timed that `modes` does not name.
    #[serde(skip)]
    pub mode: Mode,
    /// How controllers are timed, by their names.
    #[serde(skip)]
    pub modes: BTreeMap<String, Mode>,
}

impl Settings {
    /// How a controller is timed.
    #[must_use]
    pub fn mode_of(&self, controller: &str) -> Mode {
        self.modes.get(controller).copied().unwrap_or(self.mode)
    }
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
            mode: Mode::default(),
            modes: BTreeMap::new(),
        }
    }
}
