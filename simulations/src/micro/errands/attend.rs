//! Between two moves: who is at a place begins what it came for, and who is done there goes on.

use std::cmp::Reverse;
use std::sync::Arc;

use greenkerb_models::ids::StopId;
use greenkerb_models::units::TimeDs;

use super::super::event::{Event, What};
use super::super::mover::{ERRAND, Mover, Rider};
use super::super::strips::StripId;
use super::super::view::VehicleId;
use super::super::{Micro, NONE};
use super::itinerary::{Itinerary, Purpose};

impl Micro {
    /// Before a step moves anybody: whose stay is over goes on, where there is room.
    pub(in super::super) fn go_on(&mut self, ends: TimeDs) {
        while let Some(Reverse((tick, slot))) = self.errands.agenda.peek().copied()
            && tick <= self.tick
        {
            self.errands.agenda.pop();
            match self.errands.of(slot).place().purpose {
                Purpose::Stop(stay) => self.end_stay(slot, &stay, ends),
                Purpose::Park(parking) => self.end_parking(slot, parking.facility, ends),
            }
        }
        for aside in std::mem::take(&mut self.errands.merging) {
            match aside.purpose {
                Purpose::Stop(stay) if self.put_back(&aside) => self.tell_left(aside.mover.vehicle, stay.stop, ends),
                _ => self.errands.merging.push(aside),
            }
        }
        self.leave_facilities(ends);
    }

    /// After a step has moved everybody: sees to those who are at their place, and to barriers.
    pub(in super::super) fn attend(&mut self, ends: TimeDs) {
        for r in 0..self.regions.len() {
            let mut due = std::mem::take(&mut self.regions[r].due);
            for vehicle in due.drain(..) {
                let Some((strip, i)) = self.find(vehicle) else { continue };
                let (_, rider) = self.taken(strip, i);
                let place = *self.errands.of(rider.errand).place();
                match place.purpose {
                    Purpose::Park(parking) => self.at_facility(strip, i, parking, ends),
                    Purpose::Stop(stay) if strip == place.lane => self.begin_stay(strip, i, stay, ends),
                    // It has come past, which only happens when it could not brake.
                    Purpose::Stop(_) => self.skip(strip, i),
                }
            }
            self.regions[r].due = due;
        }
        self.open_barriers(ends);
    }

    /// The first step that begins at or after an instant.
    pub(super) fn tick_from(&self, at: TimeDs) -> u32 {
        let ds = at.since(self.begin).max(0) as u64;
        ds.div_ceil(u64::from(self.step.0)).min(u64::from(u32::MAX - 1)) as u32
    }

    /// Leaves the place out that a vehicle heads for.
    pub(super) fn skip(&mut self, strip: StripId, i: usize) {
        let (mut m, mut rider) = self.taken(strip, i);
        self.onward(&mut m, &mut rider, strip);
        self.put(strip, i, m, rider);
    }

    /// Sets a vehicle's course to what comes after its place, and forgets its errand after the last.
    pub(super) fn onward(&mut self, m: &mut Mover, rider: &mut Rider, strip: StripId) {
        let slot = rider.errand;
        let errand = &mut self.errands.all[slot as usize];
        rider.course = errand.itinerary.courses[errand.next + 1].further(errand.passed(rider.course));
        if errand.next + 1 < errand.itinerary.places.len() {
            errand.next += 1;
        } else {
            self.errands.free.push(slot);
            m.flags &= !ERRAND;
            rider.errand = NONE;
        }
        self.head_on(m, rider, strip);
    }

    /// Sets a vehicle that is on the first link of a new itinerary on its way.
    pub(super) fn follow(&mut self, m: &mut Mover, rider: &mut Rider, strip: StripId, itinerary: Itinerary) {
        let errand = &mut self.errands.all[rider.errand as usize];
        rider.course = itinerary.courses[0];
        if itinerary.places.is_empty() {
            self.errands.free.push(rider.errand);
            m.flags &= !ERRAND;
            rider.errand = NONE;
        } else {
            (errand.itinerary, errand.next) = (Arc::new(itinerary), 0);
            m.flags |= ERRAND;
        }
        self.head_on(m, rider, strip);
    }

    /// Sets where a vehicle goes at the end of its lane, after its course has changed.
    fn head_on(&self, m: &mut Mover, rider: &Rider, strip: StripId) {
        if !self.strips.all[strip as usize].is_connection {
            m.next = self.loader.ways.connection(&self.strips, strip, m.vehicle, rider.course);
            m.beyond = self.loader.ways.beyond(&self.strips, m.next, m.vehicle, rider.course);
        }
    }

    /// A vehicle in a row.
    pub(super) fn taken(&self, strip: StripId, i: usize) -> (Mover, Rider) {
        let region = &self.regions[self.strips.region_of(strip)];
        (self.rows[strip as usize].movers[i], region.riders[region.local(strip)][i])
    }

    /// Puts it there again, changed.
    pub(super) fn put(&mut self, strip: StripId, i: usize, m: Mover, rider: Rider) {
        let region = &mut self.regions[self.strips.region_of(strip)];
        let local = region.local(strip);
        region.riders[local][i] = rider;
        self.rows[strip as usize].movers[i] = m;
    }

    pub(super) fn tell(&mut self, at: TimeDs, what: What) {
        self.events.push(Event { at, what });
    }

    pub(super) fn tell_left(&mut self, vehicle: u32, stop: StopId, ends: TimeDs) {
        self.tell(ends, What::LeftStop { vehicle: VehicleId(vehicle), stop });
    }
}
