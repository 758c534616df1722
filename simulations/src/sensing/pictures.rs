//! Pictures of junctions: what those see that see every vehicle.
//!
//! A vehicle is in the picture of the junction whose signals it meets next, when it is no further from their stop line than
//! [`RANGE_M`]. It is followed across nodes without signals, because maps cut streets into pieces. One that is inside a node
//! is shown where it will leave it.

use std::sync::Arc;

use greenkerb_models::detection::{Picture, Sighting};
use greenkerb_models::ids::{ConnectionId, ControllerId, LaneId, LinkId, MovementId};
use greenkerb_models::network::Network;
use greenkerb_models::units::{Metres, MetresPerSecond, TimeDs};

use crate::micro::Micro;

/// How far from the stop line vehicles are seen, metres.
pub const RANGE_M: f64 = 250.0;

/// A way from one link to another.
#[derive(Debug, Clone, Copy)]
struct Way {
    to: LinkId,
    movement: MovementId,
    /// Whose signals it obeys; none where it obeys none.
    controller: Option<ControllerId>,
    /// Length of the way and of the link behind it.
    length_m: f64,
}

/// Takes pictures of all signalled junctions of a network.
#[derive(Debug)]
pub struct Pictures {
    network: Arc<Network>,
    /// Ways out of every link.
    ways: Vec<Vec<Way>>,
    seen: Vec<Vec<Sighting>>,
}

impl Pictures {
    /// Of a network where nobody has been seen yet.
    #[must_use]
    pub fn of(network: &Arc<Network>) -> Self {
        let way = |id: &MovementId| {
            let movement = network.movement(*id);
            let connections = || movement.connections.iter().map(|c| network.connection(*c));
            Way {
                to: movement.to_link,
                movement: *id,
                controller: connections().find_map(|c| c.signal.map(|s| s.controller)),
                length_m: network.link(movement.to_link).length.get()
                    + connections().map(|c| c.length.get()).fold(0.0, f64::max),
            }
        };
        let links = (0..network.links().len()).map(LinkId::at);
        Self {
            ways: links.map(|l| network.movements_from(l).iter().map(way).collect()).collect(),
            seen: vec![Vec::new(); network.controllers().len()],
            network: Arc::clone(network),
        }
    }

    /// Sees a vehicle on a lane. `links` are those before it, the one it is on first.
    pub fn see(&mut self, lane: LaneId, to_lane_end_m: f64, speed_mps: f64, links: impl IntoIterator<Item = LinkId>) {
        let length_m = self.network.lane(lane).length.get();
        let to_lane_end_m = to_lane_end_m.clamp(0.0, length_m);
        let mut to_line_m = to_lane_end_m;
        let mut links = links.into_iter();
        let Some(mut on) = links.next() else { return };
        for next in links {
            let Some(way) = self.ways[on.index()].iter().find(|w| w.to == next) else { return };
            if to_line_m > RANGE_M {
                return;
            }
            if let Some(controller) = way.controller {
                let (Ok(to_lane_end), Ok(speed)) =
                    (Metres::new(to_lane_end_m), MetresPerSecond::new(speed_mps.max(0.0)))
                else {
                    return;
                };
                let movement = Some(way.movement);
                return self.seen[controller.index()].push(Sighting { lane, to_lane_end, speed, movement });
            }
            to_line_m += way.length_m;
            on = next;
        }
    }

    /// Sees a vehicle inside a node, on its way to the second of `links`.
    pub fn see_inside(&mut self, onto: Option<LaneId>, speed_mps: f64, links: impl IntoIterator<Item = LinkId>) {
        let mut links = links.into_iter().skip(1).peekable();
        let Some(link) = links.peek() else { return };
        let Some(lane) = onto.or_else(|| self.network.link(*link).lanes.last().copied()) else { return };
        let length_m = self.network.lane(lane).length.get();
        self.see(lane, length_m, speed_mps, links);
    }

    /// Sees every vehicle of the built-in street.
    pub fn see_all(&mut self, street: &Micro) {
        for lane in (0..self.network.lanes().len()).map(LaneId::at) {
            let length_m = self.network.lane(lane).length.get();
            for v in street.on_lane(lane) {
                let to_lane_end_m = length_m - f64::from(v.front_m);
                self.see(lane, to_lane_end_m, f64::from(v.speed_mps), street.links_ahead(v.id));
            }
        }
        for connection in (0..self.network.connections().len()).map(ConnectionId::at) {
            let onto = self.network.connection(connection).to_lane;
            for v in street.on_connection(connection) {
                self.see_inside(Some(onto), f64::from(v.speed_mps), street.links_ahead(v.id));
            }
        }
    }

    /// The pictures, one of every junction, in the order of its controllers; nobody is seen any more then.
    pub fn take(&mut self, at: TimeDs) -> Vec<Picture> {
        let taken = self.seen.iter_mut().map(std::mem::take).enumerate();
        taken.map(|(i, vehicles)| Picture { controller: ControllerId::at(i), at, vehicles }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenarios::grid;

    #[test]
    fn a_vehicle_is_seen_by_the_signal_it_meets_next() {
        let network = Arc::new(grid(2, 1, 200.0).unwrap());
        let mut pictures = Pictures::of(&network);
        // From the edge over the first junction to the second.
        let first = network.approach_lanes(ControllerId(0))[0];
        let from = network.lane(first).link;
        let movement = network.movement(network.movements_from(from)[0]);
        pictures.see(first, 30.0, 8.0, [from, movement.to_link]);
        pictures.see(first, 260.0, 8.0, [from, movement.to_link]);
        pictures.see(first, 20.0, 8.0, [from]);
        let taken = pictures.take(TimeDs::from_s(5));
        assert_eq!(taken.len(), 2);
        assert_eq!(taken[0].vehicles.len(), 2, "the one that ends before the line is not there");
        assert_eq!(taken[0].vehicles[0].movement, Some(network.movements_from(from)[0]));
        assert_eq!(taken[0].vehicles[1].to_lane_end, network.lane(first).length, "no further than its lane");
        assert!(pictures.take(TimeDs::from_s(6)).iter().all(|p| p.vehicles.is_empty()));
    }
}
