//! Changes of lanes, link by link, after everybody has moved: to lanes from which the way goes on, and to lanes that are
//! faster. A change takes no time. Whoever must change and is kept from it asks the one behind it for room.

use std::sync::atomic::Ordering;

use crate::micro::errands::holding;
use crate::micro::following::krauss;
use crate::micro::mover::{CHANGED, Kind, LETS_IN, Mover, Rider, STAYS};
use crate::micro::region::{Region, Row};
use crate::micro::scene::Scene;
use crate::micro::strips::{NONE, StripId};
use crate::micro::ways::bit;

/// A change that the way asks for is begun so long before the end of the lane, in seconds of driving, per lane.
const AHEAD_S: f64 = 10.0;
/// And at least so far before it, in metres.
const AHEAD_M: f64 = 40.0;
/// A lane must be faster by this share to be worth a change.
const GAIN: f64 = 0.2;
/// How far drivers look along a lane to see how fast it is, in metres.
const SIGHT_M: f64 = 120.0;
/// From here on one who must change goes for any gap it fits into, in metres before the end of the lane.
const LAST_M: f64 = 30.0;
/// Where drivers stop before a line, in metres.
const BEFORE_LINE_M: f64 = 1.0;
/// Where one fits in, at low speed: gap before and behind, in metres.
const SQUEEZE_M: f64 = 0.3;
/// Speed up to which others are cut in before.
const SQUEEZE_MPS: f64 = 5.0;
/// A driver changes for speed once in so many steps at most, so that nobody goes to and fro.
const PAUSE_STEPS: u32 = 5;

/// Changes lanes on the links of a region. `rows` are its rows as they are after everybody has moved.
pub(crate) fn change(scene: &Scene<'_>, region: &mut Region, rows: &mut [Row]) {
    let mut first = 0;
    while first < rows.len() {
        let strip = region.first + first as u32;
        let here = &scene.strips.all[strip as usize];
        let same_link = |i: usize| {
            let s = &scene.strips.all[region.first as usize + i];
            !s.is_connection && s.link == here.link
        };
        let mut end = first + 1;
        if !here.is_connection {
            while end < rows.len() && same_link(end) {
                end += 1;
            }
            if end - first > 1 && rows[first..end].iter().any(|r| !r.movers.is_empty()) {
                Link { scene, region, rows, first, end }.change();
            }
        }
        first = end;
    }
}

/// The lanes of one link: a stretch of a region's rows, rightmost first.
struct Link<'a, 's> {
    scene: &'a Scene<'s>,
    region: &'a mut Region,
    rows: &'a mut [Row],
    first: usize,
    end: usize,
}

/// Why and where to somebody wants to change.
#[derive(Debug, Clone, Copy)]
struct Wish {
    /// Row to go to.
    to: usize,
    /// The way asks for it.
    must: bool,
    /// The end of the lane is near.
    urgent: bool,
}

impl Link<'_, '_> {
    fn change(&mut self) {
        for from in self.first..self.end {
            let mut i = 0;
            while i < self.rows[from].movers.len() {
                let m = self.rows[from].movers[i];
                if m.flags & (CHANGED | STAYS) == 0
                    && let Some(wish) = self.wish(from, i, &m)
                    && self.try_change(from, i, &m, wish)
                {
                    continue;
                }
                i += 1;
            }
        }
    }

    fn strip(&self, row: usize) -> StripId {
        self.region.first + row as u32
    }

    fn rider(&self, row: usize, i: usize) -> &Rider {
        &self.region.riders[row][i]
    }

