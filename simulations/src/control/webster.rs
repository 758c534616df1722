//! Webster's cycle and splits from the true flows of the demand (Webster 1958, "Traffic signal settings", Road Research
//! Technical Paper 39): `C = (1.5·L + 5) / (1 − Y)`, green in proportion to the flow ratios of the critical lanes.
//!
//! Offsets are kept. Controllers whose plans share a cycle, with an offset among them that is not zero, are taken to be
//! coordinated and get one cycle: the longest that one of them asks for.

use greenkerb_models::ids::{ControllerId, LaneId};
use greenkerb_models::network::Network;
use greenkerb_models::signal::{Controller, Indication, TimingPlan};
use greenkerb_models::units::Ds;

use super::flows::movement_flows_vph;
use super::sequence::share_out;
use super::sight::Sight;
use super::stages::Stages;
use super::{Control, ControlError, Plans};
use crate::scenarios::Scenario;

/// Saturated junctions are timed as if so much of their capacity were used: beyond it the formula has no answer.
const RATIO_MAX: f64 = 0.9;
/// Longest cycle it asks for, where the controller allows more.
const CYCLE_MAX: Ds = Ds::from_s(120);

/// What Webster's formula needs of a controller.
#[derive(Debug, Clone, PartialEq)]
struct Junction {
    /// Stages that are run, in order.
    order: Vec<usize>,
    /// Flow ratio of the critical lane of each.
    ratios: Vec<f64>,
    /// Time of a cycle that is nobody's green.
    lost: Ds,
    minima: Vec<Ds>,
    range: (Ds, Ds),
}

/// The plans of all controllers, ready to be run.
///
/// # Errors
/// [`ControlError::Unfit`] where a controller's program cannot be compiled into such a plan.
pub fn webster(scenario: &Scenario) -> Result<Box<dyn Control>, ControlError> {
    Ok(Box::new(Plans::new(plans(scenario)?)))
}

/// Webster's plan of every controller, in id order.
///
/// # Errors
/// [`ControlError::Unfit`] where a controller's program cannot be compiled into such a plan.
pub fn plans(scenario: &Scenario) -> Result<Vec<TimingPlan>, ControlError> {
    let network = &scenario.network;
    let flows = movement_flows_vph(scenario);
    let junctions: Vec<Junction> =
        (0..network.controllers().len()).map(|i| junction(network, ControllerId::at(i), &flows)).collect();
    let shipped: Vec<TimingPlan> = network.controllers().iter().map(Controller::time_of_day_plan).collect();
    let asked: Vec<Ds> = junctions.iter().map(Junction::cycle).collect();
    let coordinated = |cycle: Ds| shipped.iter().any(|p| p.cycle == cycle && p.offset != Ds::ZERO);
    let cycle_of = |i: usize| {
        let own = shipped[i].cycle;
        if !coordinated(own) {
            return asked[i];
        }
        let group = (0..asked.len()).filter(|j| shipped[*j].cycle == own);
        group.map(|j| asked[j]).max().unwrap_or(asked[i])
    };
    (0..junctions.len())
        .map(|i| {
            let controller = network.controller(ControllerId::at(i));
            let offset = controller.program.shipped_offset;
            compile(controller, &junctions[i], cycle_of(i), offset)
        })
        .collect()
}

/// Flow ratio of a lane and the stages that serve it.
struct LaneLoad {
    ratio: f64,
    stages: Vec<usize>,
}

fn junction(network: &Network, id: ControllerId, flows_vph: &[f64]) -> Junction {
    let controller = network.controller(id);
    let stages = Stages::of(std::sync::Arc::new(controller.clone()));
    let order = if stages.is_list() { stages.cover() } else { (0..stages.all().len()).collect::<Vec<_>>() };
    let loads: Vec<LaneLoad> = Sight::of(network, id, 0.0)
        .approaches
        .iter()
        .map(|a| LaneLoad {
            ratio: lane_ratio(network, a.lane, flows_vph),
            stages: serving(&stages, &order, a.ways.iter().map(|(_, g)| *g)),
        })
        .collect();
    let course = controller.program.course(
        &controller.groups,
        &controller.conflicts,
        &splits_of(&stages, &order, |s| stages.all()[s].shipped.max(Ds(1))),
    );
    let lost = course.map_or(Ds::ZERO, |c| c.iter().filter(|s| s.stage.is_none()).map(|s| s.length).sum());
    Junction {
        ratios: critical_ratios(&loads, order.len()),
        lost,
        minima: order.iter().map(|s| stages.all()[*s].min).collect(),
        order,
        range: (
            controller.limits.cycle_min,
            controller.limits.cycle_max.min(CYCLE_MAX.max(controller.limits.cycle_min)),
        ),
    }
}

/// Lengths of all stages of a program where only some are run.
fn splits_of(stages: &Stages, order: &[usize], length: impl Fn(usize) -> Ds) -> Vec<Ds> {
    (0..stages.all().len()).map(|s| if order.contains(&s) { length(s) } else { Ds::ZERO }).collect()
}

