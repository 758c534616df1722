//! All junctions of a network at once.

use greenkerb_models::detection::Picture;
use greenkerb_models::ids::{ConnectionId, ControllerId, StageId};
use greenkerb_models::network::Network;
use greenkerb_models::signal::{Schedule, ScheduledStage};
use greenkerb_models::units::{Ds, TimeDs};

use super::exchange::{Exit, Feed, Outflow, Sights, add_fed, exits, feeds, rooms};
use super::model::Model;
use super::playout::{Manner, Scene, State};
use super::search::{Effort, Found, Start, lanes_now, search};
use super::traffic::{Shares, Traffic, learn_shares, sort};
use crate::estimation::prior_shares;
use crate::safety::Policy;
use crate::signals::Budget;

/// Movement shares follow what is seen at this pace, per vehicle and picture.
const SHARE_PACE: f64 = 0.002;
/// How many vehicles take which way follows what is seen at this pace, per step.
const WEIGHT_PACE: f64 = 1.0 / 300.0;
/// Who is to reach the line later than this has not passed its advance loop yet, deciseconds.
const UNSEEN_FROM_DS: i32 = 60;
/// So long it is remembered who was to cross a line, deciseconds.
const KEPT_DS: i64 = 600;
/// A group of which nothing is known was green last so long before the stage that is shown first.
const UNKNOWN_RED: Ds = Ds::from_s(60);
/// A schedule that would keep a group red for too long is cut short before that, but not shorter than this.
const SHORTEST: Ds = Ds::from_s(25);

/// What a controller shows and has been promised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Running {
    /// The controller.
    pub controller: ControllerId,
    /// The stage that is green now, or the last that was, then what has been promised; never empty. All but the last end
    /// when they say; the last ends at `frozen_until` or later.
    pub stages: Vec<ScheduledStage>,
    /// Nothing before this instant can be changed any more.
    pub frozen_until: TimeDs,
}

/// What is to be done at a controller, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    /// The controller.
    pub controller: ControllerId,
    /// What it is to show. Begins with the stages of [`Running`].
    pub schedule: Schedule,
    /// What is expected within the horizon: waiting, and what weighs like it, in vehicle-seconds.
    pub expected_wait_s: f64,
    /// Why, in a sentence.
    pub reason: String,
    /// Who is expected to cross the line, and when.
    pub crossings: Vec<(ConnectionId, TimeDs)>,
}

/// What is kept about one junction.
#[derive(Debug)]
struct Junction {
    shares: Shares,
    /// Vehicles of each way that are seen on average of late.
    weights: Vec<f64>,
    /// When each group was green last, where that is known.
    green_at: Vec<Option<TimeDs>>,
    feeds: Vec<Feed>,
    exits: Vec<Option<Exit>>,
    /// Who is to cross, as planned last, and who was to of late.
    outflow: Outflow,
    /// Its vehicles are presumed, not seen.
    presumed: bool,
}

/// Plans for the junctions of a network.
#[derive(Debug)]
pub struct Planner {
    models: Vec<Model>,
    junctions: Vec<Junction>,
    /// What was seen last, by controller.
    pictures: Vec<Option<Picture>>,
    /// How vehicles discharge.
    pub manner: Manner,
    /// How much is searched.
    pub effort: Effort,
}

impl Planner {
    /// A planner that has seen nothing yet. It keeps to the longest reds of `policy`.
    #[must_use]
    pub fn new(network: &Network, policy: &Policy) -> Self {
        let prior = prior_shares(network);
        let ids = (0..network.controllers().len()).map(ControllerId::at);
        let models: Vec<Model> = ids.map(|id| Model::of(network, id, policy)).collect();
        let sights = Sights::of(network, &models);
        let feeds = feeds(&models, &sights);
        let junction = |(model, feeds): (&Model, Vec<Feed>)| {
            let mut shares: Shares = model.ways.iter().map(|w| prior[w.connection.index()]).collect();
            for lane in &model.lanes {
                let sum: f64 = lane.ways.iter().map(|w| shares[*w]).sum();
                lane.ways.iter().for_each(|w| shares[*w] /= sum.max(1e-9));
            }
            Junction {
                weights: shares.clone(),
                shares,
                green_at: vec![None; model.max_red_ds.len()],
                feeds,
                exits: exits(model, &models, &sights),
                outflow: Outflow::new(),
                presumed: false,
            }
        };
        let junctions = models.iter().zip(feeds).map(junction).collect();
        let pictures = vec![None; models.len()];
        Self { models, junctions, pictures, manner: Manner::default(), effort: Effort::default() }
    }

