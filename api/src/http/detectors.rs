//! `GET /v1/detectors`.

use axum::Json;
use axum::extract::State;

use super::App;
use super::problem::ApiProblem;
use crate::wire::v1::{DetectorEntry, Detectors, Problem};

/// Every detector: where it lies and how it is.
#[utoipa::path(
    get, path = "/v1/detectors", tag = "detectors",
    responses(
        (status = 200, body = Detectors),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list(State(app): State<App>) -> Result<Json<Detectors>, ApiProblem> {
    let look = app.engine.look().await?;
    let network = &app.shared.network;
    let detectors = look.detectors.iter().map(|status| {
        let d = network.detector(status.detector);
        DetectorEntry {
            name: d.name.clone(),
            lane: network.lane(d.lane).name.clone(),
            kind: d.kind.into(),
            to_stop_line_m: d.to_stop_line.get(),
            length_m: d.length.get(),
            health: status.health.into(),
        }
    });
    Ok(Json(Detectors { detectors: detectors.collect() }))
}
