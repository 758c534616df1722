//! Offsets that let platoons through: the widest bands both ways along a street of signals.
//!
//! Bands are measured by letting a vehicle start every second and drive at the speed limit: the longest run of starts that
//! meet green everywhere is the band (the oracle of MAXBAND; Little, Kelson, Gartner 1981). Offsets are found by descent
//! on whole seconds, from several beginnings, which is exact enough for a dozen signals.

use greenkerb_models::ids::{ControllerId, LinkId};
use greenkerb_models::network::{Network, Turn};
use greenkerb_models::signal::Controller;
use greenkerb_models::units::Ds;

/// A street of signals: the links that lead along it, in order, each to the next signal. The first link ends at the first
/// signal, the last at the last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Corridor {
    /// Outbound.
    pub out: Vec<LinkId>,
    /// Inbound: the first ends at the last signal of `out`.
    pub back: Vec<LinkId>,
}

/// One signal on the way, as drivers meet it.
struct Gate {
    controller: ControllerId,
    /// Seconds of the controller's cycle with green for who goes straight on.
    green: Vec<bool>,
    /// Seconds from the line of the signal before it.
    after_s: f64,
}

/// Sets the offsets of the signals of a network along a corridor; the first keeps its own, and so does any in `held`. All must share
/// one cycle of whole seconds; where they do not, nothing is changed. Gives the bands out and back in seconds.
pub fn coordinate(
    controllers: &mut [Controller],
    network: &Network,
    corridor: &Corridor,
    held: &[ControllerId],
) -> Option<(u32, u32)> {
    let (out, back) = (gates(controllers, network, &corridor.out)?, gates(controllers, network, &corridor.back)?);
    let cycle_s = out.first()?.green.len();
    if out.iter().chain(&back).any(|g| g.green.len() != cycle_s) || out.len() != back.len() {
        return None;
    }
    let order: Vec<ControllerId> = out.iter().map(|g| g.controller).collect();
    let position = |c: ControllerId| order.iter().position(|o| *o == c);
    let now: Vec<usize> =
        order.iter().map(|c| (controllers[c.index()].program.shipped_offset.0 / 10) as usize % cycle_s).collect();
    let bands = |offsets: &[usize]| {
        let of = |gates: &[Gate]| {
            let offset = |g: &Gate| position(g.controller).map_or(0, |p| offsets[p]);
            band(gates, cycle_s, offset)
        };
        (of(&out), of(&back))
    };
    // Twice the smaller band, so that neither direction is given up for the other.
    let worth = |offsets: &[usize]| {
        let (a, b) = bands(offsets);
        a + b + a.min(b)
    };
    let movable: Vec<usize> = (1..order.len()).filter(|&p| !held.contains(&order[p])).collect();
    let mut best = now.clone();
    for beginning in beginnings(&out, &back, &now, cycle_s, &movable) {
        let mut offsets = beginning;
        let mut value = worth(&offsets);
        loop {
            let before = value;
            for &p in &movable {
                let kept = offsets[p];
                let mut chosen = kept;
                for o in 0..cycle_s {
                    offsets[p] = o;
                    let w = worth(&offsets);
                    if w > value {
                        (value, chosen) = (w, o);
                    }
                }
                offsets[p] = chosen;
            }
            if value == before {
                break;
            }
        }
        if value > worth(&best) {
            best = offsets;
        }
    }
    for (c, o) in order.iter().zip(&best) {
        controllers[c.index()].program.shipped_offset = Ds::from_s(*o as u32);
    }
    let (a, b) = bands(&best);
    Some((a as u32, b as u32))
}

/// Signals along a way: each link's own end, with green as the shipped plan shows it to who goes straight on (or on along
/// the way).
fn gates(controllers: &[Controller], network: &Network, way: &[LinkId]) -> Option<Vec<Gate>> {
    let mut gates = Vec::with_capacity(way.len());
    for (k, link) in way.iter().enumerate() {
        let movements = || network.movements_from(*link).iter().map(|m| network.movement(*m));
        let on = match way.get(k + 1) {
            Some(next) => movements().find(|m| m.to_link == *next),
            None => movements().find(|m| m.turn == Turn::Straight).or_else(|| movements().next()),
        }?;
        let head = on.connections.iter().find_map(|c| network.connection(*c).signal)?;
        let plan = controllers[head.controller.index()].time_of_day_plan();
        let intervals = &plan.greens[head.group.index()];
        let green = (0..plan.cycle.0 / 10).map(|s| intervals.iter().any(|g| g.covers(Ds::from_s(s), plan.cycle)));
        let (l, way_m) =
            (network.link(*link), on.connections.first().map_or(0.0, |c| network.connection(*c).length.get()));
        gates.push(Gate {
            controller: head.controller,
            green: green.collect(),
            after_s: if k == 0 { 0.0 } else { (l.length.get() + way_m) / l.speed.get().max(1.0) },
        });
    }
    Some(gates)
}

/// Longest run of starts, a second apart, that meet green at every gate.
fn band(gates: &[Gate], cycle_s: usize, offset_s: impl Fn(&Gate) -> usize) -> usize {
    let mut clear = vec![true; cycle_s];
    let mut after_s = 0.0;
    for g in gates {
        after_s += g.after_s;
        let shift = (after_s.round() as usize + cycle_s - offset_s(g) % cycle_s) % cycle_s;
        for (start, clear) in clear.iter_mut().enumerate() {
            *clear &= g.green[(start + shift) % cycle_s];
        }
    }
    if clear.iter().all(|c| *c) {
        return cycle_s;
    }
    let mut longest = 0;
    let mut run = 0;
    for k in 0..2 * cycle_s {
        run = if clear[k % cycle_s] { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    longest
}

/// Where the descent begins: as it is, with green waves out, back, and alternating.
fn beginnings(out: &[Gate], back: &[Gate], now: &[usize], cycle_s: usize, movable: &[usize]) -> Vec<Vec<usize>> {
    let wave = |share: f64| {
        let (mut out_s, mut back_s) = (0.0, back.iter().map(|g| g.after_s).sum::<f64>());
        let mut offsets = now.to_vec();
        for (p, g) in out.iter().enumerate() {
            out_s += g.after_s;
            let at_s = share * out_s + (1.0 - share) * back_s;
            if movable.contains(&p) {
                offsets[p] = (at_s.round() as usize + now[0]) % cycle_s;
            }
            back_s -= back[back.len() - 1 - p].after_s;
        }
        offsets
    };
    let half = |odd: usize| {
        let mut offsets = now.to_vec();
        for &p in movable {
            offsets[p] = (now[0] + if p % 2 == odd { cycle_s / 2 } else { 0 }) % cycle_s;
        }
        offsets
    };
    vec![now.to_vec(), wave(1.0), wave(0.0), wave(0.5), half(1), half(0)]
}
