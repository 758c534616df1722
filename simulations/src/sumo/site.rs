//! The field in this street: one controller a junction, and its line to the service.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

use greenkerb_models::network::Network;
use greenkerb_models::plan::Revision;
use greenkerb_models::signal::Controller;
use greenkerb_models::units::{Ds, TimeDs};

use super::error::SumoError;
use super::faults::FaultyDetectors;
use super::lights::Light;
use super::loops::Sighting;
use super::report::Exchange;
use super::service::ServiceProcess;
use crate::client::{Client, ClientError, DetectorReport, Polled};
use crate::field::{FieldController, State};

/// How many remarks a report repeats.
const REMARKS_MAX: usize = 20;
/// Shortest time between two polls of one controller, whatever the service says.
const POLL_AFTER_MIN: Ds = Ds(1);
/// Longest.
const POLL_AFTER_MAX: Ds = Ds::from_s(60);

/// A junction: its controller, its lamps, and what it knows of the service.
#[derive(Debug)]
pub(super) struct Site {
    pub(super) controller: FieldController,
    pub(super) light: Light,
    etag: Option<String>,
    poll_at: TimeDs,
    poll_after: Ds,
}

impl Site {
    pub(super) fn new(controller: &Arc<Controller>, light: Light, step: Ds, now: TimeDs) -> Self {
        let controller = FieldController::new(Arc::clone(controller), step);
        Self { controller, light, etag: None, poll_at: now, poll_after: POLL_AFTER_MIN }
    }
}

/// Files with everything that passed between field and service.
#[derive(Debug)]
pub(super) struct Recording {
    observations: BufWriter<File>,
    timings: BufWriter<File>,
}

