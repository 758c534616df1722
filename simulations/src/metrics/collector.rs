//! Feeds every measure of a run, and gathers what they found.

use std::sync::Arc;

use greenkerb_models::demand::Demand;
use greenkerb_models::ids::{LaneId, LinkId, MovementId};
use greenkerb_models::network::Network;
use greenkerb_models::units::TimeDs;

use super::arrivals_on_green::{Arrivals, ArrivalsOnGreen};
use super::control_delay::ControlDelay;
use super::emissions::Emissions;
use super::gridlock::Gridlock;
use super::measures::{ApproachMeasures, Measures, MovementMeasures, NodeMeasures, fullest, rounded, signalised};
use super::parking::ParkingMeasure;
use super::pedestrians::Pedestrians;
use super::queues::Queues;
use super::saturation::Saturation;
use super::snapshot::Snapshot;
use super::spillback::Spillback;
use super::split_failures::SplitFailures;
use super::spread::Spread;
use super::stops::Stops;
use super::throughput::Counts;
use super::total_delay::DelaySums;
use super::travel_time::TravelTimes;
use super::vehicles::Vehicles;
use super::waits::LongestStand;
use super::window::Window;
use crate::micro::{Event, Micro};
use crate::scenarios::Scenario;

/// The street is looked at so often, in deciseconds; with longer steps, after every step.
const LOOK_EVERY_DS: i64 = 10;

/// Feeds every measure of a run.
#[derive(Debug, Clone)]
pub struct Collector {
    network: Arc<Network>,
    demand: Arc<Demand>,
    began: TimeDs,
    next_look: TimeDs,
    street: Snapshot,
    vehicles: Vehicles,
    travel_times: TravelTimes,
    stops: Stops,
    counts: Counts,
    stands: LongestStand,
    control_delay: ControlDelay,
    saturation: Saturation,
    arrivals: ArrivalsOnGreen,
    split_failures: SplitFailures,
    queues: Queues,
    spillback: Spillback,
    emissions: Emissions,
    pedestrians: Pedestrians,
    parking: ParkingMeasure,
    gridlock: Gridlock,
}

impl Collector {
    /// For a run of a scenario; `with_link_queues` keeps the queue of every link minute by minute.
    #[must_use]
    pub fn new(scenario: &Scenario, with_link_queues: bool) -> Self {
        let window = Window::of(scenario);
        let (network, demand) = (&*scenario.network, &*scenario.demand);
        Self {
            network: Arc::clone(&scenario.network),
            demand: Arc::clone(&scenario.demand),
            began: scenario.begin,
            next_look: scenario.begin,
            street: Snapshot::empty(network, demand.parts().facilities.len(), scenario.begin),
            vehicles: Vehicles::new(window),
            travel_times: TravelTimes::new(network),
            stops: Stops::new(network),
            counts: Counts::new(network, window),
            stands: LongestStand::default(),
            control_delay: ControlDelay::new(network),
            saturation: Saturation::new(network, window),
            arrivals: ArrivalsOnGreen::new(network),
            split_failures: SplitFailures::new(network, window),
            queues: Queues::new(network, scenario.begin, window, with_link_queues),
            spillback: Spillback::new(network, window),
            emissions: Emissions::default(),
            pedestrians: Pedestrians::new(window),
            parking: ParkingMeasure::new(demand, window),
            gridlock: Gridlock::default(),
        }
    }

    /// Looks at the street after a step.
    pub fn observe(&mut self, street: &Micro) {
        self.take_events(street.events());
        if street.now() >= self.next_look {
            let mut seen = std::mem::take(&mut self.street);
            seen.take(street);
            self.look(seen);
        }
    }

    /// Takes the events of a step in.
    pub fn take_events(&mut self, events: &[Event]) {
        for event in events {
            self.vehicles.event(event);
            self.travel_times.event(event);
            self.stops.event(event, &self.network, &self.vehicles);
            self.counts.event(event, &self.network);
            self.control_delay.event(event, &self.network, &self.vehicles);
            self.saturation.event(event, &self.network, &self.vehicles);
            self.arrivals.event(event, &self.network, &self.vehicles);
            self.pedestrians.event(event);
            self.parking.event(event, &self.vehicles);
        }
    }

    /// Takes a look at the street in, after the events that led to it.
    pub fn look(&mut self, street: Snapshot) {
        self.street = street;
        let (street, network) = (&self.street, &*self.network);
        self.next_look = TimeDs(street.now().0 + LOOK_EVERY_DS);
        self.vehicles.sample(street);
        self.stands.sample(street, &self.vehicles);
        self.control_delay.sample(street, network, &self.vehicles);
        self.saturation.sample(street);
        self.arrivals.sample(street, network);
        self.split_failures.sample(street);
        self.queues.sample(street, network);
        self.spillback.sample(street, network);
        self.emissions.sample(street, &self.demand, &self.vehicles);
        self.parking.sample(street);
        self.gridlock.sample(street);
    }

