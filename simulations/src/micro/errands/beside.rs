//! Vehicles beside a lane, and how they get onto it: from a stand, into a gap in which nobody has to brake harder than it
//! likes to. Buses are let in; others ask for room once they have waited.

use std::sync::atomic::Ordering;

use greenkerb_models::demand::VehicleClass;

use super::super::Micro;
use super::super::driving::street::COURTESY;
use super::super::following::krauss;
use super::super::mover::{LETS_IN, Mover, Rider};
use super::super::strips::{NONE, StripId};
use super::itinerary::Purpose;

/// Who has waited so long for a gap asks for one, in seconds.
const PATIENCE_S: f64 = 10.0;
/// Below this others are cut in before, at their speed of walking, in metres per second.
const SQUEEZE_MPS: f64 = 2.0;
/// Where one fits in at that speed: gap before and behind, in metres.
const SQUEEZE_M: f64 = 0.5;

/// A vehicle beside a lane.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Aside {
    /// It, standing where it is to get onto the lane.
    pub(crate) mover: Mover,
    /// The rest of it.
    pub(crate) rider: Rider,
    /// The lane.
    pub(crate) lane: StripId,
    /// What it was off the lane for.
    pub(crate) purpose: Purpose,
    /// The tick since whose beginning it waits for a gap.
    pub(crate) since: u32,
}

impl Micro {
    /// Takes a vehicle off its lane.
    pub(in super::super) fn take_aside(&mut self, strip: StripId, i: usize, purpose: Purpose) -> Option<Aside> {
        let region = &mut self.regions[self.strips.region_of(strip)];
        let local = region.local(strip);
        let mut rider = region.riders[local].remove(i)?;
        let row = &mut self.rows[strip as usize];
        let mut mover = row.movers.remove(i);
        if i == row.movers.len() {
            row.from = NONE;
        }
        // What the strip was to the journey so far.
        let dt_s = self.step.seconds();
        let way_m = mover.front_m - f64::from(rider.came_in_m);
        let limit_mps = self.strips.all[strip as usize].limit_mps * f64::from(mover.factor);
        let wanted_mps = limit_mps.min(self.kinds[usize::from(mover.kind)].speed_max_mps);
        rider.journey.driven_m += way_m as f32;
        rider.journey.time_loss_s += (f64::from(self.tick - mover.entered) * dt_s - way_m / wanted_mps) as f32;
        if mover.stands() {
            rider.journey.waiting_s += (f64::from(self.tick - mover.stands_since) * dt_s) as f32;
        }
        (mover.speed_mps, mover.stands_since) = (0.0, NONE);
        self.places[mover.vehicle as usize].store(NONE, Ordering::Relaxed);
        Some(Aside { mover, rider, lane: strip, purpose, since: self.tick + 1 })
    }

    /// Puts a vehicle onto its lane where there is a gap; asks for one otherwise. True when it is on the lane.
    pub(in super::super) fn put_back(&mut self, aside: &Aside) -> bool {
        let kind = &self.kinds[usize::from(aside.mover.kind)];
        let waited_s = f64::from(self.tick - aside.since) * self.step.seconds();
        let asks = self.demand.kind(kind.id).class == VehicleClass::Bus || waited_s >= PATIENCE_S;
        if !self.fits(aside.lane, &aside.mover) {
            if asks {
                self.ask(aside.lane, &aside.mover);
            }
            return false;
        }
        let (mut m, mut rider) = (aside.mover, aside.rider);
        rider.came_in_m = m.front_m as f32;
        // Waiting in a facility is departure delay, and told as that.
        if matches!(aside.purpose, Purpose::Stop(_)) {
            rider.journey.time_loss_s += waited_s as f32;
            rider.journey.waiting_s += waited_s as f32;
        }
        // It has been there since the end of the step before.
        m.entered = self.tick.saturating_sub(1);
        m.next = self.loader.ways.connection(&self.strips, aside.lane, m.vehicle, rider.course);
        m.beyond = self.loader.ways.beyond(&self.strips, m.next, m.vehicle, rider.course);
        let row = &mut self.rows[aside.lane as usize];
        let place = row.movers.partition_point(|o| o.front_m >= m.front_m);
        row.movers.insert(place, m);
        if place + 1 == row.movers.len() {
            row.from = NONE;
        }
        let region = &mut self.regions[self.strips.region_of(aside.lane)];
        let local = region.local(aside.lane);
        region.riders[local].insert(place, rider);
        region.activate(aside.lane);
        self.places[m.vehicle as usize].store(aside.lane, Ordering::Relaxed);
        true
    }

    /// Asks the first one behind who can stop without trouble for room.
    fn ask(&mut self, lane: StripId, m: &Mover) {
        let kinds = &self.kinds;
        let can_stop = |o: &&mut Mover| {
            let braking = COURTESY * kinds[usize::from(o.kind)].decel;
            m.rear_m() - o.front_m > SQUEEZE_M + o.speed_mps * o.speed_mps / (2.0 * braking)
        };
        if let Some(o) = self.rows[lane as usize].movers.iter_mut().find(can_stop) {
            o.flags |= LETS_IN;
        }
    }

    /// Whether a standing vehicle fits in on a lane.
    fn fits(&self, lane: StripId, m: &Mover) -> bool {
        let movers = &self.rows[lane as usize].movers;
        let place = movers.partition_point(|o| o.front_m >= m.front_m);
        let room_m = place.checked_sub(1).map_or(f64::INFINITY, |k| movers[k].rear_m() - m.front_m);
        if room_m < SQUEEZE_M {
            return false;
        }
        if let Some(o) = movers.get(place) {
            return self.can_follow(o, m.rear_m() - o.front_m, m);
        }
        // Nobody behind on the lane: those on their way onto it, and the first before the node.
        let link = self.strips.all[lane as usize].link;
        let into = self.network.movements_into(link).iter().flat_map(|id| &self.network.movement(*id).connections);
        let ways = into.map(|c| self.strips.of_connection(*c)).filter(|way| self.strips.all[*way as usize].to == lane);
        ways.into_iter().all(|way| {
            let s = &self.strips.all[way as usize];
            let first = |strip: StripId| self.rows[strip as usize].movers.first();
            let from_m = self.strips.all[s.from as usize].length_m;
            let on = first(way).is_none_or(|o| self.can_follow(o, m.rear_m() + s.length_m - o.front_m, m));
            let before = first(s.from).filter(|o| o.next == way);
            on && before.is_none_or(|o| self.can_follow(o, m.rear_m() + s.length_m + from_m - o.front_m, m))
        })
    }

    /// Whether a vehicle can do with one that stands `gap_m` before it.
    fn can_follow(&self, o: &Mover, gap_m: f64, m: &Mover) -> bool {
        if gap_m <= SQUEEZE_M {
            return false;
        }
        if o.speed_mps < SQUEEZE_MPS && gap_m > SQUEEZE_M + o.speed_mps {
            return true;
        }
        let (kind, dt_s) = (&self.kinds[usize::from(o.kind)], self.step.seconds());
        let ahead = &self.kinds[usize::from(m.kind)];
        krauss::follow_mps(kind, ahead, 0.0, gap_m - kind.min_gap_m, dt_s) >= o.speed_mps - kind.decel * dt_s
    }

    /// Where a vehicle is in the row of its strip.
    pub(in super::super) fn find(&self, vehicle: u32) -> Option<(StripId, usize)> {
        let strip = self.strip_of(super::super::VehicleId(vehicle))?;
        let i = self.rows[strip as usize].movers.iter().position(|m| m.vehicle == vehicle)?;
        Some((strip, i))
    }
}
