//! The queueing model of one controller: what each lane can pass in each step of the program.

use greenkerb_models::ids::{ControllerId, GroupId, LaneId, StageId};
use greenkerb_models::network::{Network, Turn};
use greenkerb_models::signal::{Controller, Indication, Relation, StepKind};
use greenkerb_models::units::Ds;

use crate::estimation::{Discharge, Estimator};
use crate::safety::{Policy, validate_plan};

/// Seconds lost when a queue starts to move (HCM 7th ed., chapter 19: 2 s with the last of yellow used apart).
pub(crate) const START_UP_S: f64 = 1.5;

/// Seconds of yellow that drivers still use (HCM 7th ed.: about 2 s of a 3 s yellow).
pub(crate) const YELLOW_USED_S: f64 = 1.5;

/// Gap a permissive turn needs, and the headway at which waiting vehicles use one long gap (HCM 7th ed., ch. 19/31).
const CRITICAL_GAP_S: f64 = 4.5;
const FOLLOW_UP_S: f64 = 2.5;

/// Vehicles that turn at the end of a permissive green while the oncoming stream stops.
const SNEAKERS_VEH: f64 = 1.0;

/// Turning on red after a stop, vehicles per second.
const ON_RED_VPS: f64 = 0.06;

/// What a way that may not go still lets its lane pass, as a share of saturation: a vehicle for it comes only now and
/// then, and until it does the others of the lane go on.
const BLOCKED_SHARE: f64 = 0.1;

/// One way out of a lane.
#[derive(Debug, Clone)]
pub(crate) struct Way {
    pub(crate) group: GroupId,
    /// Share of the lane's vehicles that go this way.
    pub(crate) share: f64,
    saturation_vps: f64,
    /// Groups it yields to while permissive.
    yields_to: Vec<GroupId>,
}

/// A lane that ends at the controller's signals.
#[derive(Debug, Clone)]
pub(crate) struct JunctionLane {
    pub(crate) lane: LaneId,
    pub(crate) ways: Vec<Way>,
    pub(crate) storage_veh: f64,
    /// Correction of the predicted service, per step.
    discharge: Vec<Discharge>,
}

/// One step of the program as the model sees it.
#[derive(Debug, Clone)]
pub(crate) struct ModelStep {
    /// Position among the stages; `None` for clearance.
    pub(crate) stage: Option<usize>,
    /// Length of a clearance step, shortest length of a stage, seconds.
    pub(crate) least_s: f64,
    shows: Vec<Indication>,
}

/// Queueing model of a controller.
#[derive(Debug, Clone)]
pub(crate) struct Junction {
    pub(crate) controller: ControllerId,
    pub(crate) lanes: Vec<JunctionLane>,
    pub(crate) steps: Vec<ModelStep>,
    pub(crate) stages: usize,
    /// Stages that may be left out while the others are kept.
    pub(crate) omittable: Vec<bool>,
    pub(crate) clearance_s: f64,
}

/// What is asked of a junction.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Demand {
    /// Arrivals per lane, vehicles per second.
    pub(crate) flow_vps: Vec<f64>,
    /// Queue per lane at the start of the cycle, vehicles.
    pub(crate) queue_veh: Vec<f64>,
}

/// Service per step and lane, vehicles per second while the step lasts.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Service {
    /// `rate_vps[step][lane]`.
    pub(crate) rate_vps: Vec<Vec<f64>>,
    /// Fixed vehicles per cycle in a clearance step: yellow used, sneakers. `extra_veh[step][lane]`.
    pub(crate) extra_veh: Vec<Vec<f64>>,
}

impl Junction {
    /// Builds the model of a controller.
    pub(crate) fn new(network: &Network, controller: ControllerId) -> Self {
        let c = network.controller(controller);
        let lanes: Vec<JunctionLane> = network
            .approach_lanes(controller)
            .into_iter()
            .map(|lane| {
                let mut ways: Vec<Way> = network
                    .connections_from(lane)
                    .iter()
                    .filter_map(|&id| {
                        let connection = network.connection(id);
                        let head = connection.signal.filter(|s| s.controller == controller)?;
                        let movement = network.movement(connection.movement);
                        let yields_to = c
                            .group_ids()
                            .filter(|h| {
                                matches!(c.conflicts.get(head.group, *h), Relation::Permitted { yields: true, .. })
                            })
                            .collect();
                        let prior = match movement.turn {
                            Turn::Straight => 3.0,
                            Turn::Left | Turn::Right => 1.0,
                            Turn::UTurn => 0.05,
                        };
                        Some(Way {
                            group: head.group,
                            share: prior,
                            saturation_vps: movement.saturation.get() / 3600.0,
                            yields_to,
                        })
                    })
                    .collect();
                let sum: f64 = ways.iter().map(|w| w.share).sum();
                for w in &mut ways {
                    w.share /= sum;
                }
                let storage_veh = (network.lane(lane).length.get() / 7.0).max(1.0);
                JunctionLane { lane, ways, storage_veh, discharge: vec![Discharge::default(); c.program.steps.len()] }
            })
            .collect();
        let mut stages = 0;
        let steps: Vec<ModelStep> = c
            .program
            .steps
            .iter()
            .map(|s| {
                let (stage, least_s) = match s.kind {
                    StepKind::Stage { min, .. } => {
                        stages += 1;
                        (Some(stages - 1), min.seconds())
                    }
                    StepKind::Clearance => (None, s.shipped.seconds()),
                };
                ModelStep { stage, least_s, shows: s.shows.clone() }
            })
            .collect();
        let omittable = omittable(&steps, &lanes, |p| safe_without(c, StageId::at(p)));
        Self { controller, lanes, steps, stages, omittable, clearance_s: c.program.clearance_total().seconds() }
    }

