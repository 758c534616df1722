//! Ways over a grid, drawn by chance.

use std::collections::HashMap;

use greenkerb_models::ids::LinkId;
use greenkerb_models::network::Network;

use super::{GridOptions, Laid, Spot};
use crate::random::SplitMix64;

/// Routes per signal, and bounds of their number.
const ROUTES_PER_SIGNAL: usize = 12;
const ROUTES: (usize, usize) = (240, 120_000);
/// Mean distance between the ends of a trip in blocks, each way; trips in small grids end at their edges.
const TRIP_BLOCKS: f64 = 7.0;
const TRIES: usize = 40;
/// Ways tried for one trip, of which the one that is most on main streets is driven.
const LEGS_TRIED: usize = 3;
/// How often traffic comes in over a side street, compared with a main street.
const SIDE_GATE_CHANCE: f64 = 0.35;
/// Flow per lane, as a multiple of the mean, at which drivers look for another street.
const CROWD: f64 = 1.5;
/// Share of that which can go straight on, turn right, turn left: turns have one lane, and left ones wait for others.
const TURN_SHARES: [f64; 3] = [f64::INFINITY, 0.6, 0.3];

/// Routes by chance: between edges, and in large grids mostly between blocks, along at most three legs. A route that would
/// crowd a street far beyond the others is passed over, as drivers who know the place would.
pub(super) fn routes(
    options: &GridOptions,
    laid: &Laid,
    network: &Network,
    chance: &mut SplitMix64,
) -> Vec<Vec<LinkId>> {
    let ends = |l: &greenkerb_models::network::Link| (l.from.index(), l.to.index());
    let links: HashMap<(usize, usize), LinkId> =
        network.links().iter().enumerate().map(|(i, l)| (ends(l), LinkId::at(i))).collect();
    let through: Vec<f64> = laid.plan.streets.iter().flat_map(|s| [f64::from(s.forward.through); 2]).collect();
    let signals = (options.columns * options.rows) as usize;
    let wanted = (signals * ROUTES_PER_SIGNAL).clamp(ROUTES.0, ROUTES.1);
    let mut routes: Vec<Vec<LinkId>> = Vec::with_capacity(wanted);
    let mut on_link = vec![0.0_f64; network.links().len()];
    let mut on_turn = vec![[0.0_f64; 3]; network.links().len()];
    let (mut lanes_used, lanes) = (0.0, through.iter().sum::<f64>());
    for _ in 0..wanted * TRIES {
        if routes.len() == wanted {
            break;
        }
        let Some(spots) = Ways { options, laid }.draw(chance) else { continue };
        let places: Option<Vec<usize>> = spots.iter().map(|s| laid.places.get(s).copied()).collect();
        let route = places
            .and_then(|p| p.windows(2).map(|p| links.get(&(p[0], p[1])).copied()).collect::<Option<Vec<LinkId>>>());
        let Some(route) = route else { continue };
        let limit = CROWD * lanes_used / lanes + 2.0;
        let street = |l: &LinkId| (on_link[l.index()] + 1.0) / through[l.index()] > limit;
        let turns: Vec<(usize, usize)> =
            spots.windows(3).zip(&route).map(|(s, l)| (l.index(), turn(s[0], s[1], s[2]))).collect();
        let turning = |&(l, t): &(usize, usize)| on_turn[l][t] + 1.0 > TURN_SHARES[t] * limit;
        if route.iter().any(street) || turns.iter().any(turning) {
            continue;
        }
        route.iter().for_each(|l| on_link[l.index()] += 1.0);
        turns.iter().for_each(|&(l, t)| on_turn[l][t] += 1.0);
        lanes_used += route.len() as f64;
        routes.push(route);
    }
    routes
}

/// Which way three spots in a row turn: 0 straight on, 1 right, 2 left.
fn turn(a: Spot, b: Spot, c: Spot) -> usize {
    match (b.0 - a.0) * (c.1 - b.1) - (b.1 - a.1) * (c.0 - b.0) {
        0 => 0,
        cross if cross < 0 => 1,
        _ => 2,
    }
}

/// How ways over a grid are drawn.
struct Ways<'a> {
    options: &'a GridOptions,
    laid: &'a Laid,
}

