//! How vehicles moved over the lanes of the built-in street within a step.
//!
//! The street tells where vehicles are; detectors need how they came there, also of those whose front is beyond the stop
//! line while their rear is still on the lane. Within a step a vehicle is taken to move evenly, as SUMO's detectors take
//! it. A change of lane takes place at the end of the step.

use std::collections::{HashMap, HashSet};

use greenkerb_models::ids::LaneId;
use greenkerb_models::network::Network;
use greenkerb_models::units::TimeDs;

use crate::micro::{Micro, VehicleId, What};

/// How one vehicle moved over one lane within a step. Places are of its front, in metres from the start of the lane;
/// beyond the lane's length they go on across the node.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Passage {
    /// Which vehicle.
    pub vehicle: VehicleId,
    /// Where it was when the step began; none when it came onto the lane at the step's end, from beside or from nowhere.
    pub from_m: Option<f64>,
    /// Where it is at the step's end.
    pub to_m: f64,
    /// Bumper to bumper.
    pub length_m: f64,
    /// Its speed at the step's end.
    pub speed_mps: f64,
    /// It has left the lane sideways, or the road altogether, at the step's end.
    pub gone: bool,
}

/// Where a vehicle was last seen.
#[derive(Debug, Clone, Copy)]
struct Seen {
    lane: LaneId,
    at_m: f64,
    length_m: f64,
    speed_mps: f64,
}

/// Vehicles to which something happened in a step that decides how their last move is to be read.
#[derive(Debug, Default)]
struct News {
    /// They came onto the road where they are.
    inserted: HashSet<VehicleId>,
    /// They crossed the line at the end of their lane, or left the network there.
    drove_on: HashSet<VehicleId>,
}

impl News {
    fn of(street: &Micro) -> Self {
        let mut news = Self::default();
        for event in street.events() {
            match event.what {
                // A bus comes back from a bay.
                What::Inserted { vehicle, .. } | What::LeftStop { vehicle, .. } => news.inserted.insert(vehicle),
                What::Crossed { vehicle, .. } | What::Arrived { vehicle, .. } => news.drove_on.insert(vehicle),
                _ => continue,
            };
        }
        news
    }
}

/// Passages over the lanes of some links.
#[derive(Debug)]
pub struct Passages {
    /// Lanes looked at, with their lengths: those of every link that has a lane that is watched.
    lanes: Vec<(LaneId, f64)>,
    /// Vehicles whose front is on a lane that is looked at, or on the way across the node behind it.
    seen: HashMap<VehicleId, Seen>,
    /// Vehicles whose front is further on and whose rear is not; in order of their numbers.
    trailing: Vec<(VehicleId, Seen)>,
    of: HashMap<LaneId, Vec<Passage>>,
    last: Option<TimeDs>,
}

impl Passages {
    /// Passages over these lanes.
    #[must_use]
    pub fn over(network: &Network, watched: impl IntoIterator<Item = LaneId>) -> Self {
        let watched = watched.into_iter().map(|lane| network.lane(lane).link);
        let mut lanes: Vec<LaneId> = watched.flat_map(|link| network.link(link).lanes.iter().copied()).collect();
        lanes.sort_unstable();
        lanes.dedup();
        Self {
            of: lanes.iter().map(|lane| (*lane, Vec::new())).collect(),
            lanes: lanes.iter().map(|lane| (*lane, network.lane(*lane).length.get())).collect(),
            seen: HashMap::new(),
            trailing: Vec::new(),
            last: None,
        }
    }

    /// What happened on a lane in the step seen last. Vehicles that have left it come last.
    #[must_use]
    pub fn on(&self, lane: LaneId) -> &[Passage] {
        self.of.get(&lane).map_or(&[], Vec::as_slice)
    }

    /// Looks at the street after a step; the step's beginning and end, in seconds. None when it is the first look, or no
    /// time has passed since the last.
    pub fn see(&mut self, street: &Micro) -> Option<(f64, f64)> {
        let now = street.now();
        if self.last == Some(now) {
            return None;
        }
        let step = self.last.map(|last| (last.seconds(), now.seconds()));
        self.last = Some(now);
        let step_s = step.map_or(0.0, |(from_s, to_s)| to_s - from_s);
        let news = News::of(street);
        let before = std::mem::take(&mut self.seen);
        for i in 0..self.lanes.len() {
            self.look(street, self.lanes[i], step_s, &before, &news);
        }
        self.follow(street, step_s, before, &news);
        step
    }

    /// Who is on a lane, or beyond its line on the way across the node.
    fn look(
        &mut self,
        street: &Micro,
        (lane, lane_m): (LaneId, f64),
        step_s: f64,
        before: &HashMap<VehicleId, Seen>,
        news: &News,
    ) {
        let network = street.network();
        let link = network.lane(lane).link;
        let beyond = network.connections_from(lane).iter().flat_map(|c| street.on_connection(*c));
        let beyond = beyond.map(|v| (f64::from(v.front_m) + lane_m, v));
        let found = self.of.entry(lane).or_default();
        found.clear();
        for (to_m, v) in beyond.chain(street.on_lane(lane).map(|v| (f64::from(v.front_m), v))) {
            let (vehicle, length_m, speed_mps) = (v.id, f64::from(v.length_m), f64::from(v.speed_mps));
            let from_m = match before.get(&vehicle) {
                Some(was) if was.lane == lane => Some(was.at_m),
                Some(was) if network.lane(was.lane).link == link => None,
                _ if news.inserted.contains(&vehicle) => None,
                _ => Some((to_m - speed_mps * step_s).min(0.0)),
            };
            found.push(Passage { vehicle, from_m, to_m, length_m, speed_mps, gone: false });
            self.seen.insert(vehicle, Seen { lane, at_m: to_m, length_m, speed_mps });
        }
    }

    /// Those who are not on their lane any more: they drove on and their rear may still be there, or they are gone.
    fn follow(&mut self, street: &Micro, step_s: f64, before: HashMap<VehicleId, Seen>, news: &News) {
        let left = before.into_iter().filter(|(id, was)| self.seen.get(id).is_none_or(|now| now.lane != was.lane));
        let mut left: Vec<(VehicleId, Seen)> = left.chain(self.trailing.drain(..)).collect();
        left.sort_unstable_by_key(|(id, was)| (*id, was.lane));
        let lane_m = |lane: LaneId| street.network().lane(lane).length.get();
        for (vehicle, was) in left {
            let Seen { lane, at_m, length_m, .. } = was;
            let found = self.of.entry(lane).or_default();
            if at_m < lane_m(lane) && !news.drove_on.contains(&vehicle) {
                let (from_m, speed_mps) = (Some(at_m), was.speed_mps);
                found.push(Passage { vehicle, from_m, to_m: at_m, length_m, speed_mps, gone: true });
                continue;
            }
            // The street does not tell how far it is from this lane; one that has left the network goes on as it went.
            let speed_mps = street.vehicle(vehicle).map_or(was.speed_mps, |v| f64::from(v.speed_mps));
            let to_m = at_m + speed_mps * step_s;
            found.push(Passage { vehicle, from_m: Some(at_m), to_m, length_m, speed_mps, gone: false });
            if to_m - length_m < lane_m(lane) {
                self.trailing.push((vehicle, Seen { at_m: to_m, speed_mps, ..was }));
            }
        }
    }
}
