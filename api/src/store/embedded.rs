//! The embedded store: one redb file, written by this process alone.

use std::fmt::Display;
use std::path::Path;

use greenkerb_models::plan::PublishedPlan;
use greenkerb_models::units::TimeDs;
use redb::{
    Database, DatabaseError, ReadableDatabase, ReadableTable, ReadableTableMetadata, TableDefinition, TableError,
    WriteTransaction,
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

/// A store in one file. A transaction is on disk when it returns.
#[derive(Debug)]
pub struct EmbeddedStore {
    db: Database,
}

fn failed<E: Display>(action: &'static str) -> impl Fn(E) -> StoreError {
    move |e| StoreError::Failed { action, reason: e.to_string() }
}

fn encode<T: Serialize>(action: &'static str, value: &T) -> Result<Vec<u8>, StoreError> {
    postcard::to_stdvec(value).map_err(failed(action))
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
        let cannot = |reason: String| StoreError::Open { place: place.clone(), reason };
        std::fs::create_dir_all(directory).map_err(|e| cannot(e.to_string()))?;
        let db = Database::create(&path).map_err(|e| match e {
            DatabaseError::DatabaseAlreadyOpen => StoreError::InUse { place: place.clone() },
            e => cannot(e.to_string()),
        })?;
        Self::prepare(db, &place)
    }

    /// A store that lives as long as the process: for offline work, and for a service that was given no directory.
    ///
    /// # Errors
    /// [`StoreError`] when there is no memory for it.
    pub fn in_memory() -> Result<Self, StoreError> {
        let place = "memory";
        let db = Database::builder()
            .create_with_backend(redb::backends::InMemoryBackend::new())
            .map_err(|e| StoreError::Open { place: place.to_owned(), reason: e.to_string() })?;
        Self::prepare(db, place)
    }

    /// Makes the tables, or checks that those that are there are ours.
    fn prepare(db: Database, place: &str) -> Result<Self, StoreError> {
        const ACTION: &str = "preparing the store";
        let tx = db.begin_write().map_err(failed(ACTION))?;
        {
            let mut meta = tx.open_table(META).map_err(failed(ACTION))?;
            let found = meta.get("format").map_err(failed(ACTION))?.map(|v| v.value().to_vec());
            match found {
                Some(bytes) => {
                    let found: u32 = decode("meta", "format", &bytes)?;
                    if found != FORMAT {
                        return Err(StoreError::Format { place: place.to_owned(), found, known: FORMAT });
                    }
                }
                None => {
                    meta.insert("format", encode(ACTION, &FORMAT)?.as_slice()).map_err(failed(ACTION))?;
                }
            }
            tx.open_table(PLANS).map_err(failed(ACTION))?;
            tx.open_table(REVISIONS).map_err(failed(ACTION))?;
            tx.open_table(HISTORY).map_err(failed(ACTION))?;
            tx.open_table(ACKS).map_err(failed(ACTION))?;
            tx.open_table(AUDIT).map_err(failed(ACTION))?;
        }
        tx.commit().map_err(failed(ACTION))?;
        Ok(Self { db })
    }

    fn append(tx: &WriteTransaction, at: Option<TimeDs>, events: &[AuditEvent]) -> Result<(), StoreError> {
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
        Ok(())
    }

    fn publish(tx: &WriteTransaction, plan: &PublishedPlan) -> Result<(), StoreError> {
        const ACTION: &str = "writing a plan";
        let bytes = encode(ACTION, plan)?;
        let (name, revision) = (plan.controller.as_str(), plan.revision.0);
        tx.open_table(PLANS).map_err(failed(ACTION))?.insert(name, bytes.as_slice()).map_err(failed(ACTION))?;
        tx.open_table(REVISIONS).map_err(failed(ACTION))?.insert(name, revision).map_err(failed(ACTION))?;
        let mut history = tx.open_table(HISTORY).map_err(failed(ACTION))?;
        history.insert((name, revision), bytes.as_slice()).map_err(failed(ACTION))?;
        let keep_from = revision.saturating_sub(HISTORY_MAX as u64 - 1);
        history.retain_in((name, 0)..(name, keep_from), |_, _| false).map_err(failed(ACTION))?;
        Ok(())
    }
}

