//! Who takes which way: wishes between links, loaded in portions onto the ways that are quickest by then.
//!
//! Incremental assignment: every portion sees the delays that those before it cause (link times after the Bureau of
//! Public Roads' curve, 1 + 0.15 (v/c)⁴, on top of a fixed wait at signals). It is no equilibrium and need not be: it
//! spreads demand over parallel streets the way drivers who know the place do, and gives the same routes every time.

use std::collections::BTreeMap;

use greenkerb_models::demand::VehicleClass;
use greenkerb_models::ids::LinkId;
use greenkerb_models::network::Network;

use super::Flows;
use crate::routing::{LinkTimes, Tree};

/// Shares of the demand that are loaded one after another.
const PORTIONS: [f64; 5] = [0.35, 0.25, 0.2, 0.12, 0.08];
/// The curve of the Bureau of Public Roads (Traffic Assignment Manual, 1964).
const BPR_SLOPE: f64 = 0.15;
/// Green that a link at signals can count on, and what drivers expect to wait there, before anybody has counted.
const GREEN_SHARE: f64 = 0.4;
const SIGNAL_WAIT_S: f64 = 12.0;
const LANE_VPH: f64 = 1_800.0;

/// So many vehicles per hour want to get from one link to another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wish {
    /// Where they start.
    pub from: LinkId,
    /// Where they end.
    pub to: LinkId,
    /// How many.
    pub vph: f64,
}

/// Routes with their flows.
#[derive(Debug, Clone, PartialEq)]
pub struct Assignment {
    /// Links of each route and its vehicles per hour, in order of links.
    pub routes: Vec<(Vec<LinkId>, f64)>,
    /// What they make of every link and movement.
    pub flows: Flows,
    /// Wishes that no way leads to.
    pub unreachable: Vec<Wish>,
}

/// Loads wishes onto a network.
#[must_use]
pub fn assign(network: &Network, wishes: &[Wish]) -> Assignment {
    let mut by_goal: BTreeMap<LinkId, Vec<&Wish>> = BTreeMap::new();
    for w in wishes.iter().filter(|w| w.vph > 0.0) {
        by_goal.entry(w.to).or_default().push(w);
    }
    let mut routes: BTreeMap<Vec<LinkId>, f64> = BTreeMap::new();
    let mut flows = Flows::none(network);
    let mut unreachable = Vec::new();
    for (p, portion) in PORTIONS.iter().enumerate() {
        let times = times(network, &flows);
        for (goal, wishes) in &by_goal {
            let tree = Tree::to(network, VehicleClass::Car, &times, *goal);
            for w in wishes {
                match tree.way_from(w.from) {
                    Some(way) => {
                        flows.add(network, &way, w.vph * portion);
                        *routes.entry(way).or_default() += w.vph * portion;
                    }
                    None if p == 0 => unreachable.push(**w),
                    None => {}
                }
            }
        }
    }
    Assignment { routes: routes.into_iter().collect(), flows, unreachable }
}

/// Time over every link with this flow on it.
fn times(network: &Network, flows: &Flows) -> LinkTimes {
    let mut times = LinkTimes::free_flow(network);
    for l in 0..network.links().len() {
        let (id, link) = (LinkId::at(l), &network.links()[l]);
        let lanes = link.lanes.iter().filter(|lane| network.lane(**lane).admits.cars).count();
        let signals = network.node(link.to).controller.is_some();
        let share = if signals { GREEN_SHARE } else { 1.0 };
        let capacity_vph = (lanes as f64 * LANE_VPH * share).max(1.0);
        let free_s = times.of(id) + if signals { SIGNAL_WAIT_S } else { 0.0 };
        let load = flows.of_link(id) / capacity_vph;
        // The curve's slope is for whole roads; what waits at a signal grows faster.
        let slope = if signals { 4.0 * BPR_SLOPE } else { BPR_SLOPE };
        times.set(id, free_s * (1.0 + slope * load.powi(4)));
    }
    times
}
