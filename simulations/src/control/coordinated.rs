//! The network's own plan with local actuation: greens end early where nobody comes, and never past the plan's force-offs.

use std::sync::Arc;

use greenkerb_models::ids::{ControllerId, GroupId};
use greenkerb_models::network::Network;
use greenkerb_models::signal::{Controller, TimingPlan};
use greenkerb_models::units::{Ds, TimeDs};

use super::loops::Loop;
use super::sight::Sight;
use super::{Control, ControlError, Heads};
use crate::field::LocalActuation;
use crate::micro::Micro;
use crate::scenarios::Scenario;

/// A gap so long ends a green.
const GAP_MAX_S: f64 = 3.0;
/// Loops lie as if every green lasted at least this.
const GREEN_MIN: Ds = Ds::from_s(5);

struct Junction {
    id: ControllerId,
    plan: TimingPlan,
    heads: LocalActuation,
    loops: Vec<Loop>,
}

/// All junctions of a street under their own plans, locally actuated.
pub struct Coordinated {
    junctions: Vec<Junction>,
    step_s: f64,
}

impl Coordinated {
    /// Every controller with the plan it ships with.
    ///
    /// # Errors
    /// [`ControlError::Unfit`] where a plan is not made of stages.
    pub fn new(scenario: &Scenario) -> Result<Self, ControlError> {
        let network = &scenario.network;
        let junctions = (0..network.controllers().len())
            .map(|i| Junction::new(network, ControllerId::at(i), scenario.begin))
            .collect::<Result<_, _>>()?;
        Ok(Self { junctions, step_s: scenario.tick.seconds() })
    }
}

impl Junction {
    fn new(network: &Network, id: ControllerId, begin: TimeDs) -> Result<Self, ControlError> {
        let controller: Arc<Controller> = Arc::new(network.controller(id).clone());
        let plan = controller.time_of_day_plan();
        let heads = LocalActuation::new(&controller, &plan, begin).ok_or_else(|| ControlError::Unfit {
            controller: "coordinated".to_owned(),
            signal: controller.name.clone(),
            reason: "its plan is not made of stages".to_owned(),
        })?;
        let approaches = Sight::of(network, id, 0.0).approaches.into_iter();
        let loops = approaches.map(|a| Loop::of(network, a.lane, a.ways, GREEN_MIN)).collect();
        Ok(Self { id, plan, heads, loops })
    }
}

impl Control for Coordinated {
    fn decide(&mut self, street: &Micro, heads: &mut Heads) -> Result<(), ControlError> {
        let now = street.now();
        for j in &mut self.junctions {
            for l in &mut j.loops {
                l.look(street, self.step_s);
            }
            let asks = |group: GroupId| {
                let mine = |l: &&Loop| l.ways.iter().any(|(_, g)| *g == group);
                j.loops.iter().filter(mine).any(|l| l.gap_s(now.seconds()) < GAP_MAX_S)
            };
            let shows = j.heads.show(&j.plan, now, &asks);
            if heads.of(j.id) != shows {
                heads.set_all(j.id, shows);
            }
        }
        Ok(())
    }
}
