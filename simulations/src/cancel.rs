//! Calling off a run from outside, e.g. on Ctrl-C.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Longest sleep at once, so that being called off is noticed.
const NAP: Duration = Duration::from_millis(50);

/// A flag that ends a run early. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// Calls the run off.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// True once it was called off.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Waits until so many seconds have passed since an instant, or the run is called off.
    pub(crate) fn wait_until(&self, begun: Instant, s: f64) {
        let until = Duration::try_from_secs_f64(s).unwrap_or(Duration::ZERO);
        while !self.is_cancelled() {
            let left = until.saturating_sub(begun.elapsed());
            if left.is_zero() {
                return;
            }
            std::thread::sleep(left.min(NAP));
        }
    }
}
