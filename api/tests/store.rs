//! What every store must do. A second kind of store is one more line at the end of `for_every_store!`.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use greenkerb_api::store::{
    AckRecord, AuditEvent, EmbeddedStore, HISTORY_MAX, NetworkRecord, Recovered, Step, Store, StoreError,
};
use greenkerb_models::formats::sumo_net;
use greenkerb_models::network::Network;
use greenkerb_models::plan::PublishedPlan;
use greenkerb_models::signal::TransitionMethod;
use greenkerb_models::units::TimeDs;
use greenkerb_optimizer::safety::Validated;
use greenkerb_optimizer::signals::{Settings, SignalOptimizer};
use redb::StorageBackend;

const NET: &str = include_str!("../../models/tests/data/crossroads.net.xml");

/// Seven in the morning.
const SEVEN: TimeDs = TimeDs(252_000);

/// Opens a store, or opens it again.
type Open = fn(&Path) -> Box<dyn Store>;

/// The crossroads with its controller renamed.
fn network(controller: &str) -> Arc<Network> {
    let text = NET.replace("\"centre\"", &format!("\"{controller}\""));
    Arc::new(sumo_net::read_bytes("crossroads", text.as_bytes()).unwrap().network)
}

/// A publication of a controller, as the optimizer makes it.
fn plan(network: &Arc<Network>, revision: u64) -> Validated<PublishedPlan> {
    let mut optimizer = SignalOptimizer::new(network.clone(), Settings::default());
    optimizer.spend(&network.controllers()[0].name, revision - 1);
    let plan = optimizer.start(SEVEN).publications.remove(0);
    assert_eq!(plan.get().revision.0, revision);
    plan
}

fn publish(store: &dyn Store, plans: &[Validated<PublishedPlan>]) {
    store.commit(&Step { clock: Some(SEVEN), publications: plans, ..Step::default() }).unwrap();
}

fn ack(revision: u64) -> AckRecord {
    AckRecord { revision, state: "active".to_owned(), reason: None, at: SEVEN, running: Some(revision) }
}

fn record(fingerprint: &str) -> NetworkRecord {
    NetworkRecord {
        name: "crossroads".to_owned(),
        fingerprint: fingerprint.to_owned(),
        file: "crossroads.net.xml".to_owned(),
        native: b"native".to_vec(),
        settings: "poll_after_s = 1.0\n".to_owned(),
        clock_source: "external".to_owned(),
    }
}

fn an_empty_store_knows_nothing(open: Open, place: &Path, _survives: bool) {
    let store = open(place);
    store.probe().unwrap();
    assert_eq!(store.recover().unwrap(), Recovered::default());
    assert_eq!(store.history("centre", 10).unwrap(), []);
    assert_eq!(store.audit(0, 10).unwrap(), []);
}

fn what_is_committed_is_there_and_stays(open: Open, place: &Path, survives: bool) {
    let net = network("centre");
    let mut store = open(place);
    store.set_network(&record("f1"), &[]).unwrap();
    publish(store.as_ref(), &[plan(&net, 1)]);
    let refused = AuditEvent::Refused { controller: "centre".to_owned(), reason: "rule 9".to_owned() };
    let step = Step {
        clock: Some(TimeDs(SEVEN.0 + 10)),
        publications: &[plan(&net, 2)],
        transition: TransitionMethod::ShortWay,
        events: std::slice::from_ref(&refused),
        acks: &[("centre".to_owned(), ack(1)), ("centre".to_owned(), ack(2))],
    };
    store.commit(&step).unwrap();
    for _ in 0..=usize::from(survives) {
        let known = store.recover().unwrap();
        assert_eq!(known.network, Some(record("f1")));
        assert_eq!(known.clock, Some(TimeDs(SEVEN.0 + 10)));
        assert_eq!(known.plans, BTreeMap::from([("centre".to_owned(), plan(&net, 2).into_inner())]));
        assert_eq!(known.revisions, BTreeMap::from([("centre".to_owned(), 2)]));
        assert_eq!(known.acks, BTreeMap::from([("centre".to_owned(), ack(2))]), "the last of a controller counts");
        assert_eq!(known.unreadable, BTreeMap::new());
        let history = store.history("centre", 10).unwrap();
        assert_eq!(history, [plan(&net, 2).into_inner(), plan(&net, 1).into_inner()], "newest first");
        let audit = store.audit(0, 10).unwrap();
        let published = |revision| AuditEvent::Published {
            controller: "centre".to_owned(),
            revision,
            hash: plan(&net, revision).get().hash(TransitionMethod::ShortWay),
        };
        let told: Vec<_> = audit.iter().map(|e| (e.sequence, e.at.map(|t| t.0 - SEVEN.0), e.event.clone())).collect();
        assert_eq!(told, [(1, Some(0), published(1)), (2, Some(10), published(2)), (3, Some(10), refused.clone())]);
        if survives {
            drop(store);
            store = open(place);
        }
    }
}

