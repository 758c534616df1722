//! Total delay: the one definition that every run, report and table uses.
//!
//! Total delay = (Σ time loss + Σ departure delay) / all vehicles loaded, those that never got in included: a controller
//! that keeps vehicles out of the network must not look good. Both parts are divided by the same number, so they add up.

use serde::{Deserialize, Serialize};

/// Sums over vehicles that total delay is made of.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct DelaySums {
    /// Vehicles that were to depart, whether they did or not.
    pub loaded: u64,
    /// Seconds lost on the way, all vehicles together.
    pub time_loss_s: f64,
    /// Seconds spent waiting to get in, all vehicles together.
    pub depart_delay_s: f64,
}

/// Total delay of the average vehicle, and its two parts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TotalDelay {
    /// Time loss and departure delay over all vehicles loaded.
    pub total_delay_s_per_veh: f64,
    /// Part of it lost on the way.
    pub time_loss_s_per_veh: f64,
    /// Part of it spent waiting to get in.
    pub depart_delay_s_per_veh: f64,
}

impl DelaySums {
    /// Adds one vehicle.
    pub fn add(&mut self, time_loss_s: f64, depart_delay_s: f64) {
        self.loaded += 1;
        self.time_loss_s += time_loss_s;
        self.depart_delay_s += depart_delay_s;
    }

    /// Delay of the average vehicle; none when no vehicle was loaded.
    #[must_use]
    pub fn per_vehicle(&self) -> Option<TotalDelay> {
        let loaded = self.loaded as f64;
        (self.loaded > 0).then(|| TotalDelay {
            total_delay_s_per_veh: (self.time_loss_s + self.depart_delay_s) / loaded,
            time_loss_s_per_veh: self.time_loss_s / loaded,
            depart_delay_s_per_veh: self.depart_delay_s / loaded,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_parts_are_over_all_loaded_and_add_up() {
        let mut sums = DelaySums::default();
        sums.add(20.0, 5.0);
        sums.add(40.0, 0.0);
        sums.add(0.0, 55.0);
        let delay = sums.per_vehicle().unwrap();
        assert_eq!(delay.total_delay_s_per_veh, 40.0);
        assert_eq!((delay.time_loss_s_per_veh, delay.depart_delay_s_per_veh), (20.0, 20.0));
        assert_eq!(DelaySums::default().per_vehicle(), None);
    }
}
