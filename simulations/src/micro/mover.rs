//! A vehicle on a strip: what every step touches ([`Mover`]), and what only a change of strips does ([`Rider`]).

use greenkerb_models::demand::{Following, VehicleKind};
use greenkerb_models::ids::KindId;
use greenkerb_models::units::TimeDs;

use super::event::Journey;
use super::strips::{NONE, StripId};
use super::ways::Course;

/// Below this a vehicle stands, in metres per second.
pub(crate) const STANDS_MPS: f64 = 0.1;
/// Above this a vehicle that comes to a stand has stopped (5 km/h).
pub(crate) const MOVED_MPS: f64 = 1.4;

/// It has moved faster than [`MOVED_MPS`] since it last stood.
pub(crate) const MOVED: u16 = 1;
/// It has changed lanes in this step.
pub(crate) const CHANGED: u16 = 2;
/// It brakes a little in the next step, for one who wants in or to get in itself.
pub(crate) const LETS_IN: u16 = 4;

/// It has an errand, and is held back to the next place of it.
pub(crate) const ERRAND: u16 = 8;
/// It stays at a stop.
pub(crate) const STAYS: u16 = 16;

/// What every step reads and writes. Kept small: it is all the memory a step walks through.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mover {
    /// From the start of its strip to its front, in metres.
    pub(crate) front_m: f64,
    /// Speed in metres per second.
    pub(crate) speed_mps: f64,
    /// Number of the vehicle.
    pub(crate) vehicle: u32,
    /// The strip it goes to at the end of this one; [`NONE`]: it ends here, or must change lanes first.
    pub(crate) next: StripId,
    /// The connection it takes at the end of the lane ahead, where that lane is so short that others have to reckon with
    /// it there already; else [`NONE`].
    pub(crate) beyond: StripId,
    /// Kind of vehicle.
    pub(crate) kind: u16,
    /// Bits, see [`MOVED`].
    pub(crate) flags: u16,
    /// Bumper to bumper, in metres.
    pub(crate) length_m: f32,
    /// Speed its driver wants, relative to the limit.
    pub(crate) factor: f32,
    /// Tick since whose end it stands; [`NONE`] while it moves.
    pub(crate) stands_since: u32,
    /// Tick in which it entered this strip.
    pub(crate) entered: u32,
}

impl Mover {
    /// Where its rear is.
    pub(crate) fn rear_m(&self) -> f64 {
        self.front_m - f64::from(self.length_m)
    }

    /// True when it stands.
    pub(crate) const fn stands(&self) -> bool {
        self.stands_since != NONE
    }
}

/// What belongs to a vehicle and is not needed in every step.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rider {
    /// Where it is on its way: on the link it is on, or comes from.
    pub(crate) course: Course,
    /// Where on its strip it came in, in metres.
    pub(crate) came_in_m: f32,
    /// Its errand; [`NONE`] where it only drives.
    pub(crate) errand: u32,
    /// Its journey up to the start of this strip.
    pub(crate) journey: Journey,
}

/// What a mover needs of its kind.
#[derive(Debug, Clone)]
pub(crate) struct Kind {
    /// Number in the demand.
    pub(crate) id: KindId,
    /// Bumper to bumper, in metres.
    pub(crate) length_m: f64,
    /// Gap when standing, in metres.
    pub(crate) min_gap_m: f64,
    /// Highest acceleration, m/s².
    pub(crate) accel: f64,
    /// Usual acceleration, m/s².
    pub(crate) usual_accel: f64,
    /// Usual deceleration, m/s².
    pub(crate) decel: f64,
    /// Highest deceleration, m/s².
    pub(crate) emergency_decel: f64,
    /// Highest speed, m/s.
    pub(crate) speed_max_mps: f64,
    /// Headway, in seconds.
    pub(crate) headway_s: f64,
    /// Driver imperfection, 0 to 1.
    pub(crate) imperfection: f64,
    /// The law its drivers follow by.
    pub(crate) following: Following,
    /// How far it looks ahead for what stands there, in metres.
    pub(crate) reach_m: f64,
}

impl Kind {
    /// What a kind of the demand is in steps of `dt_s` seconds.
    pub(crate) fn new(id: KindId, kind: &VehicleKind, dt_s: f64) -> Self {
        let speed_max_mps = kind.speed_max.get();
        Self {
            id,
            length_m: kind.length.get(),
            min_gap_m: kind.min_gap.get(),
            accel: kind.accel.get(),
            usual_accel: kind.usual_accel.get(),
            decel: kind.decel.get(),
            emergency_decel: kind.emergency_decel.get(),
            speed_max_mps,
            headway_s: kind.headway_s,
            imperfection: kind.imperfection,
            following: kind.following,
            reach_m: speed_max_mps * speed_max_mps / kind.decel.get() / 2.0 + speed_max_mps * dt_s * 2.0,
        }
    }
}

/// A vehicle that waits outside to enter.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Waiting {
    /// Number of the vehicle.
    pub(crate) vehicle: u32,
    /// Its template.
    pub(crate) template: u32,
    /// Its kind.
    pub(crate) kind: u16,
    /// Speed its driver wants, relative to the limit.
    pub(crate) factor: f32,
    /// Its way.
    pub(crate) course: Course,
    /// Its errand; [`NONE`] where it only drives.
    pub(crate) errand: u32,
    /// When it wanted to enter.
    pub(crate) due: TimeDs,
}
