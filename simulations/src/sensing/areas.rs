//! Area detectors (cameras, radars) in the built-in street: who is on a stretch of lane.

use std::collections::BTreeSet;

use greenkerb_models::ids::LaneId;

use super::passages::Passage;
use super::place::Place;
use super::sighting::Sighting;
use crate::micro::VehicleId;

/// Slower than this a vehicle stands (SUMO, "halting": 0.1 m/s).
const STANDS_MPS: f64 = 0.1;

/// A stretch of lane that is watched as a whole.
pub type Area = Place;

/// What an area detector saw during one interval.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct AreaReading {
    /// Vehicles whose front came in.
    pub entered: u32,
    /// Vehicles that were in it, mean over the interval; a vehicle is in it as long as any part of it is.
    pub vehicles: f64,
    /// Most vehicles that were in it at the end of a step.
    pub vehicles_max: u32,
    /// Of them, those that stood, mean over the interval.
    pub standing: f64,
    /// Share of its length that was covered by vehicles, mean over the interval.
    pub occupancy: f64,
    /// Mean speed of those in it; none when nobody was.
    pub speed_mps: Option<f64>,
    /// Seconds that were seen.
    pub seen_s: f64,
}

impl AreaReading {
    /// What of it a count-and-occupancy report tells.
    #[must_use]
    pub fn sighting(&self) -> Sighting {
        let Self { entered: count, occupancy, seen_s, speed_mps, .. } = *self;
        Sighting { count, occupied_s: occupancy * seen_s, speed_mps }
    }
}

/// Sums over time; the state at a step's end stands for the step, as in SUMO's `E2` detectors.
#[derive(Debug, Clone, Default)]
struct Sums {
    entered: u32,
    vehicle_s: f64,
    most: u32,
    standing_s: f64,
    covered_m_s: f64,
    metres: f64,
    seen_s: f64,
}

#[derive(Debug, Clone)]
struct Watched {
    area: Area,
    inside: BTreeSet<VehicleId>,
    sums: Sums,
}

/// Area detectors, in some order of the caller's.
#[derive(Debug, Clone)]
pub struct Areas(Vec<Watched>);

impl Areas {
    /// Detectors of these areas.
    #[must_use]
    pub fn at(areas: impl IntoIterator<Item = Area>) -> Self {
        let watched = |area| Watched { area, inside: BTreeSet::new(), sums: Sums::default() };
        Self(areas.into_iter().map(watched).collect())
    }

    /// Takes in how vehicles moved in a step. `passages` gives those of a lane.
    pub fn see<'a>(&mut self, passages: impl Fn(LaneId) -> &'a [Passage], (from_s, to_s): (f64, f64)) {
        for watched in &mut self.0 {
            watched.see(passages(watched.area.lane), to_s - from_s);
        }
    }

    /// What every detector saw since the last time, in order.
    pub fn take(&mut self) -> Vec<AreaReading> {
        self.0.iter_mut().map(Watched::take).collect()
    }
}

impl Watched {
    fn see(&mut self, passages: &[Passage], step_s: f64) {
        let Place { from_m: start_m, to_m: end_m, .. } = self.area;
        let mut inside = BTreeSet::new();
        let mut now = 0;
        for p in passages {
            let rear_m = p.to_m - p.length_m;
            let was_before = p.from_m.is_none_or(|from_m| from_m <= start_m);
            let entered = was_before && p.to_m > start_m && !self.inside.contains(&p.vehicle);
            let there = !p.gone && p.to_m > start_m && rear_m < end_m;
            // One that came in and went out within a step was there.
            self.sums.entered += u32::from(entered && (there || p.from_m.is_some()));
            if !there {
                continue;
            }
            inside.insert(p.vehicle);
            now += 1;
            self.sums.vehicle_s += step_s;
            self.sums.standing_s += if p.speed_mps < STANDS_MPS { step_s } else { 0.0 };
            self.sums.covered_m_s += (p.to_m.min(end_m) - rear_m.max(start_m)).max(0.0) * step_s;
            self.sums.metres += p.speed_mps * step_s;
        }
        self.sums.most = self.sums.most.max(now);
        self.sums.seen_s += step_s;
        self.inside = inside;
    }

    fn take(&mut self) -> AreaReading {
        let sums = std::mem::take(&mut self.sums);
        let length_m = self.area.to_m - self.area.from_m;
        if sums.seen_s <= 0.0 || length_m <= 0.0 {
            return AreaReading::default();
        }
        AreaReading {
            entered: sums.entered,
            vehicles: sums.vehicle_s / sums.seen_s,
            vehicles_max: sums.most,
            standing: sums.standing_s / sums.seen_s,
            occupancy: (sums.covered_m_s / sums.seen_s / length_m).clamp(0.0, 1.0),
            speed_mps: (sums.vehicle_s > 0.0).then(|| sums.metres / sums.vehicle_s),
            seen_s: sums.seen_s,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passage(vehicle: u32, from_m: Option<f64>, to_m: f64, speed_mps: f64) -> Passage {
        Passage { vehicle: VehicleId(vehicle), from_m, to_m, length_m: 5.0, speed_mps, gone: false }
    }

    #[test]
    fn number_occupancy_and_speed_of_who_is_there() {
        let mut areas = Areas::at([Area { lane: LaneId(0), from_m: 50.0, to_m: 100.0 }]);
        // One stands at the line, one comes in at 10 m/s.
        let first = [passage(1, Some(99.0), 99.0, 0.0), passage(2, Some(45.0), 55.0, 10.0)];
        let second = [passage(1, Some(99.0), 99.0, 0.0), passage(2, Some(55.0), 65.0, 10.0)];
        areas.see(|_| &first, (0.0, 1.0));
        areas.see(|_| &second, (1.0, 2.0));
        let reading = areas.take()[0];
        assert_eq!((reading.vehicles, reading.vehicles_max, reading.standing), (2.0, 2, 1.0));
        assert_eq!(reading.speed_mps, Some(5.0));
        assert!((reading.occupancy - 10.0 / 50.0).abs() < 1e-9, "two vehicles of 5 m on 50 m: {reading:?}");
        assert_eq!(reading.entered, 1, "the first was there before the first look");
        assert!((reading.sighting().occupied_s - 0.4).abs() < 1e-9);
        assert_eq!(areas.take()[0], AreaReading::default());
    }

    #[test]
    fn who_leaves_is_not_there_and_an_empty_area_has_no_speed() {
        let mut areas = Areas::at([Area { lane: LaneId(0), from_m: 50.0, to_m: 100.0 }]);
        areas.see(|_| &[], (0.0, 1.0));
        assert_eq!(areas.take()[0].speed_mps, None);
        let gone = [Passage { gone: true, ..passage(1, Some(60.0), 60.0, 3.0) }];
        areas.see(|_| &gone, (1.0, 2.0));
        assert_eq!(areas.take()[0].vehicles, 0.0);
        let through = [passage(1, Some(40.0), 110.0, 70.0)];
        areas.see(|_| &through, (2.0, 3.0));
        let reading = areas.take()[0];
        assert_eq!((reading.entered, reading.vehicles), (1, 0.0), "within one step in and out: counted");
    }
}
