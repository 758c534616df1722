//! The signal optimizer: observations in, validated plans out, driven by the data's clock alone.

use std::sync::Arc;

use greenkerb_models::detection::{Observation, Picture};
use greenkerb_models::ids::ControllerId;
use greenkerb_models::network::Network;
use greenkerb_models::plan::{Fallback, PlanDiff, PublishedPlan, Reason, ReasonKind, Revision};
use greenkerb_models::signal::{Controller, PlanView, TimingPlan};
use greenkerb_models::units::{Ds, TimeDs};

use crate::estimation::{DetectorStatus, Estimator, Shown, Timeliness, prior_shares};
use crate::safety::{Heard, Publication, Refusals, Validated, validate_group, validate_publication};
use crate::schedule::Planner;

use super::budget::{Budget, Share};
use super::charge::{Charge, may_start, passing, scheduled_stage, settled_stage, whole_splits};
use super::coordination::{Candidate, Group, form, streams};
use super::feeds::{Feed, feeds};
use super::fluid::Arrivals;
use super::isolated::{self, Case, Decision, Method};
use super::junction::{Demand, Junction};
use super::max_pressure::{Onward, fill};
use super::offsets::{Member, fed};
use super::refine::Bounds;
use super::report::{ControllerState, GroupReport, NetworkState, StepOutcome};
use super::settings::{Mode, Settings};
use super::splits::{self, GroupJunction, split_plan};
use super::word::Said;

/// A group whose best cycle has moved by no more than this keeps the one it has.
const CYCLE_KEPT_S: u32 = 6;

/// Moves of a whole group's offsets that are tried so that all its members get into step.
const SHIFTS: u32 = 8;

/// Seconds the second-by-second model looks ahead.
const HORIZON_S: usize = 120;

/// A coordination group at work.
#[derive(Debug)]
struct Running {
    group: Group,
    /// Stage lengths that the group's linear program asks for, by member, and until when they are fresh.
    asked: Option<(TimeDs, Vec<Vec<f64>>)>,
}

/// Retimes the signals of a network.
#[derive(Debug)]
pub struct SignalOptimizer {
    pub(super) network: Arc<Network>,
    pub(super) settings: Settings,
    pub(super) estimator: Estimator,
    pub(super) charges: Vec<Charge>,
    /// How each controller is timed.
    pub(super) modes: Vec<Mode>,
    /// Where any controller runs schedules.
    pub(super) planner: Option<Planner>,
    /// Controller and lane number in its model, per lane of the network.
    lane_of: Vec<Option<(usize, usize)>>,
    feeds: Vec<Feed>,
    groups: Vec<Running>,
    /// When groups were last formed, or first could have been.
    regrouped: Option<TimeDs>,
    now: Option<TimeDs>,
    /// Time between the last two steps.
    cadence: Ds,
}

impl SignalOptimizer {
    /// An optimizer that knows nothing but the network.
    #[must_use]
    pub fn new(network: Arc<Network>, settings: Settings) -> Self {
        let charges = (0..network.controllers().len())
            .map(|i| {
                let id = ControllerId::at(i);
                Charge::new(network.controller(id), Junction::new(&network, id), settings.policy.transition)
            })
            .collect::<Vec<_>>();
        let mode = |c: &Controller| match settings.mode_of(&c.name) {
            // Of one stage there is nothing to schedule.
            Mode::Schedule if c.program.stages().count() < 2 => Mode::Fixed,
            mode => mode,
        };
        let modes: Vec<Mode> = network.controllers().iter().map(mode).collect();
        let planner = modes.contains(&Mode::Schedule).then(|| Planner::new(&network, &settings.policy));
        let mut lane_of = vec![None; network.lanes().len()];
        for (i, charge) in charges.iter().enumerate() {
            let charge: &Charge = charge;
            for (l, lane) in charge.junction.lanes.iter().enumerate() {
                lane_of[lane.lane.index()] = Some((i, l));
            }
        }
        Self {
            feeds: feeds(&network, &lane_of, &prior_shares(&network)),
            groups: Vec::new(),
            regrouped: None,
            lane_of,
            estimator: Estimator::new(network.clone()),
            modes,
            planner,
            network,
            settings,
            charges,
            now: None,
            cadence: Ds(10),
        }
    }

    /// Takes up plans that were in force before a restart.
    pub fn restore(&mut self, last: Vec<Validated<PublishedPlan>>) {
        for plan in last {
            let Some(id) = self.network.controller_named(&plan.get().controller) else { continue };
            self.charges[id.index()].restore(self.network.controller(id), plan);
        }
    }

