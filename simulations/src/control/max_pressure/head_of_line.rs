//! Pressure by head of line: on a lane that several movements share, vehicles count only up to the first one that the
//! stage would not serve, since nobody behind it moves either.
//!
//! Pressure after Varaiya (2013); what counts as queue and the weight of a green that yields follow the rule that the
//! project's measurements call `mpn10`.

use greenkerb_models::ids::ConnectionId;
use greenkerb_models::signal::Indication;

use super::super::chooser::{Question, Rule};
use super::super::sight::Seen;
use super::super::stages::Stages;

/// What a vehicle weighs that must yield when it goes.
const PERMISSIVE_WEIGHT: f64 = 0.5;

/// What a vehicle that would go weighs.
fn weight(shows: Indication) -> f64 {
    match shows {
        Indication::Protected => 1.0,
        Indication::Permissive => PERMISSIVE_WEIGHT,
        _ => 0.0,
    }
}

/// Weight of the vehicles a stage would let go, less that of what stands behind the ways they take.
pub(crate) fn score(stages: &Stages, stage: usize, queues: &[Vec<Seen>], behind: &dyn Fn(ConnectionId) -> f64) -> f64 {
    let mut sum = 0.0;
    let mut used: Vec<(ConnectionId, f64)> = Vec::new();
    for queue in queues {
        for seen in queue {
            let weight = weight(stages.shows(stage, seen.group));
            if weight == 0.0 {
                break;
            }
            sum += weight;
            if used.iter().all(|(c, _)| *c != seen.connection) {
                used.push((seen.connection, weight));
            }
        }
    }
    sum - used.into_iter().map(|(c, weight)| weight * behind(c)).sum::<f64>()
}

/// Head of line with what stands behind the junction: max pressure.
pub(crate) struct HeadOfLine;

impl Rule for HeadOfLine {
    fn scores(&self, asked: &Question<'_>) -> Vec<f64> {
        let network = asked.street.network();
        let sight = &asked.junction.sight;
        let behind = |c: ConnectionId| {
            let lane = network.connection(c).to_lane;
            // Where no signal follows nothing holds vehicles back: the way out has no pressure.
            match sight.exits.get(&lane) {
                Some(exit) if exit.to_signal => sight.on_exit(asked.street, lane) as f64 / exit.ways_on as f64,
                _ => 0.0,
            }
        };
        let stages = &asked.junction.stages;
        stages.distinct().iter().map(|s| score(stages, *s, asked.queues, &behind)).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::control::chooser::seen;
    use crate::control::sample;

    #[test]
    fn nobody_counts_behind_one_who_is_held() {
        let stages = Stages::of(Arc::new(sample::permissive_cross()));
        // Two for the stream, then one for the turn, then one more for the stream, on one lane.
        let queue = vec![seen(0, 5.0), seen(0, 12.0), seen(1, 20.0), seen(0, 27.0)];
        let of = |stage| score(&stages, stage, std::slice::from_ref(&queue), &|_| 0.0);
        assert_eq!(of(0), 3.5, "the turn goes too, with half the weight");
        assert_eq!(of(1), 0.0, "the first one is held");
        assert_eq!(of(2), 2.0, "up to the turn");
    }

    #[test]
    fn what_stands_behind_counts_once_a_way() {
        let stages = Stages::of(Arc::new(sample::permissive_cross()));
        let queues = [vec![seen(0, 5.0), seen(0, 12.0)], vec![seen(3, 5.0)]];
        let behind = |c: ConnectionId| if c == ConnectionId(0) { 1.5 } else { 7.0 };
        assert_eq!(score(&stages, 2, &queues, &behind), 0.5);
        assert_eq!(score(&stages, 3, &queues, &behind), -6.0);
    }
}
