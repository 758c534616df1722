//! Vehicles that tell how long each link took them.

use std::collections::HashMap;

use greenkerb_models::ids::LinkId;
use greenkerb_models::units::TimeDs;

use crate::micro::{Micro, VehicleId, What};
use crate::random::SplitMix64;

/// How long one link took one vehicle: from its start to the line at its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkTime {
    /// The link.
    pub link: LinkId,
    /// When the vehicle came onto it from a node.
    pub entered: TimeDs,
    /// When it crossed the line at its end.
    pub left: TimeDs,
}

impl LinkTime {
    /// Travel time in seconds.
    #[must_use]
    pub fn travel_s(&self) -> f64 {
        self.left.since(self.entered) as f64 / 10.0
    }
}

/// A share of the vehicles, chosen by seed. They tell nothing of the link on which they enter the road: they have not
/// driven all of it.
#[derive(Debug, Clone)]
pub struct Probes {
    share: f64,
    seed: u64,
    on: HashMap<VehicleId, (LinkId, TimeDs)>,
    times: Vec<LinkTime>,
}

impl Probes {
    /// Probes among all vehicles; `share` from 0 to 1.
    #[must_use]
    pub fn new(share: f64, seed: u64) -> Self {
        Self { share, seed, on: HashMap::new(), times: Vec::new() }
    }

    /// True when a vehicle is one of them.
    #[must_use]
    pub fn chosen(&self, vehicle: VehicleId) -> bool {
        SplitMix64(self.seed ^ (u64::from(vehicle.0) << 32 | u64::from(vehicle.0))).unit() < self.share
    }

    /// Takes in what happened in the street's last step.
    pub fn see(&mut self, street: &Micro) {
        for event in street.events() {
            match event.what {
                What::Entered { vehicle, lane } if self.chosen(vehicle) => {
                    self.on.insert(vehicle, (street.network().lane(lane).link, event.at));
                }
                What::Crossed { vehicle, connection } => {
                    let Some((link, entered)) = self.on.remove(&vehicle) else { continue };
                    let from = street.network().connection(connection).from_lane;
                    if street.network().lane(from).link == link {
                        self.times.push(LinkTime { link, entered, left: event.at });
                    }
                }
                What::Arrived { vehicle, .. } | What::Parked { vehicle, .. } => {
                    self.on.remove(&vehicle);
                }
                _ => {}
            }
        }
    }

    /// What was told since the last time, oldest first.
    pub fn take(&mut self) -> Vec<LinkTime> {
        std::mem::take(&mut self.times)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_is_kept_and_follows_the_seed() {
        let count = |probes: &Probes| (0..10_000).filter(|id| probes.chosen(VehicleId(*id))).count();
        let chosen = count(&Probes::new(0.1, 1));
        assert!((900..1100).contains(&chosen), "{chosen} of 10,000");
        assert_eq!((count(&Probes::new(0.0, 1)), count(&Probes::new(1.0, 1))), (0, 10_000));
        let (one, two) = (Probes::new(0.5, 1), Probes::new(0.5, 2));
        assert!((0..100).any(|id| one.chosen(VehicleId(id)) != two.chosen(VehicleId(id))));
    }
}
