//! People on foot in `riverside`.

use greenkerb_models::demand::DemandParts;
use greenkerb_models::ids::CrossingId;
use greenkerb_models::network::Network;

use crate::scenarios::bundled::traffic::{Slice, walkers};

/// People per hour over a crossing: in the old town, at the station and the arena, and elsewhere.
const OLD_TOWN_PER_H: f64 = 220.0;
const STATION_PER_H: f64 = 160.0;
const ELSEWHERE_PER_H: f64 = 50.0;

/// Adds people at every crossing with a signal.
pub(super) fn cross(demand: &mut DemandParts, network: &Network, slices: &[Slice]) {
    for (i, x) in network.crossings().iter().enumerate() {
        let at = network.node(x.node).position;
        let per_h = match (at.x, at.y) {
            (x, y) if (250.0..850.0).contains(&x) && (-800.0..-100.0).contains(&y) => OLD_TOWN_PER_H,
            (x, y) if x > 850.0 && (300.0..900.0).contains(&y) => STATION_PER_H,
            _ => ELSEWHERE_PER_H,
        };
        walkers(&mut demand.people, CrossingId::at(i), per_h, slices);
    }
}
