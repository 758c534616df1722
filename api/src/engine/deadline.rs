//! How long one step may take.

use std::time::{Duration, Instant};

use greenkerb_optimizer::signals::Budget;

/// A moment by which a step must have decided.
#[derive(Debug, Clone, Copy)]
pub struct Deadline {
    started: Instant,
    within: Duration,
}

impl Deadline {
    /// So long from now.
    #[must_use]
    pub fn within(within: Duration) -> Self {
        Self { started: Instant::now(), within }
    }

    /// Time since it was set.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// True once it has passed.
    #[must_use]
    pub fn missed(&self) -> bool {
        self.elapsed() > self.within
    }
}

impl Budget for Deadline {
    fn remaining(&self) -> Option<Duration> {
        Some(self.within.saturating_sub(self.started.elapsed()))
    }
}
