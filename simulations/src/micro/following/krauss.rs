//! Krauss's law as SUMO has it (Krauss 1998; SUMO, "Car-Following-Models"): the speed from which one can still stop behind
//! a leader that brakes, less what an imperfect driver dawdles.

use crate::micro::mover::Kind;

/// The highest speed from which a follower stops within `gap_m` behind a leader that brakes from now on.
pub(crate) fn follow_mps(own: &Kind, own_mps: f64, leader_mps: f64, gap_m: f64, _dt_s: f64) -> f64 {
    let tau = own.headway_s;
    let mean_mps = (own_mps + leader_mps) / 2.0;
    (leader_mps + (gap_m - leader_mps * tau) / (mean_mps / own.decel + tau)).max(0.0)
}

/// The highest speed from which one stops within `gap_m`, reacting within the headway.
pub(crate) fn stop_mps(own: &Kind, gap_m: f64) -> f64 {
    let b = own.decel * own.headway_s;
    ((b * b + 2.0 * own.decel * gap_m.max(0.0)).sqrt() - b).max(0.0)
}

/// What is left of a speed when the driver dawdles; `chance` is in `[0, 1)`.
pub(crate) fn dawdle_mps(own: &Kind, _own_mps: f64, v: f64, dt_s: f64, chance: f64) -> f64 {
    let most = if v < own.accel { v * own.imperfection } else { own.imperfection * own.accel };
    (v - most * dt_s.min(1.0) * chance).max(0.0)
}
