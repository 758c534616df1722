//! The ledger of all vehicles of a run: what every one of them wanted and got.
//!
//! Loaded, inserted, parked and arrived are taken from events, so that they are exact; what a vehicle lost on its way is
//! taken from its journey, as it was last seen while it is under way, final when it has arrived.

use greenkerb_models::ids::{KindId, LinkId};
use greenkerb_models::units::TimeDs;

use super::snapshot::Snapshot;
use super::window::Window;
use crate::micro::{Event, Journey, VehicleId, What};

/// Where a vehicle is in its journey.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Waits outside the network to get in.
    Outside,
    /// On the road.
    OnRoad,
    /// Inside a parking facility.
    Parked,
    /// Inside a parking facility, waiting for room on the street.
    Leaving,
    /// Gone, at the end of its way.
    Arrived,
}

/// One vehicle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Record {
    /// When it was due.
    pub due: TimeDs,
    /// Where it wanted to enter.
    pub entry: LinkId,
    /// Its kind, once it was seen.
    pub kind: Option<KindId>,
    /// Where it is in its journey.
    pub stage: Stage,
    /// Since when.
    pub since: TimeDs,
    /// It was due in the window.
    pub counts: bool,
    /// Time spent outside and in facilities, waiting to get onto the road, until `since`.
    pub depart_delay_ds: i64,
    /// Time spent on the way (waiting to get onto the road included, parked not), until `since`.
    pub travel_ds: i64,
    /// Its journey, as last known.
    pub journey: Journey,
}

impl Record {
    /// Seconds it waited for room on the road, until `now`.
    #[must_use]
    pub fn depart_delay_s(&self, now: TimeDs) -> f64 {
        let running = match self.stage {
            Stage::Outside | Stage::Leaving => now.since(self.since).max(0),
            Stage::OnRoad | Stage::Parked | Stage::Arrived => 0,
        };
        (self.depart_delay_ds + running) as f64 / 10.0
    }

    /// Seconds since it was due, until it arrived or until `now`; stays in parking facilities left out.
    #[must_use]
    pub fn travel_s(&self, now: TimeDs) -> f64 {
        let running = match self.stage {
            Stage::Outside | Stage::Leaving | Stage::OnRoad => now.since(self.since).max(0),
            Stage::Parked | Stage::Arrived => 0,
        };
        (self.travel_ds + running) as f64 / 10.0
    }

    /// Seconds from entering until it arrived or until `now`; none when it never got in.
    #[must_use]
    pub fn trip_s(&self, now: TimeDs) -> Option<f64> {
        let until = match self.stage {
            Stage::Outside => return None,
            Stage::Arrived => self.since,
            Stage::OnRoad | Stage::Parked | Stage::Leaving => now,
        };
        Some(until.since(self.journey.inserted).max(0) as f64 / 10.0)
    }

    /// Seconds lost in all: on the way and waiting for room on the road.
    #[must_use]
    pub fn delay_s(&self, now: TimeDs) -> f64 {
        f64::from(self.journey.time_loss_s) + self.depart_delay_s(now)
    }

    fn enter(&mut self, stage: Stage, at: TimeDs) {
        let spent = at.since(self.since).max(0);
        if matches!(self.stage, Stage::Outside | Stage::Leaving) {
            self.depart_delay_ds += spent;
        }
        if matches!(self.stage, Stage::Outside | Stage::Leaving | Stage::OnRoad) {
            self.travel_ds += spent;
        }
        (self.stage, self.since) = (stage, at);
    }
}

/// All vehicles of a run.
#[derive(Debug, Clone)]
pub struct Vehicles {
    window: Window,
    records: Vec<Option<Record>>,
    now: TimeDs,
}

impl Vehicles {
    /// Nobody yet.
    #[must_use]
    pub fn new(window: Window) -> Self {
        Self { window, records: Vec::new(), now: window.from }
    }