fn the_network_can_change_and_the_audit_tells(open: Open, place: &Path, _survives: bool) {
    let store = open(place);
    let event = |fingerprint: &str, before: Option<&str>| AuditEvent::Network {
        name: "crossroads".to_owned(),
        fingerprint: fingerprint.to_owned(),
        before: before.map(str::to_owned),
    };
    store.set_network(&record("f1"), &[event("f1", None)]).unwrap();
    store.set_network(&record("f2"), &[event("f2", Some("f1"))]).unwrap();
    assert_eq!(store.recover().unwrap().network, Some(record("f2")));
    let events: Vec<_> = store.audit(0, 10).unwrap().into_iter().map(|e| e.event).collect();
    assert_eq!(events, [event("f1", None), event("f2", Some("f1"))]);
}

fn the_history_is_bounded_and_the_audit_is_longer(open: Open, place: &Path, _survives: bool) {
    let net = network("centre");
    let store = open(place);
    let all = HISTORY_MAX as u64 + 30;
    let plans: Vec<_> = (1..=all).map(|r| plan(&net, r)).collect();
    for some in plans.chunks(23) {
        publish(store.as_ref(), some);
    }
    let history = store.history("centre", usize::MAX).unwrap();
    let revisions: Vec<u64> = history.iter().map(|p| p.revision.0).collect();
    assert!(revisions.iter().copied().eq((31..=all).rev()), "{revisions:?}");
    assert_eq!(store.history("centre", 3).unwrap(), history[..3]);
    let sequence: Vec<u64> = store.audit(0, usize::MAX).unwrap().iter().map(|e| e.sequence).collect();
    assert!(sequence.iter().copied().eq(1..=all), "{sequence:?}");
    let page: Vec<u64> = store.audit(100, 5).unwrap().iter().map(|e| e.sequence).collect();
    assert_eq!(page, [100, 101, 102, 103, 104]);
    assert_eq!(store.audit(all + 1, 5).unwrap(), []);
}

fn names_that_begin_alike_do_not_mix(open: Open, place: &Path, _survives: bool) {
    let names = ["a", "a\u{0}", "aa", "a b/c", "ä", "b"];
    let store = open(place);
    for (i, name) in names.iter().enumerate().filter(|(_, n)| !n.contains('\u{0}')) {
        publish(store.as_ref(), &[plan(&network(name), i as u64 + 1)]);
    }
    for (i, name) in names.iter().enumerate() {
        let history = store.history(name, 10).unwrap();
        let found: Vec<_> = history.iter().map(|p| (p.controller.as_str(), p.revision.0)).collect();
        match name.contains('\u{0}') {
            true => assert_eq!(found, []),
            false => assert_eq!(found, [(*name, i as u64 + 1)]),
        }
    }
}

fn a_step_is_seen_whole_or_not_at_all(open: Open, place: &Path, _survives: bool) {
    let (left, right) = (network("left"), network("right"));
    let store = open(place);
    publish(store.as_ref(), &[plan(&left, 1), plan(&right, 1)]);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for revision in 2..60 {
                publish(store.as_ref(), &[plan(&left, revision), plan(&right, revision)]);
            }
        });
        let mut last = 0;
        while !writer.is_finished() {
            let known = store.recover().unwrap();
            assert_eq!(known.revisions["left"], known.revisions["right"]);
            assert_eq!(known.plans["left"].revision, known.plans["right"].revision);
            assert!(known.revisions["left"] >= last);
            last = known.revisions["left"];
        }
    });
    assert_eq!(store.recover().unwrap().revisions["right"], 59);
}

