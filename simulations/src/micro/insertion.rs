//! From outside onto the street: one queue per lane, first in, first out; one vehicle per lane and step.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};

use greenkerb_models::demand::{DepartLane, DepartSpeed, Trip};
use greenkerb_models::ids::LaneId;
use greenkerb_models::signal::Indication;
use greenkerb_models::units::TimeDs;

use super::event::{Journey, What};
use super::following::krauss;
use super::lamps::Lamps;
use super::mover::{ERRAND, Kind, Mover, Rider, Waiting};
use super::region::{Region, Row};
use super::strips::{NONE, StripId, Strips};
use super::ways::{Ways, bit};
use crate::random::SplitMix64;

/// What insertion looks at.
pub(crate) struct Gate<'a> {
    pub(crate) strips: &'a Strips,
    pub(crate) ways: &'a Ways,
    pub(crate) kinds: &'a [Kind],
    /// The template of a vehicle.
    pub(crate) template: &'a (dyn Fn(u32) -> &'a Trip + Sync),
    /// The strip every vehicle is on.
    pub(crate) places: &'a [AtomicU32],
    pub(crate) tick: u32,
    /// Beginning of the step.
    pub(crate) begins: TimeDs,
    /// End of the step, when it is told of.
    pub(crate) ends: TimeDs,
    /// Length of the step, in seconds.
    pub(crate) dt_s: f64,
    /// Vehicles enter with their rear, not their front, at the start of the lane.
    pub(crate) by_rear: bool,
    /// Who comes onto lanes that somebody waits for, by lane.
    pub(crate) coming: &'a BTreeMap<StripId, Vec<Coming>>,
}

/// A vehicle that comes onto a lane from upstream.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Coming {
    /// Its kind.
    kind: u16,
    speed_mps: f64,
    /// From its front to the start of the lane, in metres.
    to_start_m: f64,
}

impl Coming {
    /// True when it need not brake harder than usual for a vehicle that enters before it.
    fn allows(&self, gate: &Gate<'_>, entering: &Kind, speed_mps: f64) -> bool {
        let kind = &gate.kinds[usize::from(self.kind)];
        let gap_m = self.to_start_m + REAR_M - kind.min_gap_m;
        let safe_mps = krauss::follow_mps(kind, entering, speed_mps, gap_m, gate.dt_s);
        gap_m > 0.0 && safe_mps >= self.speed_mps - kind.decel * gate.dt_s
    }
}

/// The next vehicles to come onto a lane, over each way into it: those on the way, or the first one before it.
pub(crate) fn coming(strips: &Strips, lamps: &Lamps, rows: &[Row], lane: StripId) -> Vec<Coming> {
    let mut found = Vec::new();
    for c in strips.ins(lane) {
        let way = &strips.all[*c as usize];
        let of = |m: &Mover, to_start_m: f64| Coming { kind: m.kind, speed_mps: m.speed_mps, to_start_m };
        let across = rows[*c as usize].movers.iter().map(|m| of(m, way.length_m - m.front_m));
        found.extend(across);
        if matches!(lamps.at(*c), Some(Indication::Red | Indication::RedAmber)) {
            continue;
        }
        let before_m = way.length_m + strips.all[way.from as usize].length_m;
        let first = rows[way.from as usize].movers.iter().find(|m| m.next == *c);
        found.extend(first.map(|m| of(m, before_m - m.front_m)));
    }
    found
}

/// So far behind the start of the lane is the rear of who enters, in metres (SUMO's `departPos` "base").
const REAR_M: f64 = 0.1;

impl Gate<'_> {
    /// Where the front of a vehicle is that enters a lane: a vehicle longer than the lane reaches back over its start.
    fn front_m(&self, lane: StripId, kind: &Kind) -> f64 {
        if self.by_rear { (kind.length_m + REAR_M).min(self.strips.all[lane as usize].length_m) } else { 0.0 }
    }
}

/// How full a lane is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Room {
    /// Vehicles on it and those that wait for it.
    pub(crate) vehicles: usize,
    /// From its start to the last vehicle on it, in metres; below nought where vehicles wait for it.
    pub(crate) free_m: f64,
}

/// Share of those who may choose that take a lane with more room instead of one right of it, as counted in SUMO 1.28
/// (257 of 434 on three links with two lanes; nobody took a lane with less room).
const ROOMIER_SHARE: f64 = 0.6;

