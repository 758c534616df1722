//! What a controller polls.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use greenkerb_models::ids::GroupId;
use greenkerb_models::plan::{PublishedPlan, Reason};
use greenkerb_models::signal::{Controller, PlanView, Schedule, TimingPlan, TransitionMethod};
use greenkerb_models::units::TimeDs;

/// A published timing. A revision never changes; `poll_after_s` alone follows the service's settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Timing {
    /// Name of the controller.
    #[schema(example = "c1")]
    pub controller: String,
    /// Name of the publication.
    #[schema(example = "c1-7")]
    pub plan_id: String,
    /// Rises with every publication of the controller.
    pub revision: u64,
    /// SHA-256 of everything the controller acts on, in hex; to be given back with every acknowledgement.
    pub hash: String,
    /// How the controller is to run it: `cyclic`, by `plan`; or `schedule`, by `schedule` until that has run out.
    #[schema(example = "cyclic")]
    pub mode: String,
    /// When it was computed, on the data's clock.
    pub computed_at: String,
    /// When it takes over: a cycle start of the plan before it; a schedule does so at once.
    pub valid_from: String,
    /// When the controller goes back to `fallback` unless it has heard a newer timing; the end of a schedule.
    pub valid_until: String,
    /// When to ask again.
    #[schema(example = 1.0)]
    pub poll_after_s: f64,
    /// SHA-256 of the controller database the timing was computed against.
    pub configuration_checksum: String,
    /// How to get into step: `short_way`, `dwell` or `add`.
    #[schema(example = "short_way")]
    pub transition: String,
    /// What to run; beside a schedule the same as `fallback`.
    pub plan: Plan,
    /// What to run after `valid_until`: the controller's own time-of-day plan.
    pub fallback: Plan,
    /// What to show from when to when; only with mode `schedule`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<StageSchedule>,
    /// Why the plan is what it is.
    pub reasons: Vec<ReasonEntry>,
}

/// Stages in order of time. Between two of them the controller shows its own clearance from the one to the other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StageSchedule {
    /// Nothing before this instant is changed by a later timing.
    pub frozen_until: String,
    /// The stages; never empty. The first may have begun already, the last goes on until the fallback can take over.
    pub stages: Vec<ScheduledStage>,
}

/// A stage that is green from one instant to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ScheduledStage {
    /// Number of the stage in the controller's program.
    pub stage: u32,
    /// When its green begins.
    pub start: String,
    /// When its green ends and the clearance to the next one begins.
    pub end: String,
}

/// A cyclic plan: greens per signal group over `[0, cycle)`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Plan {
    /// Cycle length.
    #[schema(example = 900)]
    pub cycle_ds: u32,
    /// Where the reference point lies against the time base, modulo the cycle.
    pub offset_ds: u32,
    /// What the offset points at: `cycle_start`, `coordinated_green_start` or `coordinated_split_end`.
    #[schema(example = "cycle_start")]
    pub offset_reference: String,
    /// Where that point lies in the cycle.
    pub reference_position_ds: u32,
    /// Common origin of all offsets.
    #[schema(example = "1970-01-01T00:00:00Z")]
    pub time_base: String,
    /// Every signal group of the controller, once.
    pub groups: Vec<GroupGreens>,
    /// Stage lengths, for controllers with stages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stages: Option<Vec<StageGreen>>,
    /// Phase splits (yellow and all-red included), for controllers with rings and barriers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ring_barrier: Option<Vec<PhaseSplit>>,
}

/// Greens of one signal group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct GroupGreens {
    /// Name of the group.
    #[schema(example = "g1")]
    pub group: String,
    /// Its greens in order of start; the last may wrap round the cycle.
    pub greens: Vec<Green>,
}

/// A green interval.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Green {
    /// Position in the cycle.
    pub start_ds: u32,
    /// Length.
    pub length_ds: u32,
    /// `protected` or `permissive`.
    #[schema(example = "protected")]
    pub protection: String,
}

/// Length of one stage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StageGreen {
    /// Number of the stage in the controller's program.
    pub stage: u32,
    /// Its green, without the clearance that follows.
    pub green_ds: u32,
}

