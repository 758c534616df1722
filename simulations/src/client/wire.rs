//! What travels between the field and the service (`/v1`).

use std::borrow::Cow;

use greenkerb_models::detection::{Observation, Picture, Sighting};
use greenkerb_models::ids::{GroupId, StageId};
use greenkerb_models::network::Network;
use greenkerb_models::plan::{PublishedPlan, Reason, ReasonKind, Revision};
use greenkerb_models::signal::{
    Controller, GreenInterval, OffsetReference, PlanView, Protection, Schedule, ScheduledStage, StageSplit, TimingPlan,
    TransitionMethod,
};
use greenkerb_models::units::{Ds, TimeDs};
use serde::{Deserialize, Serialize};

use crate::field::{Order, ScheduleOrder};

/// One interval of one detector.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DetectorReport<'a> {
    /// Name of the detector.
    #[serde(borrow)]
    pub detector: Cow<'a, str>,
    /// Start of the interval, RFC 3339.
    #[serde(borrow)]
    pub begin: Cow<'a, str>,
    /// Its length, seconds.
    pub length_s: f64,
    /// Vehicles that entered.
    pub count: u32,
    /// Share of the interval with a vehicle over the loop.
    pub occupancy: f64,
    /// Mean speed, where it is measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speed_mps: Option<f64>,
}

impl<'a> DetectorReport<'a> {
    /// The report of an observation.
    #[must_use]
    pub fn of(network: &'a Network, o: &Observation) -> Self {
        Self {
            detector: Cow::Borrowed(&network.detector(o.detector).name),
            begin: Cow::Owned(o.begin.rfc3339()),
            length_s: o.length.seconds(),
            count: o.count,
            occupancy: o.occupancy,
            speed_mps: o.speed.map(greenkerb_models::units::MetresPerSecond::get),
        }
    }

    /// The same with everything its own.
    #[must_use]
    pub fn into_owned(self) -> DetectorReport<'static> {
        DetectorReport {
            detector: Cow::Owned(self.detector.into_owned()),
            begin: Cow::Owned(self.begin.into_owned()),
            length_s: self.length_s,
            count: self.count,
            occupancy: self.occupancy,
            speed_mps: self.speed_mps,
        }
    }
}

/// What is seen of a junction at one instant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PictureReport {
    /// Name of the junction's controller.
    pub controller: String,
    /// When, RFC 3339.
    pub at: String,
    /// Every vehicle near it.
    pub vehicles: Vec<VehicleReport>,
}

/// A vehicle in a picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VehicleReport {
    /// Name of its lane.
    pub lane: String,
    /// From its front to the end of that lane.
    pub to_lane_end_m: f64,
    /// Its speed.
    pub speed_mps: f64,
    /// The links it comes from and goes to at the junction, where that is known.
    #[serde(default)]
    pub movement: Option<MovementReport>,
}

/// A way across a junction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MovementReport {
    /// Name of the link it leaves.
    pub from: String,
    /// Name of the link it enters.
    pub to: String,
}

impl PictureReport {
    /// The report of a picture.
    #[must_use]
    pub fn of(network: &Network, picture: &Picture) -> Self {
        // Millimetres are more than anybody measures, and keep the text short.
        let rounded = |x: f64| (x * 1_000.0).round() / 1_000.0;
        let vehicle = |s: &Sighting| VehicleReport {
            lane: network.lane(s.lane).name.clone(),
            to_lane_end_m: rounded(s.to_lane_end.get()).min(network.lane(s.lane).length.get()),
            speed_mps: rounded(s.speed.get()),
            movement: s.movement.map(|m| {
                let movement = network.movement(m);
                MovementReport {
                    from: network.link(movement.from_link).name.clone(),
                    to: network.link(movement.to_link).name.clone(),
                }
            }),
        };
        Self {
            controller: network.controller(picture.controller).name.clone(),
            at: picture.at.rfc3339(),
            vehicles: picture.vehicles.iter().map(vehicle).collect(),
        }
    }
}

/// A batch of reports.
#[derive(Debug, Serialize)]
pub(super) struct Batch<'a> {
    pub(super) observations: &'a [DetectorReport<'a>],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(super) pictures: &'a [PictureReport],
}

/// What became of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Accepted {
    /// Reports taken.
    pub accepted: u64,
    /// Of them, late ones.
    #[serde(default)]
    pub late: u64,
    /// Reports refused.
    #[serde(default)]
    pub refused: Vec<RefusedReport>,
}