    /// Flow and queue as estimated now.
    pub(crate) fn demand(&self, estimator: &Estimator) -> Demand {
        let estimates: Vec<_> = self.lanes.iter().map(|l| estimator.lane(l.lane)).collect();
        Demand {
            flow_vps: estimates.iter().map(|e| e.map_or(0.0, |e| e.flow_vph / 3600.0)).collect(),
            queue_veh: estimates.iter().map(|e| e.map_or(0.0, |e| e.queue_veh)).collect(),
        }
    }

    /// True when no stage is left out that serves a group no kept stage serves.
    pub(crate) fn serves_all(&self, splits_s: &[u32]) -> bool {
        let kept =
            |g: usize| self.steps.iter().any(|s| s.stage.is_some_and(|p| splits_s[p] > 0) && s.shows[g].is_green());
        self.steps.iter().all(|s| {
            s.stage.is_none_or(|p| splits_s[p] > 0) || (0..s.shows.len()).all(|g| !s.shows[g].is_green() || kept(g))
        })
    }

    /// Length of every step, seconds, for these stage lengths.
    pub(crate) fn step_lengths_s(&self, splits_s: &[f64]) -> Vec<f64> {
        self.steps.iter().map(|s| s.stage.map_or(s.least_s, |p| splits_s[p])).collect()
    }

    /// True when a lane has any green in a step.
    pub(crate) fn is_green(&self, step: usize, lane: usize) -> bool {
        let shows = &self.steps[step].shows;
        self.lanes[lane].ways.iter().any(|w| shows[w.group.index()].is_green())
    }

    /// What each lane can pass in each step, permissive turns against the given flows and stage lengths.
    pub(crate) fn service(&self, flow_vps: &[f64], splits_s: &[f64]) -> Service {
        let lengths_s = self.step_lengths_s(splits_s);
        let cycle_s: f64 = lengths_s.iter().sum();
        let rate_vps = (0..self.steps.len())
            .map(|s| {
                (0..self.lanes.len())
                    .map(|l| self.lane_rate(s, l, flow_vps, &lengths_s, cycle_s) * self.lanes[l].discharge[s].factor())
                    .collect()
            })
            .collect();
        let extra_veh =
            (0..self.steps.len()).map(|s| (0..self.lanes.len()).map(|l| self.lane_extra(s, l)).collect()).collect();
        Service { rate_vps, extra_veh }
    }

    /// Learns from vehicles that passed under a queue for `seconds` in a step, the stages being `splits_s` long.
    pub(crate) fn learn(
        &mut self,
        step: usize,
        lane: usize,
        count: u32,
        seconds: f64,
        flow_vps: &[f64],
        splits_s: &[f64],
    ) {
        let lengths_s = self.step_lengths_s(splits_s);
        let cycle_s: f64 = lengths_s.iter().sum();
        let predicted_veh = self.lane_rate(step, lane, flow_vps, &lengths_s, cycle_s) * seconds;
        if predicted_veh > 0.0 {
            self.lanes[lane].discharge[step].learn(f64::from(count), predicted_veh);
        }
    }

    fn lane_rate(&self, step: usize, lane: usize, flow_vps: &[f64], lengths_s: &[f64], cycle_s: f64) -> f64 {
        let shows = &self.steps[step].shows;
        let rate = |w: &Way| match shows[w.group.index()] {
            Indication::Protected => w.saturation_vps,
            Indication::Permissive => self.permissive_vps(w, step, flow_vps, lengths_s, cycle_s),
            Indication::StopThenGo => ON_RED_VPS.min(w.saturation_vps),
            Indication::Yellow | Indication::Red | Indication::RedAmber => 0.0,
        };
        let ways = &self.lanes[lane].ways;
        if ways.iter().all(|w| rate(w) <= 0.0) {
            return 0.0;
        }
        // Vehicles leave one after the other, so headways add up in proportion to the shares.
        let headway_s: f64 = ways.iter().map(|w| w.share / rate(w).max(BLOCKED_SHARE * w.saturation_vps)).sum();
        1.0 / headway_s
    }

