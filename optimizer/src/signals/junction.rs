//! The queueing model of one controller: what each lane can pass in each step of the program.

use std::collections::BTreeMap;
use std::sync::Arc;

use greenkerb_models::ids::{ConnectionId, ControllerId, GroupId, LaneId};
use greenkerb_models::network::Network;
use greenkerb_models::signal::{Controller, Indication, Relation, StepKind, TimedStep};
use greenkerb_models::units::Ds;

use crate::estimation::{Discharge, Estimator, LaneEstimate, prior_shares};
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

/// A vehicle held at the line for longer than this begins to weigh more, and by how much at most.
const HELD_LONG_S: f64 = 40.0;
const HELD_WEIGHT_MAX: f64 = 4.0;

/// Least weight of a lane whose room is mostly for vehicles that are not expected.
const EXPECTED_SHARE_MIN: f64 = 0.05;

/// Most cycles with stages left out that are looked at for one controller.
const SHAPES_MAX: usize = 128;

/// What a way that may not go still lets its lane pass, as a share of saturation: a vehicle for it comes only now and
/// then, and until it does the others of the lane go on.
const BLOCKED_SHARE: f64 = 0.1;

/// No way is ever taken to be unused: somebody may yet want to go there.
const SHARE_MIN: f64 = 0.01;

/// One way out of a lane.
#[derive(Debug, Clone)]
pub(crate) struct Way {
    connection: ConnectionId,
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
    /// Correction of the predicted service, per stage.
    discharge: Vec<Discharge>,
}

/// One step of the cycle as the model sees it.
#[derive(Debug, Clone)]
pub(crate) struct ModelStep {
    /// Position among the stages; `None` for clearance.
    pub(crate) stage: Option<usize>,
    /// Length of a clearance step, shortest length of a stage, seconds.
    pub(crate) least_s: f64,
    shows: Vec<Indication>,
}

/// The cycle with some stages kept and the others left out.
#[derive(Debug, Clone)]
pub(crate) struct Shape {
    pub(crate) steps: Vec<ModelStep>,
    /// Time that is no stage's.
    pub(crate) clearance_s: f64,
}

/// A set of stages, bit by bit.
type Stages = u64;

/// Queueing model of a controller.
#[derive(Debug, Clone)]
pub(crate) struct Junction {
    pub(crate) controller: ControllerId,
    pub(crate) lanes: Vec<JunctionLane>,
    pub(crate) stages: usize,
    /// Stages that may be left out in some cycle.
    pub(crate) omittable: Vec<bool>,
    /// The whole program.
    pub(crate) whole: Arc<Shape>,
    /// The cycles that leave stages out, by the stages they leave out.
    shortened: BTreeMap<Stages, Arc<Shape>>,
}

/// What is asked of a junction.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Demand {
    /// Arrivals per lane, vehicles per second.
    pub(crate) flow_vps: Vec<f64>,
    /// Queue per lane at the start of the cycle, vehicles.
    pub(crate) queue_veh: Vec<f64>,
    /// What a second of waiting costs per lane: more where somebody has long been held at the line.
    pub(crate) weight: Vec<f64>,
}

/// Service per step and lane, vehicles per second while the step lasts.
#[derive(Debug, Clone)]
pub(crate) struct Service {
    /// The steps.
    pub(crate) shape: Arc<Shape>,
    /// `rate_vps[step][lane]`.
    pub(crate) rate_vps: Vec<Vec<f64>>,
    /// Fixed vehicles per cycle in a clearance step: yellow used, sneakers. `extra_veh[step][lane]`.
    pub(crate) extra_veh: Vec<Vec<f64>>,
}

/// Shares of a lane's ways that sum to one.
fn normalise(ways: &mut [Way]) {
    let sum: f64 = ways.iter().map(|w| w.share).sum();
    for w in ways {
        w.share /= sum;
    }
}

