//! Car parks of `riverside`, and who drives to them.

use greenkerb_models::demand::{DemandParts, Emission, Facility, Flow, Parking, Route, Way};
use greenkerb_models::ids::{FacilityId, LinkId, RouteId};
use greenkerb_models::network::Network;
use greenkerb_models::units::{Ds, Metres, VehPerHour};

use super::link;
use super::map::name;
use crate::scenarios::bundled::traffic::{CAR, Slice, trip};

/// Name, block its entrance is in (from, to), bays, share taken at the beginning, seconds a vehicle takes at the barrier,
/// vehicles that fit in front of it.
type Park = (&'static str, (usize, usize), (usize, usize), u32, f64, u32, u32);

const PARKS: [Park; 12] = [
    ("Market Hall", (3, 1), (2, 1), 420, 0.35, 6, 5),
    ("High Street", (1, 2), (2, 2), 260, 0.40, 5, 4),
    ("Town Hall", (3, 2), (4, 2), 310, 0.55, 7, 3),
    ("Weaver Court", (2, 3), (3, 3), 140, 0.30, 6, 2),
    ("South Quay", (5, 4), (6, 4), 380, 0.25, 5, 6),
    ("Abbey", (5, 2), (5, 3), 180, 0.45, 6, 3),
    ("East Gate", (7, 2), (7, 3), 240, 0.20, 5, 4),
    ("North Quay", (2, 5), (3, 5), 350, 0.30, 5, 5),
    ("Museum", (4, 7), (5, 7), 220, 0.35, 6, 4),
    ("Library", (3, 7), (3, 6), 120, 0.50, 7, 2),
    ("Station", (7, 7), (7, 6), 600, 0.55, 4, 8),
    ("Arena", (6, 8), (7, 8), 700, 0.60, 4, 10),
];
/// How long those who come in the morning stay: until after the end.
const STAY: Option<Ds> = None;
/// Where along its block the entrance of a car park is.
const ENTRANCE_SHARE: f64 = 0.55;

/// The facilities, each on the outermost lane for cars of its block.
pub(super) fn facilities(network: &Network) -> Vec<Facility> {
    let facility = |&(what, from, to, capacity, taken, service_s, mouth): &Park| {
        let id = link(network, &name(from.0, from.1), &name(to.0, to.1))?;
        let entrance = network.link(id).lanes.iter().copied().find(|l| network.lane(*l).admits.cars)?;
        let at_m = network.lane(entrance).length.get() * ENTRANCE_SHARE;
        Some(Facility {
            name: what.into(),
            entrance,
            entrance_at: Metres::new(at_m).unwrap_or_default(),
            exit: id,
            capacity,
            occupied: (f64::from(capacity) * taken) as u32,
            service: Ds::from_s(service_s),
            mouth,
        })
    };
    PARKS.iter().filter_map(facility).collect()
}

/// The facility on the last link of a route.
pub(super) fn at_end(facilities: &[Facility], network: &Network, links: &[LinkId]) -> Option<FacilityId> {
    let last = links.last()?;
    facilities.iter().position(|f| network.lane(f.entrance).link == *last).map(FacilityId::at)
}

/// Streams of cars that drive to a facility and stay.
pub(super) fn arrive(demand: &mut DemandParts, network: &Network, routes: Vec<(Vec<LinkId>, f64)>, slices: &[Slice]) {
    for (links, vph) in routes {
        let Some(facility) = at_end(&demand.facilities, network, &links) else { continue };
        let id = RouteId::at(demand.routes.len());
        let start = links.first().map(|l| network.link(*l).name.clone()).unwrap_or_default();
        let name = format!("{} {start} to {}", id.0, demand.facilities[facility.index()].name);
        for (k, s) in slices.iter().enumerate() {
            let rate = VehPerHour::new(vph * s.level).unwrap_or_default();
            let mut template = trip(format!("{name}.{k}"), CAR, s.begin, Way::Along(id));
            template.parking = Some(Parking { facility, stay: STAY });
            demand.flows.push(Flow { template, end: s.end, emission: Emission::Poisson(rate) });
        }
        demand.routes.push(Route { name, links });
    }
}
