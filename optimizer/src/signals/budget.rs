//! How long a decision may take. The caller owns the clock; this crate only asks how much is left.
//!
//! What is left is counted in work, of which a unit takes about a nanosecond. A caller with a clock counts time instead
//! and lets the work go by. A caller without one counts the work ([`WorkBudget`]): what is decided then does not depend on
//! how fast the machine happens to be, and the same input gives the same plans.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What is left for a decision.
pub trait Budget: Sync {
    /// Work that is left; `None` when there is no limit.
    fn left(&self) -> Option<u64>;

    /// Takes note of work that was done.
    fn spend(&self, work: u64);

    /// Time within which a solver has to end; `None` when no time runs.
    fn time_left(&self) -> Option<Duration>;

    /// True when nothing is left.
    fn exhausted(&self) -> bool {
        self.left() == Some(0)
    }
}

/// No limit at all: offline work and tests.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unlimited;

impl Budget for Unlimited {
    fn left(&self) -> Option<u64> {
        None
    }

    fn spend(&self, _: u64) {}

    fn time_left(&self) -> Option<Duration> {
        None
    }
}

/// Nothing left from the start: every method falls back to what needs no search.
#[derive(Debug, Clone, Copy, Default)]
pub struct Exhausted;

impl Budget for Exhausted {
    fn left(&self) -> Option<u64> {
        Some(0)
    }

    fn spend(&self, _: u64) {}

    fn time_left(&self) -> Option<Duration> {
        None
    }
}

/// So much work and no more, however long it takes.
#[derive(Debug)]
pub struct WorkBudget {
    left: AtomicU64,
}

impl WorkBudget {
    /// The work of about so much time.
    #[must_use]
    pub fn of(time: Duration) -> Self {
        Self { left: AtomicU64::new(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)) }
    }
}

impl Budget for WorkBudget {
    fn left(&self) -> Option<u64> {
        Some(self.left.load(Ordering::Relaxed))
    }

    fn spend(&self, work: u64) {
        let less = |left: u64| Some(left.saturating_sub(work));
        // Never refused: there always is a new value.
        let _ = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    }

    fn time_left(&self) -> Option<Duration> {
        None
    }
}

/// A part of a budget, so that the first who decide leave something to the others. What is not used goes back.
pub(crate) struct Share<'a> {
    whole: &'a dyn Budget,
    /// What has to be left of the whole.
    rest: u64,
}

impl<'a> Share<'a> {
    /// `part` in `of` of what is left.
    pub(crate) fn of(whole: &'a dyn Budget, (part, of): (u64, u64)) -> Self {
        let left = whole.left().unwrap_or(0);
        let kept = u128::from(left) * u128::from(of.saturating_sub(part)) / u128::from(of.max(1));
        Self { whole, rest: u64::try_from(kept).unwrap_or(left) }
    }
}

impl Budget for Share<'_> {
    fn left(&self) -> Option<u64> {
        self.whole.left().map(|left| left.saturating_sub(self.rest))
    }

    fn spend(&self, work: u64) {
        self.whole.spend(work);
    }

    fn time_left(&self) -> Option<Duration> {
        self.whole.time_left().map(|left| left.saturating_sub(Duration::from_nanos(self.rest)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_ends_where_that_of_the_others_begins() {
        let whole = WorkBudget::of(Duration::from_nanos(100));
        let first = Share::of(&whole, (1, 4));
        first.spend(10);
        assert_eq!(first.left(), Some(15));
        first.spend(20);
        assert!(first.exhausted());
        let second = Share::of(&whole, (1, 1));
        assert_eq!(second.left(), Some(70), "what the first took too much is missing, what it left is here");
        assert_eq!(Share::of(&Unlimited, (1, 4)).left(), None);
        assert!(Share::of(&Exhausted, (3, 4)).exhausted());
    }
}