/// Length of one phase.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PhaseSplit {
    /// NEMA phase number.
    pub phase: u8,
    /// Its split, yellow and all-red included.
    pub split_ds: u32,
}

/// One reason.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReasonEntry {
    /// `changed`, `binding`, `expected_gain`, `kept`, `method` or `health`.
    #[schema(example = "changed")]
    pub kind: String,
    /// One sentence.
    pub text: String,
    /// The number it rests on.
    pub value: Option<ReasonValue>,
}

/// A number with its name; the unit is the last part of the name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReasonValue {
    /// Name.
    #[schema(example = "cycle_s")]
    pub name: String,
    /// Number.
    pub number: f64,
}

/// The domain's own name of a unit variant, as its serialisation spells it.
pub(super) fn name_of<T: Serialize>(variant: T) -> String {
    match serde_json::to_value(variant) {
        Ok(serde_json::Value::String(name)) => name,
        _ => String::new(),
    }
}

impl Timing {
    /// The shape of a publication.
    #[must_use]
    pub fn of(p: &PublishedPlan, controller: &Controller, transition: TransitionMethod, poll_after_s: f64) -> Self {
        Self {
            controller: p.controller.clone(),
            plan_id: format!("{}-{}", p.controller, p.revision.0),
            revision: p.revision.0,
            hash: p.hash(transition),
            mode: if p.schedule.is_some() { "schedule" } else { "cyclic" }.to_owned(),
            computed_at: p.computed_at.rfc3339(),
            valid_from: p.valid_from.rfc3339(),
            valid_until: p.valid_until.rfc3339(),
            poll_after_s,
            configuration_checksum: p.configuration_checksum.clone(),
            transition: name_of(transition),
            plan: Plan::of(&p.plan, controller),
            fallback: Plan::of(&p.fallback.plan, controller),
            schedule: p.schedule.as_ref().map(StageSchedule::of),
            reasons: p.reasons.iter().map(ReasonEntry::of).collect(),
        }
    }
}

impl StageSchedule {
    /// The shape of a schedule.
    #[must_use]
    pub fn of(schedule: &Schedule) -> Self {
        let stage = |s: &greenkerb_models::signal::ScheduledStage| ScheduledStage {
            stage: s.stage.0,
            start: s.start.rfc3339(),
            end: s.end.rfc3339(),
        };
        Self { frozen_until: schedule.frozen_until.rfc3339(), stages: schedule.stages.iter().map(stage).collect() }
    }
}

impl Plan {
    /// The shape of a plan of this controller.
    #[must_use]
    pub fn of(plan: &TimingPlan, controller: &Controller) -> Self {
        let groups = plan.greens.iter().enumerate().map(|(i, greens)| GroupGreens {
            group: controller.group(GroupId::at(i)).name.clone(),
            greens: greens
                .iter()
                .map(|g| Green { start_ds: g.start.0, length_ds: g.length.0, protection: name_of(g.protection) })
                .collect(),
        });
        let (stages, ring_barrier) = match &plan.view {
            PlanView::Stages { splits } => {
                (Some(splits.iter().map(|s| StageGreen { stage: s.stage.0, green_ds: s.green.0 }).collect()), None)
            }
            PlanView::RingBarrier { splits } => {
                (None, Some(splits.iter().map(|(phase, d)| PhaseSplit { phase: *phase, split_ds: d.0 }).collect()))
            }
        };
        Self {
            cycle_ds: plan.cycle.0,
            offset_ds: plan.offset.0,
            offset_reference: name_of(plan.reference),
            reference_position_ds: plan.reference_position.0,
            time_base: TimeDs(0).rfc3339(),
            groups: groups.collect(),
            stages,
            ring_barrier,
        }
    }
}

impl ReasonEntry {
    /// The shape of a reason.
    #[must_use]
    pub fn of(r: &Reason) -> Self {
        let value = r.value.as_ref().map(|(name, number)| ReasonValue { name: name.clone(), number: *number });
        Self { kind: name_of(r.kind), text: r.text.clone(), value }
    }
}
