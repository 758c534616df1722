//! Ours: field controllers at every signal of the built-in street that run what the service publishes, and detectors that
//! tell it what they see. The service is its core in this process, or the whole of it over HTTP; the same reports give the
//! same plans either way.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use greenkerb_models::formats::native;
use greenkerb_models::ids::ControllerId;
use greenkerb_models::network::{Network, NetworkError};
use greenkerb_models::units::Ds;
use greenkerb_optimizer::signals::{Mode, Settings};
use tempfile::TempDir;

use super::{Control, ControlError, Heads};
use crate::cancel::Cancel;
use crate::client::Client;
use crate::field::FieldController;
use crate::line::{
    self, Exchange, InProcess, InProcessOptions, Line, LineError, LineOptions, Service, ServiceError, ServiceProcess,
};
use crate::micro::Micro;
use crate::scenarios::Scenario;
use crate::sensing::{Faults, Pictures, Sensors, with_detectors};

/// Name of the method.
const NAME: &str = "ours";

/// How our control is run.
#[derive(Debug, Clone, PartialEq)]
pub struct OursOptions {
    /// How often detectors report; a multiple of the street's tick.
    pub interval: Ds,
    /// Every vehicle near the junctions is seen as well, each time detectors report.
    pub pictures: bool,
    /// How a service of our own times the controllers.
    pub mode: Mode,
    /// What is broken on purpose.
    pub faults: Faults,
    /// Folder for everything that passes between field and service.
    pub record: Option<PathBuf>,
    /// Tells the batches of this run from those of others at the same service.
    pub key: String,
    /// So many requests that fail in a row end the run, where the service is lent; none: the street goes on, as a real
    /// one must. A service of our own must not fail at all.
    pub failures_in_a_row_max: Option<u32>,
}

impl Default for OursOptions {
    fn default() -> Self {
        Self {
            interval: Ds::from_s(1),
            pictures: false,
            mode: Mode::default(),
            faults: Faults::default(),
            record: None,
            key: NAME.to_owned(),
            failures_in_a_row_max: None,
        }
    }
}

impl OursOptions {
    /// Reports every second, or every tick where ticks are longer.
    #[must_use]
    pub fn for_scenario(scenario: &Scenario) -> Self {
        let tick = scenario.tick.0.max(1);
        Self { interval: Ds(Ds::from_s(1).0.div_ceil(tick) * tick), ..Self::default() }
    }

    /// The same, with every vehicle near the junctions seen, for a service that makes schedules.
    #[must_use]
    pub fn with_schedules(scenario: &Scenario) -> Self {
        Self { pictures: true, mode: Mode::Schedule, ..Self::for_scenario(scenario) }
    }
}

/// Why there is no control of ours.
#[derive(Debug, thiserror::Error)]
pub enum OursError {
    /// Detectors cannot be laid.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// Detectors cannot report as often as asked for.
    #[error("detectors report every {interval}: that is no multiple of the street's tick of {tick}")]
    Interval {
        /// The interval.
        interval: Ds,
        /// The tick.
        tick: Ds,
    },
    /// The service does not start.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// The line to the service is of no use.
    #[error(transparent)]
    Line(#[from] LineError),
    /// A file for the service cannot be written.
    #[error("{}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
}

/// Our service in control of the built-in street.
#[derive(Debug)]
pub struct Ours {
    sensors: Sensors,
    /// Where every vehicle is seen.
    pictures: Option<Pictures>,
    field: Vec<FieldController>,
    line: Line,
    /// Files of a service of our own; removed with it.
    _folder: Option<TempDir>,
}

impl Ours {
    /// Under the service's core in this process.
    ///
    /// # Errors
    /// [`OursError`].
    pub fn in_process(scenario: &Scenario, options: OursOptions, service: InProcessOptions) -> Result<Self, OursError> {
        let network = with_detectors(&scenario.network)?;
        let mut optimizer = Settings { mode: options.mode, ..service.optimizer };
        // Controllers show in the same step what was decided in it.
        optimizer.policy.frozen = Ds::ZERO;
        let service = InProcessOptions { optimizer, ..service };
        let service = InProcess::new(Arc::clone(&network), service);
        Self::new(scenario, network, options, Box::new(service), None, None)
    }

