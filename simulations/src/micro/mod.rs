//! The built-in microscopic simulator.
//!
//! A [`Micro`] holds one street. Every tick a controller tells what the heads show ([`Micro::show`]), then the street
//! moves on ([`Micro::step`]) and tells what happened ([`Micro::events`]).
//!
//! The street is cut into strips (`strips`), every lane and every way across a node one, each with a row of movers in
//! order. A step (`tick`) reads the rows as they were and writes new ones, region by region; what leaves a region goes by
//! letter. So the result is the same, bit for bit, for any number of threads.

#[cfg(debug_assertions)]
mod check;
mod departures;
mod driving;
mod errands;
mod error;
mod event;
mod following;
mod hash;
mod insertion;
mod junction;
mod lamps;
mod load;
mod mover;
mod navigator;
mod parallel;
mod people;
mod region;
mod scene;
mod strips;
mod tick;
mod view;
mod ways;

pub use error::MicroError;
pub use event::{Event, Journey, What};
pub(crate) use strips::may_use;
pub use view::{FacilityState, PeopleState, Totals, Vehicle, VehicleId};

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use greenkerb_models::demand::Demand;
use greenkerb_models::ids::{ConnectionId, ControllerId, CrossingId, LaneId, LinkId};
use greenkerb_models::network::Network;
use greenkerb_models::signal::Indication;
use greenkerb_models::units::{Ds, TimeDs};

use self::driving::cityflow::CityFlow;
use self::driving::street::{Street, changing};
use self::errands::Errands;
use self::hash::EventHash;
use self::insertion::Gate;
use self::junction::Crosses;
use self::lamps::Lamps;
use self::load::Loader;
use self::mover::Kind;
use self::parallel::{Crew, cut};
use self::people::{Kerb, People};
use self::region::{Outbox, Region, Row};
use self::scene::Scene;
use self::strips::{NONE, StripId, Strips};
use crate::cancel::Cancel;
use crate::scenarios::{Driving, Scenario};

/// How a street is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MicroOptions {
    /// Seed of all chance: drivers, flows, turns.
    pub seed: u64,
    /// Threads that move vehicles. The result is the same for any number.
    pub threads: usize,
}

impl Default for MicroOptions {
    fn default() -> Self {
        Self { seed: 1, threads: 1 }
    }
}

/// A street with vehicles on it.
#[derive(Debug)]
pub struct Micro {
    network: Arc<Network>,
    demand: Arc<Demand>,
    driving: Driving,
    begin: TimeDs,
    step: Ds,
    tick: u32,
    seed: u64,
    crew: Crew,
    strips: Strips,
    crosses: Crosses,
    kinds: Vec<Kind>,
    loader: Loader,
    errands: Errands,
    people: People,
    lamps: Lamps,
    regions: Vec<Region>,
    mail: Vec<Outbox>,
    /// Rows as they are, and those the next step writes.
    rows: Vec<Row>,
    rows_next: Vec<Row>,
    busy: Vec<bool>,
    /// The strip every vehicle is on, by its number.
    places: Vec<AtomicU32>,
    events: Vec<Event>,
    totals: Totals,
    hash: EventHash,
}

impl Micro {
    /// An empty street at the scenario's beginning; heads are red until they are shown something.
    ///
    /// # Errors
    /// [`MicroError`] when the demand cannot be driven on the network.
    pub fn new(scenario: &Scenario, options: MicroOptions) -> Result<Self, MicroError> {
        Self::new_unless(&Cancel::default(), scenario, options)
    }

