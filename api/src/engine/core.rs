//! A step of the service: take observations, decide, make durable, show. In this order, so that nobody polls what a
//! crash could take back.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use bytes::Bytes;
use greenkerb_models::detection::{Observation, Picture, Vicinity};
use greenkerb_models::ids::ControllerId;
use greenkerb_models::network::Network;
use greenkerb_models::plan::{PublishedPlan, Revision};
use greenkerb_models::units::TimeDs;
use greenkerb_optimizer::estimation::{DetectorStatus, Timeliness};
use greenkerb_optimizer::intake::{ClockSource, Intake, Unheard, Window};
use greenkerb_optimizer::safety::Validated;
use greenkerb_optimizer::signals::{GroupReport, NetworkState, Said, StepOutcome};

use super::board::Board;
use super::clock::Clock;
use super::deadline::Deadline;
use super::decider::{Decider, MakeDecider};
use super::idempotency::{Answers, Digest, Known};
use super::ingest::{Batch, REFUSALS_LISTED_MAX};
use super::metrics::Metrics;
use super::vitals::Vitals;
use crate::settings::ServiceSettings;
use crate::store::{AckRecord, AuditEvent, NetworkRecord, Step, Store, StoreError};
use crate::wire::v1::{Receipt, RefusalCode, RefusedItem};

/// What the parts of the service share.
#[derive(Debug, Clone)]
pub struct Shared {
    /// The network.
    pub network: Arc<Network>,
    /// From where vehicles come to its junctions.
    pub vicinity: Arc<Vicinity>,
    /// What can be polled.
    pub board: Arc<Board>,
    /// What time it is.
    pub clock: Arc<Clock>,
    /// What survives a crash.
    pub store: Arc<dyn Store>,
    /// Counters.
    pub metrics: Arc<Metrics>,
    /// How the engine is.
    pub vitals: Arc<Vitals>,
    /// Settings.
    pub settings: Arc<ServiceSettings>,
}

/// What is known now, for those who look.
#[derive(Debug, Clone)]
pub struct Look {
    /// Lanes and controllers.
    pub state: NetworkState,
    /// Detectors.
    pub detectors: Vec<DetectorStatus>,
    /// The newest decision of each controller.
    pub decisions: Vec<GroupReport>,
}

/// How a batch was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The receipt, as JSON.
    Receipt(Bytes),
    /// The idempotency key was used for another body.
    OtherBody,
}

/// What a store that cannot be written has not been told yet.
#[derive(Debug)]
pub struct Owed {
    /// The network that the service runs with.
    pub network: NetworkRecord,
    /// What happened at the start.
    pub events: Vec<AuditEvent>,
}

/// The engine's own state; one thread owns it.
pub struct Core {
    shared: Shared,
    make: MakeDecider,
    decider: Box<dyn Decider>,
    intake: Intake,
    /// How far from the clock a picture may have been taken.
    window: Window,
    answers: Answers,
    acks: Vec<(String, AckRecord)>,
    spent: BTreeMap<String, u64>,
    /// What the store did not take at the start, to be told to it before anything else.
    owed: Option<Owed>,
    started: bool,
    decisions: Vec<Option<GroupReport>>,
}

/// What an acknowledgement says about what runs.
fn said(ack: &AckRecord) -> Said {
    let revision = Revision(ack.revision);
    match ack.state.as_str() {
        "active" => Said::Active(revision),
        "rejected" => Said::Rejected(revision),
        "local_mode" => Said::LocalMode(revision),
        _ => Said::Heard(revision),
    }
}

fn code_of(why: Unheard) -> RefusalCode {
    match why {
        Unheard::FarOff { .. } => RefusalCode::ClockFarOff,
        Unheard::Contradiction => RefusalCode::Contradiction,
    }
}

impl Core {
    /// Starts with what the board shows, and gives every other controller its time-of-day plan.
    pub fn new(shared: Shared, make: MakeDecider, spent: BTreeMap<String, u64>, owed: Option<Owed>) -> Self {
        let settings = &shared.settings;
        let external = shared.clock.is_external();
        let ahead_max = if external { settings.observation_ahead_max } else { settings.observation_skew_max };
        let window = Window { age_max: settings.observation_age_max, ahead_max };
        let source = if external { ClockSource::Told { kept: shared.clock.was_kept() } } else { ClockSource::Passing };
        let mut core = Self {
            intake: Intake::new(shared.network.detectors().len(), window, source),
            window,
            decisions: vec![None; shared.network.controllers().len()],
            decider: make(),
            make,
            answers: Answers::default(),
            acks: Vec::new(),
            spent,
            owed,
            started: false,
            shared,
        };
        core.renew();
        // An external clock that nothing has set yet gives no instant from which a plan could be valid.
        if let Some(now) = core.shared.clock.now() {
            core.start(now);
        }
        core
    }

