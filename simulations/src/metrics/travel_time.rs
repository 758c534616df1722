//! Travel times under the two names that papers use, and as SUMO tells them.
//!
//! * **native**: what CityFlow's engine calls average travel time. Every loaded vehicle counts from the instant it was due
//!   until it arrived or the run ended, the queue outside the network included.
//! * **ATT**: what the papers on learnt signal control print. Every vehicle that was ever on a lane that leads to a signal
//!   counts with the time it spent on such lanes; the queue outside, ways across nodes and the last link do not count.
//! * **trip**: the mean `duration` of SUMO's tripinfo output, unfinished trips included. Every vehicle that got in counts
//!   from entering until it arrived or the run ended; the queue outside does not.

use greenkerb_models::ids::LaneId;
use greenkerb_models::network::Network;
use greenkerb_models::units::TimeDs;
use serde::{Deserialize, Serialize};

use super::vehicles::Vehicles;
use crate::micro::{Event, VehicleId, What};

/// Travel times of a run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TravelTime {
    /// CityFlow's native average, in seconds; none when no vehicle was loaded.
    pub native_s: Option<f64>,
    /// The papers' ATT, in seconds; none when no vehicle came to a signal.
    pub att_s: Option<f64>,
    /// SUMO's mean trip duration, in seconds; none when no vehicle got in.
    pub trip_s: Option<f64>,
}

/// Adds up travel times.
#[derive(Debug, Clone)]
pub struct TravelTimes {
    signalised: Vec<bool>,
    /// Per vehicle: deciseconds on lanes that lead to a signal, and since when it is on one.
    on_approaches: Vec<(i64, Option<TimeDs>, bool)>,
}

impl TravelTimes {
    /// For a network.
    #[must_use]
    pub fn new(network: &Network) -> Self {
        let leads_to_signal =
            |lane: &greenkerb_models::network::Lane| network.node(network.link(lane.link).to).controller.is_some();
        Self { signalised: network.lanes().iter().map(leads_to_signal).collect(), on_approaches: Vec::new() }
    }

    /// Takes an event in.
    pub fn event(&mut self, event: &Event) {
        match event.what {
            What::Inserted { vehicle, lane } | What::Entered { vehicle, lane } => self.enter(vehicle, lane, event.at),
            What::Crossed { vehicle, .. } | What::Arrived { vehicle, .. } | What::Parked { vehicle, .. } => {
                self.leave(vehicle, event.at);
            }
            _ => {}
        }
    }

    fn enter(&mut self, vehicle: VehicleId, lane: LaneId, at: TimeDs) {
        let index = vehicle.0 as usize;
        if self.on_approaches.len() <= index {
            self.on_approaches.resize(index + 1, (0, None, false));
        }
        if self.signalised[lane.index()] {
            self.on_approaches[index].1 = Some(at);
            self.on_approaches[index].2 = true;
        }
    }

    fn leave(&mut self, vehicle: VehicleId, at: TimeDs) {
        if let Some((spent_ds, since, _)) = self.on_approaches.get_mut(vehicle.0 as usize)
            && let Some(entered) = since.take()
        {
            *spent_ds += at.since(entered);
        }
    }

    /// The averages at an instant.
    #[must_use]
    pub fn at(&self, vehicles: &Vehicles, now: TimeDs) -> TravelTime {
        let mean = |sum: f64, n: u64| (n > 0).then(|| sum / n as f64);
        let (sum, n) = vehicles.counted().fold((0.0, 0), |(sum, n), r| (sum + r.travel_s(now), n + 1));
        let (mut att_ds, mut seen) = (0, 0);
        for (index, (spent_ds, since, ever)) in self.on_approaches.iter().enumerate() {
            if *ever && u32::try_from(index).is_ok_and(|i| vehicles.counts(VehicleId(i))) {
                att_ds += spent_ds + since.map_or(0, |s| now.since(s));
                seen += 1;
            }
        }
        let trips = vehicles.counted().filter_map(|r| r.trip_s(now));
        let (trips_s, trips_n) = trips.fold((0.0, 0), |(sum, n), s| (sum + s, n + 1));
        TravelTime { native_s: mean(sum, n), att_s: mean(att_ds as f64 / 10.0, seen), trip_s: mean(trips_s, trips_n) }
    }
}

#[cfg(test)]
mod tests {
    use greenkerb_models::ids::{ConnectionId, LinkId};

    use super::super::samples::{at_s, crossroads, event, journey};
    use super::super::window::Window;
    use super::*;
    use crate::micro::Journey;

    #[test]
    fn native_counts_the_queue_outside_and_att_only_approaches() {
        let network = crossroads();
        let approach = network.connections()[0].from_lane;
        let exit = network.connections()[0].to_lane;
        let mut vehicles = Vehicles::new(Window { from: at_s(0), to: at_s(100) });
        let mut times = TravelTimes::new(&network);
        let [a, b] = [VehicleId(0), VehicleId(1)];
        for (at, what) in [
            (1, What::Loaded { vehicle: a, link: LinkId(0) }),
            (11, What::Inserted { vehicle: a, lane: approach }),
            (41, What::Crossed { vehicle: a, connection: ConnectionId(0) }),
            (43, What::Entered { vehicle: a, lane: exit }),
            (50, What::Loaded { vehicle: b, link: LinkId(0) }),
            (61, What::Arrived { vehicle: a, journey: Journey { inserted: at_s(10), ..journey(0.0) } }),
        ] {
            vehicles.event(&event(at, what));
            times.event(&event(at, what));
        }
        let time = times.at(&vehicles, at_s(100));
        assert_eq!(time.native_s, Some((60.0 + 50.0) / 2.0));
        assert_eq!(time.att_s, Some(30.0), "who never got in is unknown to it");
        assert_eq!(time.trip_s, Some(51.0), "from the beginning of the step it entered in");
    }

    #[test]
    fn of_nobody_there_is_no_average() {
        let times = TravelTimes::new(&crossroads());
        let vehicles = Vehicles::new(Window { from: at_s(0), to: at_s(100) });
        assert_eq!(times.at(&vehicles, at_s(100)), TravelTime { native_s: None, att_s: None, trip_s: None });
    }
}