    /// The same, which takes a while for a city, unless it is called off.
    ///
    /// # Errors
    /// As [`Micro::new`], and [`MicroError::Cancelled`].
    pub fn new_unless(cancel: &Cancel, scenario: &Scenario, options: MicroOptions) -> Result<Self, MicroError> {
        if scenario.tick == Ds::ZERO {
            let reason = "its steps have no length".to_owned();
            return Err(MicroError::Unfit { kind: "scenario", name: scenario.name.clone(), reason });
        }
        let network = Arc::clone(&scenario.network);
        let demand = Arc::clone(&scenario.demand);
        let strips = Strips::new(&network);
        let crosses = match scenario.driving {
            Driving::CityFlow => Crosses::by_geometry(&network, &strips),
            Driving::Street => Crosses::default(),
        };
        let dt_s = scenario.tick.seconds();
        let kinds = demand.parts().kinds.iter().enumerate();
        let kinds = kinds.map(|(i, k)| Kind::new(greenkerb_models::ids::KindId::at(i), k, dt_s)).collect();
        let regions = Region::all(&strips);
        let outbox = || Outbox { to: (0..regions.len()).map(|_| Vec::new()).collect() };
        Ok(Self {
            driving: scenario.driving,
            begin: scenario.begin,
            step: scenario.tick,
            tick: 0,
            seed: options.seed,
            crew: Crew::new(options.threads)?,
            loader: Loader::new(scenario, &strips, options.seed, cancel)?,
            errands: Errands::new(&network, &demand),
            people: People::new(&network, &strips, &demand, scenario.begin, options.seed),
            lamps: Lamps::red(&network, &strips),
            mail: regions.iter().map(|_| outbox()).collect(),
            rows: vec![Row::empty(); strips.all.len()],
            rows_next: vec![Row::empty(); strips.all.len()],
            busy: vec![false; strips.all.len()],
            places: Vec::new(),
            events: Vec::new(),
            totals: Totals::default(),
            hash: EventHash::default(),
            network,
            demand,
            strips,
            crosses,
            kinds,
            regions,
        })
    }

    /// From now on every flow that is over begins anew, `period` after it began: a street without an end. Single trips
    /// stay single.
    pub fn repeat_every(&mut self, period: Ds) {
        self.loader.repeat_every(period);
    }

    /// The network.
    #[must_use]
    pub fn network(&self) -> &Arc<Network> {
        &self.network
    }

    /// The demand.
    #[must_use]
    pub fn demand(&self) -> &Arc<Demand> {
        &self.demand
    }

    /// The instant the next step begins at.
    #[must_use]
    pub const fn now(&self) -> TimeDs {
        self.after(self.tick)
    }

    /// Length of a step.
    #[must_use]
    pub const fn tick(&self) -> Ds {
        self.step
    }

    /// The instant after so many steps.
    const fn after(&self, ticks: u32) -> TimeDs {
        TimeDs(self.begin.0 + self.step.0 as i64 * ticks as i64)
    }

    /// Sets a controller's heads, one indication per signal group, for the next step and until shown otherwise.
    pub fn show(&mut self, controller: ControllerId, heads: &[Indication]) {
        self.lamps.show(controller, heads);
    }

    /// What the heads of a controller show.
    #[must_use]
    pub fn heads(&self, controller: ControllerId) -> &[Indication] {
        self.lamps.of(controller)
    }

    /// Moves everything by one tick.
    pub fn step(&mut self) {
        self.events.clear();
        let ends = self.after(self.tick + 1);
        self.load(ends);
        self.go_on(ends);
        self.let_in(ends);
        self.walk(ends);
        match self.driving {
            Driving::CityFlow => self.move_all(&CityFlow, ends),
            Driving::Street => {
                let network = Arc::clone(&self.network);
                self.move_all(&Street { network: &network }, ends);
            }
        }
        std::mem::swap(&mut self.rows, &mut self.rows_next);
        for region in &mut self.regions {
            self.events.append(&mut region.events);
        }
        self.attend(ends);
        self.hash.add(&self.events);
        self.count();
        self.tick += 1;
        #[cfg(debug_assertions)]
        self.check();
    }