/// Flow over saturation flow of a lane, each movement's flow spread evenly over the lanes that it leaves from.
fn lane_ratio(network: &Network, lane: LaneId, flows_vph: &[f64]) -> f64 {
    let mut ratio = 0.0;
    for c in network.connections_from(lane) {
        let id = network.connection(*c).movement;
        let movement = network.movement(id);
        let mut lanes: Vec<LaneId> = movement.connections.iter().map(|c| network.connection(*c).from_lane).collect();
        lanes.sort_unstable();
        lanes.dedup();
        // Several connections from this lane carry one movement's share together.
        let ways = movement.connections.iter().filter(|c| network.connection(**c).from_lane == lane).count().max(1);
        let share = flows_vph[id.index()] / lanes.len().max(1) as f64 / ways as f64;
        ratio += share / movement.saturation.get().max(1.0);
    }
    ratio
}

/// Places in the order of the stages that serve a lane: with right of way for all its movements; if none does, green for
/// all; if none does, green for any.
fn serving(
    stages: &Stages,
    order: &[usize],
    groups: impl Iterator<Item = greenkerb_models::ids::GroupId> + Clone,
) -> Vec<usize> {
    let places = |test: &dyn Fn(usize) -> bool| (0..order.len()).filter(|p| test(order[*p])).collect::<Vec<_>>();
    let protected = places(&|s| groups.clone().all(|g| stages.shows(s, g) == Indication::Protected));
    if !protected.is_empty() {
        return protected;
    }
    let green = places(&|s| groups.clone().all(|g| stages.shows(s, g).is_green()));
    if !green.is_empty() {
        return green;
    }
    places(&|s| groups.clone().any(|g| stages.shows(s, g).is_green()))
}

/// The smallest ratios, stage by stage, that give every lane what it asks for: lanes that only one stage serves first,
/// then what is missing to the others goes to the longest of their stages.
fn critical_ratios(loads: &[LaneLoad], stages: usize) -> Vec<f64> {
    let mut ratios = vec![0.0_f64; stages];
    let mut by_choice: Vec<&LaneLoad> = loads.iter().filter(|l| !l.stages.is_empty()).collect();
    by_choice.sort_by(|a, b| a.stages.len().cmp(&b.stages.len()).then(b.ratio.total_cmp(&a.ratio)));
    for load in by_choice {
        let has: f64 = load.stages.iter().map(|s| ratios[*s]).sum();
        let missing = load.ratio - has;
        let longest = load.stages.iter().copied().reduce(|a, b| if ratios[b] > ratios[a] { b } else { a });
        if let (true, Some(stage)) = (missing > 0.0, longest) {
            ratios[stage] += missing;
        }
    }
    ratios
}

impl Junction {
    /// The cycle that Webster's formula asks for, in whole seconds, within what the controller can run.
    fn cycle(&self) -> Ds {
        let ratio = self.ratios.iter().sum::<f64>().min(RATIO_MAX);
        let cycle_s = ((1.5 * self.lost.seconds() + 5.0) / (1.0 - ratio)).ceil();
        let least = self.lost + self.minima.iter().copied().sum();
        Ds::from_seconds(cycle_s).unwrap_or(self.range.1).clamp(self.range.0, self.range.1).max(least)
    }
}

fn compile(controller: &Controller, junction: &Junction, cycle: Ds, offset: Ds) -> Result<TimingPlan, ControlError> {
    let stages = Stages::of(std::sync::Arc::new(controller.clone()));
    let green = cycle.saturating_sub(junction.lost);
    let lengths = share_out(green, &junction.ratios, &junction.minima);
    let of = |s: usize| junction.order.iter().position(|o| *o == s).map_or(Ds::ZERO, |p| lengths[p]);
    let splits = splits_of(&stages, &junction.order, of);
    controller.program.compile(&controller.groups, &controller.conflicts, &splits, offset).map_err(|e| {
        ControlError::Unfit { controller: "webster".to_owned(), signal: controller.name.clone(), reason: e.to_string() }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(ratio: f64, stages: &[usize]) -> LaneLoad {
        LaneLoad { ratio, stages: stages.to_vec() }
    }

    #[test]
    fn critical_lanes_make_the_ratios() {
        let loads = [load(0.3, &[0]), load(0.2, &[0]), load(0.1, &[1]), load(0.5, &[0, 1]), load(0.35, &[0, 1])];
        let ratios = critical_ratios(&loads, 2);
        assert!((ratios[0] - 0.4).abs() < 1e-12 && (ratios[1] - 0.1).abs() < 1e-12, "{ratios:?}");
    }

    #[test]
    fn the_cycle_is_websters_within_limits() {
        let junction = |ratios: [f64; 2]| Junction {
            order: vec![0, 1],
            ratios: ratios.to_vec(),
            lost: Ds::from_s(10),
            minima: vec![Ds::from_s(5); 2],
            range: (Ds::from_s(20), Ds::from_s(120)),
        };
        assert_eq!(junction([0.3, 0.2]).cycle(), Ds::from_s(40), "(1.5 · 10 + 5) / 0.5");
        assert_eq!(junction([0.0, 0.0]).cycle(), Ds::from_s(20));
        assert_eq!(junction([0.9, 0.9]).cycle(), Ds::from_s(120));
    }
}