    /// Takes note of what a controller says about a revision, at an instant on its own clock.
    pub fn hear(&mut self, controller: &str, said: Said, at: TimeDs) {
        let Some(id) = self.network.controller_named(controller) else { return };
        self.charges[id.index()].hear(self.network.controller(id), said, at, self.now);
    }

    /// Revisions up to this one of a controller were published before, whether or not their plans are still known.
    pub fn spend(&mut self, controller: &str, revision: u64) {
        if let Some(id) = self.network.controller_named(controller) {
            let charge = &mut self.charges[id.index()];
            charge.spent = charge.spent.max(revision);
        }
    }

    /// Publishes the time-of-day plan of every controller that has nothing published yet.
    pub fn start(&mut self, now: TimeDs) -> StepOutcome {
        let mut outcome = StepOutcome::default();
        for i in 0..self.charges.len() {
            if self.charges[i].published.is_none() {
                let plan = self.network.controller(ControllerId::at(i)).time_of_day_plan();
                let reasons =
                    vec![reason(ReasonKind::Kept, "the controller's own time-of-day plan, until there is data", None)];
                let boundary = self.boundary(i, now);
                match self.judge_beside_group(i, plan, reasons, boundary, now) {
                    Ok(plan) => self.commit(i, plan, &mut outcome),
                    Err(refusals) => outcome.refused.push((ControllerId::at(i), refusals)),
                }
            }
        }
        outcome
    }

    /// Takes one observation.
    pub fn observe(&mut self, o: Observation) -> Timeliness {
        self.estimator.observe(&o)
    }

    /// Takes what is seen at a junction, be it by cameras or by what loops let guess. It counts where the controller runs
    /// schedules.
    pub fn see(&mut self, picture: Picture) {
        let i = picture.controller.index();
        if let Some(planner) = &mut self.planner
            && self.modes.get(i) == Some(&Mode::Schedule)
        {
            let seen = &mut self.charges[i].rolling.seen;
            *seen = (*seen).max(Some(picture.at));
            planner.see(picture);
        }
    }

    /// Advances to `now` on the data's clock and decides whatever is due. A time before the last one changes nothing.
    pub fn advance(&mut self, now: TimeDs, budget: &dyn Budget) -> StepOutcome {
        let mut outcome = StepOutcome::default();
        let last = self.now;
        if let Some(last) = last {
            if now <= last {
                return outcome;
            }
            self.cadence = Ds(now.since(last).clamp(1, 600) as u32);
        }
        self.now = Some(now);
        let shown = self.shown(last.unwrap_or(now), now);
        self.estimator.advance(now, |lane| shown[lane.index()]);
        self.learn_discharge();
        for i in 0..self.charges.len() {
            let controller = self.network.controller(ControllerId::at(i));
            let charge = &mut self.charges[i];
            charge.doubt(now, self.settings.acknowledged_within);
            charge.timeline.expire(controller, now);
            charge.timeline.forget(now - Ds::from_s(600));
        }
        self.schedule(now, budget, &mut outcome);
        let fresh = self.estimator.feed_now().is_some_and(|f| now.since(f) <= i64::from(self.settings.feed_timeout.0));
        if !fresh {
            return outcome;
        }
        self.decide_due(now, budget, &mut outcome);
        let last = *self.regrouped.get_or_insert(now);
        if now.since(last) >= i64::from(self.settings.regroup_every.0) {
            self.regrouped = Some(now);
            self.regroup(now, budget, &mut outcome);
        }
        outcome
    }

    /// Decides for every controller that is due, the most urgent first; each has a share of what is left.
    fn decide_due(&mut self, now: TimeDs, budget: &dyn Budget, outcome: &mut StepOutcome) {
        let mut due: Vec<(TimeDs, usize)> =
            (0..self.charges.len()).filter_map(|i| Some((self.due(i, now)?, i))).collect();
        due.sort_unstable();
        for (k, &(boundary, i)) in due.iter().enumerate() {
            let parts = self.parts(i, now);
            let others: u64 = due[k + 1..].iter().map(|(_, j)| self.parts(*j, now)).sum();
            let share = Share::of(budget, (parts, parts + others));
            self.decide(i, boundary, now, &share, outcome);
        }
    }

    /// Parts of the budget for a controller: one, and one more for each member of its group if that has to be asked anew.
    fn parts(&self, i: usize, now: TimeDs) -> u64 {
        let stale = |g: usize| self.groups[g].asked.as_ref().is_none_or(|(until, _)| now >= *until);
        match self.place(i) {
            Some((g, _)) if stale(g) => 1 + self.groups[g].group.members.len() as u64,
            _ => 1,
        }
    }

