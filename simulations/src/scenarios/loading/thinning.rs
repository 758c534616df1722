//! Demand that fits: routes over an approach with no room for all of them are taken by fewer vehicles.
//!
//! A wish list does not know what junctions can serve. Where it asks for too much, drivers leave at another time or stay
//! away; here every route is thinned out by the fullest approach it leads over, so that the rest of the city keeps its
//! traffic.

use greenkerb_models::ids::{LinkId, MovementId};
use greenkerb_models::network::{Network, Turn};
use greenkerb_models::signal::Controller;

use super::lanes::{Flows, movement};
use super::splits::lane_saturations;

/// Routes are thinned out by this power of what they are too many by: half a step at a time, since several approaches on
/// a route each ask for less.
const DAMPING: f64 = 0.5;

/// What a vehicle counts for that turns across people who walk on the same green (HCM 2000, chapter 16, appendix D: some
/// 600 people per hour of green take 30 % of the time).
const ACROSS_PEOPLE: f64 = 1.4;

/// Flows of routes.
#[must_use]
pub fn flows_of(network: &Network, routes: &[(Vec<LinkId>, f64)]) -> Flows {
    let mut flows = Flows::none(network);
    for (links, vph) in routes {
        flows.add(network, links, *vph);
    }
    flows
}

/// Thins out routes that lead over an approach at signals which is fuller than `full` under the plans of `controllers`
/// (in the network's order), with `beside` on the streets as well. Gives the highest degree of saturation before; call it
/// again until that fits.
pub fn thin(
    network: &Network,
    controllers: &[Controller],
    beside: &Flows,
    routes: &mut [(Vec<LinkId>, f64)],
    full: f64,
) -> f64 {
    let mut flows = flows_of(network, routes).and(beside);
    flows.weigh(|m| if turns_across_people(network, m) { ACROSS_PEOPLE } else { 1.0 });
    let lanes = lane_saturations(network, controllers, &flows);
    // A movement is as full as the emptiest of the lanes it can start from.
    let of = |m: MovementId| {
        let from = network.movement(m).connections.iter().map(|c| network.connection(*c).from_lane);
        from.filter(|l| network.lane(*l).admits.cars).map(|l| lanes[l.index()]).reduce(f64::min).unwrap_or(0.0)
    };
    for (links, vph) in routes.iter_mut() {
        let over = links.windows(2).filter_map(|pair| movement(network, pair[0], pair[1])).map(of);
        let worst = over.fold(0.0, f64::max);
        if worst > full {
            *vph *= (full / worst).powf(DAMPING);
        }
    }
    lanes.into_iter().fold(0.0, f64::max)
}

/// True for a right turn over a crossing; left turns that yield wait for the oncoming stream in the first place.
fn turns_across_people(network: &Network, m: MovementId) -> bool {
    let m = network.movement(m);
    m.turn == Turn::Right && m.connections.iter().any(|c| !network.crossings_over(*c).is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenarios::bundled;

    #[test]
    fn only_routes_over_full_approaches_are_thinned_out() {
        let s = bundled("arterial").unwrap();
        let network = &s.network;
        let link = |name: &str| network.link_named(name).unwrap();
        let main = vec![link("west>s1"), link("s1>s2"), link("s2>s3")];
        let side = vec![link("north6>s6"), link("s6>south6")];
        let mut routes = vec![(main, 5_000.0), (side, 50.0)];
        let nothing = Flows::none(network);
        let first = thin(network, network.controllers(), &nothing, &mut routes, 0.9);
        assert!(first > 1.5, "{first}");
        let mut highest = first;
        for _ in 0..40 {
            highest = thin(network, network.controllers(), &nothing, &mut routes, 0.9);
        }
        assert!((0.89..0.91).contains(&highest), "{highest}");
        assert_eq!(routes[1].1, 50.0);
        // What is there already leaves less room.
        let mut fewer = routes.clone();
        for _ in 0..40 {
            thin(network, network.controllers(), &flows_of(network, &routes).scaled(0.5), &mut fewer, 0.9);
        }
        assert!(fewer[0].1 < 0.6 * routes[0].1, "{} of {}", fewer[0].1, routes[0].1);
    }
}
