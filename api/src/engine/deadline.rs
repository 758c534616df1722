//! How long one step may take.
//!
//! With a wall clock somebody waits, and time counts. With an external clock the same observations have to give the same
//! plans on every machine, however busy: there the work counts that would take about as long.

use std::time::{Duration, Instant};

use greenkerb_optimizer::signals::{Budget, WorkBudget};

/// What a step must not go beyond.
#[derive(Debug)]
enum Limit {
    Time(Duration),
    Work(WorkBudget),
}

/// A limit for one step, and the time since it was set.
#[derive(Debug)]
pub struct Deadline {
    started: Instant,
    limit: Limit,
}

impl Deadline {
    /// So long from now.
    #[must_use]
    pub fn within(time: Duration) -> Self {
        Self { started: Instant::now(), limit: Limit::Time(time) }
    }

    /// As much work as takes about so long.
    #[must_use]
    pub fn work_of(time: Duration) -> Self {
        Self { started: Instant::now(), limit: Limit::Work(WorkBudget::of(time)) }
    }

    /// Time since it was set.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// True once the time has passed or the work is done up.
    #[must_use]
    pub fn missed(&self) -> bool {
        match &self.limit {
            Limit::Time(time) => self.elapsed() > *time,
            Limit::Work(work) => work.exhausted(),
        }
    }
}

impl Budget for Deadline {
    fn left(&self) -> Option<u64> {
        match &self.limit {
            Limit::Time(_) => self.time_left().map(|left| u64::try_from(left.as_nanos()).unwrap_or(u64::MAX)),
            Limit::Work(work) => work.left(),
        }
    }

    fn spend(&self, work: u64) {
        if let Limit::Work(budget) = &self.limit {
            budget.spend(work);
        }
    }

    fn time_left(&self) -> Option<Duration> {
        match &self.limit {
            Limit::Time(time) => Some(time.saturating_sub(self.started.elapsed())),
            Limit::Work(_) => None,
        }
    }
}
