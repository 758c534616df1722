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

#[cfg(test)]
mod tests {
    use greenkerb_models::detection::{Detector, DetectorKind, Observation};
    use greenkerb_models::ids::{ControllerId, DetectorId, LaneId};
    use greenkerb_models::network::Network;
    use greenkerb_models::units::Ds;

    use super::super::{Estimator, Shown};
    use super::*;

    fn crossroads() -> std::sync::Arc<Network> {
        let net = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/tests/data/crossroads.net.xml");
        std::sync::Arc::new(greenkerb_models::formats::read(&net).unwrap().network)
    }

    /// Three vehicles pass the advance loop of a lane two seconds apart, while the stop bar is red and then covered.
    fn after(seconds: i64) -> (Estimator, LaneId, f64) {
        let network = crossroads();
        let lane = network.approach_lanes(ControllerId(0))[0];
        let of = |kind: DetectorKind| {
            let is = |d: &&Detector| d.kind == kind && d.watches == [lane];
            network.detectors().iter().position(|d| is(&d)).map(DetectorId::at).unwrap()
        };
        let (stop, advance) = (of(DetectorKind::StopBar), of(DetectorKind::Advance));
        let far_m = network.detector(advance).to_stop_line.get();
        let mut estimator = Estimator::new(std::sync::Arc::clone(&network));
        for second in 1..=seconds {
            let begin = TimeDs::from_s(second - 1);
            let arrives = u32::from(second <= 6 && second % 2 == 0);
            let stands = if second > 9 { 1.0 } else { 0.0 };
            estimator.observe(&Observation::new(advance, begin, Ds::from_s(1), arrives, 0.1, None).unwrap());
            estimator.observe(&Observation::new(stop, begin, Ds::from_s(1), 0, stands, None).unwrap());
            estimator.advance(TimeDs::from_s(second), |_| Shown::default());
        }
        (estimator, lane, far_m)
    }

    #[test]
    fn who_passed_the_advance_loop_rolls_on() {
        let (estimator, lane, far_m) = after(6);
        let seen = estimator.presumed(lane, TimeDs::from_s(6), None);
        assert_eq!(seen.len(), 3);
        assert!((seen[2].to_line_m - far_m).abs() < 1e-6, "the last passes it now: {seen:?}");
        let apart_m = seen[2].to_line_m - seen[1].to_line_m;
        assert!((apart_m - 2.0 * seen[2].speed_mps).abs() < 1e-6, "{seen:?}");
    }

    #[test]
    fn who_waits_stands_in_a_row_and_sets_off_from_the_line_backwards() {
        let (estimator, lane, _) = after(30);
        let seen = estimator.presumed(lane, TimeDs::from_s(30), None);
        let places: Vec<f64> = seen.iter().map(|v| v.to_line_m).collect();
        assert_eq!(places, [1.0, 8.0, 15.0]);
        assert!(seen.iter().all(|v| v.speed_mps == 0.0));
        let green = estimator.presumed(lane, TimeDs::from_s(30), Some(2.0));
        assert!(green[0].speed_mps > green[1].speed_mps && green[1].speed_mps > 0.0 && green[2].speed_mps == 0.0);
    }
}
