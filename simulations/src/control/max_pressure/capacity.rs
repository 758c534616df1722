//! Max pressure that knows how much room there is: queues count as a share of their lane, and a way into a full lane
//! counts nothing, since nobody gets in (after Gregoire, Qian, Frazzoli, de La Fortelle, Wongpiromsarn 2014,
//! "Capacity-aware backpressure traffic signal control").

use std::collections::BTreeMap;

use greenkerb_models::ids::ConnectionId;
use greenkerb_models::signal::Indication;

use super::super::chooser::{Question, Rule};
use super::super::sight::Seen;

/// Share of its room from which a lane is full.
const FULL: f64 = 0.95;
/// Length of road a queued vehicle takes.
const SPACE_M: f64 = 7.5;
/// What a way weighs on which vehicles must yield.
const PERMISSIVE_WEIGHT: f64 = 0.5;

/// Capacity-aware pressure.
pub(crate) struct CapacityAware;

/// One green way with what is known of it.
#[derive(Debug, Clone, Copy)]
struct Way {
    /// Share of the approach lane's room taken by vehicles bound this way.
    queue: f64,
    /// Share of the room behind the junction that is taken.
    behind: f64,
    /// Vehicles per hour it passes when green.
    saturation_vph: f64,
    /// Its green has the right of way.
    protected: bool,
}

fn pressure(way: Way) -> f64 {
    if way.behind >= FULL {
        return 0.0;
    }
    let weight = if way.protected { 1.0 } else { PERMISSIVE_WEIGHT };
    weight * way.saturation_vph / 1_800.0 * (way.queue - way.behind).max(0.0)
}

/// Vehicles bound each way.
fn bound(queues: &[Vec<Seen>]) -> BTreeMap<ConnectionId, usize> {
    let mut bound = BTreeMap::new();
    for seen in queues.iter().flatten() {
        *bound.entry(seen.connection).or_insert(0) += 1;
    }
    bound
}

impl Rule for CapacityAware {
    fn scores(&self, asked: &Question<'_>) -> Vec<f64> {
        let network = asked.street.network();
        let (stages, sight) = (&asked.junction.stages, &asked.junction.sight);
        let bound = bound(asked.queues);
        let behind = |c: ConnectionId| {
            let lane = network.connection(c).to_lane;
            sight
                .exits
                .get(&lane)
                .map_or(0.0, |exit| sight.on_exit(asked.street, lane) as f64 / exit.storage_veh.max(1.0))
        };
        let ways: Vec<_> = sight
            .approaches
            .iter()
            .flat_map(|a| a.ways.iter().map(move |(c, g)| (a, *c, *g)))
            .map(|(a, c, g)| {
                let room_veh = (a.length_m / SPACE_M).max(1.0);
                let queue = bound.get(&c).map_or(0.0, |n| *n as f64 / room_veh);
                let saturation_vph = network.movement(network.connection(c).movement).saturation.get();
                (g, Way { queue, behind: behind(c), saturation_vph, protected: true })
            })
            .collect();
        let of = |stage: usize| -> f64 {
            let green = ways.iter().filter(|(g, _)| stages.shows(stage, *g).is_green());
            green
                .map(|(g, way)| pressure(Way { protected: stages.shows(stage, *g) == Indication::Protected, ..*way }))
                .sum()
        };
        stages.distinct().iter().map(|s| of(*s)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_exit_takes_the_pressure_from_a_way() {
        let way = Way { queue: 0.8, behind: 0.2, saturation_vph: 1_800.0, protected: true };
        assert!((pressure(way) - 0.6).abs() < 1e-12);
        assert!((pressure(Way { protected: false, ..way }) - 0.3).abs() < 1e-12);
        assert_eq!(pressure(Way { behind: 0.96, ..way }), 0.0);
        assert_eq!(pressure(Way { behind: 0.9, ..way }), 0.0, "more behind than before is no reason to go");
    }
}
