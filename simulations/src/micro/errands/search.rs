//! Searching for another facility: the nearest by driving time that the driver does not know to be full, by chance among
//! equals; where all of them are, the one it found full the longest ago.

use std::collections::HashMap;
use std::sync::Arc;

use greenkerb_models::demand::{Parking, Stay, Trip, VehicleClass, Way};
use greenkerb_models::ids::{FacilityId, LinkId};
use greenkerb_models::network::Network;
use greenkerb_models::units::TimeDs;

use super::super::Micro;
use super::super::event::What;
use super::super::mover::Kind;
use super::super::strips::{StripId, may_use};
use super::super::view::VehicleId;
use super::beside::Aside;
use super::itinerary::{Guide, Itinerary, Place, Purpose, front_m};
use crate::random::SplitMix64;
use crate::routing::{LinkTimes, Tree, way_between};

/// Driving times that differ by less are equal, in seconds.
const EQUAL_S: f64 = 1e-6;
/// A facility so far ahead on the same link can still be driven to, in metres.
const AHEAD_M: f64 = 30.0;

/// A search.
#[derive(Debug, Clone, Default)]
pub(crate) struct Search {
    /// Way driven when it began, in metres.
    pub(super) from_m: f32,
    /// Facilities found full, the last one last.
    full: Vec<FacilityId>,
}

/// Quickest ways, found once they are asked for.
#[derive(Debug)]
pub(crate) struct Navigator {
    times: LinkTimes,
    trees: HashMap<(VehicleClass, LinkId), Arc<Tree>>,
}

impl Navigator {
    pub(crate) fn new(network: &Network) -> Self {
        Self { times: LinkTimes::free_flow(network), trees: HashMap::new() }
    }

    fn to(&mut self, network: &Network, class: VehicleClass, goal: LinkId) -> Arc<Tree> {
        let tree = self.trees.entry((class, goal));
        Arc::clone(tree.or_insert_with(|| Arc::new(Tree::to(network, class, &self.times, goal))))
    }

    fn between(
        &mut self,
        network: &Network,
        class: VehicleClass,
        from: LinkId,
        via: &[LinkId],
        to: LinkId,
    ) -> Option<Vec<LinkId>> {
        way_between(from, via, to, |goal| self.to(network, class, goal)).ok()
    }

    /// The quickest way from a link to another, or round to itself, with its time from the start of the first to the start
    /// of the last.
    fn round(
        &mut self,
        network: &Network,
        class: VehicleClass,
        from: LinkId,
        to: LinkId,
    ) -> Option<(f64, Vec<LinkId>)> {
        let tree = self.to(network, class, to);
        let driven_s = |time_s: f64| time_s - self.times.of(to);
        if from != to {
            return Some((driven_s(tree.time_from_s(from)), tree.way_from(from)?));
        }
        let open = |m: &greenkerb_models::network::Movement| {
            m.connections.iter().any(|c| {
                let c = network.connection(*c);
                may_use(class, network.lane(c.from_lane).admits) && may_use(class, network.lane(c.to_lane).admits)
            })
        };
        let movements = network.movements_from(from).iter().map(|m| network.movement(*m)).filter(|m| open(m));
        let first = movements
            .map(|m| m.to_link)
            .min_by(|a, b| tree.time_from_s(*a).total_cmp(&tree.time_from_s(*b)).then(a.cmp(b)))?;
        let mut way = vec![from];
        way.extend(tree.way_from(first)?);
        Some((self.times.of(from) + driven_s(tree.time_from_s(first)), way))
    }
}

/// Where a vehicle could go on to.
struct Candidate {
    facility: FacilityId,
    time_s: f64,
    way: Vec<LinkId>,
}

impl Micro {
    fn class_of(&self, kind: u16) -> VehicleClass {
        let kind: &Kind = &self.kinds[usize::from(kind)];
        self.demand.kind(kind.id).class
    }

