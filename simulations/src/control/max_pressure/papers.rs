//! Fixed time and max pressure as papers that use CityFlow run them, so that their figures can be compared.
//!
//! There a decision falls every so many seconds; a phase that changes is preceded by some seconds of phase 0, in which
//! only what is green in every phase (right turns) goes. That is no signal a street would show: greens may be shorter
//! than a controller's minimum, and the yellow is whatever the paper says. The rules are those of L. Zhang et al. (2022),
//! "Expression might be enough: representing pressure and demand for reinforcement learning based traffic signal
//! control": queues of standing vehicles, and running vehicles near the line.

use greenkerb_models::ids::{ControllerId, GroupId, LaneId, LinkId, MovementId};
use greenkerb_models::network::Network;
use greenkerb_models::signal::{Controller, Indication};
use greenkerb_models::units::{Ds, TimeDs};

use super::super::{Control, ControlError, Heads};
use crate::micro::Micro;
use crate::scenarios::Scenario;

/// From the line to here vehicles in motion count as demand of the advanced form, in metres: what they drive in a 15 s
/// decision at 11.1 m/s.
const RUNNING_M: f64 = 167.0;

/// Which rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PaperRule {
    /// The first four phases in turn.
    Fixed,
    /// The phase with the highest pressure among the first four.
    MaxPressure,
    /// The phase that is shown stays while vehicles that come to it outnumber every pressure; else the highest pressure.
    Advanced {
        /// All phases instead of the first four.
        all_phases: bool,
    },
}

impl PaperRule {
    fn phases(self) -> usize {
        if self == (Self::Advanced { all_phases: true }) { usize::MAX } else { 4 }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Fixed => "fixed",
            Self::MaxPressure => "mp",
            Self::Advanced { all_phases: false } => "amp4",
            Self::Advanced { all_phases: true } => "amp8",
        }
    }
}

/// What feeds a movement, and what it flows into.
#[derive(Debug, Clone)]
struct Stream {
    lanes: Vec<LaneId>,
    /// Length of the road they belong to, junction to junction.
    road_m: f64,
    exit: LinkId,
}

#[derive(Debug, Clone)]
struct Phase {
    shows: Vec<Indication>,
    streams: Vec<Stream>,
}

#[derive(Debug, Clone)]
struct Junction {
    id: ControllerId,
    stop: Vec<Indication>,
    phases: Vec<Phase>,
    current: usize,
    /// Until when phase 0 is shown, and for what comes then.
    yellow: Option<TimeDs>,
    last: usize,
}

/// All junctions of a street under one of the papers' rules.
#[derive(Debug, Clone)]
pub struct Papers {
    rule: PaperRule,
    every: Ds,
    yellow: Ds,
    begin: TimeDs,
    junctions: Vec<Junction>,
}

impl Papers {
    /// Decides every `every`, with `yellow` of phase 0 at each change.
    ///
    /// # Errors
    /// [`ControlError::Unfit`] where a controller has no phase 0, or fewer than four others.
    pub fn new(scenario: &Scenario, rule: PaperRule, every: Ds, yellow: Ds) -> Result<Self, ControlError> {
        let network = &scenario.network;
        let junctions = (0..network.controllers().len())
            .map(|i| junction(network, ControllerId::at(i), rule))
            .collect::<Result<_, _>>()?;
        Ok(Self { rule, every, yellow, begin: scenario.begin, junctions })
    }
}

/// What is green in every stage, and the stages that differ and show more than that, in program order.
fn phases_of(controller: &Controller) -> (Vec<Indication>, Vec<Vec<Indication>>) {
    let mut distinct: Vec<&Vec<Indication>> = Vec::new();
    for stage in controller.program.stages() {
        if !distinct.contains(&&stage.shows) {
            distinct.push(&stage.shows);
        }
    }
    let always: Vec<bool> = (0..controller.groups.len()).map(|g| distinct.iter().all(|s| s[g].is_green())).collect();
    let red = |g: usize| if controller.groups[g].turn_on_red { Indication::StopThenGo } else { Indication::Red };
    let stop = always.iter().enumerate().map(|(g, always)| if *always { distinct[0][g] } else { red(g) }).collect();
    let more = |shows: &&&Vec<Indication>| shows.iter().zip(&always).any(|(s, always)| s.is_green() && !always);
    let phases = distinct.iter().filter(more).map(|s| (*s).clone()).collect();
    (stop, phases)
}

fn junction(network: &Network, id: ControllerId, rule: PaperRule) -> Result<Junction, ControlError> {
    let controller = network.controller(id);
    let (stop, phases) = phases_of(controller);
    let unfit = |reason: String| ControlError::Unfit {
        controller: rule.name().to_owned(),
        signal: controller.name.clone(),
        reason,
    };
    if phases.len() < 4 {
        return Err(unfit(format!("it has {} phases beside phase 0, the papers' rules need four", phases.len())));
    }
    let phases: Vec<Phase> = phases
        .into_iter()
        .take(rule.phases())
        .map(|shows| Phase { streams: streams(network, controller, &shows, &stop), shows })
        .collect();
    Ok(Junction { id, stop, phases, current: 0, yellow: None, last: 0 })
}

