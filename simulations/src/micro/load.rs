//! From the demand to vehicles in queues: who is due, which way they take, on which lane they want to enter.

use std::collections::HashMap;
use std::sync::Arc;

use greenkerb_models::demand::{Demand, SpeedFactor, Trip, VehicleClass, Way};
use greenkerb_models::ids::LinkId;
use greenkerb_models::network::Network;

use super::departures::Departures;
use super::errands::itinerary::{Guide, Itinerary, stations};
use super::error::MicroError;
use super::insertion::{Room, choose_lane};
use super::mover::Waiting;
use super::navigator::Navigator;
use super::region::{Region, Row};
use super::strips::{NONE, StripId, Strips};
use super::view::VehicleId;
use super::ways::{Course, Ways};
use crate::cancel::Cancel;
use crate::random::SplitMix64;
use crate::routing::{LinkTimes, Tree, way_between};
use crate::scenarios::{Driving, Scenario};

/// Everybody who is still to come, and the ways they take.
#[derive(Debug)]
pub(crate) struct Loader {
    demand: Arc<Demand>,
    departures: Departures,
    /// All ways in use.
    pub(crate) ways: Ways,
    /// Chooses ways as traffic is; none where all go by free flow.
    pub(crate) navigator: Option<Navigator>,
    /// First link and course of every template.
    plans: Vec<(LinkId, Course)>,
    /// Itineraries of the templates that stop anywhere.
    itineraries: HashMap<u32, Arc<Itinerary>>,
    /// Template and number within it of every vehicle loaded.
    origins: Vec<(u32, u32)>,
    seed: u64,
}

impl Loader {
    /// Finds the way of every template.
    ///
    /// # Errors
    /// [`MicroError::NoWay`] for the first vehicle that cannot get where it wants to; [`MicroError::Cancelled`].
    pub(crate) fn new(scenario: &Scenario, strips: &Strips, seed: u64, cancel: &Cancel) -> Result<Self, MicroError> {
        let demand = Arc::clone(&scenario.demand);
        let mut finder = Finder::new(scenario, strips, seed);
        let parts = demand.parts();
        let templates = parts.trips.iter().chain(parts.flows.iter().map(|f| &f.template));
        let mut plans = Vec::new();
        let mut itineraries = HashMap::new();
        for (i, template) in templates.enumerate() {
            if cancel.is_cancelled() {
                return Err(MicroError::Cancelled);
            }
            let (link, course, itinerary) = finder.plan(template)?;
            plans.push((link, course));
            itinerary.map(|itinerary| itineraries.insert(i as u32, Arc::new(itinerary)));
        }
        let departures = Departures::new(&demand, scenario.begin, seed);
        let ways = finder.ways;
        let navigator = scenario.congestion_aware.then(|| Navigator::new(&scenario.network, scenario.tick.0));
        Ok(Self { departures, ways, navigator, plans, itineraries, origins: Vec::new(), seed, demand })
    }

    /// From now on every flow that is over begins anew, `period` after it began.
    pub(crate) fn repeat_every(&mut self, period: greenkerb_models::units::Ds) {
        self.departures.repeat_every(period);
    }

    /// The template of a vehicle.
    pub(crate) fn template(&self, template: u32) -> &Trip {
        self.departures.template(template)
    }

    /// Where a vehicle stops on its way, and how much later than its template it departs, in deciseconds; none where it
    /// does not stop.
    pub(crate) fn itinerary(&self, waiting: &Waiting) -> Option<(&Arc<Itinerary>, i64)> {
        let itinerary = self.itineraries.get(&waiting.template)?;
        Some((itinerary, waiting.due.since(self.template(waiting.template).depart)))
    }

    /// A vehicle's name.
    pub(crate) fn name(&self, id: VehicleId) -> Option<String> {
        let (template, number) = *self.origins.get(id.0 as usize)?;
        let name = &self.template(template).name;
        let is_flow = template as usize >= self.demand.parts().trips.len();
        Some(if is_flow { format!("{name}.{number}") } else { name.clone() })
    }

    /// The next vehicle that is due before `until`, with the lane it waits for.
    pub(crate) fn next_before(
        &mut self,
        until: greenkerb_models::units::TimeDs,
        network: &Network,
        strips: &Strips,
        rows: &[Row],
        regions: &[Region],
    ) -> Option<(StripId, Waiting)> {
        let due = self.departures.next_before(until)?;
        let vehicle = self.origins.len() as u32;
        self.origins.push((due.template, due.number));
        let trip = self.departures.template(due.template);
        let kind = self.demand.kind(trip.kind);
        let mut chance = SplitMix64(self.seed ^ u64::from(vehicle).wrapping_mul(0x9FB2_1C65_1E98_DF25));
        let (link, mut course) = self.plans[due.template as usize];
        let factor = draw(kind.speed_factor, &mut chance) as f32;
        // Who stops anywhere on the way keeps the way that was planned for it.
        let plain = !self.itineraries.contains_key(&due.template);
        if let (true, Some(navigator), Way::Between { from, to, via }) = (plain, &mut self.navigator, &trip.way) {
            let way = navigator.way(kind.class, *from, via, *to, f64::from(factor));
            // What no lane leads along is not driven: then it is the way at free flow, which was tried beforehand.
            course = way.and_then(|w| self.ways.add(network, kind.class, &w).ok()).unwrap_or(course);
        }
        let lanes: Vec<StripId> = network.link(link).lanes.iter().map(|l| strips.of_lane(*l)).collect();
        let look = |lane: StripId| {
            let waits = regions[strips.region_of(lane)].queues.get(&lane).map_or(0, |q| q.len());
            let movers = &rows[lane as usize].movers;
            let free_m = movers.last().map_or(strips.all[lane as usize].length_m, |m| m.front_m);
            Room { vehicles: waits + movers.len(), free_m: if waits == 0 { free_m } else { -(waits as f64) } }
        };
        let step = self.ways.here(strips, lanes[0], vehicle, course);
        let lane = choose_lane(&lanes, trip.depart_lane, step.usable, step.leads, look, &mut chance);
        let kind = trip.kind.0 as u16;
        Some((lane, Waiting { vehicle, template: due.template, kind, factor, course, errand: NONE, due: due.at }))
    }
}

