//! Spillback: how long links were full, so that nobody could come in.
//!
//! A lane is full while a vehicle in its queue leaves less room at its start than a car needs (7.5 m). Minutes are summed
//! over lanes that are fed by a node. Lanes at the edge of the network are counted apart: they are full while anybody waits
//! outside to enter their link. Time that vehicles stand on the way across a node, where they may block others, is counted
//! as blocked time of the node.

use greenkerb_models::ids::{LaneId, LinkId};
use greenkerb_models::network::Network;
use greenkerb_models::units::TimeDs;
use serde::{Deserialize, Serialize};

use super::snapshot::{Place, Snapshot};
use super::window::Window;

/// Room that a car needs with its gap, in metres.
const ROOM_M: f32 = 7.5;

/// How long what was full.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct SpillbackTime {
    /// Lane-minutes in which a lane inside the network was full.
    pub spillback_min: f64,
    /// Link-minutes in which somebody waited outside to enter.
    pub entry_blocked_min: f64,
    /// Vehicle-minutes stood on ways across nodes.
    pub node_blocked_min: f64,
}

/// Follows spillback.
#[derive(Debug, Clone)]
pub struct Spillback {
    window: Window,
    last: Option<TimeDs>,
    links_s: Vec<f64>,
    entry_blocked_s: f64,
    node_blocked_s: f64,
}

impl Spillback {
    /// For a network.
    #[must_use]
    pub fn new(network: &Network, window: Window) -> Self {
        let links_s = vec![0.0; network.links().len()];
        Self { window, last: None, links_s, entry_blocked_s: 0.0, node_blocked_s: 0.0 }
    }

    /// Takes a look at the street.
    pub fn sample(&mut self, street: &Snapshot, network: &Network) {
        let now = street.now();
        let passed_s = self.last.map_or(0.0, |last| now.since(last) as f64 / 10.0);
        self.last = Some(now);
        if !self.window.covers(now) {
            return;
        }
        for i in 0..network.links().len() {
            let link = LinkId::at(i);
            if street.outside(link) > 0 {
                self.entry_blocked_s += passed_s;
            }
            if !network.movements_into(link).is_empty() {
                let full = network.link(link).lanes.iter().filter(|l| is_full(street, **l)).count();
                self.links_s[i] += passed_s * full as f64;
            }
        }
        let stand = |s: &&super::snapshot::Seen| matches!(s.place, Place::Across(_)) && s.vehicle.speed_mps < 0.1;
        self.node_blocked_s += passed_s * street.vehicles().iter().filter(stand).count() as f64;
    }

    /// Lane-minutes in which lanes of a link were full.
    #[must_use]
    pub fn link_min(&self, link: LinkId) -> f64 {
        self.links_s[link.index()] / 60.0
    }

    /// Everything.
    #[must_use]
    pub fn all(&self) -> SpillbackTime {
        SpillbackTime {
            spillback_min: self.links_s.iter().sum::<f64>() / 60.0,
            entry_blocked_min: self.entry_blocked_s / 60.0,
            node_blocked_min: self.node_blocked_s / 60.0,
        }
    }
}

fn is_full(street: &Snapshot, lane: LaneId) -> bool {
    let last = street.on_lane(lane).last();
    last.is_some_and(|s| s.is_queued() && s.vehicle.front_m - s.vehicle.length_m < ROOM_M)
}

#[cfg(test)]
mod tests {
    use super::super::samples::{at_s, car, crossroads, straight};
    use super::*;

    #[test]
    fn full_lanes_blocked_entries_and_blocked_nodes() {
        let network = crossroads();
        let (connection, approach, exit) = straight(&network);
        let entry = network.lane(approach).link;
        let mut spillback = Spillback::new(&network, Window { from: at_s(0), to: at_s(600) });
        for t in 0..=120 {
            let street = Snapshot::empty(&network, 0, at_s(t))
                .with_lane(exit, [car(0, 150.0, 0.0, None), car(1, 11.0, if t <= 60 { 0.0 } else { 9.0 }, None)])
                .with_lane(approach, [car(2, 6.0, 0.0, Some(connection))])
                .with_across(connection, [car(3, 5.0, 0.05, Some(connection)), car(4, 1.0, 3.0, Some(connection))])
                .with_outside(entry, u32::from(t > 90));
            spillback.sample(&street, &network);
        }
        let all = spillback.all();
        assert_eq!(all.spillback_min, 1.0, "the approach is no node's exit and does not count");
        assert_eq!(spillback.link_min(network.lane(exit).link), 1.0);
        assert_eq!((all.entry_blocked_min, all.node_blocked_min), (0.5, 2.0));
    }
}