    /// Takes what is seen at a junction; it takes the place of what was seen there before, unless it is older.
    pub fn see(&mut self, picture: Picture) {
        let at = picture.controller.index();
        if self.pictures[at].as_ref().is_none_or(|known| known.at <= picture.at) {
            learn_shares(&self.models[at], &picture, &mut self.junctions[at].shares, SHARE_PACE);
            self.junctions[at].presumed = false;
            self.pictures[at] = Some(picture);
        }
    }

    /// Takes what loops let presume of a junction, where nobody sees it. What is on its way between two junctions' loops is
    /// then known from what the one before let go.
    pub fn presume(&mut self, picture: Picture) {
        let at = picture.controller.index();
        self.junctions[at].presumed = true;
        self.pictures[at] = Some(picture);
    }

    /// Vehicles go these ways from now on, at junctions that nobody sees: shares by connection of the network.
    pub fn turn(&mut self, way_shares: &[f64]) {
        for (model, junction) in self.models.iter().zip(&mut self.junctions).filter(|(_, j)| j.presumed) {
            for lane in &model.lanes {
                let sum: f64 = lane.ways.iter().map(|w| way_shares[model.ways[*w].connection.index()]).sum();
                for w in &lane.ways {
                    junction.shares[*w] = way_shares[model.ways[*w].connection.index()] / sum.max(1e-9);
                }
            }
        }
    }

    /// Takes note of when each group of a controller was green last, where others know it better.
    pub fn recall(&mut self, controller: ControllerId, green_at: &[TimeDs]) {
        for (known, at) in self.junctions[controller.index()].green_at.iter_mut().zip(green_at) {
            *known = (*known).max(Some(*at));
        }
    }

    /// Schedules for all the given controllers from `now` on, in their order. What each lets go by the plan made for it
    /// last is what the next one is told of. Once nothing is left of the budget, the simple rule decides for the rest.
    pub fn plan(&mut self, now: TimeDs, running: &[Running], budget: &dyn Budget) -> Vec<Planned> {
        running.iter().map(|r| self.plan_one(now, r, budget)).collect()
    }

    fn plan_one(&mut self, now: TimeDs, running: &Running, budget: &dyn Budget) -> Planned {
        let i = running.controller.index();
        let model = &self.models[i];
        let mut traffic = match &self.pictures[i] {
            Some(picture) => sort(model, picture, &self.junctions[i].shares, self.manner.slow),
            None => Traffic::none(model.lanes.len()),
        };
        self.junctions[i].note(model, &traffic, now, running);
        let junction = &self.junctions[i];
        let outflow = |k: usize| &self.junctions[k].outflow;
        let unseen_from_ds = if junction.presumed { Some(UNSEEN_FROM_DS) } else { None };
        add_fed(model, &mut traffic, &junction.feeds, outflow, &junction.weights, (now, unseen_from_ds));
        let rooms = rooms(&junction.exits, &self.models, &self.pictures, outflow, now);
        let scene = Scene { model, traffic: &traffic, manner: &self.manner, rooms: &rooms };
        let start = junction.start(&scene, now, running);
        let effort = if budget.exhausted() { self.effort.rule_alone() } else { self.effort.clone() };
        let found = search(&scene, &start, &effort);
        budget.spend(found.work);
        let at = |ds: i32| TimeDs(now.0 + i64::from(ds));
        let planned = planned(model, junction, now, running, &found, &effort);
        let outflow = &mut self.junctions[i].outflow;
        outflow.retain(|(_, at)| *at < now && now.since(*at) < KEPT_DS);
        outflow.extend(found.crossings.iter().map(|c| (c.way, at(c.at_ds))));
        planned
    }
}