fn opened<T>(table: Result<T, TableError>) -> Result<T, StoreError> {
    table.map_err(failed("opening a table"))
}

impl Store for EmbeddedStore {
    fn recover(&self) -> Result<Recovered, StoreError> {
        const ACTION: &str = "reading the store";
        let tx = self.db.begin_read().map_err(failed(ACTION))?;
        let meta = opened(tx.open_table(META))?;
        let mut recovered = Recovered::default();
        if let Some(v) = meta.get("network").map_err(failed(ACTION))? {
            recovered.network = Some(decode("meta", "network", v.value())?);
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
            match decode::<PublishedPlan>("plans", &name, bytes.value()) {
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
    }

    fn set_network(&self, network: &NetworkRecord, events: &[AuditEvent]) -> Result<(), StoreError> {
        const ACTION: &str = "writing the network";
        let tx = self.db.begin_write().map_err(failed(ACTION))?;
        {
            let mut meta = opened(tx.open_table(META))?;
            meta.insert("network", encode(ACTION, network)?.as_slice()).map_err(failed(ACTION))?;
        }
        Self::append(&tx, None, events)?;
        tx.commit().map_err(failed(ACTION))
    }

    fn commit(&self, step: &Step<'_>) -> Result<(), StoreError> {
        const ACTION: &str = "writing a step";
        let tx = self.db.begin_write().map_err(failed(ACTION))?;
        if let Some(clock) = step.clock {
            let mut meta = opened(tx.open_table(META))?;
            meta.insert("clock", encode(ACTION, &clock)?.as_slice()).map_err(failed(ACTION))?;
        }
        let mut events: Vec<AuditEvent> = Vec::with_capacity(step.publications.len() + step.events.len());
        for plan in step.publications {
            let plan = plan.get();
            Self::publish(&tx, plan)?;
            let (controller, revision) = (plan.controller.clone(), plan.revision.0);
            events.push(AuditEvent::Published { controller, revision, hash: plan.hash() });
        }
        events.extend_from_slice(step.events);
        Self::append(&tx, step.clock, &events)?;
        if !step.acks.is_empty() {
            let mut acks = opened(tx.open_table(ACKS))?;
            for (name, ack) in step.acks {
                acks.insert(name.as_str(), encode(ACTION, ack)?.as_slice()).map_err(failed(ACTION))?;
            }
        }
        tx.commit().map_err(failed(ACTION))
    }

    fn history(&self, controller: &str, limit: usize) -> Result<Vec<PublishedPlan>, StoreError> {
        const ACTION: &str = "reading the history";
        let tx = self.db.begin_read().map_err(failed(ACTION))?;
        let history = opened(tx.open_table(HISTORY))?;
        let rows = history.range((controller, 0)..=(controller, u64::MAX)).map_err(failed(ACTION))?;
        let mut plans = Vec::new();
        for row in rows.rev().take(limit) {
            let (key, bytes) = row.map_err(failed(ACTION))?;
            let (name, revision) = key.value();
            plans.push(decode("history", &format!("{name} {revision}"), bytes.value())?);
        }
        Ok(plans)
    }

    fn audit(&self, from: u64, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        const ACTION: &str = "reading the audit";
        let tx = self.db.begin_read().map_err(failed(ACTION))?;
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
    }

    fn probe(&self) -> Result<(), StoreError> {
        const ACTION: &str = "probing the store";
        let tx = self.db.begin_read().map_err(failed(ACTION))?;
        opened(tx.open_table(META))?.len().map_err(failed(ACTION))?;
        Ok(())
    }
}
