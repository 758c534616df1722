//! Quickest ways to one link from everywhere: one search backwards from the destination serves every vehicle that goes
//! there (Dijkstra 1959, on links instead of nodes so that forbidden turns stay forbidden).

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use greenkerb_models::demand::VehicleClass;
use greenkerb_models::ids::LinkId;
use greenkerb_models::network::{Movement, Network};

use crate::micro::may_use;

/// Time to drive every link, in seconds, the way into it included.
#[derive(Debug, Clone, PartialEq)]
pub struct LinkTimes(Vec<f64>);

impl LinkTimes {
    /// Times at the speed limit.
    #[must_use]
    pub fn free_flow(network: &Network) -> Self {
        let time = |l: &greenkerb_models::network::Link| {
            if l.speed.get() > 0.0 { l.length.get() / l.speed.get() } else { f64::INFINITY }
        };
        Self(network.links().iter().map(time).collect())
    }

    /// Time of one link.
    #[must_use]
    pub fn of(&self, link: LinkId) -> f64 {
        self.0[link.index()]
    }

    /// Sets the time of one link; what is no positive number is ignored.
    pub fn set(&mut self, link: LinkId, time_s: f64) {
        if time_s > 0.0 {
            self.0[link.index()] = time_s;
        }
    }
}

/// Quickest ways from every link to one.
#[derive(Debug, Clone)]
pub struct Tree {
    /// The link after each link; none where no way leads on, and at the destination.
    next: Vec<Option<LinkId>>,
    /// Time from the start of each link to the end of the destination.
    time_s: Vec<f64>,
    to: LinkId,
}

impl Tree {
    /// Searches backwards from `to`. Of equally quick ways the one over the link with the lower number is taken.
    #[must_use]
    pub fn to(network: &Network, class: VehicleClass, times: &LinkTimes, to: LinkId) -> Self {
        let n = network.links().len();
        let mut tree = Self { next: vec![None; n], time_s: vec![f64::INFINITY; n], to };
        let mut open = BinaryHeap::new();
        tree.time_s[to.index()] = times.of(to);
        open.push((Reverse(Key(times.of(to))), Reverse(to)));
        while let Some((Reverse(Key(time_s)), Reverse(link))) = open.pop() {
            if time_s > tree.time_s[link.index()] {
                continue;
            }
            for m in network.movements_into(link) {
                let m = network.movement(*m);
                if !open_to(network, class, m) {
                    continue;
                }
                let from = m.from_link;
                let longer_s = time_s + times.of(from);
                let known_s = tree.time_s[from.index()];
                let better = longer_s < known_s
                    || (longer_s == known_s && tree.next[from.index()].is_some_and(|other| link < other));
                if better {
                    tree.time_s[from.index()] = longer_s;
                    tree.next[from.index()] = Some(link);
                    open.push((Reverse(Key(longer_s)), Reverse(from)));
                }
            }
        }
        tree
    }

    /// Links from `from` to the destination, both included; none where no way leads there.
    #[must_use]
    pub fn way_from(&self, from: LinkId) -> Option<Vec<LinkId>> {
        if !self.time_s[from.index()].is_finite() {
            return None;
        }
        let mut way = vec![from];
        let mut at = from;
        while at != self.to {
            at = self.next[at.index()]?;
            way.push(at);
        }
        Some(way)
    }

    /// The link that all ways lead to.
    #[must_use]
    pub const fn destination(&self) -> LinkId {
        self.to
    }

    /// Time from the start of a link to the end of the destination, in seconds; infinite where no way leads there.
    #[must_use]
    pub fn time_from_s(&self, from: LinkId) -> f64 {
        self.time_s[from.index()]
    }
}

/// True when vehicles of a class may take a movement on some lane.
pub(super) fn open_to(network: &Network, class: VehicleClass, movement: &Movement) -> bool {
    movement.connections.iter().any(|c| {
        let c = network.connection(*c);
        may_use(class, network.lane(c.from_lane).admits) && may_use(class, network.lane(c.to_lane).admits)
    })
}

/// Links from `from` through `via` to `to`.
///
/// # Errors
/// The pair of links that no way joins.
pub fn way_between(
    from: LinkId,
    via: &[LinkId],
    to: LinkId,
    mut tree_to: impl FnMut(LinkId) -> std::sync::Arc<Tree>,
) -> Result<Vec<LinkId>, (LinkId, LinkId)> {
    let mut way = vec![from];
    let mut at = from;
    for goal in via.iter().copied().chain(std::iter::once(to)) {
        if goal == at {
            continue;
        }
        let part = tree_to(goal).way_from(at).ok_or((at, goal))?;
        way.extend_from_slice(&part[1..]);
        at = goal;
    }
    Ok(way)
}

/// A time as a key of a heap; times are never NaN.
#[derive(Debug, PartialEq, Clone, Copy)]
pub(super) struct Key(pub(super) f64);

impl Eq for Key {}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenarios::grid;

    #[test]
    fn the_quickest_way_over_a_grid_is_the_shortest_and_avoids_slow_links() {
        let net = grid(3, 3, 200.0).unwrap();
        let link = |name: &str| net.link_named(name).unwrap();
        let mut times = LinkTimes::free_flow(&net);
        let (from, to) = (link("n-1_0>n0_0"), link("n2_0>n3_0"));
        let way = |times: &LinkTimes| Tree::to(&net, VehicleClass::Car, times, to).way_from(from).unwrap();
        let straight = way(&times);
        assert_eq!(straight, [from, link("n0_0>n1_0"), link("n1_0>n2_0"), to]);
        let tree = Tree::to(&net, VehicleClass::Car, &times, to);
        assert!((tree.time_from_s(from) - 4.0 * 200.0 / 13.9).abs() < 1e-9);
        times.set(link("n0_0>n1_0"), 1e4);
        let around = way(&times);
        assert!(!around.contains(&link("n0_0>n1_0")) && around.len() == 6, "{around:?}");
    }

    #[test]
    fn a_link_that_leads_out_reaches_nothing() {
        let net = grid(1, 1, 200.0).unwrap();
        let out = net.link_named("n0_0>n1_0").unwrap();
        let to = net.link_named("n-1_0>n0_0").unwrap();
        let tree = Tree::to(&net, VehicleClass::Car, &LinkTimes::free_flow(&net), to);
        assert_eq!((tree.way_from(out), tree.way_from(to)), (None, Some(vec![to])));
        let between = way_between(out, &[], to, |_| std::sync::Arc::new(tree.clone()));
        assert_eq!(between, Err((out, to)));
    }
}
