//! From the demand to vehicles in queues: who is due, which way they take, on which lane they want to enter.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use greenkerb_models::demand::{Demand, SpeedFactor, Trip, VehicleClass, Way};
use greenkerb_models::ids::LinkId;
use greenkerb_models::network::Network;

use super::departures::Departures;
use super::error::MicroError;
use super::insertion::choose_lane;
use super::mover::Waiting;
use super::region::{Region, Row};
use super::strips::{StripId, Strips, may_use};
use super::view::VehicleId;
use super::ways::{Span, Ways};
use crate::random::SplitMix64;
use crate::routing::{LinkTimes, Tree, way_between};
use crate::scenarios::{Driving, Scenario};

/// Weights of the links behind a link.
type Shares = BTreeMap<LinkId, Vec<(LinkId, f64)>>;

/// Links after which a turning vehicle that found no way out is let go.
const TURNS_MAX: usize = 1_000;

/// How vehicles of a template find their way.
#[derive(Debug, Clone, Copy)]
enum Plan {
    /// Along this.
    Fixed(Span),
    /// From this link on by chance.
    Turning(LinkId),
}

/// Everybody who is still to come, and the ways they take.
#[derive(Debug)]
pub(crate) struct Loader {
    demand: Arc<Demand>,
    departures: Departures,
    /// All ways in use.
    pub(crate) ways: Ways,
    /// The way of every template; those of turning vehicles are drawn one by one.
    plans: Vec<Plan>,
    shares: Shares,
    can_change_lanes: bool,
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
        let mut finder = Finder::new(scenario);
        let parts = demand.parts();
        let templates = parts.trips.iter().chain(parts.flows.iter().map(|f| &f.template));
        let plans = templates.map(|t| finder.plan(t)).collect::<Result<_, _>>()?;
        let departures = Departures::new(&demand, scenario.begin, seed);
        let mut shares = Shares::new();
        for s in &parts.turning {
            shares.entry(s.from).or_default().push((s.to, s.share));
        }
        let can_change_lanes = finder.can_change_lanes();
        let ways = finder.ways;
        Ok(Self { departures, ways, plans, shares, can_change_lanes, origins: Vec::new(), seed, demand })
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
        let (at, end) = match self.plans[due.template as usize] {
            Plan::Fixed(span) => span,
            Plan::Turning(from) => {
                turning(network, &mut self.ways, kind.class, &self.shares, from, self.can_change_lanes, &mut chance)
            }
        };
        let factor = draw(kind.speed_factor, &mut chance) as f32;
        let step = self.ways.step(at);
        let lanes: Vec<StripId> = network.link(step.link).lanes.iter().map(|l| strips.of_lane(*l)).collect();
        let load = |lane: StripId| {
            let waits = regions[strips.region_of(lane)].queues.get(&lane).map_or(0, |q| q.len());
            (waits + rows[lane as usize].movers.len()) as u64
        };
        let lane = choose_lane(&lanes, trip.depart_lane, step.usable, step.leads, load, &mut chance);
        let kind = trip.kind.0 as u16;
        Some((lane, Waiting { vehicle, template: due.template, kind, factor, at, end, due: due.at }))
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

/// A way drawn turn by turn, until a link that leads nowhere. Links without shares share alike.
fn turning(
    network: &Network,
    ways: &mut Ways,
    class: VehicleClass,
    shares: &Shares,
    from: LinkId,
    can_change_lanes: bool,
    chance: &mut SplitMix64,
) -> Span {
    let mut links = vec![from];
    let mut at = from;
    while links.len() < TURNS_MAX {
        let on = movements_for(network, class, at);
        let weight = |to: LinkId| match shares.get(&at) {
            Some(known) => known.iter().find(|s| s.0 == to).map_or(0.0, |s| s.1),
            None => 1.0,
        };
        let sum: f64 = on.iter().map(|l| weight(*l)).sum();
        if sum <= 0.0 {
            break;
        }
        let mut left = chance.unit() * sum;
        let drawn = on.iter().find(|l| {
            left -= weight(**l);
            left < 0.0
        });
        let Some(next) = drawn.or(on.iter().rfind(|l| weight(**l) > 0.0)) else { break };
        at = *next;
        links.push(at);
    }
    loop {
        match ways.add(network, class, &links, can_change_lanes) {
            Ok(span) => return span,
            // Drawn ways hold together link by link, but lanes may part them where nobody changes lanes: the way ends there.
            Err((at, _)) if links.len() > 1 => {
                let i = links.iter().position(|l| *l == at).unwrap_or(0);
                links.truncate((i + 1).min(links.len() - 1));
            }
            // Not reached: the first link was found usable at the beginning.
            Err(_) => return (0, 1),
        }
    }
}

/// Links that vehicles of a class can go on to from a link, in the order of its movements.
fn movements_for(network: &Network, class: VehicleClass, from: LinkId) -> Vec<LinkId> {
    let open = |m: &&greenkerb_models::network::Movement| {
        m.connections
            .iter()
            .map(|c| network.connection(*c))
            .any(|c| may_use(class, network.lane(c.from_lane).admits) && may_use(class, network.lane(c.to_lane).admits))
    };
    network.movements_from(from).iter().map(|m| network.movement(*m)).filter(open).map(|m| m.to_link).collect()
}

/// Finds ways.
struct Finder<'a> {
    scenario: &'a Scenario,
    times: LinkTimes,
    trees: HashMap<(VehicleClass, LinkId), Arc<Tree>>,
    ways: Ways,
}

impl<'a> Finder<'a> {
    fn new(scenario: &'a Scenario) -> Self {
        let times = LinkTimes::free_flow(&scenario.network);
        Self { scenario, times, trees: HashMap::new(), ways: Ways::default() }
    }

    fn can_change_lanes(&self) -> bool {
        self.scenario.driving == Driving::Street
    }

    fn plan(&mut self, trip: &Trip) -> Result<Plan, MicroError> {
        let demand = &self.scenario.demand;
        let class = demand.kind(trip.kind).class;
        let found = match &trip.way {
            Way::Along(route) => Ok(demand.route(*route).links.clone()),
            Way::Between { from, to, via } => self.between(class, *from, via, *to),
            // Its first link must be usable by itself; what comes after is drawn from what can be driven.
            Way::Turning { from } => Ok(vec![*from]),
        };
        let (network, can_change_lanes) = (&self.scenario.network, self.can_change_lanes());
        let added = found.and_then(|links| self.ways.add(network, class, &links, can_change_lanes));
        let span = added.map_err(|(from, to)| {
            let name = |l: LinkId| network.link(l).name.clone();
            MicroError::NoWay { vehicle: trip.name.clone(), from: name(from), to: name(to) }
        })?;
        Ok(if let Way::Turning { from } = trip.way { Plan::Turning(from) } else { Plan::Fixed(span) })
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
