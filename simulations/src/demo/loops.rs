//! What the detectors of the network see of the demo street.

use greenkerb_models::network::Network;

/// Length of a vehicle.
pub(super) const VEHICLE_M: f64 = 5.0;

/// What one detector saw since it was last read.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Reading {
    /// Vehicles whose front reached the loop.
    pub count: u32,
    /// Seconds during which a vehicle was over it.
    pub occupied_s: f64,
}

/// Where a loop lies on its lane, from the start of the lane.
#[derive(Debug, Clone, Copy)]
struct Place {
    from_m: f64,
    to_m: f64,
}

/// All loops, in the order of the network's detectors.
#[derive(Debug, Clone)]
pub(super) struct Loops {
    places: Vec<Place>,
    readings: Vec<Reading>,
    /// Seconds of the step at hand during which each is occupied.
    step_s: Vec<f64>,
}

impl Loops {
    pub(super) fn of(network: &Network) -> Self {
        let place = |d: &greenkerb_models::detection::Detector| {
            let to_m = network.lane(d.lane).length.get() - d.to_lane_end.get();
            Place { from_m: (to_m - d.length.get()).max(0.0), to_m: to_m.max(0.0) }
        };
        let places: Vec<Place> = network.detectors().iter().map(place).collect();
        let n = places.len();
        Self { places, readings: vec![Reading::default(); n], step_s: vec![0.0; n] }
    }

    /// A vehicle's front moves from one place of a loop's lane to another within a step of one second.
    pub(super) fn see(&mut self, detector: usize, from_m: f64, to_m: f64) {
        let Place { from_m: start, to_m: end } = self.places[detector];
        if from_m < start && to_m >= start {
            self.readings[detector].count += 1;
        }
        // The vehicle covers the loop while its front is between these two.
        let (on, off) = (start, end + VEHICLE_M);
        let moved = to_m - from_m;
        self.step_s[detector] += if moved > 0.0 {
            (to_m.min(off) - from_m.max(on)).max(0.0) / moved
        } else if (on..off).contains(&from_m) {
            1.0
        } else {
            0.0
        };
    }

    /// Ends a step of one second.
    pub(super) fn end_step(&mut self) {
        for (reading, step_s) in self.readings.iter_mut().zip(&mut self.step_s) {
            reading.occupied_s += step_s.min(1.0);
            *step_s = 0.0;
        }
    }

    /// What every detector saw since the last time.
    pub(super) fn take(&mut self) -> Vec<Reading> {
        let n = self.readings.len();
        std::mem::replace(&mut self.readings, vec![Reading::default(); n])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one() -> Loops {
        let places = vec![Place { from_m: 97.0, to_m: 99.0 }];
        Loops { places, readings: vec![Reading::default()], step_s: vec![0.0] }
    }

    #[test]
    fn a_vehicle_is_counted_once_and_seen_as_long_as_it_covers_the_loop() {
        let mut loops = one();
        for (from, to) in [(76.0, 90.0), (90.0, 104.0), (104.0, 118.0)] {
            loops.see(0, from, to);
            loops.end_step();
        }
        let reading = loops.take()[0];
        assert_eq!(reading.count, 1);
        assert!((reading.occupied_s - 7.0 / 14.0).abs() < 1e-9, "7 m at 14 m/s, not {}", reading.occupied_s);
        assert_eq!(loops.take()[0], Reading::default());
    }

    #[test]
    fn one_that_stands_on_the_loop_occupies_it() {
        let mut loops = one();
        loops.see(0, 90.0, 100.0);
        loops.end_step();
        for _ in 0..4 {
            loops.see(0, 100.0, 100.0);
            loops.end_step();
        }
        let reading = loops.take()[0];
        assert_eq!((reading.count, reading.occupied_s), (1, 4.3));
    }
}
