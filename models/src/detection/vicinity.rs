//! From where vehicles come to a junction: the links whose vehicles may be in its pictures.

use crate::ids::{ControllerId, LinkId};
use crate::network::Network;

/// How far upstream of the stop line a link may end, metres.
const REACH_M: f64 = 1_000.0;

/// Controllers that lie ahead of each link, across nodes without signals.
#[derive(Debug, Clone)]
pub struct Vicinity {
    ahead: Vec<Vec<ControllerId>>,
}

impl Vicinity {
    /// Of all controllers of a network.
    #[must_use]
    pub fn of(network: &Network) -> Self {
        let mut ahead = vec![Vec::new(); network.links().len()];
        for controller in (0..network.controllers().len()).map(ControllerId::at) {
            for link in leading_to(network, controller) {
                ahead[link.index()].push(controller);
            }
        }
        Self { ahead }
    }

    /// True when vehicles on a link may be on their way to a controller's signals.
    #[must_use]
    pub fn leads_to(&self, link: LinkId, controller: ControllerId) -> bool {
        self.ahead.get(link.index()).is_some_and(|ahead| ahead.contains(&controller))
    }
}

/// Links that end at the signals of a controller, and those that lead to them.
fn leading_to(network: &Network, controller: ControllerId) -> Vec<LinkId> {
    // Link, and the distance from its end to the stop line.
    let mut found: Vec<(LinkId, f64)> = Vec::new();
    for lane in network.approach_lanes(controller) {
        let link = network.lane(lane).link;
        if found.iter().all(|f| f.0 != link) {
            found.push((link, 0.0));
        }
    }
    let mut next = 0;
    while let Some(&(link, behind_m)) = found.get(next) {
        next += 1;
        let begins_m = behind_m + network.link(link).length.get();
        if begins_m > REACH_M {
            continue;
        }
        for movement in network.movements_into(link).iter().map(|m| network.movement(*m)) {
            let free = movement.connections.iter().any(|c| network.connection(*c).signal.is_none());
            if free && found.iter().all(|f| f.0 != movement.from_link) {
                found.push((movement.from_link, begins_m));
            }
        }
    }
    found.into_iter().map(|f| f.0).collect()
}
