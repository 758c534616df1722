//! What must hold after every step, looked at in debug builds.

use greenkerb_models::signal::Indication;

use super::event::What;
use super::following::krauss;
use super::mover::Mover;
use super::{Micro, NONE};
use crate::scenarios::Driving;

/// Vehicles may be in each other by this much of rounding, in metres.
const ROUNDING_M: f64 = 1e-6;

impl Micro {
    /// Panics when a vehicle was lost, found twice, stands where none can, or has run a red light.
    pub(super) fn check(&self) {
        let t = self.totals;
        let in_rows: u64 = self.rows.iter().map(|r| r.movers.len() as u64).sum();
        let on_road = in_rows + self.beside().count() as u64;
        assert_eq!(on_road, t.on_road, "vehicles on the road against those inserted and gone");
        let queues = self.regions.iter().flat_map(|r| r.queues.values());
        let waiting: u64 = queues.map(|q| q.len() as u64).sum();
        assert_eq!(waiting, t.waiting, "vehicles in queues against those loaded and not inserted");
        assert_eq!(self.errands.taken(), t.parked + t.leaving, "bays taken against vehicles that parked");
        for strip in 0..self.rows.len() {
            self.check_strip(strip);
        }
        if self.driving == Driving::Street {
            self.check_lines();
        }
    }

    fn check_strip(&self, strip: usize) {
        let (s, row) = (&self.strips.all[strip], &self.rows[strip]);
        let region = &self.regions[self.strips.region_of(strip as u32)];
        let riders = &region.riders[region.local(strip as u32)];
        assert_eq!(riders.len(), row.movers.len(), "strip {strip}: riders and movers");
        for m in &row.movers {
            assert!(m.speed_mps >= 0.0 && m.speed_mps.is_finite(), "vehicle {}: speed {}", m.vehicle, m.speed_mps);
            assert!(
                (0.0..=s.length_m + 1e-9).contains(&m.front_m),
                "vehicle {}: {} m along a strip of {} m",
                m.vehicle,
                m.front_m,
                s.length_m
            );
            assert!(m.next == NONE || self.strips.all[m.next as usize].is_connection != s.is_connection);
        }
        // Only where the network says who gives way can ways lead into one lane without vehicles in each other.
        let has_right_of_way = !self.network.parts().conflicts.is_empty();
        if self.driving == Driving::Street && has_right_of_way && !s.is_connection {
            for w in row.movers.windows(2) {
                assert!(
                    w[1].front_m <= w[0].rear_m() + ROUNDING_M || self.is_run_into(strip, &w[0], &w[1]),
                    "strip {strip}: {:?} is in {:?}",
                    w[1],
                    w[0]
                );
            }
        }
    }

    /// A leader that brakes harder than it likes to can be run into: followers reckon with its usual braking. True when it
    /// did so in this step, or the two have been in each other since before.
    fn is_run_into(&self, strip: usize, leader: &Mover, follower: &Mover) -> bool {
        let before = |m: &Mover| self.rows_next[strip].movers.iter().find(|o| o.vehicle == m.vehicle);
        let decel = self.kinds[usize::from(leader.kind)].decel;
        let Some(l) = before(leader) else { return false };
        let braked_hard = l.speed_mps - leader.speed_mps > decel * self.step.seconds() + ROUNDING_M;
        braked_hard || before(follower).is_some_and(|f| f.front_m > l.rear_m() + ROUNDING_M)
    }

    /// Who crosses a line at amber or red could not stop before it. The rows of the step before are still there.
    fn check_lines(&self) {
        for e in &self.events {
            let What::Crossed { vehicle, connection } = e.what else { continue };
            let way = self.strips.of_connection(connection);
            if !matches!(self.lamps.at(way), Some(Indication::Yellow | Indication::Red | Indication::RedAmber)) {
                continue;
            }
            let lane = self.strips.all[way as usize].from;
            let before = self.rows_next[lane as usize].movers.iter().find(|m| m.vehicle == vehicle.0 && m.next == way);
            if let Some(m) = before {
                let to_line_m = self.strips.all[lane as usize].length_m - m.front_m;
                let kind = &self.kinds[usize::from(m.kind)];
                let brakes_m = krauss::brake_m(m.speed_mps, kind.decel, self.step.seconds());
                assert!(to_line_m <= brakes_m + ROUNDING_M, "{vehicle:?} runs a red light: {m:?}");
            }
        }
    }
}
