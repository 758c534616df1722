//! `POST /v1/observations`.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::problem::ApiProblem;
use super::{App, body};
use crate::engine::core::Answer;
use crate::engine::idempotency::KEY_CHARS_MAX;
use crate::engine::ingest::{Batch, BatchError, read_json, read_ndjson};
use crate::wire::v1::{Problem, Receipt, Reports};

/// Larger bodies than this are read elsewhere than on the threads that answer polls.
const READ_AT_ONCE_BYTES: usize = 64 << 10;

/// What detectors report and what is seen of junctions, as JSON or one item per line (`application/x-ndjson`).
#[utoipa::path(
    post, path = "/v1/observations", tag = "detectors",
    request_body(content((Reports = "application/json"), (String = "application/x-ndjson"))),
    params(("Idempotency-Key" = Option<String>, Header, description = "the same key and body get the same answer")),
    responses(
        (status = 200, body = Receipt),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 408, body = Problem, content_type = "application/problem+json"),
        (status = 413, body = Problem, content_type = "application/problem+json"),
        (status = 415, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn post(State(app): State<App>, request: Request<Body>) -> Result<Response, ApiProblem> {
    let headers = request.headers().clone();
    let lines = is_ndjson(&headers)?;
    let key = key_of(&headers)?;
    let body_bytes_max = app.shared.settings.body_bytes_max;
    let body = body::read(&app, request, body_bytes_max).await?;
    let (batch, digest) = read(&app, body.bytes.clone(), lines).await?;
    // The body's share of the memory is given back when it has been answered: until then its reports wait.
    match app.engine.ingest(batch, key.map(|k| (k, digest))).await {
        Ok(Answer::Receipt(body)) => Ok(([(header::CONTENT_TYPE, "application/json")], body).into_response()),
        Ok(Answer::OtherBody) => Err(ApiProblem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "idempotency-key",
            "this idempotency key was used for another body",
        )),
        Err(e) => {
            app.shared.metrics.turned_away.increment(1);
            Err(e.into())
        }
    }
}

/// Reads a batch, a large one not on the threads that answer polls, and not more of them at a time than leaves room for
/// others.
async fn read(app: &App, body: Bytes, lines: bool) -> Result<(Batch, [u8; 32]), ApiProblem> {
    let (network, vicinity) = (Arc::clone(&app.shared.network), Arc::clone(&app.shared.vicinity));
    let large = body.len() > READ_AT_ONCE_BYTES;
    let read = move || -> Result<_, BatchError> {
        let batch =
            if lines { read_ndjson(&network, &vicinity, &body)? } else { read_json(&network, &vicinity, &body)? };
        Ok((batch, Sha256::digest(&body).into()))
    };
    let outcome = if large {
        let turn = app.reading.acquire().await;
        let outcome = tokio::task::spawn_blocking(read).await;
        drop(turn);
        outcome.map_err(|_| ApiProblem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the body was not read"))?
    } else {
        read()
    };
    outcome.map_err(|e| match e {
        BatchError::Json(_) => ApiProblem::new(StatusCode::BAD_REQUEST, "malformed", &e.to_string()),
        BatchError::TooMany { .. } => ApiProblem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-many", &e.to_string()),
    })
}

fn is_ndjson(headers: &HeaderMap) -> Result<bool, ApiProblem> {
    let given = headers.get(header::CONTENT_TYPE).map(|v| v.to_str().unwrap_or("").to_ascii_lowercase());
    match given.as_deref().map(|t| t.split(';').next().unwrap_or("").trim()) {
        Some("application/json") => Ok(false),
        Some("application/x-ndjson" | "application/ndjson") => Ok(true),
        _ => Err(ApiProblem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "media-type",
            "send application/json or application/x-ndjson",
        )),
    }
}

fn key_of(headers: &HeaderMap) -> Result<Option<String>, ApiProblem> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    match value.to_str() {
        Ok(key) if !key.is_empty() && key.len() <= KEY_CHARS_MAX => Ok(Some(key.to_owned())),
        _ => Err(ApiProblem::new(
            StatusCode::BAD_REQUEST,
            "idempotency-key",
            &format!("an idempotency key has 1 to {KEY_CHARS_MAX} visible ASCII characters"),
        )),
    }
}
