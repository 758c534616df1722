//! `GET /v1/network/state`.

use axum::Json;
use axum::extract::State as Shared;
use greenkerb_models::units::TimeDs;

use super::App;
use super::problem::ApiProblem;
use crate::wire::v1::{ControllerNow, DecisionNow, DetectorNow, LaneNow, Problem, ReadingNow, State};

/// What is known about traffic now: lanes, detectors (raw, flag and imputed value apart), controllers, decisions.
#[utoipa::path(
    get, path = "/v1/network/state", tag = "network",
    responses(
        (status = 200, body = State),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn get(Shared(app): Shared<App>) -> Result<Json<State>, ApiProblem> {
    let look = app.engine.look().await?;
    let network = &app.shared.network;
    let now = app.shared.clock.now();
    let lanes = look.state.lanes.iter().map(|l| {
        let lane = network.lane(l.lane);
        LaneNow {
            lane: lane.name.clone(),
            link: network.link(lane.link).name.clone(),
            flow_vph: l.flow_vph,
            queue_veh: l.queue_veh,
            queue_is_lower_bound: l.queue_is_lower_bound,
            storage_veh: lane.length.get() / 7.0,
            occupancy: l.occupancy,
            source: l.source.into(),
        }
    });
    let reading =
        |r: &greenkerb_optimizer::estimation::Reading| ReadingNow { flow_vph: r.flow_vph, occupancy: r.occupancy };
    let detectors = look.detectors.iter().map(|d| DetectorNow {
        name: network.detector(d.detector).name.clone(),
        health: d.health.into(),
        since: d.since.map(TimeDs::rfc3339),
        heard: d.heard.map(TimeDs::rfc3339),
        raw: d.raw.as_ref().map(reading),
        imputed: d.imputed.as_ref().map(reading),
    });
    let controllers = look.state.controllers.iter().map(|c| {
        let shown = app.shared.board.shown(c.controller);
        let plan = shown.as_ref().map(|s| s.plan.get());
        ControllerNow {
            name: network.controller(c.controller).name.clone(),
            cycle_s: c.cycle_s,
            degree_of_saturation: c.degree_of_saturation,
            on_time_of_day_plan: c.on_time_of_day_plan,
            revision: plan.map(|p| p.revision.0),
            plan_age_s: plan.zip(now).map(|(p, n)| (n.since(p.computed_at) as f64 / 10.0).max(0.0)),
        }
    });
    let name = |v: serde_json::Value| v.as_str().unwrap_or_default().to_owned();
    let decisions = look.decisions.iter().map(|d| DecisionNow {
        controllers: d.controllers.iter().map(|c| network.controller(*c).name.clone()).collect(),
        at: d.at.rfc3339(),
        method: name(serde_json::to_value(d.method).unwrap_or_default()),
        status: d.status.map(|s| name(serde_json::to_value(s).unwrap_or_default())),
        delay_veh_s: d.delay_veh_s,
        kept_veh_s: d.kept_veh_s,
        trouble: d.trouble.clone(),
    });
    Ok(Json(State {
        clock: now.map(TimeDs::rfc3339),
        clock_source: app.shared.clock.source_name().to_owned(),
        feed_age_s: app.shared.clock.feed_age_s(),
        lanes: lanes.collect(),
        detectors: detectors.collect(),
        controllers: controllers.collect(),
        decisions: decisions.collect(),
    }))
}