macro_rules! for_every_store {
    ($($kind:ident: $open:expr, survives $survives:literal;)*) => { $(
        mod $kind {
            use super::*;
            for_every_store!(@tests $open, $survives,
                an_empty_store_knows_nothing
                what_is_committed_is_there_and_stays
                the_network_can_change_and_the_audit_tells
                the_history_is_bounded_and_the_audit_is_longer
                names_that_begin_alike_do_not_mix
                a_step_is_seen_whole_or_not_at_all
            );
        }
    )* };
    (@tests $open:expr, $survives:literal, $($test:ident)*) => { $(
        #[test]
        fn $test() {
            let place = tempfile::tempdir().unwrap();
            super::$test($open, place.path(), $survives);
        }
    )* };
}

for_every_store! {
    embedded: |place| Box::new(EmbeddedStore::open(place).unwrap()), survives true;
    memory: |_| Box::new(EmbeddedStore::in_memory().unwrap()), survives false;
}

/// Storage that outlives the database on it, and can be full.
#[derive(Debug, Clone, Default)]
struct Disk {
    bytes: Arc<Mutex<Vec<u8>>>,
    is_full: Arc<AtomicBool>,
}

impl Disk {
    fn write_with(&self, write: impl FnOnce(&mut Vec<u8>)) -> Result<(), std::io::Error> {
        if self.is_full.load(Ordering::SeqCst) {
            return Err(std::io::ErrorKind::StorageFull.into());
        }
        write(&mut self.bytes.lock().unwrap());
        Ok(())
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> Result<u64, std::io::Error> {
        Ok(self.bytes.lock().unwrap().len() as u64)
    }
    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), std::io::Error> {
        out.copy_from_slice(&self.bytes.lock().unwrap()[offset as usize..][..out.len()]);
        Ok(())
    }
    fn set_len(&self, len: u64) -> Result<(), std::io::Error> {
        self.write_with(|bytes| bytes.resize(len as usize, 0))
    }
    fn sync_data(&self) -> Result<(), std::io::Error> {
        self.write_with(|_| {})
    }
    fn write(&self, offset: u64, data: &[u8]) -> Result<(), std::io::Error> {
        self.write_with(|bytes| bytes[offset as usize..][..data.len()].copy_from_slice(data))
    }
}

#[test]
fn a_disk_that_was_full_is_written_again_when_there_is_space() {
    let net = network("centre");
    let disk = Disk::default();
    let opened = disk.clone();
    let store = EmbeddedStore::opened_by("disk", move |builder| builder.create_with_backend(opened.clone())).unwrap();
    publish(&store, &[plan(&net, 1)]);
    disk.is_full.store(true, Ordering::SeqCst);
    let second = [plan(&net, 2)];
    for _ in 0..3 {
        let step = Step { clock: Some(SEVEN), publications: &second, ..Step::default() };
        assert!(matches!(store.commit(&step), Err(StoreError::Failed { .. })));
    }
    disk.is_full.store(false, Ordering::SeqCst);
    publish(&store, &second);
    assert_eq!(store.recover().unwrap().revisions["centre"], 2);
    let published = store.audit(0, usize::MAX).unwrap();
    assert_eq!(published.iter().map(|e| e.sequence).collect::<Vec<_>>(), [1, 2], "what failed left nothing behind");
}

/// What a kill leaves behind is opened at once, without reading all of it, however long the audit is.
#[test]
fn a_long_audit_is_bounded_and_opened_without_a_repair() {
    const KEPT: u64 = 100_000;
    let (place, killed) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = EmbeddedStore::open(place.path()).unwrap().with_audit_max(KEPT);
    let events: Vec<AuditEvent> =
        (0..10_000).map(|i| AuditEvent::Refused { controller: format!("c{i}"), reason: "rule 9".to_owned() }).collect();
    for _ in 0..12 {
        store.commit(&Step { clock: Some(SEVEN), events: &events, ..Step::default() }).unwrap();
    }
    // The file as it is on disk while the store is open.
    std::fs::copy(place.path().join("greenkerb.redb"), killed.path().join("greenkerb.redb")).unwrap();
    let store = EmbeddedStore::open(killed.path()).unwrap();
    assert!(!store.was_repaired());
    let sequence: Vec<u64> = store.audit(0, usize::MAX).unwrap().iter().map(|e| e.sequence).collect();
    assert!(sequence.iter().copied().eq(20_001..=120_000), "{:?} to {:?}", sequence.first(), sequence.last());
    // A shorter one is to be kept from now on: it gets there step by step.
    let store = store.with_audit_max(50_000);
    for _ in 0..2 {
        store.commit(&Step { clock: Some(SEVEN), events: &events, ..Step::default() }).unwrap();
    }
    assert_eq!(store.audit(0, 1).unwrap()[0].sequence, 90_001);
}

