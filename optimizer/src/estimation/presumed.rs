//! Where vehicles of a lane are presumed to be, by its loops alone: what schedules are made from where nobody sees them.

use greenkerb_models::units::TimeDs;

use super::lane::{LaneTrack, STANDING_VEHICLE_M};

/// Vehicles of a queue start one after the other, so many seconds apart.
const START_WAVE_S: f64 = 1.1;
/// What they pick up speed with, m/s².
const ACCELERATION_MPS2: f64 = 1.8;
/// From the line to the front of the first vehicle that waits, metres.
const TO_LINE_M: f64 = 1.0;

/// A vehicle that loops let presume.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Presumed {
    /// From its front to the stop line, metres.
    pub to_line_m: f64,
    /// Its speed, m/s.
    pub speed_mps: f64,
}

impl LaneTrack {
    /// The lane's vehicles, the next to the line first. Those that passed an advance loop of late roll on at the speed that
    /// is allowed until they come upon the others, which stand; under green they set off from the line backwards.
    pub(crate) fn presumed(&self, now: TimeDs, speed_mps: f64, green_s: Option<f64>) -> Vec<Presumed> {
        let all = self.known_veh().round() as usize;
        let far_m = self.advance.iter().map(|u| u.to_line_m).fold(0.0, f64::max);
        let mut rolling_m = Vec::new();
        let mut owed = 0.0;
        for (at, count) in self.rolling().rev() {
            let to_line_m = far_m - now.since(at) as f64 / 10.0 * speed_mps;
            if to_line_m <= 0.0 || rolling_m.len() >= all {
                break;
            }
            owed += count;
            while owed >= 0.5 && rolling_m.len() < all {
                owed -= 1.0;
                rolling_m.push(to_line_m);
            }
        }
        rolling_m.reverse();
        let standing = all - rolling_m.len();
        let set_off = |place: usize| green_s.map_or(0.0, |s| (s - place as f64 * START_WAVE_S).max(0.0));
        let vehicle = |place: usize| {
            let queue_m = place as f64 * STANDING_VEHICLE_M + TO_LINE_M;
            let rolls_m = place.checked_sub(standing).map_or(0.0, |k| rolling_m[k]);
            let free = rolls_m > queue_m;
            Presumed {
                to_line_m: rolls_m.max(queue_m),
                speed_mps: if free { speed_mps } else { speed_mps.min(ACCELERATION_MPS2 * set_off(place)) },
            }
        };
        (0..all).map(vehicle).collect()
    }
}
