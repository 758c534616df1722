//! One step: let in, survey the nodes, drive, arrive. Each part reads what the part before has finished and writes only
//! into its own region, so the number of threads makes no difference.

use std::sync::atomic::Ordering;

use greenkerb_models::ids::{ConnectionId, LaneId};

use super::VehicleId;
use super::driving::{Blockers, Driver, Motion, cityflow};
use super::errands::holding::{Held, hold};
use super::event::What;
use super::mover::{CHANGED, ERRAND, LETS_IN, MOVED, MOVED_MPS, Mover, Rider, STANDS_MPS};
use super::region::{Letter, Outbox, Region, Row};
use super::scene::Scene;
use super::strips::{NONE, StripId};

/// Who stops at the line may be past it by this much of rounding, in metres.
const LINE_M: f64 = 1e-9;

/// A street of so many strips, with its vehicles, stays in a processor's cache from step to step.
const NEAR_STRIPS: usize = 8_192;

/// Marks connections that have somebody on them, somebody who has not quite left them, or a first vehicle before an open
/// lamp. The others need not be looked at by crossing vehicles.
pub(crate) fn survey(scene: &Scene<'_>, region: &mut Region, busy: &mut [bool]) {
    for strip in region.marked.drain(..) {
        busy[(strip - region.first) as usize] = false;
    }
    for word in 0..region.words() {
        for strip in region.word(word) {
            let s = &scene.strips.all[strip as usize];
            let row = &scene.rows[strip as usize];
            let connection = if s.is_connection {
                if row.movers.is_empty() && !is_leaving(scene, strip) {
                    continue;
                }
                strip
            } else {
                match row.movers.first() {
                    Some(head) if head.next != NONE && cityflow::open(scene, head.next) => head.next,
                    _ => continue,
                }
            };
            let local = region.local(connection);
            if !busy[local] {
                busy[local] = true;
                region.marked.push(connection);
            }
        }
    }
}

/// True when the last vehicle that has left a connection still has its rear on it.
fn is_leaving(scene: &Scene<'_>, connection: StripId) -> bool {
    let exit = &scene.rows[scene.strips.all[connection as usize].to as usize];
    exit.from == connection && exit.movers.last().is_some_and(|m| m.rear_m() < 0.0)
}

/// Moves every vehicle of a region. Who stays on its strip goes into `rows`, who leaves it into `out`.
pub(crate) fn drive<D: Driver>(driver: &D, scene: &Scene<'_>, region: &mut Region, rows: &mut [Row], out: &mut Outbox) {
    for letters in &mut out.to {
        letters.clear();
    }
    let last = std::mem::take(&mut region.blockers);
    let mut now = std::mem::take(&mut region.blockers_now);
    now.clear();
    for word in 0..region.words() {
        touch(scene, region, rows, word);
        for strip in region.word(word) {
            let old = &scene.rows[strip as usize];
            let local = region.local(strip);
            let row = &mut rows[local];
            row.movers.clear();
            row.from = old.from;
            if old.movers.is_empty() {
                // Both rows are empty now. A way stays awake until the last vehicle has left it with its rear, too.
                let s = &scene.strips.all[strip as usize];
                if !s.is_connection || !is_leaving(scene, strip) {
                    region.deactivate(strip);
                }
                continue;
            }
            region.counts.steps += old.movers.len() as u64;
            let mut gone = 0;
            for (i, m) in old.movers.iter().enumerate() {
                let rider = &region.riders[local][i - gone];
                let mut blockers = Blockers { last: &last, now: &mut now };
                let motion = driver.motion(scene, strip, i, m, rider, &mut blockers);
                if m.flags & ERRAND != 0 {
                    let held = hold(scene, strip, m, rider, motion);
                    gone += usize::from(settle_held(scene, region, row, out, strip, i - gone, m, held));
                    continue;
                }
                gone += usize::from(settle(scene, region, row, out, strip, i - gone, m, motion));
            }
        }
    }
    now.sort_unstable();
    region.blockers = now;
    region.blockers_now = last;
}

