//! Who may go over the line: lamps, foes with right of way, and room behind the node.

use greenkerb_models::ids::ConnectionId;
use greenkerb_models::network::Foe;
use greenkerb_models::signal::Indication;

use super::Street;
use super::passage::{GAP_S, Passage};
use crate::micro::following::krauss;
use crate::micro::mover::{Kind, Mover};
use crate::micro::scene::Scene;
use crate::micro::strips::StripId;

/// Half the width of a vehicle with its side gap: how far from where two ways meet it must be, in metres.
const CLEAR_M: f64 = 1.5;
/// Below this a vehicle behind the node counts as standing, in metres per second.
const STANDING_MPS: f64 = 1.0;
/// One who waits inside a node stays this far before the way of those it yields to, in metres.
const BEFORE_FOE_M: f64 = 2.0;
/// A way must be driven this far before one can wait inside the node, in metres.
pub(super) const INSIDE_M: f64 = 3.0;
/// Who has stood so long before a node pays no heed to others that stand, in seconds.
const PATIENCE_S: f64 = 20.0;
/// So many vehicles up a lane are looked at for one that comes.
const LOOK_BACK: usize = 6;

/// A way across a node that somebody wants to take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Claim {
    /// The way.
    pub(super) way: StripId,
    /// From the front to the line; negative inside the node.
    pub(super) to_line_m: f64,
}

/// What a driver does at a line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Verdict {
    /// Drives on.
    Go,
    /// Stops before a lamp.
    StopAtLamp,
    /// Waits at the line for others, or for room.
    Wait,
    /// Waits inside the node, so far behind the line.
    WaitInside {
        /// Metres behind the line.
        at_m: f64,
    },
}

