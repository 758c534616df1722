//! What is known about traffic now.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// State of the network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct State {
    /// Now, on the service's clock.
    pub clock: Option<String>,
    /// Whose clock: `wall` or `external`.
    pub clock_source: String,
    /// Age of the newest observation.
    pub feed_age_s: Option<f64>,
    /// Every lane that ends at a signal.
    pub lanes: Vec<LaneNow>,
    /// Every detector: what it says, what is thought of it and what stands in for it, apart.
    pub detectors: Vec<DetectorNow>,
    /// Every controller.
    pub controllers: Vec<ControllerNow>,
    /// The newest decision of each controller that has had one.
    pub decisions: Vec<DecisionNow>,
}

/// A lane.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LaneNow {
    /// Its name.
    pub lane: String,
    /// Its link.
    pub link: String,
    /// Arrivals, vehicles per hour.
    pub flow_vph: f64,
    /// Vehicles that wait or roll up to the line.
    pub queue_veh: f64,
    /// The queue may be longer.
    pub queue_is_lower_bound: bool,
    /// Vehicles that fit on the lane, at 7 m each.
    pub storage_veh: f64,
    /// Share of time the stop bar is occupied, smoothed.
    pub occupancy: f64,
    /// Where the figures come from.
    pub source: SourceName,
}

/// Where figures come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SourceName {
    /// Both loops, or the advance loop alone.
    Measured,
    /// The stop bar alone.
    StopBarOnly,
    /// No trusted loop.
    Imputed,
    /// Nothing yet.
    Unknown,
}

impl From<greenkerb_optimizer::estimation::Source> for SourceName {
    fn from(source: greenkerb_optimizer::estimation::Source) -> Self {
        use greenkerb_optimizer::estimation::Source as S;
        match source {
            S::Measured => Self::Measured,
            S::StopBarOnly => Self::StopBarOnly,
            S::Imputed => Self::Imputed,
            S::Unknown => Self::Unknown,
        }
    }
}

/// A detector.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DetectorNow {
    /// Its name.
    pub name: String,
    /// What is thought of it.
    pub health: HealthName,
    /// Since when.
    pub since: Option<String>,
    /// End of its newest interval.
    pub heard: Option<String>,
    /// What it says.
    pub raw: Option<ReadingNow>,
    /// What is used in its place, where it is not trusted.
    pub imputed: Option<ReadingNow>,
}

/// What is thought of a detector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HealthName {
    /// Nothing against it.
    Healthy,
    /// It is silent.
    Missing,
    /// Occupied without a break and without a count.
    StuckOn,
    /// Sees nobody where others see traffic.
    StuckOff,
    /// Counts more vehicles than one lane can pass.
    Chatter,
    /// Counts and occupancies that cannot both be true.
    ImpossiblePair,
    /// Contradicts the other detector on its lane and its own past.
    Inconsistent,
}

impl From<greenkerb_optimizer::estimation::Health> for HealthName {
    fn from(health: greenkerb_optimizer::estimation::Health) -> Self {
        use greenkerb_optimizer::estimation::Health as H;
        match health {
            H::Healthy => Self::Healthy,
            H::Missing => Self::Missing,
            H::StuckOn => Self::StuckOn,
            H::StuckOff => Self::StuckOff,
            H::Chatter => Self::Chatter,
            H::ImpossiblePair => Self::ImpossiblePair,
            H::Inconsistent => Self::Inconsistent,
        }
    }
}

/// A reading over the health window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReadingNow {
    /// Vehicles per hour.
    pub flow_vph: f64,
    /// Mean occupancy.
    pub occupancy: f64,
}

/// A controller.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ControllerNow {
    /// Its name.
    pub name: String,
    /// Cycle of the plan in force.
    pub cycle_s: f64,
    /// Greatest ratio of demand to capacity over its lanes.
    pub degree_of_saturation: f64,
    /// Nothing published is in force.
    pub on_time_of_day_plan: bool,
    /// Newest published revision.
    pub revision: Option<u64>,
    /// Time since that was computed.
    pub plan_age_s: Option<f64>,
}

/// A decision of the optimizer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DecisionNow {
    /// Controllers that decided together.
    pub controllers: Vec<String>,
    /// When.
    pub at: String,
    /// How.
    pub method: String,
    /// How the linear program ended; null where none was used.
    pub status: Option<String>,
    /// Modelled delay of the answer over the horizon.
    pub delay_veh_s: f64,
    /// Modelled delay of what ran before.
    pub kept_veh_s: f64,
    /// What went wrong on the way.
    pub trouble: Option<String>,
}
