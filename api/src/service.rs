//! The service as a whole: from a network file and a data directory to a listening socket, and back down.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use greenkerb_models::detection::Vicinity;
use greenkerb_models::formats;
use greenkerb_models::network::Network;
use greenkerb_models::units::TimeDs;
use greenkerb_optimizer::signals::SignalOptimizer;
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;

use crate::descriptors;
use crate::engine::actor::Engine;
use crate::engine::board::Board;
use crate::engine::clock::Clock;
use crate::engine::core::{Owed, Shared};
use crate::engine::decider::MakeDecider;
use crate::engine::metrics::Metrics;
use crate::engine::recovery;
use crate::engine::source::NetworkFile;
use crate::engine::vitals::Vitals;
use crate::http::front::Front;
use crate::http::{self, App, Parts, server};
use crate::settings::ServiceSettings;
use crate::store::{AuditEvent, EmbeddedStore, NetworkRecord, Store, StoreError};

/// Publications of each controller that a restart remembers, beside the one it shows.
const REMEMBERED: usize = 4;

/// Where the network comes from.
#[derive(Debug)]
pub enum NetworkSource {
    /// A file; the service tells when it changes.
    File(PathBuf),
    /// Part of the program.
    BuiltIn(Box<Network>),
}

/// What the store says of a network that is no file.
const BUILT_IN: &str = "(built in)";

/// What a service is started with.
#[derive(Debug)]
pub struct Options {
    /// The network.
    pub network: NetworkSource,
    /// Where to listen.
    pub listen: SocketAddr,
    /// Where to keep what must survive; `None` keeps it in memory.
    pub data: Option<PathBuf>,
    /// What time it is.
    pub clock: Clock,
    /// Settings.
    pub settings: ServiceSettings,
}

