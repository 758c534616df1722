//! How long each stage must be: Webster's cycle and splits in proportion to what the critical lanes need.
//!
//! F. V. Webster, "Traffic Signal Settings", Road Research Technical Paper 39, 1958.

use greenkerb_models::ids::{ControllerId, LaneId};
use greenkerb_models::network::Network;
use greenkerb_models::signal::{Controller, GroupKind, Indication, StepKind};
use greenkerb_models::units::Ds;

use super::lanes::{Flows, LaneLoads};

/// Share of the left turning vehicles that get through beside the oncoming stream where they also have their own stage.
const THROUGH_GAPS: f64 = 0.3;

/// Which cycle signals get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CycleRule {
    /// Webster's, within these bounds.
    Webster {
        /// Shortest.
        min: Ds,
        /// Longest.
        max: Ds,
    },
    /// This one, or the shortest possible where that is longer.
    Fixed(Ds),
}

/// A lane's need of green in the stages that serve it.
struct Served {
    lane: LaneId,
    /// The stage that is there for it.
    stage: usize,
    /// Share of time it needs in that stage.
    load: f64,
}

/// Stages by lane: which one each approach lane counts for, and how much it needs of it.
fn served(network: &Network, controller: ControllerId, c: &Controller, loads: &LaneLoads) -> Vec<Served> {
    let stages: Vec<&[Indication]> = c.program.stages().map(|s| s.shows.as_slice()).collect();
    let needs = |lane: LaneId| {
        let groups: Vec<usize> = network
            .connections_from(lane)
            .iter()
            .filter_map(|k| network.connection(*k).signal)
            .filter(|s| s.controller == controller)
            .map(|s| s.group.index())
            .collect();
        let all_green = |shows: &[Indication]| !groups.is_empty() && groups.iter().all(|g| shows[*g].is_green());
        let protected = |shows: &[Indication]| groups.iter().all(|g| shows[*g] == Indication::Protected);
        let own = stages.iter().position(|s| all_green(s) && protected(s));
        let stage = own.or_else(|| stages.iter().position(|s| all_green(s)))?;
        let gaps = stages.iter().enumerate().any(|(i, s)| i != stage && all_green(s));
        let only_left = loads.left_of_lane(lane) > 0.0 && loads.left_of_lane(lane) >= loads.of_lane(lane);
        let factor = if gaps && only_left { 1.0 - THROUGH_GAPS } else { 1.0 };
        Some(Served { lane, stage, load: loads.of_lane(lane) * factor })
    };
    network.approach_lanes(controller).into_iter().filter(|l| network.lane(*l).admits.cars).filter_map(needs).collect()
}

/// What the critical lane of each stage needs, as a share of time.
fn critical(network: &Network, controller: ControllerId, c: &Controller, loads: &LaneLoads) -> Vec<f64> {
    let mut needs = vec![0.0_f64; c.program.stage_count()];
    for s in served(network, controller, c, loads) {
        needs[s.stage] = needs[s.stage].max(s.load);
    }
    needs
}

/// Effective green of a stage: drivers are lost as long at the start as they use of yellow, and walkers' clearance is
/// green for the vehicles beside them.
fn effective_green(c: &Controller, stage: usize) -> Ds {
    let steps = &c.program.steps;
    let Some(at) =
        steps.iter().position(|s| matches!(s.kind, StepKind::Stage { stage: id, .. } if id.index() == stage))
    else {
        return Ds::ZERO;
    };
    let vehicles = |g: usize| c.groups[g].kind == GroupKind::Vehicle;
    let on = (0..c.groups.len()).find(|&g| steps[at].shows[g].is_green() && vehicles(g));
    let after = (1..steps.len()).map(|k| &steps[(at + k) % steps.len()]);
    let longer = after.take_while(|s| s.kind == StepKind::Clearance && on.is_some_and(|g| s.shows[g].is_green()));
    steps[at].shipped + longer.map(|s| s.shipped).sum()
}

/// Degree of saturation of every lane at signals under the plans they ship, zero for all others. The controllers, in the
/// network's order, may be those of the network, or what they are about to become.
#[must_use]
pub fn lane_saturations(network: &Network, controllers: &[Controller], flows: &Flows) -> Vec<f64> {
    let loads = LaneLoads::of(network, flows);
    let mut full = vec![0.0; network.lanes().len()];
    for (i, c) in controllers.iter().enumerate() {
        let cycle_s: f64 = c.program.steps.iter().map(|s| s.shipped.seconds()).sum();
        for s in served(network, ControllerId::at(i), c, &loads) {
            full[s.lane.index()] = s.load * cycle_s / effective_green(c, s.stage).seconds().max(0.1);
        }
    }
    full
}

