//! Cyclic max pressure: the stages come in the program's order in a cycle of the program's length, and each cycle's green
//! is shared out by pressure (after Levin, Hu, Odell 2020, "Max-pressure signal control with cyclical phase structure").

use std::sync::Arc;

use greenkerb_models::ids::{ConnectionId, ControllerId};
use greenkerb_models::network::Network;
use greenkerb_models::units::{Ds, TimeDs};

use super::super::sequence::{Sequence, share_out};
use super::super::sight::Sight;
use super::super::stages::Stages;
use super::super::{Control, ControlError, Heads};
use crate::micro::Micro;
use crate::scenarios::Scenario;

/// How far the queue of an approach is counted.
const WITHIN_M: f64 = 150.0;

struct Junction {
    id: ControllerId,
    sight: Sight,
    sequence: Sequence,
    /// Green of a whole cycle.
    green: Ds,
}

/// All junctions of a street under cyclic max pressure.
pub struct CyclicMaxPressure {
    junctions: Vec<Junction>,
}

impl CyclicMaxPressure {
    /// One sequence a junction, with the green its own plan has in a cycle.
    #[must_use]
    pub fn new(scenario: &Scenario) -> Self {
        let network = &scenario.network;
        let junctions =
            (0..network.controllers().len()).map(|i| junction(network, ControllerId::at(i), scenario.begin)).collect();
        Self { junctions }
    }
}

fn junction(network: &Network, id: ControllerId, begin: TimeDs) -> Junction {
    let stages = Arc::new(Stages::of(Arc::new(network.controller(id).clone())));
    let sequence = Sequence::of_program(stages, begin);
    let green = sequence.lengths().iter().copied().sum();
    Junction { id, sight: Sight::of(network, id, WITHIN_M), sequence, green }
}

impl Junction {
    /// Lengths of the next cycle's stages.
    fn split(&self, street: &Micro) -> Vec<Ds> {
        let network = street.network();
        let stages = self.sequence.stages();
        let queues = self.sight.queues(street, WITHIN_M);
        let behind = |c: ConnectionId| {
            let lane = network.connection(c).to_lane;
            match self.sight.exits.get(&lane) {
                Some(exit) if exit.to_signal => self.sight.on_exit(street, lane) as f64 / exit.ways_on as f64,
                _ => 0.0,
            }
        };
        let pressure = |stage: &usize| {
            let seen = queues.iter().flatten().filter(|s| stages.shows(*stage, s.group).is_green());
            let mut ways: Vec<ConnectionId> = Vec::new();
            let mut sum = 0.0;
            for s in seen {
                sum += 1.0;
                if !ways.contains(&s.connection) {
                    ways.push(s.connection);
                }
            }
            (sum - ways.into_iter().map(behind).sum::<f64>()).max(0.0)
        };
        let weights: Vec<f64> = self.sequence.order().iter().map(pressure).collect();
        share_out(self.green, &weights, &self.sequence.minima())
    }
}

impl Control for CyclicMaxPressure {
    fn decide(&mut self, street: &Micro, heads: &mut Heads) -> Result<(), ControlError> {
        let now = street.now();
        for j in &mut self.junctions {
            if j.sequence.cycle_begins(now) {
                let lengths = j.split(street);
                j.sequence.set_lengths(lengths);
            }
            let shows = j.sequence.show(now);
            heads.set_all(j.id, shows);
        }
        Ok(())
    }
}
