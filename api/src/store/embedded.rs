//! The embedded store: one redb file, written by this process alone.

use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use greenkerb_models::plan::PublishedPlan;
use greenkerb_models::units::TimeDs;
use redb::{
    Builder, Database, DatabaseError, ReadableDatabase, ReadableTable, ReadableTableMetadata, TableDefinition,
    TableError, WriteTransaction,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::record::{AckRecord, AuditEntry, AuditEvent, NetworkRecord, Recovered, Step};
use super::{HISTORY_MAX, Store, StoreError};

/// Format of the records; rises when an older program could not read them.
const FORMAT: u32 = 1;

/// Name of the file in the data directory.
const FILE: &str = "greenkerb.redb";

const META: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("meta");
const PLANS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("plans");
const REVISIONS: TableDefinition<'_, &str, u64> = TableDefinition::new("revisions");
const HISTORY: TableDefinition<'_, (&str, u64), &[u8]> = TableDefinition::new("history");
const ACKS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("acks");
const AUDIT: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("audit");

/// Memory for pages that were read.
const CACHE_BYTES: usize = 64 << 20;

/// Audit entries kept when nobody says how many.
pub const AUDIT_MAX: u64 = 1_000_000;

/// Oldest audit entries that one transaction takes out, for each that it adds: more than one, so that a longer audit
/// shrinks to what is to be kept.
const PRUNED_PER_ENTRY: u64 = 4;

/// How a record says that a plan has no schedule.
const NO_SCHEDULE: u8 = 0;

type Opening = dyn Fn() -> Result<Database, StoreError> + Send + Sync;

/// redb panics on some files that it did not write so. A damaged file is an error here, like any other.
fn guarded<T>(
    work: impl FnOnce() -> Result<T, StoreError>,
    told: impl FnOnce(String) -> StoreError,
) -> Result<T, StoreError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<String>().cloned();
        let said = said.or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned()));
        Err(told(format!("the file is damaged ({})", said.as_deref().unwrap_or("no more is known"))))
    })
}

/// An open database. Closing one writes as well, and panics where its file is damaged.
struct Opened(Option<Database>);

impl Opened {
    fn close(&mut self) {
        let db = self.0.take();
        // Nothing is lost that a transaction has promised.
        let close = || {
            drop(db);
            Ok(())
        };
        let closed = guarded(close, failed("closing the store"));
        if let Err(e) = closed {
            tracing::error!(error = %e, "the store was not closed well");
        }
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        self.close();
    }
}

/// A store in one file. A transaction is on disk when it returns. Once reading or writing has failed, redb does nothing
/// more with an open database: the next call opens it again.
pub struct EmbeddedStore {
    db: RwLock<Opened>,
    /// How to open it again; `None` for one that is gone when it is closed.
    opening: Option<Box<Opening>>,
    failed: AtomicBool,
    repaired: Arc<AtomicBool>,
    audit_max: u64,
}

impl std::fmt::Debug for EmbeddedStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EmbeddedStore").field("failed", &self.failed).field("audit_max", &self.audit_max).finish()
    }
}

fn failed<E: Display>(action: &'static str) -> impl Fn(E) -> StoreError {
    move |e| StoreError::Failed { action, reason: e.to_string() }
}

fn encode<T: Serialize>(action: &'static str, value: &T) -> Result<Vec<u8>, StoreError> {
    postcard::to_stdvec(value).map_err(failed(action))
}

/// Plans that were written before there were schedules end where the schedule is told.
fn decode_plan(table: &'static str, key: &str, bytes: &[u8]) -> Result<PublishedPlan, StoreError> {
    decode(table, key, bytes).or_else(|e| {
        let whole = [bytes, &[NO_SCHEDULE]].concat();
        decode(table, key, &whole).map_err(|_| e)
    })
}

fn decode<T: DeserializeOwned>(table: &'static str, key: &str, bytes: &[u8]) -> Result<T, StoreError> {
    postcard::from_bytes(bytes).map_err(|e| StoreError::Damaged { table, key: key.to_owned(), reason: e.to_string() })
}

impl EmbeddedStore {
    /// Opens the store of a data directory, and makes both where they are missing.
    ///
    /// # Errors
    /// [`StoreError`] when the directory cannot be written, another process has the store, or it is of another format.
    pub fn open(directory: &Path) -> Result<Self, StoreError> {
        let path = directory.join(FILE);
        let place = path.display().to_string();
        std::fs::create_dir_all(directory)
            .map_err(|e| StoreError::Open { place: place.clone(), reason: e.to_string() })?;
        Self::opened_by(&place, move |builder| builder.create(&path))
    }