    /// Forms coordination groups from the flows of late, and takes those up that are new.
    fn regroup(&mut self, now: TimeDs, budget: &dyn Budget, outcome: &mut StepOutcome) {
        self.estimator.estimate_ways(now, budget);
        for charge in &mut self.charges {
            charge.junction.turn(self.estimator.way_shares());
        }
        if let Some(planner) = &mut self.planner {
            planner.turn(self.estimator.way_shares());
        }
        self.feeds = feeds(&self.network, &self.lane_of, self.estimator.way_shares());
        let candidates: Vec<Candidate<'_>> = (0..self.charges.len()).map(|i| self.candidate(i, now)).collect();
        // Only streams between controllers with cycles make groups.
        let cyclic = |i: usize| self.modes[i] == Mode::Cycle;
        let feeds: Vec<Feed> = self.feeds.iter().filter(|f| cyclic(f.from.0) && cyclic(f.to.0)).cloned().collect();
        let Some(formed) = form(&candidates, &feeds, self.settings.coordination_gain_min, budget) else { return };
        let before = std::mem::take(&mut self.groups);
        for group in formed {
            // The same controllers at nearly the same cycle stay as they are: every change of offset costs them.
            let same = |r: &&Running| {
                r.group.members == group.members && r.group.cycle_s.abs_diff(group.cycle_s) <= CYCLE_KEPT_S
            };
            match before.iter().find(same) {
                Some(kept) => self.groups.push(Running { group: kept.group.clone(), asked: None }),
                None => self.take_up(group, now, budget, outcome),
            }
        }
    }

