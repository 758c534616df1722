//! Who wants to go where in `riverside`.

use greenkerb_models::demand::Facility;
use greenkerb_models::ids::LinkId;
use greenkerb_models::network::Network;

use super::link;
use super::map::name;
use crate::scenarios::loading::Wish;

/// Streets that lead in and out, with the share of traffic that comes in and goes out over each: (edge, place, in, out).
const GATES: [(&str, (usize, usize), f64, f64); 19] = [
    ("west0", (0, 0), 6.0, 5.0),
    ("west3", (0, 3), 2.0, 2.0),
    ("west4", (0, 4), 8.0, 6.0),
    ("west5", (0, 5), 7.0, 6.0),
    ("west8", (0, 8), 6.0, 4.0),
    ("east0", (7, 0), 6.0, 6.0),
    ("east4", (7, 4), 7.0, 8.0),
    ("east5", (7, 5), 6.0, 7.0),
    ("east6", (7, 6), 2.0, 0.0),
    ("east8", (7, 8), 6.0, 5.0),
    ("south0", (0, 0), 5.0, 4.0),
    ("south2", (2, 0), 4.0, 0.0),
    ("south3", (3, 0), 0.0, 3.0),
    ("south4", (4, 0), 8.0, 6.0),
    ("south7", (7, 0), 5.0, 5.0),
    ("north0", (0, 9), 5.0, 3.0),
    ("north4", (4, 9), 8.0, 5.0),
    ("north5", (5, 9), 3.0, 2.0),
    ("north7", (7, 9), 6.0, 4.0),
];
/// A place: column and row.
type Place = (usize, usize);

/// Blocks where people live: vehicles set out there in the morning (from, to, weight).
const HOMES: [(Place, Place, f64); 8] = [
    ((0, 7), (1, 7), 3.0),
    ((2, 9), (1, 9), 2.0),
    ((6, 9), (5, 9), 3.0),
    ((6, 7), (6, 6), 2.0),
    ((2, 8), (3, 8), 2.0),
    ((5, 1), (5, 0), 2.0),
    ((1, 1), (1, 0), 2.0),
    ((6, 3), (6, 2), 2.0),
];
/// Vehicles per hour that would like to come at the peak: from gate to gate, to the car parks, and from home. Not all of
/// them find room.
const THROUGH_VPH: f64 = 5_000.0;
const PARKING_VPH: f64 = 950.0;
const HOME_VPH: f64 = 1_200.0;
/// Share of traffic between the banks: all of it has to cross the bridge.
const OVER_THE_BRIDGE: f64 = 0.35;
/// Blocks behind the arena that its visitors come from, and how many there are.
const ARENA_EXITS: [((usize, usize), (usize, usize)); 3] = [((6, 9), (6, 8)), ((5, 9), (5, 8)), ((6, 8), (5, 8))];
const VISITORS: f64 = 400.0;
const EVENT_H: f64 = 25.0 / 60.0;

/// An end of ways: a link, how much of everything starts or ends there, and on which bank.
struct End {
    link: LinkId,
    weight: f64,
    north: bool,
    gate: &'static str,
}

fn gates(network: &Network, inward: bool) -> Vec<End> {
    GATES
        .iter()
        .filter_map(|(edge, (c, r), enters, leaves)| {
            let place = name(*c, *r);
            let (from, to, weight) =
                if inward { (*edge, place.as_str(), *enters) } else { (place.as_str(), *edge, *leaves) };
            let link = link(network, from, to)?;
            (weight > 0.0).then_some(End { link, weight, north: *r > 4, gate: edge })
        })
        .collect()
}

/// Spreads a flow over all pairs of ends in proportion to both weights, less where the river lies between.
fn spread(wishes: &mut Vec<Wish>, vph: f64, from: &[End], to: &[End]) {
    let worth = |a: &End, b: &End| {
        let river = if a.north == b.north { 1.0 - OVER_THE_BRIDGE } else { OVER_THE_BRIDGE };
        if a.gate == b.gate && !a.gate.is_empty() { 0.0 } else { a.weight * b.weight * river }
    };
    let sum: f64 = from.iter().flat_map(|a| to.iter().map(move |b| worth(a, b))).sum();
    if sum <= 0.0 {
        return;
    }
    for a in from {
        for b in to.iter().filter(|b| b.link != a.link) {
            wishes.push(Wish { from: a.link, to: b.link, vph: vph * worth(a, b) / sum });
        }
    }
}

/// Wishes of the busiest hour.
pub(super) fn peak(network: &Network, facilities: &[Facility]) -> Vec<Wish> {
    let (inward, outward) = (gates(network, true), gates(network, false));
    let homes: Vec<End> = HOMES
        .iter()
        .filter_map(|(a, b, weight)| {
            let link = link(network, &name(a.0, a.1), &name(b.0, b.1))?;
            Some(End { link, weight: *weight, north: a.1 > 4, gate: "" })
        })
        .collect();
    let parks: Vec<End> = facilities
        .iter()
        .map(|f| {
            let link = network.lane(f.entrance).link;
            let north = network.node(network.link(link).to).position.y > 0.0;
            End { link, weight: f64::from(f.capacity - f.occupied), north, gate: "" }
        })
        .collect();
    let mut wishes = Vec::new();
    spread(&mut wishes, THROUGH_VPH, &inward, &outward);
    spread(&mut wishes, PARKING_VPH, &inward, &parks);
    spread(&mut wishes, HOME_VPH * 0.6, &homes, &outward);
    spread(&mut wishes, HOME_VPH * 0.4, &homes, &parks);
    wishes
}

/// Wishes of the visitors when the event ends, as flows while they come out.
pub(super) fn event(network: &Network) -> Vec<Wish> {
    let exits: Vec<End> = ARENA_EXITS
        .iter()
        .filter_map(|(a, b)| {
            let link = link(network, &name(a.0, a.1), &name(b.0, b.1))?;
            Some(End { link, weight: 1.0, north: true, gate: "" })
        })
        .collect();
    let mut wishes = Vec::new();
    spread(&mut wishes, VISITORS / EVENT_H, &exits, &gates(network, false));
    wishes
}
