//! The demo street and its service: detectors report, controllers poll and execute, at a pace one can watch.

use std::sync::Arc;
use std::time::{Duration, Instant};

use greenkerb_models::ids::ControllerId;
use greenkerb_models::network::Network;
use greenkerb_models::plan::Revision;
use greenkerb_models::units::{Ds, TimeDs};
use serde::Serialize;

use super::street::{STEP, Street, Totals};
use crate::cancel::Cancel;
use crate::client::{Client, ClientError, DetectorReport, Polled};
use crate::field::{FieldController, State};

/// How often progress is told, in real time.
const TELL_EVERY: Duration = Duration::from_secs(10);
/// Shortest and longest time between two polls of one controller.
const POLL_AFTER: (Ds, Ds) = (Ds::from_s(1), Ds::from_s(60));
/// Longest sleep at once, so that being called off is noticed.
const NAP: Duration = Duration::from_millis(50);
/// So many requests may fail in a row before the demo gives up; a single lost one harms nobody.
const FAILURES_IN_A_ROW_MAX: u32 = 100;

/// How fast the street runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pace {
    /// So many times real time.
    Times(f64),
    /// As fast as the service answers.
    Unbound,
}

/// What a demo is started with.
#[derive(Debug, Clone)]
pub struct DemoOptions {
    /// The city; the service has the same.
    pub network: Arc<Network>,
    /// Address of the service, whose clock is set by the data.
    pub address: String,
    /// Seed of all chance.
    pub seed: u64,
    /// What time it is when it begins.
    pub start: TimeDs,
    /// How long it goes on in the street's time; none for ever.
    pub length: Option<Ds>,
    /// How fast.
    pub pace: Pace,
    /// Calls it off.
    pub cancel: Cancel,
}

/// Why a demo ends early.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The service cannot be asked for its controllers.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The service runs another network.
    #[error("the service does not know controller '{controller}': it runs another network")]
    OtherNetwork {
        /// The unknown controller.
        controller: String,
    },
    /// The service stays away.
    #[error("{failures} requests in a row failed, the last one with: {last}")]
    ServiceGone {
        /// How many.
        failures: u32,
        /// Why the last.
        last: ClientError,
    },
}

/// How a demo goes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Progress {
    /// The street's time.
    pub at: TimeDs,
    /// Vehicles.
    pub vehicles: Totals,
    /// Vehicles that hardly move, per lane that ends at a signal.
    pub mean_queue_veh: f64,
    /// Controllers that run a published plan now.
    pub on_published_plan: usize,
    /// Plans that took over in the field.
    pub plans_active: u64,
    /// Plans the field would not run.
    pub plans_rejected: u64,
    /// Returns of a controller to its own plan because nothing newer came.
    pub fallbacks: u64,
    /// Times a conflict monitor saw what must not be.
    pub monitor_violations: u64,
    /// Reports the service refused.
    pub reports_refused: u64,
    /// Requests that failed.
    pub failures: u64,
    /// Newest plans the field would not run, and newest refusals: a few.
    pub remarks: Vec<String>,
}

/// How many remarks are kept.
const REMARKS_MAX: usize = 10;

/// A junction of the demo and its line to the service.
#[derive(Debug)]
struct Site {
    controller: FieldController,
    etag: Option<String>,
    poll_at: TimeDs,
    poll_after: Ds,
}

/// A running demo.
#[derive(Debug)]
struct Demo {
    options: DemoOptions,
    client: Client,
    street: Street,
    sites: Vec<Site>,
    progress: Progress,
    failures_in_a_row: u32,
}

/// Runs the demo to its end, or until it is called off; tells how it goes every ten seconds and once at the end.
///
/// # Errors
/// [`DemoError`].
pub fn run(options: DemoOptions, mut tell: impl FnMut(&Progress)) -> Result<Progress, DemoError> {
    let mut demo = Demo::new(options)?;
    let begun = Instant::now();
    let mut told = begun;
    let end = demo.options.length.map(|length| demo.options.start + length);
    while !demo.options.cancel.is_cancelled() && end.is_none_or(|end| demo.street.now() < end) {
        demo.second()?;
        if let Pace::Times(times) = demo.options.pace {
            let passed_s = demo.street.now().since(demo.options.start) as f64 / 10.0;
            wait_until(begun, passed_s / times, &demo.options.cancel);
        }
        if told.elapsed() >= TELL_EVERY {
            told = Instant::now();
            tell(demo.look());
        }
    }
    tell(demo.look());
    Ok(demo.progress)
}

/// Waits until so many seconds have passed, or it is called off.
fn wait_until(begun: Instant, s: f64, cancel: &Cancel) {
    let until = Duration::try_from_secs_f64(s).unwrap_or(Duration::ZERO);
    while !cancel.is_cancelled() {
        let left = until.saturating_sub(begun.elapsed());
        if left.is_zero() {
            return;
        }
        std::thread::sleep(left.min(NAP));
    }
}

impl Demo {
    fn new(options: DemoOptions) -> Result<Self, DemoError> {
        let client = Client::new(&options.address);
        let known = client.controllers()?;
        let mut sites = Vec::new();
        for controller in options.network.controllers() {
            if !known.iter().any(|k| k.name == controller.name) {
                return Err(DemoError::OtherNetwork { controller: controller.name.clone() });
            }
            let controller = FieldController::new(Arc::new(controller.clone()), STEP);
            sites.push(Site { controller, etag: None, poll_at: options.start, poll_after: POLL_AFTER.0 });
        }
        let street = Street::new(Arc::clone(&options.network), options.seed, options.start);
        let progress = Progress {
            at: options.start,
            vehicles: Totals::default(),
            mean_queue_veh: 0.0,
            on_published_plan: 0,
            plans_active: 0,
            plans_rejected: 0,
            fallbacks: 0,
            monitor_violations: 0,
            reports_refused: 0,
            failures: 0,
            remarks: Vec::new(),
        };
        Ok(Self { options, client, street, sites, progress, failures_in_a_row: 0 })
    }

