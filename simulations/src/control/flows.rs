//! True flows: how many vehicles per hour a demand sends over every movement.

use std::collections::BTreeMap;
use std::sync::Arc;

use greenkerb_models::demand::{Trip, VehicleClass, Way};
use greenkerb_models::ids::{LinkId, MovementId};
use greenkerb_models::network::Network;
use greenkerb_models::units::TimeDs;

use crate::routing::{LinkTimes, Tree, way_between};
use crate::scenarios::Scenario;

/// Shortest span a demand is taken to last, in seconds: of a handful of vehicles no flow can be made.
const SPAN_S_MIN: f64 = 300.0;
/// Turning vehicles are followed until so small a share of one is left.
const SHARE_MIN: f64 = 1e-3;
/// ... or over so many links.
const LINKS_MAX: usize = 200;

/// Vehicles per hour of every movement, in id order, if nobody were held up. Those without a route go the quickest way
/// at free flow; a way that does not exist counts nothing here, the street itself refuses it.
#[must_use]
pub fn movement_flows_vph(scenario: &Scenario) -> Vec<f64> {
    let network = &scenario.network;
    let parts = scenario.demand.parts();
    let mut flows = Flows {
        network,
        times: LinkTimes::free_flow(network),
        trees: BTreeMap::new(),
        vehicles: vec![0.0; network.movements().len()],
    };
    let (mut first, mut last) = (scenario.end, scenario.begin);
    let mut spans = |from: TimeDs, to: TimeDs| {
        first = first.min(from.max(scenario.begin));
        last = last.max(to.min(scenario.end));
    };
    let mut weighted: Vec<(&Trip, f64)> = Vec::new();
    for trip in parts.trips.iter().filter(|t| t.depart >= scenario.begin && t.depart < scenario.end) {
        spans(trip.depart, trip.depart);
        weighted.push((trip, 1.0));
    }
    for flow in &parts.flows {
        let (from, to) = (flow.template.depart.max(scenario.begin), flow.end.min(scenario.end));
        if to < from {
            continue;
        }
        spans(from, to);
        weighted.push((&flow.template, flow.vehicles_between(scenario.begin, scenario.end)));
    }
    for (trip, vehicles) in weighted {
        flows.add(scenario, trip, vehicles);
    }
    let span_s = (last.since(first) as f64 / 10.0).max(SPAN_S_MIN);
    flows.vehicles.into_iter().map(|v| v * 3_600.0 / span_s).collect()
}

struct Flows<'a> {
    network: &'a Network,
    times: LinkTimes,
    trees: BTreeMap<(VehicleClass, LinkId), Arc<Tree>>,
    vehicles: Vec<f64>,
}

impl Flows<'_> {
    fn add(&mut self, scenario: &Scenario, trip: &Trip, vehicles: f64) {
        let demand = &scenario.demand;
        let class = demand.kind(trip.kind).class;
        // Whoever parks drives to the facility first, and stays there for the time of a run as likely as not.
        let facility = trip.parking.map(|p| self.network.lane(demand.facility(p.facility).entrance).link);
        match &trip.way {
            Way::Along(route) => self.along(&demand.route(*route).links.clone(), vehicles),
            Way::Between { from, to, via } => {
                let (to, via) = facility.map_or((*to, via.as_slice()), |f| (f, &[]));
                let (network, times, trees) = (self.network, &self.times, &mut self.trees);
                let tree_to = |goal| {
                    let tree = || Arc::new(Tree::to(network, class, times, goal));
                    Arc::clone(trees.entry((class, goal)).or_insert_with(tree))
                };
                if let Ok(way) = way_between(*from, via, to, tree_to) {
                    self.along(&way, vehicles);
                }
            }
            Way::Turning { from } => self.turning(scenario, *from, vehicles),
        }
    }

    fn movement(&self, from: LinkId, to: LinkId) -> Option<MovementId> {
        self.network.movements_from(from).iter().copied().find(|m| self.network.movement(*m).to_link == to)
    }

    fn along(&mut self, links: &[LinkId], vehicles: f64) {
        for pair in links.windows(2) {
            if let Some(m) = self.movement(pair[0], pair[1]) {
                self.vehicles[m.index()] += vehicles;
            }
        }
    }

    fn turning(&mut self, scenario: &Scenario, from: LinkId, vehicles: f64) {
        let shares = &scenario.demand.parts().turning;
        let mut wave = BTreeMap::from([(from, vehicles)]);
        for _ in 0..LINKS_MAX {
            let mut next: BTreeMap<LinkId, f64> = BTreeMap::new();
            for (link, veh) in wave {
                let of = |m: &MovementId| {
                    let to = self.network.movement(*m).to_link;
                    let known: Vec<_> = shares.iter().filter(|s| s.from == link).collect();
                    if known.is_empty() { 1.0 } else { known.iter().find(|s| s.to == to).map_or(0.0, |s| s.share) }
                };
                let movements = self.network.movements_from(link).to_vec();
                let weights: Vec<f64> = movements.iter().map(of).collect();
                let sum: f64 = weights.iter().sum();
                for (m, weight) in movements.iter().zip(weights).filter(|(_, w)| *w > 0.0) {
                    let share = veh * weight / sum;
                    self.vehicles[m.index()] += share;
                    if share > SHARE_MIN {
                        *next.entry(self.network.movement(*m).to_link).or_default() += share;
                    }
                }
            }
            if next.is_empty() {
                return;
            }
            wave = next;
        }
    }
}
