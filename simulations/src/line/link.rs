//! One line for the whole field.

use std::path::PathBuf;
use std::sync::Arc;

use greenkerb_models::detection::Picture;
use greenkerb_models::ids::ControllerId;
use greenkerb_models::network::Network;
use greenkerb_models::plan::Revision;
use greenkerb_models::units::{Ds, TimeDs};

use super::exchange::Exchange;
use super::process::{ServiceError, ServiceProcess};
use super::service::Service;
use crate::client::{Asked, ClientError, Polled};
use crate::field::{FieldController, State};
use crate::recording::{Manifest, Recorder, RecordingError};
use crate::sensing::{Faults, Reporter, Sighting};

/// Shortest time between two polls of one controller, whatever the service says.
const POLL_AFTER_MIN: Ds = Ds(1);
/// Longest.
const POLL_AFTER_MAX: Ds = Ds::from_s(60);

/// How a line is used.
#[derive(Debug, Clone, PartialEq)]
pub struct LineOptions {
    /// How often detectors report.
    pub interval: Ds,
    /// When the street begins.
    pub begin: TimeDs,
    /// What is broken on purpose.
    pub faults: Faults,
    /// Tells the batches of this run from those of others.
    pub key: String,
    /// So many failed requests in a row end the run; none: a street goes on, as a real one must.
    pub failures_in_a_row_max: Option<u32>,
    /// Folder for everything that passes.
    pub record: Option<PathBuf>,
}

impl LineOptions {
    /// Reports every second from `begin` on, nothing broken, nothing recorded, no failure forgiven.
    #[must_use]
    pub fn new(begin: TimeDs) -> Self {
        Self {
            interval: Ds::from_s(1),
            begin,
            faults: Faults::default(),
            key: "street".to_owned(),
            failures_in_a_row_max: Some(1),
            record: None,
        }
    }
}

