//! Stays at stops. A stay begins when the bus stands at the stop and lasts its dwell time, and until the timetable says so
//! where that is later (as SUMO has it: `duration` and `until` of a `<stop>`). On the lane a bus is in everybody's way; in a
//! bay it is in nobody's, and must be let in again.

use std::cmp::Reverse;

use greenkerb_models::demand::Stay;
use greenkerb_models::units::TimeDs;

use super::super::Micro;
use super::super::event::What;
use super::super::mover::STAYS;
use super::super::strips::StripId;
use super::super::view::VehicleId;
use super::itinerary::Purpose;

impl Micro {
    pub(super) fn begin_stay(&mut self, strip: StripId, i: usize, stay: Stay, ends: TimeDs) {
        let (mut m, mut rider) = self.taken(strip, i);
        let slot = rider.errand;
        let shift_ds = self.errands.of(slot).shift_ds;
        let dwelt = ends + stay.dwell;
        let over = stay.until.map_or(dwelt, |until| dwelt.max(TimeDs(until.0 + shift_ds)));
        self.tell(ends, What::AtStop { vehicle: VehicleId(m.vehicle), stop: stay.stop });
        self.errands.agenda.push(Reverse((self.tick_from(over), slot)));
        if self.demand.stop(stay.stop).bay {
            let aside = self.take_aside(strip, i, Purpose::Stop(stay));
            self.errands.bays.extend(aside);
            return;
        }
        rider.journey.waiting_s += (f64::from(self.tick - m.stands_since.min(self.tick)) * self.step.seconds()) as f32;
        m.stands_since = self.tick;
        m.flags |= STAYS;
        self.put(strip, i, m, rider);
    }

    pub(super) fn end_stay(&mut self, slot: u32, stay: &Stay, ends: TimeDs) {
        if let Some(i) = self.errands.bays.iter().position(|a| a.rider.errand == slot) {
            let mut aside = self.errands.bays.remove(i);
            aside.since = self.tick;
            self.onward(&mut aside.mover, &mut aside.rider, aside.lane);
            self.errands.merging.push(aside);
            return;
        }
        let Some((strip, i)) = self.find(self.errands.of(slot).vehicle) else { return };
        let (mut m, mut rider) = self.taken(strip, i);
        // It has stood since the end of the step in which it came to a stand.
        rider.journey.time_loss_s -= (f64::from(self.tick - m.stands_since - 1) * self.step.seconds()) as f32;
        m.stands_since = self.tick;
        m.flags &= !STAYS;
        self.onward(&mut m, &mut rider, strip);
        self.put(strip, i, m, rider);
        self.tell_left(m.vehicle, stay.stop, ends);
    }
}
