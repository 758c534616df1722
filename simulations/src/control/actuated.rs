//! Isolated actuation: each stage lasts at least its minimum (min recall), goes on while vehicles follow each other over
//! the loops of what it serves (gap-out), and ends at its maximum at the latest (max-out).
//!
//! Loops, gaps and what a loop on a lane of several movements may ask for follow SUMO's `actuated` (version 1.28), so that
//! both streets rank it alike.

use std::sync::Arc;

use greenkerb_models::ids::{ControllerId, GroupId, LaneId};
use greenkerb_models::network::{Network, Turn};
use greenkerb_models::signal::Indication;
use greenkerb_models::units::{Ds, TimeDs};

use super::loops::Loop;
use super::sequence::Sequence;
use super::sight::Sight;
use super::stages::Stages;
use super::{Control, ControlError, Heads};
use crate::micro::Micro;
use crate::scenarios::Scenario;

/// A gap so long ends the green.
const GAP_MAX_S: f64 = 3.0;
/// After a detection the green goes on for the time to the stop line.
const EXTEND_S: f64 = 2.0;
/// Longest green where the network states none (SUMO's default).
const GREEN_MAX: Ds = Ds::from_s(50);

struct Junction {
    id: ControllerId,
    sequence: Sequence,
    loops: Vec<Loop>,
    /// For each place of the sequence, the loops that may extend it.
    extending: Vec<Vec<usize>>,
    place: usize,
    looks_at: TimeDs,
}

/// All junctions of a street under actuation.
pub struct Actuated {
    junctions: Vec<Junction>,
    step_s: f64,
}

impl Actuated {
    /// Every controller for itself.
    #[must_use]
    pub fn new(scenario: &Scenario) -> Self {
        Self::with_yellow_alone(scenario, None)
    }

    /// Every controller for itself; with `yellow_alone` between stages, where given, instead of the database's clearances.
    #[must_use]
    pub fn with_yellow_alone(scenario: &Scenario, yellow_alone: Option<Ds>) -> Self {
        let network = &scenario.network;
        let all = (0..network.controllers().len()).map(ControllerId::at);
        let junctions = all.map(|id| junction(network, id, scenario.begin, yellow_alone)).collect();
        Self { junctions, step_s: scenario.tick.seconds() }
    }
}

fn junction(network: &Network, id: ControllerId, begin: TimeDs, yellow_alone: Option<Ds>) -> Junction {
    let stages = Stages::of(Arc::new(network.controller(id).clone()));
    let stages = Arc::new(stages.with_yellow_alone(yellow_alone));
    let sequence = Sequence::of_program(Arc::clone(&stages), begin);
    let sight = Sight::of(network, id, 0.0);
    let loops: Vec<Loop> = sight
        .approaches
        .into_iter()
        .filter_map(|a| {
            let green = |s: &&usize| a.ways.iter().any(|(_, g)| stages.shows(**s, *g).is_green());
            let min = sequence.order().iter().filter(green).map(|s| stages.all()[*s].min).min()?;
            Some(Loop::of(network, a.lane, a.ways, min))
        })
        .collect();
    let extending = sequence.order().iter().map(|s| extending(network, &stages, &loops, *s)).collect();
    let looks_at = begin + stages.all()[sequence.order()[0]].min;
    Junction { id, sequence, loops, extending, place: 0, looks_at }
}

/// Loops that may extend a stage: everything their lane leads to may go in it.
///
/// A permissive green counts as going where the movement has never more, and its lane has a protected one beside it; or
/// where the lane is the only one of its link, for nobody else could ask for its green.
fn extending(network: &Network, stages: &Stages, loops: &[Loop], stage: usize) -> Vec<usize> {
    let shows = |g: GroupId| stages.shows(stage, g);
    let never_protected = |g: GroupId| stages.all().iter().all(|s| s.shows[g.index()] != Indication::Protected);
    let goes = |l: &Loop| {
        let link = network.lane(l.approach).link;
        let alone = network.link(link).lanes.iter().filter(|l| network.lane(**l).admits.motor()).count() == 1;
        let beside = l.ways.iter().any(|(_, g)| shows(*g) == Indication::Protected);
        l.ways.iter().all(|(c, g)| match shows(*g) {
            Indication::Protected => true,
            Indication::Permissive => {
                let back = network.movement(network.connection(*c).movement).turn == Turn::UTurn;
                alone || ((never_protected(*g) || back) && beside)
            }
            _ => false,
        })
    };
    let leads_into_red = |l: &Loop| {
        let next = |lane: LaneId| loops.iter().find(|o| o.approach == lane);
        l.ways.iter().any(|(c, _)| {
            let connection = network.connection(*c);
            network.movement(connection.movement).turn != Turn::UTurn
                && next(connection.to_lane).is_some_and(|o| o.ways.iter().any(|(_, g)| !shows(*g).is_green()))
        })
    };
    (0..loops.len()).filter(|&i| goes(&loops[i]) && !leads_into_red(&loops[i])).collect()
}

