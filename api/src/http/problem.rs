//! Problem details (RFC 9457).

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::engine::actor::EngineError;
use crate::store::StoreError;
use crate::wire::v1::Problem;

/// A refusal on its way out.
#[derive(Debug, Clone)]
pub(crate) struct ApiProblem {
    status: StatusCode,
    kind: &'static str,
    detail: String,
    retry_after_s: Option<u32>,
}

impl ApiProblem {
    pub(crate) fn new(status: StatusCode, kind: &'static str, detail: &str) -> Self {
        Self { status, kind, detail: detail.to_owned(), retry_after_s: None }
    }

    /// Not now; in a second perhaps.
    pub(crate) fn busy(detail: &str) -> Self {
        Self { retry_after_s: Some(1), ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", detail) }
    }

    pub(crate) fn unknown_controller(name: &str) -> Self {
        let name: String = name.chars().take(200).collect();
        Self::new(StatusCode::NOT_FOUND, "unknown-controller", &format!("the network has no controller '{name}'"))
    }
}

impl From<EngineError> for ApiProblem {
    fn from(e: EngineError) -> Self {
        Self::busy(&e.to_string())
    }
}

impl From<StoreError> for ApiProblem {
    fn from(e: StoreError) -> Self {
        tracing::error!(error = %e, "the store failed a request");
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "store", "the store does not answer")
    }
}

impl IntoResponse for ApiProblem {
    fn into_response(self) -> Response {
        let body = Problem {
            kind: format!("/problems/{}", self.kind),
            title: self.kind.replace('-', " "),
            status: self.status.as_u16(),
            detail: self.detail,
        };
        let text = serde_json::to_vec(&body).unwrap_or_default();
        let mut response = (self.status, text).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(s) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(s));
        }
        response
    }
}
