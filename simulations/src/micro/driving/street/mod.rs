//! The street: each kind's own law, lamps with amber, right of way by the network's own table, room behind the node, and
//! changes of lanes.
//!
//! | file | holds |
//! | --- | --- |
//! | `approach` | what lies ahead along a driver's way: leaders, lines, turns |
//! | `priority` | who may go: lamps, foes, keep-clear |
//! | `passage` | gaps that one who yields takes or leaves |
//! | `changing` | changes of lanes, after everybody has moved |

mod approach;
pub(crate) mod changing;
mod passage;
mod priority;

use greenkerb_models::network::Network;

use super::{Blockers, Driver, Motion};
use crate::micro::following::krauss;
use crate::micro::mover::{LETS_IN, Mover, Rider};
use crate::micro::scene::Scene;
use crate::micro::strips::StripId;
use crate::micro::tick::wanted_mps;

/// Share of the usual deceleration with which a driver makes room for one who wants in.
pub(crate) const COURTESY: f64 = 0.5;

/// The street's driver.
#[derive(Debug)]
pub(crate) struct Street<'a> {
    /// Whose table of foes is used.
    pub(crate) network: &'a Network,
}

impl Driver for Street<'_> {
    fn motion(
        &self,
        scene: &Scene<'_>,
        strip: StripId,
        i: usize,
        m: &Mover,
        rider: &Rider,
        _blockers: &mut Blockers<'_>,
    ) -> Motion {
        let (kind, dt_s) = (scene.kind(m), scene.dt_s);
        let mut v = wanted_mps(scene, strip, m).min(m.speed_mps + kind.accel * dt_s);
        v = v.min(self.along_mps(scene, strip, i, m, rider, v));
        if m.flags & LETS_IN != 0 {
            v = v.min((m.speed_mps - COURTESY * kind.decel * dt_s).max(0.0));
        }
        let slowest = (m.speed_mps - kind.emergency_decel * dt_s).max(0.0);
        v = v.max(slowest);
        v = krauss::dawdle_mps(kind, v, dt_s, scene.chance(m.vehicle)).max(slowest);
        Motion { speed_mps: v, way_m: v * dt_s }
    }
}
