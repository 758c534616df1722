//! The quickest way of one driver: A* (Hart, Nilsson, Raphael 1968) towards one link, with the times at free flow as the
//! bound on what is left. Where traffic flows freely the search looks at little more than the way itself.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use greenkerb_models::demand::VehicleClass;
use greenkerb_models::ids::{LinkId, MovementId};
use greenkerb_models::network::Network;

use super::tree::{Key, Tree, open_to};

/// What a driver reckons with.
pub trait Times {
    /// Time over a link, in seconds.
    fn link_s(&self, link: LinkId) -> f64;
    /// Time across a node, in seconds.
    fn across_s(&self, movement: MovementId) -> f64;
}

/// Searches one after the other, in the same memory.
#[derive(Debug, Clone, Default)]
pub struct Search {
    /// Per link: the search that reached it last, when it is reached (in seconds from the start), and from where.
    reached: Vec<(u32, f64, LinkId)>,
    number: u32,
    open: BinaryHeap<(Reverse<Key>, Reverse<LinkId>)>,
}

impl Search {
    /// Links from `from` to the end of `free`'s destination, both included; none where no way leads there. `free` is the
    /// tree of free-flow times to the destination, and nobody is quicker than `1 / share` of them. Of equally quick ways
    /// the one found first is taken, which is the same every time.
    pub fn quickest(
        &mut self,
        network: &Network,
        class: VehicleClass,
        from: LinkId,
        free: &Tree,
        share: f64,
        times: &impl Times,
    ) -> Option<Vec<LinkId>> {
        self.reached.resize(network.links().len(), (0, 0.0, from));
        self.number += 1;
        self.open.clear();
        let left_s = |link: LinkId| free.time_from_s(link) / share;
        self.reached[from.index()] = (self.number, 0.0, from);
        self.open.push((Reverse(Key(left_s(from))), Reverse(from)));
        while let Some((Reverse(Key(sum_s)), Reverse(link))) = self.open.pop() {
            if !sum_s.is_finite() {
                return None;
            }
            if link == free.destination() {
                return Some(self.back(from, link));
            }
            let at_s = self.reached[link.index()].1;
            if sum_s > at_s + left_s(link) {
                continue;
            }
            let end_s = at_s + times.link_s(link);
            for id in network.movements_from(link) {
                let m = network.movement(*id);
                if !open_to(network, class, m) {
                    continue;
                }
                let (to, there_s) = (m.to_link, end_s + times.across_s(*id));
                let known = self.reached[to.index()];
                if known.0 != self.number || there_s < known.1 {
                    self.reached[to.index()] = (self.number, there_s, link);
                    self.open.push((Reverse(Key(there_s + left_s(to))), Reverse(to)));
                }
            }
        }
        None
    }

    fn back(&self, from: LinkId, to: LinkId) -> Vec<LinkId> {
        let mut way = vec![to];
        let mut at = to;
        while at != from {
            at = self.reached[at.index()].2;
            way.push(at);
        }
        way.reverse();
        way
    }
}

#[cfg(test)]
mod tests {
    use super::super::tree::LinkTimes;
    use super::*;
    use crate::random::SplitMix64;
    use crate::scenarios::grid;

    impl Times for LinkTimes {
        fn link_s(&self, link: LinkId) -> f64 {
            self.of(link)
        }

        fn across_s(&self, _: MovementId) -> f64 {
            0.0
        }
    }

    #[test]
    fn a_search_finds_ways_as_quick_as_those_of_a_whole_tree() {
        let network = grid(5, 4, 200.0).unwrap();
        let free = LinkTimes::free_flow(&network);
        let (mut search, mut chance) = (Search::default(), SplitMix64(7));
        for _ in 0..50 {
            let mut times = free.clone();
            let n = network.links().len();
            for l in (0..n).map(LinkId::at) {
                times.set(l, free.of(l) * (1.0 + 5.0 * chance.unit()));
            }
            let mut any = || LinkId::at(chance.below(n as u64) as usize);
            let (from, to) = (any(), any());
            let bound = Tree::to(&network, VehicleClass::Car, &free, to);
            let found = search.quickest(&network, VehicleClass::Car, from, &bound, 1.0, &times);
            let tree = Tree::to(&network, VehicleClass::Car, &times, to);
            assert_eq!(found.is_some(), tree.way_from(from).is_some());
            if let Some(way) = found {
                let sum_s: f64 = way.iter().map(|l| times.of(*l)).sum();
                assert!((sum_s - tree.time_from_s(from)).abs() < 1e-9, "{sum_s} s, {} s", tree.time_from_s(from));
                assert_eq!((way.first(), way.last()), (Some(&from), Some(&to)));
            }
        }
    }
}