impl Recording {
    /// Opens `observations.ndjson` and `timings.ndjson` in a folder.
    pub(super) fn into_folder(folder: &Path) -> Result<Self, SumoError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| SumoError::Write { path, source }
        };
        std::fs::create_dir_all(folder).map_err(failed(folder))?;
        let create = |name: &str| {
            let path = folder.join(name);
            File::create(&path).map(BufWriter::new).map_err(failed(&path))
        };
        Ok(Self { observations: create("observations.ndjson")?, timings: create("timings.ndjson")? })
    }

    fn observations(&mut self, reports: &[DetectorReport<'_>]) -> std::io::Result<()> {
        for report in reports {
            serde_json::to_writer(&mut self.observations, report)?;
            self.observations.write_all(b"\n")?;
        }
        Ok(())
    }

    fn timing(&mut self, controller: &str, at: TimeDs, body: &str) -> std::io::Result<()> {
        let name = serde_json::to_string(controller)?;
        writeln!(self.timings, r#"{{"polled_at":"{}","controller":{name},"timing":{body}}}"#, at.rfc3339())
    }

    pub(super) fn finish(mut self) -> std::io::Result<()> {
        self.observations.flush()?;
        self.timings.flush()
    }
}

/// The line from the field to the service.
#[derive(Debug)]
pub(super) struct Line {
    client: Client,
    /// The service, when it is ours to watch.
    process: Option<ServiceProcess>,
    seed: u64,
    interval_s: u32,
    faulty: FaultyDetectors,
    pub(super) recording: Option<Recording>,
    pub(super) exchange: Exchange,
}

impl Line {
    pub(super) fn new(
        client: Client,
        process: Option<ServiceProcess>,
        seed: u64,
        interval_s: u32,
        faulty: FaultyDetectors,
        recording: Option<Recording>,
    ) -> Self {
        Self { client, process, seed, interval_s, faulty, recording, exchange: Exchange::default() }
    }

    /// Reports what the detectors saw in the interval that ends at `now`.
    pub(super) fn report(&mut self, network: &Network, seen: &[Sighting], now: TimeDs) -> Result<(), SumoError> {
        let length_s = f64::from(self.interval_s);
        let begin = (now - Ds::from_s(self.interval_s)).rfc3339();
        let mut reports = Vec::with_capacity(seen.len());
        for (i, (sighting, detector)) in seen.iter().zip(network.detectors()).enumerate() {
            // Rounded to what a detector resolves; the union of stays may pass the interval by a rounding error.
            let occupancy = ((sighting.occupied_s / length_s).clamp(0.0, 1.0) * 10_000.0).round() / 10_000.0;
            if let Some((count, occupancy)) = self.faulty.distort(i, sighting.count, occupancy, length_s) {
                reports.push(DetectorReport { detector: &detector.name, begin: &begin, length_s, count, occupancy });
            }
        }
        self.record(|recording| recording.observations(&reports))?;
        self.exchange.reports_sent += reports.len() as u64;
        let key = format!("street-{}-{}", self.seed, now.0);
        // A request whose answer was lost may have been heard: the same key makes asking again harmless.
        let answer = self.client.observe(&reports, &key).or_else(|_| self.client.observe(&reports, &key));
        match answer {
            Ok(accepted) => {
                self.exchange.reports_refused += accepted.refused.len() as u64;
                if let Some(first) = accepted.refused.first() {
                    let detector = first.detector.as_deref().unwrap_or("?");
                    self.remark(format!("report of '{detector}' refused: {} ({})", first.reason, first.code));
                }
                Ok(())
            }
            Err(error) => self.failed(error),
        }
    }

    /// Polls for a site when it is time to.
    pub(super) fn poll(&mut self, site: &mut Site, now: TimeDs) -> Result<(), SumoError> {
        if now < site.poll_at {
            return Ok(());
        }
        self.exchange.polls += 1;
        let name = site.controller.database().name.clone();
        match self.client.poll(&name, site.etag.as_deref()) {
            Ok(Polled::Unchanged) => {}
            Ok(Polled::Timing { timing, body, etag }) => {
                self.exchange.plans_served += 1;
                self.record(|recording| recording.timing(&name, now, &body))?;
                site.etag = etag;
                site.poll_after = Ds::from_seconds(timing.poll_after_s).unwrap_or(POLL_AFTER_MIN);
                match timing.order(site.controller.database()) {
                    Ok(order) => site.controller.receive(order, now),
                    Err(error) => {
                        site.controller.refuse(Revision(timing.revision), &timing.hash, error.to_string(), now);
                    }
                }
            }
            Err(error) => self.failed(error)?,
        }
        site.poll_at = now + site.poll_after.clamp(POLL_AFTER_MIN, POLL_AFTER_MAX);
        Ok(())
    }

    /// Passes on what a controller has to tell.
    pub(super) fn acknowledge(&mut self, site: &mut Site) -> Result<(), SumoError> {
        for told in site.controller.acknowledge() {
            match &told.state {
                State::Active => self.exchange.plans_activated += 1,
                State::LocalMode => self.exchange.fallbacks += 1,
                State::Rejected(why) => {
                    self.exchange.plans_rejected += 1;
                    let name = &site.controller.database().name;
                    let remark = format!("controller '{name}' rejects revision {}: {why}", told.revision.0);
                    self.remark(remark);
                }
                State::Received | State::Validated | State::SwitchedOn => {}
            }
            if let Err(error) = self.client.acknowledge(&site.controller.database().name, &told) {
                self.failed(error)?;
            }
        }
        Ok(())
    }

    fn record(&mut self, write: impl FnOnce(&mut Recording) -> std::io::Result<()>) -> Result<(), SumoError> {
        let written = self.recording.as_mut().map_or(Ok(()), write);
        written.map_err(|source| SumoError::Write { path: "the recording".into(), source })
    }

    /// A service that was lent to us may fail: the street goes on, as a real one must. Our own must not.
    fn failed(&mut self, error: ClientError) -> Result<(), SumoError> {
        if let Some(process) = &mut self.process {
            process.check()?;
            return Err(error.into());
        }
        self.exchange.failures += 1;
        self.remark(error.to_string());
        Ok(())
    }

    fn remark(&mut self, text: String) {
        if self.exchange.remarks.len() < REMARKS_MAX {
            self.exchange.remarks.push(text);
        }
    }
}
