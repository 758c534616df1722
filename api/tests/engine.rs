//! The engine beside an optimizer that fails and a store that refuses: the plans in force stay, and work goes on.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use greenkerb_api::engine::board::Board;
use greenkerb_api::engine::clock::Clock;
use greenkerb_api::engine::core::{Answer, Core, Shared};
use greenkerb_api::engine::decider::Decider;
use greenkerb_api::engine::ingest::Batch;
use greenkerb_api::engine::metrics::Metrics;
use greenkerb_api::engine::vitals::Vitals;
use greenkerb_api::settings::RawSettings;
use greenkerb_api::store::{AuditEntry, AuditEvent, EmbeddedStore, NetworkRecord, Recovered, Step, Store, StoreError};
use greenkerb_api::wire::v1::Receipt;
use greenkerb_models::detection::Observation;
use greenkerb_models::formats;
use greenkerb_models::ids::{ControllerId, DetectorId};
use greenkerb_models::network::Network;
use greenkerb_models::plan::PublishedPlan;
use greenkerb_models::units::{Ds, TimeDs};
use greenkerb_optimizer::estimation::{DetectorStatus, Timeliness};
use greenkerb_optimizer::safety::Validated;
use greenkerb_optimizer::signals::{Budget, NetworkState, SignalOptimizer, StepOutcome};

/// What goes wrong now.
#[derive(Debug, Default)]
struct Trouble {
    observing: AtomicBool,
    deciding: AtomicBool,
    looking: AtomicBool,
    storing: AtomicBool,
}

fn set(flag: &AtomicBool, value: bool) {
    flag.store(value, Ordering::SeqCst);
}

fn is(flag: &AtomicBool) -> bool {
    flag.load(Ordering::SeqCst)
}

/// The real optimizer, with fits.
struct Fitful(SignalOptimizer, Arc<Trouble>);

impl Decider for Fitful {
    fn spend(&mut self, controller: &str, revision: u64) {
        Decider::spend(&mut self.0, controller, revision);
    }
    fn restore(&mut self, last: Vec<Validated<PublishedPlan>>) {
        self.0.restore(last);
    }
    fn start(&mut self, now: TimeDs) -> StepOutcome {
        self.0.start(now)
    }
    fn observe(&mut self, o: Observation) -> Timeliness {
        assert!(!is(&self.1.observing), "no eyes");
        self.0.observe(o)
    }
    fn advance(&mut self, now: TimeDs, budget: &dyn Budget) -> StepOutcome {
        assert!(!is(&self.1.deciding), "no idea");
        self.0.advance(now, budget)
    }
    fn health(&self) -> Vec<DetectorStatus> {
        self.0.health()
    }
    fn state(&self) -> NetworkState {
        assert!(!is(&self.1.looking), "no view");
        self.0.state()
    }
}

/// The real store, with fits.
#[derive(Debug)]
struct Refusing(EmbeddedStore, Arc<Trouble>);

impl Store for Refusing {
    fn recover(&self) -> Result<Recovered, StoreError> {
        self.0.recover()
    }
    fn set_network(&self, network: &NetworkRecord, events: &[AuditEvent]) -> Result<(), StoreError> {
        self.0.set_network(network, events)
    }
    fn commit(&self, step: &Step<'_>) -> Result<(), StoreError> {
        if is(&self.1.storing) {
            return Err(StoreError::Failed { action: "writing a step", reason: "the disk is full".to_owned() });
        }
        self.0.commit(step)
    }
    fn history(&self, controller: &str, limit: usize) -> Result<Vec<PublishedPlan>, StoreError> {
        self.0.history(controller, limit)
    }
    fn audit(&self, from: u64, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        self.0.audit(from, limit)
    }
    fn probe(&self) -> Result<(), StoreError> {
        self.0.probe()
    }
}

struct Bench {
    shared: Shared,
    core: Core,
    trouble: Arc<Trouble>,
    second: i64,
}

impl Bench {
    fn new(trouble: Trouble) -> Self {
        let trouble = Arc::new(trouble);
        let net = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/tests/data/crossroads.net.xml");
        let network = Arc::new(formats::read(&net).unwrap().network);
        let raw: RawSettings = toml::from_str("[optimizer]\nvalidity = 6000\nrenew_before = 5999\n").unwrap();
        let settings = raw.resolve().unwrap();
        let optimizer = settings.optimizer.clone();
        let shared = Shared {
            vicinity: Arc::new(greenkerb_models::detection::Vicinity::of(&network)),
            board: Arc::new(Board::new(network.clone(), settings.poll_after, optimizer.policy.transition)),
            network: network.clone(),
            clock: Arc::new(Clock::external()),
            store: Arc::new(Refusing(EmbeddedStore::in_memory().unwrap(), trouble.clone())),
            metrics: Arc::new(Metrics::new()),
            vitals: Arc::new(Vitals::default()),
            settings: Arc::new(settings),
        };
        let fits = trouble.clone();
        let make = Box::new(move || {
            let optimizer = SignalOptimizer::new(network.clone(), optimizer.clone());
            Box::new(Fitful(optimizer, fits.clone())) as Box<dyn Decider>
        });
        Self { core: Core::new(shared.clone(), make, BTreeMap::new(), None), shared, trouble, second: 25_200 }
    }

