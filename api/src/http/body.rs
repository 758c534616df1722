//! Bodies of requests: so many bytes, in so much time, and so much memory for all of them.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::App;
use super::problem::ApiProblem;

/// How much of a body that is refused for its size is still read, as a multiple of what is allowed. A client that is in
/// the middle of sending hears the answer only when it has finished.
const HEARD_OUT: u64 = 4;

/// Unit in which the memory for bodies is handed out.
const UNIT_BYTES: usize = 16 << 10;

/// Memory for the bodies of all requests together, from the first byte until they have been answered.
#[derive(Debug)]
pub(crate) struct Memory(Arc<Semaphore>);

impl Memory {
    /// So many bytes.
    pub(crate) fn of(bytes: usize) -> Self {
        Self(Arc::new(Semaphore::new((bytes / UNIT_BYTES).clamp(1, Semaphore::MAX_PERMITS))))
    }
}

/// A body, with its share of the memory.
pub(super) struct Held {
    pub(super) bytes: Bytes,
    _share: Option<OwnedSemaphorePermit>,
}

/// Reads a body of at most so many bytes within the limits of time and of the memory for all.
///
/// # Errors
/// 413 when it is too large, 408 when it takes too long, 400 when it breaks off, 503 when there is no memory for it.
pub(super) async fn read(app: &App, request: Request<Body>, bytes_max: usize) -> Result<Held, ApiProblem> {
    let timeout = app.shared.settings.body_timeout;
    match tokio::time::timeout(timeout, whole(request, bytes_max, &app.memory)).await {
        Ok(body) => body,
        Err(_) => {
            let detail = format!("the body did not come within {} s", timeout.as_secs_f64());
            Err(ApiProblem::new(StatusCode::REQUEST_TIMEOUT, "too-slow", &detail))
        }
    }
}

/// What has come of a body.
#[derive(Default)]
struct Growing {
    bytes: BytesMut,
    share: Option<OwnedSemaphorePermit>,
}

impl Growing {
    /// Takes more, if there is memory for it.
    fn take(&mut self, data: &[u8], memory: &Memory) -> bool {
        let units = (self.bytes.len() + data.len()).div_ceil(UNIT_BYTES);
        let more = units.saturating_sub(self.share.as_ref().map_or(0, OwnedSemaphorePermit::num_permits));
        if more > 0 {
            let more = u32::try_from(more).unwrap_or(u32::MAX);
            let Ok(share) = Arc::clone(&memory.0).try_acquire_many_owned(more) else { return false };
            match &mut self.share {
                Some(held) => held.merge(share),
                None => self.share = Some(share),
            }
        }
        self.bytes.extend_from_slice(data);
        true
    }
}

async fn whole(request: Request<Body>, bytes_max: usize, memory: &Memory) -> Result<Held, ApiProblem> {
    let heard_max = HEARD_OUT.saturating_mul(bytes_max as u64);
    let told = request.headers().get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<u64>().ok());
    let mut body = request.into_body();
    let mut kept = Some(Growing::default());
    let mut heard = 0;
    let mut ended = told.is_some_and(|told| told > heard_max);
    while !ended && heard <= heard_max {
        match body.frame().await {
            Some(Ok(frame)) => {
                let Ok(data) = frame.into_data() else { continue };
                heard += data.len() as u64;
                let fits = heard <= bytes_max as u64;
                kept = kept.filter(|_| fits).and_then(|mut body| body.take(&data, memory).then_some(body));
            }
            Some(Err(_)) => return Err(ApiProblem::new(StatusCode::BAD_REQUEST, "body", "the body breaks off")),
            None => ended = true,
        }
    }
    if heard.max(told.unwrap_or(0)) > bytes_max as u64 {
        let detail = format!("a body may have {bytes_max} bytes");
        return Err(ApiProblem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", &detail));
    }
    match kept {
        Some(Growing { bytes, share }) => Ok(Held { bytes: bytes.freeze(), _share: share }),
        None => Err(ApiProblem::busy("there is no memory for another body now; try again")),
    }
}