    /// Loads who is due when the step begins into the queues of their regions.
    fn load(&mut self, ends: TimeDs) {
        if let Some(navigator) = &mut self.loader.navigator {
            navigator.look(self.tick, &self.strips, &self.rows);
        }
        let begun = TimeDs(self.now().0 + 1);
        while let Some((lane, mut waiting)) =
            self.loader.next_before(begun, &self.network, &self.strips, &self.rows, &self.regions)
        {
            self.places.push(AtomicU32::new(NONE));
            if let Some((itinerary, shift_ds)) = self.loader.itinerary(&waiting) {
                waiting.errand = self.errands.begin(waiting.vehicle, itinerary, shift_ds);
            }
            let vehicle = VehicleId(waiting.vehicle);
            let link = self.strips.all[lane as usize].link;
            self.events.push(Event { at: ends, what: What::Loaded { vehicle, link } });
            let region = &mut self.regions[self.strips.region_of(lane)];
            region.queues.entry(lane).or_default().push_back(waiting);
            self.totals.loaded += 1;
        }
    }

    fn let_in(&mut self, ends: TimeDs) {
        let loader = &self.loader;
        let template = |t: u32| loader.template(t);
        let mut coming = BTreeMap::new();
        if self.driving == Driving::Street {
            for lane in self.regions.iter().flat_map(|r| r.queues.keys()) {
                coming.insert(*lane, insertion::coming(&self.strips, &self.lamps, &self.rows, *lane));
            }
        }
        let gate = Gate {
            coming: &coming,
            strips: &self.strips,
            ways: &loader.ways,
            kinds: &self.kinds,
            template: &template,
            places: &self.places,
            tick: self.tick,
            begins: TimeDs(ends.0 - i64::from(self.step.0)),
            ends,
            dt_s: self.step.seconds(),
            by_rear: self.driving == Driving::Street,
        };
        let rows = cut(&mut self.rows, self.strips.bounds());
        let tasks = self.regions.iter_mut().zip(rows).filter(|(r, _)| !r.queues.is_empty()).collect();
        self.crew.each(tasks, |(region, rows): (&mut Region, &mut [Row])| insertion::let_in(&gate, region, rows));
    }

    /// People come and step off, before vehicles move: so drivers see them.
    fn walk(&mut self, ends: TimeDs) {
        let kerb = Kerb {
            strips: &self.strips,
            kinds: &self.kinds,
            lamps: &self.lamps,
            rows: &self.rows,
            dt_s: self.step.seconds(),
            begins: TimeDs(ends.0 - i64::from(self.step.0)),
            ends,
        };
        self.people.walk(&kerb, &mut self.events);
    }

    fn move_all(&mut self, driver: &impl driving::Driver, ends: TimeDs) {
        let bounds = self.strips.bounds();
        let mut scene = Scene {
            strips: &self.strips,
            ways: &self.loader.ways,
            kinds: &self.kinds,
            lamps: &self.lamps,
            crosses: &self.crosses,
            rows: &self.rows,
            busy: &[],
            errands: &self.errands,
            give_way: &self.people.give_way,
            places: &self.places,
            tick: self.tick,
            dt_s: self.step.seconds(),
            ends,
            seed: self.seed,
        };
        let tasks = self.regions.iter_mut().zip(cut(&mut self.busy, bounds)).collect();
        self.crew.each(tasks, |(region, busy): (&mut Region, &mut [bool])| tick::survey(&scene, region, busy));
        scene.busy = &self.busy;
        let rows = cut(&mut self.rows_next, bounds);
        let tasks = self.regions.iter_mut().zip(rows).zip(&mut self.mail).collect();
        self.crew.each(tasks, |((region, rows), out): ((&mut Region, &mut [Row]), &mut Outbox)| {
            tick::drive(driver, &scene, region, rows, out);
        });
        let (rows, mail) = (cut(&mut self.rows_next, bounds), &self.mail);
        let tasks = self.regions.iter_mut().zip(rows).collect();
        self.crew.each(tasks, |(region, rows): (&mut Region, &mut [Row])| {
            tick::arrive(&scene, region, rows, mail);
            if self.driving == Driving::Street {
                changing::change(&scene, region, rows);
            }
        });
    }

