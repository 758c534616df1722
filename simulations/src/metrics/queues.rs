//! Queues over time: of the network minute by minute, and of every link.
//!
//! A vehicle is in a queue while it is slower than 1.4 m/s (5 km/h). Vehicles that wait outside the network are in the queue
//! of the link they want to enter. The reach of a queue is the distance from the line to the rear of its last vehicle.

use greenkerb_models::ids::{LaneId, LinkId};
use greenkerb_models::network::Network;
use greenkerb_models::units::TimeDs;
use serde::{Deserialize, Serialize};

use super::snapshot::Snapshot;
use super::window::Window;

/// Queue of one link.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct LinkQueue {
    /// Vehicles in it on average, those outside included.
    pub mean_veh: f64,
    /// Most vehicles in it at once.
    pub max_veh: u32,
    /// Farthest it reached, in metres from the line.
    pub max_reach_m: f64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    sum: u64,
    max_veh: u32,
    max_reach_m: f64,
    minute_sum: u64,
}

/// Follows queues.
#[derive(Debug, Clone)]
pub struct Queues {
    window: Window,
    began: TimeDs,
    links: Vec<Tally>,
    samples: u64,
    minute: Option<i64>,
    minute_samples: u64,
    profile: Vec<f64>,
    link_profiles: Option<Vec<Vec<f32>>>,
}

impl Queues {
    /// For a network and a run that begins at `began`; `with_links` keeps the profile of every link too.
    #[must_use]
    pub fn new(network: &Network, began: TimeDs, window: Window, with_links: bool) -> Self {
        let links = network.links().len();
        Self {
            window,
            began,
            links: vec![Tally::default(); links],
            samples: 0,
            minute: None,
            minute_samples: 0,
            profile: Vec::new(),
            link_profiles: with_links.then(|| vec![Vec::new(); links]),
        }
    }

    /// Takes a look at the street.
    pub fn sample(&mut self, street: &Snapshot, network: &Network) {
        let minute = (street.now().since(self.began) - 1).div_euclid(600);
        if self.minute.is_some_and(|m| m != minute) {
            self.end_minute();
        }
        self.minute = Some(minute);
        self.minute_samples += 1;
        let counts = self.window.covers(street.now());
        self.samples += u64::from(counts);
        for (i, (tally, link)) in self.links.iter_mut().zip(network.links()).enumerate() {
            let mut queue = street.outside(LinkId::at(i));
            let mut reach_m: f64 = 0.0;
            for lane in &link.lanes {
                let (queued, reach) = lane_queue(street, network, *lane);
                queue += queued;
                reach_m = reach_m.max(reach);
            }
            tally.minute_sum += u64::from(queue);
            if counts {
                tally.sum += u64::from(queue);
                tally.max_veh = tally.max_veh.max(queue);
                tally.max_reach_m = tally.max_reach_m.max(reach_m);
            }
        }
    }

    fn end_minute(&mut self) {
        let samples = self.minute_samples.max(1) as f64;
        self.profile.push(self.links.iter().map(|t| t.minute_sum).sum::<u64>() as f64 / samples);
        if let Some(profiles) = &mut self.link_profiles {
            for (profile, tally) in profiles.iter_mut().zip(&self.links) {
                profile.push((tally.minute_sum as f64 / samples) as f32);
            }
        }
        self.links.iter_mut().for_each(|t| t.minute_sum = 0);
        self.minute_samples = 0;
    }

    /// Ends the last minute.
    pub fn close(&mut self) {
        if self.minute.take().is_some() {
            self.end_minute();
        }
    }

    /// Vehicles in all queues, mean of every minute from the beginning of the run, warm-up included.
    #[must_use]
    pub fn profile(&self) -> &[f64] {
        &self.profile
    }

    /// The same of one link, where it was asked for.
    #[must_use]
    pub fn link_profile(&self, link: LinkId) -> Option<&[f32]> {
        self.link_profiles.as_ref().map(|p| p[link.index()].as_slice())
    }

    /// Queue of one link, after the warm-up.
    #[must_use]
    pub fn link(&self, link: LinkId) -> LinkQueue {
        let t = self.links[link.index()];
        LinkQueue {
            mean_veh: t.sum as f64 / self.samples.max(1) as f64,
            max_veh: t.max_veh,
            max_reach_m: t.max_reach_m,
        }
    }
}

/// Vehicles in the queue of a lane, and how far it reaches back from the line.
fn lane_queue(street: &Snapshot, network: &Network, lane: LaneId) -> (u32, f64) {
    let length_m = network.lane(lane).length.get();
    let queued = street.on_lane(lane).iter().filter(|s| s.is_queued());
    queued.fold((0, 0.0), |(n, reach_m), s| {
        let rear_m = f64::from(s.vehicle.front_m - s.vehicle.length_m).max(0.0);
        (n + 1, f64::max(reach_m, length_m - rear_m))
    })
}

#[cfg(test)]
mod tests {
    use super::super::samples::{at_s, car, crossroads, straight};
    use super::*;

    #[test]
    fn a_queue_grows_and_is_averaged_by_the_minute() {
        let network = crossroads();
        let (connection, lane, _) = straight(&network);
        let link = network.lane(lane).link;
        let length_m = network.lane(lane).length.get() as f32;
        let mut queues = Queues::new(&network, at_s(0), Window { from: at_s(60), to: at_s(120) }, true);
        for t in 1..=120 {
            let waiting =
                (0..(t / 60).min(1) + 1).map(|i| car(i as u32, length_m - 1.0 - 7.5 * i as f32, 0.0, Some(connection)));
            let moving = car(9, 20.0, 10.0, Some(connection));
            let street = Snapshot::empty(&network, 0, at_s(t)).with_lane(lane, waiting.chain([moving]));
            queues.sample(&street.with_outside(link, u32::from(t > 60)), &network);
        }
        queues.close();
        let profile = queues.profile();
        assert_eq!(profile.len(), 2);
        assert!((profile[0] - 61.0 / 60.0).abs() < 1e-9, "one, and in the 60th second two: {profile:?}");
        assert_eq!(profile[1], 3.0, "two on the road and one outside");
        assert_eq!(queues.link_profile(link).unwrap()[1], 3.0);
        let queue = queues.link(link);
        assert_eq!((queue.mean_veh, queue.max_veh), (3.0, 3));
        assert!((queue.max_reach_m - 13.5).abs() < 1e-3, "{queue:?}");
        assert_eq!(queues.link(network.lane(straight(&network).2).link), LinkQueue::default());
    }
}
