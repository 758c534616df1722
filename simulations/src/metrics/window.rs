//! The part of a run that counts.

use greenkerb_models::units::TimeDs;
use serde::{Deserialize, Serialize};

use crate::scenarios::Scenario;

/// The part of a run that counts: from the end of the warm-up to the end of the run.
///
/// A vehicle counts when it was due in the window, whatever happens to it later; what is measured over time (queues,
/// greens, spillback) counts from the first instant after `from`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// End of the warm-up.
    pub from: TimeDs,
    /// End of the run.
    pub to: TimeDs,
}

impl Window {
    /// The window of a scenario.
    #[must_use]
    pub fn of(scenario: &Scenario) -> Self {
        let from = TimeDs(scenario.begin.0 + i64::from(scenario.warm_up.0));
        Self { from: from.min(scenario.end), to: scenario.end }
    }

    /// True when a step that ended at `at` counts.
    #[must_use]
    pub fn covers(&self, at: TimeDs) -> bool {
        self.from < at && at <= self.to
    }

    /// Its length in seconds.
    #[must_use]
    pub fn length_s(&self) -> f64 {
        self.to.since(self.from) as f64 / 10.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_that_ends_with_the_warm_up_is_left_out() {
        let window = Window { from: TimeDs::from_s(300), to: TimeDs::from_s(3_900) };
        assert!(!window.covers(TimeDs::from_s(300)));
        assert!(window.covers(TimeDs(3_001)));
        assert!(window.covers(TimeDs::from_s(3_900)));
        assert_eq!(window.length_s(), 3_600.0);
    }
}
