//! Bodies of requests: so many bytes, in so much time.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;

use super::App;
use super::problem::ApiProblem;

/// How much of a body that is refused for its size is still read, as a multiple of what is allowed. A client that is in
/// the middle of sending hears the answer only when it has finished.
const HEARD_OUT: u64 = 4;

/// Reads a body within the limits.
///
/// # Errors
/// 413 when it is too large, 408 when it takes too long, 400 when it breaks off.
pub(super) async fn read(app: &App, request: Request<Body>) -> Result<Bytes, ApiProblem> {
    let settings = &app.shared.settings;
    match tokio::time::timeout(settings.body_timeout, whole(request, settings.body_bytes_max)).await {
        Ok(body) => body,
        Err(_) => {
            let detail = format!("the body did not come within {} s", settings.body_timeout.as_secs_f64());
            Err(ApiProblem::new(StatusCode::REQUEST_TIMEOUT, "too-slow", &detail))
        }
    }
}

async fn whole(request: Request<Body>, bytes_max: usize) -> Result<Bytes, ApiProblem> {
    let heard_max = HEARD_OUT.saturating_mul(bytes_max as u64);
    let told = request.headers().get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<u64>().ok());
    let mut body = request.into_body();
    let mut kept = BytesMut::new();
    let mut heard = 0;
    let mut ended = told.is_some_and(|told| told > heard_max);
    while !ended && heard <= heard_max {
        match body.frame().await {
            Some(Ok(frame)) => {
                let Ok(data) = frame.into_data() else { continue };
                heard += data.len() as u64;
                if heard <= bytes_max as u64 {
                    kept.extend_from_slice(&data);
                } else {
                    kept = BytesMut::new();
                }
            }
            Some(Err(_)) => return Err(ApiProblem::new(StatusCode::BAD_REQUEST, "body", "the body breaks off")),
            None => ended = true,
        }
    }
    if heard.max(told.unwrap_or(0)) > bytes_max as u64 {
        let detail = format!("a body may have {bytes_max} bytes");
        return Err(ApiProblem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", &detail));
    }
    Ok(kept.freeze())
}
