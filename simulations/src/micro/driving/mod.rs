//! Whose rules vehicles are driven by.

pub(crate) mod cityflow;
pub(crate) mod street;

use super::mover::{Mover, Rider};
use super::scene::Scene;
use super::strips::StripId;

/// How a vehicle moves in one step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Motion {
    /// Its speed at the end, never negative.
    pub(crate) speed_mps: f64,
    /// The way it makes, never negative.
    pub(crate) way_m: f64,
}

/// Rules of driving. A driver looks at the street as it was at the beginning of the step.
pub(crate) trait Driver: Sync {
    /// How the `i`-th mover of a strip moves. `blockers` are pairs of who waits for whom inside the nodes of the region:
    /// those of the last step by vehicle, and those of this step to add to.
    fn motion(
        &self,
        scene: &Scene<'_>,
        strip: StripId,
        i: usize,
        m: &Mover,
        rider: &Rider,
        blockers: &mut Blockers<'_>,
    ) -> Motion;
}

/// Who waits for whom.
#[derive(Debug)]
pub(crate) struct Blockers<'a> {
    /// In the last step, by vehicle.
    pub(crate) last: &'a [(u32, u32)],
    /// In this one.
    pub(crate) now: &'a mut Vec<(u32, u32)>,
}

impl Blockers<'_> {
    /// The vehicle that a vehicle waited for in the last step.
    pub(crate) fn of(&self, vehicle: u32) -> Option<u32> {
        let i = self.last.binary_search_by_key(&vehicle, |b| b.0).ok()?;
        Some(self.last[i].1)
    }

    /// True when following who waits for whom from a vehicle leads round in a circle (Floyd's two walkers).
    pub(crate) fn circle_from(&self, vehicle: u32) -> bool {
        let (mut slow, mut fast) = (vehicle, Some(vehicle));
        while let Some(next) = fast.and_then(|v| self.of(v)) {
            slow = match self.of(slow) {
                Some(v) => v,
                None => return false,
            };
            fast = self.of(next);
            if fast == Some(slow) {
                return true;
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn circles_of_waiting_are_found_and_chains_are_not() {
        let mut now = Vec::new();
        let circle = Blockers { last: &[(1, 2), (2, 3), (3, 1), (4, 1)], now: &mut now };
        assert!(circle.circle_from(1) && circle.circle_from(4));
        let mut now = Vec::new();
        let chain = Blockers { last: &[(1, 2), (2, 3)], now: &mut now };
        assert!(!chain.circle_from(1) && !chain.circle_from(9));
    }
}
