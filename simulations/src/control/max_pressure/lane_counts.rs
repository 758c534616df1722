//! The textbook form of max pressure: vehicles on the lanes a stage lets go, less vehicles on the lanes they go to.
//!
//! Every lane counts once a stage, whatever share of it is bound elsewhere, and lanes out of the network count like any
//! other. On lanes that movements share this rates stages too high that can pass almost nobody, and then jams. Along a main
//! street it jams too: each signal holds the street back until more stand before it than behind it, so that queues rise
//! from signal to signal towards the entry, and reach back over links that are not as long as the theory has them
//! (Varaiya 2013 gives them room without end). See `docs/simulation.md`, "Rules".

use greenkerb_models::ids::{GroupId, LaneId};

use super::super::chooser::{Question, Rule};

/// Lane counts.
pub(crate) struct LaneCounts;

/// Each lane once.
fn sum_once(lanes: impl Iterator<Item = LaneId>, count: &dyn Fn(LaneId) -> usize) -> f64 {
    let mut lanes: Vec<LaneId> = lanes.collect();
    lanes.sort_unstable();
    lanes.dedup();
    lanes.into_iter().map(|l| count(l) as f64).sum()
}

/// Pressure of a stage whose green ways are `ways`.
fn pressure(ways: &[(LaneId, LaneId)], count: &dyn Fn(LaneId) -> usize) -> f64 {
    sum_once(ways.iter().map(|w| w.0), count) - sum_once(ways.iter().map(|w| w.1), count)
}

impl Rule for LaneCounts {
    fn scores(&self, asked: &Question<'_>) -> Vec<f64> {
        let network = asked.street.network();
        let (stages, sight) = (&asked.junction.stages, &asked.junction.sight);
        let count = |lane: LaneId| asked.street.count_on_lane(lane);
        let of = |stage: usize| {
            let green = |g: &GroupId| stages.shows(stage, *g).is_green();
            let ways: Vec<(LaneId, LaneId)> = sight
                .approaches
                .iter()
                .flat_map(|a| a.ways.iter().map(move |(c, g)| (a.lane, c, g)))
                .filter(|(_, _, g)| green(g))
                .map(|(lane, c, _)| (lane, network.connection(*c).to_lane))
                .collect();
            pressure(&ways, &count)
        };
        stages.distinct().iter().map(|s| of(*s)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_lane_counts_once() {
        let ways = [(LaneId(0), LaneId(5)), (LaneId(0), LaneId(6)), (LaneId(1), LaneId(6))];
        let count = |lane: LaneId| [4, 2, 0, 0, 0, 1, 2][lane.index()];
        assert_eq!(pressure(&ways, &count), 3.0);
    }
}