/// Degree of saturation of the critical lane of every controller under the plan it ships, as [`lane_saturations`].
#[must_use]
pub fn saturations(network: &Network, controllers: &[Controller], flows: &Flows) -> Vec<f64> {
    let lanes = lane_saturations(network, controllers, flows);
    let highest = |c| network.approach_lanes(c).into_iter().map(|l| lanes[l.index()]).fold(0.0, f64::max);
    (0..controllers.len()).map(|i| highest(ControllerId::at(i))).collect()
}

/// Gives every controller of a network (in its order) the cycle of its rule and splits by flows.
pub fn time_signals(
    controllers: &mut [Controller],
    network: &Network,
    flows: &Flows,
    rule: impl Fn(ControllerId) -> CycleRule,
) {
    let loads = LaneLoads::of(network, flows);
    for (i, c) in controllers.iter_mut().enumerate() {
        let id = ControllerId::at(i);
        let needs = critical(network, id, c, &loads);
        let mins = c.program.min_splits();
        // Green that a stage's vehicles have beyond its own step is a share of their need that it does not have to cover.
        let extra: Vec<Ds> = (0..mins.len()).map(|s| effective_green(c, s) - c.program.shipped_splits()[s]).collect();
        let fixed = c.program.clearance_total();
        let shortest = mins.iter().copied().sum::<Ds>() + fixed;
        let lost_s = fixed.seconds() - extra.iter().map(|d| d.seconds()).sum::<f64>();
        let limit = c.limits.cycle_max;
        let cycle = match rule(id) {
            CycleRule::Fixed(cycle) => cycle,
            CycleRule::Webster { min, max } => {
                let sum: f64 = needs.iter().sum::<f64>().min(0.95);
                let webster_s = (1.5 * lost_s.max(0.0) + 5.0) / (1.0 - sum);
                Ds::from_seconds(webster_s.round()).unwrap_or(max).clamp(min, max)
            }
        };
        let cycle = cycle.min(limit).max(shortest);
        let splits = split(cycle - fixed, &mins, &extra, &needs);
        let mut next = splits.into_iter();
        for step in c.program.steps.iter_mut().filter(|s| s.kind != StepKind::Clearance) {
            step.shipped = next.next().unwrap_or(step.shipped);
        }
    }
}

/// Shares out `total` among stages: each at least its minimum, the rest so that green and what comes with it is in
/// proportion to need. Whole seconds where the total allows; what rounding leaves goes to the neediest.
fn split(total: Ds, mins: &[Ds], extra: &[Ds], needs: &[f64]) -> Vec<Ds> {
    let n = mins.len();
    let mut held = vec![false; n];
    let mut splits = mins.to_vec();
    loop {
        let open: Vec<usize> = (0..n).filter(|&s| !held[s]).collect();
        let need: f64 = open.iter().map(|&s| needs[s].max(1e-3)).sum();
        let free_ds = f64::from(total.0) - (0..n).filter(|&s| held[s]).map(|s| f64::from(mins[s].0)).sum::<f64>();
        let pool_ds = free_ds + open.iter().map(|&s| f64::from(extra[s].0)).sum::<f64>();
        let share_ds = |s: usize| pool_ds * needs[s].max(1e-3) / need - f64::from(extra[s].0);
        let short: Vec<usize> = open.iter().copied().filter(|&s| share_ds(s) < f64::from(mins[s].0)).collect();
        if short.is_empty() {
            for &s in &open {
                splits[s] = Ds(((share_ds(s) / 10.0 + 1e-6).floor() * 10.0) as u32).max(mins[s]);
            }
            break;
        }
        short.iter().for_each(|&s| held[s] = true);
    }
    let used: Ds = splits.iter().copied().sum();
    let neediest = (0..n).max_by(|&a, &b| needs[a].total_cmp(&needs[b]).then(b.cmp(&a))).unwrap_or(0);
    splits[neediest] += total.saturating_sub(used);
    splits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn green_goes_where_it_is_needed_and_never_below_the_minimum() {
        let s = |v: u32| Ds::from_s(v);
        assert_eq!(split(s(60), &[s(7), s(7)], &[s(0), s(0)], &[0.4, 0.2]), [s(40), s(20)]);
        assert_eq!(split(s(60), &[s(7), s(7)], &[s(0), s(0)], &[0.6, 0.0]), [s(53), s(7)]);
        assert_eq!(split(s(60), &[s(7), s(7), s(5)], &[s(6), s(0), s(0)], &[0.3, 0.3, 0.0]), [s(25), s(30), s(5)]);
        assert_eq!(split(s(19), &[s(7), s(7), s(5)], &[s(0), s(0), s(0)], &[0.3, 0.3, 0.3]), [s(7), s(7), s(5)]);
    }
}
