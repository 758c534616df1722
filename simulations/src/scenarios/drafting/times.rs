//! Safety times of a drafted controller.

use greenkerb_models::units::Ds;

/// Perception and reaction, comfortable deceleration on level ground (ITE, "Guidelines for Determining Traffic Signal
/// Change and Clearance Intervals", 2020).
const REACTION_S: f64 = 1.0;
const DECELERATION_MPS2: f64 = 3.05;
/// Bounds of yellow here: 3 s up to 44 km/h, 4 s from 66 km/h on.
const YELLOW_S: (f64, f64) = (3.0, 4.0);
/// Length of the vehicle that has to be off the way of others (ITE), and bounds of all-red.
const VEHICLE_M: f64 = 6.1;
const ALL_RED_S: (f64, f64) = (1.0, 6.0);
/// Speed at which slow walkers cross (RiLSA 2015: 1.0 to 1.5 m/s; 1.2 m/s where nothing else is asked).
const WALK_MPS: f64 = 1.2;
/// Shortest walk (MUTCD 2009, 4E.06).
pub(super) const WALK: Ds = Ds::from_s(7);

/// Whole half seconds, rounded up.
fn half_seconds_up(s: f64) -> Ds {
    Ds::from_seconds((s * 2.0 - 1e-9).ceil() / 2.0).unwrap_or(Ds::from_s(6))
}

/// Yellow for an approach.
pub(super) fn yellow(approach_mps: f64) -> Ds {
    let s = REACTION_S + approach_mps / (2.0 * DECELERATION_MPS2);
    half_seconds_up(s.clamp(YELLOW_S.0, YELLOW_S.1))
}

/// All-red for a vehicle that crosses the line at the end of yellow and must be past a point `way_m` behind it.
pub(super) fn all_red(way_m: f64, speed_mps: f64) -> Ds {
    let s = (way_m + VEHICLE_M) / speed_mps.max(1.0);
    half_seconds_up(s.clamp(ALL_RED_S.0, ALL_RED_S.1))
}

/// Time that somebody who has just stepped off the kerb needs to the other side.
pub(super) fn walk_clearance(crossing_m: f64) -> Ds {
    half_seconds_up(crossing_m / WALK_MPS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_follow_speed_and_distance() {
        // 30, 50 and 70 km/h: 2.37, 3.28 and 4.19 s before bounds and rounding.
        assert_eq!([8.33, 13.89, 19.44].map(yellow), [Ds(30), Ds(35), Ds(40)]);
        // 20 m at 50 km/h: 1.88 s.
        assert_eq!((all_red(20.0, 13.89), all_red(0.0, 20.0), all_red(100.0, 5.0)), (Ds(20), Ds(10), Ds(60)));
        // 13 m on foot: 10.83 s.
        assert_eq!(walk_clearance(13.0), Ds(110));
    }
}