/// A speed factor: normal, drawn again until it is within its bounds (at most so often), then held to them.
fn draw(f: SpeedFactor, chance: &mut SplitMix64) -> f64 {
    if f.deviation <= 0.0 {
        return f.mean.clamp(f.min, f.max);
    }
    for _ in 0..16 {
        let radius = (-2.0 * (1.0 - chance.unit()).ln()).sqrt();
        let v = f.mean + f.deviation * radius * (std::f64::consts::TAU * chance.unit()).cos();
        if (f.min..=f.max).contains(&v) {
            return v;
        }
    }
    f.mean.clamp(f.min, f.max)
}

/// Finds ways.
struct Finder<'a> {
    scenario: &'a Scenario,
    strips: &'a Strips,
    times: LinkTimes,
    trees: HashMap<(VehicleClass, LinkId), Arc<Tree>>,
    ways: Ways,
}

impl<'a> Finder<'a> {
    fn new(scenario: &'a Scenario, strips: &'a Strips, seed: u64) -> Self {
        let times = LinkTimes::free_flow(&scenario.network);
        let lanes_are_kept = scenario.driving == Driving::CityFlow;
        let ways = Ways::new(&scenario.network, &scenario.demand, lanes_are_kept, seed);
        Self { scenario, strips, times, trees: HashMap::new(), ways }
    }

    fn plan(&mut self, trip: &Trip) -> Result<(LinkId, Course, Option<Itinerary>), MicroError> {
        let (network, demand) = (&self.scenario.network, &self.scenario.demand);
        let class = demand.kind(trip.kind).class;
        let stations = stations(network, demand, trip);
        let unfit = |reason: &str| {
            Err(MicroError::Unfit { kind: "vehicle", name: trip.name.clone(), reason: reason.to_owned() })
        };
        if !stations.is_empty() && self.scenario.driving == Driving::CityFlow {
            return unfit("CityFlow's rules know neither stops nor parking");
        }
        let found = match &trip.way {
            Way::Along(route) => Ok(demand.route(*route).links.clone()),
            // A way that names nothing else leads over its stops.
            Way::Between { from, to, via } if via.is_empty() => self.between(class, *from, &stations, *to),
            Way::Between { from, to, via } => self.between(class, *from, via, *to),
            Way::Turning { .. } if !stations.is_empty() => {
                return unfit("it turns by chance, so nobody knows where it could stop");
            }
            // Its first link must be usable by itself; what comes after is drawn from what can be driven.
            Way::Turning { from } => Ok(vec![*from]),
        };
        let added = found.and_then(|links| {
            let course = self.ways.add(network, class, &links)?;
            Ok((links, course))
        });
        let no_way = |from: LinkId, to: LinkId| {
            let name = |l: LinkId| network.link(l).name.clone();
            MicroError::NoWay { vehicle: trip.name.clone(), from: name(from), to: name(to) }
        };
        let (links, course) = added.map_err(|(from, to)| no_way(from, to))?;
        if matches!(trip.way, Way::Turning { .. }) {
            return Ok((links[0], Course::TURNING, None));
        }
        let first = links[0];
        if stations.is_empty() {
            return Ok((first, course, None));
        }
        let guide = Guide { network, strips: self.strips, demand, class };
        let itinerary = guide.itinerary(&mut self.ways, trip, links)?;
        if let Some(parking) = trip.parking.filter(|p| p.stay.is_some()) {
            let exit = demand.facility(parking.facility).exit;
            self.between(class, exit, &[], itinerary.to).map_err(|(from, to)| no_way(from, to))?;
        }
        Ok((first, itinerary.courses[0], Some(itinerary)))
    }

    fn between(
        &mut self,
        class: VehicleClass,
        from: LinkId,
        via: &[LinkId],
        to: LinkId,
    ) -> Result<Vec<LinkId>, (LinkId, LinkId)> {
        let (network, times, trees) = (&self.scenario.network, &self.times, &mut self.trees);
        way_between(from, via, to, |goal| {
            let tree = trees.entry((class, goal)).or_insert_with(|| Arc::new(Tree::to(network, class, times, goal)));
            Arc::clone(tree)
        })
    }
}