    fn count(&mut self) {
        let t = &mut self.totals;
        (t.inserted, t.arrived, t.vehicle_steps) = (0, 0, 0);
        for region in &self.regions {
            t.inserted += region.counts.inserted;
            t.arrived += region.counts.arrived;
            t.vehicle_steps += region.counts.steps;
        }
        t.waiting = t.loaded - t.inserted;
        (t.parked, t.leaving) = self.errands.off_road();
        t.on_road = t.inserted - t.arrived - t.parked - t.leaving;
    }

    /// What happened in the last step, in an order that does not depend on the number of threads.
    #[must_use]
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// A hash of all events since the beginning: two runs that differ anywhere differ here.
    #[must_use]
    pub const fn hash(&self) -> u64 {
        self.hash.value()
    }

    /// Vehicles with their front on a lane, foremost first.
    pub fn on_lane(&self, lane: LaneId) -> impl Iterator<Item = Vehicle> + '_ {
        self.on_strip(self.strips.of_lane(lane))
    }

    /// Vehicles with their front on the way across a node, foremost first.
    pub fn on_connection(&self, connection: ConnectionId) -> impl Iterator<Item = Vehicle> + '_ {
        self.on_strip(self.strips.of_connection(connection))
    }

    /// Number of vehicles with their front on a lane.
    #[must_use]
    pub fn count_on_lane(&self, lane: LaneId) -> usize {
        self.rows[self.strips.of_lane(lane) as usize].movers.len()
    }

    fn on_strip(&self, strip: StripId) -> impl Iterator<Item = Vehicle> + '_ {
        (0..self.rows[strip as usize].movers.len()).map(move |i| self.view(strip, i))
    }

    /// One vehicle on the road.
    #[must_use]
    pub fn vehicle(&self, id: VehicleId) -> Option<Vehicle> {
        let strip = self.strip_of(id)?;
        let i = self.rows[strip as usize].movers.iter().position(|m| m.vehicle == id.0)?;
        Some(self.view(strip, i))
    }

    /// The lane a vehicle's front is on; none when it is not on the road, or on its way across a node.
    #[must_use]
    pub fn lane_of(&self, id: VehicleId) -> Option<LaneId> {
        let s = &self.strips.all[self.strip_of(id)? as usize];
        (!s.is_connection).then_some(LaneId(s.id))
    }

    /// Links that a vehicle on the road still has before it, first the one it is on or, inside a node, comes from.
    pub fn links_ahead(&self, id: VehicleId) -> impl Iterator<Item = LinkId> + '_ {
        let found = self.strip_of(id).and_then(|strip| {
            let i = self.rows[strip as usize].movers.iter().position(|m| m.vehicle == id.0)?;
            let region = &self.regions[self.strips.region_of(strip)];
            let s = &self.strips.all[strip as usize];
            let lane = if s.is_connection { s.from } else { strip };
            Some((self.strips.all[lane as usize].link, region.riders[region.local(strip)][i].course))
        });
        found.into_iter().flat_map(move |(from, course)| self.loader.ways.ahead(from, id.0, course))
    }

    fn strip_of(&self, id: VehicleId) -> Option<StripId> {
        let strip = self.places.get(id.0 as usize)?.load(Ordering::Relaxed);
        (strip != NONE).then_some(strip)
    }

    fn view(&self, strip: StripId, i: usize) -> Vehicle {
        let m = &self.rows[strip as usize].movers[i];
        let s = &self.strips.all[strip as usize];
        let region = &self.regions[self.strips.region_of(strip)];
        let rider = &region.riders[region.local(strip)][i];
        let at_stop = m.flags & mover::STAYS != 0;
        let next = (m.next != NONE).then(|| &self.strips.all[m.next as usize]);
        let (next, next_lane) = match next {
            Some(c) if c.is_connection => (Some(ConnectionId(c.id)), Some(LaneId(self.strips.all[c.to as usize].id))),
            Some(lane) => (Some(ConnectionId(s.id)), Some(LaneId(lane.id))),
            None => (None, None),
        };
        Vehicle {
            id: VehicleId(m.vehicle),
            kind: self.kinds[usize::from(m.kind)].id,
            front_m: m.front_m as f32,
            length_m: m.length_m,
            speed_mps: m.speed_mps as f32,
            next,
            next_lane,
            stands_since: (m.stands() && !at_stop).then(|| self.after(m.stands_since + 1)),
            at_stop,
            journey: self.journey_until_now(strip, m, rider),
        }
    }

    fn journey_until_now(&self, strip: StripId, m: &mover::Mover, rider: &mover::Rider) -> Journey {
        let dt_s = self.step.seconds();
        let mut journey = rider.journey;
        let way_m = m.front_m - f64::from(rider.came_in_m);
        let limit_mps = self.strips.all[strip as usize].limit_mps * f64::from(m.factor);
        let wanted_mps = limit_mps.min(self.kinds[usize::from(m.kind)].speed_max_mps);
        journey.driven_m += way_m as f32;
        journey.time_loss_s += (f64::from(self.tick - m.entered) * dt_s - way_m / wanted_mps) as f32;
        if m.flags & mover::STAYS != 0 {
            journey.time_loss_s -= (f64::from(self.tick - m.stands_since - 1) * dt_s) as f32;
        } else if m.stands() {
            journey.waiting_s += (f64::from(self.tick - m.stands_since) * dt_s) as f32;
        }
        journey
    }

    /// Vehicles that wait outside the network to enter a link.
    #[must_use]
    pub fn waiting_outside(&self, link: LinkId) -> u32 {
        let region = &self.regions[self.strips.region_of_link(link)];
        let lanes = self.network.link(link).lanes.iter();
        lanes.filter_map(|l| region.queues.get(&self.strips.of_lane(*l))).map(|q| q.len() as u32).sum()
    }

    /// A vehicle's name: that of its trip, or its flow's with its number behind a dot.
    #[must_use]
    pub fn name(&self, id: VehicleId) -> Option<String> {
        self.loader.name(id)
    }

    /// When every vehicle that waits outside wanted to enter.
    pub fn due_outside(&self) -> impl Iterator<Item = (VehicleId, TimeDs)> + '_ {
        let queues = self.regions.iter().flat_map(|r| r.queues.values());
        queues.flatten().map(|w| (VehicleId(w.vehicle), w.due))
    }

    /// Every vehicle on the road: strip by strip, then those beside.
    pub fn on_road(&self) -> impl Iterator<Item = Vehicle> + '_ {
        (0..self.rows.len()).flat_map(move |strip| self.on_strip(strip as u32)).chain(self.beside())
    }

    /// Vehicles on the road, but beside its lanes: buses in bays, and vehicles between the street and a barrier.
    pub fn beside(&self) -> impl Iterator<Item = Vehicle> + '_ {
        let stays = self.errands.staying().map(|a| (a, true));
        stays.chain(self.errands.waiting().map(|a| (a, false))).map(move |(aside, at_stop)| {
            let (m, mut journey) = (&aside.mover, aside.rider.journey);
            if !at_stop {
                let waited_s = (f64::from(self.tick.saturating_sub(aside.since)) * self.step.seconds()) as f32;
                journey.time_loss_s += waited_s;
                journey.waiting_s += waited_s;
            }
            Vehicle {
                id: VehicleId(m.vehicle),
                kind: self.kinds[usize::from(m.kind)].id,
                front_m: m.front_m as f32,
                length_m: m.length_m,
                speed_mps: 0.0,
                next: None,
                next_lane: None,
                stands_since: None,
                at_stop,
                journey,
            }
        })
    }

    /// People at a crossing.
    #[must_use]
    pub fn people(&self, crossing: CrossingId) -> PeopleState {
        self.people.at(crossing)
    }

    /// Counts since the beginning.
    #[must_use]
    pub const fn totals(&self) -> Totals {
        self.totals
    }
}
