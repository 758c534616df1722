//! Controllers: the list, what was published for each, and what each says.

use axum::Json;
use axum::body::Body;
use axum::extract::{RawQuery, Request, State};
use axum::http::StatusCode;
use greenkerb_models::ids::ControllerId;
use greenkerb_models::plan::{PlanDiff, PublishedPlan};
use greenkerb_models::units::{Ds, TimeDs};

use super::named::Named;
use super::problem::ApiProblem;
use super::{App, body};
use crate::engine::board::AckError;
use crate::wire::read_object;
use crate::wire::v1::{
    Ack, AckState, Change, ControllerEntry, Controllers, History, HistoryEntry, Plan, Problem, ReasonEntry,
};

/// Publications listed when nobody says how many.
const HISTORY_DEFAULT: usize = 20;

/// After a plan has taken over, how long its controller may take to say so.
const GRACE: Ds = Ds::from_s(10);

/// Every controller: what it is asked to run beside what it says it runs.
#[utoipa::path(get, path = "/v1/controllers", tag = "controllers", responses((status = 200, body = Controllers)))]
pub(super) async fn list(State(app): State<App>) -> Json<Controllers> {
    let now = app.shared.clock.now();
    let controllers = (0..app.shared.network.controllers().len()).map(|i| entry(&app, ControllerId::at(i), now));
    Json(Controllers { clock: now.map(TimeDs::rfc3339), controllers: controllers.collect() })
}

fn entry(app: &App, id: ControllerId, now: Option<TimeDs>) -> ControllerEntry {
    let board = &app.shared.board;
    let c = app.shared.network.controller(id);
    let shown = board.shown(id);
    let plan = shown.as_ref().map(|s| s.plan.get());
    let expected = now.and_then(|n| board.expected(id, n));
    let ack = board.ack(id);
    let running = ack.as_ref().and_then(|a| a.running);
    // A controller may take a while to say that it has changed plan; what ran before is as right as long as that.
    let before = now.and_then(|n| board.expected(id, n - GRACE));
    let mismatch_reason = match (&ack, expected) {
        (Some(a), _) if a.state == "rejected" => Some(format!("it rejected revision {}", a.revision)),
        (Some(a), _) if a.state == "local_mode" => Some("it runs its own plan and takes no orders".to_owned()),
        // The first timing of all follows upon the controller's own plan.
        // Of schedules, which come every second, it may run any since then.
        (Some(_), Some(e)) if running != Some(e) && running.is_none_or(|r| Some(r) < before) => Some(format!(
            "it says it runs {}, revision {e} should run",
            running.map_or_else(|| "its own plan".to_owned(), |r| format!("revision {r}")),
        )),
        _ => None,
    };
    let (lon, lat) = app.places[id.index()];
    ControllerEntry {
        name: c.name.clone(),
        lon,
        lat,
        groups: c.groups.iter().map(|g| g.name.clone()).collect(),
        revision: plan.map(|p| p.revision.0),
        expected_revision: expected,
        running_revision: running,
        last_state: ack.as_ref().and_then(|a| state_named(&a.state)),
        last_state_revision: ack.as_ref().map(|a| a.revision),
        last_reason: ack.as_ref().and_then(|a| a.reason.clone()),
        acknowledged_at: ack.as_ref().map(|a| a.at.rfc3339()),
        polled_at: board.polled_at(id).map(TimeDs::rfc3339),
        configuration_checksum: app.checksums[id.index()].clone(),
        valid_until: plan.map(|p| p.valid_until.rfc3339()),
        stale: board.is_stale(id, now),
        mismatch: mismatch_reason.is_some(),
        mismatch_reason,
        on_time_of_day_plan: plan.is_none_or(|p| now.is_some_and(|n| n >= p.valid_until)),
    }
}

fn state_named(name: &str) -> Option<AckState> {
    serde_json::from_value(serde_json::Value::String(name.to_owned())).ok()
}

/// Largest acknowledgement.
const ACK_BYTES_MAX: usize = 16 << 10;

