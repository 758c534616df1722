//! Threads that serve connections, one a core. A connection stays on its thread: a poll is so little work that waking
//! another thread for it costs more than answering it.

use std::io;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use metrics::Gauge;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tokio::task::JoinSet;

use super::front::Front;
use super::impatient::Impatient;
use super::server::Limits;

/// How long requests that have begun may still take when the service ends.
const ENDING: Duration = Duration::from_secs(3);

/// Largest head of a request, with room for the buffer to be filled in one read.
const HEAD_BYTES_MAX: usize = 64 << 10;

/// A connection that was taken, with its place among those that may be open.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) stream: TcpStream,
    pub(super) _place: Option<OwnedSemaphorePermit>,
    pub(super) _open: Open,
}

/// Counts a connection for as long as it lives.
pub(super) struct Open(Gauge);

impl Open {
    /// Counts one more.
    pub(super) fn of(gauge: Gauge) -> Self {
        gauge.increment(1.0);
        Self(gauge)
    }
}

impl std::fmt::Debug for Open {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Open")
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}

/// One thread that serves.
#[derive(Debug)]
struct Reactor {
    given: mpsc::UnboundedSender<Taken>,
    /// Connections it has.
    load: Arc<AtomicUsize>,
    ended: oneshot::Receiver<()>,
}

/// All threads that serve. They end when this is dropped, after what has begun.
#[derive(Debug)]
pub(super) struct Reactors(Vec<Reactor>);

impl Reactors {
    /// Starts one a core.
    ///
    /// # Errors
    /// The operating system's, when it has no thread to give.
    pub(super) fn start(front: &Front, limits: Limits) -> io::Result<Self> {
        let cores = thread::available_parallelism().map_or(1, std::num::NonZero::get);
        (0..cores).map(|number| Reactor::start(number, front.clone(), limits)).collect::<io::Result<_>>().map(Self)
    }

    /// Gives a connection to the thread with the fewest.
    pub(super) fn give(&mut self, taken: Taken) {
        if let Some(reactor) = self.0.iter().min_by_key(|r| r.load.load(Ordering::Relaxed)) {
            reactor.load.fetch_add(1, Ordering::Relaxed);
            // A thread ends only when its end of the channel is dropped, which is ours.
            let _ = reactor.given.send(taken);
        }
    }

    /// Ends them all; requests that have begun are finished, unless they take too long.
    pub(super) async fn end(self) {
        let ended: Vec<_> = self.0.into_iter().map(|reactor| reactor.ended).collect();
        for ended in ended {
            // An error means that the thread is gone already.
            let _ = ended.await;
        }
    }
}

impl Reactor {
    fn start(number: usize, front: Front, limits: Limits) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (given, taken) = mpsc::unbounded_channel();
        let (end, ended) = oneshot::channel();
        let load = Arc::new(AtomicUsize::new(0));
        let served = Arc::clone(&load);
        thread::Builder::new().name(format!("http-{number}")).spawn(move || {
            run(runtime, taken, &front, &served, limits);
            let _ = end.send(());
        })?;
        Ok(Self { given, load, ended })
    }
}

fn run(
    runtime: Runtime,
    mut taken: mpsc::UnboundedReceiver<Taken>,
    front: &Front,
    load: &Arc<AtomicUsize>,
    limits: Limits,
) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(limits.header_timeout).max_buf_size(HEAD_BYTES_MAX);
    runtime.block_on(async {
        let graceful = GracefulShutdown::new();
        let mut served = JoinSet::new();
        while let Some(Taken { stream, _place, _open }) = taken.recv().await {
            let load = Arc::clone(load);
            let stream = match tokio::net::TcpStream::from_std(stream) {
                Ok(stream) => TokioIo::new(Impatient::new(stream, limits.write_timeout)),
                Err(e) => {
                    load.fetch_sub(1, Ordering::Relaxed);
                    tracing::error!(error = %e, "a connection cannot be served");
                    continue;
                }
            };
            let connection = graceful.watch(http.serve_connection(stream, front.clone()));
            served.spawn(async move {
                let _held = (_place, _open);
                // A client that breaks off or is too slow has ended its own connection, nothing else.
                if let Err(e) = connection.await {
                    tracing::debug!(error = %e, "a connection ended early");
                }
                load.fetch_sub(1, Ordering::Relaxed);
            });
            while served.try_join_next().is_some() {}
        }
        if tokio::time::timeout(ENDING, graceful.shutdown()).await.is_err() {
            tracing::warn!("some requests did not end in time and are cut off");
        }
        served.shutdown().await;
    });
    // What still reads a body on a thread of its own is not waited for.
    runtime.shutdown_background();
}
