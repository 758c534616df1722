//! Parking facilities: the street, the mouth, the barrier, the bays, and back onto the street.
//!
//! A driver turns into the mouth where there is room in it, and then has a bay for sure. The barrier takes its time for one
//! vehicle after the other; while the mouth is full, those behind stand on the lane, in everybody's way. Without a mouth the
//! barrier is on the street itself, and without either (a bay at the kerb) one comes to a stand beside the bay and is in it.
//! Who finds all bays taken goes on to another facility (`search`). Who leaves waits inside for a gap (`beside`), one after
//! the other, and keeps its bay until it is on the street.

use std::cmp::Reverse;
use std::collections::{BTreeMap, VecDeque};

use greenkerb_models::demand::{Facility, Parking};
use greenkerb_models::ids::{FacilityId, LaneId, LinkId};
use greenkerb_models::units::TimeDs;

use super::super::Micro;
use super::super::event::{Journey, What};
use super::super::strips::{NONE, StripId, may_use};
use super::super::view::{FacilityState, VehicleId};
use super::beside::Aside;
use super::itinerary::Purpose;

/// Between the entrance and where vehicles come out of it again, beside the length of a vehicle, in metres.
const EXIT_M: f64 = 1.0;

/// A facility as it is.
#[derive(Debug, Clone)]
pub(crate) struct Parked {
    capacity: u32,
    room: usize,
    /// Bays taken, and how many of them when the run began.
    pub(super) occupied: u32,
    #[cfg(debug_assertions)]
    at_first: u32,
    /// Vehicles between the street and the barrier, first come first.
    pub(super) mouth: VecDeque<Aside>,
    /// Who is at the barrier on the street, where there is no mouth.
    at_barrier: Option<u32>,
    /// When the barrier lets the first vehicle through.
    opens: TimeDs,
    /// Vehicles inside that will leave, by errand.
    inside: BTreeMap<u32, Aside>,
    /// Vehicles that want back onto the street, first come first.
    pub(super) leaving: VecDeque<Aside>,
}

impl Parked {
    pub(crate) fn new(facility: &Facility) -> Self {
        Self {
            capacity: facility.capacity,
            room: facility.mouth as usize,
            occupied: facility.occupied,
            #[cfg(debug_assertions)]
            at_first: facility.occupied,
            mouth: VecDeque::new(),
            at_barrier: None,
            opens: TimeDs(i64::MIN),
            inside: BTreeMap::new(),
            leaving: VecDeque::new(),
        }
    }

    /// Bays taken by those who came.
    #[cfg(debug_assertions)]
    pub(super) fn taken(&self) -> u64 {
        u64::from(self.occupied - self.at_first)
    }

    /// No bay is left for one who comes.
    pub(crate) fn is_full(&self) -> bool {
        self.occupied as usize + self.mouth.len() + usize::from(self.at_barrier.is_some()) >= self.capacity as usize
    }

    /// One can turn in without stopping on the street.
    pub(crate) fn is_open(&self) -> bool {
        self.mouth.len() < self.room
    }

    /// A vehicle is on its way through the barrier, which is on the street.
    pub(crate) fn serves(&self, vehicle: u32) -> bool {
        self.at_barrier == Some(vehicle)
    }
}

impl Micro {
    /// A driver comes to a facility: turns in, waits for the barrier, or goes on.
    pub(super) fn at_facility(&mut self, strip: StripId, i: usize, parking: Parking, ends: TimeDs) {
        let f = parking.facility.index();
        let (m, rider) = self.taken(strip, i);
        let place = *self.errands.of(rider.errand).place();
        let now = &self.errands.facilities[f];
        if strip != place.lane && !now.is_full() {
            // It has come past, which only happens when it could not brake.
            let passed = self.errands.of(rider.errand).passed(rider.course);
            if passed > place.link || self.strips.all[strip as usize].is_connection {
                self.come_again(strip, i, parking);
            }
            return;
        }
        if now.is_full() && !now.serves(m.vehicle) {
            return self.find_full(strip, i, parking, ends);
        }
        let service = self.demand.facility(parking.facility).service;
        if now.room > 0 {
            if now.is_open()
                && let Some(aside) = self.take_aside(strip, i, place.purpose)
            {
                let step = i64::from(self.step.0);
                let now = &mut self.errands.facilities[f];
                if now.mouth.is_empty() {
                    // Who has waited for the one before it is served as soon as that is through; who comes to a free
                    // barrier, once it is there.
                    let freed = TimeDs(now.opens.0.saturating_sub(i64::from(service.0)));
                    let begins = if freed.0 >= ends.0 - step { freed } else { ends };
                    now.opens = begins + service;
                }
                now.mouth.push_back(aside);
            }
            return;
        }
        let now = &mut self.errands.facilities[f];
        if now.at_barrier.is_none() {
            (now.at_barrier, now.opens) = (Some(m.vehicle), ends + service);
        }
        if now.serves(m.vehicle) && now.opens <= ends {
            now.at_barrier = None;
            if let Some(aside) = self.take_aside(strip, i, place.purpose) {
                self.park(aside, parking, ends);
            }
        }
    }