impl Street<'_> {
    fn foes(&self, scene: &Scene<'_>, way: StripId) -> &[Foe] {
        self.network.foes(ConnectionId(scene.strips.all[way as usize].id))
    }

    /// True when who takes a way has to yield to somebody as things are shown now.
    pub(super) fn is_minor(&self, scene: &Scene<'_>, way: StripId) -> bool {
        match scene.lamps.at(way) {
            Some(Indication::Protected) => false,
            Some(Indication::StopThenGo) => true,
            _ => self.foes(scene, way).iter().any(|f| f.i_yield),
        }
    }

    /// What a driver who could still stop does at the line.
    pub(super) fn verdict(&self, scene: &Scene<'_>, m: &Mover, kind: &Kind, claim: &Claim) -> Verdict {
        let lamp = scene.lamps.at(claim.way);
        match lamp {
            Some(Indication::Red | Indication::RedAmber | Indication::Yellow) => return Verdict::StopAtLamp,
            Some(Indication::StopThenGo) if !(m.stands() && claim.to_line_m < 5.0) => return Verdict::StopAtLamp,
            _ => {}
        }
        let may_wait_inside = lamp == Some(Indication::Permissive);
        let blocked = self.foes(scene, claim.way).iter().any(|f| self.blocks(scene, m, kind, claim, f));
        if blocked {
            return match self.waiting_m(scene, claim.way).filter(|_| may_wait_inside) {
                Some(at_m) => Verdict::WaitInside { at_m },
                None => Verdict::Wait,
            };
        }
        if self.has_room(scene, claim.way, kind) { Verdict::Go } else { Verdict::Wait }
    }

    /// How far ahead one who is inside a node must stop to let others pass; none to drive on.
    pub(super) fn waits_inside(&self, scene: &Scene<'_>, m: &Mover, kind: &Kind, claim: &Claim) -> Option<f64> {
        // Where there are no lamps one waits at the line, and goes over in one.
        scene.lamps.at(claim.way)?;
        let at_m = self.waiting_m(scene, claim.way)? + claim.to_line_m;
        if at_m < -0.5 || at_m < krauss::brake_m(m.speed_mps, kind.decel, scene.dt_s) - 0.5 {
            return None;
        }
        let foes = self.foes(scene, claim.way);
        let blocked = foes.iter().any(|f| f.i_yield && self.blocks(scene, m, kind, claim, f));
        (blocked || !self.has_room(scene, claim.way, kind)).then_some(at_m.max(0.0))
    }

    /// Where one waits inside the node: before the first way one yields to, and out of everybody else's way as the lamps
    /// stand now, where that is far enough in.
    fn waiting_m(&self, scene: &Scene<'_>, way: StripId) -> Option<f64> {
        let to = scene.strips.all[way as usize].to;
        let matters = |f: &&Foe| {
            let its = scene.strips.of_connection(f.connection);
            let red =
                matches!(scene.lamps.at(its), Some(Indication::Red | Indication::RedAmber | Indication::StopThenGo));
            f.i_yield || (!red && scene.strips.all[its as usize].to != to)
        };
        let foes = self.foes(scene, way);
        foes.iter().find(|f| f.i_yield)?;
        let first_m = foes.iter().filter(matters).map(|f| f.mine_at.get()).reduce(f64::min)?;
        let at_m = first_m - BEFORE_FOE_M;
        (at_m >= INSIDE_M).then_some(at_m)
    }

    /// True when a foe keeps a driver from going: one is where the ways meet, or comes there at the same time with right
    /// of way.
    fn blocks(&self, scene: &Scene<'_>, m: &Mover, kind: &Kind, claim: &Claim, foe: &Foe) -> bool {
        let mine_m = claim.to_line_m + foe.mine_at.get();
        if mine_m + f64::from(m.length_m) + CLEAR_M < 0.0 {
            return false;
        }
        let its = scene.strips.of_connection(foe.connection);
        let its_way = &scene.strips.all[its as usize];
        let merges = its_way.to == scene.strips.all[claim.way as usize].to;
        let on_red = scene.lamps.at(claim.way) == Some(Indication::StopThenGo);
        let protected = scene.lamps.at(claim.way) == Some(Indication::Protected);
        let i_yield = (foe.i_yield && !protected) || (on_red && !foe.it_yields);
        let mine = Window::of(m, kind, mine_m);
        for o in &scene.rows[its as usize].movers {
            let its_m = foe.its_at.get() - o.front_m;
            let past_m = its_m + f64::from(o.length_m) + CLEAR_M;
            if past_m < 0.0 {
                continue;
            }
            let its_window = Window::of(o, scene.kind(o), its_m);
            let is_there = its_m < CLEAR_M;
            // Into the same lane one follows; across it one waits until the other is gone.
            if is_there && !merges && its_window.leaves_s > mine.comes_s {
                return true;
            }
            if i_yield && (is_there || !o.stands()) && mine.meets(&its_window) {
                return true;
            }
        }
        i_yield && self.comes(scene, m, kind, claim, its)
    }

    /// True when somebody before the line of a foe's way will be inside the node at the same time. Both are given the whole
    /// way across for it, as SUMO does: drivers do not reckon to the metre with who is still coming.
    fn comes(&self, scene: &Scene<'_>, m: &Mover, kind: &Kind, claim: &Claim, its: StripId) -> bool {
        let lamp = scene.lamps.at(its);
        if matches!(lamp, Some(Indication::Red | Indication::RedAmber)) {
            return false;
        }
        let (mine_way, its_way) = (&scene.strips.all[claim.way as usize], &scene.strips.all[its as usize]);
        let merges = mine_way.to == its_way.to;
        let mine = Passage::of(scene, m, kind, claim.to_line_m, claim.way);
        let lane = its_way.from;
        let length_m = scene.strips.all[lane as usize].length_m;
        let waited_s = if m.stands() { f64::from(scene.tick - m.stands_since) * scene.dt_s } else { 0.0 };
        let impatience = Passage::impatience(waited_s);
        let is_kept_from = |o: &Mover, to_line_m: f64| {
            let theirs = Passage::of(scene, o, scene.kind(o), to_line_m, its);
            mine.is_kept_from_by(&theirs, merges, impatience)
        };
        for (k, o) in scene.rows[lane as usize].movers.iter().take(LOOK_BACK).enumerate() {
            let (to_line_m, its_kind) = (length_m - o.front_m, scene.kind(o));
            // Who stands, behind somebody else or before a full exit, is not going to come; nor is anybody behind it.
            let stands = o.speed_mps < STANDING_MPS;
            if stands && (k > 0 || waited_s > PATIENCE_S || (o.next == its && !self.has_room(scene, its, its_kind))) {
                return false;
            }
            if o.next != its {
                continue;
            }
            if lamp == Some(Indication::Yellow) && to_line_m >= krauss::brake_m(o.speed_mps, its_kind.decel, scene.dt_s)
            {
                return false;
            }
            if is_kept_from(o, to_line_m) {
                return true;
            }
        }
        // Where the lane is short, those who are about to come onto it count as well.
        scene.strips.ins(lane).iter().any(|c| {
            let way_m = length_m + scene.strips.all[*c as usize].length_m;
            let across = scene.rows[*c as usize].movers.iter();
            let mut across = across.filter(|o| o.beyond == its).map(|o| (o, way_m - o.front_m));
            if across.any(|(o, to_line_m)| is_kept_from(o, to_line_m)) {
                return true;
            }
            let held = |l: Indication| !matches!(l, Indication::Protected | Indication::Permissive);
            if scene.lamps.at(*c).is_some_and(held) {
                return false;
            }
            let before = scene.strips.all[*c as usize].from;
            let behind_m = way_m + scene.strips.all[before as usize].length_m;
            let coming = scene.rows[before as usize].movers.iter().take(LOOK_BACK);
            let mut coming = coming.take_while(|o| o.speed_mps >= STANDING_MPS);
            coming.any(|o| o.next == *c && o.beyond == its && is_kept_from(o, behind_m - o.front_m))
        })
    }

    /// True when a vehicle finds room behind the node, or is in nobody's way there.
    fn has_room(&self, scene: &Scene<'_>, way: StripId, kind: &Kind) -> bool {
        let mine = &scene.strips.all[way as usize];
        let foes = self.foes(scene, way);
        let of = |f: &Foe| scene.strips.of_connection(f.connection);
        if foes.is_empty() {
            return true;
        }
        let space = |o: &Mover| f64::from(o.length_m) + scene.kind(o).min_gap_m;
        // Who moves behind the last one that stands takes its room away; so do those on their way into the lane.
        let mut taken_m = kind.length_m + kind.min_gap_m;
        let mut room_m = f64::INFINITY;
        for o in scene.rows[mine.to as usize].movers.iter().rev() {
            if o.stands() {
                room_m = o.rear_m();
                break;
            }
            taken_m += space(o);
        }
        if room_m.is_infinite() {
            return true;
        }
        taken_m += scene.rows[way as usize].movers.iter().map(space).sum::<f64>();
        let others = foes.iter().map(of).filter(|its| scene.strips.all[*its as usize].to == mine.to);
        taken_m += others.flat_map(|its| &scene.rows[its as usize].movers).map(space).sum::<f64>();
        room_m >= taken_m
    }
}

