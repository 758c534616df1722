//! Who can get where: routes that hold together, and links that can be reached.

use std::collections::{HashMap, HashSet};

use crate::demand::{Route, VehicleClass};
use crate::formats::sumo::{Fault, Flaw, Place};
use crate::ids::{LinkId, RouteId};
use crate::network::{Admits, Network};

/// Sets of reachable links that are kept at a time; each takes a bit per link of the network.
const KEPT_MAX: usize = 4_096;
/// Links a route may have, its repetitions included.
const ROUTE_LINKS_MAX: usize = 1_000_000;

/// True when SUMO lets vehicles of a class onto a lane.
pub(super) const fn may_use(class: VehicleClass, admits: Admits) -> bool {
    match class {
        VehicleClass::Car | VehicleClass::Lorry => admits.cars,
        VehicleClass::Bus => admits.buses,
        VehicleClass::Bicycle => admits.bicycles,
        VehicleClass::Emergency => admits.cars || admits.buses,
    }
}

/// What a class is called in messages.
pub(super) const fn class_name(class: VehicleClass) -> &'static str {
    match class {
        VehicleClass::Car => "car",
        VehicleClass::Lorry => "lorry",
        VehicleClass::Bus => "bus",
        VehicleClass::Bicycle => "bicycle",
        VehicleClass::Emergency => "emergency vehicle",
    }
}

/// Routes so far, each sequence of links once, and what is known about them.
pub(super) struct Ways<'n> {
    network: &'n Network,
    pub(super) routes: Vec<Route>,
    by_links: HashMap<Vec<LinkId>, RouteId>,
    names: HashSet<String>,
    driven_by: HashSet<(RouteId, VehicleClass)>,
    reach: HashMap<(LinkId, VehicleClass), Vec<u64>>,
}

impl<'n> Ways<'n> {
    pub(super) fn on(network: &'n Network) -> Self {
        Self {
            network,
            routes: Vec::new(),
            by_links: HashMap::new(),
            names: HashSet::new(),
            driven_by: HashSet::new(),
            reach: HashMap::new(),
        }
    }

    /// The link of this name.
    pub(super) fn link(&self, at: &Place, attribute: &'static str, name: &str) -> Result<LinkId, Fault> {
        self.network
            .link_named(name)
            .ok_or_else(|| at.fault(Flaw::Dangling { name: attribute, id: name.into(), target: "an edge" }))
    }

    /// The links of a list of names.
    pub(super) fn links(&self, at: &Place, attribute: &'static str, names: &str) -> Result<Vec<LinkId>, Fault> {
        names.split_whitespace().map(|name| self.link(at, attribute, name)).collect()
    }

    /// The route over these links, `repeat` times again after the first; one that is known already is not kept twice.
    pub(super) fn route(&mut self, at: &Place, name: &str, links: Vec<LinkId>, repeat: u32) -> Result<RouteId, Fault> {
        if links.is_empty() {
            return Err(at.fault(Flaw::Childless { child: "edges" }));
        }
        let found = links.len().saturating_mul(repeat as usize + 1);
        if found > ROUTE_LINKS_MAX {
            return Err(at.fault(Flaw::TooMany { what: "edges", found, most: ROUTE_LINKS_MAX }));
        }
        let links: Vec<LinkId> = links.iter().copied().cycle().take(found).collect();
        for pair in links.windows(2) {
            if !self.network.movements_from(pair[0]).iter().any(|m| self.network.movement(*m).to_link == pair[1]) {
                return Err(at.fault(self.no_way(pair[0], pair[1], "vehicle")));
            }
        }
        if let Some(known) = self.by_links.get(&links) {
            return Ok(*known);
        }
        let id = RouteId::at(self.routes.len());
        let mut name = name.to_owned();
        while !self.names.insert(name.clone()) {
            name.push('\'');
        }
        self.by_links.insert(links.clone(), id);
        self.routes.push(Route { name, links });
        Ok(id)
    }

    fn no_way(&self, from: LinkId, to: LinkId, class: &'static str) -> Flaw {
        let name = |l: LinkId| self.network.link(l).name.clone();
        Flaw::NoWay { class, from: name(from), to: name(to) }
    }

    /// Refuses a route that vehicles of a class cannot drive.
    pub(super) fn check_along(&mut self, at: &Place, route: RouteId, class: VehicleClass) -> Result<(), Fault> {
        if !self.driven_by.insert((route, class)) {
            return Ok(());
        }
        let links = &self.routes[route.index()].links;
        if let Some(shut) = links.iter().find(|l| !self.open(**l, class)) {
            return Err(at.fault(self.shut(*shut, class)));
        }
        match links.windows(2).find(|pair| !self.onward(pair[0], class).any(|l| l == pair[1])) {
            Some(pair) => Err(at.fault(self.no_way(pair[0], pair[1], class_name(class)))),
            None => Ok(()),
        }
    }

    fn shut(&self, link: LinkId, class: VehicleClass) -> Flaw {
        Flaw::Shut { class: class_name(class), edge: self.network.link(link).name.clone() }
    }

    /// Refuses stations that vehicles of a class cannot drive to one after the other.
    pub(super) fn check_between(&mut self, at: &Place, stations: &[LinkId], class: VehicleClass) -> Result<(), Fault> {
        if let Some(shut) = stations.iter().find(|l| !self.open(**l, class)) {
            return Err(at.fault(self.shut(*shut, class)));
        }
        for pair in stations.windows(2) {
            if !self.reaches(pair[0], pair[1], class) {
                return Err(at.fault(self.no_way(pair[0], pair[1], class_name(class))));
            }
        }
        Ok(())
    }

    /// True when some lane of the link admits the class.
    fn open(&self, link: LinkId, class: VehicleClass) -> bool {
        self.network.link(link).lanes.iter().any(|l| may_use(class, self.network.lane(*l).admits))
    }

    /// Links a vehicle of the class can go on to.
    fn onward(&self, link: LinkId, class: VehicleClass) -> impl Iterator<Item = LinkId> + use<'n> {
        let network = self.network;
        network.movements_from(link).iter().map(|m| network.movement(*m)).filter_map(move |m| {
            let open = |l| may_use(class, network.lane(l).admits);
            let passes = |c: &crate::network::Connection| open(c.from_lane) && open(c.to_lane);
            m.connections.iter().any(|c| passes(network.connection(*c))).then_some(m.to_link)
        })
    }

    fn reaches(&mut self, from: LinkId, to: LinkId, class: VehicleClass) -> bool {
        if from == to {
            return true;
        }
        if !self.reach.contains_key(&(from, class)) {
            if self.reach.len() >= KEPT_MAX {
                self.reach.clear();
            }
            let set = self.spread(from, class);
            self.reach.insert((from, class), set);
        }
        self.reach[&(from, class)][to.index() / 64] & (1 << (to.index() % 64)) != 0
    }

    /// All links that can be reached from one.
    fn spread(&self, from: LinkId, class: VehicleClass) -> Vec<u64> {
        let mut reached = vec![0_u64; self.network.links().len().div_ceil(64)];
        let mut open = vec![from];
        while let Some(at) = open.pop() {
            for next in self.onward(at, class) {
                let (word, bit) = (next.index() / 64, 1 << (next.index() % 64));
                if reached[word] & bit == 0 {
                    reached[word] |= bit;
                    open.push(next);
                }
            }
        }
        reached
    }
}
