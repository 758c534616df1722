//! The HTTP side: one file a resource. Errors are problem details (RFC 9457) throughout.

pub(crate) mod body;
mod controllers;
mod detectors;
pub(crate) mod front;
mod health;
mod impatient;
mod named;
mod network;
mod observations;
mod page;
mod problem;
mod reactors;
pub(crate) mod server;
mod state;
mod timing;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::sync::watch;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::engine::actor::Engine;
use crate::engine::core::Shared;
use problem::ApiProblem;

pub(crate) use network::{geojson, places};

/// Header that carries the service's clock.
const SERVER_TIME: HeaderName = HeaderName::from_static("greenkerb-server-time");

/// What every handler may use. One pointer: a request copies no more than that.
#[derive(Debug, Clone)]
pub(crate) struct App(Arc<Parts>);

/// What [`App`] points to.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) shared: Shared,
    pub(crate) engine: Engine,
    /// The network never changes while the service runs, so its GeoJSON is made once.
    pub(crate) geojson: bytes::Bytes,
    /// Longitude and latitude of every controller, in order.
    pub(crate) places: Vec<(f64, f64)>,
    /// Checksum of every controller's database, in order.
    pub(crate) checksums: Vec<String>,
    /// The OpenAPI document.
    pub(crate) openapi: bytes::Bytes,
    /// Memory for bodies.
    pub(crate) memory: body::Memory,
    /// Turns to read large bodies.
    pub(crate) reading: tokio::sync::Semaphore,
    /// Turns true when the service ends: whoever waits or streams stops then.
    pub(crate) ending: watch::Sender<bool>,
}

impl App {
    pub(crate) fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }
}

impl std::ops::Deref for App {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.0
    }
}

#[derive(OpenApi)]
#[openapi(info(
    title = "Greenkerb",
    description = "Detector counts in, safe signal timings out.",
    license(name = "Apache-2.0")
))]
struct Doc;

/// The one resource that is asked for all the time.
fn polled() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(Doc::openapi()).routes(routes!(timing::get))
}

/// Everything else.
fn documented() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(Doc::openapi())
        .routes(routes!(observations::post))
        .routes(routes!(controllers::list))
        .routes(routes!(controllers::history))
        .routes(routes!(controllers::acknowledge))
        .routes(routes!(timing::events))
        .routes(routes!(detectors::list))
        .routes(routes!(network::get))
        .routes(routes!(state::get))
        .routes(routes!(health::live))
        .routes(routes!(health::ready))
        .routes(routes!(health::metrics))
}

/// The OpenAPI document, as it is committed and served.
#[must_use]
pub fn openapi_json() -> String {
    let (_, api) = polled().merge(documented()).split_for_parts();
    api.to_pretty_json().map(|text| text + "\n").unwrap_or_default()
}

/// The whole service as a router.
pub(crate) fn router(app: App) -> Router {
    let metrics = app.shared.metrics.clone();
    // What is polled all the time passes through as little as possible.
    let (polled, _) = polled().split_for_parts();
    let (documented, _) = documented().split_for_parts();
    let others = documented
        .route("/openapi.json", get(openapi))
        .merge(page::routes())
        .layer(middleware::from_fn(plain_errors_become_problems));
    polled
        .merge(others)
        .fallback(|| async { ApiProblem::new(StatusCode::NOT_FOUND, "not-found", "there is nothing at this path") })
        .method_not_allowed_fallback(|| async {
            ApiProblem::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "this path does not take this method")
        })
        .layer(CatchPanicLayer::custom(move |_: Box<dyn std::any::Any + Send>| {
            metrics.panics.increment(1);
            ApiProblem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the request failed; nothing was changed")
                .into_response()
        }))
        .with_state(app)
}

async fn openapi(State(app): State<App>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], app.openapi.clone())
}

/// axum's own refusals (a path that is no UTF-8, say) come as plain text; everybody gets problem details instead.
async fn plain_errors_become_problems(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let status = response.status();
    let is_problem = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|t| t == HeaderValue::from_static("application/problem+json"));
    if !(status.is_client_error() || status.is_server_error()) || is_problem {
        return response;
    }
    let detail = status.canonical_reason().unwrap_or("the request failed").to_lowercase();
    ApiProblem::new(status, "refused", &detail).into_response()
}
