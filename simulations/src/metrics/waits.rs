//! Waits: how long the unluckiest vehicles had to wait.

use serde::{Deserialize, Serialize};

use super::snapshot::Snapshot;
use super::vehicles::Vehicles;

/// Longest waits of a run.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Waits {
    /// Longest time that any vehicle spent below 0.1 m/s and waiting to get in, over its whole trip.
    pub max_wait_s: f64,
    /// Longest time that any vehicle stood without moving once.
    pub max_stand_s: f64,
    /// Longest time that any vehicle waited outside to get in.
    pub max_outside_s: f64,
}

/// Follows vehicles that stand.
#[derive(Debug, Clone, Copy, Default)]
pub struct LongestStand {
    stand_ds: i64,
}

impl LongestStand {
    /// Takes a look at the street.
    pub fn sample(&mut self, street: &Snapshot, vehicles: &Vehicles) {
        for seen in street.vehicles() {
            if let Some(since) = seen.vehicle.stands_since
                && vehicles.counts(seen.vehicle.id)
            {
                self.stand_ds = self.stand_ds.max(street.now().since(since));
            }
        }
    }

    /// All waits, from the ledger.
    #[must_use]
    pub fn waits(&self, vehicles: &Vehicles) -> Waits {
        let now = vehicles.now();
        let mut waits = Waits { max_stand_s: self.stand_ds as f64 / 10.0, ..Waits::default() };
        for r in vehicles.counted() {
            let outside_s = r.depart_delay_s(now);
            waits.max_outside_s = waits.max_outside_s.max(outside_s);
            waits.max_wait_s = waits.max_wait_s.max(outside_s + f64::from(r.journey.waiting_s));
        }
        waits
    }
}

#[cfg(test)]
mod tests {
    use greenkerb_models::ids::LinkId;

    use super::super::samples::{at_s, car, crossroads, event, straight};
    use super::super::window::Window;
    use super::*;
    use crate::micro::{Journey, Vehicle, VehicleId, What};

    #[test]
    fn the_unluckiest() {
        let network = crossroads();
        let (connection, lane, _) = straight(&network);
        let mut vehicles = Vehicles::new(Window { from: at_s(0), to: at_s(100) });
        for (at, id) in [(1, 0), (10, 1)] {
            vehicles.event(&event(at, What::Loaded { vehicle: VehicleId(id), link: LinkId(0) }));
        }
        vehicles.event(&event(6, What::Inserted { vehicle: VehicleId(0), lane }));
        let stands = Vehicle {
            stands_since: Some(at_s(58)),
            journey: Journey { waiting_s: 90.0, ..Journey::default() },
            ..car(0, 100.0, 0.0, Some(connection))
        };
        let street = Snapshot::empty(&network, 0, at_s(100)).with_lane(lane, [stands]);
        vehicles.sample(&street);
        let mut longest = LongestStand::default();
        longest.sample(&street, &vehicles);
        let expected = Waits { max_wait_s: 95.0, max_stand_s: 42.0, max_outside_s: 90.0 };
        assert_eq!(longest.waits(&vehicles), expected);
    }
}
