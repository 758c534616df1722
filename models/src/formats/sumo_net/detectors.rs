//! Where detectors are taken to lie: a SUMO network shows none.

use crate::detection::{Detector, DetectorKind};
use crate::formats::Notes;
use crate::ids::LaneId;
use crate::network::Lane;
use crate::units::Metres;

/// Length of every loop.
pub const LOOP_LENGTH_M: f64 = 2.0;
/// From the downstream edge of a stop-bar loop to the stop line.
pub const STOP_BAR_TO_LINE_M: f64 = 1.0;
/// From the downstream edge of an advance loop to the stop line, at most.
pub const ADVANCE_TO_LINE_M_MAX: f64 = 80.0;
/// From the start of the lane to the downstream edge of an advance loop, at least.
pub const ADVANCE_FROM_START_M: f64 = 4.0;
/// Lanes shorter than this have no advance loop.
pub const ADVANCE_LANE_M_MIN: f64 = 12.0;

/// A stop-bar loop, and an advance loop where it fits, on each of these lanes.
pub(super) fn derive(approaches: &[LaneId], lanes: &[Lane], notes: &mut Notes) -> Vec<Detector> {
    let metres = |m: f64| Metres::new(m).unwrap_or_default();
    let mut detectors = Vec::new();
    for id in approaches {
        let lane = &lanes[id.index()];
        let length_m = lane.length.get();
        // A lane shorter than loop and distance together is covered as a whole.
        let fits = length_m >= STOP_BAR_TO_LINE_M + LOOP_LENGTH_M;
        let (to_line_m, loop_m) = if fits { (STOP_BAR_TO_LINE_M, LOOP_LENGTH_M) } else { (0.0, length_m) };
        notes.add("stop-bar loop derived: 2 m long, 1 m before the stop line", &lane.name);
        detectors.push(Detector {
            name: format!("{}.stop", lane.name),
            lane: *id,
            kind: DetectorKind::StopBar,
            to_stop_line: metres(to_line_m),
            length: metres(loop_m),
        });
        if length_m >= ADVANCE_LANE_M_MIN {
            notes.add(
                "advance loop derived: 2 m long, 80 m before the stop line or 4 m into a shorter lane",
                &lane.name,
            );
            detectors.push(Detector {
                name: format!("{}.advance", lane.name),
                lane: *id,
                kind: DetectorKind::Advance,
                to_stop_line: metres((length_m - ADVANCE_FROM_START_M).min(ADVANCE_TO_LINE_M_MAX)),
                length: metres(LOOP_LENGTH_M),
            });
        }
    }
    detectors
}