/// A report that the service refused.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct RefusedReport {
    /// Name of the detector.
    #[serde(default)]
    pub detector: Option<String>,
    /// Name of the controller, for a picture.
    #[serde(default)]
    pub controller: Option<String>,
    /// Kind of refusal.
    pub code: String,
    /// Why, in words.
    pub reason: String,
}

/// The list of controllers.
#[derive(Debug, Deserialize)]
pub(super) struct Controllers {
    pub(super) controllers: Vec<Known>,
}

/// A controller the service knows.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Known {
    /// Its name.
    pub name: String,
    /// SHA-256 of the database its timings are computed against, where the service tells it.
    #[serde(default)]
    pub configuration_checksum: Option<String>,
}

/// The state of the network, of which the field needs the time only.
#[derive(Debug, Deserialize)]
pub(super) struct ServiceState {
    pub(super) clock: Option<String>,
}

/// A polled timing. What the field has no use for may be missing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Timing {
    #[serde(default)]
    controller: String,
    #[serde(default)]
    plan_id: String,
    /// Number of the publication.
    pub revision: u64,
    /// Hash to give back.
    pub hash: String,
    #[serde(default)]
    mode: String,
    #[serde(default)]
    computed_at: String,
    /// When it takes over.
    pub valid_from: String,
    /// When it has run out.
    pub valid_until: String,
    /// When to ask again, seconds.
    pub poll_after_s: f64,
    /// Database it was computed against.
    pub configuration_checksum: String,
    /// How to get into step.
    pub transition: TransitionMethod,
    plan: Plan,
    fallback: Plan,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    schedule: Option<Scheduled>,
    #[serde(default)]
    reasons: Vec<ReasonEntry>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Plan {
    cycle_ds: u32,
    offset_ds: u32,
    offset_reference: OffsetReference,
    #[serde(default)]
    reference_position_ds: u32,
    #[serde(default)]
    time_base: String,
    groups: Vec<Group>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stages: Option<Vec<Stage>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ring_barrier: Option<Vec<Phase>>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Group {
    group: String,
    greens: Vec<Green>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Green {
    start_ds: u32,
    length_ds: u32,
    protection: Protection,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Stage {
    stage: u32,
    green_ds: u32,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Phase {
    phase: u8,
    split_ds: u32,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct ReasonEntry {
    kind: ReasonKind,
    text: String,
    value: Option<ReasonValue>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct ReasonValue {
    name: String,
    number: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Scheduled {
    frozen_until: String,
    stages: Vec<ScheduledSpan>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct ScheduledSpan {
    stage: u32,
    start: String,
    end: String,
}

/// What a timing asks of a controller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// To run a cyclic plan.
    Plan(Box<Order>),
    /// To run a schedule.
    Schedule(Box<ScheduleOrder>),
}

/// Why a timing cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// An instant is none.
    #[error("'{text}' in {field} is no instant")]
    Instant {
        /// The field.
        field: &'static str,
        /// What it says.
        text: String,
    },
    /// A signal group that this controller does not have.
    #[error("it shows group '{group}', which this controller does not have")]
    UnknownGroup {
        /// The name.
        group: String,
    },
    /// A signal group that is not exactly once in the plan.
    #[error("it does not show group '{group}' exactly once")]
    Group {
        /// The name.
        group: String,
    },
    /// Neither stages nor phases.
    #[error("it has neither stages nor phases")]
    NoView,
}

impl Timing {
    /// What the service answers for a publication; `simulations` speaks its language to itself where there is no wire.
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
            transition,
            plan: Plan::of(&p.plan, controller),
            fallback: Plan::of(&p.fallback.plan, controller),
            schedule: p.schedule.as_ref().map(Scheduled::of),
            reasons: p.reasons.iter().map(ReasonEntry::of).collect(),
        }
    }

    /// The order it is for a controller, whose signal groups it names.
    ///
    /// # Errors
    /// [`WireError`] when it names others.
    pub fn order(&self, controller: &Controller) -> Result<Asked, WireError> {
        let fallback = self.fallback.timing_plan(controller)?;
        if let Some(schedule) = &self.schedule {
            return Ok(Asked::Schedule(Box::new(ScheduleOrder {
                revision: Revision(self.revision),
                hash: self.hash.clone(),
                schedule: schedule.schedule()?,
                configuration_checksum: self.configuration_checksum.clone(),
                fallback,
            })));
        }
        Ok(Asked::Plan(Box::new(Order {
            revision: Revision(self.revision),
            hash: self.hash.clone(),
            plan: self.plan.timing_plan(controller)?,
            valid_from: instant("valid_from", &self.valid_from)?,
            valid_until: instant("valid_until", &self.valid_until)?,
            configuration_checksum: self.configuration_checksum.clone(),
            fallback,
            transition: self.transition,
        })))
    }
}

fn instant(field: &'static str, text: &str) -> Result<TimeDs, WireError> {
    TimeDs::parse_rfc3339(text).map_err(|_| WireError::Instant { field, text: text.to_owned() })
}

impl Scheduled {
    fn of(schedule: &Schedule) -> Self {
        let span =
            |s: &ScheduledStage| ScheduledSpan { stage: s.stage.0, start: s.start.rfc3339(), end: s.end.rfc3339() };
        Self { frozen_until: schedule.frozen_until.rfc3339(), stages: schedule.stages.iter().map(span).collect() }
    }

    fn schedule(&self) -> Result<Schedule, WireError> {
        let stage = |s: &ScheduledSpan| {
            Ok(ScheduledStage {
                stage: StageId(s.stage),
                start: instant("schedule.start", &s.start)?,
                end: instant("schedule.end", &s.end)?,
            })
        };
        Ok(Schedule {
            stages: self.stages.iter().map(stage).collect::<Result<_, WireError>>()?,
            frozen_until: instant("schedule.frozen_until", &self.frozen_until)?,
        })
    }
}

impl ReasonEntry {
    fn of(r: &Reason) -> Self {
        let value = r.value.as_ref().map(|(name, number)| ReasonValue { name: name.clone(), number: *number });
        Self { kind: r.kind, text: r.text.clone(), value }
    }
}

impl Plan {
    fn of(plan: &TimingPlan, controller: &Controller) -> Self {
        let groups = plan.greens.iter().enumerate().map(|(i, greens)| Group {
            group: controller.group(GroupId::at(i)).name.clone(),
            greens: greens
                .iter()
                .map(|g| Green { start_ds: g.start.0, length_ds: g.length.0, protection: g.protection })
                .collect(),
        });
        let (stages, ring_barrier) = match &plan.view {
            PlanView::Stages { splits } => {
                (Some(splits.iter().map(|s| Stage { stage: s.stage.0, green_ds: s.green.0 }).collect()), None)
            }
            PlanView::RingBarrier { splits } => {
                (None, Some(splits.iter().map(|(phase, d)| Phase { phase: *phase, split_ds: d.0 }).collect()))
            }
        };
        Self {
            cycle_ds: plan.cycle.0,
            offset_ds: plan.offset.0,
            offset_reference: plan.reference,
            reference_position_ds: plan.reference_position.0,
            time_base: TimeDs(0).rfc3339(),
            groups: groups.collect(),
            stages,
            ring_barrier,
        }
    }

    fn timing_plan(&self, controller: &Controller) -> Result<TimingPlan, WireError> {
        let mut greens: Vec<Option<Vec<GreenInterval>>> = vec![None; controller.groups.len()];
        for group in &self.groups {
            let at = controller.groups.iter().position(|g| g.name == group.group);
            let at = at.ok_or_else(|| WireError::UnknownGroup { group: group.group.clone() })?;
            let intervals = group.greens.iter().map(|g| GreenInterval {
                start: Ds(g.start_ds),
                length: Ds(g.length_ds),
                protection: g.protection,
            });
            if greens[at].replace(intervals.collect()).is_some() {
                return Err(WireError::Group { group: group.group.clone() });
            }
        }
        let whole = greens.into_iter().enumerate().map(|(i, intervals)| {
            intervals.ok_or_else(|| WireError::Group { group: controller.group(GroupId::at(i)).name.clone() })
        });
        let view = match (&self.stages, &self.ring_barrier) {
            (Some(stages), _) => PlanView::Stages {
                splits: stages.iter().map(|s| StageSplit { stage: StageId(s.stage), green: Ds(s.green_ds) }).collect(),
            },
            (None, Some(phases)) => {
                PlanView::RingBarrier { splits: phases.iter().map(|p| (p.phase, Ds(p.split_ds))).collect() }
            }
            (None, None) => return Err(WireError::NoView),
        };
        Ok(TimingPlan {
            cycle: Ds(self.cycle_ds),
            offset: Ds(self.offset_ds),
            reference: self.offset_reference,
            greens: whole.collect::<Result<_, _>>()?,
            view,
            reference_position: Ds(self.reference_position_ds),
        })
    }
}

#[derive(Debug, Serialize)]
pub(super) struct Ack<'a> {
    pub(super) revision: u64,
    pub(super) hash: &'a str,
    pub(super) state: &'static str,
    pub(super) reason: Option<String>,
    pub(super) at: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::sample;

    fn timing() -> serde_json::Value {
        let plan = serde_json::json!({
            "cycle_ds": 450, "offset_ds": 70, "offset_reference": "cycle_start", "reference_position_ds": 0,
            "time_base": "1970-01-01T00:00:00Z",
            "groups": [
                {"group": "side", "greens": [{"start_ds": 250, "length_ds": 150, "protection": "protected"}]},
                {"group": "main", "greens": [{"start_ds": 0, "length_ds": 200, "protection": "protected"}]},
                {"group": "turn", "greens": [{"start_ds": 0, "length_ds": 200, "protection": "permissive"}]},
            ],
            "stages": [{"stage": 0, "green_ds": 200}, {"stage": 1, "green_ds": 150}],
        });
        serde_json::json!({
            "controller": "sample", "plan_id": "sample-7", "revision": 7, "hash": "ab", "mode": "cyclic",
            "computed_at": "1970-01-01T07:00:00Z", "valid_from": "1970-01-01T07:00:12.5Z",
            "valid_until": "1970-01-01T07:10:00Z", "poll_after_s": 1.0, "configuration_checksum": "cd",
            "transition": "short_way", "plan": plan, "fallback": plan, "reasons": [],
        })
    }

    fn order(timing: serde_json::Value) -> Result<Order, WireError> {
        match serde_json::from_value::<Timing>(timing).unwrap().order(&sample::controller())? {
            Asked::Plan(order) => Ok(*order),
            Asked::Schedule(order) => panic!("a schedule: {order:?}"),
        }
    }

    #[test]
    fn a_polled_timing_becomes_the_plan_it_was() {
        let order = order(timing()).unwrap();
        assert_eq!(order.plan, sample::controller().time_of_day_plan(), "groups are matched by name");
        assert_eq!(order.valid_from, TimeDs(252_125));
        assert_eq!((order.revision, order.transition), (Revision(7), TransitionMethod::ShortWay));
    }

    #[test]
    fn a_polled_schedule_is_run_as_one() {
        let mut timing = timing();
        timing["mode"] = "schedule".into();
        timing["schedule"] = serde_json::json!({
            "frozen_until": "1970-01-01T07:00:02Z",
            "stages": [{"stage": 1, "start": "1970-01-01T06:59:50.5Z", "end": "1970-01-01T07:00:12Z"}],
        });
        let timing: Timing = serde_json::from_value(timing).unwrap();
        let Asked::Schedule(order) = timing.order(&sample::controller()).unwrap() else { panic!("a plan") };
        let stage = ScheduledStage { stage: StageId(1), start: TimeDs(251_905), end: TimeDs(252_120) };
        assert_eq!(order.schedule, Schedule { stages: vec![stage], frozen_until: TimeDs(252_020) });
        assert_eq!(order.fallback, sample::controller().time_of_day_plan());
        assert_eq!(Scheduled::of(&order.schedule).schedule(), Ok(order.schedule));
    }

    #[test]
    fn a_timing_for_another_controller_is_no_order() {
        let with = |path: &str, value| {
            let mut timing = timing();
            *timing.pointer_mut(path).unwrap() = value;
            order(timing)
        };
        let name = |text: &str| serde_json::Value::from(text);
        let unknown = with("/plan/groups/0/group", name("north"));
        assert_eq!(unknown.unwrap_err(), WireError::UnknownGroup { group: "north".into() });
        let twice = with("/plan/groups/0/group", name("main"));
        assert_eq!(twice.unwrap_err(), WireError::Group { group: "main".into() });
        let none = with("/fallback/groups", serde_json::json!([]));
        assert!(matches!(none, Err(WireError::Group { .. })));
        assert!(matches!(with("/valid_from", name("soon")), Err(WireError::Instant { field: "valid_from", .. })));
        assert_eq!(with("/plan/stages", serde_json::Value::Null).unwrap_err(), WireError::NoView);
    }
}