/// Reads what driving the strips of a word will read and write, with nothing in between that waits for it. On a large street
/// all of that lies far away in memory: fetched at the same time it costs a fraction of what it costs one after the other.
fn touch(scene: &Scene<'_>, region: &Region, rows: &[Row], word: usize) {
    if scene.rows.len() <= NEAR_STRIPS {
        return;
    }
    let mut seen = 0;
    for strip in region.word(word) {
        let local = region.local(strip);
        // The new row still holds the step before the last: the memory that is about to be written.
        for row in [&scene.rows[strip as usize], &rows[local]] {
            seen = row.movers.iter().fold(seen, |seen, m| seen ^ m.vehicle);
        }
        seen ^= scene.strips.all[strip as usize].id ^ region.riders[local].len() as u32;
    }
    let next = |strip: StripId| scene.rows[strip as usize].movers.first().map(|m| m.next).filter(|next| *next != NONE);
    for way in region.word(word).filter_map(next) {
        let s = &scene.strips.all[way as usize];
        let behind = if s.is_connection { s.to } else { way };
        seen ^= scene.rows[way as usize].from ^ scene.rows[behind as usize].from;
    }
    for way in region.word(word).filter_map(next) {
        let s = &scene.strips.all[way as usize];
        let behind = if s.is_connection { s.to } else { way };
        seen ^= scene.last(behind).map_or(0, |m| m.vehicle) ^ scene.strips.all[behind as usize].id;
    }
    std::hint::black_box(seen);
}

/// Writes the motion of a vehicle with an errand down. Coming to a stand at its place is no stop.
#[cold]
#[expect(clippy::too_many_arguments, reason = "where the vehicle is, who it is and how it moves")]
fn settle_held(
    scene: &Scene<'_>,
    region: &mut Region,
    row: &mut Row,
    out: &mut Outbox,
    strip: StripId,
    i: usize,
    old: &Mover,
    held: Held,
) -> bool {
    let mut m = *old;
    if held.is_due {
        region.due.push(m.vehicle);
        m.flags &= !MOVED;
    }
    settle(scene, region, row, out, strip, i, &m, held.motion)
}

/// Writes a motion down; true when the vehicle has left the strip.
#[expect(clippy::too_many_arguments, reason = "where the vehicle is, who it is and how it moves")]
fn settle(
    scene: &Scene<'_>,
    region: &mut Region,
    row: &mut Row,
    out: &mut Outbox,
    strip: StripId,
    i: usize,
    old: &Mover,
    motion: Motion,
) -> bool {
    debug_assert!(motion.speed_mps >= 0.0 && motion.way_m >= 0.0, "vehicle {}: {motion:?}", old.vehicle);
    let mut m = *old;
    let local = region.local(strip);
    m.flags &= !(CHANGED | LETS_IN);
    m.speed_mps = motion.speed_mps;
    m.front_m += motion.way_m;
    if m.speed_mps < STANDS_MPS {
        if !m.stands() {
            m.stands_since = scene.tick;
            if m.flags & MOVED != 0 {
                m.flags &= !MOVED;
                region.riders[local][i].journey.stops += 1;
                let s = &scene.strips.all[strip as usize];
                let lane = if s.is_connection { scene.strips.all[s.from as usize].id } else { s.id };
                region.tell(scene.ends, What::Stopped { vehicle: VehicleId(m.vehicle), lane: LaneId(lane) });
            }
        }
    } else {
        if m.stands() {
            let ticks = scene.tick - m.stands_since;
            region.riders[local][i].journey.waiting_s += (f64::from(ticks) * scene.dt_s) as f32;
            m.stands_since = NONE;
        }
        if m.speed_mps > MOVED_MPS {
            m.flags |= MOVED;
        }
    }
    let length_m = scene.strips.all[strip as usize].length_m;
    if m.front_m <= length_m + LINE_M {
        m.front_m = m.front_m.min(length_m);
        row.movers.push(m);
        return false;
    }
    if m.next == NONE && !scene.ways.ends(scene.strips, strip, m.vehicle, region.riders[local][i].course) {
        // No way on from this lane: it waits at the end until it can change lanes.
        m.front_m = length_m;
        row.movers.push(m);
        return false;
    }
    if let Some(rider) = region.riders[local].remove(i) {
        leave(scene, region, out, strip, m, rider);
    }
    true
}

