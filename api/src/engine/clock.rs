//! The service's clock: the only place where the wall clock enters.
//!
//! With a wall clock time passes by itself. With an external clock the detectors tell the time (see `optimizer::intake`), so that a
//! simulation runs as fast as it can and a replay gives the same bytes.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use greenkerb_models::units::TimeDs;

/// Stands for "not set yet" in the atomics.
const UNSET: i64 = i64::MIN;

type Reading = Box<dyn Fn() -> TimeDs + Send + Sync>;

enum Source {
    Wall(Reading),
    External(AtomicI64),
}

/// What time it is, and how long the feed has been silent.
pub struct Clock {
    source: Source,
    newest: AtomicI64,
    /// An earlier life has left the time, and it was this kind of clock.
    kept: AtomicBool,
    heard: Mutex<Option<Instant>>,
}

impl std::fmt::Debug for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Clock").field("source", &self.source_name()).field("now", &self.now()).finish()
    }
}

impl Clock {
    /// The time of this machine.
    #[must_use]
    pub fn wall() -> Self {
        Self::reading(|| {
            let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            TimeDs(i64::try_from(since_epoch.as_millis() / 100).unwrap_or(i64::MAX))
        })
    }

    /// Time that passes by itself, read from somewhere else than this machine's clock.
    pub fn reading(read: impl Fn() -> TimeDs + Send + Sync + 'static) -> Self {
        Self::of(Source::Wall(Box::new(read)))
    }

    /// Time that only the data moves.
    #[must_use]
    pub fn external() -> Self {
        Self::of(Source::External(AtomicI64::new(UNSET)))
    }

    fn of(source: Source) -> Self {
        let (newest, kept) = (AtomicI64::new(UNSET), AtomicBool::new(false));
        Self { source, newest, kept, heard: Mutex::new(None) }
    }

    /// Takes up what an earlier life has left, from a clock called so where that is known. What another kind of clock
    /// has left is nothing that detectors agreed on.
    pub fn recall(&self, last: TimeDs, source: Option<&str>) {
        self.advance(last);
        self.kept.store(source.is_none_or(|s| s == self.source_name()), Ordering::Release);
    }

    /// True when an earlier life has left the time, and it was this kind of clock.
    #[must_use]
    pub fn was_kept(&self) -> bool {
        self.kept.load(Ordering::Acquire)
    }

    /// True when only the data moves it.
    #[must_use]
    pub const fn is_external(&self) -> bool {
        matches!(self.source, Source::External(_))
    }

    /// `wall` or `external`.
    #[must_use]
    pub const fn source_name(&self) -> &'static str {
        if self.is_external() { "external" } else { "wall" }
    }

    /// Now; `None` while nothing has set an external clock.
    #[must_use]
    pub fn now(&self) -> Option<TimeDs> {
        match &self.source {
            Source::Wall(read) => Some(read()),
            Source::External(now) => Some(now.load(Ordering::Acquire)).filter(|t| *t != UNSET).map(TimeDs),
        }
    }

    /// Sets an external clock, back as well.
    pub fn set(&self, to: TimeDs) {
        if let Source::External(now) = &self.source {
            now.store(to.0, Ordering::Release);
        }
    }

    /// Moves an external clock forward, never back. A wall clock moves by itself.
    pub fn advance(&self, to: TimeDs) {
        if let Source::External(now) = &self.source {
            now.fetch_max(to.0, Ordering::AcqRel);
        }
    }

    /// Takes note of an observation that ended then.
    pub fn hear(&self, end: TimeDs) {
        self.newest.fetch_max(end.0, Ordering::AcqRel);
        *self.heard.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// Age of the newest observation, seconds. An external clock stands still when the feed does, so there it is the
    /// time since the feed was heard; `None` before the first observation.
    #[must_use]
    pub fn feed_age_s(&self) -> Option<f64> {
        match &self.source {
            Source::Wall(read) => {
                let newest = Some(self.newest.load(Ordering::Acquire)).filter(|t| *t != UNSET)?;
                Some((read().since(TimeDs(newest)) as f64 / 10.0).max(0.0))
            }
            Source::External(_) => {
                let heard = *self.heard.lock().unwrap_or_else(PoisonError::into_inner);
                heard.map(|at| at.elapsed().as_secs_f64())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_external_clock_is_set_by_data_and_never_goes_back() {
        let clock = Clock::external();
        assert_eq!(clock.now(), None);
        clock.advance(TimeDs(100));
        clock.advance(TimeDs(50));
        assert_eq!(clock.now(), Some(TimeDs(100)));
    }

    #[test]
    fn the_feed_ages_by_the_clock() {
        let clock = Clock::reading(|| TimeDs(1_000));
        assert_eq!(clock.feed_age_s(), None);
        clock.hear(TimeDs(900));
        clock.hear(TimeDs(800));
        assert_eq!(clock.feed_age_s(), Some(10.0));
        clock.advance(TimeDs(5_000));
        assert_eq!(clock.now(), Some(TimeDs(1_000)));
    }
}