/// How long a green of age `age` still goes on when the last vehicle was seen `gap_s` ago; nothing when it ends. In whole
/// seconds of the stage.
fn goes_on(age: Ds, gap_s: f64, min: Ds, max: Ds) -> Option<Ds> {
    if age < min {
        return Some(min - age);
    }
    if age >= max || gap_s >= GAP_MAX_S {
        return None;
    }
    let until = (age.seconds() + (EXTEND_S - gap_s).max(0.001)).ceil();
    Some(Ds::from_seconds(until).unwrap_or(max).min(max).saturating_sub(age))
}

impl Control for Actuated {
    fn decide(&mut self, street: &Micro, heads: &mut Heads) -> Result<(), ControlError> {
        let now = street.now();
        for j in &mut self.junctions {
            for l in &mut j.loops {
                l.look(street, self.step_s);
            }
            j.decide(now);
            let shows = j.sequence.hold(now);
            if heads.of(j.id) != shows {
                heads.set_all(j.id, shows);
            }
        }
        Ok(())
    }
}

impl Junction {
    fn decide(&mut self, now: TimeDs) {
        let Some(age) = self.sequence.age(now) else { return };
        if now < self.looks_at {
            return;
        }
        let stage = &self.sequence.stages().all()[self.sequence.order()[self.place]];
        let gap_s = self.extending[self.place]
            .iter()
            .map(|l| self.loops[*l].gap_s(now.seconds()))
            .fold(f64::INFINITY, f64::min);
        match goes_on(age, gap_s, stage.min, GREEN_MAX.max(stage.min)) {
            Some(more) => self.looks_at = now + more,
            None => {
                if self.sequence.go_on(now) {
                    self.place = self.sequence.place();
                    let min = self.sequence.stages().all()[self.sequence.order()[self.place]].min;
                    self.looks_at = self.sequence.since() + min;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenarios::grid;

    #[test]
    fn a_green_lasts_its_minimum_then_while_vehicles_follow_and_never_beyond_its_maximum() {
        let (min, max) = (Ds::from_s(5), Ds::from_s(50));
        let ask = |age_s: u32, gap_s: f64| goes_on(Ds::from_s(age_s), gap_s, min, max);
        assert_eq!(ask(2, 99.0), Some(Ds::from_s(3)), "min recall");
        assert_eq!(ask(5, 3.0), None, "gap-out");
        assert_eq!(ask(5, 0.0), Some(Ds::from_s(2)));
        assert_eq!(ask(5, 0.3), Some(Ds::from_s(2)), "whole seconds");
        assert_eq!(ask(5, 1.0), Some(Ds::from_s(1)));
        assert_eq!(ask(5, 2.9), Some(Ds::from_s(1)));
        assert_eq!(ask(49, 0.0), Some(Ds::from_s(1)));
        assert_eq!(ask(50, 0.0), None, "max-out");
    }

    #[test]
    fn a_loop_extends_the_stages_that_serve_its_whole_lane() {
        let network = grid(1, 1, 200.0).unwrap();
        let j = junction(&network, ControllerId(0), TimeDs(0), None);
        assert_eq!(j.loops.len(), 8);
        let lanes = |place: usize| {
            let mut lanes: Vec<usize> = j.extending[place].iter().map(|l| j.loops[*l].ways[0].1.index()).collect();
            lanes.sort_unstable();
            lanes
        };
        // Straight lanes of one pair of approaches; their left turns, permissive before, only when protected.
        assert_eq!(lanes(0), [0, 4]);
        assert_eq!(lanes(1), [1, 5]);
        assert_eq!(lanes(2), [2, 6]);
        assert_eq!(lanes(3), [3, 7]);
    }
}