    /// What somebody wants; none to stay.
    fn wish(&self, from: usize, i: usize, m: &Mover) -> Option<Wish> {
        let step = self.scene.ways.here(self.scene.strips, self.strip(from), m.vehicle, self.rider(from, i).course);
        let index = |row: usize| self.scene.strips.all[self.strip(row) as usize].index;
        let leads = |row: usize| step.leads & bit(index(row)) != 0;
        let usable = |row: usize| step.usable & bit(index(row)) != 0;
        let end_m = self.scene.strips.all[self.strip(from) as usize].length_m;
        let to_end_m = holding::end_m(self.scene, m, self.rider(from, i), end_m) - m.front_m;
        let look_m = |lanes: usize| (m.speed_mps * AHEAD_S).max(AHEAD_M) * lanes as f64;
        if !leads(from) {
            let goal = (self.first..self.end).filter(|r| leads(*r)).min_by_key(|r| r.abs_diff(from))?;
            let lanes = goal.abs_diff(from);
            let to = if goal > from { from + 1 } else { from - 1 };
            if !usable(to) && to != goal {
                return None;
            }
            let must = to_end_m < look_m(lanes + 1);
            return must.then_some(Wish { to, must: true, urgent: to_end_m < LAST_M * lanes as f64 });
        }
        // For speed: only to lanes that lead on as well, and never all at once.
        if !(self.scene.tick + m.vehicle).is_multiple_of(PAUSE_STEPS) || m.front_m < f64::from(m.length_m) {
            return None;
        }
        let mine = self.speed_on(from, m, Some(i));
        let beside = [from.checked_sub(1), Some(from + 1)].into_iter().flatten();
        let better = beside
            .filter(|r| (self.first..self.end).contains(r) && leads(*r))
            .map(|r| (self.speed_on(r, m, None), r))
            .reduce(|a, b| if b.0 > a.0 { b } else { a })?;
        (better.0 > mine * (1.0 + GAIN) + 0.5).then_some(Wish { to: better.1, must: false, urgent: false })
    }

    /// How fast somebody would get on along a lane: where who is ahead allows, at how many of them there are.
    fn speed_on(&self, row: usize, m: &Mover, own: Option<usize>) -> f64 {
        let s = &self.scene.strips.all[self.strip(row) as usize];
        let kind = self.scene.kind(m);
        let wanted = (s.limit_mps * f64::from(m.factor)).min(kind.speed_max_mps);
        let movers = &self.rows[row].movers;
        let ahead = match own {
            Some(i) => &movers[..i],
            None => &movers[..movers.partition_point(|o| o.front_m >= m.front_m)],
        };
        let near = ahead.iter().rev().take_while(|o| o.rear_m() - m.front_m < SIGHT_M);
        let (mut count, mut sum_mps) = (0.0, 0.0);
        for o in near {
            count += 1.0;
            sum_mps += o.speed_mps;
        }
        if count == 0.0 {
            return wanted;
        }
        // The more there are, the more their speed counts against one's own.
        let share = (count * 0.25_f64).min(1.0);
        let theirs = (sum_mps / count).min(wanted);
        wanted * (1.0 - share) + theirs * share - 0.2 * count
    }

    /// Changes when the gap allows; otherwise asks for room where it must.
    fn try_change(&mut self, from: usize, i: usize, m: &Mover, wish: Wish) -> bool {
        let scale = self.scene.strips.all[self.strip(wish.to) as usize].length_m
            / self.scene.strips.all[self.strip(from) as usize].length_m;
        let front_m = m.front_m * scale;
        let movers = &self.rows[wish.to].movers;
        let place = movers.partition_point(|o| o.front_m > front_m || (o.front_m == front_m && o.vehicle < m.vehicle));
        let (leader, follower) = (place.checked_sub(1).map(|k| movers[k]), movers.get(place).copied());
        let kind = self.scene.kind(m);
        let rear_m = front_m - f64::from(m.length_m);
        if rear_m < 0.0 && !wish.urgent {
            return false;
        }
        // Where a lane's first vehicle waits for others nobody cuts in before it that could not stop there as well.
        let can_stop = || {
            let to_line_m = self.scene.strips.all[self.strip(wish.to) as usize].length_m - front_m - BEFORE_LINE_M;
            let (dt_s, brakes) = (self.scene.dt_s, kind.decel * self.scene.dt_s);
            krauss::stop_mps(kind, to_line_m, dt_s) >= m.speed_mps - brakes
        };
        let ahead_ok = match leader {
            Some(o) => self.gap_is_safe(kind, m, &o, o.rear_m() - front_m, wish.urgent),
            None => can_stop(),
        };
        let behind_ok = match follower {
            Some(o) => self.gap_is_safe(self.scene.kind(&o), &o, m, rear_m - o.front_m, wish.urgent),
            None => self.nobody_comes(wish.to, m, rear_m, wish.urgent),
        };
        if ahead_ok && behind_ok {
            self.move_over(from, i, wish.to, place, front_m);
            return true;
        }
        if wish.must {
            // The first one behind makes room; those beside go on. Or oneself falls behind the one beside.
            let behind = &mut self.rows[wish.to].movers[place..];
            if let Some(o) = behind.iter_mut().find(|o| o.front_m < rear_m - SQUEEZE_M)
                && !behind_ok
            {
                o.flags |= LETS_IN;
            }
            if !ahead_ok && m.speed_mps > SQUEEZE_MPS {
                self.rows[from].movers[i].flags |= LETS_IN;
            }
        }
        false
    }

