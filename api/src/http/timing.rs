//! `GET /v1/controllers/{name}/timing`: what controllers poll, wait for, or stream.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{Stream, StreamExt};
use greenkerb_models::ids::ControllerId;
use tokio_stream::wrappers::WatchStream;

use super::named::Named;
use super::problem::ApiProblem;
use super::{App, SERVER_TIME};
use crate::engine::board::Shown;
use crate::wire::v1::{Problem, Timing};

/// Longest a poll may wait.
const WAIT_MAX: Duration = Duration::from_secs(60);

/// The timing in force or about to be. With `If-None-Match` an unchanged one is 304; with `wait` the answer is held back
/// until it changes.
#[utoipa::path(
    get, path = "/v1/controllers/{name}/timing", tag = "controllers",
    params(
        ("name" = String, Path, description = "name of the controller"),
        ("wait" = Option<String>, Query, description = "how long to wait for a change: `30s`, `500ms`; at most 60 s"),
        ("If-None-Match" = Option<String>, Header, description = "entity tag of the timing that is known already"),
    ),
    responses(
        (status = 200, body = Timing),
        (status = 304, description = "unchanged"),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn get(
    State(app): State<App>,
    Named(id): Named,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, ApiProblem> {
    let wait = wait_of(query.as_deref())?;
    let (board, clock) = (&app.shared.board, &app.shared.clock);
    board.polled(id, clock.now());
    // Whatever is published from here on wakes the watch, so nothing falls between looking and waiting.
    let changes = wait.map(|_| board.watch(id));
    let mut shown = board.shown(id);
    if let (Some(wait), Some(mut changes)) = (wait, changes)
        && shown.as_ref().is_none_or(|s| matches(&headers, s))
    {
        let waiting = board.wait(id);
        let mut ending = app.ending.subscribe();
        tokio::select! {
            _ = changes.changed() => {}
            _ = ending.wait_for(|ends| *ends) => {}
            () = tokio::time::sleep(wait) => {}
        }
        board.polled(id, clock.now());
        drop(waiting);
        shown = board.shown(id);
    }
    let shown = shown.ok_or_else(no_plan)?;
    Ok(answer(&app, &headers, &shown))
}

/// The answer to a poll that does not wait; `None` when there is nothing to show.
pub(super) fn now(app: &App, id: ControllerId, headers: &HeaderMap) -> Option<Response> {
    let board = &app.shared.board;
    board.polled(id, app.shared.clock.now());
    board.shown(id).map(|shown| answer(app, headers, &shown))
}

fn answer(app: &App, headers: &HeaderMap, shown: &Shown) -> Response {
    let mut response = if matches(headers, shown) {
        app.shared.metrics.polls_unchanged.increment(1);
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        app.shared.metrics.polls_fresh.increment(1);
        let mut response = Response::new(Body::from(shown.body.clone()));
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response
    };
    let out = response.headers_mut();
    out.insert(header::ETAG, shown.etag.clone());
    out.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Some(now) = app.shared.clock.now()
        && let Ok(value) = HeaderValue::from_str(&now.rfc3339())
    {
        out.insert(SERVER_TIME, value);
    }
    response
}

fn no_plan() -> ApiProblem {
    ApiProblem::new(StatusCode::SERVICE_UNAVAILABLE, "no-plan", "there is no valid timing for this controller yet")
}

/// True when one of the tags in `If-None-Match` is that of what is shown (weak comparison, RFC 9110 13.1.2).
fn matches(headers: &HeaderMap, shown: &Shown) -> bool {
    headers.get_all(header::IF_NONE_MATCH).iter().any(|given| lists(given.as_bytes(), shown.etag.as_bytes()))
}

/// True when a list of entity tags holds this one. None of our tags has a comma in it.
fn lists(given: &[u8], etag: &[u8]) -> bool {
    given.split(|b| *b == b',').map(<[u8]>::trim_ascii).any(|t| t == b"*" || t.strip_prefix(b"W/").unwrap_or(t) == etag)
}

fn wait_of(query: Option<&str>) -> Result<Option<Duration>, ApiProblem> {
    let wrong = || {
        let detail = "wait is a number of seconds or milliseconds, such as 30s or 500ms";
        ApiProblem::new(StatusCode::BAD_REQUEST, "wait", detail)
    };
    let Some(text) = query.and_then(|q| q.split('&').find_map(|p| p.strip_prefix("wait="))) else { return Ok(None) };
    let (digits, unit_s) = if let Some(ms) = text.strip_suffix("ms") {
        (ms, 0.001)
    } else {
        (text.strip_suffix('s').unwrap_or(text), 1.0)
    };
    let value: u32 = digits.parse().map_err(|_| wrong())?;
    Ok(Some(Duration::from_secs_f64(f64::from(value) * unit_s).min(WAIT_MAX)))
}

/// The timing now and every later one, as server-sent events named `timing` with the revision as id.
#[utoipa::path(
    get, path = "/v1/controllers/{name}/events", tag = "controllers",
    params(("name" = String, Path, description = "name of the controller")),
    responses(
        (status = 200, content_type = "text/event-stream", body = String),
        (status = 404, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn events(
    State(app): State<App>,
    Named(id): Named,
    headers: HeaderMap,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let seen: Option<u64> = headers.get("last-event-id").and_then(|v| v.to_str().ok()?.parse().ok());
    let board = app.shared.board.clone();
    let waiting = board.wait(id);
    let mut ending = app.ending.subscribe();
    let ended = async move {
        // An error means that nobody is left to say so.
        let _ = ending.wait_for(|ends| *ends).await;
    };
    let mut last = seen;
    let stream = WatchStream::new(board.watch(id)).filter_map(move |_| {
        let (board, clock) = (waiting.board(), &app.shared.clock);
        board.polled(id, clock.now());
        let shown = board.shown(id).filter(|s| last != Some(s.plan.get().revision.0));
        let event = shown.and_then(|s| {
            let revision = s.plan.get().revision.0;
            last = Some(revision);
            let text = std::str::from_utf8(&s.body).ok()?;
            Some(Ok(Event::default().event("timing").id(revision.to_string()).data(text)))
        });
        std::future::ready(event)
    });
    Sse::new(stream.take_until(Box::pin(ended))).keep_alive(KeepAlive::default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_compared_weakly_and_in_lists() {
        let ours = b"\"7-ab\"".as_slice();
        for given in ["\"7-ab\"", "W/\"7-ab\"", "*", "\"x\", W/\"7-ab\" ,\"y\""] {
            assert!(lists(given.as_bytes(), ours), "{given}");
        }
        for given in ["", "7-ab", "\"7-a\"", "w/\"7-ab\"", "\"7-ab", ",,,", "W/"] {
            assert!(!lists(given.as_bytes(), ours), "{given}");
        }
        assert!(!lists(b"\xff\xfe", ours));
    }

    #[test]
    fn waits_are_read_and_bounded() {
        assert_eq!(wait_of(Some("wait=30s")).unwrap(), Some(Duration::from_secs(30)));
        assert_eq!(wait_of(Some("a=b&wait=500ms")).unwrap(), Some(Duration::from_millis(500)));
        assert_eq!(wait_of(Some("wait=4000000000s")).unwrap(), Some(WAIT_MAX));
        assert_eq!(wait_of(None).unwrap(), None);
        for wrong in ["wait=", "wait=-1", "wait=1e99", "wait=NaN", "wait=9999999999999999999999s"] {
            assert!(wait_of(Some(wrong)).is_err(), "{wrong}");
        }
    }
}
