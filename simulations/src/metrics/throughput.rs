//! Throughput: how many arrived, how many came onto each link, and how many crossed each node.

use std::collections::BTreeMap;

use greenkerb_models::ids::{LaneId, LinkId, NodeId};
use greenkerb_models::network::Network;
use serde::{Deserialize, Serialize};

use super::vehicles::{Stage, Vehicles};
use super::window::Window;
use crate::micro::{Event, What};

/// What became of the vehicles that were due in the window, and how many arrived in it.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Throughput {
    /// Were to depart.
    pub loaded: u64,
    /// Got in.
    pub inserted: u64,
    /// Are at the end of their way.
    pub arrived: u64,
    /// Never got in.
    pub undeparted: u64,
    /// Stand in a parking facility at the end.
    pub parked: u64,
    /// Vehicles that arrived or parked in the window per hour, those due in the warm-up included; who parks and later
    /// arrives counts once.
    pub ended_per_h: f64,
}

/// Counts arrivals and crossings in the window.
#[derive(Debug, Clone)]
pub struct Counts {
    window: Window,
    /// By vehicle: it has arrived or parked in the window.
    ended: Vec<bool>,
    nodes: Vec<u64>,
    links: Vec<u64>,
}

impl Counts {
    /// For a network.
    #[must_use]
    pub fn new(network: &Network, window: Window) -> Self {
        Self { window, ended: Vec::new(), nodes: vec![0; network.nodes().len()], links: vec![0; network.links().len()] }
    }

    /// Takes an event in.
    pub fn event(&mut self, event: &Event, network: &Network) {
        if !self.window.covers(event.at) {
            return;
        }
        match event.what {
            What::Arrived { vehicle, .. } | What::Parked { vehicle, .. } => {
                let index = vehicle.0 as usize;
                self.ended.resize(self.ended.len().max(index + 1), false);
                self.ended[index] = true;
            }
            What::Crossed { connection, .. } => {
                self.nodes[network.movement(network.connection(connection).movement).node.index()] += 1;
            }
            What::Inserted { lane, .. } | What::Entered { lane, .. } => self.came_onto(network, lane),
            _ => {}
        }
    }

    fn came_onto(&mut self, network: &Network, lane: LaneId) {
        self.links[network.lane(lane).link.index()] += 1;
    }

    /// Vehicles that came onto each link in the window, from outside or over a node, by the link's name; links that
    /// nobody came onto are left out.
    #[must_use]
    pub fn by_link(&self, network: &Network) -> BTreeMap<String, u64> {
        let used = self.links.iter().enumerate().filter(|(_, n)| **n > 0);
        used.map(|(i, n)| (network.link(LinkId::at(i)).name.clone(), *n)).collect()
    }

    /// Vehicles that crossed a node in the window.
    #[must_use]
    pub fn crossed(&self, node: NodeId) -> u64 {
        self.nodes[node.index()]
    }

    /// What became of everybody.
    #[must_use]
    pub fn throughput(&self, vehicles: &Vehicles) -> Throughput {
        let hours = self.window.length_s() / 3_600.0;
        let mut t = Throughput {
            ended_per_h: if hours > 0.0 {
                self.ended.iter().filter(|ended| **ended).count() as f64 / hours
            } else {
                0.0
            },
            ..Throughput::default()
        };
        for r in vehicles.counted() {
            t.loaded += 1;
            match r.stage {
                Stage::Outside => t.undeparted += 1,
                Stage::Arrived => t.arrived += 1,
                Stage::Parked | Stage::Leaving => t.parked += 1,
                Stage::OnRoad => {}
            }
        }
        t.inserted = t.loaded - t.undeparted;
        t
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{at_s, crossroads, event, journey, straight};
    use greenkerb_models::ids::FacilityId;

    use super::*;
    use crate::micro::VehicleId;

    #[test]
    fn everybody_is_counted_once() {
        let network = crossroads();
        let (connection, lane, _) = straight(&network);
        let link = network.lane(lane).link;
        let window = Window { from: at_s(100), to: at_s(1_900) };
        let (mut vehicles, mut counts) = (Vehicles::new(window), Counts::new(&network, window));
        let mut tell = |at, what| {
            vehicles.event(&event(at, what));
            counts.event(&event(at, what), &network);
        };
        for (at, id) in [(50, 0), (200, 1), (210, 2), (220, 3)] {
            tell(at, What::Loaded { vehicle: VehicleId(id), link });
        }
        for id in 0..3 {
            tell(300, What::Inserted { vehicle: VehicleId(id), lane });
            tell(310, What::Crossed { vehicle: VehicleId(id), connection });
        }
        let (facility, searched_m) = (FacilityId(0), 0.0);
        tell(350, What::Parked { vehicle: VehicleId(1), facility, journey: journey(0.0), searched_m });
        for id in 0..2 {
            tell(400, What::Arrived { vehicle: VehicleId(id), journey: journey(0.0) });
        }
        let expected = Throughput { loaded: 3, inserted: 2, arrived: 1, undeparted: 1, parked: 0, ended_per_h: 4.0 };
        assert_eq!(counts.throughput(&vehicles), expected);
        assert_eq!(counts.by_link(&network), BTreeMap::from([(network.link(link).name.clone(), 3)]));
        assert_eq!(counts.crossed(network.movement(network.connection(connection).movement).node), 3);
    }
}