/// Movements that are green in a phase and not in phase 0.
fn streams(network: &Network, controller: &Controller, shows: &[Indication], stop: &[Indication]) -> Vec<Stream> {
    let mut movements: Vec<MovementId> = controller
        .group_ids()
        .filter(|g: &GroupId| shows[g.index()].is_green() && !stop[g.index()].is_green())
        .flat_map(|g| controller.group(g).connections.iter().map(|c| network.connection(*c).movement))
        .collect();
    movements.sort_unstable();
    movements.dedup();
    let stream = |m: MovementId| {
        let movement = network.movement(m);
        let mut lanes: Vec<LaneId> = movement.connections.iter().map(|c| network.connection(*c).from_lane).collect();
        lanes.sort_unstable();
        lanes.dedup();
        let from = network.link(movement.from_link);
        let road_m = network.node(from.from).position.distance_m(network.node(from.to).position);
        Stream { lanes, road_m: road_m.max(from.length.get()), exit: movement.to_link }
    };
    movements.into_iter().map(stream).collect()
}

/// Vehicles that stand on a lane.
fn standing(street: &Micro, lane: LaneId) -> f64 {
    street.on_lane(lane).filter(|v| v.stands_since.is_some()).count() as f64
}

/// Vehicles in motion on a lane whose front is less than [`RUNNING_M`] from the middle of the junction.
fn running(street: &Micro, stream: &Stream) -> f64 {
    let near = |lane: &LaneId| {
        street
            .on_lane(*lane)
            .filter(|v| v.stands_since.is_none() && f64::from(v.front_m) >= stream.road_m - RUNNING_M)
            .count()
    };
    stream.lanes.iter().map(near).sum::<usize>() as f64
}

impl Junction {
    fn pressures(&self, street: &Micro, mean_of_exit: bool) -> Vec<f64> {
        let network = street.network();
        let exit = |link: LinkId| {
            let lanes = &network.link(link).lanes;
            let sum: f64 = lanes.iter().map(|l| standing(street, *l)).sum();
            if mean_of_exit { sum / lanes.len().max(1) as f64 } else { sum }
        };
        let of = |s: &Stream| s.lanes.iter().map(|l| standing(street, *l)).sum::<f64>() - exit(s.exit);
        self.phases.iter().map(|p| p.streams.iter().map(of).sum()).collect()
    }

    fn choose(&self, rule: PaperRule, street: &Micro, first: bool) -> usize {
        match rule {
            PaperRule::Fixed => {
                if first {
                    self.current
                } else {
                    (self.current + 1) % self.phases.len()
                }
            }
            PaperRule::MaxPressure => highest(&self.pressures(street, false)),
            PaperRule::Advanced { .. } => {
                let pressures = self.pressures(street, true);
                let best = highest(&pressures);
                let coming: f64 = self.phases[self.current].streams.iter().map(|s| running(street, s)).sum();
                if !first && coming >= pressures[best] { self.current } else { best }
            }
        }
    }

    /// What the heads show between two phases: phase 0, yellow for those that were green.
    fn between(&self, from: usize) -> Vec<Indication> {
        let was = &self.phases[from].shows;
        let shows = |(stop, was): (&Indication, &Indication)| {
            if was.is_green() && !stop.is_green() { Indication::Yellow } else { *stop }
        };
        self.stop.iter().zip(was).map(shows).collect()
    }
}

/// The first of the highest.
fn highest(values: &[f64]) -> usize {
    (0..values.len()).reduce(|best, i| if values[i] > values[best] { i } else { best }).unwrap_or(0)
}

impl Control for Papers {
    fn decide(&mut self, street: &Micro, heads: &mut Heads) -> Result<(), ControlError> {
        let now = street.now();
        let since = now.since(self.begin);
        let due = since.rem_euclid(i64::from(self.every.0.max(1))) == 0;
        for j in &mut self.junctions {
            if due {
                let next = j.choose(self.rule, street, since == 0);
                if next != j.current {
                    j.last = j.current;
                    j.current = next;
                    j.yellow = Some(now + self.yellow);
                }
            }
            if j.yellow.is_some_and(|until| now >= until) {
                j.yellow = None;
            }
            if j.yellow.is_some() {
                heads.set_all(j.id, &j.between(j.last));
            } else {
                heads.set_all(j.id, &j.phases[j.current].shows);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::sample;
    use Indication::{Protected, Red};

    #[test]
    fn phase_0_is_what_every_phase_shows() {
        let mut controller = sample::eight_stages();
        // The left turn from the north made a right turn that always goes.
        for step in &mut controller.program.steps {
            step.shows[1] = Protected;
        }
        let (stop, phases) = phases_of(&controller);
        assert_eq!(stop, [Red, Protected, Red, Red, Red, Red, Red, Red]);
        assert_eq!(phases.len(), 8);
        assert_eq!(phases[0], [Protected, Protected, Red, Red, Protected, Red, Red, Red]);
    }

    #[test]
    fn the_first_of_the_highest_is_chosen() {
        assert_eq!(highest(&[0.0, 2.0, 2.0]), 1);
        assert_eq!(highest(&[-1.0, -2.0]), 0);
    }
}
