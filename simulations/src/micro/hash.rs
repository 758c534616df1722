//! A hash of everything that happened.

use super::event::{Event, Journey, What};

/// Hash of events in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EventHash(u64);

impl Default for EventHash {
    fn default() -> Self {
        Self(0x9E37_79B9_7F4A_7C15)
    }
}

impl EventHash {
    /// Adds what happened in a step.
    pub(crate) fn add(&mut self, events: &[Event]) {
        for e in events {
            self.mix(e.at.0 as u64);
            self.what(&e.what);
        }
    }

    /// Its value.
    pub(crate) const fn value(&self) -> u64 {
        self.0
    }

    fn mix(&mut self, v: u64) {
        // The mixing step of wyhash (public domain): a wide product, folded.
        let wide = u128::from(self.0 ^ v).wrapping_mul(0xA076_1D64_78BD_642F);
        self.0 = (wide as u64) ^ ((wide >> 64) as u64) ^ 0xE703_7ED1_A0B4_28DB;
    }

    fn pair(&mut self, kind: u64, a: u32, b: u32) {
        self.mix(kind);
        self.mix(u64::from(a) << 32 | u64::from(b));
    }

    fn journey(&mut self, journey: &Journey) {
        self.mix(journey.due.0 as u64);
        self.mix(journey.inserted.0 as u64);
        self.pair(7, journey.driven_m.to_bits(), journey.time_loss_s.to_bits());
        self.mix(u64::from(journey.waiting_s.to_bits()));
    }

    fn what(&mut self, what: &What) {
        match *what {
            What::Loaded { vehicle, link } => self.pair(1, vehicle.0, link.0),
            What::Inserted { vehicle, lane } => self.pair(2, vehicle.0, lane.0),
            What::Crossed { vehicle, connection } => self.pair(3, vehicle.0, connection.0),
            What::Entered { vehicle, lane } => self.pair(4, vehicle.0, lane.0),
            What::Stopped { vehicle, lane } => self.pair(5, vehicle.0, lane.0),
            What::Arrived { vehicle, journey } => {
                self.pair(6, vehicle.0, u32::from(journey.stops));
                self.journey(&journey);
            }
            What::Parked { vehicle, facility, journey, searched_m } => {
                self.pair(8, vehicle.0, facility.0);
                self.pair(15, u32::from(journey.stops), searched_m.to_bits());
                self.journey(&journey);
            }
            What::Unparked { vehicle, facility } => self.pair(9, vehicle.0, facility.0),
            What::Full { vehicle, facility, .. } => self.pair(10, vehicle.0, facility.0),
            What::AtStop { vehicle, stop } => self.pair(11, vehicle.0, stop.0),
            What::LeftStop { vehicle, stop } => self.pair(14, vehicle.0, stop.0),
            What::PersonCame { crossing } => self.pair(12, crossing.0, 0),
            What::PersonCrossed { crossing, waited_s } => self.pair(13, crossing.0, waited_s.to_bits()),
        }
    }
}