impl Junction {
    /// Builds the model of a controller.
    pub(crate) fn new(network: &Network, controller: ControllerId) -> Self {
        let c = network.controller(controller);
        let prior = prior_shares(network);
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
                        Some(Way {
                            connection: id,
                            group: head.group,
                            share: prior[id.index()],
                            saturation_vps: movement.saturation.get() / 3600.0,
                            yields_to,
                        })
                    })
                    .collect();
                normalise(&mut ways);
                let storage_veh = (network.lane(lane).length.get() / 7.0).max(1.0);
                JunctionLane { lane, ways, storage_veh, discharge: vec![Discharge::default(); c.program.stage_count()] }
            })
            .collect();
        let stages = c.program.stage_count();
        let whole = Arc::new(Shape::whole(c));
        let shortened = shortened(c, &whole, &lanes);
        let omittable = (0..stages).map(|p| shortened.keys().any(|out| out & bit(p) != 0)).collect();
        Self { controller, lanes, stages, omittable, whole, shortened }
    }

    /// Vehicles go these ways from now on: shares by connection of the network.
    pub(crate) fn turn(&mut self, way_shares: &[f64]) {
        for lane in &mut self.lanes {
            for w in &mut lane.ways {
                w.share = way_shares[w.connection.index()].max(SHARE_MIN);
            }
            normalise(&mut lane.ways);
        }
    }

    /// Flow, queue and weight as estimated now.
    pub(crate) fn demand(&self, estimator: &Estimator) -> Demand {
        let estimates: Vec<_> = self.lanes.iter().map(|l| estimator.lane(l.lane)).collect();
        Demand {
            flow_vps: estimates.iter().map(|e| e.map_or(0.0, |e| e.room_vph / 3600.0)).collect(),
            queue_veh: estimates.iter().map(|e| e.map_or(0.0, |e| e.queue_veh)).collect(),
            weight: estimates.iter().map(|e| e.map_or(1.0, |e| patience(e.held_s) * expected(&e))).collect(),
        }
    }

    /// The cycle that these stage lengths make, if the database allows it.
    pub(crate) fn shape(&self, splits_s: &[f64]) -> Option<&Arc<Shape>> {
        let out = splits_s.iter().enumerate().filter(|(_, s)| **s <= 0.0).map(|(p, _)| bit(p)).sum();
        if out == 0 { Some(&self.whole) } else { self.shortened.get(&out) }
    }

    /// Length of the cycle that these stage lengths make; `None` where a stage is left out that may not be.
    pub(crate) fn cycle_s(&self, splits_s: &[u32]) -> Option<f64> {
        let exact: Vec<f64> = splits_s.iter().map(|s| f64::from(*s)).collect();
        self.shape(&exact).map(|shape| exact.iter().sum::<f64>() + shape.clearance_s)
    }

    /// The same stage lengths with stages left out, in every way that the database allows.
    pub(crate) fn shortenings(&self, splits_s: &[u32], may_go: &[bool]) -> Vec<Vec<u32>> {
        let open: Stages = may_go.iter().enumerate().filter(|(_, may)| **may).map(|(p, _)| bit(p)).sum();
        let without =
            |out: &Stages| splits_s.iter().enumerate().map(|(p, s)| if out & bit(p) == 0 { *s } else { 0 }).collect();
        self.shortened.keys().filter(|out| **out & !open == 0).map(without).collect()
    }

    /// True when a lane has any green in a step.
    pub(crate) fn is_green(&self, shape: &Shape, step: usize, lane: usize) -> bool {
        let shows = &shape.steps[step].shows;
        self.lanes[lane].ways.iter().any(|w| shows[w.group.index()].is_green())
    }

    /// What each lane can pass in each step, permissive turns against the given flows and stage lengths.
    pub(crate) fn service(&self, demand: &Demand, splits_s: &[f64]) -> Service {
        let shape = self.shape(splits_s).unwrap_or(&self.whole).clone();
        let lengths_s = shape.lengths_s(splits_s);
        let cycle_s: f64 = lengths_s.iter().sum();
        let mut rate_vps = Vec::with_capacity(shape.steps.len());
        let mut extra_veh = Vec::with_capacity(shape.steps.len());
        let mut stage = shape.steps.iter().rev().find_map(|s| s.stage).unwrap_or(0);
        for (s, step) in shape.steps.iter().enumerate() {
            stage = step.stage.unwrap_or(stage);
            rate_vps.push(
                (0..self.lanes.len())
                    .map(|l| {
                        let rate = self.lane_rate(&shape, s, l, &demand.flow_vps, &lengths_s, cycle_s);
                        let rate = rate * self.lanes[l].discharge[stage].factor();
                        // Whoever is held for long is held by a turn that finds no gap: only protection helps.
                        if self.is_protected(&shape, s, l) { rate } else { rate / demand.weight[l].max(1.0) }
                    })
                    .collect(),
            );
            extra_veh.push((0..self.lanes.len()).map(|l| self.lane_extra(&shape, s, l)).collect());
        }
        Service { shape, rate_vps, extra_veh }
    }

    /// Every way of the lane has the right of way.
    fn is_protected(&self, shape: &Shape, step: usize, lane: usize) -> bool {
        let shows = &shape.steps[step].shows;
        self.lanes[lane].ways.iter().all(|w| shows[w.group.index()] == Indication::Protected)
    }

    /// Learns from vehicles that passed under a queue for `seconds` in a stage, the stages being `splits_s` long.
    pub(crate) fn learn(
        &mut self,
        stage: usize,
        lane: usize,
        count: u32,
        seconds: f64,
        flow_vps: &[f64],
        splits_s: &[f64],
    ) {
        let shape = self.shape(splits_s).unwrap_or(&self.whole).clone();
        let Some(step) = shape.steps.iter().position(|s| s.stage == Some(stage)) else { return };
        let lengths_s = shape.lengths_s(splits_s);
        let cycle_s: f64 = lengths_s.iter().sum();
        let predicted_veh = self.lane_rate(&shape, step, lane, flow_vps, &lengths_s, cycle_s) * seconds;
        if predicted_veh > 0.0 {
            self.lanes[lane].discharge[stage].learn(f64::from(count), predicted_veh);
        }
    }

    fn lane_rate(
        &self,
        shape: &Shape,
        step: usize,
        lane: usize,
        flow_vps: &[f64],
        lengths_s: &[f64],
        cycle_s: f64,
    ) -> f64 {
        let shows = &shape.steps[step].shows;
        let rate = |w: &Way| match shows[w.group.index()] {
            Indication::Protected => w.saturation_vps,
            Indication::Permissive => self.permissive_vps(w, shape, step, flow_vps, lengths_s, cycle_s),
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
    fn permissive_vps(
        &self,
        way: &Way,
        shape: &Shape,
        step: usize,
        flow_vps: &[f64],
        lengths_s: &[f64],
        cycle_s: f64,
    ) -> f64 {
        let mut opposing_vps = 0.0;
        let mut discharging: f64 = 0.0;
        for (k, other) in self.lanes.iter().enumerate() {
            let share: f64 = other
                .ways
                .iter()
                .filter(|o| way.yields_to.contains(&o.group) && shape.steps[step].shows[o.group.index()].is_green())
                .map(|o| o.share)
                .sum();
            if share <= 0.0 {
                continue;
            }
            opposing_vps += flow_vps[k] * share;
            let saturation_vps = other.ways.iter().map(|o| o.saturation_vps).fold(0.0, f64::max);
            let green_s: f64 = (0..lengths_s.len())
                .filter(|s| self.is_green(shape, *s, k))
                .map(|s| lengths_s[s])
                .sum::<f64>()
                .max(1.0);
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
    fn lane_extra(&self, shape: &Shape, step: usize, lane: usize) -> f64 {
        let before = &shape.steps[(step + shape.steps.len() - 1) % shape.steps.len()].shows;
        let shows = &shape.steps[step].shows;
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
        let lengths_s = service.shape.lengths_s(splits_s);
        (0..self.lanes.len())
            .map(|l| {
                let passed: f64 =
                    (0..lengths_s.len()).map(|s| service.rate_vps[s][l] * lengths_s[s] + service.extra_veh[s][l]).sum();
                (passed - self.start_up_veh(service, l)).max(0.0)
            })
            .collect()
    }

    /// Vehicles lost to start-up in each cycle: once for every time the lane turns from red to green.
    pub(crate) fn start_up_veh(&self, service: &Service, lane: usize) -> f64 {
        let shape = &service.shape;
        let n = shape.steps.len();
        (0..n)
            .filter(|&s| self.is_green(shape, s, lane) && !self.is_green(shape, (s + n - 1) % n, lane))
            .map(|s| service.rate_vps[s][lane] * START_UP_S)
            .sum()
    }
}

impl Shape {
    fn whole(controller: &Controller) -> Self {
        let mut stages = 0;
        let steps = controller
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
        Self { steps, clearance_s: controller.program.clearance_total().seconds() }
    }

    fn of(course: Vec<TimedStep>, minima: &[Ds]) -> Self {
        let clearance_s = course.iter().filter(|s| s.stage.is_none()).map(|s| s.length.seconds()).sum();
        let least = |s: &TimedStep| s.stage.map_or(s.length, |p| minima[p]).seconds();
        let steps =
            course.into_iter().map(|s| ModelStep { stage: s.stage, least_s: least(&s), shows: s.shows }).collect();
        Self { steps, clearance_s }
    }

    /// Length of every step, seconds, for these stage lengths.
    pub(crate) fn lengths_s(&self, splits_s: &[f64]) -> Vec<f64> {
        self.steps.iter().map(|s| s.stage.map_or(s.least_s, |p| splits_s[p])).collect()
    }
}

fn bit(stage: usize) -> Stages {
    1u64.checked_shl(stage as u32).unwrap_or(0)
}

/// Weight of a lane by how long a vehicle has been held at its line, seconds.
fn patience(held_s: f64) -> f64 {
    1.0 + ((held_s - HELD_LONG_S) / HELD_LONG_S).clamp(0.0, HELD_WEIGHT_MAX)
}

/// Share of a lane's room that vehicles are expected in: room for those who may come costs others no more than these.
fn expected(e: &LaneEstimate) -> f64 {
    if e.room_vph > e.flow_vph { (e.flow_vph / e.room_vph).max(EXPECTED_SHARE_MIN) } else { 1.0 }
}

/// The cycles that may leave stages out: every group stays green in a kept stage, a lane of its own for a turn that is
/// otherwise only permissive keeps its protected stage, and the clearances made anew pass the validator.
fn shortened(controller: &Controller, whole: &Shape, lanes: &[JunctionLane]) -> BTreeMap<Stages, Arc<Shape>> {
    let stages = controller.program.stage_count();
    let minima = controller.program.min_splits();
    let free: Vec<usize> = (0..stages.min(Stages::BITS as usize)).filter(|&p| may_go(whole, lanes, bit(p))).collect();
    let mut sets: Vec<Stages> = vec![0];
    for p in free {
        let with: Vec<Stages> = sets.iter().map(|s| s | bit(p)).collect();
        sets.extend(with.into_iter().filter(|&s| may_go(whole, lanes, s)));
        sets.truncate(SHAPES_MAX);
    }
    let mut out = BTreeMap::new();
    for set in sets.into_iter().filter(|s| *s != 0) {
        let Some(splits) = long_splits(controller, set) else { continue };
        let Ok(course) = controller.program.course(&controller.groups, &controller.conflicts, &splits) else {
            continue;
        };
        if is_safe(controller, &splits) {
            out.insert(set, Arc::new(Shape::of(course, &minima)));
        }
    }
    out
}

/// Every lane that has green in a stage left out has green in one that is kept.
fn may_go(whole: &Shape, lanes: &[JunctionLane], out: Stages) -> bool {
    let kept = |p: usize| out & bit(p) == 0;
    let shows = |s: &ModelStep, lane: &JunctionLane, what: fn(Indication) -> bool| {
        lane.ways.iter().any(|w| what(s.shows[w.group.index()]))
    };
    let stages = || whole.steps.iter().filter_map(|s| s.stage.map(|p| (p, s)));
    lanes.iter().all(|lane| {
        let loses = stages().any(|(p, s)| !kept(p) && shows(s, lane, Indication::is_green));
        !loses || stages().any(|(p, s)| kept(p) && shows(s, lane, Indication::is_green))
    })
}

/// Stage lengths with some left out and the others long enough for any minimum.
fn long_splits(controller: &Controller, out: Stages) -> Option<Vec<Ds>> {
    let program = &controller.program;
    let mut splits: Vec<Ds> =
        program.shipped_splits().into_iter().map(|s| s.max(controller.limits.cycle_min)).collect();
    for (p, split) in splits.iter_mut().enumerate() {
        if out & bit(p) != 0 {
            *split = Ds::ZERO;
        }
    }
    while splits.iter().copied().sum::<Ds>() + program.clearance_total() > controller.limits.cycle_max {
        let longest = splits.iter_mut().max()?;
        if longest.0 <= 50 {
            return None;
        }
        *longest = *longest - Ds(10);
    }
    Some(splits)
}

/// True when the validator lets the plan of these stage lengths pass.
fn is_safe(controller: &Controller, splits: &[Ds]) -> bool {
    let policy = Policy { cycle_min: Ds(1), ..Policy::default() };
    controller
        .program
        .compile(&controller.groups, &controller.conflicts, splits, Ds::ZERO)
        .is_ok_and(|plan| validate_plan(plan, controller, &policy).is_ok())
}
