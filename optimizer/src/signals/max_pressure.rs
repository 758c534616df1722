//! Cyclic max pressure: splits in proportion to pressure, without any search. The answer when the linear program is late.
//!
//! The pressure of a stage is what it could serve, weighted by how much longer the queue is than what it flows into
//! (Varaiya 2013; cyclic form after Levin, Hu, Odell 2020). Capacity counts (Gregoire et al. 2015): vehicles that find no
//! room where they go put no pressure on. Every stage keeps its minimum, so nobody starves.

use super::junction::{Junction, Service};

/// An approach with this share of its room taken takes nobody in: what still fits will be gone before the next green.
const FULL_SHARE: f64 = 0.9;

/// An approach that part of a lane's vehicles go on to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Onward {
    /// Share of the vehicles that leave the lane.
    pub(crate) share: f64,
    /// Queue there, vehicles a lane.
    pub(crate) queue_veh: f64,
    /// Vehicles that a lane there holds.
    pub(crate) storage_veh: f64,
}

impl Onward {
    fn is_full(&self) -> bool {
        self.queue_veh >= FULL_SHARE * self.storage_veh
    }
}

/// Pressure of one lane, vehicles: its queue against the queue of each approach its vehicles go on to. Those that leave
/// for where nothing is known of find no queue.
fn lane_pressure_veh(queue_veh: f64, onward: &[Onward]) -> f64 {
    let known: f64 = onward.iter().map(|o| o.share).sum();
    let goes = |o: &Onward| if o.is_full() { 0.0 } else { o.share * (queue_veh - o.queue_veh).max(0.0) };
    onward.iter().map(goes).sum::<f64>() + (1.0 - known).max(0.0) * queue_veh
}

/// Stage lengths, seconds, that fill `cycle_s` within bounds; a stage whose bounds are zero is left out.
pub(crate) fn lengths_s(
    junction: &Junction,
    service: &Service,
    queue_veh: &[f64],
    onward: &[Vec<Onward>],
    bounds_s: &[(f64, f64)],
    cycle_s: f64,
) -> Vec<f64> {
    let lanes: Vec<f64> = queue_veh
        .iter()
        .enumerate()
        .map(|(l, queue)| lane_pressure_veh(*queue, onward.get(l).map_or(&[], Vec::as_slice)))
        .collect();
    let mut pressure = vec![0.0; junction.stages];
    for (s, step) in service.shape.steps.iter().enumerate() {
        let Some(p) = step.stage else { continue };
        pressure[p] += lanes.iter().enumerate().map(|(l, veh)| service.rate_vps[s][l] * veh).sum::<f64>();
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
    fn pressure_is_the_difference_of_queues_and_none_into_a_full_approach() {
        let onward = |share, queue_veh| Onward { share, queue_veh, storage_veh: 20.0 };
        assert_eq!(lane_pressure_veh(10.0, &[]), 10.0);
        assert_eq!(lane_pressure_veh(10.0, &[onward(1.0, 4.0)]), 6.0);
        assert_eq!(lane_pressure_veh(10.0, &[onward(0.5, 4.0)]), 8.0, "half of them leave the map");
        assert_eq!(lane_pressure_veh(10.0, &[onward(1.0, 12.0)]), 0.0);
        assert_eq!(
            lane_pressure_veh(40.0, &[onward(0.75, 18.0), onward(0.25, 2.0)]),
            9.5,
            "three quarters find it full"
        );
    }

    #[test]
    fn what_is_over_goes_by_weight_within_bounds() {
        let bounds = [(5.0, 60.0), (5.0, 12.0), (5.0, 60.0)];
        let lengths = fill(&[3.0, 5.0, 1.0], &bounds, 60.0);
        assert!((lengths.iter().sum::<f64>() - 60.0).abs() < 1e-6, "{lengths:?}");
        assert_eq!(lengths[1], 12.0);
        assert!(lengths[0] > lengths[2]);
    }
}