    /// Gap acceptance through the part of the green in which the stream it yields to is no longer discharging its queue
    /// (HCM 7th ed., eq. 31-100 family).
    fn permissive_vps(&self, way: &Way, step: usize, flow_vps: &[f64], lengths_s: &[f64], cycle_s: f64) -> f64 {
        let mut opposing_vps = 0.0;
        let mut discharging: f64 = 0.0;
        for (k, other) in self.lanes.iter().enumerate() {
            let share: f64 = other
                .ways
                .iter()
                .filter(|o| way.yields_to.contains(&o.group) && self.steps[step].shows[o.group.index()].is_green())
                .map(|o| o.share)
                .sum();
            if share <= 0.0 {
                continue;
            }
            opposing_vps += flow_vps[k] * share;
            let saturation_vps = other.ways.iter().map(|o| o.saturation_vps).fold(0.0, f64::max);
            let green_s: f64 =
                (0..self.steps.len()).filter(|s| self.is_green(*s, k)).map(|s| lengths_s[s]).sum::<f64>().max(1.0);
            let red_s = (cycle_s - green_s).max(0.0) + START_UP_S;
            let clears_s = flow_vps[k] * red_s / (saturation_vps - flow_vps[k]).max(0.02);
            discharging = discharging.max((clears_s / green_s).min(1.0));
        }
        if opposing_vps <= 1e-6 {
            return way.saturation_vps;
        }
        let gaps_vps =
            opposing_vps * (-opposing_vps * CRITICAL_GAP_S).exp() / (1.0 - (-opposing_vps * FOLLOW_UP_S).exp());
        ((1.0 - discharging) * gaps_vps).min(way.saturation_vps)
    }

    /// Vehicles that still pass while a clearance step shows yellow.
    fn lane_extra(&self, step: usize, lane: usize) -> f64 {
        let before = &self.steps[(step + self.steps.len() - 1) % self.steps.len()].shows;
        let shows = &self.steps[step].shows;
        self.lanes[lane]
            .ways
            .iter()
            .filter(|w| shows[w.group.index()] == Indication::Yellow)
            .map(|w| match before[w.group.index()] {
                Indication::Protected => w.share * w.saturation_vps * YELLOW_USED_S,
                Indication::Permissive => w.share * SNEAKERS_VEH,
                _ => 0.0,
            })
            .sum()
    }

    /// Vehicles each lane can pass in one cycle of these stage lengths.
    pub(crate) fn capacity_veh(&self, service: &Service, splits_s: &[f64]) -> Vec<f64> {
        let lengths_s = self.step_lengths_s(splits_s);
        (0..self.lanes.len())
            .map(|l| {
                let passed: f64 = (0..self.steps.len())
                    .map(|s| service.rate_vps[s][l] * lengths_s[s] + service.extra_veh[s][l])
                    .sum();
                (passed - self.start_up_veh(service, l)).max(0.0)
            })
            .collect()
    }

    /// Vehicles lost to start-up in each cycle: once for every time the lane turns from red to green.
    pub(crate) fn start_up_veh(&self, service: &Service, lane: usize) -> f64 {
        let n = self.steps.len();
        (0..n)
            .filter(|&s| self.is_green(s, lane) && !self.is_green((s + n - 1) % n, lane))
            .map(|s| service.rate_vps[s][lane] * START_UP_S)
            .sum()
    }
}

/// True when the controller's database lets the cycle go from the stage before to the stage after: every transition then
/// shown must keep its intergreens.
fn safe_without(controller: &Controller, stage: StageId) -> bool {
    let mut splits = controller.program.shipped_splits();
    let Some(split) = splits.get_mut(stage.index()) else { return false };
    *split = Ds::ZERO;
    let policy = Policy { cycle_min: Ds(1), ..Policy::default() };
    // What the others last is not the question here, so they last long enough for any minimum cycle.
    for (other, split) in splits.iter_mut().enumerate() {
        if other != stage.index() {
            *split = (*split).max(controller.limits.cycle_min);
        }
    }
    let longest = controller.limits.cycle_max;
    while splits.iter().copied().sum::<Ds>() + controller.program.clearance_total() > longest {
        let Some(split) = splits.iter_mut().max() else { return false };
        if split.0 <= 50 {
            return false;
        }
        *split = *split - Ds(10);
    }
    controller
        .program
        .compile(&controller.groups, &splits, Ds::ZERO)
        .is_ok_and(|plan| validate_plan(plan, controller, &policy).is_ok())
}

/// Stages that may be left out: those whose lanes all have the right of way in another stage. A lane of its own for a
/// turn that is otherwise only permissive keeps its protected stage.
fn omittable(steps: &[ModelStep], lanes: &[JunctionLane], may: impl Fn(usize) -> bool) -> Vec<bool> {
    let protected = |s: &ModelStep, lane: &JunctionLane| {
        lane.ways.iter().any(|w| s.shows[w.group.index()] == Indication::Protected)
    };
    steps
        .iter()
        .filter_map(|s| s.stage.map(|p| (p, s)))
        .map(|(p, s)| {
            may(p)
                && lanes
                    .iter()
                    .filter(|l| l.ways.iter().any(|w| s.shows[w.group.index()].is_green()))
                    .all(|l| steps.iter().any(|other| other.stage.is_some_and(|q| q != p) && protected(other, l)))
        })
        .collect()
}
