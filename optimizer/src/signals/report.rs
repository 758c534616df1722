//! What the optimizer says about itself and about the network.

use serde::{Deserialize, Serialize};

use greenkerb_models::ids::ControllerId;
use greenkerb_models::plan::PublishedPlan;
use greenkerb_models::units::TimeDs;

use crate::estimation::LaneEstimate;
use crate::safety::{Refusals, Validated};
use crate::solver::SolveStatus;

use super::isolated::Method;

/// One decision of one controller or coordination group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GroupReport {
    /// Controllers that decided together.
    pub controllers: Vec<ControllerId>,
    /// When.
    pub at: TimeDs,
    /// How.
    pub method: Method,
    /// How the linear program ended; `None` where it was not used.
    pub status: Option<SolveStatus>,
    /// Objective of the linear program.
    pub objective: Option<f64>,
    /// Modelled delay of the answer, vehicle-seconds over the horizon.
    pub delay_veh_s: f64,
    /// Modelled delay of what ran before.
    pub kept_veh_s: f64,
    /// What went wrong on the way, if anything.
    pub trouble: Option<String>,
}

/// What one step of the optimizer brought.
#[derive(Debug, Default)]
pub struct StepOutcome {
    /// Plans to publish.
    pub publications: Vec<Validated<PublishedPlan>>,
    /// Decisions taken.
    pub reports: Vec<GroupReport>,
    /// Proposals the validator refused; the last good plan stays.
    pub refused: Vec<(ControllerId, Refusals)>,
    /// Controllers for which a schedule was sought.
    pub scheduled: usize,
    /// Schedules the validator refused of controllers whose last one it refused as well: they come every second.
    pub refused_again: usize,
}

/// What is known about one controller.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ControllerState {
    /// The controller.
    pub controller: ControllerId,
    /// Cycle of the plan in force, seconds.
    pub cycle_s: f64,
    /// Greatest ratio of demand to capacity over its lanes, under the plan in force.
    pub degree_of_saturation: f64,
    /// It runs its time-of-day plan because nothing newer is in force.
    pub on_time_of_day_plan: bool,
}

/// What is known about the network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NetworkState {
    /// Now, on the data's clock; `None` before the first observation.
    pub now: Option<TimeDs>,
    /// Every approach lane.
    pub lanes: Vec<LaneEstimate>,
    /// Every controller.
    pub controllers: Vec<ControllerState>,
}
