//! The street: each kind's own law, lamps with amber, and foes of the network's own table.

use greenkerb_models::demand::Following;
use greenkerb_models::signal::Indication;

use super::{Blockers, Driver, Motion};
use crate::micro::following::{idm, krauss};
use crate::micro::mover::{Kind, Mover, Rider};
use crate::micro::scene::Scene;
use crate::micro::strips::{NONE, StripId};
use crate::micro::tick::wanted_mps;

/// The street's driver.
#[derive(Debug)]
pub(crate) struct Street<'a> {
    /// Whose table of foes is used.
    pub(crate) network: &'a greenkerb_models::network::Network,
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
        let (kind, here, dt_s) = (scene.kind(m), &scene.strips.all[strip as usize], scene.dt_s);
        let mut v = wanted_mps(scene, strip, m).min(m.speed_mps + kind.accel * dt_s);
        if let Some(ahead) = scene.ahead(strip, i, m, rider, kind.reach_m) {
            let gap_m = ahead.gap_m - kind.min_gap_m;
            v = v.min(match kind.following {
                Following::Krauss => krauss::follow_mps(kind, m.speed_mps, ahead.mover.speed_mps, gap_m, dt_s),
                Following::Idm => {
                    let wanted = wanted_mps(scene, strip, m);
                    idm::follow_mps(kind, m.speed_mps, wanted, ahead.mover.speed_mps, gap_m, dt_s)
                }
            });
        }
        let to_end_m = here.length_m - m.front_m;
        if !here.is_connection && to_end_m <= kind.reach_m {
            let ends_here = rider.at + 1 >= rider.end;
            if m.next == NONE && !ends_here {
                v = v.min(krauss::stop_mps(kind, to_end_m));
            } else if m.next != NONE {
                let turn_mps = scene.strips.all[m.next as usize].limit_mps * f64::from(m.factor);
                let slow_m = ((m.speed_mps * m.speed_mps - turn_mps * turn_mps) / (2.0 * kind.decel)).max(0.0);
                if to_end_m <= slow_m + m.speed_mps * dt_s {
                    v = v.min(turn_mps.max(m.speed_mps - kind.decel * dt_s));
                }
                if self.must_stop(scene, m, kind, to_end_m) {
                    v = v.min(krauss::stop_mps(kind, to_end_m));
                }
            }
        }
        let slowest = (m.speed_mps - kind.emergency_decel * dt_s).max(0.0);
        v = v.max(slowest);
        v = krauss::dawdle_mps(kind, m.speed_mps, v, dt_s, scene.chance(m.vehicle)).max(slowest);
        Motion { speed_mps: v, way_m: v * dt_s }
    }
}

impl Street<'_> {
    /// True when a lamp, a foe or a full exit keeps a vehicle before the line.
    fn must_stop(&self, scene: &Scene<'_>, m: &Mover, kind: &Kind, to_line_m: f64) -> bool {
        // Who has begun to stop goes on stopping: the law's own speeds never ask for more than this.
        let can_stop = krauss::stop_mps(kind, to_line_m) >= m.speed_mps - kind.decel * scene.dt_s - 1e-6;
        let lamp = scene.lamps.at(m.next);
        match lamp {
            Some(Indication::Red | Indication::RedAmber) => return can_stop,
            Some(Indication::Yellow) => return can_stop,
            Some(Indication::StopThenGo) if !(m.stands() && to_line_m < 5.0) => return can_stop,
            _ => {}
        }
        let way = &scene.strips.all[m.next as usize];
        let exit = scene.last(way.to);
        if exit.is_some_and(|last| last.rear_m() < kind.length_m + kind.min_gap_m && last.speed_mps < 2.0) {
            return can_stop;
        }
        if lamp == Some(Indication::Protected) {
            return false;
        }
        can_stop && self.foe_comes(scene, m, to_line_m)
    }

    /// True when somebody with right of way is on a way across mine, or will be before I am past it.
    fn foe_comes(&self, scene: &Scene<'_>, m: &Mover, to_line_m: f64) -> bool {
        let connection = greenkerb_models::ids::ConnectionId(scene.strips.all[m.next as usize].id);
        let mine_s = (to_line_m + scene.strips.all[m.next as usize].length_m) / m.speed_mps.max(3.0) + 1.0;
        self.network.foes(connection).iter().filter(|f| f.i_yield).any(|f| {
            let its = scene.strips.of_connection(f.connection);
            if scene.rows[its as usize].movers.iter().any(|o| o.rear_m() < f.its_at.get()) {
                return true;
            }
            if scene.lamps.at(its).is_some_and(|l| !l.is_green()) {
                return false;
            }
            let lane = scene.strips.all[its as usize].from;
            let length_m = scene.strips.all[lane as usize].length_m;
            let first = scene.rows[lane as usize].movers.first();
            first.is_some_and(|o| o.next == its && (length_m - o.front_m) < mine_s * o.speed_mps.max(1.0))
        })
    }
}
