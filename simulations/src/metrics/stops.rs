//! Stops: how often vehicles come to a stand.
//!
//! A stop is a fall below 0.1 m/s after the vehicle has moved faster than 1.4 m/s, so creeping up a queue is not a stop
//! each time. Stays at bus stops are none.

use greenkerb_models::ids::LinkId;
use greenkerb_models::network::Network;

use super::vehicles::Vehicles;
use crate::micro::{Event, What};

/// Counts stops per link.
#[derive(Debug, Clone)]
pub struct Stops {
    per_link: Vec<u64>,
}

impl Stops {
    /// For a network.
    #[must_use]
    pub fn new(network: &Network) -> Self {
        Self { per_link: vec![0; network.links().len()] }
    }

    /// Takes an event in; the ledger must have taken it before.
    pub fn event(&mut self, event: &Event, network: &Network, vehicles: &Vehicles) {
        if let What::Stopped { vehicle, lane } = event.what
            && vehicles.counts(vehicle)
        {
            self.per_link[network.lane(lane).link.index()] += 1;
        }
    }

    /// Stops on a link.
    #[must_use]
    pub fn on(&self, link: LinkId) -> u64 {
        self.per_link[link.index()]
    }

    /// Stops of the average vehicle loaded; none when there is no vehicle.
    #[must_use]
    pub fn per_vehicle(&self, vehicles: &Vehicles) -> Option<f64> {
        let loaded = vehicles.counted().count();
        (loaded > 0).then(|| self.per_link.iter().sum::<u64>() as f64 / loaded as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{at_s, crossroads, event, straight};
    use super::super::window::Window;
    use super::*;
    use crate::micro::VehicleId;

    #[test]
    fn stops_are_over_all_loaded() {
        let network = crossroads();
        let (_, lane, _) = straight(&network);
        let link = network.lane(lane).link;
        let mut vehicles = Vehicles::new(Window { from: at_s(10), to: at_s(100) });
        let mut stops = Stops::new(&network);
        for (at, what) in [
            (5, What::Loaded { vehicle: VehicleId(0), link }),
            (20, What::Loaded { vehicle: VehicleId(1), link }),
            (21, What::Loaded { vehicle: VehicleId(2), link }),
            (30, What::Stopped { vehicle: VehicleId(0), lane }),
            (31, What::Stopped { vehicle: VehicleId(1), lane }),
            (60, What::Stopped { vehicle: VehicleId(1), lane }),
            (70, What::Stopped { vehicle: VehicleId(1), lane }),
        ] {
            vehicles.event(&event(at, what));
            stops.event(&event(at, what), &network, &vehicles);
        }
        assert_eq!(stops.on(link), 3, "who was due in the warm-up does not count");
        assert_eq!(stops.per_vehicle(&vehicles), Some(1.5));
    }
}