    /// A driver finds a facility full: it goes on to another, or gives up where there is none.
    pub(super) fn find_full(&mut self, strip: StripId, i: usize, parking: Parking, ends: TimeDs) {
        let (m, rider) = self.taken(strip, i);
        let driven_m = rider.journey.driven_m + m.front_m as f32 - rider.came_in_m;
        self.tell(ends, What::Full { vehicle: VehicleId(m.vehicle), facility: parking.facility, driven_m });
        let errand = &mut self.errands.all[rider.errand as usize];
        let search = errand.search.get_or_insert_with(|| Box::new(Search { from_m: driven_m, full: Vec::new() }));
        search.full.retain(|f| *f != parking.facility);
        search.full.push(parking.facility);
        let known = search.full.clone();
        match self.choose(strip, i, parking.stay.is_some(), &known) {
            Some(next) => self.divert(strip, i, Parking { facility: next.facility, ..parking }, next.way),
            None => {
                self.errands.all[rider.errand as usize].search = None;
                self.skip(strip, i);
            }
        }
    }

    /// A driver has come past the entrance and comes round again.
    pub(super) fn come_again(&mut self, strip: StripId, i: usize, parking: Parking) {
        match self.candidate(strip, i, parking.facility, parking.stay.is_some(), true) {
            Some(again) => self.divert(strip, i, parking, again.way),
            None => self.skip(strip, i),
        }
    }

    /// The next facility for a driver who knows some to be full.
    fn choose(&mut self, strip: StripId, i: usize, goes_on: bool, known: &[FacilityId]) -> Option<Candidate> {
        let count = self.demand.parts().facilities.len();
        let unknown = (0..count).map(FacilityId::at).filter(|f| !known.contains(f));
        let mut nearest: Vec<Candidate> = Vec::new();
        for facility in unknown.collect::<Vec<_>>() {
            let Some(c) = self.candidate(strip, i, facility, goes_on, false) else { continue };
            let best_s = nearest.first().map_or(f64::INFINITY, |n| n.time_s);
            if c.time_s < best_s - EQUAL_S {
                nearest.clear();
            }
            if c.time_s < best_s + EQUAL_S {
                nearest.push(c);
            }
        }
        if !nearest.is_empty() {
            let vehicle = u64::from(self.taken(strip, i).0.vehicle);
            let key = vehicle << 32 | u64::from(self.tick);
            let drawn = SplitMix64(self.seed ^ key.wrapping_mul(0xD1B5_4A32_D192_ED03)).below(nearest.len() as u64);
            return Some(nearest.swap_remove(drawn as usize));
        }
        known.iter().find_map(|f| self.candidate(strip, i, *f, goes_on, known.last() == Some(f)))
    }

    /// How a vehicle gets to a facility and, where it has to, on from there; `again` for one it has just come to.
    fn candidate(
        &mut self,
        strip: StripId,
        i: usize,
        facility: FacilityId,
        goes_on: bool,
        again: bool,
    ) -> Option<Candidate> {
        let (m, rider) = self.taken(strip, i);
        let class = self.class_of(m.kind);
        let f = self.demand.facility(facility);
        let lane = self.network.lane(f.entrance);
        if !may_use(class, lane.admits) {
            return None;
        }
        let network = &self.network;
        let end = self.errands.of(rider.errand).itinerary.to;
        if goes_on && !self.errands.navigator.to(network, class, end).time_from_s(f.exit).is_finite() {
            return None;
        }
        let s = &self.strips.all[strip as usize];
        let share = f.entrance_at.get() / lane.length.get();
        let along_s = self.errands.navigator.times.of(lane.link) * share;
        if s.is_connection {
            let from = self.strips.all[s.from as usize].link;
            let (time_s, mut way) = if s.link == lane.link {
                (0.0, vec![s.link])
            } else {
                self.errands.navigator.round(network, class, s.link, lane.link)?
            };
            way.insert(0, from);
            return Some(Candidate { facility, time_s: time_s + along_s, way });
        }
        if s.link == lane.link && !again && f.entrance_at.get() > m.front_m + AHEAD_M {
            return Some(Candidate { facility, time_s: along_s, way: vec![s.link] });
        }
        let (time_s, way) = self.errands.navigator.round(network, class, s.link, lane.link)?;
        Some(Candidate { facility, time_s: time_s + along_s, way })
    }