/// Why a line is of no use any more.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    /// The service does not answer as agreed.
    #[error("the service: {0}")]
    Client(#[from] ClientError),
    /// The service's process has ended.
    #[error(transparent)]
    Process(#[from] ServiceError),
    /// The service stays away.
    #[error("{failures} requests in a row failed, the last one with: {last}")]
    Gone {
        /// How many.
        failures: u32,
        /// Why the last.
        last: ClientError,
    },
    /// The service serves another network.
    #[error("the service does not know controller '{controller}': it serves another network")]
    OtherNetwork {
        /// The controller.
        controller: String,
    },
    /// The recording cannot be written.
    #[error(transparent)]
    Recording(#[from] RecordingError),
}

/// What a controller knows of the service.
#[derive(Debug, Clone)]
struct Poller {
    etag: Option<String>,
    poll_at: TimeDs,
    poll_after: Ds,
}

/// The line from a field of controllers and detectors to the service.
#[derive(Debug)]
pub struct Line {
    service: Box<dyn Service>,
    /// The service's process, when it is ours to watch.
    process: Option<ServiceProcess>,
    network: Arc<Network>,
    options: LineOptions,
    reporter: Reporter,
    pollers: Vec<Poller>,
    recorder: Option<Recorder>,
    exchange: Exchange,
    failures_in_a_row: u32,
}

impl Line {
    /// A line for the field of a network.
    ///
    /// # Errors
    /// [`LineError`] when the service does not answer or serves another network, or the recording cannot be begun.
    pub fn open(
        mut service: Box<dyn Service>,
        process: Option<ServiceProcess>,
        network: Arc<Network>,
        options: LineOptions,
    ) -> Result<Self, LineError> {
        let known = service.controllers()?;
        let unknown = network.controllers().iter().find(|c| !known.iter().any(|k| k.name == c.name));
        if let Some(unknown) = unknown {
            return Err(LineError::OtherNetwork { controller: unknown.name.clone() });
        }
        let manifest = || Manifest::of(&network, options.begin, options.interval, &options.faults);
        let recorder = options.record.as_ref().map(|folder| Recorder::create(folder, &manifest())).transpose()?;
        let poller = Poller { etag: None, poll_at: options.begin, poll_after: POLL_AFTER_MIN };
        Ok(Self {
            reporter: Reporter::new(&network, options.faults.clone(), options.interval, options.begin),
            pollers: vec![poller; network.controllers().len()],
            exchange: Exchange::default(),
            failures_in_a_row: 0,
            service,
            process,
            network,
            options,
            recorder,
        })
    }

    /// What has passed.
    #[must_use]
    pub const fn exchange(&self) -> &Exchange {
        &self.exchange
    }

    /// The detectors' end of the line.
    #[must_use]
    pub const fn reporter(&self) -> &Reporter {
        &self.reporter
    }

    /// Wall time of every decision, in seconds, where the service can tell it.
    #[must_use]
    pub fn solver_times_s(&self) -> &[f64] {
        self.service.solver_times_s()
    }

    /// At `now`: reports what detectors have `seen`, and the `pictures` that were taken of junctions, where an interval
    /// ends, and lets every controller poll whose time it is. `field` are the network's controllers, in its order.
    ///
    /// # Errors
    /// [`LineError`] when the line is of no use any more.
    pub fn tend(
        &mut self,
        field: &mut [FieldController],
        now: TimeDs,
        seen: impl FnOnce() -> Vec<Sighting>,
        pictures: impl FnOnce() -> Vec<Picture>,
    ) -> Result<(), LineError> {
        if self.reporter.is_due(now) {
            self.report(&seen(), &pictures(), now)?;
        }
        // Before the first report the service does not know what time it is.
        if now.since(self.options.begin) >= i64::from(self.options.interval.0) {
            for (i, controller) in field.iter_mut().enumerate() {
                if now >= self.pollers[i].poll_at && !self.reporter.is_cut(ControllerId::at(i), now) {
                    self.poll(i, controller, now)?;
                }
            }
        }
        Ok(())
    }

    /// Passes on what the controllers have to tell. What a cut line cannot carry is told when it is whole again.
    ///
    /// # Errors
    /// [`LineError`] when the line is of no use any more.
    pub fn acknowledge(&mut self, field: &mut [FieldController], now: TimeDs) -> Result<(), LineError> {
        for (i, controller) in field.iter_mut().enumerate() {
            if self.reporter.is_cut(ControllerId::at(i), now) {
                continue;
            }
            for told in controller.acknowledge() {
                let name = &controller.database().name;
                match &told.state {
                    State::Active => self.exchange.plans_activated += 1,
                    State::LocalMode => self.exchange.fallbacks += 1,
                    State::Rejected(why) => {
                        self.exchange.plans_rejected += 1;
                        let remark = format!("controller '{name}' rejects revision {}: {why}", told.revision.0);
                        self.exchange.remark(remark);
                    }
                    State::Received | State::Validated | State::SwitchedOn => {}
                }
                match self.service.acknowledge(name, &told) {
                    Ok(()) => self.failures_in_a_row = 0,
                    Err(error) => self.failed(error)?,
                }
            }
        }
        Ok(())
    }

    /// Ends the recording, if there is one; what passed.
    ///
    /// # Errors
    /// [`LineError::Recording`].
    pub fn close(mut self) -> Result<Exchange, LineError> {
        if let Some(recorder) = self.recorder.take() {
            recorder.finish()?;
        }
        Ok(self.exchange)
    }

    fn report(&mut self, seen: &[Sighting], pictures: &[Picture], now: TimeDs) -> Result<(), LineError> {
        let told = self.reporter.report(seen, now);
        if let Some(recorder) = &mut self.recorder {
            recorder.batch(&self.network, &told, pictures)?;
        }
        self.exchange.reports_sent += told.len() as u64;
        self.exchange.pictures_sent += pictures.len() as u64;
        let key = format!("{}-{}", self.options.key, now.0);
        let mut say = || self.service.observe(&self.network, &told, pictures, &key);
        // A request whose answer was lost may have been heard: the same key makes asking again harmless.
        match say().or_else(|_| say()) {
            Ok(accepted) => {
                self.failures_in_a_row = 0;
                self.exchange.reports_refused += accepted.refused.len() as u64;
                if let Some(first) = accepted.refused.first() {
                    let whose = first.detector.as_deref().or(first.controller.as_deref()).unwrap_or("?");
                    let remark = format!("report of '{whose}' refused: {} ({})", first.reason, first.code);
                    self.exchange.remark(remark);
                }
                Ok(())
            }
            Err(error) => self.failed(error),
        }
    }

    fn poll(&mut self, i: usize, controller: &mut FieldController, now: TimeDs) -> Result<(), LineError> {
        self.exchange.polls += 1;
        let poller = &mut self.pollers[i];
        let polled = self.service.poll(&controller.database().name, poller.etag.as_deref());
        let mut failure = None;
        match polled {
            Ok(Polled::Unchanged) => self.failures_in_a_row = 0,
            Ok(Polled::Timing { timing, body, etag }) => {
                self.failures_in_a_row = 0;
                self.exchange.plans_served += 1;
                if let Some(recorder) = &mut self.recorder {
                    recorder.timing(&controller.database().name, now, &body)?;
                }
                poller.etag = etag;
                poller.poll_after = Ds::from_seconds(timing.poll_after_s).unwrap_or(POLL_AFTER_MIN);
                match timing.order(controller.database()) {
                    Ok(Asked::Plan(order)) => controller.receive(*order, now),
                    Ok(Asked::Schedule(order)) => controller.receive_schedule(*order, now),
                    Err(error) => {
                        controller.refuse(Revision(timing.revision), &timing.hash, error.to_string(), now);
                    }
                }
            }
            Err(error) => failure = Some(error),
        }
        let poller = &mut self.pollers[i];
        poller.poll_at = now + poller.poll_after.clamp(POLL_AFTER_MIN, POLL_AFTER_MAX);
        failure.map_or(Ok(()), |error| self.failed(error))
    }

    /// A service that was lent to us may fail, and the street goes on; one of our own must not.
    fn failed(&mut self, error: ClientError) -> Result<(), LineError> {
        if let Some(process) = &mut self.process {
            process.check()?;
        }
        self.exchange.failures += 1;
        self.failures_in_a_row += 1;
        match self.options.failures_in_a_row_max {
            Some(0 | 1) => Err(error.into()),
            Some(max) if self.failures_in_a_row >= max => {
                Err(LineError::Gone { failures: self.failures_in_a_row, last: error })
            }
            _ => {
                self.exchange.remark(error.to_string());
                Ok(())
            }
        }
    }
}
