//! Connections: how many at a time, how long a client may take, and an end that waits for nobody for long.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use metrics::Gauge;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::impatient::Impatient;

/// How long requests that have begun may still take when the service ends.
const ENDING: Duration = Duration::from_secs(3);

/// Pause after the operating system has no more descriptors (or the like) to give.
const EXHAUSTED: Duration = Duration::from_millis(100);

/// Largest head of a request, with room for the buffer to be filled in one read.
const HEAD_BYTES_MAX: usize = 64 << 10;

/// What clients may do.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Connections served at a time; more wait to be taken.
    pub(crate) connections_max: usize,
    /// How long the head of a request may take, idle time before it included.
    pub(crate) header_timeout: Duration,
    /// How long a client may take nothing of what is sent to it.
    pub(crate) write_timeout: Duration,
}

/// Serves until `stop` is done. Requests that have begun are finished, unless they take too long.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    connections: Gauge,
    stop: impl Future<Output = ()>,
) {
    let places = Arc::new(Semaphore::new(limits.connections_max));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(limits.header_timeout).max_buf_size(HEAD_BYTES_MAX);
    let graceful = GracefulShutdown::new();
    let mut served = JoinSet::new();
    tokio::pin!(stop);
    loop {
        let next = async {
            // Whoever finds no place waits in the operating system's queue, which is bounded as well.
            let place = Arc::clone(&places).acquire_owned().await;
            (place, accept(&listener).await)
        };
        let (place, stream) = tokio::select! {
            next = next => next,
            () = &mut stop => break,
        };
        let connection = http.serve_connection(
            TokioIo::new(Impatient::new(stream, limits.write_timeout)),
            TowerToHyperService::new(router.clone()),
        );
        let connection = graceful.watch(connection);
        let connections = connections.clone();
        connections.increment(1.0);
        served.spawn(async move {
            // A client that breaks off or is too slow has ended its own connection, nothing else.
            if let Err(e) = connection.await {
                tracing::debug!(error = %e, "a connection ended early");
            }
            connections.decrement(1.0);
            drop(place);
        });
        while served.try_join_next().is_some() {}
    }
    drop(listener);
    if tokio::time::timeout(ENDING, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests did not end in time and are cut off");
    }
    served.shutdown().await;
}

/// The next connection. Errors of a single connection, or a lack of descriptors, end nothing.
async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // Answers are small and whole: there is nothing to be gained by holding them back.
                let _ = stream.set_nodelay(true);
                return stream;
            }
            Err(e) if of_one_connection(&e) => {}
            Err(e) => {
                tracing::error!(error = %e, "no connection can be taken");
                tokio::time::sleep(EXHAUSTED).await;
            }
        }
    }
}

fn of_one_connection(e: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(e.kind(), ConnectionRefused | ConnectionAborted | ConnectionReset | Interrupted)
}