    /// Lets everybody through whose time at the barrier is over.
    pub(super) fn open_barriers(&mut self, ends: TimeDs) {
        for f in 0..self.errands.facilities.len() {
            let id = FacilityId::at(f);
            while self.errands.facilities[f].opens <= ends
                && let Some(aside) = self.errands.facilities[f].mouth.pop_front()
            {
                let service = self.demand.facility(id).service;
                let now = &mut self.errands.facilities[f];
                now.opens = TimeDs(now.opens.0.max(ends.0 - i64::from(self.step.0))) + service;
                if let Purpose::Park(parking) = aside.purpose {
                    self.park(aside, parking, ends);
                }
            }
        }
    }

    fn park(&mut self, mut aside: Aside, parking: Parking, ends: TimeDs) {
        let (slot, vehicle) = (aside.rider.errand, VehicleId(aside.mover.vehicle));
        // Waiting in the mouth is a loss like any other.
        let waited_s = (f64::from(self.tick + 1 - aside.since) * self.step.seconds()) as f32;
        let journey: &mut Journey = &mut aside.rider.journey;
        journey.time_loss_s += waited_s;
        journey.waiting_s += waited_s;
        let journey = *journey;
        let searched_m = self.errands.all[slot as usize].search.take().map_or(0.0, |s| journey.driven_m - s.from_m);
        self.tell(ends, What::Parked { vehicle, facility: parking.facility, journey, searched_m });
        self.errands.parked += 1;
        let now = &mut self.errands.facilities[parking.facility.index()];
        now.occupied += 1;
        match parking.stay {
            Some(stay) => {
                now.inside.insert(slot, aside);
                self.errands.agenda.push(Reverse((self.tick_from(ends + stay), slot)));
            }
            None => self.errands.free.push(slot),
        }
    }

    /// A vehicle wants to leave: it takes its place among those who do.
    pub(super) fn end_parking(&mut self, slot: u32, facility: FacilityId, ends: TimeDs) {
        let Some(mut aside) = self.errands.facilities[facility.index()].inside.remove(&slot) else { return };
        let f = self.demand.facility(facility);
        let vehicle = VehicleId(aside.mover.vehicle);
        let length_m = f64::from(aside.mover.length_m);
        let entrance = self.strips.of_lane(f.entrance);
        if f.exit == self.strips.all[entrance as usize].link {
            let end_m = self.strips.all[entrance as usize].length_m;
            aside.lane = entrance;
            aside.mover.front_m = (f.entrance_at.get() + length_m + EXIT_M).min(end_m - EXIT_M).max(0.0);
        } else {
            aside.lane = self.exit_lane(f.exit, &aside);
            aside.mover.front_m = length_m.min(self.strips.all[aside.lane as usize].length_m);
        }
        aside.since = self.tick;
        self.way_out(&mut aside, f.exit);
        self.tell(ends, What::Unparked { vehicle, facility });
        self.errands.parked -= 1;
        self.errands.facilities[facility.index()].leaving.push_back(aside);
    }

    /// The rightmost lane of a link that a vehicle may use.
    fn exit_lane(&self, link: LinkId, aside: &Aside) -> StripId {
        let class = self.demand.kind(self.kinds[usize::from(aside.mover.kind)].id).class;
        let lanes = &self.network.link(link).lanes;
        let lane = lanes.iter().find(|l| may_use(class, self.network.lane(**l).admits)).unwrap_or(&lanes[0]);
        self.strips.of_lane(*lane)
    }

    /// Lets those onto the street for whom there is room, one of every facility.
    pub(super) fn leave_facilities(&mut self, ends: TimeDs) {
        for f in 0..self.errands.facilities.len() {
            let Some(aside) = self.errands.facilities[f].leaving.front().copied() else { continue };
            if self.put_back(&aside) {
                let now = &mut self.errands.facilities[f];
                now.leaving.pop_front();
                now.occupied -= 1;
                let lane = LaneId(self.strips.all[aside.lane as usize].id);
                self.tell(ends, What::Inserted { vehicle: VehicleId(aside.mover.vehicle), lane });
            }
        }
    }

    /// A parking facility.
    #[must_use]
    pub fn facility(&self, facility: FacilityId) -> FacilityState {
        let (now, f) = (&self.errands.facilities[facility.index()], self.demand.facility(facility));
        let entrance = self.strips.of_lane(f.entrance);
        let region = &self.regions[self.strips.region_of(entrance)];
        let movers = self.rows[entrance as usize].movers.iter().zip(&region.riders[region.local(entrance)]);
        let waits = movers.filter(|(m, rider)| {
            m.stands() && rider.errand != NONE && {
                let place = self.errands.of(rider.errand).place();
                let heads_there = matches!(place.purpose, Purpose::Park(p) if p.facility == facility);
                heads_there
                    && place.lane == entrance
                    && self.errands.of(rider.errand).passed(rider.course) == place.link
            }
        });
        let on_street = if now.is_open() { 0 } else { waits.count() as u32 };
        FacilityState { occupied: now.occupied, in_mouth: now.mouth.len() as u32, on_street }
    }
}