    /// Under a service that runs somewhere, with this scenario's network and its clock set by the data. It may fail now
    /// and then; controllers go on with what they have.
    ///
    /// # Errors
    /// [`OursError`].
    pub fn over_http(scenario: &Scenario, options: OursOptions, address: &str) -> Result<Self, OursError> {
        let network = with_detectors(&scenario.network)?;
        Self::new(scenario, network, options, Box::new(Client::new(address)), None, None)
    }

    /// Under a service of its own: `program serve` is started for this run and ended with it.
    ///
    /// # Errors
    /// [`OursError`].
    pub fn with_service(
        scenario: &Scenario,
        options: OursOptions,
        program: &Path,
        settings: Option<&Path>,
        cancel: &Cancel,
    ) -> Result<Self, OursError> {
        let network = with_detectors(&scenario.network)?;
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| OursError::Write { path, source }
        };
        let folder = tempfile::tempdir().map_err(failed(&std::env::temp_dir()))?;
        let path = folder.path().join("network.gkn");
        let mut text = Vec::new();
        native::write(network.parts(), &mut text).map_err(failed(&path))?;
        std::fs::write(&path, text).map_err(failed(&path))?;
        let in_step = folder.path().join("settings.toml");
        std::fs::write(&in_step, line::SETTINGS_IN_STEP).map_err(failed(&in_step))?;
        let process = ServiceProcess::start(
            program,
            &path,
            Some(settings.unwrap_or(&in_step)),
            options.mode,
            folder.path(),
            cancel,
        )?;
        let client = Client::new(process.address());
        Self::new(scenario, network, options, Box::new(client), Some(process), Some(folder))
    }

    fn new(
        scenario: &Scenario,
        network: Arc<Network>,
        options: OursOptions,
        service: Box<dyn Service>,
        process: Option<ServiceProcess>,
        folder: Option<TempDir>,
    ) -> Result<Self, OursError> {
        let OursOptions { interval, pictures, mode: _, faults, record, key, failures_in_a_row_max } = options;
        if scenario.tick == Ds::ZERO || interval == Ds::ZERO || !interval.0.is_multiple_of(scenario.tick.0) {
            return Err(OursError::Interval { interval, tick: scenario.tick });
        }
        let lent = process.is_none();
        let controllers = network.controllers().iter();
        let field = controllers.map(|c| FieldController::new(Arc::new(c.clone()), scenario.tick)).collect();
        let sensors = Sensors::of(&network);
        let pictures = pictures.then(|| Pictures::of(&network));
        let line = LineOptions {
            interval,
            faults,
            key,
            record,
            failures_in_a_row_max: if lent { failures_in_a_row_max } else { Some(1) },
            ..LineOptions::new(scenario.begin)
        };
        let line = Line::open(service, process, network, line)?;
        Ok(Self { sensors, pictures, field, line, _folder: folder })
    }

    /// What has passed between field and service.
    #[must_use]
    pub const fn exchange(&self) -> &Exchange {
        self.line.exchange()
    }

    /// Detectors that fail on purpose.
    #[must_use]
    pub fn faulty_detectors(&self) -> usize {
        self.line.reporter().faulty_detectors()
    }

    /// The field controllers, in the network's order, each with its conflict monitor.
    #[must_use]
    pub fn field(&self) -> &[FieldController] {
        &self.field
    }

    /// Ends the run's recording, if there is one, and the service, where it is our own; what passed.
    ///
    /// # Errors
    /// [`LineError`] when the recording cannot be written to its end.
    pub fn close(self) -> Result<Exchange, LineError> {
        self.line.close()
    }
}

impl Control for Ours {
    fn decide(&mut self, street: &Micro, heads: &mut Heads) -> Result<(), ControlError> {
        let now = street.now();
        let Self { sensors, pictures, field, line, .. } = self;
        let failed = |e: LineError| ControlError::Service { controller: NAME.to_owned(), reason: e.to_string() };
        sensors.see(street);
        let taken = || {
            pictures.as_mut().map_or_else(Vec::new, |p| {
                p.see_all(street);
                p.take(now)
            })
        };
        line.tend(field, now, || sensors.take(), taken).map_err(failed)?;
        for (i, controller) in field.iter_mut().enumerate() {
            heads.set_all(ControllerId::at(i), controller.show(now));
        }
        line.acknowledge(field, now).map_err(failed)
    }

    fn solver_times_s(&self) -> &[f64] {
        self.line.solver_times_s()
    }
}
