//! What must hold after every step, looked at in debug builds.

use super::{Micro, NONE};

impl Micro {
    /// Panics when a vehicle was lost, found twice, or stands where none can.
    pub(super) fn check(&self) {
        let t = self.totals;
        let on_road: u64 = self.rows.iter().map(|r| r.movers.len() as u64).sum();
        let on_road = on_road + self.beside().count() as u64;
        assert_eq!(on_road, t.on_road, "vehicles on the road against those inserted and not arrived");
        let queues = self.regions.iter().flat_map(|r| r.queues.values());
        let waiting: u64 = queues.map(|q| q.len() as u64).sum();
        assert_eq!(waiting, t.waiting, "vehicles in queues against those loaded and not inserted");
        for (strip, row) in self.rows.iter().enumerate() {
            let s = &self.strips.all[strip];
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
        }
    }
}
