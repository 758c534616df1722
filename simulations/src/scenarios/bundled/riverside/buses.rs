//! Bus lines of `riverside`.

use std::collections::BTreeMap;

use greenkerb_models::demand::{BusStop, DemandParts, Emission, Flow, Route, Stay, VehicleClass, Way};
use greenkerb_models::ids::{LinkId, RouteId, StopId};
use greenkerb_models::network::Network;
use greenkerb_models::units::{Ds, Metres, TimeDs};

use super::link;
use super::map::name;
use crate::routing::{LinkTimes, Tree, way_between};
use crate::scenarios::bundled::traffic::{BUS, trip};

/// A place: column and row.
type Place = (usize, usize);

/// A line in one direction: name, edge it comes from with the place there, places it goes by, place and edge it ends at,
/// seconds between two buses.
struct Line {
    name: &'static str,
    from: (&'static str, Place),
    by: &'static [(Place, Place)],
    to: (Place, &'static str),
    every_s: u32,
}

const LINES: [Line; 6] = [
    Line { name: "1 north", from: ("south4", (4, 0)), by: &[], to: ((4, 9), "north4"), every_s: 360 },
    Line { name: "1 south", from: ("north4", (4, 9)), by: &[], to: ((4, 0), "south4"), every_s: 360 },
    Line {
        name: "2 east",
        from: ("west4", (0, 4)),
        by: &[((4, 4), (4, 5)), ((5, 5), (6, 5))],
        to: ((7, 5), "east5"),
        every_s: 480,
    },
    Line {
        name: "2 west",
        from: ("east5", (7, 5)),
        by: &[((4, 5), (4, 4)), ((3, 4), (2, 4))],
        to: ((0, 4), "west4"),
        every_s: 480,
    },
    Line { name: "3 east", from: ("west8", (0, 8)), by: &[], to: ((7, 8), "east8"), every_s: 600 },
    Line { name: "3 west", from: ("east8", (7, 8)), by: &[], to: ((0, 8), "west8"), every_s: 600 },
];
/// Every so many blocks there is a stop, so far behind the junction before it.
const BLOCKS_PER_STOP: usize = 2;
const STOP_AT_M: f64 = 42.0;
/// Shortest block with a stop in it.
const BLOCK_M_MIN: f64 = 90.0;
const DWELL: Ds = Ds::from_s(18);

/// Adds stops, routes and buses from `begin_s` to `end_s`.
pub(super) fn run(demand: &mut DemandParts, network: &Network, begin_s: i64, end_s: i64) {
    let times = LinkTimes::free_flow(network);
    let mut stops: BTreeMap<LinkId, StopId> = BTreeMap::new();
    for (n, line) in LINES.iter().enumerate() {
        let Some(links) = way(network, &times, line) else { continue };
        let route = RouteId::at(demand.routes.len());
        let mut stays = Vec::new();
        for link in links.iter().skip(1).step_by(BLOCKS_PER_STOP) {
            let lane = network.link(*link).lanes[0];
            if network.lane(lane).length.get() < BLOCK_M_MIN
                || network.links()[link.index()].to == network.link(links[0]).from
            {
                continue;
            }
            let stop = *stops.entry(*link).or_insert_with(|| {
                // Where buses have a lane of their own they need no bay.
                let bay = network.lane(lane).admits.cars;
                let at = Metres::new(STOP_AT_M).unwrap_or_default();
                demand.stops.push(BusStop { name: format!("stop {}", network.link(*link).name), lane, at, bay });
                StopId::at(demand.stops.len() - 1)
            });
            stays.push(Stay { stop, dwell: DWELL, until: None });
        }
        // Lines do not all start together.
        let depart = TimeDs::from_s(begin_s + 47 * n as i64);
        let mut template = trip(format!("bus {}", line.name), BUS, depart, Way::Along(route));
        template.stays = stays;
        let emission = Emission::Every { period_s: f64::from(line.every_s) };
        demand.flows.push(Flow { template, end: TimeDs::from_s(end_s), emission });
        demand.routes.push(Route { name: format!("line {}", line.name), links });
    }
}

fn way(network: &Network, times: &LinkTimes, line: &Line) -> Option<Vec<LinkId>> {
    let place = |p: (usize, usize)| name(p.0, p.1);
    let from = link(network, line.from.0, &place(line.from.1))?;
    let to = link(network, &place(line.to.0), line.to.1)?;
    let via: Vec<LinkId> = line.by.iter().filter_map(|(a, b)| link(network, &place(*a), &place(*b))).collect();
    let tree = |goal: LinkId| std::sync::Arc::new(Tree::to(network, VehicleClass::Bus, times, goal));
    way_between(from, &via, to, tree).ok()
}