impl From<AckError> for ApiProblem {
    fn from(e: AckError) -> Self {
        let status = match e {
            AckError::Instant { .. } | AckError::FarOff { .. } => StatusCode::BAD_REQUEST,
            AckError::Unknown { .. } | AckError::OtherHash { .. } => StatusCode::CONFLICT,
        };
        Self::new(status, "acknowledgement", &e.to_string())
    }
}

/// What a controller says about a timing it polled.
#[utoipa::path(
    post, path = "/v1/controllers/{name}/ack", tag = "controllers", request_body = Ack,
    params(("name" = String, Path, description = "name of the controller")),
    responses(
        (status = 204, description = "taken"),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn acknowledge(
    State(app): State<App>,
    Named(id): Named,
    request: Request<Body>,
) -> Result<StatusCode, ApiProblem> {
    let body = body::read(&app, request, ACK_BYTES_MAX.min(app.shared.settings.body_bytes_max)).await?;
    let ack: Ack =
        read_object(&body.bytes).map_err(|e| ApiProblem::new(StatusCode::BAD_REQUEST, "malformed", &e.to_string()))?;
    let name = &app.shared.network.controller(id).name;
    app.shared.board.acknowledge(id, &ack, app.shared.clock.now(), |record| {
        app.engine.acknowledge(name.clone(), record).map_err(ApiProblem::from)
    })?;
    app.shared.metrics.acks.increment(1);
    Ok(StatusCode::NO_CONTENT)
}

/// What was published for a controller, newest first, with reasons and differences.
#[utoipa::path(
    get, path = "/v1/controllers/{name}/history", tag = "controllers",
    params(
        ("name" = String, Path, description = "name of the controller"),
        ("limit" = Option<usize>, Query, description = "how many, 1 to 200; 20 by default"),
    ),
    responses(
        (status = 200, body = History),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn history(
    State(app): State<App>,
    Named(id): Named,
    RawQuery(query): RawQuery,
) -> Result<Json<History>, ApiProblem> {
    let name = app.shared.network.controller(id).name.clone();
    let limit = match query.as_deref().and_then(|q| q.split('&').find_map(|p| p.strip_prefix("limit="))) {
        None => HISTORY_DEFAULT,
        Some(text) => text
            .parse()
            .ok()
            .filter(|l| (1..=crate::store::HISTORY_MAX).contains(l))
            .ok_or_else(|| ApiProblem::new(StatusCode::BAD_REQUEST, "limit", "limit is a number from 1 to 200"))?,
    };
    let store = app.shared.store.clone();
    let asked = name.clone();
    let plans = tokio::task::spawn_blocking(move || store.history(&asked, limit + 1)).await.map_err(|_| {
        ApiProblem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the history could not be read")
    })??;
    let c = app.shared.network.controller(id);
    // What was published for another database of this name cannot be told in the groups of this one.
    let groups = c.groups.len();
    let fits = |p: &&PublishedPlan| p.plan.greens.len() == groups && p.fallback.plan.greens.len() == groups;
    let revisions = plans
        .iter()
        .enumerate()
        .take(limit)
        .filter(|(_, p)| fits(p))
        .map(|(i, p)| HistoryEntry {
            revision: p.revision.0,
            hash: p.hash(app.shared.settings.optimizer.policy.transition),
            computed_at: p.computed_at.rfc3339(),
            valid_from: p.valid_from.rfc3339(),
            valid_until: p.valid_until.rfc3339(),
            change: plans.get(i + 1).map(|before| {
                let d = PlanDiff::between(&before.plan, &p.plan);
                Change { cycle_ds: d.cycle_ds, offset_ds: d.offset_ds, splits_ds: d.splits_ds }
            }),
            reasons: p.reasons.iter().map(ReasonEntry::of).collect(),
            plan: Plan::of(&p.plan, c),
            fallback: Plan::of(&p.fallback.plan, c),
        })
        .collect();
    Ok(Json(History { controller: name, revisions }))
}
