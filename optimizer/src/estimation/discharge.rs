//! What lanes really pass, learnt from what they did pass while a queue stood behind the line.
//!
//! The model of a junction predicts the service of each lane in each step; turning shares, permissive turns, short lanes
//! and slow corners make it wrong by tens of percent. While a stop bar shows no gap a queue is discharging, so what is
//! counted then *is* the service. The ratio of the two, with the prediction worth some vehicles, corrects the model.

/// Vehicles that the prediction is worth before anything was seen.
const PRIOR_VEH: f64 = 8.0;

/// Memory of what was seen, in vehicles predicted: old conditions fade after some cycles' worth.
const MEMORY_VEH: f64 = 60.0;

/// Widest correction believed.
const FACTOR_RANGE: (f64, f64) = (0.25, 1.6);

/// Seen against predicted for one lane in one step of the program.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Discharge {
    seen_veh: f64,
    predicted_veh: f64,
}

impl Discharge {
    /// A stretch of discharge with what the model would have let pass.
    pub(crate) fn learn(&mut self, seen_veh: f64, predicted_veh: f64) {
        self.seen_veh += seen_veh;
        self.predicted_veh += predicted_veh;
        if self.predicted_veh > MEMORY_VEH {
            let keep = MEMORY_VEH / self.predicted_veh;
            self.seen_veh *= keep;
            self.predicted_veh *= keep;
        }
    }

    /// By how much the model's service is to be multiplied.
    pub(crate) fn factor(&self) -> f64 {
        ((PRIOR_VEH + self.seen_veh) / (PRIOR_VEH + self.predicted_veh)).clamp(FACTOR_RANGE.0, FACTOR_RANGE.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lane_that_passes_half_is_believed_after_some_cycles_and_not_at_once() {
        let mut d = Discharge::default();
        assert!((d.factor() - 1.0).abs() < 1e-12);
        d.learn(2.0, 4.0);
        assert!(d.factor() > 0.8);
        for _ in 0..30 {
            d.learn(2.0, 4.0);
        }
        assert!((d.factor() - 0.5).abs() < 0.07, "{}", d.factor());
    }
}