    /// One second of the street: heads, traffic, reports, polls.
    fn second(&mut self) -> Result<(), DemoError> {
        let now = self.street.now();
        for i in 0..self.sites.len() {
            let heads = self.sites[i].controller.show(now);
            self.street.show(ControllerId::at(i), heads);
            self.acknowledge(i)?;
        }
        self.street.step();
        self.report()?;
        for i in 0..self.sites.len() {
            self.poll(i)?;
        }
        Ok(())
    }

    /// Reports what the loops saw in the second that just ended.
    fn report(&mut self) -> Result<(), DemoError> {
        let now = self.street.now();
        let begin = (now - STEP).rfc3339();
        let readings = self.street.read_loops();
        let detectors = self.options.network.detectors();
        let mut reports = Vec::with_capacity(readings.len());
        for (reading, detector) in readings.iter().zip(detectors) {
            // Rounded to what a detector resolves.
            let occupancy = ((reading.occupied_s / STEP.seconds()).clamp(0.0, 1.0) * 10_000.0).round() / 10_000.0;
            let (detector, begin) = ((&detector.name).into(), (&begin).into());
            let (length_s, count) = (STEP.seconds(), reading.count);
            reports.push(DetectorReport { detector, begin, length_s, count, occupancy, speed_mps: None });
        }
        let key = format!("demo-{}-{}", self.options.seed, now.0);
        // An answer may be lost after the request was heard: the same key makes asking again harmless.
        let answer = self.client.observe(&reports, &key).or_else(|_| self.client.observe(&reports, &key));
        match answer {
            Ok(accepted) => {
                self.failures_in_a_row = 0;
                self.progress.reports_refused += accepted.refused.len() as u64;
                if let Some(first) = accepted.refused.first() {
                    self.remark(format!("a report was refused: {} ({})", first.reason, first.code));
                }
                Ok(())
            }
            Err(error) => self.failed(error),
        }
    }

    /// Asks for a controller's timing when it is time to.
    fn poll(&mut self, i: usize) -> Result<(), DemoError> {
        let now = self.street.now();
        let site = &mut self.sites[i];
        if now < site.poll_at {
            return Ok(());
        }
        let polled = self.client.poll(&site.controller.database().name, site.etag.as_deref());
        let answer = match polled {
            Ok(Polled::Unchanged) => Ok(()),
            Ok(Polled::Timing { timing, etag, .. }) => {
                site.etag = etag;
                site.poll_after = Ds::from_seconds(timing.poll_after_s).unwrap_or(POLL_AFTER.0);
                match timing.order(site.controller.database()) {
                    Ok(order) => site.controller.receive(order, now),
                    Err(e) => {
                        site.controller.refuse(Revision(timing.revision), &timing.hash, e.to_string(), now);
                    }
                }
                Ok(())
            }
            Err(error) => Err(error),
        };
        site.poll_at = now + site.poll_after.clamp(POLL_AFTER.0, POLL_AFTER.1);
        answer.or_else(|error| self.failed(error))
    }

    /// Passes on what a controller has to tell.
    fn acknowledge(&mut self, i: usize) -> Result<(), DemoError> {
        for told in self.sites[i].controller.acknowledge() {
            let name = &self.sites[i].controller.database().name;
            let sent = self.client.acknowledge(name, &told);
            match &told.state {
                State::Active => self.progress.plans_active += 1,
                State::LocalMode => self.progress.fallbacks += 1,
                State::Rejected(why) => {
                    self.progress.plans_rejected += 1;
                    let remark = format!("controller '{name}' rejects revision {}: {why}", told.revision.0);
                    self.remark(remark);
                }
                State::Received | State::Validated | State::SwitchedOn => {}
            }
            if let Err(error) = sent {
                self.failed(error)?;
            }
        }
        Ok(())
    }

    /// A street goes on when a request fails, as a real one must; a service that stays away ends the demo.
    fn failed(&mut self, error: ClientError) -> Result<(), DemoError> {
        self.progress.failures += 1;
        self.failures_in_a_row += 1;
        if self.failures_in_a_row >= FAILURES_IN_A_ROW_MAX {
            return Err(DemoError::ServiceGone { failures: self.failures_in_a_row, last: error });
        }
        self.remark(error.to_string());
        Ok(())
    }

    fn remark(&mut self, text: String) {
        if self.progress.remarks.len() >= REMARKS_MAX {
            self.progress.remarks.remove(0);
        }
        self.progress.remarks.push(text);
    }

    /// Brings the progress up to date.
    fn look(&mut self) -> &Progress {
        self.progress.at = self.street.now();
        self.progress.vehicles = self.street.totals();
        self.progress.mean_queue_veh = self.street.mean_queue();
        self.progress.on_published_plan =
            self.sites.iter().filter(|s| s.controller.running_revision().is_some()).count();
        self.progress.monitor_violations = self.sites.iter().map(|s| s.controller.monitor().violations()).sum();
        &self.progress
    }
}
