//! Arrivals on green: the share of vehicles for which the head was green at the instant they would have reached the line
//! undisturbed. It tells how well signals are coordinated: 100 % is a green wave.
//!
//! The instant is when the vehicle came onto the lane, plus the rest of the lane at its speed limit. The share of the time
//! that was green, which a signal without coordination would give, stands beside it; their ratio is the platoon ratio
//! (HCM 7th ed., eq. 19-15).

use greenkerb_models::ids::LinkId;
use greenkerb_models::network::Network;
use greenkerb_models::units::TimeDs;
use serde::{Deserialize, Serialize};

use super::snapshot::{Place, Seen, Snapshot};
use super::vehicles::Vehicles;
use crate::micro::{Event, VehicleId, What};

/// Arrivals at signals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Arrivals {
    /// While the head was green.
    pub on_green: u64,
    /// All.
    pub all: u64,
}

impl Arrivals {
    /// Share on green; none when nobody came.
    #[must_use]
    pub fn share(&self) -> Option<f64> {
        (self.all > 0).then(|| self.on_green as f64 / self.all as f64)
    }
}

/// Follows arrivals.
#[derive(Debug, Clone)]
pub struct ArrivalsOnGreen {
    links: Vec<Arrivals>,
    /// Per vehicle, when it should reach the line it drives to; none once that was judged.
    expected: Vec<Option<TimeDs>>,
}

impl ArrivalsOnGreen {
    /// For a network.
    #[must_use]
    pub fn new(network: &Network) -> Self {
        Self { links: vec![Arrivals::default(); network.links().len()], expected: Vec::new() }
    }

    /// Takes an event in; the ledger must have taken it before. Who crosses before its time found green.
    pub fn event(&mut self, event: &Event, network: &Network, vehicles: &Vehicles) {
        match event.what {
            What::Entered { vehicle, lane } if vehicles.counts(vehicle) => {
                let l = network.lane(lane);
                let drive_ds = if l.speed.get() > 0.0 { l.length.get() / l.speed.get() * 10.0 } else { 0.0 };
                self.expect(vehicle, TimeDs(event.at.0 + drive_ds.round() as i64));
            }
            What::Crossed { vehicle, connection } => {
                let expected = self.take(vehicle).is_some();
                if expected && network.connection(connection).signal.is_some() {
                    let link = network.movement(network.connection(connection).movement).from_link;
                    self.add(link, true);
                }
            }
            // Who stays somewhere on the way comes when it comes.
            What::Parked { vehicle, .. } | What::AtStop { vehicle, .. } => {
                self.take(vehicle);
            }
            _ => {}
        }
    }

    /// Judges everybody who should be at the line by now.
    pub fn sample(&mut self, street: &Snapshot, network: &Network) {
        for seen in street.vehicles() {
            let Seen { place: Place::Lane(lane), vehicle } = seen else { continue };
            let waits_for = self.expected.get(vehicle.id.0 as usize).copied().flatten();
            if waits_for.is_none_or(|at| at > street.now()) {
                continue;
            }
            self.take(vehicle.id);
            if let Some(head) = vehicle.next.and_then(|c| network.connection(c).signal) {
                self.add(network.lane(*lane).link, street.shows(head).is_green());
            }
        }
    }

    fn expect(&mut self, vehicle: VehicleId, at: TimeDs) {
        let index = vehicle.0 as usize;
        if self.expected.len() <= index {
            self.expected.resize(index + 1, None);
        }
        self.expected[index] = Some(at);
    }

    fn take(&mut self, vehicle: VehicleId) -> Option<TimeDs> {
        self.expected.get_mut(vehicle.0 as usize)?.take()
    }

    fn add(&mut self, link: LinkId, green: bool) {
        let arrivals = &mut self.links[link.index()];
        arrivals.all += 1;
        arrivals.on_green += u64::from(green);
    }

    /// Arrivals at the end of a link. Vehicles that enter the network on it are left out: no signal sent them.
    #[must_use]
    pub fn link(&self, link: LinkId) -> Arrivals {
        self.links[link.index()]
    }

    /// Arrivals at all signals.
    #[must_use]
    pub fn all(&self) -> Arrivals {
        self.links
            .iter()
            .fold(Arrivals::default(), |a, b| Arrivals { on_green: a.on_green + b.on_green, all: a.all + b.all })
    }
}

#[cfg(test)]
mod tests {
    use greenkerb_models::signal::Indication;

    use super::super::samples::{at_s, car, crossroads, event, straight};
    use super::super::window::Window;
    use super::*;

    #[test]
    fn the_head_is_looked_at_when_the_line_would_be_reached() {
        let network = crossroads();
        let (connection, lane, _) = straight(&network);
        let link = network.lane(lane).link;
        let head = network.connection(connection).signal.unwrap();
        let mut vehicles = Vehicles::new(Window { from: at_s(0), to: at_s(100) });
        let mut arrivals = ArrivalsOnGreen::new(&network);
        let mut tell = |arrivals: &mut ArrivalsOnGreen, at, what| {
            vehicles.event(&event(at, what));
            arrivals.event(&event(at, what), &network, &vehicles);
        };
        let street = |at, green: bool, ids: &[u32]| {
            let shows = if green { Indication::Permissive } else { Indication::Yellow };
            let cars = ids.iter().map(|id| car(*id, 100.0, 5.0, Some(connection)));
            Snapshot::empty(&network, 0, at_s(at))
                .with_head(head.controller, head.group, shows)
                .with_lane(lane, cars.collect::<Vec<_>>())
        };
        for id in 0..3 {
            let vehicle = VehicleId(id);
            tell(&mut arrivals, 1, What::Loaded { vehicle, link });
            tell(&mut arrivals, 10, What::Entered { vehicle, lane });
        }
        // 200 m at 13.9 m/s are 14.4 s: nobody is due before 24.4 s.
        arrivals.sample(&street(24, true, &[0, 1]), &network);
        assert_eq!(arrivals.link(link).all, 0);
        // The third drives faster than the limit and is across already.
        tell(&mut arrivals, 24, What::Crossed { vehicle: VehicleId(2), connection });
        arrivals.sample(&street(25, false, &[0, 1]), &network);
        arrivals.sample(&street(26, true, &[0, 1]), &network);
        assert_eq!(arrivals.link(link), Arrivals { on_green: 1, all: 3 }, "each vehicle is judged once");
        assert_eq!(arrivals.all().share(), Some(1.0 / 3.0));
        assert_eq!(Arrivals::default().share(), None);
    }
}