/// When a vehicle is where two ways meet, in seconds from now.
#[derive(Debug, Clone, Copy)]
struct Window {
    comes_s: f64,
    leaves_s: f64,
}

impl Window {
    /// Of a vehicle `to_m` before the place, when nothing keeps it.
    fn of(m: &Mover, kind: &Kind, to_m: f64) -> Self {
        let leaves_m = to_m + f64::from(m.length_m) + CLEAR_M;
        Self { comes_s: time_to(m, kind, to_m - CLEAR_M), leaves_s: time_to(m, kind, leaves_m) }
    }

    /// True when less than the gap lies between two stays.
    fn meets(&self, other: &Self) -> bool {
        self.comes_s < other.leaves_s + GAP_S && other.comes_s < self.leaves_s + GAP_S
    }
}

/// Time to cover a distance, speeding up to some 10 m/s, or holding the speed where it is higher.
fn time_to(m: &Mover, kind: &Kind, way_m: f64) -> f64 {
    const CRUISE_MPS: f64 = 10.0;
    if way_m <= 0.0 {
        return 0.0;
    }
    let v = m.speed_mps;
    let top = CRUISE_MPS.max(v);
    let speeding_m = (top * top - v * v) / (2.0 * kind.accel);
    if way_m <= speeding_m {
        ((v * v + 2.0 * kind.accel * way_m).sqrt() - v) / kind.accel
    } else {
        (top - v) / kind.accel + (way_m - speeding_m) / top
    }
}