/// Why a service does not start.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// The network file cannot be used.
    #[error(transparent)]
    Network(#[from] formats::FormatError),
    /// The network's projection cannot be used.
    #[error(transparent)]
    Projection(#[from] greenkerb_models::network::ProjectionError),
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The settings name a controller that the network does not have.
    #[error("settings: controllers: the network has no controller '{name}'")]
    Controller {
        /// The name.
        name: String,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}; --listen takes another address, and port 0 any free one")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
    /// The network cannot be written, or there is no thread.
    #[error("{what}: {source}")]
    Io {
        /// What was being done.
        what: String,
        /// Why it failed.
        source: std::io::Error,
    },
}

/// A service that listens and is not served yet.
#[derive(Debug)]
pub struct Service {
    listener: TcpListener,
    app: App,
    notes: Vec<String>,
    connections_max: usize,
}

/// What answers and offline work need, at work.
#[derive(Debug)]
pub struct Started {
    /// What its parts share.
    pub shared: Shared,
    /// The way to its thread.
    pub engine: Engine,
    /// What whoever started it should know.
    pub notes: Vec<String>,
}

/// Opens everything that answers and offline work need: store, board, engine.
///
/// # Errors
/// [`ServiceError`].
pub fn engine(
    network: Arc<Network>,
    file: Option<NetworkFile>,
    data: Option<&Path>,
    clock: Clock,
    settings: ServiceSettings,
) -> Result<Started, ServiceError> {
    if let Some(name) = settings.optimizer.modes.keys().find(|name| network.controller_named(name).is_none()) {
        return Err(ServiceError::Controller { name: name.clone() });
    }
    let store: Arc<dyn Store> = match data {
        Some(directory) => Arc::new(EmbeddedStore::open(directory)?),
        None => Arc::new(EmbeddedStore::in_memory()?),
    };
    let recovered = store.recover()?;
    let mut native = Vec::new();
    formats::native::write(network.parts(), &mut native)
        .map_err(|source| ServiceError::Io { what: "writing the network".to_owned(), source })?;
    let fingerprint = hex::encode(Sha256::digest(&native));
    let record = NetworkRecord {
        name: network.name().to_owned(),
        fingerprint: fingerprint.clone(),
        file: file.as_ref().map_or_else(|| BUILT_IN.to_owned(), |f| f.path().display().to_string()),
        native,
        settings: settings.text.clone(),
        clock_source: clock.source_name().to_owned(),
    };
    let last = recovered.network.clone();
    let clock = Arc::new(clock);
    if let Some(at) = recovered.clock {
        clock.recall(at, last.as_ref().map(|n| n.clock_source.as_str()).filter(|s| !s.is_empty()));
    }
    let policy = &settings.optimizer.policy;
    let acks = recovered.acks.clone();
    let spent = recovered.revisions.clone();
    let kept = recovery::in_force(&network, policy, recovered);
    let notes = last.as_ref().map(|last| differences(last, &record, kept.told.len())).unwrap_or_default();
    let mut events = kept.dropped;
    if last.as_ref().map(|n| &n.fingerprint) != Some(&fingerprint) {
        let before = last.as_ref().map(|n| n.fingerprint.clone());
        events.push(AuditEvent::Network { name: record.name.clone(), fingerprint, before });
    }
    let vitals = Arc::new(Vitals::default());
    let mut owed = None;
    // A store that can be read and not be written, as on a full disk, serves what it has.
    if (last.as_ref() != Some(&record) || !events.is_empty())
        && let Err(e) = store.set_network(&record, &events)
    {
        if kept.plans.is_empty() {
            return Err(e.into());
        }
        tracing::error!(error = %e, "the store cannot be written; what it holds is served");
        vitals.set_store_failure(Some(e.to_string()));
        owed = Some(Owed { network: record, events });
    }
    let board = Arc::new(Board::new(network.clone(), settings.poll_after, policy.transition));
    for plan in kept.plans {
        if let Some(id) = network.controller_named(&plan.get().controller) {
            // A controller may still run, and acknowledge, what was published before the last.
            // None of it is needed to serve the last, so none of it may keep the service from starting.
            match store.history(&plan.get().controller, REMEMBERED) {
                Ok(history) => history.iter().rev().for_each(|before| board.remember(id, before)),
                Err(e) => tracing::warn!(error = %e, "what was published before the last plan is not remembered"),
            }
        }
        board.show(plan);
    }
    for (name, ack) in acks {
        if let Some(id) = network.controller_named(&name) {
            board.recall(id, ack);
        }
    }
    vitals.set_dropped(kept.told);
    let optimizer_settings = settings.optimizer.clone();
    let shared = Shared {
        vicinity: Arc::new(Vicinity::of(&network)),
        network: network.clone(),
        board,
        clock,
        store,
        metrics: Arc::new(Metrics::new()),
        vitals,
        settings: Arc::new(settings),
    };
    let make: MakeDecider =
        Box::new(move || Box::new(SignalOptimizer::new(network.clone(), optimizer_settings.clone())));
    let engine = Engine::start(shared.clone(), make, spent, owed, file)
        .map_err(|source| ServiceError::Io { what: "starting the engine".to_owned(), source })?;
    Ok(Started { shared, engine, notes })
}

/// What is to be said about data that another service, or this one told otherwise, has left.
fn differences(last: &NetworkRecord, now: &NetworkRecord, dropped: usize) -> Vec<String> {
    let mut notes = Vec::new();
    if last.fingerprint != now.fingerprint {
        notes.push(format!(
            "the data are those of another network: '{}' from {}; this is '{}' from {}; stored plans not served: {dropped}",
            last.name, last.file, now.name, now.file
        ));
    }
    if !last.clock_source.is_empty() && last.clock_source != now.clock_source {
        let rest = match now.clock_source.as_str() {
            "external" => "reports of another time are refused until most detectors agree on it",
            _ => "reports of another time are refused",
        };
        notes.push(format!(
            "the data were kept with --clock {}, this is --clock {}: {rest}",
            last.clock_source, now.clock_source
        ));
    }
    notes
}

impl Service {
    /// Loads the network, recovers what was in force, and listens.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn start(options: Options) -> Result<Self, ServiceError> {
        let (network, file) = match options.network {
            NetworkSource::File(path) => {
                // Before it is read, so that no change slips in between.
                let file = NetworkFile::of(&path);
                (formats::read(&path)?.network, Some(file))
            }
            NetworkSource::BuiltIn(network) => (*network, None),
        };
        let network = Arc::new(network);
        let places = http::places(&network)?;
        let geojson = http::geojson(&network, &places)?;
        let body = serde_json::to_vec(&geojson).unwrap_or_default();
        // Before anything is written: who finds the address taken has made nothing.
        let listener = TcpListener::bind(options.listen)
            .await
            .map_err(|source| ServiceError::Listen { address: options.listen, source })?;
        let (connections_max, short) = descriptors::connections(options.settings.connections_max);
        let Started { shared, engine, mut notes } =
            engine(network, file, options.data.as_deref(), options.clock, options.settings)?;
        let checksums =
            shared.network.controllers().iter().map(greenkerb_models::signal::Controller::checksum).collect();
        let openapi = http::openapi_json().into();
        let memory = http::body::Memory::of(shared.settings.bodies_bytes_max);
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let app = App::new(Parts {
            shared,
            engine,
            geojson: body.into(),
            places,
            checksums,
            openapi,
            memory,
            reading: tokio::sync::Semaphore::new((cores / 2).max(1)),
            ending: tokio::sync::watch::Sender::new(false),
        });
        notes.extend(short);
        Ok(Self { listener, app, notes, connections_max })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// The operating system's.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// What whoever started it should know.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// What time it is; with an external clock none until something sets it, be it only what an earlier life kept.
    #[must_use]
    pub fn now(&self) -> Option<TimeDs> {
        self.app.shared.clock.now()
    }

    /// Serves until `stop` is done; what has begun is finished.
    ///
    /// # Errors
    /// [`ServiceError`] when there is no thread to serve on.
    pub async fn serve(self, stop: impl Future<Output = ()>) -> Result<(), ServiceError> {
        let app = self.app.clone();
        let settings = &app.shared.settings;
        let limits = server::Limits {
            connections_max: self.connections_max,
            header_timeout: settings.header_timeout,
            write_timeout: settings.write_timeout,
        };
        let stop = async {
            stop.await;
            app.ending.send_replace(true);
        };
        let connections = app.shared.metrics.connections.clone();
        let served = server::serve(self.listener, Front::new(self.app), limits, connections, stop).await;
        app.engine.stop();
        served.map_err(|source| ServiceError::Io { what: "starting to serve".to_owned(), source })
    }
}
