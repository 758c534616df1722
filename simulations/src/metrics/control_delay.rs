//! Control delay per movement, as the Highway Capacity Manual means it: everything a vehicle loses on the approach, at the
//! signal and on the way across the node (HCM 7th ed., ch. 19 and 31).
//!
//! Every second that a vehicle loses is given to the movement it heads for at that instant, so the movements of a network
//! add up to its time loss but for what is lost on links that lead out of it. Who is still on an approach when the run ends
//! counts with what it has lost so far. What a vehicle waited to get in is lost at the first node it comes to; for those who
//! never got in, the node at the end of the link they wait for answers, as its queue keeps them out.

use greenkerb_models::ids::{LinkId, MovementId, NodeId};
use greenkerb_models::network::Network;
use greenkerb_models::units::TimeDs;

use super::snapshot::{Place, Snapshot};
use super::vehicles::{Stage, Vehicles};
use crate::micro::{Event, What};

/// What was lost, and by how many.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Lost {
    /// Vehicles.
    pub vehicles: u64,
    /// Seconds they lost, all together.
    pub lost_s: f64,
}

impl Lost {
    /// Control delay of the average vehicle; none without any.
    #[must_use]
    pub fn per_vehicle_s(&self) -> Option<f64> {
        (self.vehicles > 0).then(|| self.lost_s / self.vehicles as f64)
    }

    fn and(self, other: Self) -> Self {
        Self { vehicles: self.vehicles + other.vehicles, lost_s: self.lost_s + other.lost_s }
    }
}

/// Adds up control delay.
#[derive(Debug, Clone)]
pub struct ControlDelay {
    movements: Vec<Lost>,
    /// What those lost who never got in, per link they wait for.
    outside: Vec<Lost>,
    /// Lost by each vehicle so far, as already given to a movement; it starts below zero by what it waited outside.
    given_s: Vec<f32>,
}

impl ControlDelay {
    /// For a network.
    #[must_use]
    pub fn new(network: &Network) -> Self {
        Self {
            movements: vec![Lost::default(); network.movements().len()],
            outside: vec![Lost::default(); network.links().len()],
            given_s: Vec::new(),
        }
    }

    /// Takes an event in; the ledger must have taken it before.
    pub fn event(&mut self, event: &Event, network: &Network, vehicles: &Vehicles) {
        match event.what {
            What::Inserted { vehicle, .. } => {
                let index = vehicle.0 as usize;
                if self.given_s.len() <= index {
                    self.given_s.resize(index + 1, 0.0);
                    self.given_s[index] = -vehicles.get(vehicle).map_or(0.0, |r| r.depart_delay_s(event.at)) as f32;
                }
            }
            What::Crossed { vehicle, connection } if vehicles.counts(vehicle) => {
                self.movements[network.connection(connection).movement.index()].vehicles += 1;
            }
            _ => {}
        }
    }

    /// Gives what was lost since the last look to movements.
    pub fn sample(&mut self, street: &Snapshot, network: &Network, vehicles: &Vehicles) {
        for seen in street.vehicles() {
            let vehicle = seen.vehicle.id;
            let Some(given_s) = self.given_s.get_mut(vehicle.0 as usize) else { continue };
            let lost_s = seen.vehicle.journey.time_loss_s;
            let more_s = lost_s - *given_s;
            *given_s = lost_s;
            if let Some(connection) = seen.heads_for()
                && vehicles.counts(vehicle)
            {
                self.movements[network.connection(connection).movement.index()].lost_s += f64::from(more_s);
            }
        }
    }

    /// Counts those who are still on an approach, or outside, at the end.
    pub fn close(&mut self, street: &Snapshot, network: &Network, vehicles: &Vehicles) {
        for seen in street.vehicles() {
            if let (Place::Lane(_), Some(next)) = (seen.place, seen.vehicle.next)
                && vehicles.counts(seen.vehicle.id)
            {
                self.movements[network.connection(next).movement.index()].vehicles += 1;
            }
        }
        self.add_outside(vehicles, street.now());
    }

