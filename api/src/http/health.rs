//! `/livez`, `/readyz`, `/metrics`.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use greenkerb_models::ids::ControllerId;
use greenkerb_models::units::TimeDs;

use super::App;
use crate::wire::v1::{Live, NotReady, Ready, Trouble};

/// The process answers.
#[utoipa::path(get, path = "/livez", tag = "health", responses((status = 200, body = Live)))]
pub(super) async fn live() -> Json<Live> {
    Json(Live { status: "live".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() })
}

/// The service can do its work: network loaded, store reachable, a valid plan for every controller, a fresh feed.
#[utoipa::path(
    get, path = "/readyz", tag = "health",
    responses(
        (status = 200, body = Ready),
        (status = 503, body = NotReady, content_type = "application/problem+json"),
    )
)]
pub(super) async fn ready(State(app): State<App>) -> Response {
    let (reasons, warnings) = troubles(&app);
    let clock = app.shared.clock.now().map(TimeDs::rfc3339);
    let feed_age_s = app.shared.clock.feed_age_s();
    let Some(first) = reasons.first() else {
        let network = app.shared.network.name().to_owned();
        return Json(Ready { status: "ready".to_owned(), network, clock, feed_age_s, warnings }).into_response();
    };
    let body = NotReady {
        kind: "/problems/not-ready".to_owned(),
        title: "not ready".to_owned(),
        status: 503,
        detail: first.detail.clone(),
        reasons,
        warnings,
        clock,
        feed_age_s,
    };
    let mut response = (StatusCode::SERVICE_UNAVAILABLE, Json(body)).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    response
}

fn trouble(code: &str, detail: String, controllers: Vec<String>) -> Trouble {
    Trouble { code: code.to_owned(), detail, controllers }
}

/// What keeps the service from working, and what only asks for attention.
fn troubles(app: &App) -> (Vec<Trouble>, Vec<Trouble>) {
    let shared = &app.shared;
    let (mut reasons, mut warnings) = (Vec::new(), Vec::new());
    let now = shared.clock.now();
    if now.is_none() {
        reasons.push(trouble("no_clock", "no observation has set the external clock yet".to_owned(), Vec::new()));
    }
    if let Err(e) = shared.store.probe() {
        reasons.push(trouble("store_unreachable", e.to_string(), Vec::new()));
    }
    if let Some(e) = shared.vitals.store_failure() {
        reasons.push(trouble("store_unreachable", e, Vec::new()));
    }
    let (mut without, mut expired) = (Vec::new(), Vec::new());
    for (i, c) in shared.network.controllers().iter().enumerate() {
        match shared.board.shown(ControllerId::at(i)) {
            None => without.push(c.name.clone()),
            Some(s) if now.is_some_and(|n| s.plan.get().valid_until <= n) => expired.push(c.name.clone()),
            Some(_) => {}
        }
    }
    if !without.is_empty() {
        reasons.push(trouble("no_plan", format!("{} controllers have no plan", without.len()), without));
    }
    if !expired.is_empty() {
        let detail = format!("{} controllers are on their time-of-day plan: nothing newer is in force", expired.len());
        reasons.push(trouble("plan_expired", detail, expired));
    }
    let timeout_s = shared.settings.optimizer.feed_timeout.seconds();
    match shared.clock.feed_age_s() {
        Some(age) if age > timeout_s => {
            let detail = format!("the newest observation is {age:.0} s old, at most {timeout_s:.0} s are acted on");
            reasons.push(trouble("feed_stale", detail, Vec::new()));
        }
        None => reasons.push(trouble("feed_stale", "nothing has been observed yet".to_owned(), Vec::new())),
        Some(_) => {}
    }
    if let Some(e) = shared.vitals.optimizer_failure() {
        warnings.push(trouble("optimizer_failed", format!("the plans in force stay: {e}"), Vec::new()));
    }
    if let Some(e) = shared.vitals.network_file() {
        warnings.push(trouble("network_file_changed", e, Vec::new()));
    }
    for (controller, reason) in shared.vitals.dropped() {
        warnings.push(trouble("plan_dropped", reason, vec![controller]));
    }
    let disputing = shared.vitals.disputing();
    if let Some(first) = disputing.first() {
        let (count, name) = (disputing.len(), &shared.network.detector(*first).name);
        let detail = format!("{count} detectors speak of another time than the clock, '{name}' among them");
        warnings.push(trouble("clock_disputed", detail, Vec::new()));
    }
    if shared.vitals.deadlines_missed() > 0 {
        let detail = format!("the last {} steps missed the deadline", shared.vitals.deadlines_missed());
        warnings.push(trouble("deadline_missed", detail, Vec::new()));
    }
    (reasons, warnings)
}

/// Counters and gauges in Prometheus' text format.
#[utoipa::path(
    get, path = "/metrics", tag = "health",
    responses((status = 200, body = String, content_type = "text/plain"))
)]
pub(super) async fn metrics(State(app): State<App>) -> impl IntoResponse {
    let m = &app.shared.metrics;
    let now = app.shared.clock.now();
    let flag = |b: bool| if b { 1.0 } else { 0.0 };
    m.gauge("greenkerb_ready", flag(troubles(&app).0.is_empty()));
    m.gauge("greenkerb_network_file_changed", flag(app.shared.vitals.network_file().is_some()));
    if let Some(age) = app.shared.clock.feed_age_s() {
        m.gauge("greenkerb_feed_age_seconds", age);
    }
    if let Some(now) = now {
        m.gauge("greenkerb_clock_seconds", now.seconds());
    }
    for entry in super::controllers::list(State(app.clone())).await.0.controllers {
        m.controller_gauge("greenkerb_ack_mismatch", &entry.name, flag(entry.mismatch));
        m.controller_gauge("greenkerb_controller_stale", &entry.name, flag(entry.stale));
        m.controller_gauge("greenkerb_on_time_of_day_plan", &entry.name, flag(entry.on_time_of_day_plan));
        let shown = app.shared.network.controller_named(&entry.name).and_then(|id| app.shared.board.shown(id));
        if let (Some(shown), Some(now)) = (shown, now) {
            let age_s = now.since(shown.plan.get().computed_at) as f64 / 10.0;
            m.controller_gauge("greenkerb_plan_age_seconds", &entry.name, age_s.max(0.0));
        }
    }
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], m.render())
}
