//! Connections: how many at a time, how long a client may take, and an end that waits for nobody for long.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use metrics::Gauge;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use super::front::Front;
use super::reactors::{Open, Reactors, Taken};

/// Pause after the operating system has no more descriptors (or the like) to give.
const EXHAUSTED: Duration = Duration::from_millis(100);

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
///
/// # Errors
/// The operating system's, when there is no thread to serve on.
pub(crate) async fn serve(
    listener: TcpListener,
    front: Front,
    limits: Limits,
    connections: Gauge,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    let places = Arc::new(Semaphore::new(limits.connections_max));
    let mut reactors = Reactors::start(&front, limits)?;
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
        match stream.into_std() {
            Ok(stream) => reactors.give(Taken { stream, _place: place.ok(), _open: Open::of(connections.clone()) }),
            Err(e) => tracing::debug!(error = %e, "a connection ended early"),
        }
    }
    drop(listener);
    reactors.end().await;
    Ok(())
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
