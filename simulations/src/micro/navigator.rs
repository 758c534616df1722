//! Ways by what traffic is like: chosen when a vehicle is due, from the speeds of the last three minutes.
//!
//! The look at all links is taken between two steps, before anybody is loaded, and by one thread: whoever chooses in a step
//! sees the same street, whatever the number of threads. A way costs one search (`routing::Search`), not a tree of them.

use std::collections::HashMap;
use std::sync::Arc;

use greenkerb_models::demand::VehicleClass;
use greenkerb_models::ids::{LinkId, MovementId};
use greenkerb_models::network::Network;

use super::region::Row;
use super::strips::Strips;
use crate::routing::{LinkTimes, Measured, Search, Times, Tree};

/// The street is looked at so often, in deciseconds.
const LOOK_EVERY_DS: u32 = 10;

/// Who knows how traffic is.
#[derive(Debug)]
pub(crate) struct Navigator {
    network: Arc<Network>,
    measured: Measured,
    free: LinkTimes,
    /// Time across every movement's node at its limit, in seconds.
    across_s: Vec<f64>,
    trees: HashMap<(VehicleClass, LinkId), Arc<Tree>>,
    search: Search,
    /// Steps between two looks.
    every: u32,
}

impl Navigator {
    /// For a network and steps of so many deciseconds.
    pub(crate) fn new(network: &Arc<Network>, step_ds: u32) -> Self {
        let across_s = |i| {
            let connections = network.movement(MovementId::at(i)).connections.iter().map(|c| network.connection(*c));
            let time_s = |c: &greenkerb_models::network::Connection| {
                let limit = if c.speed.get() > 0.0 { c.speed } else { network.lane(c.from_lane).speed };
                if limit.get() > 0.0 { c.length.get() / limit.get() } else { 0.0 }
            };
            connections.map(time_s).reduce(f64::min).unwrap_or(0.0)
        };
        Self {
            measured: Measured::free_flow(network),
            free: LinkTimes::free_flow(network),
            across_s: (0..network.movements().len()).map(across_s).collect(),
            trees: HashMap::new(),
            search: Search::default(),
            every: LOOK_EVERY_DS.div_ceil(step_ds.max(1)),
            network: Arc::clone(network),
        }
    }

    /// Looks at the street before a step, when it is time to.
    pub(crate) fn look(&mut self, tick: u32, strips: &Strips, rows: &[Row]) {
        if !tick.is_multiple_of(self.every) {
            return;
        }
        let network = &self.network;
        self.measured.look(|link| {
            let (mut sum_mps, mut count) = (0.0, 0);
            for lane in &network.link(link).lanes {
                let strip = strips.of_lane(*lane) as usize;
                let movers = &rows[strip].movers;
                // An empty lane is as good as one vehicle at its limit.
                count += movers.len().max(1);
                sum_mps += match movers.len() {
                    0 => strips.all[strip].limit_mps,
                    _ => movers.iter().map(|m| m.speed_mps).sum(),
                };
            }
            sum_mps / count.max(1) as f64
        });
    }

    /// The quickest way as traffic is, for a driver who wants `factor` of the limits; none where no way leads there.
    pub(crate) fn way(
        &mut self,
        class: VehicleClass,
        from: LinkId,
        via: &[LinkId],
        to: LinkId,
        factor: f64,
    ) -> Option<Vec<LinkId>> {
        let mut way = vec![from];
        let mut at = from;
        for goal in via.iter().copied().chain(std::iter::once(to)) {
            if goal == at {
                continue;
            }
            let (network, free) = (&self.network, &self.free);
            let tree = self.trees.entry((class, goal));
            let tree = tree.or_insert_with(|| Arc::new(Tree::to(network, class, free, goal)));
            let reckoned = Reckoned { free, measured: &self.measured, across_s: &self.across_s, network, factor };
            let part = self.search.quickest(network, class, at, tree, factor, &reckoned)?;
            way.extend_from_slice(&part[1..]);
            at = goal;
        }
        Some(way)
    }
}

/// What a driver reckons with: traffic as measured, but nobody drives faster than they want to.
struct Reckoned<'a> {
    free: &'a LinkTimes,
    measured: &'a Measured,
    across_s: &'a [f64],
    network: &'a Network,
    factor: f64,
}

impl Times for Reckoned<'_> {
    fn link_s(&self, link: LinkId) -> f64 {
        let length_m = self.network.link(link).length.get();
        (length_m / self.measured.mean_mps(link)).max(self.free.of(link) / self.factor)
    }

    fn across_s(&self, movement: MovementId) -> f64 {
        self.across_s[movement.index()] / self.factor.min(1.0)
    }
}
