//! How the engine is, for those who watch it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use greenkerb_models::ids::DetectorId;

/// Facts that the engine leaves for `/readyz` and `/metrics`.
#[derive(Debug, Default)]
pub struct Vitals {
    /// Steps in a row that missed the deadline or went without the better method because of it.
    deadlines_missed: AtomicU64,
    /// The store took the last step.
    store_failing: AtomicBool,
    optimizer_failure: Mutex<Option<String>>,
    store_failure: Mutex<Option<String>>,
    network_file: Mutex<Option<String>>,
    dropped: Mutex<Vec<(String, String)>>,
    disputing: Mutex<Vec<DetectorId>>,
}

fn set<T>(cell: &Mutex<T>, value: T) {
    *cell.lock().unwrap_or_else(PoisonError::into_inner) = value;
}

fn get<T: Clone>(cell: &Mutex<T>) -> T {
    cell.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

impl Vitals {
    /// The optimizer failed in its last step (`Some`), or got through it.
    pub fn set_optimizer_failure(&self, failure: Option<String>) {
        set(&self.optimizer_failure, failure);
    }

    /// What the optimizer said when it failed in its last step.
    #[must_use]
    pub fn optimizer_failure(&self) -> Option<String> {
        get(&self.optimizer_failure)
    }

    /// The store refused the last step (`Some`), or took it.
    pub fn set_store_failure(&self, failure: Option<String>) {
        self.store_failing.store(failure.is_some(), Ordering::Release);
        set(&self.store_failure, failure);
    }

    /// What the store said when it refused the last step.
    #[must_use]
    pub fn store_failure(&self) -> Option<String> {
        if !self.store_failing.load(Ordering::Acquire) {
            return None;
        }
        get(&self.store_failure)
    }

    /// The network file is not the one that was loaded (`Some`), or it is.
    pub fn set_network_file(&self, change: Option<String>) {
        set(&self.network_file, change);
    }

    /// In what the network file differs from what was loaded.
    #[must_use]
    pub fn network_file(&self) -> Option<String> {
        get(&self.network_file)
    }

    /// Stored plans that are not served, with the reason.
    pub fn set_dropped(&self, dropped: Vec<(String, String)>) {
        set(&self.dropped, dropped);
    }

    /// Controllers whose stored plan was not taken up at the start, with the reason.
    #[must_use]
    pub fn dropped(&self) -> Vec<(String, String)> {
        get(&self.dropped)
    }

    /// Detectors that lately spoke of another time than an external clock shows.
    pub fn set_disputing(&self, disputing: Vec<DetectorId>) {
        set(&self.disputing, disputing);
    }

    /// Detectors that lately spoke of another time than an external clock shows.
    #[must_use]
    pub fn disputing(&self) -> Vec<DetectorId> {
        get(&self.disputing)
    }

    /// Takes note whether a step was in time.
    pub fn note_deadline(&self, missed: bool) {
        if missed {
            self.deadlines_missed.fetch_add(1, Ordering::AcqRel);
        } else {
            self.deadlines_missed.store(0, Ordering::Release);
        }
    }

    /// Steps in a row that were late.
    #[must_use]
    pub fn deadlines_missed(&self) -> u64 {
        self.deadlines_missed.load(Ordering::Acquire)
    }
}
