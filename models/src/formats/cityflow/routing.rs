//! The shortest way from link to link, as CityFlow joins the anchors of a route.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use crate::ids::LinkId;
use crate::network::Network;

/// Lengths of all links as CityFlow counts them: the mean of their lanes'.
pub(super) struct Lengths(Vec<f64>);

impl Lengths {
    pub(super) fn of(network: &Network) -> Self {
        let mean = |l: &crate::network::Link| {
            let sum: f64 = l.lanes.iter().map(|lane| network.lane(*lane).length.get()).sum();
            sum / l.lanes.len().max(1) as f64
        };
        Self(network.links().iter().map(mean).collect())
    }
}

struct Open {
    length_m: f64,
    link: LinkId,
}

impl PartialEq for Open {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl Eq for Open {}
impl PartialOrd for Open {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Open {
    /// The shortest is the greatest, of equal ones the one with the lowest id.
    fn cmp(&self, other: &Self) -> Ordering {
        other.length_m.total_cmp(&self.length_m).then(other.link.cmp(&self.link))
    }
}

/// Links after `from` up to and including `to`; none where no way leads there.
pub(super) fn shortest(network: &Network, lengths: &Lengths, from: LinkId, to: LinkId) -> Option<Vec<LinkId>> {
    if from == to {
        return Some(Vec::new());
    }
    // Most routes name every road.
    let next = |l: LinkId| network.movements_from(l).iter().map(|m| network.movement(*m).to_link);
    if next(from).any(|l| l == to) {
        return Some(vec![to]);
    }
    let mut best = vec![f64::INFINITY; network.links().len()];
    let mut came_from: Vec<Option<LinkId>> = vec![None; network.links().len()];
    let mut open = BinaryHeap::new();
    best[from.index()] = 0.0;
    open.push(Open { length_m: 0.0, link: from });
    while let Some(Open { length_m, link }) = open.pop() {
        if link == to {
            let back = std::iter::successors(Some(to), |l| came_from[l.index()]);
            let mut way: Vec<LinkId> = back.take_while(|l| *l != from).collect();
            way.reverse();
            return Some(way);
        }
        if length_m > best[link.index()] {
            continue;
        }
        for l in next(link) {
            let through_m = length_m + lengths.0[l.index()];
            if through_m < best[l.index()] {
                best[l.index()] = through_m;
                came_from[l.index()] = Some(link);
                open.push(Open { length_m: through_m, link: l });
            }
        }
    }
    None
}