    /// Takes an event in.
    pub fn event(&mut self, event: &Event) {
        self.now = event.at;
        let at = event.at;
        match event.what {
            What::Loaded { vehicle, link } => {
                let index = vehicle.0 as usize;
                if self.records.len() <= index {
                    self.records.resize(index + 1, None);
                }
                self.records[index] = Some(Record {
                    due: at,
                    entry: link,
                    kind: None,
                    stage: Stage::Outside,
                    since: at,
                    counts: self.window.covers(at),
                    depart_delay_ds: 0,
                    travel_ds: 0,
                    journey: Journey::default(),
                });
            }
            What::Inserted { vehicle, .. } => self.enter(vehicle, Stage::OnRoad, at),
            What::Parked { vehicle, journey, .. } => {
                self.enter(vehicle, Stage::Parked, at);
                self.set_journey(vehicle, journey);
            }
            What::Unparked { vehicle, .. } => self.enter(vehicle, Stage::Leaving, at),
            What::Arrived { vehicle, journey } => {
                self.enter(vehicle, Stage::Arrived, at);
                self.set_journey(vehicle, journey);
            }
            _ => {}
        }
    }

    /// Takes the journeys of all vehicles on the road as they are now.
    pub fn sample(&mut self, street: &Snapshot) {
        self.now = street.now();
        for vehicle in street.vehicles().iter().map(|s| &s.vehicle).chain(street.beside()) {
            if let Some(r) = self.get_mut(vehicle.id) {
                r.journey = vehicle.journey;
                r.kind = Some(vehicle.kind);
            }
        }
    }

    fn set_journey(&mut self, vehicle: VehicleId, journey: Journey) {
        if let Some(r) = self.get_mut(vehicle) {
            r.journey = journey;
        }
    }

    fn enter(&mut self, vehicle: VehicleId, stage: Stage, at: TimeDs) {
        if let Some(r) = self.get_mut(vehicle) {
            r.enter(stage, at);
        }
    }

    fn get_mut(&mut self, vehicle: VehicleId) -> Option<&mut Record> {
        self.records.get_mut(vehicle.0 as usize)?.as_mut()
    }

    /// One vehicle; none before it was loaded.
    #[must_use]
    pub fn get(&self, vehicle: VehicleId) -> Option<&Record> {
        self.records.get(vehicle.0 as usize)?.as_ref()
    }

    /// True when a vehicle was due in the window.
    #[must_use]
    pub fn counts(&self, vehicle: VehicleId) -> bool {
        self.get(vehicle).is_some_and(|r| r.counts)
    }

    /// Vehicles that count, in order of their numbers.
    pub fn counted(&self) -> impl Iterator<Item = &Record> {
        self.records.iter().flatten().filter(|r| r.counts)
    }

    /// The last instant seen.
    #[must_use]
    pub const fn now(&self) -> TimeDs {
        self.now
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{at_s, event, journey};
    use super::*;
    use greenkerb_models::ids::{FacilityId, LaneId};

    #[test]
    fn the_times_of_a_journey_with_a_stay() {
        let mut vehicles = Vehicles::new(Window { from: at_s(0), to: at_s(1_000) });
        let vehicle = VehicleId(0);
        let (lane, facility) = (LaneId(0), FacilityId(0));
        for (at, what) in [
            (10, What::Loaded { vehicle, link: LinkId(3) }),
            (15, What::Inserted { vehicle, lane }),
            (65, What::Parked { vehicle, facility, journey: journey(12.0), searched_m: 0.0 }),
            (500, What::Unparked { vehicle, facility }),
            (520, What::Inserted { vehicle, lane }),
            (560, What::Arrived { vehicle, journey: journey(30.0) }),
        ] {
            vehicles.event(&event(at, what));
        }
        let r = vehicles.get(vehicle).unwrap();
        assert_eq!((r.stage, r.entry), (Stage::Arrived, LinkId(3)));
        assert_eq!(r.depart_delay_s(at_s(900)), 5.0 + 20.0);
        assert_eq!(r.travel_s(at_s(900)), 55.0 + 60.0);
        assert_eq!(r.delay_s(at_s(900)), 55.0);
    }

    #[test]
    fn who_never_got_in_waits_until_now() {
        let mut vehicles = Vehicles::new(Window { from: at_s(5), to: at_s(100) });
        vehicles.event(&event(5, What::Loaded { vehicle: VehicleId(0), link: LinkId(0) }));
        vehicles.event(&event(6, What::Loaded { vehicle: VehicleId(1), link: LinkId(0) }));
        assert!(!vehicles.counts(VehicleId(0)), "due in the warm-up");
        assert!(!vehicles.counts(VehicleId(7)), "never loaded");
        let waiting = vehicles.counted().next().unwrap();
        assert_eq!((waiting.depart_delay_s(at_s(100)), waiting.travel_s(at_s(100))), (94.0, 94.0));
    }
}