    /// Gives every controller without a plan its time-of-day plan.
    fn start(&mut self, now: TimeDs) {
        let outcome = self.guarded(|d| d.start(now)).unwrap_or_default();
        self.finish(outcome, Some(now));
        // A store that refuses, or an optimizer that fails, leaves controllers without a plan: then the next step tries
        // again.
        self.started = self.shared.board.plans().len() == self.shared.network.controllers().len();
    }

    /// Runs the decider; one that panics is replaced by one that knows the plans in force.
    fn guarded<T>(&mut self, run: impl FnOnce(&mut dyn Decider) -> T) -> Option<T> {
        let decider = &mut self.decider;
        match catch_unwind(AssertUnwindSafe(|| run(decider.as_mut()))) {
            Ok(outcome) => Some(outcome),
            Err(panic) => {
                let said = panic.downcast_ref::<String>().cloned();
                let said = said.or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned()));
                let reason = said.unwrap_or_else(|| "no message".to_owned());
                tracing::error!(%reason, "the optimizer failed; the plans in force stay");
                self.shared.metrics.optimizer_failures.increment(1);
                let goes_on = self.shared.vitals.optimizer_failure().is_some();
                self.shared.vitals.set_optimizer_failure(Some(reason.clone()));
                self.renew();
                // One that fails at every step is audited once, not once a second.
                let event = AuditEvent::OptimizerFailed { reason };
                let step = Step { clock: self.shared.clock.now(), events: &[event], ..Step::default() };
                if !goes_on && let Err(e) = self.shared.store.commit(&step) {
                    tracing::error!(error = %e, "the failure could not be written to the audit");
                }
                None
            }
        }
    }

    fn renew(&mut self) {
        self.decider = (self.make)();
        for (controller, revision) in &self.spent {
            self.decider.spend(controller, *revision);
        }
        // A plan from after now was made on a clock that has been set back since. It is followed by another.
        let now = self.shared.clock.now();
        let (later, known): (Vec<_>, Vec<_>) =
            self.shared.board.plans().into_iter().partition(|p| now.is_some_and(|now| p.get().computed_at > now));
        for plan in later {
            self.decider.spend(&plan.get().controller, plan.get().revision.0);
        }
        self.decider.restore(known);
        self.hear_again();
    }

    /// What controllers said last, told to an optimizer that does not know it.
    fn hear_again(&mut self) {
        for (i, controller) in self.shared.network.controllers().iter().enumerate() {
            let id = ControllerId::at(i);
            let shown = self.shared.board.shown(id);
            if let (Some(ack), Some(shown)) = (self.shared.board.ack(id), shown) {
                let plan = shown.plan.get();
                // What it ran when it last spoke may be the plan that is shown, whatever it spoke of then.
                match ack.running == Some(plan.revision.0) {
                    true => self.decider.hear(&controller.name, Said::Active(plan.revision), plan.valid_from),
                    false => self.decider.hear(&controller.name, said(&ack), ack.at),
                }
            }
        }
    }

    /// The store did not take it: what was decided is not out, and its numbers are spent. What it knows of traffic
    /// stays.
    fn take_back(&mut self, publications: &[Validated<PublishedPlan>]) {
        let mut known = self.shared.board.plans();
        known.retain(|shown| publications.iter().any(|p| p.get().controller == shown.get().controller));
        let all_known = known.len() == publications.len();
        for plan in publications {
            let (controller, revision) = (&plan.get().controller, plan.get().revision.0);
            let spent = self.spent.entry(controller.clone()).or_default();
            *spent = revision.max(*spent);
            self.decider.spend(controller, revision);
        }
        if all_known {
            self.decider.restore(known);
        } else {
            // There is no way to tell an optimizer that a controller has nothing after all.
            self.renew();
        }
    }

    /// Sets an external clock back, as the feed insists. Everything that was said and decided since then is void.
    fn go_back(&mut self, to: TimeDs) {
        let from = self.shared.clock.now();
        let was = from.map_or_else(|| "unset".to_owned(), TimeDs::rfc3339);
        tracing::warn!(%was, to = %to.rfc3339(), "most detectors speak of the past: the clock is set back");
        self.shared.clock.set(to);
        self.renew();
        self.started = false;
        let event = AuditEvent::ClockSetBack { from, to };
        let step = Step { clock: Some(to), events: &[event], ..Step::default() };
        if let Err(e) = self.shared.store.commit(&step) {
            tracing::error!(error = %e, "that the clock was set back could not be written to the audit");
        }
    }

    fn commit(&mut self, step: &Step<'_>) -> Result<(), StoreError> {
        if let Some(owed) = &self.owed {
            self.shared.store.set_network(&owed.network, &owed.events)?;
            self.owed = None;
        }
        self.shared.store.commit(step)
    }

    /// Makes what was decided durable, then shows it.
    fn finish(&mut self, outcome: StepOutcome, now: Option<TimeDs>) {
        let network = self.shared.network.clone();
        let events: Vec<AuditEvent> = outcome
            .refused
            .iter()
            .map(|(id, refusals)| {
                let controller = network.controller(*id).name.clone();
                tracing::warn!(%controller, %refusals, "a proposal was refused; the last good plan stays");
                AuditEvent::Refused { controller, reason: refusals.to_string() }
            })
            .collect();
        self.shared.metrics.proposals_refused.increment((events.len() + outcome.refused_again) as u64);
        for report in outcome.reports {
            if let Some(first) = report.controllers.first().map(|c: &ControllerId| c.index()) {
                self.decisions[first] = Some(report);
            }
        }
        // A store that failed is tried again with nothing to say, so that it is known as soon as it works again.
        let nothing = outcome.publications.is_empty() && events.is_empty() && self.acks.is_empty();
        if nothing && self.shared.vitals.store_failure().is_none() {
            return;
        }
        let acks = std::mem::take(&mut self.acks);
        let transition = self.shared.settings.optimizer.policy.transition;
        let step = Step { clock: now, publications: &outcome.publications, transition, events: &events, acks: &acks };
        let started = Deadline::within(std::time::Duration::MAX);
        match self.commit(&step) {
            Ok(()) => {
                self.shared.metrics.commit_s.record(started.elapsed().as_secs_f64());
                self.shared.vitals.set_store_failure(None);
                self.shared.metrics.publications.increment(outcome.publications.len() as u64);
                for plan in outcome.publications {
                    self.shared.board.show(plan);
                }
            }
            Err(e) => {
                if self.shared.vitals.store_failure().is_none() {
                    tracing::error!(error = %e, "the store refused a step; nothing is published until it takes one");
                }
                self.shared.metrics.store_failures.increment(1);
                self.shared.vitals.set_store_failure(Some(e.to_string()));
                self.acks = acks;
                self.take_back(&outcome.publications);
            }
        }
    }

    /// Advances to `now` and does what is due.
    pub fn step(&mut self, now: TimeDs) {
        if !self.started {
            self.start(now);
        }
        let limit = self.shared.settings.solve_deadline;
        let deadline = if self.shared.clock.is_external() { Deadline::work_of(limit) } else { Deadline::within(limit) };
        let outcome = self.guarded(|d| d.advance(now, &deadline));
        if outcome.is_some() {
            self.shared.vitals.set_optimizer_failure(None);
        }
        let outcome = outcome.unwrap_or_default();
        self.shared.metrics.step_s.record(deadline.elapsed().as_secs_f64());
        let late = deadline.missed() || outcome.reports.iter().any(|r| r.trouble.is_some());
        self.shared.vitals.note_deadline(late);
        if late {
            self.shared.metrics.deadlines_missed.increment(1);
        }
        self.finish(outcome, Some(now));
    }

    /// Takes an acknowledgement to be kept with the next step.
    pub fn acknowledge(&mut self, controller: String, ack: AckRecord) {
        self.guarded(|d| d.hear(&controller, said(&ack), ack.at));
        self.acks.retain(|(name, _)| *name != controller);
        self.acks.push((controller, ack));
    }

    /// Makes what controllers have said durable.
    pub fn keep(&mut self) {
        self.finish(StepOutcome::default(), self.shared.clock.now());
    }

    /// Takes a batch; with an external clock its plans are out when this returns.
    pub fn ingest(&mut self, batch: Batch, key: Option<(String, Digest)>) -> Answer {
        if let Some((key, digest)) = &key {
            match self.answers.get(key, digest) {
                Known::Answered(answer) => return Answer::Receipt(answer),
                Known::OtherBody => return Answer::OtherBody,
                Known::No => {}
            }
        }
        let receipt = self.take(batch);
        let body = Bytes::from(serde_json::to_vec(&receipt).unwrap_or_default());
        if let Some((key, digest)) = key {
            self.answers.keep(key, digest, body.clone());
        }
        Answer::Receipt(body)
    }

    fn take(&mut self, batch: Batch) -> Receipt {
        let clock = self.shared.clock.clone();
        let taken = self.intake.take(batch.taken, clock.now());
        if let Some(to) = taken.back_to {
            self.go_back(to);
        }
        if let Some(newest) = taken.newest {
            clock.hear(newest);
        }
        let (mut late, mut out_of_order) = (0, 0);
        for o in taken.due {
            match self.guarded(|d| d.observe(o)) {
                Some(Timeliness::OnTime) | None => {}
                Some(Timeliness::Late) => late += 1,
                Some(Timeliness::OutOfOrder) => out_of_order += 1,
            }
        }
        if let Some(reached) = taken.clock {
            clock.advance(reached);
        }
        let (pictures, mut pictures_refused) = self.look_at(batch.pictures, batch.pictures_refused);
        if let Some(now) = clock.now().filter(|_| clock.is_external()) {
            self.shared.vitals.set_disputing(self.intake.disputing(now).collect());
            if taken.accepted > 0 {
                self.step(now);
            }
        }
        let (mut refused_total, mut refused) = self.list(batch.refused, &batch.unlisted, taken.refused);
        refused_total += pictures_refused.len();
        refused.append(&mut pictures_refused);
        let clock = clock.now().map(TimeDs::rfc3339);
        let (accepted, duplicate) = (taken.accepted, taken.duplicates);
        let receipt = Receipt { accepted, late, out_of_order, duplicate, pictures, refused_total, refused, clock };
        self.shared.metrics.count_reports(&receipt);
        receipt
    }

    /// Hands pictures on that were taken about now; how many, and what is refused, counted.
    fn look_at(&mut self, pictures: Vec<(usize, Picture)>, mut refused: Vec<RefusedItem>) -> (usize, Vec<RefusedItem>) {
        let mut taken = 0;
        let clock = self.shared.clock.now();
        for (index, picture) in pictures {
            let ahead = clock.map(|now| picture.at.since(now));
            let (age_max, ahead_max) = (i64::from(self.window.age_max.0), i64::from(self.window.ahead_max.0));
            if ahead.is_some_and(|ahead| (-age_max..=ahead_max).contains(&ahead)) {
                self.guarded(|d| d.see(picture));
                taken += 1;
                continue;
            }
            let now = clock.map_or_else(|| "nothing yet".to_owned(), TimeDs::rfc3339);
            let reason = format!("it was taken at {}, the service's clock says {now}", picture.at.rfc3339());
            let controller = Some(self.shared.network.controller(picture.controller).name.clone());
            refused.push(RefusedItem { index, detector: None, controller, code: RefusalCode::ClockFarOff, reason });
        }
        refused.truncate(REFUSALS_LISTED_MAX);
        for item in &refused {
            self.shared.metrics.count_refused(item.code, 1);
        }
        (taken, refused)
    }

    /// Counts what was refused, at the gate and here, and tells of the first of it.
    fn list(
        &self,
        mut listed: Vec<RefusedItem>,
        unlisted: &BTreeMap<RefusalCode, usize>,
        mut here: Vec<(usize, Observation, Unheard)>,
    ) -> (usize, Vec<RefusedItem>) {
        let mut counts = unlisted.clone();
        for code in listed.iter().map(|r| r.code).chain(here.iter().map(|(_, _, why)| code_of(*why))) {
            *counts.entry(code).or_default() += 1;
        }
        for (code, count) in &counts {
            self.shared.metrics.count_refused(*code, *count as u64);
        }
        here.sort_unstable_by_key(|r| r.0);
        listed.extend(here.into_iter().take(REFUSALS_LISTED_MAX).map(|(index, o, why)| {
            let detector = Some(self.shared.network.detector(o.detector).name.clone());
            RefusedItem { index, detector, controller: None, code: code_of(why), reason: why.to_string() }
        }));
        listed.sort_by_key(|r| r.index);
        listed.truncate(REFUSALS_LISTED_MAX);
        (counts.values().sum(), listed)
    }

    /// What is known now.
    pub fn look(&mut self) -> Option<Look> {
        let (state, detectors) = self.guarded(|d| (d.state(), d.health()))?;
        Some(Look { state, detectors, decisions: self.decisions.iter().flatten().cloned().collect() })
    }
}