    /// The street as it was last looked at.
    #[must_use]
    pub const fn street(&self) -> &Snapshot {
        &self.street
    }

    /// Ends the run. Gives its measures, and the queues of links where they were asked for.
    #[must_use]
    pub fn finish(mut self) -> (Measures, Queues) {
        let network = Arc::clone(&self.network);
        self.control_delay.close(&self.street, &network, &self.vehicles);
        self.pedestrians.close(&self.street, &network);
        self.queues.close();
        let now = self.vehicles.now();
        let mut sums = DelaySums::default();
        let mut driven_m = 0.0;
        for r in self.vehicles.counted() {
            sums.add(f64::from(r.journey.time_loss_s), r.depart_delay_s(now));
            driven_m += f64::from(r.journey.driven_m);
        }
        let links = signalised_links(&network);
        let measures = Measures {
            delay: sums.per_vehicle(),
            travel_time: self.travel_times.at(&self.vehicles, now),
            stops_per_veh: self.stops.per_vehicle(&self.vehicles),
            throughput: self.counts.throughput(&self.vehicles),
            waits: self.stands.waits(&self.vehicles),
            spread: Spread::of(&self.vehicles, &self.demand),
            arrivals: self.arrivals.all(),
            greens: self.split_failures.all(),
            spillback: self.spillback.all(),
            emitted: self.emissions.emitted(),
            driven_m: rounded(driven_m),
            people: self.pedestrians.waits(),
            parking: self.parking.parking(now),
            gridlock_after_s: self.gridlock.since().map(|at| at.since(self.began) as f64 / 10.0),
            most_locked: self.gridlock.most_locked(),
            queue_profile_veh: self.queues.profile().iter().map(|q| rounded(*q)).collect(),
            link_counts_veh: self.counts.by_link(&network),
            nodes: self.nodes(&network),
            approaches: links.iter().map(|l| self.approach(&network, *l)).collect(),
            movements: links
                .iter()
                .flat_map(|l| network.movements_from(*l))
                .filter_map(|m| self.movement(*m))
                .collect(),
        };
        (measures, self.queues)
    }

    fn nodes(&self, network: &Network) -> Vec<NodeMeasures> {
        let measures = |(node, controller)| {
            let mut links: Vec<LinkId> = network.links_into(node).collect();
            links.sort_unstable();
            let lanes = links.iter().flat_map(|l| network.link(*l).lanes.iter().copied());
            let lost = self.control_delay.node(network, node);
            NodeMeasures {
                node,
                controller,
                vehicles: lost.vehicles,
                control_delay_s: lost.per_vehicle_s().map(rounded),
                saturation: fullest(|l| self.saturation.of(l), lanes).map(rounded),
                greens: self.split_failures.of(controller),
                crossed: self.counts.crossed(node),
            }
        };
        signalised(network).map(measures).collect()
    }

    fn approach(&self, network: &Network, link: LinkId) -> ApproachMeasures {
        let lanes = &network.link(link).lanes;
        let lost = self.control_delay.approach(network, link);
        let greens: Vec<f64> = lanes.iter().filter_map(|l| self.saturation.green_share(*l)).collect();
        let queue = self.queues.link(link);
        let arrivals: Arrivals = self.arrivals.link(link);
        ApproachMeasures {
            link,
            vehicles: lost.vehicles,
            control_delay_s: lost.per_vehicle_s().map(rounded),
            stops: self.stops.on(link),
            saturation: fullest(|l| self.saturation.of(l), lanes.iter().copied()).map(rounded),
            arrivals,
            green_share: (!greens.is_empty()).then(|| rounded(greens.iter().sum::<f64>() / greens.len() as f64)),
            queue_mean_veh: rounded(queue.mean_veh),
            queue_max_veh: queue.max_veh,
            queue_reach_m: rounded(queue.max_reach_m),
            spillback_min: rounded(self.spillback.link_min(link)),
        }
    }

    fn movement(&self, movement: MovementId) -> Option<MovementMeasures> {
        let lost = self.control_delay.movement(movement);
        let connections = &self.network.movement(movement).connections;
        let lanes = connections.iter().map(|c| self.network.connection(*c).from_lane);
        Some(MovementMeasures {
            movement,
            vehicles: lost.vehicles,
            control_delay_s: rounded(lost.per_vehicle_s()?),
            saturation: fullest(|l: LaneId| self.saturation.of(l), lanes).map(rounded),
        })
    }
}

/// Links that end at a signal, in id order.
fn signalised_links(network: &Network) -> Vec<LinkId> {
    let mut links: Vec<LinkId> = signalised(network).flat_map(|(node, _)| network.links_into(node)).collect();
    links.sort_unstable();
    links.dedup();
    links
}
