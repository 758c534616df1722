//! Parking: how long drivers searched, how full facilities were, who was turned away, and how long their mouths
//! stood on the street.
//!
//! A search begins when a vehicle finds its facility full for the first time and ends when it parks, when it leaves the
//! network without a bay, or with the run. It is nought for those who park where they meant to, and they are counted in the
//! mean.

use std::collections::BTreeMap;

use greenkerb_models::demand::Demand;
use greenkerb_models::units::TimeDs;
use serde::{Deserialize, Serialize};

use super::snapshot::Snapshot;
use super::vehicles::Vehicles;
use super::window::Window;
use crate::micro::{Event, What};

/// Parking of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ParkingUse {
    /// Vehicles that parked.
    pub parked: u64,
    /// Times a vehicle found its facility full.
    pub turned_away: u64,
    /// Vehicles still searching at the end.
    pub still_searching: u64,
    /// Vehicles that left without having found a bay.
    #[serde(default)]
    pub gave_up: u64,
    /// Mean search, in seconds, of those who parked, gave up or still search.
    pub search_s: f64,
    /// Way driven while searching, in metres, mean of the same vehicles. Of those who still search it counts up to the last
    /// facility they found full.
    #[serde(default)]
    pub search_m: f64,
    /// Share of all bays taken, on average over the window.
    pub occupancy: f64,
    /// The same at its highest.
    pub occupancy_max: f64,
    /// Vehicle-minutes stood on the street before full mouths.
    pub on_street_min: f64,
    /// Share of the bays of each facility taken on average, in id order.
    pub facility_occupancy: Vec<f64>,
}

/// A search that goes on.
#[derive(Debug, Clone, Copy)]
struct Search {
    since: TimeDs,
    /// Way driven when it began, and when a facility was last found full, in metres.
    from_m: f32,
    to_m: f32,
}

/// Follows parking.
#[derive(Debug, Clone)]
pub struct ParkingMeasure {
    window: Window,
    capacities: Vec<u32>,
    /// Searches that go on, by vehicle.
    searching: BTreeMap<u32, Search>,
    parked: u64,
    turned_away: u64,
    gave_up: u64,
    search_ds: i64,
    search_m: f64,
    occupied: Vec<u64>,
    most_occupied: u64,
    samples: u64,
    on_street_s: f64,
    last: Option<TimeDs>,
}

impl ParkingMeasure {
    /// For a demand.
    #[must_use]
    pub fn new(demand: &Demand, window: Window) -> Self {
        let capacities: Vec<u32> = demand.parts().facilities.iter().map(|f| f.capacity).collect();
        Self {
            window,
            occupied: vec![0; capacities.len()],
            capacities,
            searching: BTreeMap::new(),
            parked: 0,
            turned_away: 0,
            gave_up: 0,
            search_ds: 0,
            search_m: 0.0,
            most_occupied: 0,
            samples: 0,
            on_street_s: 0.0,
            last: None,
        }
    }

    /// Takes an event in; the ledger must have taken it before.
    pub fn event(&mut self, event: &Event, vehicles: &Vehicles) {
        match event.what {
            What::Full { vehicle, driven_m, .. } if vehicles.counts(vehicle) => {
                let new = Search { since: event.at, from_m: driven_m, to_m: driven_m };
                self.searching.entry(vehicle.0).or_insert(new).to_m = driven_m;
                self.turned_away += 1;
            }
            What::Parked { vehicle, searched_m, .. } if vehicles.counts(vehicle) => {
                self.parked += 1;
                self.search_m += f64::from(searched_m);
                let searched = self.searching.remove(&vehicle.0);
                self.search_ds += searched.map_or(0, |s| event.at.since(s.since));
            }
            What::Arrived { vehicle, journey } => {
                if let Some(search) = self.searching.remove(&vehicle.0) {
                    self.gave_up += 1;
                    self.search_ds += event.at.since(search.since);
                    self.search_m += f64::from(journey.driven_m - search.from_m);
                }
            }
            _ => {}
        }
    }

