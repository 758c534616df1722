//! The field controller: a pure state machine from polled plans and the time to what the heads show.

use std::collections::VecDeque;
use std::sync::Arc;

use greenkerb_models::ids::GroupId;
use greenkerb_models::plan::Revision;
use greenkerb_models::signal::{Controller, Indication, Schedule, TimingPlan, Transition, TransitionMethod};
use greenkerb_models::units::{Ds, TimeDs};

use super::monitor::ConflictMonitor;
use super::order::{Acknowledgement, Order, Rejection, ScheduleOrder, State};
use super::scheduled::Scheduled;

/// The beginning of time.
const EVER: TimeDs = TimeDs(i64::MIN);
/// Cycles a plan is rehearsed for once it is in step: every green, gap and seam then shows whole.
const REHEARSED_CYCLES: u32 = 2;

/// What runs.
#[derive(Debug, Clone)]
struct Running {
    plan: TimingPlan,
    /// Cycles on the way into the plan, with their starts.
    way: Vec<(TimeDs, TimingPlan)>,
    /// From when on the plan is in step.
    settled: TimeDs,
    /// The order it came with; none for the controller's own plan.
    order: Option<Order>,
    /// A schedule that runs instead, until `settled`: then the plan takes over in the middle of a stage.
    scheduled: Option<Scheduled>,
}

impl Running {
    fn own(controller: &Controller) -> Self {
        Self { plan: controller.time_of_day_plan(), way: Vec::new(), settled: EVER, order: None, scheduled: None }
    }

    /// A schedule, and its fallback from when it has run out.
    fn scheduled(scheduled: Scheduled) -> Self {
        let (plan, settled) = (scheduled.order.fallback.clone(), scheduled.rejoin.at);
        Self { plan, way: Vec::new(), settled, order: None, scheduled: Some(scheduled) }
    }

    /// The cycle that runs at an instant.
    fn at(&self, at: TimeDs) -> &TimingPlan {
        if at >= self.settled {
            return &self.plan;
        }
        self.way.iter().rev().find(|(from, _)| *from <= at).map_or(&self.plan, |(_, cycle)| cycle)
    }

    /// First instant at or after `at` at which another plan may take over: a cycle start, in step.
    fn boundary(&self, at: TimeDs) -> TimeDs {
        self.plan.next_cycle_start(at.max(self.settled))
    }
}

/// A controller in the field. It runs its time-of-day plan until it is told otherwise, takes a new plan at the cycle
/// start it names, and returns to its own plan when what it was told has run out.
#[derive(Debug, Clone)]
pub struct FieldController {
    controller: Arc<Controller>,
    checksum: Arc<str>,
    running: Running,
    /// Orders that have not taken over yet, each with the instant from which it may, in order of that.
    waiting: VecDeque<(TimeDs, Order)>,
    newest: Option<Revision>,
    monitor: ConflictMonitor,
    acknowledgements: Vec<Acknowledgement>,
    heads: Vec<Indication>,
    heads_since: TimeDs,
    step: Ds,
}

impl FieldController {
    /// A controller that has just been switched on and shows its heads anew every `step`.
    #[must_use]
    pub fn new(controller: Arc<Controller>, step: Ds) -> Self {
        Self {
            checksum: controller.checksum().into(),
            running: Running::own(&controller),
            waiting: VecDeque::new(),
            newest: None,
            monitor: ConflictMonitor::new(Arc::clone(&controller), step),
            acknowledgements: Vec::new(),
            heads: Vec::new(),
            heads_since: EVER,
            step: Ds(step.0.max(1)),
            controller,
        }
    }

    /// Its database.
    #[must_use]
    pub fn database(&self) -> &Controller {
        &self.controller
    }

    /// Its monitor.
    #[must_use]
    pub const fn monitor(&self) -> &ConflictMonitor {
        &self.monitor
    }

    /// Revision of the order that runs; none while it runs its own plan.
    #[must_use]
    pub fn running_revision(&self) -> Option<Revision> {
        let scheduled = self.running.scheduled.as_ref().map(|s| s.order.revision);
        scheduled.or_else(|| self.running.order.as_ref().map(|o| o.revision))
    }

    /// The schedule that runs, where one does.
    #[must_use]
    pub fn running_schedule(&self) -> Option<&Schedule> {
        self.running.scheduled.as_ref().map(|s| &s.order.schedule)
    }

    /// The cycle that runs at an instant.
    #[must_use]
    pub fn cycle_at(&self, at: TimeDs) -> &TimingPlan {
        self.running.at(at)
    }

    /// What it has to tell the service, oldest first; it forgets what it has told.
    pub fn acknowledge(&mut self) -> Vec<Acknowledgement> {
        std::mem::take(&mut self.acknowledgements)
    }

