//! CityFlow's deterministic law (Zhang et al. 2019, section 3; Krauss 1998): two speeds that cannot end in a collision, one
//! against the leader's hardest braking and one against its usual, and a bound on the headway.

use crate::micro::mover::Kind;

/// A speed below zero: braking as hard as possible is not enough.
const NOT_ENOUGH_MPS: f64 = -100.0;

/// The highest speed at the end of the step from which a follower can still keep `target_m` behind a leader that brakes
/// with `leader_decel` from now on.
fn safe_mps(leader_mps: f64, leader_decel: f64, own_mps: f64, decel: f64, gap_m: f64, dt_s: f64, target_m: f64) -> f64 {
    let c = own_mps * dt_s / 2.0 + target_m - 0.5 * leader_mps * leader_mps / leader_decel - gap_m;
    let (a, b) = (0.5 / decel, 0.5 * dt_s);
    let square = b * b - 4.0 * a * c;
    if square < 0.0 {
        return NOT_ENOUGH_MPS;
    }
    let by_distance = 0.5 / a * (square.sqrt() - b);
    let by_step = 2.0 * leader_mps - leader_decel * dt_s + 2.0 * (gap_m - target_m) / dt_s;
    by_distance.min(by_step)
}

/// The highest speed at which to follow.
pub(crate) fn follow_mps(own: &Kind, own_mps: f64, leader: &Kind, leader_mps: f64, gap_m: f64, dt_s: f64) -> f64 {
    let hard = safe_mps(leader_mps, leader.emergency_decel, own_mps, own.emergency_decel, gap_m, dt_s, 0.0);
    let usual = safe_mps(leader_mps, leader.decel, own_mps, own.decel, gap_m, dt_s, own.min_gap_m);
    let closing_mps = (own_mps - leader_mps).max(0.0);
    let headway =
        (gap_m + (leader_mps + closing_mps / 2.0) * dt_s - own_mps * dt_s / 2.0) / (own.headway_s + dt_s / 2.0);
    hard.min(usual).min(headway)
}

/// The speed at which to go on towards a stop `distance_m` ahead.
pub(crate) fn stop_mps(own: &Kind, own_mps: f64, distance_m: f64, dt_s: f64) -> f64 {
    if distance_m <= 0.0 {
        return NOT_ENOUGH_MPS;
    }
    let faster_mps = own_mps + own.usual_accel * dt_s;
    let needed_m = (own_mps + faster_mps) * dt_s / 2.0 + faster_mps * faster_mps / own.decel / 2.0;
    if needed_m < distance_m {
        return faster_mps;
    }
    let steps = 2.0 * distance_m / (own_mps + 1e-8) / dt_s;
    if steps >= 1.0 { own_mps - own_mps / steps.trunc() } else { own_mps - own_mps / steps }
}
