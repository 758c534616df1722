//! Gridlock: when a network has stopped working.
//!
//! A vehicle is *locked* when it has not moved for five minutes, longer than any cycle that a controller may run (255 s). A
//! run is *gridlocked* when at some instant a quarter of the vehicles on the road, and ten at least, are locked. A network
//! that is merely full keeps creeping at every green and is not gridlocked, however long its queues.

use greenkerb_models::units::TimeDs;
use serde::{Deserialize, Serialize};

use super::snapshot::Snapshot;

/// A vehicle that has not moved for so long is locked, in deciseconds.
const LOCKED_DS: i64 = 3_000;
/// So many of the vehicles on the road are locked in a gridlock: one in four.
const ONE_IN: usize = 4;
/// And at least so many.
const LOCKED_AT_LEAST: usize = 10;

/// Watches for gridlock. Warm-up is no excuse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Gridlock {
    since: Option<TimeDs>,
    most_locked: usize,
}

impl Gridlock {
    /// Takes a look at the street.
    pub fn sample(&mut self, street: &Snapshot) {
        let locked = |since: TimeDs| street.now().since(since) >= LOCKED_DS;
        let all = street.vehicles();
        let locked = all.iter().filter(|s| s.vehicle.stands_since.is_some_and(locked)).count();
        self.most_locked = self.most_locked.max(locked);
        if self.since.is_none() && locked >= LOCKED_AT_LEAST && locked * ONE_IN >= all.len() {
            self.since = Some(street.now());
        }
    }

    /// The first instant of gridlock; none when traffic kept moving.
    #[must_use]
    pub const fn since(&self) -> Option<TimeDs> {
        self.since
    }

    /// Most vehicles that were locked at once.
    #[must_use]
    pub const fn most_locked(&self) -> usize {
        self.most_locked
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{at_s, car, crossroads, straight};
    use super::*;
    use crate::micro::Vehicle;

    fn street(now: i64, locked: u32, moving: u32) -> Snapshot {
        let network = crossroads();
        let (connection, lane, _) = straight(&network);
        let vehicle = |i| car(i, 180.0 - i as f32, 0.0, Some(connection));
        let stands = (0..locked).map(|i| Vehicle { stands_since: Some(at_s(100)), ..vehicle(i) });
        let moves = (locked..locked + moving).map(vehicle);
        Snapshot::empty(&network, 0, at_s(now)).with_lane(lane, stands.chain(moves).collect::<Vec<_>>())
    }

    #[test]
    fn a_quarter_locked_for_five_minutes_is_gridlock() {
        let mut gridlock = Gridlock::default();
        gridlock.sample(&street(399, 20, 20)); // a second too early
        gridlock.sample(&street(450, 9, 3)); // too few to tell
        gridlock.sample(&street(460, 10, 31)); // less than a quarter
        assert_eq!((gridlock.since(), gridlock.most_locked()), (None, 10));
        gridlock.sample(&street(470, 10, 30));
        gridlock.sample(&street(480, 40, 0));
        assert_eq!(gridlock.since(), Some(at_s(470)), "the first instant is kept");
        assert_eq!(gridlock.most_locked(), 40);
    }
}