    /// Takes a look at the facilities.
    pub fn sample(&mut self, street: &Snapshot) {
        let now = street.now();
        let passed_s = self.last.map_or(0.0, |last| now.since(last) as f64 / 10.0);
        self.last = Some(now);
        if !self.window.covers(now) {
            return;
        }
        self.samples += 1;
        let mut all = 0;
        for (sum, state) in self.occupied.iter_mut().zip(street.facilities()) {
            *sum += u64::from(state.occupied);
            all += u64::from(state.occupied);
            self.on_street_s += passed_s * f64::from(state.on_street);
        }
        self.most_occupied = self.most_occupied.max(all);
    }

    /// Parking; none where there are no facilities.
    #[must_use]
    pub fn parking(&self, now: TimeDs) -> Option<ParkingUse> {
        if self.capacities.is_empty() {
            return None;
        }
        let bays: u64 = self.capacities.iter().map(|c| u64::from(*c)).sum();
        let samples = self.samples.max(1) as f64;
        let searching = self.searching.values();
        let searchers = (self.parked + self.gave_up + searching.len() as u64).max(1) as f64;
        let search_ds = self.search_ds + searching.clone().map(|s| now.since(s.since)).sum::<i64>();
        let search_m = self.search_m + searching.clone().map(|s| f64::from(s.to_m - s.from_m)).sum::<f64>();
        let of = |(sum, capacity): (&u64, &u32)| *sum as f64 / samples / f64::from((*capacity).max(1));
        Some(ParkingUse {
            parked: self.parked,
            turned_away: self.turned_away,
            still_searching: searching.len() as u64,
            gave_up: self.gave_up,
            search_s: search_ds as f64 / 10.0 / searchers,
            search_m: search_m / searchers,
            occupancy: self.occupied.iter().sum::<u64>() as f64 / samples / bays.max(1) as f64,
            occupancy_max: self.most_occupied as f64 / bays.max(1) as f64,
            on_street_min: self.on_street_s / 60.0,
            facility_occupancy: self.occupied.iter().zip(&self.capacities).map(of).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use greenkerb_models::ids::{FacilityId, LinkId};

    use super::super::samples::{at_s, crossroads, demand_with_parking, event, journey};
    use super::*;
    use crate::micro::{FacilityState, Journey, VehicleId};

    #[test]
    fn searches_and_occupancy() {
        let network = crossroads();
        let window = Window { from: at_s(0), to: at_s(100) };
        let mut vehicles = Vehicles::new(window);
        let mut parking = ParkingMeasure::new(&demand_with_parking(&network, 10), window);
        let facility = FacilityId(0);
        let parked =
            |id, searched_m| What::Parked { vehicle: VehicleId(id), facility, journey: journey(0.0), searched_m };
        let full = |id, driven_m| What::Full { vehicle: VehicleId(id), facility, driven_m };
        for id in 0..4 {
            vehicles.event(&event(1, What::Loaded { vehicle: VehicleId(id), link: LinkId(0) }));
        }
        for (at, what) in [
            (10, parked(0, 0.0)),
            (20, full(1, 500.0)),
            (30, full(1, 700.0)),
            (40, full(2, 100.0)),
            (45, full(2, 160.0)),
            (50, parked(1, 300.0)),
            (55, full(3, 200.0)),
            (65, What::Arrived { vehicle: VehicleId(3), journey: Journey { driven_m: 280.0, ..journey(0.0) } }),
        ] {
            parking.event(&event(at, what), &vehicles);
        }
        for t in 0..=100 {
            let state = FacilityState { occupied: if t <= 50 { 4 } else { 10 }, in_mouth: 0, on_street: 3 };
            parking.sample(&Snapshot::empty(&network, 1, at_s(t)).with_facility(facility, state));
        }
        let used = parking.parking(at_s(100)).unwrap();
        assert_eq!((used.parked, used.turned_away, used.still_searching, used.gave_up), (2, 5, 1, 1));
        assert_eq!(used.search_s, (0.0 + 30.0 + 60.0 + 10.0) / 4.0);
        assert_eq!(used.search_m, (0.0 + 300.0 + 60.0 + 80.0) / 4.0);
        assert_eq!((used.occupancy, used.occupancy_max, used.on_street_min), (0.7, 1.0, 5.0));
        assert_eq!(used.facility_occupancy, [0.7]);
    }

    #[test]
    fn without_facilities_there_is_nothing_to_tell() {
        let window = Window { from: at_s(0), to: at_s(100) };
        assert_eq!(ParkingMeasure::new(&Demand::default(), window).parking(at_s(100)), None);
    }
}
