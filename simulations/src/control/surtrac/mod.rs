//! Schedule-driven control of single junctions in the manner of SURTRAC: vehicles on their way are gathered into clusters,
//! and every second the order in which the junction serves them is searched anew (Xie, Smith, Lu, Barlow 2012,
//! "Schedule-driven intersection control", Transportation Research Part C 24).
//!
//! Each junction stands alone: it sees what is on its approaches and nothing beyond, and tells its neighbours nothing.

mod cluster;
mod schedule;

use std::sync::Arc;

use greenkerb_models::ids::{ControllerId, GroupId};
use greenkerb_models::network::Network;
use greenkerb_models::signal::Indication;
use greenkerb_models::units::{Ds, TimeDs};

use self::cluster::{Arrival, clusters};
use self::schedule::{Next, Problem, best};
use super::sight::{Seen, Sight};
use super::stages::Stages;
use super::switch::Switch;
use super::{Control, ControlError, Heads};
use crate::micro::Micro;
use crate::scenarios::Scenario;

/// How far upstream vehicles are seen.
const WITHIN_M: f64 = 250.0;
/// Time lost by a queue that starts.
const START_UP_S: f64 = 2.0;
/// Longest green of a stage while others wait.
const GREEN_MAX_S: f64 = 50.0;

struct Junction {
    id: ControllerId,
    sight: Sight,
    switch: Switch,
    /// Stages to choose from: those that serve everybody.
    stages: Vec<usize>,
    /// For each group, the place among them of the one that serves it.
    home: Vec<Option<usize>>,
    /// Time from each stage to each other.
    change_s: Vec<Vec<f64>>,
    /// Seconds a lane takes to pass a vehicle of each approach.
    headway_s: Vec<f64>,
    speed_mps: Vec<f64>,
}

/// All junctions of a street, each with its own schedule.
pub struct Surtrac {
    junctions: Vec<Junction>,
}

impl Surtrac {
    /// Every controller for itself.
    #[must_use]
    pub fn new(scenario: &Scenario) -> Self {
        let network = &scenario.network;
        let junction = |i| Junction::new(network, ControllerId::at(i), scenario.begin);
        Self { junctions: (0..network.controllers().len()).map(junction).collect() }
    }
}

impl Junction {
    fn new(network: &Network, id: ControllerId, begin: TimeDs) -> Self {
        let all = Arc::new(Stages::of(Arc::new(network.controller(id).clone())));
        let stages = if all.is_list() { all.cover() } else { all.distinct().to_vec() };
        let switch = Switch::new(Arc::clone(&all), stages[0], begin);
        let far = begin + Ds::from_s(3_600);
        let change_s = stages
            .iter()
            .map(|from| {
                let at = Switch::new(Arc::clone(&all), *from, begin);
                stages.iter().map(|to| at.change_length(*to, far).seconds()).collect()
            })
            .collect();
        let home = network.controller(id).group_ids().map(|g| home(&all, &stages, g)).collect();
        let sight = Sight::of(network, id, WITHIN_M);
        let headway = |a: &super::sight::Approach| {
            let saturation = |c| network.movement(network.connection(c).movement).saturation.get();
            let least = a.ways.iter().map(|(c, _)| saturation(*c)).fold(f64::INFINITY, f64::min);
            if least.is_finite() { 3_600.0 / least.max(1.0) } else { 2.0 }
        };
        let headway_s = sight.approaches.iter().map(headway).collect();
        let speed_mps = sight.approaches.iter().map(|a| network.lane(a.lane).speed.get().max(1.0)).collect();
        Self { id, sight, switch, stages, home, change_s, headway_s, speed_mps }
    }

    /// The vehicles of each stage in the order in which they come, as clusters.
    fn problem(&self, street: &Micro) -> Problem {
        let queues = self.sight.queues(street, WITHIN_M);
        let mut arrivals: Vec<Vec<Arrival>> = vec![Vec::new(); self.stages.len()];
        for (lane, queue) in queues.iter().enumerate() {
            for seen in queue {
                if let Some(stage) = self.home[seen.group.index()] {
                    arrivals[stage].push(Arrival { lane, at_s: arrival_s(seen, self.speed_mps[lane]) });
                }
            }
        }
        let now = street.now();
        let current = self.stages.iter().position(|s| *s == self.switch.stage()).unwrap_or(0);
        let age_s = self.switch.age(now).seconds();
        let minimum = |s: &usize| self.switch.stages().all()[*s].min.seconds();
        Problem {
            clusters: arrivals.iter().map(|a| clusters(a, &self.headway_s)).collect(),
            change_s: self.change_s.clone(),
            green_min_s: self.stages.iter().map(minimum).collect(),
            green_max_s: GREEN_MAX_S,
            start_up_s: START_UP_S,
            current,
            age_s,
        }
    }
}

/// The place of the stage that serves a group: the first with right of way, else the first that is green for it.
fn home(all: &Stages, stages: &[usize], group: GroupId) -> Option<usize> {
    let first = |test: fn(Indication) -> bool| stages.iter().position(|s| test(all.shows(*s, group)));
    first(|i| i == Indication::Protected).or_else(|| first(Indication::is_green))
}

/// Seconds until a vehicle could be at the line.
fn arrival_s(seen: &Seen, speed_mps: f64) -> f64 {
    if seen.stands_since.is_some() { 0.0 } else { seen.to_line_m / speed_mps.max(seen.speed_mps) }
}

impl Control for Surtrac {
    fn decide(&mut self, street: &Micro, heads: &mut Heads) -> Result<(), ControlError> {
        let now = street.now();
        for j in &mut self.junctions {
            let may_leave = !j.switch.is_changing() && j.stages.iter().any(|s| j.switch.may_go(*s, now));
            if may_leave && let Next::Go(stage) = best(&j.problem(street)) {
                j.switch.go(j.stages[stage], now);
            }
            let shows = j.switch.show(now);
            if heads.of(j.id) != shows {
                heads.set_all(j.id, shows);
            }
        }
        Ok(())
    }
}
