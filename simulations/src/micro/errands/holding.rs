//! How a driver comes to a stand at a place: as before a line, from as far off as braking takes.

use super::super::driving::Motion;
use super::super::following::krauss;
use super::super::mover::{ERRAND, Kind, Mover, Rider, STANDS_MPS, STAYS};
use super::super::scene::Scene;
use super::super::strips::{NONE, StripId};
use super::Errand;
use super::itinerary::Purpose;

/// Who stands so far before a place, or further on, is there, in metres.
const THERE_M: f64 = 1.0;
/// Who drives into a facility turns in from here, in metres before the entrance.
const TURNS_M: f64 = 0.1;
/// From so far before the entrance drivers see that a facility is full, in metres.
const SEEN_M: f64 = 50.0;
/// So many links ahead a place is looked for.
const LINKS_AHEAD: u32 = 3;

/// What an errand makes of a step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Held {
    /// The motion that is left.
    pub(crate) motion: Motion,
    /// The vehicle is at its place, or can never get there: somebody has to see to it.
    pub(crate) is_due: bool,
}

/// Holds a vehicle with an errand back to its place.
pub(crate) fn hold(scene: &Scene<'_>, strip: StripId, m: &Mover, rider: &Rider, motion: Motion) -> Held {
    if m.flags & STAYS != 0 {
        return Held { motion: Motion { speed_mps: 0.0, way_m: 0.0 }, is_due: false };
    }
    let errand = scene.errands.of(rider.errand);
    let (place, kind, passed) = (errand.place(), scene.kind(m), errand.passed(rider.course));
    let here = &scene.strips.all[strip as usize];
    if passed > place.link || (passed == place.link && here.is_connection) {
        return Held { motion, is_due: true };
    }
    let Some(to_place_m) = distance_m(scene, strip, m, rider, errand) else {
        return Held { motion, is_due: false };
    };
    let mut drives_in = false;
    if let Purpose::Park(parking) = place.purpose {
        let facility = scene.errands.facility(parking.facility);
        let full = facility.is_full() && !facility.serves(m.vehicle);
        if full && passed == place.link && to_place_m <= SEEN_M {
            return Held { motion, is_due: true };
        }
        drives_in = !full && facility.is_open();
    }
    // Also who drives in comes so that it could stop: the mouth may fill before it is there.
    let slowest = (m.speed_mps - kind.emergency_decel * scene.dt_s).max(0.0);
    let speed_mps = motion.speed_mps.min(krauss::stop_mps(kind, to_place_m, scene.dt_s)).max(slowest);
    let mut way_m = speed_mps * scene.dt_s;
    let left_m = to_place_m - way_m;
    // In short steps one comes ever nearer to where one would stop and never quite there.
    let turns_in = left_m <= TURNS_M || (m.stands() && to_place_m <= THERE_M);
    let is_due = strip == place.lane && if drives_in { turns_in } else { left_m <= THERE_M && speed_mps < STANDS_MPS };
    if is_due {
        way_m = way_m.min(to_place_m.max(0.0));
    }
    Held { motion: Motion { speed_mps, way_m }, is_due }
}

/// From a front to its place, along the way; none where that is further off than braking could take.
fn distance_m(scene: &Scene<'_>, strip: StripId, m: &Mover, rider: &Rider, errand: &Errand) -> Option<f64> {
    let place = errand.place();
    let mut passed = errand.passed(rider.course);
    let here = &scene.strips.all[strip as usize];
    if passed == place.link {
        return Some(place.at_m - m.front_m);
    }
    if place.link - passed > LINKS_AHEAD {
        return None;
    }
    let look_m = look_m(scene.kind(m), m, scene.dt_s);
    let (mut to_end_m, mut next, mut course) = (here.length_m - m.front_m, m.next, rider.course);
    while to_end_m <= look_m && next != NONE {
        let s = &scene.strips.all[next as usize];
        if s.is_connection {
            next = s.to;
        } else {
            passed += 1;
            if passed == place.link {
                return Some(to_end_m + place.at_m);
            }
            course = course.onward();
            next = scene.ways.connection(scene.strips, next, m.vehicle, course);
        }
        to_end_m += s.length_m;
    }
    None
}

/// Where the stretch ends on which a vehicle must be on its lane: at its place, or at the end of the lane.
pub(crate) fn end_m(scene: &Scene<'_>, m: &Mover, rider: &Rider, lane_m: f64) -> f64 {
    if m.flags & ERRAND == 0 {
        return lane_m;
    }
    let errand = scene.errands.of(rider.errand);
    let place = errand.place();
    if errand.passed(rider.course) == place.link { place.at_m.min(lane_m) } else { lane_m }
}

/// How far off a place can be that matters in this step.
fn look_m(kind: &Kind, m: &Mover, dt_s: f64) -> f64 {
    let soon_mps = m.speed_mps + kind.accel * dt_s;
    soon_mps * (dt_s + kind.headway_s) + krauss::brake_m(soon_mps, kind.decel, dt_s)
}
