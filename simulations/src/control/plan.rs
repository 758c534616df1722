//! Fixed time: every controller runs a timing plan, in step with its offset.

use greenkerb_models::ids::{ControllerId, GroupId};
use greenkerb_models::signal::TimingPlan;

use super::{Control, ControlError, Heads};
use crate::micro::Micro;
use crate::scenarios::Scenario;

/// Plans that are run as they are.
#[derive(Debug, Clone)]
pub struct Plans {
    plans: Vec<TimingPlan>,
}

impl Plans {
    /// The plans the network's controllers ship with.
    #[must_use]
    pub fn shipped(scenario: &Scenario) -> Self {
        Self::new(
            scenario.network.controllers().iter().map(greenkerb_models::signal::Controller::time_of_day_plan).collect(),
        )
    }

    /// One plan a controller, in id order. Each must have been judged before: what it says is shown.
    #[must_use]
    pub const fn new(plans: Vec<TimingPlan>) -> Self {
        Self { plans }
    }

    /// The plans.
    #[must_use]
    pub fn plans(&self) -> &[TimingPlan] {
        &self.plans
    }
}

impl Control for Plans {
    fn decide(&mut self, street: &Micro, heads: &mut Heads) -> Result<(), ControlError> {
        let now = street.now();
        for (i, plan) in self.plans.iter().enumerate() {
            let id = ControllerId::at(i);
            let position = plan.position_at(now);
            let controller = street.network().controller(id);
            for (g, group) in controller.groups.iter().enumerate() {
                heads.set(id, GroupId::at(g), plan.indication(GroupId::at(g), group, position));
            }
        }
        Ok(())
    }
}