    /// Takes an order that was polled at `now`. Twice the same is nothing new. A controller that has just been switched on
    /// says so, unless the first order it hears is one that it could have been waiting for.
    pub fn receive(&mut self, order: Order, now: TimeDs) {
        let (revision, hash) = (order.revision, order.hash.clone());
        if self.newest == Some(revision) {
            return;
        }
        if self.newest.is_none() && !self.fits_at_switch_on(&order, now) {
            self.newest = Some(revision);
            return self.tell(revision, &hash, State::SwitchedOn, now);
        }
        self.tell(revision, &hash, State::Received, now);
        let verdict = match self.newest.filter(|newest| *newest > revision) {
            Some(newest) => Err(Rejection::Old { revision: revision.0, newest: newest.0 }),
            None => {
                self.newest = Some(revision);
                self.judge(&order, now)
            }
        };
        match verdict {
            Ok(()) => {
                self.queue(order, now);
                self.tell(revision, &hash, State::Validated, now);
            }
            Err(rejection) => self.tell(revision, &hash, State::Rejected(rejection), now),
        }
    }

    /// The first order after switch-on was made for what ran before, whatever that was. It is taken if it takes over at a
    /// cycle start of what runs now; otherwise the service is told what does, and makes another.
    fn fits_at_switch_on(&self, order: &Order, now: TimeDs) -> bool {
        let announced = order.valid_from > now && self.running.boundary(order.valid_from) == order.valid_from;
        announced || order.plan == self.running.plan
    }

    /// Takes a schedule that was polled at `now`: it takes over at once, and whatever waited to take over is forgotten.
    pub fn receive_schedule(&mut self, order: ScheduleOrder, now: TimeDs) {
        let (revision, hash) = (order.revision, order.hash.clone());
        if self.newest == Some(revision) {
            return;
        }
        self.advance(now);
        if let Some(newest) = self.newest.filter(|newest| *newest > revision) {
            let old = Rejection::Old { revision: revision.0, newest: newest.0 };
            return self.tell(revision, &hash, State::Rejected(old), now);
        }
        let first = self.newest.is_none();
        self.newest = Some(revision);
        // They come every second or so: one word about each is enough.
        match self.judge_schedule(order, now) {
            Ok(scheduled) => {
                self.waiting.clear();
                self.running = Running::scheduled(scheduled);
                self.tell(revision, &hash, State::Active, now);
            }
            // It was made for what ran before the controller was switched on.
            Err(Rejection::Seam { .. }) if first => self.tell(revision, &hash, State::SwitchedOn, now),
            Err(rejection) => self.tell(revision, &hash, State::Rejected(rejection), now),
        }
    }

    /// Takes note of an order that could not even be read.
    pub fn refuse(&mut self, revision: Revision, hash: &str, reason: String, now: TimeDs) {
        if self.newest.is_none_or(|newest| newest < revision) {
            self.newest = Some(revision);
            self.tell(revision, hash, State::Rejected(Rejection::Unreadable(reason)), now);
        }
    }

    /// What the heads show from `now` on, one indication per signal group. Time never runs backwards here.
    pub fn show(&mut self, now: TimeDs) -> &[Indication] {
        self.advance(now);
        let heads = self.shown_at(now);
        if heads != self.heads {
            self.heads = heads;
            self.heads_since = now;
        }
        self.monitor.look(now, &self.heads);
        &self.heads
    }

    /// What the heads show at an instant by what runs.
    fn shown_at(&self, at: TimeDs) -> Vec<Indication> {
        if let Some(scheduled) = &self.running.scheduled {
            return scheduled.shows_at(&self.controller, at);
        }
        let cycle = self.running.at(at);
        let position = cycle.position_at(at);
        let groups = self.controller.groups.iter().enumerate();
        groups.map(|(i, heads)| cycle.indication(GroupId::at(i), heads, position)).collect()
    }

    /// Judges a schedule: by itself, beside what is shown now, and in a rehearsal until its fallback has run for some
    /// cycles.
    fn judge_schedule(&self, order: ScheduleOrder, now: TimeDs) -> Result<Scheduled, Rejection> {
        order.check(&self.controller, &self.checksum, now)?;
        let scheduled = Scheduled::new(order, &self.controller)?;
        // What is shown from now on may be news; what has been shown until now may not.
        let before = TimeDs(now.0 - 1);
        if scheduled.shows_at(&self.controller, before) != self.shown_at(before) || !self.joins(&scheduled, now) {
            return Err(Rejection::Seam { at: now });
        }
        let mut rehearsal = self.clone();
        rehearsal.acknowledgements.clear();
        rehearsal.monitor.forgive();
        rehearsal.waiting.clear();
        rehearsal.running = Running::scheduled(scheduled.clone());
        let end = scheduled.rejoin.at + Ds(scheduled.order.fallback.cycle.0 * REHEARSED_CYCLES);
        let mut at = now;
        while at < end {
            rehearsal.rehearse(at)?;
            at = at + self.step;
        }
        Ok(scheduled)
    }

