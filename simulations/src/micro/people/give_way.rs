//! Ways across a node on which drivers have to stop for people.

use greenkerb_models::units::TimeDs;

use super::super::strips::StripId;
use super::{BEFORE_M, Crowd, Kerb, WALK_MPS};

/// Drivers who give way let people pass who are so near to their way, in metres: what is walked in the time a car takes over a crossing.
const NEAR_M: f64 = 6.0;
/// Nobody drives over a person, whoever has right of way.
const TOO_NEAR_M: f64 = 1.5;
/// Once a person is so far past a way it is free again, in metres.
const PAST_M: f64 = 1.5;

/// Where drivers have to stop for people, by way.
#[derive(Debug, Default)]
pub(crate) struct GiveWay {
    /// Metres behind the line; infinite where the way is free. Empty where there are no people at all.
    stop_m: Vec<f32>,
    held: Vec<StripId>,
}

impl GiveWay {
    /// All ways are free.
    pub(super) fn new(strips: usize) -> Self {
        Self { stop_m: vec![f32::INFINITY; strips], held: Vec::new() }
    }

    pub(super) fn clear(&mut self) {
        for way in self.held.drain(..) {
            self.stop_m[way as usize] = f32::INFINITY;
        }
    }

    fn hold(&mut self, way: StripId, stop_m: f64) {
        let slot = &mut self.stop_m[way as usize];
        *slot = slot.min(stop_m as f32);
        self.held.push(way);
    }

    /// Where one has to stop on a way, in metres behind its line; none where it is free.
    pub(crate) fn stop_m(&self, way: StripId) -> Option<f64> {
        self.stop_m.get(way as usize).copied().filter(|m| m.is_finite()).map(f64::from)
    }
}

impl Crowd {
    /// Holds the ways that people are on, or come to. Those who may step off but for a vehicle that is still there count.
    pub(super) fn hold(&self, kerb: &Kerb<'_>, give_way: &mut GiveWay) {
        let about_to = !self.waiting.is_empty() && self.is_shown(kerb);
        if self.walking.is_empty() && !about_to {
            return;
        }
        for cut in &self.cuts {
            let near_m = if cut.yields { NEAR_M } else { TOO_NEAR_M };
            let mut ahead_m = self.walking.iter().map(|w| self.to_way_m(cut.walk_m, w.back, w.since, kerb.begins));
            let on_it = ahead_m.any(|m| (-PAST_M..=near_m).contains(&m));
            let comes = about_to
                && cut.yields
                && self.waiting.iter().any(|w| self.to_way_m(cut.walk_m, w.back, kerb.begins, kerb.begins) <= near_m);
            if on_it || comes {
                give_way.hold(cut.way, (cut.way_m - BEFORE_M).max(0.0));
            }
        }
    }

    /// From a person to a way, along the crossing; negative once it is past.
    fn to_way_m(&self, walk_m: f64, back: bool, since: TimeDs, now: TimeDs) -> f64 {
        let from_kerb_m = if back { self.length_m - walk_m } else { walk_m };
        from_kerb_m - WALK_MPS * now.since(since) as f64 / 10.0
    }
}
