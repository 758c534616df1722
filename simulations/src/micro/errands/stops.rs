//! Stays at stops. A stay begins when the bus stands at the stop and lasts its dwell time, and until the timetable says so
//! where that is later (as SUMO has it: `duration` and `until` of a `<stop>`). On the lane a bus is in everybody's way; in a
//! bay it is in nobody's, and must be let in again.

use std::cmp::Reverse;

use greenkerb_models::demand::Stay;
use greenkerb_models::units::TimeDs;

use super::super::event::{Event, What};
use super::super::mover::{ERRAND, Mover, Rider, STAYS};
use super::super::strips::StripId;
use super::super::view::VehicleId;
use super::super::{Micro, NONE};
use super::itinerary::Purpose;

impl Micro {
    /// Before a step moves anybody: whose stay is over goes on, where there is room.
    pub(in super::super) fn go_on(&mut self, ends: TimeDs) {
        while let Some(Reverse((tick, slot))) = self.errands.agenda.peek().copied()
            && tick <= self.tick
        {
            self.errands.agenda.pop();
            self.end_stay(slot, ends);
        }
        let merging = std::mem::take(&mut self.errands.merging);
        for aside in merging {
            if self.put_back(&aside) {
                self.tell_left(aside.mover.vehicle, aside.purpose, ends);
            } else {
                self.errands.merging.push(aside);
            }
        }
    }

    /// After a step has moved everybody: sees to those who are at their place.
    pub(in super::super) fn attend(&mut self, ends: TimeDs) {
        for r in 0..self.regions.len() {
            let due = std::mem::take(&mut self.regions[r].due);
            for vehicle in &due {
                let Some((strip, i)) = self.find(*vehicle) else { continue };
                self.begin_stay(strip, i, ends);
            }
            self.regions[r].due = due;
            self.regions[r].due.clear();
        }
    }

    fn begin_stay(&mut self, strip: StripId, i: usize, ends: TimeDs) {
        let region = &self.regions[self.strips.region_of(strip)];
        let slot = region.riders[region.local(strip)][i].errand;
        let errand = self.errands.of(slot);
        let place = *errand.place();
        if strip != place.lane {
            // It has come past, which only happens when it could not brake.
            return self.skip(strip, i);
        }
        let Purpose::Stop(stay) = place.purpose else { return };
        let vehicle = VehicleId(errand.vehicle);
        let over = self.tick_after(&stay, errand.shift_ds, ends);
        self.events.push(Event { at: ends, what: What::AtStop { vehicle, stop: stay.stop } });
        self.errands.agenda.push(Reverse((over, slot)));
        if self.demand.stop(stay.stop).bay {
            if let Some(aside) = self.take_aside(strip, i, place.purpose) {
                self.errands.bays.push(aside);
            }
            return;
        }
        let (dt_s, tick) = (self.step.seconds(), self.tick);
        let m = &mut self.rows[strip as usize].movers[i];
        let stood_s = f64::from(tick - m.stands_since.min(tick)) * dt_s;
        m.flags |= STAYS;
        m.stands_since = tick;
        let region = &mut self.regions[self.strips.region_of(strip)];
        let local = region.local(strip);
        region.riders[local][i].journey.waiting_s += stood_s as f32;
    }

    /// The first step that begins when a stay is over.
    fn tick_after(&self, stay: &Stay, shift_ds: i64, begins: TimeDs) -> u32 {
        let dwelt = begins + stay.dwell;
        let until = stay.until.map_or(dwelt, |u| dwelt.max(TimeDs(u.0 + shift_ds)));
        let ds = until.since(self.begin).max(0) as u64;
        ds.div_ceil(u64::from(self.step.0)).min(u64::from(u32::MAX)) as u32
    }

    fn end_stay(&mut self, slot: u32, ends: TimeDs) {
        if let Some(i) = self.errands.bays.iter().position(|a| a.rider.errand == slot) {
            let mut aside = self.errands.bays.remove(i);
            aside.since = self.tick;
            self.onward(&mut aside.mover, &mut aside.rider, aside.lane);
            self.errands.merging.push(aside);
            return;
        }
        let Some((strip, i)) = self.find(self.errands.of(slot).vehicle) else { return };
        let purpose = self.errands.of(slot).place().purpose;
        let (mut m, mut rider) = self.taken(strip, i);
        // It has stood since the end of the step in which it came to a stand.
        rider.journey.time_loss_s -= (f64::from(self.tick - m.stands_since - 1) * self.step.seconds()) as f32;
        m.stands_since = self.tick;
        m.flags &= !STAYS;
        self.onward(&mut m, &mut rider, strip);
        self.put(strip, i, m, rider);
        self.tell_left(m.vehicle, purpose, ends);
    }

    /// Leaves a place out.
    fn skip(&mut self, strip: StripId, i: usize) {
        let (mut m, mut rider) = self.taken(strip, i);
        self.onward(&mut m, &mut rider, strip);
        self.put(strip, i, m, rider);
    }

    /// Sets a vehicle's course to what comes after its place, and forgets its errand after the last.
    fn onward(&mut self, m: &mut Mover, rider: &mut Rider, strip: StripId) {
        let slot = rider.errand;
        let errand = &mut self.errands.all[slot as usize];
        rider.course = errand.itinerary.courses[errand.next + 1].further(errand.passed(rider.course));
        if errand.next + 1 < errand.itinerary.places.len() {
            errand.next += 1;
        } else {
            m.flags &= !ERRAND;
            rider.errand = NONE;
            self.errands.free.push(slot);
        }
        if !self.strips.all[strip as usize].is_connection {
            m.next = self.loader.ways.connection(&self.strips, strip, m.vehicle, rider.course);
        }
    }

    fn taken(&self, strip: StripId, i: usize) -> (Mover, Rider) {
        let region = &self.regions[self.strips.region_of(strip)];
        (self.rows[strip as usize].movers[i], region.riders[region.local(strip)][i])
    }

    fn put(&mut self, strip: StripId, i: usize, m: Mover, rider: Rider) {
        let region = &mut self.regions[self.strips.region_of(strip)];
        let local = region.local(strip);
        region.riders[local][i] = rider;
        self.rows[strip as usize].movers[i] = m;
    }

    fn tell_left(&mut self, vehicle: u32, left: Purpose, ends: TimeDs) {
        if let Purpose::Stop(stay) = left {
            let what = What::LeftStop { vehicle: VehicleId(vehicle), stop: stay.stop };
            self.events.push(Event { at: ends, what });
        }
    }
}
