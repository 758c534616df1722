//! `GET /v1/network`: the network as GeoJSON, made once when the service starts.

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use greenkerb_models::network::{Network, Point, Projection, ProjectionError};
use serde_json::{Map, Value, json};

use super::App;
use crate::wire::v1::{Feature, FeatureCollection, Geometry};

/// The network as GeoJSON: links, nodes and controllers.
#[utoipa::path(
    get, path = "/v1/network", tag = "network",
    responses((status = 200, body = FeatureCollection, content_type = "application/geo+json"))
)]
pub(super) async fn get(State(app): State<App>) -> impl IntoResponse {
    let body = app.geojson.clone();
    ([(header::CONTENT_TYPE, "application/geo+json"), (header::CACHE_CONTROL, "max-age=60")], body)
}

/// Where each controller is: the middle of its nodes, in longitude and latitude.
///
/// # Errors
/// [`ProjectionError`] when the network's projection cannot be used.
pub(crate) fn places(network: &Network) -> Result<Vec<(f64, f64)>, ProjectionError> {
    let middles: Vec<Point> = network
        .controllers()
        .iter()
        .map(|c| {
            let n = c.nodes.len().max(1) as f64;
            let sum = c
                .nodes
                .iter()
                .map(|id| network.node(*id).position)
                .fold(Point::default(), |a, p| Point { x: a.x + p.x, y: a.y + p.y });
            Point { x: sum.x / n, y: sum.y / n }
        })
        .collect();
    network.projection().lon_lat(&middles)
}

/// The network as GeoJSON.
///
/// # Errors
/// [`ProjectionError`] when the network's projection cannot be used.
pub(crate) fn geojson(network: &Network, places: &[(f64, f64)]) -> Result<FeatureCollection, ProjectionError> {
    let mut features = Vec::new();
    for link in network.links() {
        let line = network.projection().lon_lat(&link.shape.0)?.into_iter().map(|(lon, lat)| [lon, lat]).collect();
        features.push(feature(
            Geometry::LineString(line),
            json!({
                "kind": "link", "name": link.name, "lanes": link.lanes.len(), "length_m": link.length.get(),
                "speed_mps": link.speed.get(),
            }),
        ));
    }
    let points: Vec<Point> = network.nodes().iter().map(|n| n.position).collect();
    for (node, (lon, lat)) in network.nodes().iter().zip(network.projection().lon_lat(&points)?) {
        features.push(feature(Geometry::Point([lon, lat]), json!({ "kind": "node", "name": node.name })));
    }
    for (c, (lon, lat)) in network.controllers().iter().zip(places) {
        features.push(feature(
            Geometry::Point([*lon, *lat]),
            json!({
                "kind": "controller", "name": c.name, "groups": c.groups.len(), "stages": c.program.stage_count(),
            }),
        ));
    }
    let placed = !matches!(network.projection(), Projection::Unplaced);
    Ok(FeatureCollection { kind: "FeatureCollection", name: network.name().to_owned(), placed, features })
}

fn feature(geometry: Geometry, properties: Value) -> Feature {
    let properties = match properties {
        Value::Object(map) => map,
        _ => Map::new(),
    };
    Feature { kind: "Feature", geometry, properties }
}
