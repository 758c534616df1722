//! From the demand to vehicles in queues: who is due, which way they take, on which lane they want to enter.

use std::collections::HashMap;
use std::sync::Arc;

use greenkerb_models::demand::{Demand, SpeedFactor, Trip, VehicleClass, Way};
use greenkerb_models::ids::LinkId;
use greenkerb_models::network::Network;

use super::departures::Departures;
use super::error::MicroError;
use super::guide::Guide;
use super::insertion::choose_lane;
use super::mover::Waiting;
use super::region::{Region, Row};
use super::strips::{StripId, Strips};
use super::view::VehicleId;
use super::ways::{Course, Ways};
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
    pub(crate) guide: Option<Guide>,
    /// First link and course of every template.
    plans: Vec<(LinkId, Course)>,
    /// Template and number within it of every vehicle loaded.
    origins: Vec<(u32, u32)>,
    seed: u64,
}

impl Loader {
    /// Finds the way of every template.
    ///
    /// # Errors
    /// [`MicroError::NoWay`] for the first vehicle that cannot get where it wants to.
    pub(crate) fn new(scenario: &Scenario, seed: u64) -> Result<Self, MicroError> {
        let demand = Arc::clone(&scenario.demand);
        let mut finder = Finder::new(scenario, seed);
        let parts = demand.parts();
        let templates = parts.trips.iter().chain(parts.flows.iter().map(|f| &f.template));
        let plans = templates.map(|t| finder.plan(t)).collect::<Result<_, _>>()?;
        let departures = Departures::new(&demand, scenario.begin, seed);
        let ways = finder.ways;
        let guide = scenario.congestion_aware.then(|| Guide::new(&scenario.network, scenario.tick.0));
        Ok(Self { departures, ways, guide, plans, origins: Vec::new(), seed, demand })
    }

    /// The template of a vehicle.
    pub(crate) fn template(&self, template: u32) -> &Trip {
        self.departures.template(template)
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
        if let (Some(guide), Way::Between { from, to, via }) = (&mut self.guide, &trip.way) {
            let way = guide.way(kind.class, *from, via, *to, f64::from(factor));
            // What no lane leads along is not driven: then it is the way at free flow, which was tried beforehand.
            course = way.and_then(|w| self.ways.add(network, kind.class, &w).ok()).unwrap_or(course);
        }
        let lanes: Vec<StripId> = network.link(link).lanes.iter().map(|l| strips.of_lane(*l)).collect();
        let load = |lane: StripId| {
            let waits = regions[strips.region_of(lane)].queues.get(&lane).map_or(0, |q| q.len());
            (waits + rows[lane as usize].movers.len()) as u64
        };
        let step = self.ways.here(strips, lanes[0], vehicle, course);
        let lane = choose_lane(&lanes, trip.depart_lane, step.usable, step.leads, load, &mut chance);
        let kind = trip.kind.0 as u16;
        Some((lane, Waiting { vehicle, template: due.template, kind, factor, course, due: due.at }))
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
    times: LinkTimes,
    trees: HashMap<(VehicleClass, LinkId), Arc<Tree>>,
    ways: Ways,
}

impl<'a> Finder<'a> {
    fn new(scenario: &'a Scenario, seed: u64) -> Self {
        let times = LinkTimes::free_flow(&scenario.network);
        let lanes_are_kept = scenario.driving == Driving::CityFlow;
        let ways = Ways::new(&scenario.network, &scenario.demand, lanes_are_kept, seed);
        Self { scenario, times, trees: HashMap::new(), ways }
    }

    fn plan(&mut self, trip: &Trip) -> Result<(LinkId, Course), MicroError> {
        let demand = &self.scenario.demand;
        let class = demand.kind(trip.kind).class;
        let found = match &trip.way {
            Way::Along(route) => Ok(demand.route(*route).links.clone()),
            Way::Between { from, to, via } => self.between(class, *from, via, *to),
            // Its first link must be usable by itself; what comes after is drawn from what can be driven.
            Way::Turning { from } => Ok(vec![*from]),
        };
        let network = &self.scenario.network;
        let added = found.and_then(|links| Ok((links[0], self.ways.add(network, class, &links)?)));
        let (link, course) = added.map_err(|(from, to)| {
            let name = |l: LinkId| network.link(l).name.clone();
            MicroError::NoWay { vehicle: trip.name.clone(), from: name(from), to: name(to) }
        })?;
        Ok((link, if matches!(trip.way, Way::Turning { .. }) { Course::TURNING } else { course }))
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
