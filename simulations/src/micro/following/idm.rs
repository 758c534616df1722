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

#[cfg(test)]
mod tests {
    use super::*;

    fn car() -> Kind {
        let car = greenkerb_models::demand::VehicleKind::car("car");
        Kind::new(greenkerb_models::ids::KindId::at(0), &car, 1.0)
    }

    /// The gap at which nobody speeds up or brakes, beyond the standing gap (Treiber, Hennecke, Helbing 2000, eq. 8).
    fn equilibrium_m(own: &Kind, v: f64, wanted_mps: f64) -> f64 {
        (own.min_gap_m + v * own.headway_s) / (1.0 - (v / wanted_mps).powi(4)).sqrt() - own.min_gap_m
    }

    #[test]
    fn at_the_equilibrium_gap_the_speed_holds() {
        let own = car();
        for v in [2.0, 8.0, 12.0] {
            let next = follow_mps(&own, v, 14.0, v, equilibrium_m(&own, v, 14.0), 1.0);
            assert!((next - v).abs() < 1e-9, "{v} m/s became {next}");
        }
    }

    #[test]
    fn who_is_too_close_brakes_and_who_is_far_speeds_up() {
        let own = car();
        let gap_m = equilibrium_m(&own, 10.0, 14.0);
        assert!(follow_mps(&own, 10.0, 14.0, 10.0, gap_m / 2.0, 1.0) < 10.0);
        assert!(follow_mps(&own, 10.0, 14.0, 10.0, gap_m * 2.0, 1.0) > 10.0);
        assert!(follow_mps(&own, 10.0, 14.0, 5.0, gap_m, 1.0) < 10.0, "a slower leader is braked for");
        assert_eq!(follow_mps(&own, 1.0, 14.0, 0.0, -2.0, 1.0), 0.0);
    }
}