    fn network(&self) -> &Network {
        &self.shared.network
    }

    /// One second of traffic.
    fn tell(&mut self) -> Receipt {
        let at = self.second;
        self.second += 1;
        let saw = |i: usize| {
            let count = u32::from((at as usize + i).is_multiple_of(7));
            let occupancy = f64::from(count) * 0.4;
            Observation::new(DetectorId::at(i), TimeDs::from_s(at), Ds(10), count, occupancy, None).unwrap()
        };
        let taken = (0..self.network().detectors().len()).map(|i| (i, saw(i))).collect();
        match self.core.ingest(Batch { taken, ..Batch::default() }, None) {
            Answer::Receipt(body) => serde_json::from_slice(&body).unwrap(),
            Answer::OtherBody => panic!("there is no key"),
        }
    }

    fn shown(&self) -> Option<(u64, bytes::Bytes)> {
        self.shared.board.shown(ControllerId(0)).map(|s| (s.plan.get().revision.0, s.body.clone()))
    }

    fn audited(&self) -> Vec<AuditEvent> {
        self.shared.store.audit(0, usize::MAX).unwrap().into_iter().map(|e| e.event).collect()
    }
}

/// Everything shown was written before, once, in the order of revisions.
fn assert_durable(bench: &Bench) {
    let published: Vec<u64> = bench
        .audited()
        .iter()
        .filter_map(|e| if let AuditEvent::Published { revision, .. } = e { Some(*revision) } else { None })
        .collect();
    assert!(published.windows(2).all(|w| w[0] < w[1]), "{published:?}");
    assert_eq!(published.last().copied(), bench.shown().map(|s| s.0));
}

#[test]
fn an_optimizer_that_fails_changes_no_plan_and_is_started_anew() {
    let mut bench = Bench::new(Trouble::default());
    for _ in 0..100 {
        bench.tell();
    }
    let before = bench.shown().unwrap();
    set(&bench.trouble.deciding, true);
    for _ in 0..100 {
        let receipt = bench.tell();
        assert_eq!(receipt.accepted, bench.network().detectors().len());
    }
    assert_eq!(bench.shown().unwrap(), before, "nothing is published while it fails");
    assert_eq!(bench.shared.vitals.optimizer_failure().as_deref(), Some("no idea"));
    set(&bench.trouble.deciding, false);
    for _ in 0..200 {
        bench.tell();
    }
    assert!(bench.shown().unwrap().0 > before.0, "it goes on with the next revision");
    assert_eq!(bench.shared.vitals.optimizer_failure(), None);
    let failures = bench.audited().iter().filter(|e| matches!(e, AuditEvent::OptimizerFailed { .. })).count();
    assert_eq!(failures, 1, "a failure that goes on is audited once");
    assert_durable(&bench);
}

#[test]
fn failing_at_an_observation_or_a_look_ends_nothing() {
    let mut bench = Bench::new(Trouble::default());
    bench.tell();
    let before = bench.shown().unwrap();
    set(&bench.trouble.observing, true);
    set(&bench.trouble.looking, true);
    bench.tell();
    assert!(bench.core.look().is_none());
    assert_eq!(bench.shown().unwrap(), before);
    set(&bench.trouble.observing, false);
    set(&bench.trouble.looking, false);
    bench.tell();
    assert!(bench.core.look().is_some());
}

#[test]
fn what_the_store_refuses_is_not_shown_and_comes_later() {
    let mut bench = Bench::new(Trouble { storing: AtomicBool::new(true), ..Trouble::default() });
    for _ in 0..10 {
        bench.tell();
    }
    assert_eq!(bench.shown(), None, "a plan that is not durable is not shown");
    assert!(bench.shared.vitals.store_failure().unwrap().contains("disk is full"));
    set(&bench.trouble.storing, false);
    bench.tell();
    let first = bench.shown().unwrap();
    assert_eq!(bench.shared.vitals.store_failure(), None);
    for _ in 0..200 {
        bench.tell();
    }
    let before = bench.shown().unwrap();
    assert!(before.0 > first.0);
    set(&bench.trouble.storing, true);
    for _ in 0..200 {
        bench.tell();
    }
    assert_eq!(bench.shown().unwrap(), before);
    // What is known of traffic stays.
    let lanes = bench.core.look().unwrap().state.lanes;
    assert!(lanes.iter().all(|l| l.flow_vph > 0.0), "{lanes:#?}");
    set(&bench.trouble.storing, false);
    for _ in 0..200 {
        bench.tell();
    }
    assert!(bench.shown().unwrap().0 > before.0);
    assert_durable(&bench);
}

/// A store that works again is known to do so at once, not only when there is something to publish.
#[test]
fn a_store_that_works_again_is_known_and_told_what_it_missed() {
    let mut bench = Bench::new(Trouble::default());
    bench.tell();
    set(&bench.trouble.storing, true);
    while bench.shared.vitals.store_failure().is_none() {
        bench.tell();
    }
    set(&bench.trouble.storing, false);
    bench.core.keep();
    assert_eq!(bench.shared.vitals.store_failure(), None);
}
