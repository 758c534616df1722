//! The status page, from the binary itself.

use axum::Router;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;

use super::App;
use crate::web;

/// Only our own script and style run on the page, and it talks to nobody else.
const POLICY: &str =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:";

fn asset(kind: &'static str, text: &'static str) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, kind), (header::CONTENT_SECURITY_POLICY, POLICY)], text)
}

/// The page and its parts.
pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/", get(|| async { asset("text/html; charset=utf-8", web::INDEX) }))
        .route("/app.js", get(|| async { asset("text/javascript; charset=utf-8", web::SCRIPT) }))
        .route("/style.css", get(|| async { asset("text/css; charset=utf-8", web::STYLE) }))
}
