//! Split failures: greens that did not serve everybody who waited when they began.
//!
//! For every green of a signal group and each of its lanes: the last vehicle of the queue that heads for the group when its
//! green begins is remembered. If it is still on the lane when the green ends, the green failed there. Greens that found no
//! queue cannot fail, but count.

use greenkerb_models::ids::{ConnectionId, ControllerId, GroupId, LaneId};
use greenkerb_models::network::Network;
use serde::{Deserialize, Serialize};

use super::snapshot::Snapshot;
use super::window::Window;
use crate::micro::VehicleId;

/// Greens, each counted once per lane it serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Greens {
    /// Those that left somebody behind.
    pub failed: u64,
    /// All.
    pub all: u64,
}

impl Greens {
    /// Share that failed; none when there was no green.
    #[must_use]
    pub fn failed_share(&self) -> Option<f64> {
        (self.all > 0).then(|| self.failed as f64 / self.all as f64)
    }
}

#[derive(Debug, Clone)]
struct Watch {
    controller: ControllerId,
    group: GroupId,
    lane: LaneId,
    connections: Vec<ConnectionId>,
    green: bool,
    last_in_queue: Option<VehicleId>,
    greens: Greens,
}

/// Follows greens.
#[derive(Debug, Clone)]
pub struct SplitFailures {
    window: Window,
    watches: Vec<Watch>,
}

impl SplitFailures {
    /// For a network.
    #[must_use]
    pub fn new(network: &Network, window: Window) -> Self {
        let mut watches = Vec::new();
        for (c, controller) in network.controllers().iter().enumerate() {
            for (g, group) in controller.groups.iter().enumerate() {
                let mut connections = group.connections.clone();
                connections.sort_by_key(|c| (network.connection(*c).from_lane, *c));
                for same_lane in
                    connections.chunk_by(|a, b| network.connection(*a).from_lane == network.connection(*b).from_lane)
                {
                    watches.push(Watch {
                        controller: ControllerId::at(c),
                        group: GroupId::at(g),
                        lane: network.connection(same_lane[0]).from_lane,
                        connections: same_lane.to_vec(),
                        green: false,
                        last_in_queue: None,
                        greens: Greens::default(),
                    });
                }
            }
        }
        Self { window, watches }
    }

    /// Takes a look at heads and queues.
    pub fn sample(&mut self, street: &Snapshot) {
        for w in &mut self.watches {
            let green = street.head(w.controller, w.group).is_green();
            if green == w.green {
                continue;
            }
            w.green = green;
            let on_lane = street.on_lane(w.lane);
            if green {
                let queued = on_lane.iter().filter(|s| s.is_queued());
                let mut ours = queued.filter(|s| s.vehicle.next.is_some_and(|n| w.connections.contains(&n)));
                w.last_in_queue = ours.next_back().map(|s| s.vehicle.id);
            } else if self.window.covers(street.now()) {
                w.greens.all += 1;
                let left = w.last_in_queue.is_some_and(|last| on_lane.iter().any(|s| s.vehicle.id == last));
                w.greens.failed += u64::from(left);
            }
        }
    }

    /// Greens of one controller.
    #[must_use]
    pub fn of(&self, controller: ControllerId) -> Greens {
        Self::sum(self.watches.iter().filter(|w| w.controller == controller))
    }

    /// All greens.
    #[must_use]
    pub fn all(&self) -> Greens {
        Self::sum(self.watches.iter())
    }

    fn sum<'a>(watches: impl Iterator<Item = &'a Watch>) -> Greens {
        watches.fold(Greens::default(), |a, w| Greens { failed: a.failed + w.greens.failed, all: a.all + w.greens.all })
    }
}

#[cfg(test)]
mod tests {
    use greenkerb_models::signal::Indication;

    use super::super::samples::{at_s, car, crossroads, straight};
    use super::*;

    #[test]
    fn a_green_fails_when_the_last_of_its_queue_stays() {
        let network = crossroads();
        let (connection, lane, _) = straight(&network);
        let head = network.connection(connection).signal.unwrap();
        let mut failures = SplitFailures::new(&network, Window { from: at_s(0), to: at_s(200) });
        let mut look = |at, green: bool, queued: &[u32], rolling: &[u32]| {
            let shows = if green { Indication::Protected } else { Indication::Red };
            let cars = queued
                .iter()
                .map(|i| car(*i, 190.0 - *i as f32, 0.0, Some(connection)))
                .chain(rolling.iter().map(|i| car(*i, 50.0, 9.0, Some(connection))));
            let street = Snapshot::empty(&network, 0, at_s(at)).with_head(head.controller, head.group, shows);
            failures.sample(&street.with_lane(lane, cars.collect::<Vec<_>>()));
        };
        look(9, false, &[1, 2], &[]);
        look(10, true, &[1, 2], &[3]);
        look(20, false, &[3], &[]); // 1 and 2 are through; 3 came later
        look(50, true, &[3, 4, 5], &[]);
        look(55, false, &[4, 5], &[]); // 5 stays
        look(80, true, &[], &[]);
        look(85, false, &[], &[]); // nobody waited
        look(190, true, &[6], &[]);
        look(201, false, &[6], &[]); // ends after the window
        assert_eq!(failures.all(), Greens { failed: 1, all: 3 });
        assert_eq!(failures.of(head.controller).failed_share(), Some(1.0 / 3.0));
        assert_eq!(Greens::default().failed_share(), None);
    }
}