/// The lane a vehicle waits for.
pub(crate) fn choose_lane(
    lanes: &[StripId],
    wants: DepartLane,
    usable: u32,
    leads: u32,
    look: impl Fn(StripId) -> Room,
    chance: &mut SplitMix64,
) -> StripId {
    let among = |mask: u32| lanes.iter().enumerate().filter(move |(i, _)| mask & bit(*i as u32) != 0).map(|(_, l)| *l);
    let emptiest = |mask: u32| among(mask).min_by_key(|l| look(*l).vehicles);
    let lane = match wants {
        DepartLane::Best => emptiest(leads),
        DepartLane::BestProb => among(leads).reduce(|best, lane| {
            let (old_m, new_m) = (look(best).free_m, look(lane).free_m);
            let share = if old_m > 0.0 { ROOMIER_SHARE } else { 1.0 };
            if new_m > old_m && chance.unit() < share { lane } else { best }
        }),
        DepartLane::Free => emptiest(usable),
        DepartLane::Random => {
            let n = among(leads).count() as u64;
            among(leads).nth(chance.below(n) as usize)
        }
        DepartLane::First => among(usable).next(),
        DepartLane::Index(i) => lanes.get(i as usize).copied().filter(|_| usable & bit(i) != 0),
    };
    lane.or_else(|| among(usable).next()).unwrap_or(lanes[0])
}

/// Lets in whom there is room for.
pub(crate) fn let_in(gate: &Gate<'_>, region: &mut Region, rows: &mut [Row]) {
    let mut queues = std::mem::take(&mut region.queues);
    for (lane, queue) in &mut queues {
        let Some(first) = queue.front() else { continue };
        let row = &mut rows[region.local(*lane)];
        let kind = &gate.kinds[usize::from(first.kind)];
        let Some(speed_mps) = entry_mps(gate, *lane, row, first, kind) else { continue };
        let Some(w) = queue.pop_front() else { continue };
        place(gate, region, row, *lane, &w, speed_mps);
    }
    queues.retain(|_, q| !q.is_empty());
    region.queues = queues;
}

/// The speed with which a vehicle can enter a lane now; none when there is no room for it.
fn entry_mps(gate: &Gate<'_>, lane: StripId, row: &Row, w: &Waiting, kind: &Kind) -> Option<f64> {
    let strip = &gate.strips.all[lane as usize];
    let front_m = gate.front_m(lane, kind);
    let last = row.movers.last();
    let gap_m = last.map_or(f64::INFINITY, |m| m.rear_m() - front_m - kind.min_gap_m);
    if gap_m <= 0.0 {
        return None;
    }
    let most_mps = (strip.limit_mps * f64::from(w.factor)).min(kind.speed_max_mps);
    let behind_mps = last.map_or(f64::INFINITY, |m| {
        krauss::follow_mps(kind, &gate.kinds[usize::from(m.kind)], m.speed_mps, gap_m, gate.dt_s)
    });
    // Fast enough to stop before the end of the lane, whatever is shown there.
    let safe_mps = behind_mps.min(krauss::stop_mps(kind, strip.length_m - front_m, gate.dt_s));
    let speed_mps = match (gate.template)(w.template).depart_speed {
        DepartSpeed::Zero => Some(0.0),
        DepartSpeed::Max => Some(most_mps.min(safe_mps)),
        DepartSpeed::Average => {
            let sum_mps: f64 = row.movers.iter().map(|m| m.speed_mps).sum();
            let mean_mps = if row.movers.is_empty() { most_mps } else { sum_mps / row.movers.len() as f64 };
            Some(mean_mps.min(most_mps).min(safe_mps))
        }
        DepartSpeed::Fixed(v) => (v <= behind_mps).then_some(v.min(most_mps)),
    }?;
    let coming = gate.coming.get(&lane).map_or(&[][..], Vec::as_slice);
    coming.iter().all(|c| c.allows(gate, kind, speed_mps)).then_some(speed_mps)
}

fn place(gate: &Gate<'_>, region: &mut Region, row: &mut Row, lane: StripId, w: &Waiting, speed_mps: f64) {
    let kind = &gate.kinds[usize::from(w.kind)];
    let front_m = gate.front_m(lane, kind);
    let next = gate.ways.connection(gate.strips, lane, w.vehicle, w.course);
    row.movers.push(Mover {
        front_m,
        speed_mps,
        vehicle: w.vehicle,
        next,
        beyond: gate.ways.beyond(gate.strips, next, w.vehicle, w.course),
        kind: w.kind,
        flags: if w.errand == NONE { 0 } else { ERRAND },
        length_m: kind.length_m as f32,
        factor: w.factor,
        stands_since: NONE,
        entered: gate.tick,
    });
    row.from = NONE;
    gate.places[w.vehicle as usize].store(lane, Ordering::Relaxed);
    let rider = Rider {
        course: w.course,
        came_in_m: front_m as f32,
        errand: w.errand,
        journey: Journey { due: w.due, inserted: gate.begins, ..Journey::default() },
    };
    let local = region.local(lane);
    region.riders[local].push_back(rider);
    region.activate(lane);
    region.counts.inserted += 1;
    let lane = LaneId(gate.strips.all[lane as usize].id);
    region.tell(gate.ends, What::Inserted { vehicle: super::VehicleId(w.vehicle), lane });
}