    /// A store on whatever storage the closure opens, which is called again after a failure.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be opened, or is of another format.
    pub fn opened_by(
        place: &str,
        open: impl Fn(&Builder) -> Result<Database, DatabaseError> + Send + Sync + 'static,
    ) -> Result<Self, StoreError> {
        let repaired = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&repaired);
        let at = place.to_owned();
        let opening = move || {
            let (mut builder, told) = (Database::builder(), Arc::clone(&told));
            builder.set_cache_size(CACHE_BYTES).set_repair_callback(move |_| told.store(true, Ordering::Release));
            let opened = || {
                open(&builder).map_err(|e| match e {
                    DatabaseError::DatabaseAlreadyOpen => StoreError::InUse { place: at.clone() },
                    e => StoreError::Open { place: at.clone(), reason: e.to_string() },
                })
            };
            guarded(opened, |reason| StoreError::Open { place: at.clone(), reason })
        };
        let db = Opened(Some(opening()?));
        guarded(
            || db.0.as_ref().map_or(Ok(()), |db| Self::prepare(db, place)),
            |reason| StoreError::Open { place: place.to_owned(), reason },
        )?;
        Ok(Self {
            db: RwLock::new(db),
            opening: Some(Box::new(opening)),
            failed: AtomicBool::new(false),
            repaired,
            audit_max: AUDIT_MAX,
        })
    }

    /// A store that lives as long as the process: for offline work, and for a service that was given no directory.
    ///
    /// # Errors
    /// [`StoreError`] when there is no memory for it.
    pub fn in_memory() -> Result<Self, StoreError> {
        let mut store =
            Self::opened_by("memory", |builder| builder.create_with_backend(redb::backends::InMemoryBackend::new()))?;
        store.opening = None;
        Ok(store)
    }

    /// Keeps so many entries of the audit, the newest.
    #[must_use]
    pub fn with_audit_max(self, audit_max: u64) -> Self {
        Self { audit_max, ..self }
    }

    /// True when the whole file had to be read to open it, which takes the longer the larger it is. Nothing that this
    /// program wrote needs that, even after a kill.
    #[must_use]
    pub fn was_repaired(&self) -> bool {
        self.repaired.load(Ordering::Acquire)
    }

    /// Makes the tables, or checks that those that are there are ours. Nothing is written when they are.
    fn prepare(db: &Database, place: &str) -> Result<(), StoreError> {
        const ACTION: &str = "preparing the store";
        let found = match db.begin_read().map_err(failed(ACTION))?.open_table(META) {
            Ok(meta) => meta.get("format").map_err(failed(ACTION))?.map(|v| v.value().to_vec()),
            Err(TableError::TableDoesNotExist(_)) => None,
            Err(e) => return Err(failed(ACTION)(e)),
        };
        if let Some(bytes) = found {
            let found: u32 = decode("meta", "format", &bytes)?;
            if found != FORMAT {
                return Err(StoreError::Format { place: place.to_owned(), found, known: FORMAT });
            }
            return Ok(());
        }
        let tx = begin_write(db, ACTION)?;
        {
            let mut meta = tx.open_table(META).map_err(failed(ACTION))?;
            meta.insert("format", encode(ACTION, &FORMAT)?.as_slice()).map_err(failed(ACTION))?;
            tx.open_table(PLANS).map_err(failed(ACTION))?;
            tx.open_table(REVISIONS).map_err(failed(ACTION))?;
            tx.open_table(HISTORY).map_err(failed(ACTION))?;
            tx.open_table(ACKS).map_err(failed(ACTION))?;
            tx.open_table(AUDIT).map_err(failed(ACTION))?;
        }
        tx.commit().map_err(failed(ACTION))
    }

    /// Works with the database, opened again first if it failed before.
    fn with<T>(&self, work: impl FnOnce(&Database) -> Result<T, StoreError>) -> Result<T, StoreError> {
        const ACTION: &str = "using the store";
        if self.failed.load(Ordering::Acquire)
            && let Some(opening) = &self.opening
        {
            let mut db = self.db.write().unwrap_or_else(PoisonError::into_inner);
            // Another thread may have been faster.
            if self.failed.load(Ordering::Acquire) {
                db.close();
                db.0 = Some(opening().map_err(failed("opening the store again"))?);
                self.failed.store(false, Ordering::Release);
            }
        }
        let db = self.db.read().unwrap_or_else(PoisonError::into_inner);
        let Some(db) = db.0.as_ref() else { return Err(failed(ACTION)("it is closed")) };
        let outcome = guarded(|| work(db), |reason| StoreError::Failed { action: ACTION, reason });
        if matches!(outcome, Err(StoreError::Failed { .. })) && self.opening.is_some() {
            self.failed.store(true, Ordering::Release);
        }
        outcome
    }

    fn append(&self, tx: &WriteTransaction, at: Option<TimeDs>, events: &[AuditEvent]) -> Result<(), StoreError> {
        const ACTION: &str = "writing the audit";
        if events.is_empty() {
            return Ok(());
        }
        let mut audit = tx.open_table(AUDIT).map_err(failed(ACTION))?;
        let mut sequence = audit.last().map_err(failed(ACTION))?.map_or(0, |(k, _)| k.value());
        for event in events {
            sequence += 1;
            let entry = AuditEntry { sequence, at, event: event.clone() };
            let bytes = serde_json::to_vec(&entry).map_err(failed(ACTION))?;
            audit.insert(sequence, bytes.as_slice()).map_err(failed(ACTION))?;
        }
        let keep_from = (sequence + 1).saturating_sub(self.audit_max);
        for _ in 0..PRUNED_PER_ENTRY * events.len() as u64 {
            if audit.first().map_err(failed(ACTION))?.is_none_or(|(oldest, _)| oldest.value() >= keep_from) {
                break;
            }
            audit.pop_first().map_err(failed(ACTION))?;
        }
        Ok(())
    }

    fn publish(tx: &WriteTransaction, plan: &PublishedPlan) -> Result<(), StoreError> {
        const ACTION: &str = "writing a plan";
        let bytes = encode(ACTION, plan)?;
        let (name, revision) = (plan.controller.as_str(), plan.revision.0);
        tx.open_table(PLANS).map_err(failed(ACTION))?.insert(name, bytes.as_slice()).map_err(failed(ACTION))?;
        tx.open_table(REVISIONS).map_err(failed(ACTION))?.insert(name, revision).map_err(failed(ACTION))?;
        // Schedules come every second: the last of each controller is enough.
        if plan.schedule.is_some() {
            return Ok(());
        }
        let mut history = tx.open_table(HISTORY).map_err(failed(ACTION))?;
        history.insert((name, revision), bytes.as_slice()).map_err(failed(ACTION))?;
        let keep_from = revision.saturating_sub(HISTORY_MAX as u64 - 1);
        history.retain_in((name, 0)..(name, keep_from), |_, _| false).map_err(failed(ACTION))?;
        Ok(())
    }
}