/// Takes a vehicle past the end of its strip, and of further ones as far as its step reaches.
fn leave(scene: &Scene<'_>, region: &mut Region, out: &mut Outbox, strip: StripId, mut m: Mover, mut rider: Rider) {
    let vehicle = VehicleId(m.vehicle);
    let mut at = strip;
    loop {
        let s = &scene.strips.all[at as usize];
        pass(scene, at, &mut m, &mut rider);
        if m.next == NONE {
            if scene.ways.ends(scene.strips, at, m.vehicle, rider.course) {
                if m.stands() {
                    rider.journey.waiting_s += (f64::from(scene.tick + 1 - m.stands_since) * scene.dt_s) as f32;
                }
                region.counts.arrived += 1;
                scene.places[m.vehicle as usize].store(NONE, Ordering::Relaxed);
                region.tell(scene.ends, What::Arrived { vehicle, journey: rider.journey });
                return;
            }
            // It has come onto a lane that does not lead on, and further than to its end: it waits there.
            m.front_m = s.length_m;
            break;
        }
        m.front_m -= s.length_m;
        let from = at;
        at = m.next;
        if s.is_connection {
            rider.course = rider.course.onward();
            m.next = scene.ways.connection(scene.strips, at, m.vehicle, rider.course);
            m.beyond = scene.ways.beyond(scene.strips, m.next, m.vehicle, rider.course);
        } else {
            let connection = ConnectionId(scene.strips.all[at as usize].id);
            region.tell(scene.ends, What::Crossed { vehicle, connection });
            m.next = scene.strips.all[at as usize].to;
        }
        m.entered = scene.tick;
        rider.came_in_m = 0.0;
        let next = &scene.strips.all[at as usize];
        if m.front_m <= next.length_m {
            let letter = Letter { to: at, from, mover: m, rider };
            out.to[scene.strips.region_of(at)].push(letter);
            return;
        }
        if !next.is_connection {
            region.tell(scene.ends, What::Entered { vehicle, lane: LaneId(next.id) });
        }
    }
    let letter = Letter { to: at, from: strip, mover: m, rider };
    out.to[scene.strips.region_of(at)].push(letter);
}

/// Adds what a strip was to a journey: the way made, and the time lost against the speed the driver wants there.
fn pass(scene: &Scene<'_>, strip: StripId, m: &mut Mover, rider: &mut Rider) {
    let s = &scene.strips.all[strip as usize];
    let way_m = s.length_m - f64::from(rider.came_in_m);
    let spent_s = f64::from(scene.tick - m.entered) * scene.dt_s;
    rider.journey.driven_m += way_m as f32;
    rider.journey.time_loss_s += (spent_s - way_m / wanted_mps(scene, strip, m)) as f32;
}

/// The speed the driver wants on a strip.
pub(crate) fn wanted_mps(scene: &Scene<'_>, strip: StripId, m: &Mover) -> f64 {
    let limit_mps = scene.strips.all[strip as usize].limit_mps * f64::from(m.factor);
    limit_mps.min(scene.kind(m).speed_max_mps)
}

/// Takes in who comes from other strips, foremost first.
pub(crate) fn arrive(scene: &Scene<'_>, region: &mut Region, rows: &mut [Row], mail: &[Outbox]) {
    let mut inbox = std::mem::take(&mut region.inbox);
    inbox.clear();
    for from in mail {
        inbox.extend_from_slice(&from.to[region.number]);
    }
    inbox.sort_unstable_by(|a, b| {
        a.to.cmp(&b.to).then(b.mover.front_m.total_cmp(&a.mover.front_m)).then(a.mover.vehicle.cmp(&b.mover.vehicle))
    });
    for letter in &inbox {
        let s = &scene.strips.all[letter.to as usize];
        let local = region.local(letter.to);
        let row = &mut rows[local];
        row.movers.push(letter.mover);
        row.from = letter.from;
        region.riders[local].push_back(letter.rider);
        region.activate(letter.to);
        scene.places[letter.mover.vehicle as usize].store(letter.to, Ordering::Relaxed);
        if !s.is_connection {
            let vehicle = VehicleId(letter.mover.vehicle);
            region.tell(scene.ends, What::Entered { vehicle, lane: LaneId(s.id) });
        }
    }
    region.inbox = inbox;
}