impl Junction {
    /// Takes note of who was green and who is seen.
    fn note(&mut self, model: &Model, traffic: &Traffic, now: TimeDs, running: &Running) {
        // Once and for all: a red of unknown length grows like any other.
        let unknown = running.stages[0].start.min(now) - UNKNOWN_RED;
        self.green_at.iter_mut().for_each(|at| *at = at.or(Some(unknown)));
        for s in running.stages.iter().filter(|s| s.start <= now) {
            let until = s.end.min(now);
            for &g in &model.stages[s.stage.index()].groups {
                self.green_at[g] = self.green_at[g].max(Some(until));
            }
        }
        let mut seen = vec![0.0; model.ways.len()];
        traffic.lanes.iter().flatten().for_each(|v| seen[v.way as usize] += 1.0);
        for (weight, seen) in self.weights.iter_mut().zip(seen) {
            *weight += (seen - *weight) * WEIGHT_PACE;
        }
    }

    /// What is bound to happen, played up to the last stage that is promised.
    fn start(&self, scene: &Scene<'_>, now: TimeDs, running: &Running) -> Start {
        let ds = |t: TimeDs| t.since(now).clamp(-100_000, 100_000) as i32;
        let model = scene.model;
        let first = running.stages[0];
        let (mut shown, mut since) = (first.stage.index(), ds(first.start));
        let mut state = State {
            lanes: lanes_now(scene, shown, since),
            cost: 0,
            entered: vec![0; model.ways.len()],
            green_ds: self.green_at.iter().map(|at| at.map_or(0, ds)).collect(),
            since_ds: vec![i32::MIN / 4; self.green_at.len()],
        };
        model.stages[shown].groups.iter().for_each(|g| state.since_ds[*g] = since);
        let mut at = since.max(0);
        for pair in running.stages.windows(2) {
            let (ends, to) = (ds(pair[0].end), pair[1].stage.index());
            if ends >= at {
                scene.run(&mut state, &model.stages[shown].row, (at, ends), &mut None);
            }
            at = scene.switch(&mut state, (shown, to), ends.max(at - model.change(shown, to).length_ds), &mut None);
            (shown, since) = (to, ds(pair[1].start));
        }
        Start { state, stage: shown, since_ds: since, bound_ds: ds(running.frozen_until).max(0) }
    }

    /// When the first group will have been red for too long, if the stages are shown as they are planned.
    fn too_late(&self, model: &Model, stages: &[ScheduledStage]) -> Option<TimeDs> {
        let group = |g: usize| {
            let max = model.max_red_ds[g]?;
            let mut green = self.green_at[g];
            for s in stages.iter().filter(|s| model.stages[s.stage.index()].groups.contains(&g)) {
                if green.is_some_and(|at| s.start.since(at) > i64::from(max)) {
                    break;
                }
                green = green.max(Some(s.end));
            }
            green.map(|at| at + Ds(max.unsigned_abs()))
        };
        (0..self.green_at.len()).filter_map(group).min()
    }
}

/// What was found, as a schedule that begins with what is promised.
fn planned(
    model: &Model,
    junction: &Junction,
    now: TimeDs,
    running: &Running,
    found: &Found,
    effort: &Effort,
) -> Planned {
    let at = |ds: i32| TimeDs(now.0 + i64::from(ds));
    // Even a stage that is left at once has been green for a moment.
    let moment = |s: &ScheduledStage| s.start + Ds::from_s(1);
    let mut stages = running.stages.clone();
    for (i, leg) in found.legs.iter().enumerate() {
        if i == 0 {
            if let Some(last) = stages.last_mut() {
                last.end = at(leg.ends_ds).max(running.frozen_until).max(moment(last));
            }
        } else if leg.starts_ds < effort.horizon_ds {
            let stage = StageId(leg.stage as u32);
            stages.push(ScheduledStage { stage, start: at(leg.starts_ds), end: at(leg.ends_ds) });
        }
    }
    let end = junction.too_late(model, &stages).map(|late| late.max(now + SHORTEST).max(running.frozen_until));
    if let Some(end) = end {
        let kept = stages.iter().take_while(|s| moment(s) <= end).count().max(running.stages.len());
        stages.truncate(kept);
        if let Some(last) = stages.last_mut() {
            last.end = last.end.min(end.max(moment(last)));
        }
    }
    if let Some(last) = stages.last_mut() {
        last.end = last.end.max(moment(last));
    }
    Planned {
        controller: running.controller,
        schedule: Schedule { stages, frozen_until: running.frozen_until },
        expected_wait_s: found.cost as f64 / 10.0,
        reason: found.reason(effort),
        crossings: found.crossings.iter().map(|c| (model.ways[c.way as usize].connection, at(c.at_ds))).collect(),
    }
}
