//! Equal greens: every stage in turn, each for the same time, with the controller's own clearances between them.

use std::sync::Arc;

use greenkerb_models::ids::ControllerId;
use greenkerb_models::units::Ds;

use super::sequence::Sequence;
use super::stages::Stages;
use super::{Control, ControlError, Heads};
use crate::micro::Micro;
use crate::scenarios::Scenario;

/// Equal greens.
#[derive(Debug, Clone)]
pub struct EqualGreens {
    sequences: Vec<Sequence>,
}

impl EqualGreens {
    /// Every stage for `green`, or for its shortest length where that is longer.
    #[must_use]
    pub fn new(scenario: &Scenario, green: Ds) -> Self {
        let of = |c: &greenkerb_models::signal::Controller| {
            let stages = Arc::new(Stages::of(Arc::new(c.clone())));
            let mut sequence = Sequence::of_program(stages, scenario.begin);
            let lengths = sequence.minima().into_iter().map(|min| min.max(green)).collect();
            sequence.set_lengths(lengths);
            sequence
        };
        Self { sequences: scenario.network.controllers().iter().map(of).collect() }
    }
}

impl Control for EqualGreens {
    fn decide(&mut self, street: &Micro, heads: &mut Heads) -> Result<(), ControlError> {
        let now = street.now();
        for (i, sequence) in self.sequences.iter_mut().enumerate() {
            heads.set_all(ControllerId::at(i), sequence.show(now));
        }
        Ok(())
    }
}