    /// True when nobody who is about to come onto a lane, where it is empty behind a rear, would have to brake hard. They
    /// are taken from before everybody has moved, since they may belong to another region, and as far on as they can be now.
    fn nobody_comes(&self, row: usize, m: &Mover, rear_m: f64, urgent: bool) -> bool {
        let (strips, rows, dt_s) = (self.scene.strips, self.scene.rows, self.scene.dt_s);
        strips.ins(self.strip(row)).iter().all(|c| {
            let way = &strips.all[*c as usize];
            let across = rows[*c as usize].movers.iter().map(|o| (o, way.length_m - o.front_m));
            let head = rows[way.from as usize].movers.first().filter(|o| o.next == *c);
            let to_line_m = |o: &Mover| strips.all[way.from as usize].length_m - o.front_m;
            let cannot_stop = |o: &&Mover| to_line_m(o) < krauss::brake_m(o.speed_mps, self.scene.kind(o).decel, dt_s);
            let coming = across.chain(head.filter(cannot_stop).map(|o| (o, to_line_m(o) + way.length_m)));
            let mut others = coming.filter(|(o, _)| o.vehicle != m.vehicle);
            others.all(|(o, to_lane_m)| {
                let kind = self.scene.kind(o);
                let now = Mover { speed_mps: o.speed_mps + kind.accel * dt_s, ..*o };
                self.gap_is_safe(kind, &now, m, rear_m + to_lane_m - now.speed_mps * dt_s, urgent)
            })
        })
    }

    /// True when a follower need not brake harder than it likes to.
    fn gap_is_safe(&self, kind: &Kind, follower: &Mover, leader: &Mover, gap_m: f64, urgent: bool) -> bool {
        if urgent && follower.speed_mps < SQUEEZE_MPS && follower.speed_mps <= leader.speed_mps + 2.0 {
            return gap_m > SQUEEZE_M + (follower.speed_mps - leader.speed_mps).max(0.0);
        }
        let dt_s = self.scene.dt_s;
        let allowed = krauss::follow_mps(kind, self.scene.kind(leader), leader.speed_mps, gap_m - kind.min_gap_m, dt_s);
        let brakes = if urgent { kind.emergency_decel.min(1.5 * kind.decel) } else { kind.decel };
        gap_m > 0.0 && allowed >= follower.speed_mps - brakes * dt_s
    }

    fn move_over(&mut self, from: usize, i: usize, to: usize, place: usize, front_m: f64) {
        let mut m = self.rows[from].movers.remove(i);
        let Some(mut rider) = self.region.riders[from].remove(i) else { return };
        let strip = self.strip(to);
        // The way made so far is written down as on the old lane.
        rider.came_in_m += (front_m - m.front_m) as f32;
        m.front_m = front_m;
        m.flags |= CHANGED;
        m.next = self.scene.ways.connection(self.scene.strips, strip, m.vehicle, rider.course);
        m.beyond = self.scene.ways.beyond(self.scene.strips, m.next, m.vehicle, rider.course);
        debug_assert!(m.next == NONE || self.scene.strips.all[m.next as usize].is_connection);
        self.scene.places[m.vehicle as usize].store(strip, Ordering::Relaxed);
        self.rows[to].movers.insert(place, m);
        self.region.riders[to].insert(place, rider);
        self.region.activate(strip);
    }
}
