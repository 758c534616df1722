//! One lane as a queue: first in, first out, with room for so many.

use std::collections::VecDeque;

use greenkerb_models::ids::ConnectionId;
use greenkerb_models::network::Lane;

/// Room a standing vehicle takes, its gap included (HCM 7th ed. uses 25 ft).
pub(super) const SPACING_M: f64 = 7.5;
/// Slower than this a vehicle counts as queued, metres in a second.
const QUEUED_MPS: f64 = 1.4;
/// Distances below this are rounding.
const EPSILON_M: f64 = 1e-6;

/// A vehicle on a lane.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Vehicle {
    /// Way it takes at the end of the lane; none where it leaves the city.
    pub(super) way: Option<ConnectionId>,
    /// Its front, from the start of the lane; below zero while it crosses the node before.
    pub(super) at_m: f64,
    /// Where its front was a step ago.
    pub(super) from_m: f64,
    /// Since when it has stood at the line, in milliseconds.
    pub(super) at_line_ms: Option<i64>,
}

impl Vehicle {
    /// One whose front is at a place.
    pub(super) const fn at(at_m: f64, from_m: f64, way: Option<ConnectionId>) -> Self {
        Self { way, at_m, from_m, at_line_ms: None }
    }
}

/// A lane and the vehicles on it, foremost first.
///
/// Vehicles follow Newell's simplified rule (2002) in steps of one second: free speed, or where the leader was a second
/// ago less the room it takes.
#[derive(Debug, Clone)]
pub(super) struct LaneQueue {
    vehicles: VecDeque<Vehicle>,
    length_m: f64,
    speed_mps: f64,
    storage: usize,
    /// The next vehicle may cross the line from then on.
    pub(super) free_ms: i64,
    /// The foremost vehicle was last kept back by its signal.
    pub(super) held: bool,
}

impl LaneQueue {
    pub(super) fn of(lane: &Lane) -> Self {
        let length_m = lane.length.get();
        Self {
            vehicles: VecDeque::new(),
            length_m,
            // A lane nobody may drive on would never be left.
            speed_mps: lane.speed.get().max(1.0),
            storage: ((length_m / SPACING_M) as usize).max(1),
            free_ms: i64::MIN,
            held: false,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.vehicles.len()
    }

    pub(super) fn storage(&self) -> usize {
        self.storage
    }

    pub(super) fn has_room(&self) -> bool {
        self.vehicles.len() < self.storage
    }

    /// Vehicles that hardly move.
    pub(super) fn queued(&self) -> usize {
        self.vehicles.iter().filter(|v| v.at_m >= 0.0 && v.at_m - v.from_m < QUEUED_MPS).count()
    }

    /// The foremost vehicle.
    pub(super) fn front(&self) -> Option<&Vehicle> {
        self.vehicles.front()
    }

    /// True when the foremost vehicle would reach the line within this second.
    pub(super) fn front_reaches_line(&self) -> bool {
        self.front().is_some_and(|v| v.at_m + self.speed_mps >= self.length_m - EPSILON_M)
    }

    /// True when the foremost vehicle stands at the line.
    pub(super) fn front_stands(&self) -> bool {
        self.front().is_some_and(|v| v.at_line_ms.is_some())
    }

    /// True when the foremost vehicle reaches the line within so many seconds.
    pub(super) fn front_is_within(&self, s: f64) -> bool {
        self.front().is_some_and(|v| self.length_m - v.at_m <= self.speed_mps * s)
    }

    /// The foremost vehicle crosses the line. What it has moved within this second, and how far beyond the line it gets.
    pub(super) fn leave(&mut self) -> Option<(Vehicle, f64)> {
        let mut vehicle = self.vehicles.pop_front()?;
        vehicle.from_m = vehicle.at_m;
        vehicle.at_m += self.speed_mps;
        let beyond_m = (vehicle.at_m - self.length_m).max(0.0);
        Some((vehicle, beyond_m))
    }

    /// All vehicles move on for the second that ends at `end_ms`.
    pub(super) fn advance(&mut self, end_ms: i64) {
        let mut ahead_m = self.length_m + SPACING_M;
        for vehicle in &mut self.vehicles {
            let was_m = vehicle.at_m;
            let free_m = (was_m + self.speed_mps).min(self.length_m);
            vehicle.from_m = was_m;
            vehicle.at_m = free_m.min(ahead_m - SPACING_M).max(was_m);
            if vehicle.at_line_ms.is_none() && vehicle.at_m >= self.length_m - EPSILON_M {
                vehicle.at_line_ms = Some(end_ms);
            }
            ahead_m = was_m;
        }
    }

    /// A vehicle comes in behind all others.
    pub(super) fn enter(&mut self, mut vehicle: Vehicle) {
        if let Some(last) = self.vehicles.back() {
            vehicle.at_m = vehicle.at_m.min(last.at_m - SPACING_M);
        }
        vehicle.at_m = vehicle.at_m.min(self.length_m);
        vehicle.from_m = vehicle.from_m.min(vehicle.at_m);
        self.vehicles.push_back(vehicle);
    }

    /// Vehicles with where they were and where they are, foremost first.
    pub(super) fn moves(&self) -> impl Iterator<Item = (f64, f64)> + '_ {
        self.vehicles.iter().map(|v| (v.from_m, v.at_m))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lane(length_m: f64) -> LaneQueue {
        LaneQueue {
            vehicles: VecDeque::new(),
            length_m,
            speed_mps: 10.0,
            storage: ((length_m / SPACING_M) as usize).max(1),
            free_ms: i64::MIN,
            held: false,
        }
    }

    #[test]
    fn an_empty_lane_takes_its_free_travel_time() {
        let mut lane = lane(100.0);
        lane.enter(Vehicle::at(0.0, -1.0, None));
        for s in 1..=9 {
            lane.advance(s * 1000);
            assert!(!lane.front_stands());
        }
        assert!(lane.front_reaches_line(), "nine seconds at 10 m/s, the tenth takes it over the line");
        let (vehicle, beyond_m) = lane.leave().unwrap();
        assert_eq!((vehicle.from_m, beyond_m), (90.0, 0.0));
    }

    #[test]
    fn a_queue_stands_in_line_and_fills_the_lane() {
        let mut lane = lane(30.0);
        let mut second = 0;
        while lane.has_room() {
            lane.enter(Vehicle::at(0.0, -1.0, None));
            for _ in 0..10 {
                second += 1;
                lane.advance(second * 1000);
            }
        }
        let places: Vec<f64> = lane.moves().map(|m| m.1).collect();
        assert_eq!(places, [30.0, 22.5, 15.0, 7.5]);
        assert_eq!((lane.len(), lane.queued()), (4, 4));
    }
}
