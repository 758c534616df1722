//! CityFlow's rules of driving (Zhang et al. 2019; engine at commit 81ee0f4, read for its rules): deterministic, without
//! amber and without lane changes.

use greenkerb_models::network::Turn;
use greenkerb_models::signal::Indication;

use super::{Blockers, Driver, Motion};
use crate::micro::following::cityflow::{follow_mps, stop_mps};
use crate::micro::junction::Cross;
use crate::micro::mover::{Kind, Mover, Rider};
use crate::micro::scene::Scene;
use crate::micro::strips::{NONE, Strip, StripId};

/// Speed at which every turn is driven.
pub(crate) const TURN_MPS: f64 = 8.3333;
/// Distance kept to a crossing way when giving way.
const YIELD_M: f64 = 5.0;
/// An exit whose last vehicle is slower than this is full when that vehicle is near its start.
const FLOWS_MPS: f64 = 2.0;

/// CityFlow's driver.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CityFlow;

impl Driver for CityFlow {
    fn motion(
        &self,
        scene: &Scene<'_>,
        strip: StripId,
        i: usize,
        m: &Mover,
        rider: &Rider,
        blockers: &mut Blockers<'_>,
    ) -> Motion {
        let (kind, here, dt_s) = (scene.kind(m), &scene.strips.all[strip as usize], scene.dt_s);
        let mut v = kind.speed_max_mps.min(m.speed_mps + kind.accel * dt_s);
        if !here.is_connection {
            v = v.min(here.limit_mps);
        }
        if let Some(ahead) = scene.ahead(strip, i, m, rider, kind.reach_m) {
            let leader = scene.kind(ahead.mover);
            v = v.min(follow_mps(kind, m.speed_mps, leader, ahead.mover.speed_mps, ahead.gap_m, dt_s));
        }
        if here.is_connection || (m.next != NONE && here.length_m - m.front_m <= kind.reach_m) {
            v = v.min(at_node_mps(scene, strip, here, m, kind, blockers));
        }
        v = v.max(m.speed_mps - kind.emergency_decel * dt_s);
        if v < 0.0 {
            Motion { speed_mps: 0.0, way_m: 0.5 * m.speed_mps * m.speed_mps / kind.emergency_decel }
        } else {
            Motion { speed_mps: v, way_m: (m.speed_mps + v) * dt_s / 2.0 }
        }
    }
}

/// True when a connection is open: no signal, or green. CityFlow knows no amber, so nothing else opens it.
pub(crate) fn open(scene: &Scene<'_>, connection: StripId) -> bool {
    scene.lamps.at(connection).is_none_or(Indication::is_green)
}

/// The speed that lamps, a full exit, the turn and crossing ways allow.
fn at_node_mps(
    scene: &Scene<'_>,
    strip: StripId,
    here: &Strip,
    m: &Mover,
    kind: &Kind,
    blockers: &mut Blockers<'_>,
) -> f64 {
    let mut v = kind.speed_max_mps;
    let mut way = strip;
    // From the line to the front: negative before the line.
    let mut past_line_m = m.front_m;
    if !here.is_connection {
        way = m.next;
        let to_line_m = here.length_m - m.front_m;
        past_line_m = -to_line_m;
        let next = &scene.strips.all[way as usize];
        if !open(scene, way) || exit_is_full(scene, next.to, kind) {
            // Who cannot stop any more runs through, and minds crossing vehicles.
            if brake_m(m, kind) <= to_line_m {
                return v.min(stop_mps(kind, m.speed_mps, to_line_m, scene.dt_s));
            }
        }
        if next.turn != Turn::Straight {
            v = v.min(TURN_MPS);
        }
    }
    for cross in scene.crosses.of(way) {
        if cross.mine_m < past_line_m || !scene.busy[cross.foe as usize] {
            continue;
        }
        let Some(foe) = nearest_foe(scene, cross) else { continue };
        if must_yield(scene, way, m, kind, cross.mine_m - past_line_m, cross.foe, &foe, blockers) {
            blockers.now.push((m.vehicle, foe.mover.vehicle));
            return v.min(stop_mps(kind, m.speed_mps, cross.mine_m - past_line_m - YIELD_M, scene.dt_s));
        }
    }
    v
}

/// True when the last vehicle of an exit is so near its start that no room is left, and not on the move.
fn exit_is_full(scene: &Scene<'_>, exit: StripId, kind: &Kind) -> bool {
    scene.last(exit).is_some_and(|last| last.rear_m() <= kind.length_m && last.speed_mps < FLOWS_MPS)
}

/// Shortest way to a stand.
fn brake_m(m: &Mover, kind: &Kind) -> f64 {
    0.5 * m.speed_mps * m.speed_mps / kind.emergency_decel
}

/// A vehicle on a crossing way.
struct Foe<'a> {
    mover: &'a Mover,
    /// From its front to where the ways cross; negative once it is past.
    to_cross_m: f64,
    /// The tick in which it came onto its way across; [`NONE`] before and after.
    came: u32,
}

