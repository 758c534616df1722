//! The intelligent driver model (Treiber, Hennecke, Helbing 2000).

use crate::micro::mover::Kind;

/// The speed after a step of following; `gap_m` is what is left beyond the gap kept when standing.
pub(crate) fn follow_mps(own: &Kind, own_mps: f64, wanted_mps: f64, leader_mps: f64, gap_m: f64, dt_s: f64) -> f64 {
    let closing = own_mps * (own_mps - leader_mps) / (2.0 * (own.accel * own.decel).sqrt());
    let wanted_gap_m = (own_mps * own.headway_s + closing).max(0.0) + own.min_gap_m;
    let gap_m = (gap_m + own.min_gap_m).max(0.1);
    let accel = own.accel * (1.0 - (own_mps / wanted_mps.max(0.1)).powi(4) - (wanted_gap_m / gap_m).powi(2));
    (own_mps + accel * dt_s).max(0.0)
}