    /// Sends a vehicle along a way to a facility.
    fn divert(&mut self, strip: StripId, i: usize, parking: Parking, mut way: Vec<LinkId>) {
        let (mut m, mut rider) = self.taken(strip, i);
        let class = self.class_of(m.kind);
        let old = Arc::clone(&self.errands.of(rider.errand).itinerary);
        let f = self.demand.facility(parking.facility);
        let place = Place {
            link: way.len() as u32 - 1,
            lane: self.strips.of_lane(f.entrance),
            at_m: front_m(self.network.lane(f.entrance).length.get(), f.entrance_at),
            purpose: Purpose::Park(parking),
        };
        let entrance = self.network.lane(f.entrance).link;
        if parking.stay.is_some()
            && f.exit == entrance
            && let Some(on) = self.onward_from(class, entrance, &old)
        {
            way.extend_from_slice(&on[1..]);
        }
        let guide = Guide { network: &self.network, strips: &self.strips, demand: &self.demand, class };
        match guide.with_courses(&mut self.loader.ways, way, vec![place], old.to, old.rest.clone()) {
            Ok(itinerary) => {
                self.follow(&mut m, &mut rider, strip, itinerary);
                self.put(strip, i, m, rider);
            }
            Err(_) => self.skip(strip, i),
        }
    }

    /// Links from one over the stops that are left to the end of a way.
    fn onward_from(&mut self, class: VehicleClass, from: LinkId, old: &Itinerary) -> Option<Vec<LinkId>> {
        let via: Vec<LinkId> = old.rest.iter().map(|s| self.network.lane(self.demand.stop(s.stop).lane).link).collect();
        let navigator = &mut self.errands.navigator;
        let on = navigator.between(&self.network, class, from, &via, old.to);
        on.or_else(|| navigator.between(&self.network, class, from, &[], old.to))
    }

    /// The way of a vehicle that leaves a facility: the one it has, where that leads on from the exit, and the quickest to
    /// the same end where it does not.
    pub(super) fn way_out(&mut self, aside: &mut Aside, exit: LinkId) {
        let class = self.class_of(aside.mover.kind);
        let (old, at) = {
            let errand = self.errands.of(aside.rider.errand);
            (Arc::clone(&errand.itinerary), errand.place().link as usize)
        };
        let planned =
            (old.links.get(at) == Some(&exit) && old.links.last() == Some(&old.to)).then(|| old.links[at..].to_vec());
        let links = planned.or_else(|| self.onward_from(class, exit, &old)).unwrap_or_else(|| vec![exit]);
        let trip = rest(&old.rest, aside);
        let guide = Guide { network: &self.network, strips: &self.strips, demand: &self.demand, class };
        let ways = &mut self.loader.ways;
        let made = guide.itinerary(ways, &trip, links.clone()).ok();
        let bare = || guide.with_courses(ways, vec![exit], Vec::new(), exit, Vec::new()).ok();
        let Some(itinerary) = made.or_else(bare) else { return };
        let lane = aside.lane;
        self.follow(&mut aside.mover, &mut aside.rider, lane, itinerary);
    }
}

/// What is left of a trip after parking.
fn rest(stays: &[Stay], aside: &Aside) -> Trip {
    Trip {
        name: aside.mover.vehicle.to_string(),
        kind: greenkerb_models::ids::KindId(u32::from(aside.mover.kind)),
        depart: TimeDs(0),
        way: Way::Turning { from: LinkId(0) },
        depart_lane: Default::default(),
        depart_speed: Default::default(),
        stays: stays.to_vec(),
        parking: None,
    }
}
