//! Places where a vehicle stops on its way: bus stops in order, and a parking facility.

use greenkerb_models::demand::{Demand, Parking, Stay, Trip, VehicleClass};
use greenkerb_models::ids::{FacilityId, LaneId, LinkId, StopId};
use greenkerb_models::network::Network;
use greenkerb_models::units::Metres;

use super::super::error::MicroError;
use super::super::strips::{StripId, Strips, may_use};
use super::super::ways::{Course, Ways};

/// What a vehicle does at a place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Purpose {
    /// Stays at a stop.
    Stop(Stay),
    /// Parks.
    Park(Parking),
}

/// A place on the way.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Place {
    /// Its link, counted along the way.
    pub(crate) link: u32,
    /// Its lane.
    pub(crate) lane: StripId,
    /// Where the front stands, in metres from the start of the lane.
    pub(crate) at_m: f64,
    /// What for.
    pub(crate) purpose: Purpose,
}

/// A way with places.
#[derive(Debug)]
pub(crate) struct Itinerary {
    /// The way.
    pub(crate) links: Vec<LinkId>,
    /// Places in the order in which the way comes by them. Parking is the last: what comes after it is found when the
    /// vehicle leaves.
    pub(crate) places: Vec<Place>,
    /// Stays after parking.
    pub(crate) rest: Vec<Stay>,
    /// Where the vehicle wants to in the end.
    pub(crate) to: LinkId,
    /// The course before each place, and after the last: the same links, with the lanes that lead to what is still to come.
    pub(crate) courses: Vec<Course>,
}

/// A place as the demand tells it.
#[derive(Debug, Clone, Copy)]
struct Wanted {
    lane: LaneId,
    at_m: f64,
    purpose: Purpose,
}

/// No place lies nearer to the start of its lane, in metres: who stops before it would not be on the lane yet.
const START_M: f64 = 0.5;

/// Where the front stands at a place told at a distance from the start of its lane, in metres.
pub(crate) fn front_m(lane_m: f64, told: Metres) -> f64 {
    told.get().max(START_M.min(lane_m))
}

impl Wanted {
    fn stop(network: &Network, demand: &Demand, stay: Stay) -> Self {
        let stop = demand.stop(stay.stop);
        let at_m = front_m(network.lane(stop.lane).length.get(), stop.at);
        Self { lane: stop.lane, at_m, purpose: Purpose::Stop(stay) }
    }

    fn parking(network: &Network, demand: &Demand, parking: Parking) -> Self {
        let facility = demand.facility(parking.facility);
        let at_m = front_m(network.lane(facility.entrance).length.get(), facility.entrance_at);
        Self { lane: facility.entrance, at_m, purpose: Purpose::Park(parking) }
    }
}

/// Links a trip must come by for its places, in order: what it leads over where it names nothing else.
pub(crate) fn stations(network: &Network, demand: &Demand, trip: &Trip) -> Vec<LinkId> {
    let stops = trip.stays.iter().map(|s| demand.stop(s.stop).lane);
    let parking = trip.parking.iter().map(|p| demand.facility(p.facility).entrance);
    let mut links: Vec<LinkId> = stops.chain(parking).map(|l| network.lane(l).link).collect();
    links.dedup();
    links
}

/// Finds places along links.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Guide<'a> {
    pub(crate) network: &'a Network,
    pub(crate) strips: &'a Strips,
    pub(crate) demand: &'a Demand,
    pub(crate) class: VehicleClass,
}

impl Guide<'_> {
    /// The itinerary of a trip along links.
    ///
    /// # Errors
    /// [`MicroError::Unfit`] when the links do not come by a place, or the vehicle may not use its lane.
    pub(crate) fn itinerary(&self, ways: &mut Ways, trip: &Trip, links: Vec<LinkId>) -> Result<Itinerary, MicroError> {
        let (mut places, mut rest) = (Vec::new(), Vec::new());
        let mut from = (0, 0.0);
        for stay in &trip.stays {
            let place = self.along(&links, from, &Wanted::stop(self.network, self.demand, *stay), &trip.name)?;
            from = (place.link, place.at_m);
            places.push(place);
        }
        if let Some(parking) = trip.parking {
            let place =
                self.along(&links, (0, 0.0), &Wanted::parking(self.network, self.demand, parking), &trip.name)?;
            places.retain(|p: &Place| (p.link, p.at_m) <= (place.link, place.at_m));
            rest = trip.stays[places.len()..].to_vec();
            places.push(place);
        }
        let to = links[links.len() - 1];
        self.with_courses(ways, links, places, to, rest).map_err(|(from, to)| MicroError::NoWay {
            vehicle: trip.name.clone(),
            from: self.network.link(from).name.clone(),
            to: self.network.link(to).name.clone(),
        })
    }

    /// An itinerary of these parts, its courses added to the ways.
    ///
    /// # Errors
    /// As [`Ways::add`].
    pub(crate) fn with_courses(
        &self,
        ways: &mut Ways,
        links: Vec<LinkId>,
        places: Vec<Place>,
        to: LinkId,
        rest: Vec<Stay>,
    ) -> Result<Itinerary, (LinkId, LinkId)> {
        let mut courses = Vec::with_capacity(places.len() + 1);
        for next in 0..=places.len() {
            let mut goals: Vec<(u32, u32)> = Vec::new();
            for p in &places[next..] {
                // Of several places on a link the first decides on the lane.
                if goals.last().is_none_or(|(link, _)| *link != p.link) {
                    goals.push((p.link, self.strips.all[p.lane as usize].index));
                }
            }
            courses.push(ways.add_by(self.network, self.class, &links, &goals)?);
        }
        Ok(Itinerary { links, places, rest, to, courses })
    }

    /// The first place along links, from a link and a distance along it on, that is the one wanted.
    fn along(
        &self,
        links: &[LinkId],
        (first, first_m): (u32, f64),
        wanted: &Wanted,
        vehicle: &str,
    ) -> Result<Place, MicroError> {
        let lane = self.network.lane(wanted.lane);
        let unfit = |reason| MicroError::Unfit { kind: "vehicle", name: vehicle.to_owned(), reason };
        if !may_use(self.class, lane.admits) {
            return Err(unfit(format!("{} is on a lane it may not use", self.name(&wanted.purpose))));
        }
        let at = |i: &usize| links[*i] == lane.link && (*i > first as usize || wanted.at_m >= first_m);
        let Some(link) = (first as usize..links.len()).find(at) else {
            return Err(unfit(format!("its way does not come by {}", self.name(&wanted.purpose))));
        };
        let lane = self.strips.of_lane(wanted.lane);
        Ok(Place { link: link as u32, lane, at_m: wanted.at_m, purpose: wanted.purpose })
    }

    fn name(&self, purpose: &Purpose) -> String {
        let stop = |id: StopId| format!("stop '{}'", self.demand.stop(id).name);
        let facility = |id: FacilityId| format!("facility '{}'", self.demand.facility(id).name);
        match purpose {
            Purpose::Stop(stay) => stop(stay.stop),
            Purpose::Park(parking) => facility(parking.facility),
        }
    }
}
