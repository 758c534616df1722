//! Who controls the signals of the built-in street: the network's own plan, reference rules, and ours.

mod actuated;
mod chooser;
mod coordinated;
mod fixed;
mod flows;
mod greedy;
mod heads;
mod interlock;
mod loops;
pub mod max_pressure;
mod nema;
mod plan;
mod registry;
mod run;
#[cfg(test)]
pub(crate) mod sample;
mod sequence;
mod sight;
mod stages;
mod surtrac;
mod switch;
mod webster;

pub use actuated::Actuated;
pub use coordinated::Coordinated;
pub use fixed::EqualGreens;
pub use flows::movement_flows_vph;
pub use greedy::greedy;
pub use heads::Heads;
pub use nema::Nema;
pub use plan::Plans;
pub use registry::{ENTRIES, Entry, RegistryError, build, parse_names};
pub use run::{Ran, RunError, run};
pub use sight::{Approach, Exit, Piece, Seen, Sight};
pub use stages::{Stage, Stages};
pub use surtrac::Surtrac;
pub use switch::Switch;
pub use webster::{plans as webster_plans, webster};

use crate::micro::Micro;

/// Why a controller cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// The method cannot control this network.
    #[error("{controller}: signal '{signal}': {reason}")]
    Unfit {
        /// The method.
        controller: String,
        /// The signal controller of the network.
        signal: String,
        /// Why.
        reason: String,
    },
    /// The service it asks is gone, or refuses.
    #[error("{controller}: {reason}")]
    Service {
        /// The method.
        controller: String,
        /// Why.
        reason: String,
    },
}

/// One method that controls all signals of a street.
pub trait Control {
    /// Called before every step: sets what the heads show in it. Heads it does not touch stay.
    ///
    /// # Errors
    /// [`ControlError`] ends the run.
    fn decide(&mut self, street: &Micro, heads: &mut Heads) -> Result<(), ControlError>;

    /// Wall time of every decision that was computed, in seconds; empty where nothing worth telling is.
    fn solver_times_s(&self) -> &[f64] {
        &[]
    }
}
