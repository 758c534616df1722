//! The thread that owns the engine, and the bounded way to it.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel, sync_channel};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::core::{Answer, Core, Look, Owed, Shared};
use super::decider::MakeDecider;
use super::idempotency::Digest;
use super::ingest::Batch;
use super::source::NetworkFile;
use crate::store::AckRecord;

/// How often a wall clock makes the engine look what is due.
const TICK: Duration = Duration::from_secs(1);

/// Acknowledgements that may wait; more are answered with 503.
const WAITING_ACKS_MAX: usize = 4_096;

/// Looks that may wait in the thread's queue; more wait before it.
const WAITING_LOOKS_MAX: usize = 8;

enum Order {
    Batch(Batch, Option<(String, Digest)>, oneshot::Sender<Answer>),
    Ack(String, AckRecord),
    Look(oneshot::Sender<Option<Look>>),
    Stop,
}

/// An order, and the place in the queue that it takes until it is worked at.
type Placed = (Order, Option<OwnedSemaphorePermit>);

/// The way to the engine. Every kind of order has places of its own: whoever looks keeps no batch out.
#[derive(Debug, Clone)]
pub struct Engine {
    orders: Sender<Placed>,
    batches: Arc<Semaphore>,
    acks: Arc<Semaphore>,
    looks: Arc<Semaphore>,
}

impl std::fmt::Debug for Order {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Order")
    }
}

/// Why the engine did not take something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// Too much is waiting already.
    #[error("too much is waiting already; try again")]
    Full,
    /// It has stopped.
    #[error("the service is stopping")]
    Stopped,
    /// It failed at this; the plans in force stay.
    #[error("the engine failed; the plans in force stay")]
    Failed,
}

/// What the thread works with.
struct Desk {
    core: Core,
    shared: Shared,
    file: Option<NetworkFile>,
    ticked: Instant,
    checked: Instant,
}

impl Desk {
    /// Goes on whatever happens: who waits for an answer is told of the failure, and the plans in force stay.
    fn unharmed(&mut self, work: impl FnOnce(&mut Self)) {
        if catch_unwind(AssertUnwindSafe(|| work(self))).is_err() {
            tracing::error!("the engine failed at a piece of work and goes on with the next");
            self.shared.metrics.optimizer_failures.increment(1);
        }
    }

    /// Does what it is told. Nobody is left to hear the answer when a client has gone.
    fn take(&mut self, order: Order) {
        match order {
            Order::Batch(batch, key, reply) => drop(reply.send(self.core.ingest(batch, key))),
            Order::Ack(name, ack) => self.core.acknowledge(name, ack),
            Order::Look(reply) => drop(reply.send(self.core.look())),
            Order::Stop => {}
        }
    }

    fn look_at_the_time(&mut self) {
        if self.ticked.elapsed() >= TICK {
            self.ticked = Instant::now();
            // An external clock stands still between batches: nothing is ever due then.
            match self.shared.clock.now().filter(|_| !self.shared.clock.is_external()) {
                Some(now) => self.core.step(now),
                None => self.core.keep(),
            }
        }
        if self.checked.elapsed() >= self.shared.settings.network_check
            && let Some(file) = &mut self.file
        {
            self.checked = Instant::now();
            let change = file.check();
            if change.is_some() && self.shared.vitals.network_file().is_none() {
                tracing::warn!(change, "the network file is not the one that was loaded");
            }
            self.shared.vitals.set_network_file(change);
        }
    }
}

impl Engine {
    /// Starts the thread. It returns when the first plans are shown.
    ///
    /// # Errors
    /// The operating system's, when there is no thread to be had.
    pub fn start(
        shared: Shared,
        make: MakeDecider,
        spent: BTreeMap<String, u64>,
        owed: Option<Owed>,
        file: Option<NetworkFile>,
    ) -> std::io::Result<Self> {
        let batches = Arc::new(Semaphore::new(shared.settings.waiting_batches_max.min(Semaphore::MAX_PERMITS)));
        // Bounded by the places.
        let (orders, inbox) = channel::<Placed>();
        let (ready, is_ready) = sync_channel(1);
        std::thread::Builder::new().name("engine".to_owned()).spawn(move || {
            let now = Instant::now();
            let core = Core::new(shared.clone(), make, spent, owed);
            let mut desk = Desk { core, shared, file, ticked: now, checked: now };
            // Nobody waits any more when the service has given up meanwhile.
            let _ = ready.send(());
            loop {
                let order = match inbox.recv_timeout(TICK.saturating_sub(desk.ticked.elapsed())) {
                    Ok((Order::Stop, _)) | Err(RecvTimeoutError::Disconnected) => break,
                    Ok((order, _place)) => Some(order),
                    Err(RecvTimeoutError::Timeout) => None,
                };
                desk.unharmed(|desk| {
                    if let Some(order) = order {
                        desk.take(order);
                    }
                    desk.look_at_the_time();
                });
            }
            desk.unharmed(|desk| desk.core.keep());
        })?;
        is_ready.recv().map_err(|_| std::io::Error::other("it failed before the first plans were shown"))?;
        let (acks, looks) = (Semaphore::new(WAITING_ACKS_MAX), Semaphore::new(WAITING_LOOKS_MAX));
        Ok(Self { orders, batches, acks: Arc::new(acks), looks: Arc::new(looks) })
    }

    /// Hands a batch over and waits for its answer.
    ///
    /// # Errors
    /// [`EngineError`].
    pub async fn ingest(&self, batch: Batch, key: Option<(String, Digest)>) -> Result<Answer, EngineError> {
        let (reply, answer) = oneshot::channel();
        self.send(Order::Batch(batch, key, reply), place_in(&self.batches)?)?;
        answer.await.map_err(|_| EngineError::Failed)
    }

    /// Hands an acknowledgement over to be kept.
    ///
    /// # Errors
    /// [`EngineError`].
    pub fn acknowledge(&self, controller: String, ack: AckRecord) -> Result<(), EngineError> {
        self.send(Order::Ack(controller, ack), place_in(&self.acks)?)
    }

    /// What is known now.
    ///
    /// # Errors
    /// [`EngineError`].
    pub async fn look(&self) -> Result<Look, EngineError> {
        let (reply, answer) = oneshot::channel();
        let place = Arc::clone(&self.looks).acquire_owned().await.map_err(|_| EngineError::Stopped)?;
        self.send(Order::Look(reply), place)?;
        answer.await.map_err(|_| EngineError::Failed)?.ok_or(EngineError::Failed)
    }

    /// Ends the thread after what it has begun.
    pub fn stop(&self) {
        let _ = self.orders.send((Order::Stop, None));
    }

    fn send(&self, order: Order, place: OwnedSemaphorePermit) -> Result<(), EngineError> {
        self.orders.send((order, Some(place))).map_err(|_| EngineError::Stopped)
    }
}

fn place_in(queue: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, EngineError> {
    Arc::clone(queue).try_acquire_owned().map_err(|_| EngineError::Full)
}
