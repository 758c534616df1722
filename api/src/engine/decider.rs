//! What the engine asks of an optimizer. A trait, so that the engine can be shown to survive one that fails.

use greenkerb_models::detection::{Observation, Picture};
use greenkerb_models::plan::PublishedPlan;
use greenkerb_models::units::TimeDs;
use greenkerb_optimizer::estimation::{DetectorStatus, Timeliness};
use greenkerb_optimizer::safety::Validated;
use greenkerb_optimizer::signals::{Budget, NetworkState, Said, SignalOptimizer, StepOutcome};

/// Takes observations and decides. Whatever it proposes has been validated: its outcome can hold nothing else.
pub trait Decider: Send {
    /// Takes up plans that are in force.
    fn restore(&mut self, last: Vec<Validated<PublishedPlan>>);
    /// Revisions up to this one are spent for a controller.
    fn spend(&mut self, controller: &str, revision: u64);
    /// Takes note of what a controller says it runs.
    fn hear(&mut self, controller: &str, said: Said, at: TimeDs) {
        let _ = (controller, said, at);
    }
    /// Gives every controller without a plan its time-of-day plan.
    fn start(&mut self, now: TimeDs) -> StepOutcome;
    /// Takes an observation.
    fn observe(&mut self, o: Observation) -> Timeliness;
    /// Takes what is seen at a junction.
    fn see(&mut self, picture: Picture) {
        let _ = picture;
    }
    /// Decides what is due.
    fn advance(&mut self, now: TimeDs, budget: &dyn Budget) -> StepOutcome;
    /// How the detectors are.
    fn health(&self) -> Vec<DetectorStatus>;
    /// What is known about traffic.
    fn state(&self) -> NetworkState;
}

/// Makes a decider that knows nothing yet.
pub type MakeDecider = Box<dyn Fn() -> Box<dyn Decider> + Send>;

impl Decider for SignalOptimizer {
    fn restore(&mut self, last: Vec<Validated<PublishedPlan>>) {
        Self::restore(self, last);
    }

    fn spend(&mut self, controller: &str, revision: u64) {
        Self::spend(self, controller, revision);
    }

    fn hear(&mut self, controller: &str, said: Said, at: TimeDs) {
        Self::hear(self, controller, said, at);
    }

    fn start(&mut self, now: TimeDs) -> StepOutcome {
        Self::start(self, now)
    }

    fn observe(&mut self, o: Observation) -> Timeliness {
        Self::observe(self, o)
    }

    fn see(&mut self, picture: Picture) {
        Self::see(self, picture);
    }

    fn advance(&mut self, now: TimeDs, budget: &dyn Budget) -> StepOutcome {
        Self::advance(self, now, budget)
    }

    fn health(&self) -> Vec<DetectorStatus> {
        Self::health(self)
    }

    fn state(&self) -> NetworkState {
        Self::state(self)
    }
}