    fn add_outside(&mut self, vehicles: &Vehicles, now: TimeDs) {
        for r in vehicles.counted().filter(|r| r.stage == Stage::Outside) {
            let lost = &mut self.outside[r.entry.index()];
            *lost = lost.and(Lost { vehicles: 1, lost_s: r.depart_delay_s(now) });
        }
    }

    /// One movement.
    #[must_use]
    pub fn movement(&self, movement: MovementId) -> Lost {
        self.movements[movement.index()]
    }

    /// All movements of a link, and those who wait outside to enter it.
    #[must_use]
    pub fn approach(&self, network: &Network, link: LinkId) -> Lost {
        let movements = network.movements_from(link).iter().map(|m| self.movement(*m));
        movements.fold(self.outside[link.index()], Lost::and)
    }

    /// All approaches of a node.
    #[must_use]
    pub fn node(&self, network: &Network, node: NodeId) -> Lost {
        let mut links: Vec<LinkId> = network.links_into(node).collect();
        links.sort_unstable();
        links.iter().map(|l| self.approach(network, *l)).fold(Lost::default(), Lost::and)
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{at_s, car, crossroads, event, journey, straight};
    use super::super::window::Window;
    use super::*;
    use crate::micro::VehicleId;

    #[test]
    fn losses_go_to_the_movement_and_add_up_at_the_node() {
        let network = crossroads();
        let (connection, approach, exit) = straight(&network);
        let link = network.lane(approach).link;
        let mut vehicles = Vehicles::new(Window { from: at_s(0), to: at_s(100) });
        let mut delay = ControlDelay::new(&network);
        let [a, b, c] = [VehicleId(0), VehicleId(1), VehicleId(2)];
        let mut tell = |delay: &mut ControlDelay, at, what| {
            vehicles.event(&event(at, what));
            delay.event(&event(at, what), &network, &vehicles);
            vehicles.clone()
        };
        tell(&mut delay, 1, What::Loaded { vehicle: a, link });
        tell(&mut delay, 5, What::Inserted { vehicle: a, lane: approach });
        tell(&mut delay, 50, What::Loaded { vehicle: b, link });
        tell(&mut delay, 50, What::Inserted { vehicle: b, lane: approach });
        let known = tell(&mut delay, 60, What::Loaded { vehicle: c, link });

        let empty = Snapshot::empty(&network, 0, at_s(0));
        let look = |at, place: bool, lost: f32| {
            let vehicle = crate::micro::Vehicle { journey: journey(lost), ..car(0, 10.0, 5.0, Some(connection)) };
            let empty = empty.clone().at(at_s(at));
            if place { empty.with_lane(approach, [vehicle]) } else { empty.with_across(connection, [vehicle]) }
        };
        delay.sample(&look(10, true, 2.0), &network, &known);
        delay.sample(&look(40, true, 20.0), &network, &known);
        let known = tell(&mut delay, 41, What::Crossed { vehicle: a, connection });
        delay.sample(&look(42, false, 22.0), &network, &known);
        // What is lost on a link that leads out of the network is nobody's.
        let out = crate::micro::Vehicle { journey: journey(30.0), ..car(0, 10.0, 5.0, None) };
        delay.sample(&empty.clone().at(at_s(50)).with_lane(exit, [out]), &network, &known);
        // The second vehicle is still there at the end and has lost 7 s; the third never got in.
        let waits = crate::micro::Vehicle { journey: journey(7.0), ..car(1, 190.0, 0.0, Some(connection)) };
        let last = empty.clone().at(at_s(100)).with_lane(approach, [waits]);
        delay.sample(&last, &network, &known);
        delay.close(&last, &network, &known);

        let movement = network.connection(connection).movement;
        assert_eq!(delay.movement(movement), Lost { vehicles: 2, lost_s: 4.0 + 22.0 + 7.0 });
        assert_eq!(delay.movement(movement).per_vehicle_s(), Some(16.5));
        let node = network.movement(movement).node;
        assert_eq!(delay.node(&network, node), Lost { vehicles: 3, lost_s: 33.0 + 40.0 });
        assert_eq!(delay.approach(&network, link), delay.node(&network, node));
        assert_eq!(Lost::default().per_vehicle_s(), None);
    }
}
