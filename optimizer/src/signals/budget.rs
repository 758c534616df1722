//! How long a decision may take. The caller owns the clock; this crate only asks how much is left.

use std::time::Duration;

/// Time left for a decision.
pub trait Budget: Sync {
    /// What is left; `None` when there is no limit.
    fn remaining(&self) -> Option<Duration>;

    /// True when nothing is left.
    fn exhausted(&self) -> bool {
        self.remaining().is_some_and(|d| d.is_zero())
    }
}

/// No limit at all: offline work and tests.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unlimited;

impl Budget for Unlimited {
    fn remaining(&self) -> Option<Duration> {
        None
    }
}

/// Nothing left from the start: every method falls back to what needs no search.
#[derive(Debug, Clone, Copy, Default)]
pub struct Exhausted;

impl Budget for Exhausted {
    fn remaining(&self) -> Option<Duration> {
        Some(Duration::ZERO)
    }
}
