//! The controller that a path names.

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::StatusCode;
use axum::http::request::Parts;
use greenkerb_models::ids::ControllerId;

use super::App;
use super::problem::ApiProblem;

/// A controller of the network, by the `{name}` in the path.
#[derive(Debug, Clone, Copy)]
pub(super) struct Named(pub(super) ControllerId);

impl FromRequestParts<App> for Named {
    type Rejection = ApiProblem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiProblem> {
        let no_text = || ApiProblem::new(StatusCode::BAD_REQUEST, "path", "the path is no UTF-8 text");
        let params = RawPathParams::from_request_parts(parts, app).await.map_err(|_| no_text())?;
        let name = params.iter().find_map(|(key, value)| (key == "name").then_some(value)).ok_or_else(no_text)?;
        app.shared.network.controller_named(name).map(Self).ok_or_else(|| ApiProblem::unknown_controller(name))
    }
}