/// Begins a transaction that is whole on disk with all that is needed to open the file at once after a kill: without
/// that, redb would read the whole file first.
fn begin_write(db: &Database, action: &'static str) -> Result<WriteTransaction, StoreError> {
    let mut tx = db.begin_write().map_err(failed(action))?;
    tx.set_quick_repair(true);
    Ok(tx)
}

fn opened<T>(table: Result<T, TableError>) -> Result<T, StoreError> {
    table.map_err(failed("opening a table"))
}

impl Store for EmbeddedStore {
    fn recover(&self) -> Result<Recovered, StoreError> {
        const ACTION: &str = "reading the store";
        self.with(|db| {
            let tx = db.begin_read().map_err(failed(ACTION))?;
            let meta = opened(tx.open_table(META))?;
            let mut recovered = Recovered::default();
            if let Some(v) = meta.get("network").map_err(failed(ACTION))? {
                let mut network: NetworkRecord = decode("meta", "network", v.value())?;
                if let Some(v) = meta.get("clock_source").map_err(failed(ACTION))? {
                    network.clock_source = decode("meta", "clock_source", v.value())?;
                }
                recovered.network = Some(network);
            }
            if let Some(v) = meta.get("clock").map_err(failed(ACTION))? {
                recovered.clock = Some(decode("meta", "clock", v.value())?);
            }
            for row in opened(tx.open_table(REVISIONS))?.iter().map_err(failed(ACTION))? {
                let (name, revision) = row.map_err(failed(ACTION))?;
                recovered.revisions.insert(name.value().to_owned(), revision.value());
            }
            for row in opened(tx.open_table(PLANS))?.iter().map_err(failed(ACTION))? {
                let (name, bytes) = row.map_err(failed(ACTION))?;
                let name = name.value().to_owned();
                match decode_plan("plans", &name, bytes.value()) {
                    Ok(plan) => drop(recovered.plans.insert(name, plan)),
                    Err(e) => drop(recovered.unreadable.insert(name, e.to_string())),
                }
            }
            for row in opened(tx.open_table(ACKS))?.iter().map_err(failed(ACTION))? {
                let (name, bytes) = row.map_err(failed(ACTION))?;
                let name = name.value().to_owned();
                // What a controller said last is told anew by its next acknowledgement.
                if let Ok(ack) = decode::<AckRecord>("acks", &name, bytes.value()) {
                    recovered.acks.insert(name, ack);
                }
            }
            Ok(recovered)
        })
    }

