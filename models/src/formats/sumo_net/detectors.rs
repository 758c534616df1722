//! Where detectors are taken to lie: a SUMO network shows none.
//!
//! A stop-bar loop lies at each signalled motor lane. The advance loop of that lane lies 80 m before the line; where the
//! lane is shorter, on the lanes upstream of it, across nodes without signals, because maps cut streets into pieces that
//! drivers and detectors know nothing of. A lane that nothing leads to (an edge of the map) has its loop 10 m from its
//! start.

use std::collections::BTreeMap;

use crate::detection::{Detector, DetectorKind};
use crate::formats::Notes;
use crate::ids::LaneId;
use crate::network::{NetworkParts, Turn};
use crate::units::Metres;

/// Length of every loop.
pub const LOOP_LENGTH_M: f64 = 2.0;
/// From the downstream edge of a stop-bar loop to the stop line.
pub const STOP_BAR_TO_LINE_M: f64 = 1.0;
/// From the downstream edge of an advance loop to the stop line, along the way.
pub const ADVANCE_TO_LINE_M: f64 = 80.0;
/// From the start of a lane to the downstream edge of an advance loop, at least: room for a vehicle that starts there.
pub const ADVANCE_FROM_START_M: f64 = 10.0;
/// Lanes looked at upstream of one approach lane, at most.
const UPSTREAM_LANES_MAX: usize = 12;

/// A stop-bar loop, and advance loops where they fit, for each of these lanes.
#[must_use]
pub fn derive(approaches: &[LaneId], parts: &NetworkParts, notes: &mut Notes) -> Vec<Detector> {
    let mut leading_to: Vec<Vec<usize>> = vec![Vec::new(); parts.lanes.len()];
    for (i, c) in parts.connections.iter().enumerate() {
        leading_to[c.to_lane.index()].push(i);
    }
    let mut detectors = Vec::new();
    let mut advance: BTreeMap<LaneId, Detector> = BTreeMap::new();
    for id in approaches {
        let lane = &parts.lanes[id.index()];
        let length_m = lane.length.get();
        // A lane shorter than loop and distance together is covered as a whole.
        let fits = length_m >= STOP_BAR_TO_LINE_M + LOOP_LENGTH_M;
        let (to_line_m, loop_m) = if fits { (STOP_BAR_TO_LINE_M, LOOP_LENGTH_M) } else { (0.0, length_m) };
        notes.add("stop-bar loop derived: 2 m long, 1 m before the stop line", &lane.name);
        detectors.push(Detector {
            name: format!("{}.stop", lane.name),
            lane: *id,
            kind: DetectorKind::StopBar,
            to_lane_end: metres(to_line_m),
            to_stop_line: metres(to_line_m),
            length: metres(loop_m),
            watches: vec![*id],
        });
        let places = places(parts, &leading_to, *id);
        for (at, to_lane_end_m, to_stop_line_m) in &places {
            let found = advance.entry(*at).or_insert_with(|| Detector {
                name: format!("{}.advance", parts.lanes[at.index()].name),
                lane: *at,
                kind: DetectorKind::Advance,
                to_lane_end: metres(*to_lane_end_m),
                to_stop_line: metres(*to_stop_line_m),
                length: metres(LOOP_LENGTH_M),
                watches: Vec::new(),
            });
            found.watches.push(*id);
        }
        match places.first() {
            None => notes.add("no room for an advance loop", &lane.name),
            Some((at, ..)) if at == id => notes.add(
                "advance loop derived: 2 m long, 80 m before the stop line or 10 m into a lane that nothing leads to",
                &lane.name,
            ),
            Some(_) => notes.add("advance loop derived on the lanes upstream of a short lane", &lane.name),
        }
    }
    detectors.extend(advance.into_values());
    detectors
}

fn metres(m: f64) -> Metres {
    Metres::new(m).unwrap_or_default()
}

/// Where the advance loops of an approach lane go: lane, distance to that lane's end, distance to the stop line.
fn places(parts: &NetworkParts, leading_to: &[Vec<usize>], approach: LaneId) -> Vec<(LaneId, f64, f64)> {
    let mut found = Vec::new();
    let mut looked_at = vec![approach];
    // Lane, and the distance from its end to the stop line.
    let mut open = vec![(approach, 0.0)];
    while let Some((lane, behind_m)) = open.pop() {
        let length_m = parts.lanes[lane.index()].length.get();
        let wanted_m = ADVANCE_TO_LINE_M - behind_m;
        let last_m = length_m - ADVANCE_FROM_START_M;
        if wanted_m <= last_m {
            found.push((lane, wanted_m, ADVANCE_TO_LINE_M));
            continue;
        }
        let upstream: Vec<(LaneId, f64)> = leading_to[lane.index()]
            .iter()
            .map(|i| &parts.connections[*i])
            .filter(|c| c.signal.is_none())
            .filter(|c| parts.movements[c.movement.index()].turn != Turn::UTurn)
            .filter(|c| parts.lanes[c.from_lane.index()].admits.motor())
            .map(|c| (c.from_lane, behind_m + length_m + c.length.get()))
            .filter(|(l, to_line_m)| {
                !looked_at.contains(l)
                    && *to_line_m < ADVANCE_TO_LINE_M
                    && parts.lanes[l.index()].length.get() >= 2.0 * ADVANCE_FROM_START_M
            })
            .collect();
        if upstream.is_empty() || looked_at.len() + upstream.len() > UPSTREAM_LANES_MAX {
            if last_m >= ADVANCE_FROM_START_M {
                found.push((lane, last_m, behind_m + last_m));
            }
            continue;
        }
        looked_at.extend(upstream.iter().map(|u| u.0));
        open.extend(upstream);
    }
    found.sort_by_key(|f| f.0);
    found
}
