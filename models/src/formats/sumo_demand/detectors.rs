//! Detectors of additional files: induction loops (E1) and lane-area detectors (E2).

use std::collections::HashMap;

use super::places::{lane, position};
use crate::detection::{Detector, DetectorKind};
use crate::formats::Notes;
use crate::formats::sumo::xml::{Attributes, value};
use crate::formats::sumo::{Fault, Flaw, Place};
use crate::formats::sumo_net::detectors::LOOP_LENGTH_M;
use crate::ids::LaneId;
use crate::network::Network;
use crate::units::Metres;

/// A loop that ends no further than this before a stop line is a stop-bar loop.
const STOP_BAR_MAX_M: f64 = 10.0;
/// How far downstream of a detector the stop line it speaks for may lie.
const WATCHED_MAX_M: f64 = 300.0;
/// Lanes looked at downstream of one detector, at most.
const LANES_MAX: usize = 24;

/// Detectors so far.
pub(super) struct Detectors<'n> {
    network: &'n Network,
    pub(super) found: Vec<Detector>,
    lines: HashMap<String, u32>,
}

impl<'n> Detectors<'n> {
    pub(super) fn on(network: &'n Network) -> Self {
        Self { network, found: Vec::new(), lines: HashMap::new() }
    }

    fn unique(&mut self, at: &Place) -> Result<(), Fault> {
        match self.lines.insert(at.id.clone(), at.line) {
            Some(first) => Err(at.fault(Flaw::Duplicate { first })),
            None => Ok(()),
        }
    }

    /// An `inductionLoop`: a point of a lane for SUMO, a loop of some length on a street.
    pub(super) fn induction_loop(
        &mut self,
        a: &Attributes,
        element: &'static str,
        notes: &mut Notes,
    ) -> Result<(), Fault> {
        let at = a.place(element)?;
        self.unique(&at)?;
        let lane = lane(self.network, a, &at)?;
        let length_m = self.network.lane(lane).length.get();
        if a.get("pos").is_none() {
            return Err(at.fault(Flaw::Missing { name: "pos" }));
        }
        let end_m = position(a, &at, "pos", 0.0, length_m)?;
        let loop_m = match a.number_if(&at, "length")? {
            Some(m) if m > 0.0 => m,
            Some(m) if m < 0.0 => return Err(at.fault(value("length", &m.to_string(), "from 0"))),
            _ => {
                notes.add("induction loop without a length taken to be 2 m long, up to its position", &at.id);
                LOOP_LENGTH_M
            }
        };
        self.install(at.id, lane, end_m, loop_m, false);
        Ok(())
    }

    /// A `laneAreaDetector` on one lane.
    pub(super) fn lane_area(&mut self, a: &Attributes, element: &'static str, notes: &mut Notes) -> Result<(), Fault> {
        let at = a.place(element)?;
        if a.get("lanes").is_some() {
            notes.add("detector over several lanes left out", &at.id);
            return Ok(());
        }
        self.unique(&at)?;
        let lane = lane(self.network, a, &at)?;
        let length_m = self.network.lane(lane).length.get();
        let start_m = position(a, &at, "pos", 0.0, length_m)?;
        let end_m = match a.number_if(&at, "length")? {
            Some(m) => (start_m + m).min(length_m),
            None => position(a, &at, "endPos", length_m, length_m)?,
        };
        if end_m <= start_m {
            return Err(at.fault(value("endPos", a.get("endPos").unwrap_or(""), "behind its pos")));
        }
        self.install(at.id, lane, end_m, end_m - start_m, true);
        Ok(())
    }

    fn install(&mut self, name: String, lane: LaneId, end_m: f64, loop_m: f64, area: bool) {
        let to_lane_end_m = self.network.lane(lane).length.get() - end_m;
        let (watches, to_stop_line_m) = self.watched(lane, to_lane_end_m);
        let kind = match area {
            true => DetectorKind::Area,
            false if to_stop_line_m <= STOP_BAR_MAX_M => DetectorKind::StopBar,
            false => DetectorKind::Advance,
        };
        let m = |v: f64| Metres::new(v.max(0.0)).unwrap_or_default();
        self.found.push(Detector {
            name,
            lane,
            kind,
            to_lane_end: m(to_lane_end_m),
            to_stop_line: m(to_stop_line_m),
            length: m(loop_m.min(end_m.max(0.1))),
            watches,
        });
    }

    /// The signalled lanes a place of a lane leads to, and the distance to the nearest of their stop lines; the lane
    /// itself where there are none.
    fn watched(&self, lane: LaneId, to_lane_end_m: f64) -> (Vec<LaneId>, f64) {
        let (mut found, mut nearest_m): (Vec<LaneId>, f64) = (Vec::new(), f64::INFINITY);
        let mut looked_at = vec![lane];
        let mut open = vec![(lane, to_lane_end_m)];
        while let Some((at, to_end_m)) = open.pop() {
            let onward = || self.network.connections_from(at).iter().map(|c| self.network.connection(*c));
            if onward().any(|c| c.signal.is_some()) {
                found.push(at);
                nearest_m = nearest_m.min(to_end_m);
                continue;
            }
            for c in onward() {
                let next_m = to_end_m + c.length.get() + self.network.lane(c.to_lane).length.get();
                if next_m <= WATCHED_MAX_M && looked_at.len() < LANES_MAX && !looked_at.contains(&c.to_lane) {
                    looked_at.push(c.to_lane);
                    open.push((c.to_lane, next_m));
                }
            }
        }
        found.sort_unstable();
        if found.is_empty() { (vec![lane], to_lane_end_m) } else { (found, nearest_m) }
    }
}
