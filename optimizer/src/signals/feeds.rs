//! Which lanes of one controller feed which of another, over how many seconds.

use greenkerb_models::ids::{ControllerId, LaneId};
use greenkerb_models::network::Network;

/// Vehicles that travel further than this between two signals no longer come in platoons worth coordinating for
/// (FHWA, Signal Timing Manual 2nd ed., ch. 7: about 0.75 mile).
const DISTANCE_MAX_M: f64 = 1_200.0;

/// Junctions without signals that are looked through on the way.
const NODES_BETWEEN_MAX: usize = 12;

/// Shares below this are not followed further.
const SHARE_MIN: f64 = 0.02;

/// A lane of one controller's and the approach of another one's that it leads to.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Feed {
    /// Controller and number of the lane in its model.
    pub(crate) from: (usize, usize),
    /// Controller and numbers of the approach's lanes in its model: drivers choose among them on the way.
    pub(crate) to: (usize, Vec<usize>),
    /// Share of the vehicles that leave the lane.
    pub(crate) share: f64,
    /// Seconds from one stop line to the other at the speed limit.
    pub(crate) travel_s: f64,
}

/// All feeds of a network. `lane_of` gives controller and number of each lane that ends at a signal.
pub(crate) fn feeds(network: &Network, lane_of: &[Option<(usize, usize)>], way_shares: &[f64]) -> Vec<Feed> {
    let mut all: Vec<Feed> = Vec::new();
    for c in 0..network.controllers().len() {
        for lane in network.approach_lanes(ControllerId::at(c)) {
            let Some(from) = lane_of[lane.index()] else { continue };
            follow(network, lane_of, way_shares, from, lane, (1.0, 0.0, 0.0, 0), &mut all);
        }
    }
    all
}

/// Follows the ways out of a lane: share that gets here, metres and seconds travelled, nodes passed.
fn follow(
    network: &Network,
    lane_of: &[Option<(usize, usize)>],
    way_shares: &[f64],
    from: (usize, usize),
    lane: LaneId,
    (share, metres, seconds, nodes): (f64, f64, f64, usize),
    all: &mut Vec<Feed>,
) {
    for &id in network.connections_from(lane) {
        let way = network.connection(id);
        let share = share * way_shares[id.index()];
        let next = network.lane(way.to_lane);
        let metres = metres + way.length.get() + next.length.get();
        let seconds = seconds + (way.length.get() + next.length.get()) / next.speed.get().max(1.0);
        if share < SHARE_MIN || metres > DISTANCE_MAX_M {
            continue;
        }
        let lanes: Vec<(usize, usize)> =
            network.link(next.link).lanes.iter().filter_map(|l| lane_of[l.index()]).collect();
        match lanes.first() {
            Some(&(controller, _)) => {
                if controller == from.0 {
                    continue;
                }
                let to = (controller, lanes.iter().filter(|l| l.0 == controller).map(|l| l.1).collect());
                match all.iter_mut().find(|f| f.from == from && f.to == to) {
                    Some(feed) => {
                        feed.travel_s = (feed.travel_s * feed.share + seconds * share) / (feed.share + share);
                        feed.share += share;
                    }
                    None => all.push(Feed { from, to, share, travel_s: seconds }),
                }
            }
            None if nodes < NODES_BETWEEN_MAX => {
                follow(network, lane_of, way_shares, from, way.to_lane, (share, metres, seconds, nodes + 1), all);
            }
            None => {}
        }
    }
}