    /// True when a schedule does not claim more of the past than has been shown, and keeps what was frozen.
    fn joins(&self, new: &Scheduled, now: TimeDs) -> bool {
        let Some(first) = new.order.schedule.stages.first() else { return false };
        match &self.running.scheduled {
            Some(old) => {
                let known = old.whole.stages.iter().any(|s| s.stage == first.stage && s.start <= first.start);
                let kept_until = old.order.schedule.frozen_until.max(old.whole.clearance_ends(now).unwrap_or(now));
                known && old.whole.agrees(&new.whole, now, kept_until)
            }
            // From a cyclic plan it may take over in the middle of a stage only.
            None => first.start < now && now <= first.end && first.start >= self.heads_since,
        }
    }

    fn tell(&mut self, revision: Revision, hash: &str, state: State, at: TimeDs) {
        self.acknowledgements.push(Acknowledgement { revision, hash: hash.to_owned(), state, at });
    }

    /// An order that came late is due from now on; it replaces those that would have taken over after it.
    fn queue(&mut self, order: Order, now: TimeDs) {
        let due = order.valid_from.max(now);
        while self.waiting.back().is_some_and(|(last, _)| *last >= due) {
            self.waiting.pop_back();
        }
        self.waiting.push_back((due, order));
    }

    /// Judges an order: by itself, and beside what runs, in a rehearsal under the monitor's eyes.
    fn judge(&self, order: &Order, now: TimeDs) -> Result<(), Rejection> {
        order.check(&self.controller, &self.checksum, now)?;
        let mut rehearsal = self.clone();
        rehearsal.acknowledgements.clear();
        rehearsal.monitor.forgive();
        rehearsal.queue(order.clone(), now);
        let mut at = now;
        // Until it has taken over ...
        while rehearsal.running_revision() != Some(order.revision) {
            rehearsal.rehearse(at)?;
            if !rehearsal.waiting.iter().any(|(_, o)| o.revision == order.revision)
                && rehearsal.running_revision() != Some(order.revision)
            {
                let rejected = rehearsal.acknowledgements.into_iter().find_map(|a| match a.state {
                    State::Rejected(why) if a.revision == order.revision => Some(why),
                    _ => None,
                });
                return Err(rejected.unwrap_or(Rejection::RanOut { valid_until: order.valid_until }));
            }
            at = at + self.step;
        }
        // ... and for some cycles in step, and then on the way back, which comes when nobody tells anything more.
        let shown = rehearsal.running.settled.max(at) + Ds(order.plan.cycle.0 * REHEARSED_CYCLES);
        if let Some(running) = &mut rehearsal.running.order {
            running.valid_until = running.valid_until.min(shown);
        }
        while rehearsal.running.order.is_some() {
            rehearsal.rehearse(at)?;
            at = at + self.step;
        }
        let end = rehearsal.running.settled.max(at) + Ds(rehearsal.running.plan.cycle.0 * REHEARSED_CYCLES);
        while at < end {
            rehearsal.rehearse(at)?;
            at = at + self.step;
        }
        Ok(())
    }

    fn rehearse(&mut self, at: TimeDs) -> Result<(), Rejection> {
        self.show(at);
        self.monitor.first_violation().map_or(Ok(()), |violation| Err(Rejection::Unsafe(violation.clone())))
    }

    /// Changes plan as often as needed to reach `now`.
    fn advance(&mut self, now: TimeDs) {
        loop {
            if let Some(end) = self.running.scheduled.as_ref().map(|s| s.rejoin.at).filter(|end| *end <= now) {
                self.run_out(end);
                continue;
            }
            // Of several orders that are due at one boundary the newest counts.
            while let (Some((first, _)), Some((second, _))) = (self.waiting.front(), self.waiting.get(1))
                && self.running.boundary(*first) >= *second
            {
                self.waiting.pop_front();
            }
            let lapse = self.running.order.as_ref().map(|o| self.running.boundary(o.valid_until));
            let take = self.waiting.front().map(|(due, _)| self.running.boundary(*due));
            match (take, lapse) {
                (Some(at), lapse) if at <= now && lapse.is_none_or(|lapse| at <= lapse) => self.take(at),
                (_, Some(at)) if at <= now => self.lapse(at),
                _ => return,
            }
        }
    }

    fn take(&mut self, at: TimeDs) {
        let Some((_, order)) = self.waiting.pop_front() else { return };
        let (revision, hash) = (order.revision, order.hash.clone());
        if order.valid_until <= at {
            let state = State::Rejected(Rejection::RanOut { valid_until: order.valid_until });
            return self.tell(revision, &hash, state, at);
        }
        match Transition::into_plan(&self.controller, &order.plan, at, order.transition) {
            Ok(way) => {
                self.follow(order.plan.clone(), way, at, Some(order));
                self.tell(revision, &hash, State::Active, at);
            }
            Err(error) => self.tell(revision, &hash, State::Rejected(error.into()), at),
        }
    }

