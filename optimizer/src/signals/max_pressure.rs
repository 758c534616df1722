//! Cyclic max pressure: splits in proportion to pressure, without any search. The answer when the linear program is late.
//!
//! The pressure of a stage is what it could serve, weighted by how much longer the queue is than what it flows into
//! (Varaiya 2013; cyclic form after Levin, Hu, Odell 2020). Every stage keeps its minimum, so nobody starves.

use super::junction::{Junction, Service};

/// Stage lengths, seconds, that fill `cycle_s`. `downstream_veh[lane]` is the mean queue each lane discharges into.
pub(crate) fn max_pressure(
    junction: &Junction,
    service: &Service,
    queue_veh: &[f64],
    downstream_veh: &[f64],
    bounds_s: &[(f64, f64)],
    cycle_s: f64,
) -> Vec<f64> {
    let mut pressure = vec![0.0; junction.stages];
    for (s, step) in service.shape.steps.iter().enumerate() {
        let Some(p) = step.stage else { continue };
        for l in 0..junction.lanes.len() {
            pressure[p] += service.rate_vps[s][l] * (queue_veh[l] - downstream_veh[l]).max(0.0);
        }
    }
    fill(&pressure, bounds_s, cycle_s - service.shape.clearance_s)
}

/// Shares `total_s` in proportion to `weights` within bounds. Where the bounds cannot hold the total, it is the bounds'
/// nearest sum that comes out.
pub(crate) fn fill(weights: &[f64], bounds_s: &[(f64, f64)], total_s: f64) -> Vec<f64> {
    let mut lengths: Vec<f64> = bounds_s.iter().map(|b| b.0).collect();
    let mut open: Vec<usize> = (0..weights.len()).collect();
    loop {
        let left = total_s - lengths.iter().sum::<f64>();
        open.retain(|&p| lengths[p] < bounds_s[p].1 - 1e-9);
        if left <= 1e-9 || open.is_empty() {
            return lengths;
        }
        let sum: f64 = open.iter().map(|&p| weights[p].max(1e-3)).sum();
        for &p in &open {
            let more = left * weights[p].max(1e-3) / sum;
            lengths[p] = (lengths[p] + more).min(bounds_s[p].1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_over_goes_by_weight_within_bounds() {
        let bounds = [(5.0, 60.0), (5.0, 12.0), (5.0, 60.0)];
        let lengths = fill(&[3.0, 5.0, 1.0], &bounds, 60.0);
        assert!((lengths.iter().sum::<f64>() - 60.0).abs() < 1e-6, "{lengths:?}");
        assert_eq!(lengths[1], 12.0);
        assert!(lengths[0] > lengths[2]);
    }
}
