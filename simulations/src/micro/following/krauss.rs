//! Krauss's law as SUMO has it (Krauss 1998; SUMO, "Car-Following-Models"): the speed from which one can still stop behind
//! a leader that brakes, less what an imperfect driver dawdles. Speeds change at the beginning of a step and hold for all of
//! it, so braking goes down in stairs: the sums below are over those stairs.

use crate::micro::mover::Kind;

/// Way made while braking from `v` to a stand in stairs of `decel`, the first stair one step from now.
pub(crate) fn brake_m(v: f64, decel: f64, dt_s: f64) -> f64 {
    let stair = decel * dt_s;
    let n = (v / stair).floor();
    dt_s * (n * v - stair * n * (n + 1.0) / 2.0)
}

/// The highest speed that, held for `headway_s` and then taken down in stairs, ends within `gap_m`.
pub(crate) fn within_mps(gap_m: f64, decel: f64, headway_s: f64, dt_s: f64) -> f64 {
    if gap_m <= 0.0 {
        return 0.0;
    }
    let stair = decel * dt_s;
    // Speed v = n stairs and a rest r covers v·headway, and then v − stair, v − 2 stairs, … for a step each.
    let half = stair * dt_s / 2.0;
    let linear = stair * headway_s - half;
    let n = ((-linear + (linear * linear + 4.0 * half * gap_m).sqrt()) / (2.0 * half)).floor().max(0.0);
    let covered_m = half * n * (n - 1.0) + n * stair * headway_s;
    let rest = (gap_m - covered_m) / (n * dt_s + headway_s);
    n * stair + rest.clamp(0.0, stair)
}

/// The highest speed from which a follower can stop behind a leader that brakes from now on; `gap_m` is what is left
/// beyond the gap kept when standing.
pub(crate) fn follow_mps(own: &Kind, leader: &Kind, leader_mps: f64, gap_m: f64, dt_s: f64) -> f64 {
    let leader_m = brake_m(leader_mps, own.decel.max(leader.decel), dt_s);
    within_mps(gap_m + leader_m, own.decel, own.headway_s, dt_s)
}

/// The highest speed from which one stops within `gap_m`.
pub(crate) fn stop_mps(own: &Kind, gap_m: f64, dt_s: f64) -> f64 {
    within_mps(gap_m, own.decel, own.headway_s, dt_s)
}

/// The highest speed from which one is down to `target_mps` after `gap_m`.
pub(crate) fn slow_to_mps(own: &Kind, gap_m: f64, target_mps: f64, dt_s: f64) -> f64 {
    within_mps(gap_m.max(0.0) + brake_m(target_mps, own.decel, dt_s), own.decel, dt_s, dt_s).max(target_mps)
}

/// What is left of a speed when the driver dawdles; `chance` is in `[0, 1)`. Who starts from a stand dawdles less.
pub(crate) fn dawdle_mps(own: &Kind, v: f64, dt_s: f64, chance: f64) -> f64 {
    let most = own.imperfection * v.min(own.accel);
    (v - most * dt_s * chance).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn car() -> Kind {
        let car = greenkerb_models::demand::VehicleKind::car("car");
        Kind::new(greenkerb_models::ids::KindId::at(0), &car, 1.0)
    }

    #[test]
    fn braking_goes_down_in_stairs() {
        // 9 m/s and stairs of 4.5: 4.5 m, then a stand.
        assert_eq!(brake_m(9.0, 4.5, 1.0), 4.5);
        assert_eq!(brake_m(10.0, 4.5, 1.0), 5.5 + 1.0);
        assert_eq!(brake_m(4.0, 4.5, 1.0), 0.0);
    }

    #[test]
    fn the_highest_safe_speed_just_stops() {
        let own = car();
        for gap_m in [0.5, 3.0, 8.9, 9.0, 27.0, 80.0, 300.0] {
            let v = stop_mps(&own, gap_m, 1.0);
            let way_m = v * own.headway_s + brake_m(v, own.decel, 1.0);
            assert!((way_m - gap_m).abs() < 1e-9, "{gap_m} m: {v} m/s needs {way_m} m");
        }
        assert_eq!(stop_mps(&own, -1.0, 1.0), 0.0);
    }

    #[test]
    fn a_leader_that_goes_on_lets_its_follower_be_faster() {
        let own = car();
        assert!(follow_mps(&own, &own, 10.0, 5.0, 1.0) > follow_mps(&own, &own, 5.0, 5.0, 1.0));
        // Behind a leader as fast as oneself the gap of one headway is kept.
        assert!((follow_mps(&own, &own, 10.0, 10.0, 1.0) - 10.0).abs() < 1e-9);
    }

    #[test]
    fn a_turn_is_entered_at_its_speed() {
        let own = car();
        assert_eq!(slow_to_mps(&own, 0.0, 7.0, 1.0), 7.0);
        let v = slow_to_mps(&own, 20.0, 7.0, 1.0);
        // One step at v, then down in stairs to 7.
        assert!(v > 7.0 && v + brake_m(v, own.decel, 1.0) - brake_m(7.0, own.decel, 1.0) <= 20.0 + 1e-9);
    }

    #[test]
    fn dawdling_takes_at_most_half_the_acceleration() {
        let own = car();
        assert_eq!(dawdle_mps(&own, 13.0, 1.0, 0.0), 13.0);
        assert!((dawdle_mps(&own, 13.0, 1.0, 1.0) - (13.0 - 1.3)).abs() < 1e-9);
        assert!((dawdle_mps(&own, 1.0, 1.0, 1.0) - 0.5).abs() < 1e-9);
    }
}