/// The first vehicle on a crossing way that has not cleared the cross with its rear: one that has left the way but is
/// still in it, one on the way, or the first of the lane before it when its lamp is green.
fn nearest_foe<'a>(scene: &Scene<'a>, cross: &Cross) -> Option<Foe<'a>> {
    let way = &scene.strips.all[cross.foe as usize];
    let exit = &scene.rows[way.to as usize];
    if exit.from == cross.foe
        && let Some(mover) = exit.movers.last()
    {
        let to_end_m = way.length_m - cross.its_m;
        if to_end_m + mover.rear_m() < 0.0 {
            return Some(Foe { mover, to_cross_m: -(mover.front_m + to_end_m), came: NONE });
        }
    }
    for mover in &scene.rows[cross.foe as usize].movers {
        if mover.rear_m() <= cross.its_m {
            return Some(Foe { mover, to_cross_m: cross.its_m - mover.front_m, came: mover.entered });
        }
    }
    let mover = scene.rows[way.from as usize].movers.first()?;
    if mover.next != cross.foe || !open(scene, cross.foe) {
        return None;
    }
    let to_line_m = scene.strips.all[way.from as usize].length_m - mover.front_m;
    Some(Foe { mover, to_cross_m: to_line_m + cross.its_m, came: NONE })
}

/// Straight before left before right.
const fn rank(turn: Turn) -> u8 {
    match turn {
        Turn::Straight => 3,
        Turn::Left | Turn::UTurn => 2,
        Turn::Right => 1,
    }
}

/// True when a vehicle `mine_m` before a cross gives way to the foe there.
#[expect(clippy::too_many_arguments, reason = "both vehicles with their ways and distances")]
fn must_yield(
    scene: &Scene<'_>,
    way: StripId,
    m: &Mover,
    kind: &Kind,
    mine_m: f64,
    its_way: StripId,
    foe: &Foe<'_>,
    blockers: &Blockers<'_>,
) -> bool {
    let its_kind = scene.kind(foe.mover);
    if !can_yield(m, kind, mine_m) {
        return false;
    }
    let yields = !can_yield(foe.mover, its_kind, foe.to_cross_m) || {
        let (mine, its) = (&scene.strips.all[way as usize], &scene.strips.all[its_way as usize]);
        let (mine_rank, its_rank) = (rank(mine.turn), rank(its.turn));
        let past = foe.to_cross_m + its_kind.length_m < 0.0;
        let steps = || {
            (
                steps_to(m, kind, mine_m, mine.turn, scene.dt_s),
                steps_to(foe.mover, its_kind, foe.to_cross_m, its.turn, scene.dt_s),
            )
        };
        if mine_rank > its_rank {
            false
        } else if foe.to_cross_m <= 0.0 {
            !past
        } else {
            let (mine_steps, its_steps) = steps();
            match its_steps.total_cmp(&mine_steps) {
                std::cmp::Ordering::Greater => false,
                std::cmp::Ordering::Less => true,
                std::cmp::Ordering::Equal if mine_rank < its_rank => true,
                std::cmp::Ordering::Equal => {
                    let came = if scene.strips.all[way as usize].is_connection && mine_came(scene, way, m) {
                        m.entered
                    } else {
                        NONE
                    };
                    // Who came onto the node first goes first, then who is nearer, then who was loaded first.
                    let key = |came: u32, m: f64, v: u32| (came, m, v);
                    let (a, b) = (key(came, mine_m, m.vehicle), key(foe.came, foe.to_cross_m, foe.mover.vehicle));
                    a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.cmp(&b.2)).is_gt()
                }
            }
        }
    };
    yields && !blockers.circle_from(foe.mover.vehicle)
}

/// True when the mover is on the way itself, not on the lane before it.
fn mine_came(scene: &Scene<'_>, way: StripId, m: &Mover) -> bool {
    m.next == scene.strips.all[way as usize].to
}

/// True when a vehicle can still stop before a cross, or has its rear past it.
fn can_yield(m: &Mover, kind: &Kind, to_cross_m: f64) -> bool {
    (to_cross_m > 0.0 && brake_m(m, kind) < to_cross_m - YIELD_M)
        || (to_cross_m < 0.0 && to_cross_m + kind.length_m < 0.0)
}

/// Steps until a vehicle has made `way_m`, speeding up to what its way allows.
fn steps_to(m: &Mover, kind: &Kind, way_m: f64, turn: Turn, dt_s: f64) -> f64 {
    if way_m <= 0.0 {
        return 0.0;
    }
    let target_mps = if turn == Turn::Straight { kind.speed_max_mps } else { TURN_MPS };
    let (v, accel) = (m.speed_mps, kind.usual_accel);
    if v > target_mps {
        return (way_m / v).ceil();
    }
    let speeding_up_m = speeding_up_m(v, target_mps, accel, dt_s);
    if speeding_up_m > way_m {
        (((v * v + 2.0 * accel * way_m).sqrt() - v) / accel / dt_s).ceil()
    } else {
        ((target_mps - v) / accel / dt_s).ceil() + ((way_m - speeding_up_m) / target_mps / dt_s).ceil()
    }
}

/// Way made while speeding up from `v` to `target_mps`, in whole steps.
fn speeding_up_m(v: f64, target_mps: f64, accel: f64, dt_s: f64) -> f64 {
    if target_mps <= v {
        return 0.0;
    }
    let whole_steps = ((target_mps - v) / accel / dt_s).floor();
    let reached_mps = v + whole_steps * accel * dt_s;
    let whole_m = (v + reached_mps) * whole_steps * dt_s / 2.0;
    if reached_mps < target_mps { whole_m + (reached_mps + target_mps) * dt_s / 2.0 } else { whole_m }
}
