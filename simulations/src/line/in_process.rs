//! The service's core in this process: the same gate for reports, the same optimizer, and the same answers, byte for byte,
//! without a socket, a store or a deadline.

use std::sync::Arc;
use std::time::Instant;

use greenkerb_models::detection::{Observation, Picture};
use greenkerb_models::network::Network;
use greenkerb_models::signal::Controller;
use greenkerb_models::units::{Ds, TimeDs};
use greenkerb_optimizer::intake::{ClockSource, Intake, Unheard, Window};
use greenkerb_optimizer::signals::{Said, Settings, SignalOptimizer, StepOutcome, Unlimited};

use super::service::Service;
use crate::client::{Accepted, ClientError, Known, Polled, RefusedReport, Timing};
use crate::field::{Acknowledgement, State};

/// Settings beside those of the optimizer; the defaults are those of `greenkerb serve`.
#[derive(Debug, Clone, PartialEq)]
pub struct InProcessOptions {
    /// Settings of the optimizer.
    pub optimizer: Settings,
    /// How often a controller is asked to poll.
    pub poll_after: Ds,
    /// How far from the clock a report may end.
    pub window: Window,
}

impl Default for InProcessOptions {
    fn default() -> Self {
        let window = Window { age_max: Ds::from_s(600), ahead_max: Ds::from_s(600) };
        Self { optimizer: Settings::default(), poll_after: Ds::from_s(1), window }
    }
}

/// What a controller is shown.
#[derive(Debug, Clone)]
struct Shown {
    timing: Box<Timing>,
    body: String,
    etag: String,
}

/// The service's core. Decisions take as long as they take, so that the same reports always give the same plans.
#[derive(Debug)]
pub struct InProcess {
    network: Arc<Network>,
    options: InProcessOptions,
    intake: Intake,
    optimizer: SignalOptimizer,
    clock: Option<TimeDs>,
    started: bool,
    board: Vec<Option<Shown>>,
    solver_times_s: Vec<f64>,
    refused_proposals: u64,
}

impl InProcess {
    /// A core that has heard nothing yet.
    #[must_use]
    pub fn new(network: Arc<Network>, options: InProcessOptions) -> Self {
        Self {
            intake: Intake::new(network.detectors().len(), options.window, ClockSource::Told { kept: false }),
            optimizer: SignalOptimizer::new(Arc::clone(&network), options.optimizer.clone()),
            board: vec![None; network.controllers().len()],
            clock: None,
            started: false,
            solver_times_s: Vec::new(),
            refused_proposals: 0,
            options,
            network,
        }
    }

    /// Proposals that the validator refused; the last good plan stayed in force.
    #[must_use]
    pub const fn refused_proposals(&self) -> u64 {
        self.refused_proposals
    }

    /// Everything that is due by `now` is decided and shown.
    fn step(&mut self, now: TimeDs) -> Result<(), ClientError> {
        if !self.started {
            let outcome = self.optimizer.start(now);
            self.show(outcome)?;
            self.started = self.board.iter().all(Option::is_some);
        }
        let begun = Instant::now();
        let outcome = self.optimizer.advance(now, &Unlimited);
        if !outcome.reports.is_empty() || outcome.scheduled > 0 {
            self.solver_times_s.push(begun.elapsed().as_secs_f64());
        }
        self.show(outcome)
    }

    fn show(&mut self, outcome: StepOutcome) -> Result<(), ClientError> {
        self.refused_proposals += (outcome.refused.len() + outcome.refused_again) as u64;
        for plan in outcome.publications {
            let plan = plan.get();
            let Some(id) = self.network.controller_named(&plan.controller) else { continue };
            let transition = self.options.optimizer.policy.transition;
            let poll_after_s = self.options.poll_after.seconds();
            let timing = Timing::of(plan, self.network.controller(id), transition, poll_after_s);
            let unwritable = |source| ClientError::Unreadable { what: "timing".to_owned(), source };
            let body = serde_json::to_string(&timing).map_err(unwritable)?;
            let etag = format!("\"{}-{}\"", timing.revision, timing.hash.get(..16).unwrap_or_default());
            self.board[id.index()] = Some(Shown { timing: Box::new(timing), body, etag });
        }
        Ok(())
    }

    fn refusal(&self, o: &Observation, code: &str, reason: String) -> RefusedReport {
        let detector = self.network.detectors().get(o.detector.index()).map(|d| d.name.clone());
        RefusedReport { detector, controller: None, code: code.to_owned(), reason }
    }
}

impl Service for InProcess {
    fn controllers(&mut self) -> Result<Vec<Known>, ClientError> {
        let known = |c: &Controller| Known { name: c.name.clone(), configuration_checksum: Some(c.checksum()) };
        Ok(self.network.controllers().iter().map(known).collect())
    }

    fn observe(
        &mut self,
        _: &Network,
        told: &[Observation],
        pictures: &[Picture],
        _: &str,
    ) -> Result<Accepted, ClientError> {
        let mut refused = Vec::new();
        let mut batch = Vec::with_capacity(told.len());
        for (i, o) in told.iter().enumerate() {
            match Observation::new(o.detector, o.begin, o.length, o.count, o.occupancy, o.speed) {
                Ok(o) => batch.push((i, o)),
                Err(e) => refused.push(self.refusal(o, "impossible_value", e.to_string())),
            }
        }
        let taken = self.intake.take(batch, self.clock);
        if taken.back_to.is_some() {
            // All that was decided since is void, as in the service.
            self.optimizer = SignalOptimizer::new(Arc::clone(&self.network), self.options.optimizer.clone());
            (self.clock, self.started) = (None, false);
        }
        for (_, o, why) in &taken.refused {
            let code = match why {
                Unheard::FarOff { .. } => "clock_far_off",
                Unheard::Contradiction => "contradiction",
            };
            refused.push(self.refusal(o, code, why.to_string()));
        }
        for o in taken.due {
            self.optimizer.observe(o);
        }
        // A street in this process takes its pictures when its detectors report.
        for picture in pictures {
            self.optimizer.see(picture.clone());
        }
        if let Some(reached) = taken.clock {
            let now = self.clock.map_or(reached, |now| now.max(reached));
            self.clock = Some(now);
            self.step(now)?;
        }
        Ok(Accepted { accepted: taken.accepted as u64, late: 0, refused })
    }

    fn poll(&mut self, controller: &str, etag: Option<&str>) -> Result<Polled, ClientError> {
        let id = self.network.controller_named(controller);
        let shown = id.and_then(|id| self.board[id.index()].as_ref());
        match shown {
            None => Err(ClientError::Refused {
                what: format!("timing of '{controller}'"),
                status: 404,
                said: "nothing is published for it".to_owned(),
            }),
            Some(shown) if etag == Some(shown.etag.as_str()) => Ok(Polled::Unchanged),
            Some(Shown { timing, body, etag }) => {
                Ok(Polled::Timing { timing: timing.clone(), body: body.clone(), etag: Some(etag.clone()) })
            }
        }
    }

    fn acknowledge(&mut self, controller: &str, told: &Acknowledgement) -> Result<(), ClientError> {
        let said = match told.state {
            State::Received | State::Validated => Said::Heard(told.revision),
            State::Active => Said::Active(told.revision),
            State::Rejected(_) => Said::Rejected(told.revision),
            State::LocalMode | State::SwitchedOn => Said::LocalMode(told.revision),
        };
        self.optimizer.hear(controller, said, told.at);
        Ok(())
    }

    fn solver_times_s(&self) -> &[f64] {
        &self.solver_times_s
    }
}