    /// The schedule has run out: its fallback takes over, in step from the first moment.
    fn run_out(&mut self, at: TimeDs) {
        let Some(scheduled) = self.running.scheduled.take() else { return };
        let ScheduleOrder { revision, hash, fallback, .. } = scheduled.order;
        self.running = Running { plan: fallback, way: Vec::new(), settled: at, order: None, scheduled: None };
        self.tell(revision, &hash, State::LocalMode, at);
    }

    /// What ran has run out: the controller's own plan takes over.
    fn lapse(&mut self, at: TimeDs) {
        let Some(order) = self.running.order.take() else { return };
        let own = self.controller.time_of_day_plan();
        let methods = [order.transition, TransitionMethod::Add, TransitionMethod::Dwell];
        let way = methods.into_iter().find_map(|m| Transition::into_plan(&self.controller, &own, at, m).ok());
        match way {
            Some(way) => self.follow(own, way, at, None),
            // No way into step: a whole cycle follows a whole cycle all the same, only out of step with the neighbours.
            None => {
                let cycle = i64::from(own.cycle.0.max(1));
                let offset = Ds((at.0 + i64::from(own.reference_position.0)).rem_euclid(cycle) as u32);
                self.running = Running {
                    plan: TimingPlan { offset, ..own },
                    way: Vec::new(),
                    settled: at,
                    order: None,
                    scheduled: None,
                };
            }
        }
        self.tell(order.revision, &order.hash, State::LocalMode, at);
    }

    fn follow(&mut self, plan: TimingPlan, way: Transition, at: TimeDs, order: Option<Order>) {
        let mut from = at;
        let mut cycles = Vec::with_capacity(way.cycles.len());
        for cycle in way.cycles {
            let next = from + cycle.cycle;
            cycles.push((from, cycle));
            from = next;
        }
        self.running = Running { plan, way: cycles, settled: way.ends, order, scheduled: None };
    }
}

#[cfg(test)]
pub(crate) mod sample {
    use greenkerb_models::ids::StageId;
    use greenkerb_models::signal::{
        ConflictMatrix, Controller, GroupKind, Indication, Limits, Program, Relation, SignalGroup, Step, StepKind,
    };
    use greenkerb_models::units::Ds;

    /// A main road with a turn that yields to it, and a side road; two stages, a cycle of 45 s.
    pub(crate) fn controller() -> Controller {
        use Indication::{Permissive as P, Protected as G, Red as R, Yellow as Y};
        let group = |name: &str| SignalGroup {
            name: name.into(),
            kind: GroupKind::Vehicle,
            connections: vec![],
            crossings: vec![],
            link_indices: vec![],
            min_green: Ds::from_s(5),
            yellow: Ds::from_s(3),
            red_amber: Ds::ZERO,
            clearance: Ds::ZERO,
            min_red: Ds::from_s(1),
            max_red: Ds::from_s(120),
            turn_on_red: false,
        };
        let intergreen = Ds::from_s(5);
        let mut conflicts = ConflictMatrix::compatible(3);
        let mut set = |a: usize, b: usize, relation| {
            conflicts.set(greenkerb_models::ids::GroupId::at(a), greenkerb_models::ids::GroupId::at(b), relation);
        };
        set(1, 0, Relation::Permitted { yields: true, intergreen });
        set(0, 1, Relation::Permitted { yields: false, intergreen });
        for (a, b) in [(0, 2), (2, 0), (1, 2), (2, 1)] {
            set(a, b, Relation::Conflict { intergreen });
        }
        let stage = |i: u32| StepKind::Stage { stage: StageId(i), min: Ds::from_s(5) };
        let step = |kind, s: u32, shows: [Indication; 3]| Step { kind, shipped: Ds::from_s(s), shows: shows.to_vec() };
        Controller {
            name: "sample".into(),
            nodes: vec![],
            groups: vec![group("main"), group("turn"), group("side")],
            conflicts,
            program: Program {
                steps: vec![
                    step(stage(0), 20, [G, P, R]),
                    step(StepKind::Clearance, 3, [Y, Y, R]),
                    step(StepKind::Clearance, 2, [R, R, R]),
                    step(stage(1), 15, [R, R, G]),
                    step(StepKind::Clearance, 3, [R, R, Y]),
                    step(StepKind::Clearance, 2, [R, R, R]),
                ],
                shipped_offset: Ds::from_s(7),
            },
            ring_barrier: None,
            limits: Limits { cycle_min: Ds::from_s(20), cycle_max: Ds::from_s(120), resolution: Ds::from_s(1) },
        }
    }
}
