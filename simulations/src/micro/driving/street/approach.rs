//! What lies ahead of a driver, along the way: the vehicle in front, turns that are driven slowly, lines where one must stop.

use greenkerb_models::demand::Following;
use greenkerb_models::ids::ConnectionId;

use super::Street;
use super::priority::{Claim, INSIDE_M, Verdict};
use crate::micro::following::{idm, krauss};
use crate::micro::mover::{Kind, Mover, Rider};
use crate::micro::scene::Scene;
use crate::micro::strips::{NONE, Strip, StripId};

/// Where drivers stop before a lamp's line, in metres.
const BEFORE_LINE_M: f64 = 1.0;
/// Where they stop for others, in metres before the line.
const AT_LINE_M: f64 = 0.1;
/// Ways that leave one lane lie over each other up to here, in metres.
const TOGETHER_M: f64 = 6.0;
/// Where one stops for people is met to this, in metres.
const OVER_M: f64 = 0.5;
/// From here on a driver who yields sees who comes (SUMO's default `visibility` of minor ways), in metres.
const SEES_M: f64 = 4.5;

impl Street<'_> {
    /// The highest speed that everything ahead allows, at most `free_mps`.
    pub(super) fn along_mps(
        &self,
        scene: &Scene<'_>,
        strip: StripId,
        i: usize,
        m: &Mover,
        rider: &Rider,
        free_mps: f64,
    ) -> f64 {
        let (kind, dt_s) = (scene.kind(m), scene.dt_s);
        let here = &scene.strips.all[strip as usize];
        let look_m = free_mps * (dt_s + kind.headway_s) + krauss::brake_m(free_mps, kind.decel, dt_s) + kind.min_gap_m;
        let mut v = free_mps;
        let mut has_leader = false;
        if i > 0 {
            let leader = &scene.rows[strip as usize].movers[i - 1];
            v = v.min(follow_mps(scene, m, leader, leader.rear_m() - m.front_m, free_mps));
            has_leader = true;
        }
        let mut to_end_m = here.length_m - m.front_m;
        if here.is_connection {
            let claim = Claim { way: strip, to_line_m: -m.front_m };
            if let Some(at_m) = self.waits_inside(scene, m, kind, &claim) {
                v = v.min(krauss::stop_mps(kind, at_m, dt_s));
            }
            if let Some(at_m) = scene.give_way.stop_m(strip) {
                v = v.min(before_people_mps(scene, m, kind, at_m - m.front_m));
            }
            if let Some((leader, gap_m)) = self.merging(scene, strip, to_end_m, m) {
                v = v.min(follow_mps(scene, m, leader, gap_m, free_mps));
            }
        }
        let (mut lane, mut course, mut next) = (strip, rider.course, m.next);
        while to_end_m <= look_m {
            if next == NONE {
                if !scene.ways.ends(scene.strips, lane, m.vehicle, course) {
                    v = v.min(krauss::stop_mps(kind, to_end_m, dt_s));
                }
                break;
            }
            let s = &scene.strips.all[next as usize];
            let limit_mps = (s.limit_mps * f64::from(m.factor)).min(kind.speed_max_mps);
            v = v.min(krauss::slow_to_mps(kind, to_end_m, limit_mps, dt_s));
            if s.is_connection {
                match self.line(scene, m, kind, next, to_end_m) {
                    Some(stop_m) => {
                        v = v.min(krauss::stop_mps(kind, stop_m, dt_s));
                        if stop_m <= to_end_m {
                            break;
                        }
                    }
                    None => v = v.min(self.cautious_mps(scene, m, kind, next, to_end_m)),
                }
                if let Some(at_m) = scene.give_way.stop_m(next) {
                    let inside_m = if at_m < INSIDE_M { -0.1 } else { at_m };
                    v = v.min(before_people_mps(scene, m, kind, to_end_m + inside_m));
                }
                if !has_leader && let Some((leader, gap_m)) = self.first_on(scene, s, next, to_end_m) {
                    v = v.min(follow_mps(scene, m, leader, gap_m, free_mps));
                    has_leader = true;
                }
                if let Some((leader, gap_m)) = self.merging(scene, next, to_end_m + s.length_m, m) {
                    v = v.min(follow_mps(scene, m, leader, gap_m, free_mps));
                }
                next = s.to;
            } else {
                if !has_leader && let Some(leader) = scene.last(next) {
                    v = v.min(follow_mps(scene, m, leader, to_end_m + leader.rear_m(), free_mps));
                    has_leader = true;
                }
                (lane, course) = (next, course.onward());
                next = scene.ways.connection(scene.strips, lane, m.vehicle, course);
            }
            to_end_m += s.length_m;
        }
        v
    }

    /// Where a driver must stop at a line ahead: none to drive on. Past the line where one waits inside the node.
    fn line(&self, scene: &Scene<'_>, m: &Mover, kind: &Kind, way: StripId, to_line_m: f64) -> Option<f64> {
        if to_line_m < krauss::brake_m(m.speed_mps, kind.decel, scene.dt_s) {
            // Too late to stop.
            return None;
        }
        match self.verdict(scene, m, kind, &Claim { way, to_line_m }) {
            Verdict::Go => None,
            Verdict::StopAtLamp => Some(to_line_m - BEFORE_LINE_M),
            Verdict::Wait => Some(to_line_m - AT_LINE_M),
            Verdict::WaitInside { at_m } => Some(to_line_m + at_m),
        }
    }

    /// Who must yield comes as if to stop at the line until the others come in sight.
    fn cautious_mps(&self, scene: &Scene<'_>, m: &Mover, kind: &Kind, way: StripId, to_line_m: f64) -> f64 {
        let dt_s = scene.dt_s;
        if to_line_m <= SEES_M
            || to_line_m < krauss::brake_m(m.speed_mps, kind.decel, dt_s)
            || !self.is_minor(scene, way)
        {
            return f64::INFINITY;
        }
        // A lamp may have made the way a minor one just now: nobody brakes harder than usual for that.
        krauss::stop_mps(kind, to_line_m - AT_LINE_M, dt_s).max(m.speed_mps - kind.decel * dt_s)
    }

    /// The rearmost vehicle on a way across a node, or on one beside it that has not parted from it yet.
    fn first_on<'a>(&self, scene: &Scene<'a>, s: &Strip, way: StripId, to_line_m: f64) -> Option<(&'a Mover, f64)> {
        let beside = scene.strips.outs(s.from).iter().filter_map(|c| {
            let last = scene.last(*c)?;
            (*c == way || last.rear_m() < TOGETHER_M).then_some((last, to_line_m + last.rear_m()))
        });
        beside.reduce(|a, b| if b.1 < a.1 { b } else { a })
    }

    /// A vehicle on another way into the same lane that will be there first.
    fn merging<'a>(&self, scene: &Scene<'a>, way: StripId, to_end_m: f64, m: &Mover) -> Option<(&'a Mover, f64)> {
        let mine = &scene.strips.all[way as usize];
        let foes = self.network.foes(ConnectionId(mine.id)).iter();
        let others = foes.map(|f| (f, scene.strips.of_connection(f.connection))).filter(|(_, its)| {
            let s = &scene.strips.all[*its as usize];
            s.to == mine.to && s.from != mine.from
        });
        let ahead = others.flat_map(|(f, its)| {
            let length_m = scene.strips.all[its as usize].length_m;
            scene.rows[its as usize].movers.iter().map(move |o| (f, o, length_m - o.front_m))
        });
        ahead
            // One that stands there to let me pass is no leader.
            .filter(|(f, o, its_m)| !(f.it_yields && o.stands() && *its_m > BEFORE_LINE_M))
            .map(|(_, o, its_m)| (o, its_m))
            .filter(|(o, its_m)| *its_m < to_end_m || (*its_m == to_end_m && o.vehicle < m.vehicle))
            .map(|(o, its_m)| (o, to_end_m - its_m - f64::from(o.length_m)))
            .reduce(|a, b| if b.1 < a.1 { b } else { a })
    }
}

/// The speed with which one stops for people; who cannot stop any more goes on, and they do not step before it.
fn before_people_mps(scene: &Scene<'_>, m: &Mover, kind: &Kind, to_stop_m: f64) -> f64 {
    let can_stop = to_stop_m >= krauss::brake_m(m.speed_mps, kind.decel, scene.dt_s) - OVER_M;
    if can_stop { krauss::stop_mps(kind, to_stop_m, scene.dt_s) } else { f64::INFINITY }
}

/// The speed at which one follows a leader whose rear is `gap_m` ahead.
fn follow_mps(scene: &Scene<'_>, m: &Mover, leader: &Mover, gap_m: f64, wanted_mps: f64) -> f64 {
    let (kind, its_kind) = (scene.kind(m), scene.kind(leader));
    let gap_m = gap_m - kind.min_gap_m;
    match kind.following {
        Following::Krauss => krauss::follow_mps(kind, its_kind, leader.speed_mps, gap_m, scene.dt_s),
        Following::Idm => idm::follow_mps(kind, m.speed_mps, wanted_mps, leader.speed_mps, gap_m, scene.dt_s),
    }
}