    /// A controller as the forming of groups sees it: with its flows, without its queues, at liberty.
    fn candidate(&self, i: usize, now: TimeDs) -> Candidate<'_> {
        let charge = &self.charges[i];
        let mut demand = charge.junction.demand(&self.estimator);
        demand.queue_veh.fill(0.0);
        demand.weight.fill(1.0);
        let controller = self.network.controller(ControllerId::at(i));
        let policy = &self.settings.policy;
        let low = controller.limits.cycle_min.max(policy.cycle_min).seconds();
        let high = controller.limits.cycle_max.min(policy.cycle_max).min(policy.max_red).seconds();
        let minima = controller.program.min_splits();
        let bounds = Bounds {
            stages_s: minima.iter().map(|min| (min.0.div_ceil(10), (high as u32).max(min.0.div_ceil(10)))).collect(),
            may_go: charge.junction.omittable.clone(),
            may_start: vec![true; minima.len()],
            cycle_s: (low, high.max(low)),
        };
        Candidate { junction: &charge.junction, demand, running_s: whole_splits(charge.timeline.plan_at(now)), bounds }
    }

    /// Brings all members of a new group into step at once, or none of them. What matters within a group is how far its
    /// cycles are apart, so all of them may be moved together to where every member finds a way into step.
    fn take_up(&mut self, mut group: Group, now: TimeDs, budget: &dyn Budget, outcome: &mut StepOutcome) {
        let Some(decided) = self.decide_together(&group, now, budget) else { return };
        let offsets_s = group.offsets_s.clone();
        for k in 0..SHIFTS {
            let by_s = group.cycle_s * k / SHIFTS;
            group.offsets_s = offsets_s.iter().map(|o| (o + by_s) % group.cycle_s.max(1)).collect();
            let Some(plans) = self.in_step(&group, &decided, now) else { continue };
            for (i, boundary, plan) in plans {
                self.charges[i].decided = Some(boundary);
                self.commit(i, plan, outcome);
            }
            self.groups.push(Running { group, asked: None });
            return;
        }
    }

    /// Stage lengths of every member of a group at its cycle, and the cycle start at which each changes.
    fn decide_together(&self, group: &Group, now: TimeDs, budget: &dyn Budget) -> Option<Vec<(TimeDs, Vec<u32>)>> {
        let mut decided = Vec::new();
        for &i in &group.members {
            let boundary = self.boundary(i, now);
            let running = self.charges[i].timeline.plan_at(boundary - Ds(1));
            let running_s = whole_splits(running);
            let demand = self.demand_at(i, boundary, now);
            let cycle_s = Bounds::set_cycle_s(group.cycle_s);
            let bounds = self.bounds(i, &running_s, running.cycle.seconds())?;
            if group.cycle_s as f64 > bounds.cycle_s.1 || cycle_s.0 < bounds.cycle_s.0 {
                return None;
            }
            let case = Case {
                junction: &self.charges[i].junction,
                demand: &demand,
                arrivals: &Arrivals::uniform(&demand, HORIZON_S),
                running_s: &running_s,
                bounds: &Bounds { cycle_s, ..bounds },
                onward: &self.onward(i),
                // Whether there is a way into step depends on the offset, and is seen when all lengths are known.
                legal: &|_| true,
            };
            decided.push((boundary, isolated::decide(&case, 1, budget).splits_s));
        }
        Some(decided)
    }

    /// The plans of all members of a group; `None` where the validator would not let one of them pass.
    #[allow(clippy::type_complexity)]
    fn in_step(
        &self,
        group: &Group,
        decided: &[(TimeDs, Vec<u32>)],
        now: TimeDs,
    ) -> Option<Vec<(usize, TimeDs, Validated<PublishedPlan>)>> {
        let mut plans = Vec::new();
        for (k, (&i, (boundary, splits_s))) in group.members.iter().zip(decided).enumerate() {
            let plan = self.compiled(i, splits_s, Some(group.cycle_s), group.offsets_s[k])?;
            let percent = 100.0 * group.gain;
            let text = format!(
                "coordinated with {} others at a cycle of {} s, offset {} s: {percent:.1} % less delay expected",
                group.members.len() - 1,
                group.cycle_s,
                group.offsets_s[k]
            );
            let reasons = vec![reason(ReasonKind::Changed, &text, Some(("group_gain_percent", percent)))];
            plans.push((i, *boundary, self.judge(i, plan, reasons, *boundary, now).ok()?));
        }
        let changing: Vec<&Validated<PublishedPlan>> = plans.iter().map(|p| &p.2).collect();
        validate_group(&changing, &[], &self.settings.policy).ok()?;
        Some(plans)
    }

    /// The plan of these stage lengths; with a set cycle, the longest stage takes the tenths that are left.
    fn compiled(&self, i: usize, splits_s: &[u32], cycle_s: Option<u32>, offset_s: u32) -> Option<TimingPlan> {
        let controller = self.network.controller(ControllerId::at(i));
        let mut splits: Vec<Ds> = splits_s.iter().map(|s| Ds::from_s(*s)).collect();
        let (groups, conflicts) = (&controller.groups, &controller.conflicts);
        let mut plan = controller.program.compile(groups, conflicts, &splits, Ds::ZERO).ok()?;
        if let Some(cycle_s) = cycle_s {
            let left = Ds::from_s(cycle_s).saturating_sub(plan.cycle);
            if left > Ds::ZERO {
                *splits.iter_mut().max()? += left;
                plan = controller.program.compile(groups, conflicts, &splits, Ds::ZERO).ok()?;
            }
        }
        plan.offset = Ds(Ds::from_s(offset_s).0 % plan.cycle.0.max(1));
        Some(plan)
    }

    /// The first cycle start for which a plan can still be published.
    fn boundary(&self, i: usize, now: TimeDs) -> TimeDs {
        let charge = &self.charges[i];
        let earliest = (now + self.settings.lead).max(charge.timeline.settled_from()).max(charge.taken());
        charge.timeline.next_cycle_start(earliest)
    }

    /// The group that a controller is in, and its place there.
    fn place(&self, i: usize) -> Option<(usize, usize)> {
        self.groups.iter().enumerate().find_map(|(g, r)| Some((g, r.group.members.iter().position(|m| *m == i)?)))
    }

    /// What arrives at a member of a group over the horizon: what its neighbours send, in platoons, and the rest evenly.
    fn arrivals(&self, i: usize, demand: &Demand, boundary: TimeDs) -> Arrivals {
        let mut arrivals = Arrivals::uniform(demand, HORIZON_S);
        let Some((g, _)) = self.place(i) else { return arrivals };
        let group = &self.groups[g].group;
        let junction = &self.charges[i].junction;
        // How a lane's service looks does not matter for what is sent to it, so any stage lengths do.
        let own_s: Vec<f64> =
            whole_splits(self.charges[i].timeline.plan_at(boundary)).iter().map(|s| f64::from(*s)).collect();
        for &from in group.members.iter().filter(|m| **m != i) {
            let streams = streams(&self.feeds, from, i);
            if streams.is_empty() {
                continue;
            }
            let charge = &self.charges[from];
            let plan = charge.timeline.plan_at(boundary);
            let sends = charge.junction.demand(&self.estimator);
            let splits_s: Vec<f64> = whole_splits(plan).iter().map(|s| f64::from(*s)).collect();
            let cycle_s = plan.cycle.seconds().round() as usize;
            let a = Member { junction: &charge.junction, demand: &sends, splits_s: &splits_s };
            let b = Member { junction, demand, splits_s: &own_s };
            let fed = fed(a, b, &streams, cycle_s.max(1));
            let difference = plan.position_at(boundary).seconds() as usize;
            for l in 0..junction.lanes.len() {
                if let Some(profile) = fed.arrivals(l, demand.flow_vps[l], difference) {
                    let per_s = &mut arrivals.per_s[l];
                    let uniform = demand.flow_vps[l];
                    per_s
                        .iter_mut()
                        .enumerate()
                        .for_each(|(t, a)| *a = (*a + profile[t % profile.len()] - uniform).max(0.0));
                }
            }
        }
        arrivals
    }

    /// Stage lengths that the linear program over the whole group asks of a member for its next cycle.
    fn asked(&mut self, (g, k): (usize, usize), now: TimeDs, budget: &dyn Budget) -> Option<Vec<f64>> {
        let fresh = self.groups[g].asked.as_ref().is_some_and(|(until, _)| now < *until);
        if !fresh {
            let group = &self.groups[g].group;
            let cycle_s = f64::from(group.cycle_s);
            let mut parts = Vec::new();
            for &i in &group.members {
                let charge = &self.charges[i];
                let demand = self.demand_at(i, self.boundary(i, now), now);
                let running_s = whole_splits(charge.timeline.plan_at(now));
                let bounds = self.bounds(i, &running_s, cycle_s)?;
                let whole: Vec<f64> =
                    running_s.iter().zip(&bounds.stages_s).map(|(s, b)| f64::from((*s).max(b.0))).collect();
                let service = charge.junction.service(&demand, &whole);
                let bounds_s = bounds.stages_s.iter().map(|b| (f64::from(b.0), f64::from(b.1))).collect::<Vec<_>>();
                parts.push((charge, demand, whole, service, bounds_s));
            }
            let members: Vec<GroupJunction<'_>> = parts
                .iter()
                .map(|(charge, demand, whole, service, bounds_s)| GroupJunction {
                    junction: &charge.junction,
                    service,
                    demand,
                    reference_s: fill(whole, bounds_s, cycle_s - service.shape.clearance_s),
                    bounds_s: bounds_s.clone(),
                })
                .collect();
            let feeds = splits::Feed::within(&self.feeds, &group.members, cycle_s);
            let plan = split_plan(&members, &feeds, cycle_s, self.settings.horizon_cycles, budget).ok()?;
            // The members' cycles start within one cycle of each other; half of it later some would be asked twice.
            let until = now + Ds::from_s(group.cycle_s);
            self.groups[g].asked = Some((until, plan.splits_s));
        }
        self.groups[g].asked.as_ref().map(|(_, all)| all[k].clone())
    }

    /// Tells each junction what its lanes passed under a queue, in the step that was shown then.
    fn learn_discharge(&mut self) {
        for passed in self.estimator.take_passed() {
            let Some((i, l)) = self.lane_of[passed.lane.index()] else { continue };
            let charge = &mut self.charges[i];
            let middle = passed.begin + Ds(passed.length.0 / 2);
            let plan = charge.timeline.plan_at(middle);
            let PlanView::Stages { splits } = &plan.view else { continue };
            let splits_s: Vec<f64> = splits.iter().map(|s| s.green.seconds()).collect();
            let stage = match charge.rolling.at(middle) {
                Some(told) => scheduled_stage(&told.whole, &passed),
                None => settled_stage(&charge.junction, plan, &splits_s, &passed, l),
            };
            let Some(stage) = stage else { continue };
            let flow_vps = charge.junction.demand(&self.estimator).flow_vps;
            charge.junction.learn(stage, l, passed.count, passed.length.seconds(), &flow_vps, &splits_s);
        }
    }

    /// The cycle start that has to be decided for now, if there is one: the next step would come too late for it.
    fn due(&self, i: usize, now: TimeDs) -> Option<TimeDs> {
        // One that runs schedules is told its own plan while nothing is seen of it.
        if self.modes[i] == Mode::Schedule && (self.is_seen(i, now) || self.charges[i].rolling.at(now).is_some()) {
            return None;
        }
        let boundary = self.boundary(i, now);
        let waits_until = now + self.settings.lead + self.cadence;
        (boundary < waits_until && self.charges[i].decided != Some(boundary)).then_some(boundary)
    }

    fn decide(&mut self, i: usize, boundary: TimeDs, now: TimeDs, budget: &dyn Budget, outcome: &mut StepOutcome) {
        self.charges[i].decided = Some(boundary);
        if self.modes[i] != Mode::Cycle {
            return self.keep_own(i, boundary, now, outcome);
        }
        let id = ControllerId::at(i);
        let running = self.charges[i].timeline.plan_at(boundary - Ds(1)).clone();
        let running_s = whole_splits(&running);
        let demand = self.demand_at(i, boundary, now);
        let Some(mut bounds) = self.bounds(i, &running_s, running.cycle.seconds()) else { return };
        let place = self.place(i);
        if let Some((g, _)) = place {
            bounds.cycle_s = Bounds::set_cycle_s(self.groups[g].group.cycle_s);
        }
        let asked = place.and_then(|at| self.asked(at, now, budget));
        let case = Case {
            junction: &self.charges[i].junction,
            demand: &demand,
            arrivals: &self.arrivals(i, &demand, boundary),
            running_s: &running_s,
            bounds: &bounds,
            onward: &self.onward(i),
            legal: &|splits_s| {
                let plan = self.proposed(i, splits_s, place, boundary);
                plan.is_some_and(|plan| self.judge(i, plan, Vec::new(), boundary, now).is_ok())
            },
        };
        let decision = match &asked {
            Some(asked) => isolated::decide_from(&case, asked, budget),
            None => isolated::decide(&case, self.settings.horizon_cycles, budget),
        };
        outcome.reports.push(report(id, now, &decision));
        let gain = 1.0 - decision.delay_veh_s / decision.kept_veh_s.max(1e-6);
        let plan = self.proposed(i, &decision.splits_s, place, boundary);
        // Who has fallen out of step with its group comes back into it, whatever the gain.
        let out_of_step =
            |plan: &TimingPlan| place.is_some() && (plan.cycle, plan.offset) != (running.cycle, running.offset);
        let better = decision.splits_s != running_s && gain >= self.settings.gain_min;
        let change = plan.filter(|p| better || out_of_step(p));
        let changed = change.is_some();
        if let Some(plan) = change {
            let reasons = self.reasons(i, &running, &plan, &decision);
            match self.judge_beside_group(i, plan, reasons, boundary, now) {
                Ok(plan) => return self.commit(i, plan, outcome),
                // What was searched for was found to be legal; the way back into the group's step may not be yet.
                Err(refusals) if better => outcome.refused.push((id, refusals)),
                Err(_) => {}
            }
        }
        if self.renewal_is_due(i, now) {
            let percent = gain.max(0.0) * 100.0;
            let text = match changed {
                true => "the plan is kept: the change found is not safe".to_owned(),
                false => format!("the plan is kept: the best change found would bring {percent:.1} %"),
            };
            let reasons = vec![reason(ReasonKind::Kept, &text, Some(("gain_percent", percent)))];
            let plan = self.charges[i].timeline.plan_at(boundary).clone();
            // Where there is no way back later, the plan is left to run out while there is one.
            if let Ok(plan) = self.judge_beside_group(i, plan, reasons, boundary, now) {
                self.commit(i, plan, outcome);
            }
        }
    }

    /// Publishes a controller's own plan, where it runs another or its publication is about to run out.
    fn keep_own(&mut self, i: usize, boundary: TimeDs, now: TimeDs, outcome: &mut StepOutcome) {
        let own = self.network.controller(ControllerId::at(i)).time_of_day_plan();
        if *self.charges[i].timeline.plan_at(boundary - Ds(1)) == own && !self.renewal_is_due(i, now) {
            return;
        }
        let reasons = vec![reason(ReasonKind::Kept, "the controller is timed by its own plan", None)];
        // Where there is no way into it now, what runs is left to run out.
        if let Ok(plan) = self.judge(i, own, reasons, boundary, now) {
            self.commit(i, plan, outcome);
        }
    }

    /// The plan of these stage lengths: in step with the controller's group, or alone from `boundary` on.
    fn proposed(
        &self,
        i: usize,
        splits_s: &[u32],
        place: Option<(usize, usize)>,
        boundary: TimeDs,
    ) -> Option<TimingPlan> {
        match place {
            Some((g, k)) => {
                let group = &self.groups[g].group;
                self.compiled(i, splits_s, Some(group.cycle_s), group.offsets_s[k])
            }
            None => self.compiled(i, splits_s, None, 0).map(|mut plan| {
                plan.offset = Ds(boundary.0.rem_euclid(i64::from(plan.cycle.0.max(1))) as u32);
                plan
            }),
        }
    }

    /// Where the vehicles of each lane of a controller go on to, and what stands there.
    fn onward(&self, i: usize) -> Vec<Vec<Onward>> {
        let mut onward = vec![Vec::new(); self.charges[i].junction.lanes.len()];
        for feed in self.feeds.iter().filter(|f| f.from.0 == i) {
            let lanes = feed.to.1.iter().map(|l| &self.charges[feed.to.0].junction.lanes[*l]);
            let count = feed.to.1.len().max(1) as f64;
            let queue = |lane| self.estimator.lane(lane).map_or(0.0, |e| e.queue_veh);
            onward[feed.from.1].push(Onward {
                share: feed.share,
                queue_veh: lanes.clone().map(|l| queue(l.lane)).sum::<f64>() / count,
                storage_veh: lanes.map(|l| l.storage_veh).sum::<f64>() / count,
            });
        }
        onward
    }

    fn renewal_is_due(&self, i: usize, now: TimeDs) -> bool {
        let charge = &self.charges[i];
        let ends = charge.published.as_ref().map(|p| p.get().valid_until);
        charge.word.waits || ends.is_none_or(|at| at.since(now) < i64::from(self.settings.renew_before.0))
    }

    /// What the signals did to each lane of the network from `last` to `now`.
    fn shown(&self, last: TimeDs, now: TimeDs) -> Vec<Shown> {
        let mut shown = vec![Shown::default(); self.network.lanes().len()];
        for charge in &self.charges {
            let demand = charge.junction.demand(&self.estimator);
            let Some((passing, green)) = passing(charge, &demand, last, now) else { continue };
            for (l, lane) in charge.junction.lanes.iter().enumerate() {
                shown[lane.lane.index()] = Shown { can_pass_veh: passing[l], green: green[l] };
            }
        }
        shown
    }

    /// Demand at the start of the next cycle: the queue now, what still comes and what still goes until then.
    fn demand_at(&self, i: usize, boundary: TimeDs, now: TimeDs) -> Demand {
        let charge = &self.charges[i];
        let mut demand = charge.junction.demand(&self.estimator);
        let Some((passing, _)) = passing(charge, &demand, now, boundary) else { return demand };
        let ahead_s = boundary.since(now) as f64 / 10.0;
        for (l, passed) in passing.into_iter().enumerate() {
            demand.queue_veh[l] = (demand.queue_veh[l] + demand.flow_vps[l] * ahead_s - passed).max(0.0);
        }
        demand
    }

    /// What the database and the policy leave free, given what runs.
    fn bounds(&self, i: usize, running_s: &[u32], running_cycle_s: f64) -> Option<Bounds> {
        let controller = self.network.controller(ControllerId::at(i));
        let policy = &self.settings.policy;
        // A second less than the policy allows: tenths of a set cycle are added to whole seconds.
        let change_s = (policy.split_change_max.0 / 10).saturating_sub(1);
        let minima = controller.program.min_splits();
        let stages_s: Vec<(u32, u32)> = minima
            .iter()
            .zip(running_s)
            .map(|(min, now_s)| {
                let min_s = min.0.div_ceil(10);
                let low = min_s.max(now_s.saturating_sub(change_s));
                (low, (now_s + change_s).max(low))
            })
            .collect();
        let may_go = running_s.iter().zip(&self.charges[i].junction.omittable).map(|(s, may)| *may && *s <= change_s);
        let cycle_change_s = policy.cycle_change_max.seconds();
        let limits = controller.limits;
        let low = limits.cycle_min.max(policy.cycle_min).seconds().max(running_cycle_s - cycle_change_s);
        let high = limits.cycle_max.min(policy.cycle_max).seconds().min(running_cycle_s + cycle_change_s);
        let high = high.min(policy.max_red.seconds().max(running_cycle_s));
        let may_start = may_start(controller, running_s);
        (low <= high).then(|| Bounds { stages_s, may_go: may_go.collect(), may_start, cycle_s: (low, high) })
    }

    /// What the validator says about a plan beside what the other members of its group run.
    fn judge_beside_group(
        &self,
        i: usize,
        plan: TimingPlan,
        reasons: Vec<Reason>,
        boundary: TimeDs,
        now: TimeDs,
    ) -> Result<Validated<PublishedPlan>, Refusals> {
        let plan = self.judge(i, plan, reasons, boundary, now)?;
        let others = self.place(i).map_or(&[][..], |(g, _)| &self.groups[g].group.members);
        let staying: Vec<_> =
            others.iter().filter(|o| **o != i).filter_map(|o| self.charges[*o].published.as_ref()).collect();
        validate_group(&[&plan], &staying, &self.settings.policy).map(|()| plan)
    }

    fn commit(&mut self, i: usize, plan: Validated<PublishedPlan>, outcome: &mut StepOutcome) {
        self.charges[i].commit(self.network.controller(ControllerId::at(i)), plan.clone());
        outcome.publications.push(plan);
    }

    /// What the validator says about a plan that is to take over at `boundary`. How long it holds is up to us: from where
    /// it stands in its cycle when it runs out there must be a way back into the fallback.
    fn judge(
        &self,
        i: usize,
        plan: TimingPlan,
        reasons: Vec<Reason>,
        boundary: TimeDs,
        now: TimeDs,
    ) -> Result<Validated<PublishedPlan>, Refusals> {
        let controller = self.network.controller(ControllerId::at(i));
        let charge = &self.charges[i];
        let revision = Revision(charge.published.as_ref().map_or(0, |p| p.get().revision.0).max(charge.spent) + 1);
        let mut candidate = PublishedPlan {
            controller: controller.name.clone(),
            revision,
            plan,
            computed_at: now,
            valid_from: boundary,
            valid_until: boundary + self.settings.validity,
            configuration_checksum: charge.checksum.clone(),
            fallback: Fallback { plan: controller.time_of_day_plan() },
            reasons,
            schedule: None,
        };
        let earliest = boundary + self.settings.renew_before;
        let mut first = None;
        loop {
            let judged = validate_publication(Publication {
                candidate: candidate.clone(),
                previous: charge.published.as_ref().map(Validated::get),
                heard: charge.heard(),
                controller,
                policy: &self.settings.policy,
                now,
            });
            let refusals = match judged {
                Err(refusals) if refusals.are_about_the_way_back() => first.get_or_insert(refusals),
                other => return other,
            };
            // A cycle less, and the fallback stands elsewhere in its own.
            candidate.valid_until = candidate.valid_until - candidate.plan.cycle;
            if candidate.valid_until < earliest {
                return Err(refusals.clone());
            }
        }
    }

    fn reasons(&self, i: usize, old: &TimingPlan, new: &TimingPlan, decision: &Decision) -> Vec<Reason> {
        let junction = &self.charges[i].junction;
        let diff = PlanDiff::between(old, new);
        let splits: Vec<String> = decision.splits_s.iter().map(|s| format!("{s}")).collect();
        let mut reasons = vec![reason(
            ReasonKind::Changed,
            &format!("stages now last {} s, the cycle {} (was {})", splits.join(" · "), new.cycle, old.cycle),
            Some(("cycle_change_s", diff.cycle_ds as f64 / 10.0)),
        )];
        if let Some(l) = decision.binding_lane {
            let lane = &self.network.lane(junction.lanes[l].lane).name;
            let text = format!("lane {lane} binds");
            reasons.push(reason(ReasonKind::Binding, &text, decision.mu.map(|mu| ("demand_could_grow_by_factor", mu))));
        }
        let gain = 100.0 * (1.0 - decision.delay_veh_s / decision.kept_veh_s.max(1e-6));
        reasons.push(reason(
            ReasonKind::ExpectedGain,
            &format!("expected delay falls by {gain:.1} % over the next {HORIZON_S} s"),
            Some(("delay_saved_veh_s", decision.kept_veh_s - decision.delay_veh_s)),
        ));
        if decision.method == Method::MaxPressure {
            let why = decision.trouble.as_deref().unwrap_or("the linear program gave no answer");
            reasons.push(reason(ReasonKind::Method, &format!("cyclic max pressure, because {why}"), None));
        }
        reasons
    }

    /// Raw value, flag and imputed value of every detector.
    #[must_use]
    pub fn health(&self) -> Vec<DetectorStatus> {
        self.estimator.detectors()
    }

    /// What is known about the network.
    #[must_use]
    pub fn state(&self) -> NetworkState {
        let controllers = self
            .charges
            .iter()
            .map(|c| {
                let now = self.now.unwrap_or_default();
                let plan = c.timeline.plan_at(now);
                let demand = c.junction.demand(&self.estimator);
                let degree_of_saturation = match &plan.view {
                    PlanView::Stages { splits } => {
                        let splits_s: Vec<f64> = splits.iter().map(|s| s.green.seconds()).collect();
                        let service = c.junction.service(&demand, &splits_s);
                        let capacity = c.junction.capacity_veh(&service, &splits_s);
                        let cycle_s = plan.cycle.seconds();
                        demand.flow_vps.iter().zip(&capacity).map(|(q, c)| q * cycle_s / c.max(0.5)).fold(0.0, f64::max)
                    }
                    PlanView::RingBarrier { .. } => 0.0,
                };
                ControllerState {
                    controller: c.junction.controller,
                    cycle_s: plan.cycle.seconds(),
                    degree_of_saturation,
                    on_time_of_day_plan: matches!(c.heard(), Heard::Own { .. })
                        || c.published.as_ref().is_none_or(|p| p.get().valid_until <= now),
                }
            })
            .collect();
        NetworkState { now: self.now, lanes: self.estimator.lanes(), controllers }
    }
}

pub(super) fn reason(kind: ReasonKind, text: &str, value: Option<(&str, f64)>) -> Reason {
    Reason { kind, text: text.to_owned(), value: value.map(|(name, number)| (name.to_owned(), number)) }
}

fn report(id: ControllerId, at: TimeDs, d: &Decision) -> GroupReport {
    GroupReport {
        controllers: vec![id],
        at,
        method: d.method,
        status: d.status,
        objective: d.objective,
        delay_veh_s: d.delay_veh_s,
        kept_veh_s: d.kept_veh_s,
        trouble: d.trouble.clone(),
    }
}