#[test]
fn a_store_has_one_owner() {
    let place = tempfile::tempdir().unwrap();
    let first = EmbeddedStore::open(place.path()).unwrap();
    assert!(matches!(EmbeddedStore::open(place.path()), Err(StoreError::InUse { .. })));
    drop(first);
    EmbeddedStore::open(place.path()).unwrap();
}

#[test]
fn a_file_that_is_no_store_is_named() {
    let place = tempfile::tempdir().unwrap();
    std::fs::write(place.path().join("greenkerb.redb"), b"something else entirely").unwrap();
    let told = EmbeddedStore::open(place.path()).unwrap_err().to_string();
    assert!(told.contains("greenkerb.redb"), "{told}");
}

/// Writes a record past the store.
/// A disk may give back anything. Whatever it is, opening and reading is an error or gives plans that can be read.
#[test]
fn a_damaged_file_is_an_error_and_no_panic() {
    let place = tempfile::tempdir().unwrap();
    let network = network("A");
    {
        let store = EmbeddedStore::open(place.path()).unwrap();
        store.set_network(&record("f"), &[]).unwrap();
        (1..20).for_each(|revision| publish(&store, &[plan(&network, revision)]));
    }
    let file = place.path().join("greenkerb.redb");
    let whole = std::fs::read(&file).unwrap();
    let used = whole.iter().rposition(|b| *b != 0).map_or(0, |last| last + 1);
    let (mut refused, mut read) = (0, 0);
    let mut seed = 7_u64;
    let mut random = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % below
    };
    for round in 0..150 {
        let mut bytes = whole.clone();
        match round % 3 {
            0 => bytes[random(4_096.min(used))] ^= 1 << random(8),
            1 => (0..64).for_each(|_| bytes[random(used)] ^= 1 << random(8)),
            _ => bytes.truncate(random(used)),
        }
        std::fs::write(&file, &bytes).unwrap();
        let outcome = EmbeddedStore::open(place.path()).and_then(|store| {
            let recovered = store.recover()?;
            store.history("A", 5)?;
            store.audit(0, 5)?;
            Ok(recovered)
        });
        match outcome {
            Ok(_) => read += 1,
            Err(e) => {
                refused += 1;
                assert!(!e.to_string().is_empty());
            }
        }
    }
    assert!(refused > 30 && read > 0, "{refused} refused, {read} read");
}

fn overwrite(place: &Path, table: &'static str, key: &str, value: &[u8]) {
    let db = redb::Database::open(place.join("greenkerb.redb")).unwrap();
    let tx = db.begin_write().unwrap();
    let table: redb::TableDefinition<'_, &str, &[u8]> = redb::TableDefinition::new(table);
    tx.open_table(table).unwrap().insert(key, value).unwrap();
    tx.commit().unwrap();
}

#[test]
fn a_plan_that_cannot_be_read_spends_its_revision_and_spares_the_others() {
    let place = tempfile::tempdir().unwrap();
    let (left, right) = (network("left"), network("right"));
    publish(&EmbeddedStore::open(place.path()).unwrap(), &[plan(&left, 7), plan(&right, 8)]);
    overwrite(place.path(), "plans", "left", b"\xff\xff\xff");
    let known = EmbeddedStore::open(place.path()).unwrap().recover().unwrap();
    assert_eq!(known.unreadable.keys().collect::<Vec<_>>(), ["left"]);
    assert_eq!(known.plans.keys().collect::<Vec<_>>(), ["right"]);
    assert_eq!(known.revisions["left"], 7);
}

#[test]
fn a_store_of_another_format_is_refused() {
    let place = tempfile::tempdir().unwrap();
    drop(EmbeddedStore::open(place.path()).unwrap());
    overwrite(place.path(), "meta", "format", &[99]);
    let refused = EmbeddedStore::open(place.path()).unwrap_err();
    assert!(matches!(refused, StoreError::Format { found: 99, .. }), "{refused}");
}