    fn set_network(&self, network: &NetworkRecord, events: &[AuditEvent]) -> Result<(), StoreError> {
        const ACTION: &str = "writing the network";
        self.with(|db| {
            let tx = begin_write(db, ACTION)?;
            {
                let mut meta = opened(tx.open_table(META))?;
                meta.insert("network", encode(ACTION, network)?.as_slice()).map_err(failed(ACTION))?;
                let source = encode(ACTION, &network.clock_source)?;
                meta.insert("clock_source", source.as_slice()).map_err(failed(ACTION))?;
            }
            self.append(&tx, None, events)?;
            tx.commit().map_err(failed(ACTION))
        })
    }

    fn commit(&self, step: &Step<'_>) -> Result<(), StoreError> {
        const ACTION: &str = "writing a step";
        self.with(|db| {
            let tx = begin_write(db, ACTION)?;
            if let Some(clock) = step.clock {
                let mut meta = opened(tx.open_table(META))?;
                meta.insert("clock", encode(ACTION, &clock)?.as_slice()).map_err(failed(ACTION))?;
            }
            let mut events: Vec<AuditEvent> = Vec::with_capacity(step.publications.len() + step.events.len());
            for plan in step.publications {
                let plan = plan.get();
                Self::publish(&tx, plan)?;
                if plan.schedule.is_none() {
                    let (controller, revision) = (plan.controller.clone(), plan.revision.0);
                    events.push(AuditEvent::Published { controller, revision, hash: plan.hash(step.transition) });
                }
            }
            events.extend_from_slice(step.events);
            self.append(&tx, step.clock, &events)?;
            if !step.acks.is_empty() {
                let mut acks = opened(tx.open_table(ACKS))?;
                for (name, ack) in step.acks {
                    acks.insert(name.as_str(), encode(ACTION, ack)?.as_slice()).map_err(failed(ACTION))?;
                }
            }
            tx.commit().map_err(failed(ACTION))
        })
    }

    fn history(&self, controller: &str, limit: usize) -> Result<Vec<PublishedPlan>, StoreError> {
        const ACTION: &str = "reading the history";
        self.with(|db| {
            let tx = db.begin_read().map_err(failed(ACTION))?;
            let history = opened(tx.open_table(HISTORY))?;
            let rows = history.range((controller, 0)..=(controller, u64::MAX)).map_err(failed(ACTION))?;
            let mut plans = Vec::new();
            for row in rows.rev().take(limit) {
                let (key, bytes) = row.map_err(failed(ACTION))?;
                let (name, revision) = key.value();
                plans.push(decode_plan("history", &format!("{name} {revision}"), bytes.value())?);
            }
            Ok(plans)
        })
    }

    fn audit(&self, from: u64, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        const ACTION: &str = "reading the audit";
        self.with(|db| {
            let tx = db.begin_read().map_err(failed(ACTION))?;
            let audit = opened(tx.open_table(AUDIT))?;
            let mut entries = Vec::new();
            for row in audit.range(from..).map_err(failed(ACTION))?.take(limit) {
                let (key, bytes) = row.map_err(failed(ACTION))?;
                let damaged = |e: serde_json::Error| StoreError::Damaged {
                    table: "audit",
                    key: key.value().to_string(),
                    reason: e.to_string(),
                };
                entries.push(serde_json::from_slice(bytes.value()).map_err(damaged)?);
            }
            Ok(entries)
        })
    }

    fn probe(&self) -> Result<(), StoreError> {
        const ACTION: &str = "probing the store";
        self.with(|db| {
            let tx = db.begin_read().map_err(failed(ACTION))?;
            opened(tx.open_table(META))?.len().map_err(failed(ACTION))?;
            Ok(())
        })
    }
}