impl Ways<'_> {
    fn size(&self) -> (i64, i64) {
        (i64::from(self.options.columns), i64::from(self.options.rows))
    }

    fn inside(&self, s: Spot) -> bool {
        let (w, h) = self.size();
        (0..w).contains(&s.0) && (0..h).contains(&s.1)
    }

    /// Spots of one way, in order; none where chance has drawn one that turns back.
    fn draw(&self, chance: &mut SplitMix64) -> Option<Vec<Spot>> {
        let (w, h) = self.size();
        let edges = (2 * (w + h)) as f64;
        let from_edge = edges / (edges + 0.5 * (w * h) as f64);
        let (start, first) = if chance.unit() < from_edge {
            self.edge(chance)
        } else {
            let s = (any(w, chance), any(h, chance));
            (beside(s, chance), s)
        };
        // Distances fall off as in a town: near goals are common, far ones rare.
        let far = |chance: &mut SplitMix64| {
            let blocks = (-(1.0 - chance.unit()).ln() * TRIP_BLOCKS).round() as i64;
            if chance.unit() < 0.5 { blocks } else { -blocks }
        };
        let goal = (first.0 + far(chance), first.1 + far(chance));
        let (last, end) = if self.inside(goal) {
            (goal, beside(goal, chance))
        } else {
            // Out of the map: leave it where the way would.
            let held = (goal.0.clamp(0, w - 1), goal.1.clamp(0, h - 1));
            let sideways = goal.0 != held.0 && (goal.1 == held.1 || chance.unit() < 0.5);
            (held, if sideways { (goal.0.clamp(-1, w), held.1) } else { (held.0, goal.1.clamp(-1, h)) })
        };
        let mut best: Option<(f64, Vec<Spot>)> = None;
        for _ in 0..LEGS_TRIED {
            let spots = legs((start, first), (last, end), chance);
            let turns_back = spots.windows(3).any(|s| s[0] == s[2]);
            let share = self.main_share(&spots);
            if !turns_back && spots.len() > 2 && best.as_ref().is_none_or(|b| share > b.0) {
                best = Some((share, spots));
            }
        }
        best.map(|b| b.1)
    }

    /// An edge of the map and the signal beside it, main streets more often.
    fn edge(&self, chance: &mut SplitMix64) -> (Spot, Spot) {
        let (w, h) = self.size();
        loop {
            let k = any(2 * (w + h), chance);
            let (spot, main) = match k {
                k if k < w => (((k, -1), (k, 0)), self.laid.main_columns[k as usize]),
                k if k < 2 * w => (((k - w, h), (k - w, h - 1)), self.laid.main_columns[(k - w) as usize]),
                k if k < 2 * w + h => (((-1, k - 2 * w), (0, k - 2 * w)), self.laid.main_rows[(k - 2 * w) as usize]),
                k => {
                    let row = k - 2 * w - h;
                    (((w, row), (w - 1, row)), self.laid.main_rows[row as usize])
                }
            };
            if main || chance.unit() < SIDE_GATE_CHANCE {
                return spot;
            }
        }
    }

    /// Share of a way that is on main streets.
    fn main_share(&self, spots: &[Spot]) -> f64 {
        let on = |s: &[Spot]| {
            let (lines, at) =
                if s[0].1 == s[1].1 { (&self.laid.main_rows, s[0].1) } else { (&self.laid.main_columns, s[0].0) };
            usize::try_from(at).is_ok_and(|at| lines.get(at) == Some(&true))
        };
        spots.windows(2).filter(|s| on(s)).count() as f64 / spots.len().max(1) as f64
    }
}

fn any(n: i64, chance: &mut SplitMix64) -> i64 {
    chance.below(n.unsigned_abs()) as i64
}

fn beside(s: Spot, chance: &mut SplitMix64) -> Spot {
    const BESIDE: [Spot; 4] = [(1, 0), (0, 1), (-1, 0), (0, -1)];
    let (dx, dy) = BESIDE[chance.below(4) as usize];
    (s.0 + dx, s.1 + dy)
}

/// From a first block to a last one in at most three legs.
fn legs((start, first): (Spot, Spot), (last, end): (Spot, Spot), chance: &mut SplitMix64) -> Vec<Spot> {
    let mut spots = vec![start, first];
    let (dx, dy) = (last.0 - first.0, last.1 - first.1);
    let across_first = chance.unit() < 0.5;
    let (long, cross) = if across_first { (dx, dy) } else { (dy, dx) };
    let part = if long == 0 { 0 } else { any(long.abs() + 1, chance) * long.signum() };
    for (along, steps) in [(across_first, part), (!across_first, cross), (across_first, long - part)] {
        for _ in 0..steps.abs() {
            let (x, y) = spots[spots.len() - 1];
            spots.push(if along { (x + steps.signum(), y) } else { (x, y + steps.signum()) });
        }
    }
    spots.push(end);
    spots
}
