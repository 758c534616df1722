//! The network as GeoJSON (RFC 7946).

use serde::Serialize;
use utoipa::ToSchema;

/// A collection of features.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct FeatureCollection {
    /// Always `FeatureCollection`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Name of the network.
    pub name: String,
    /// False when the source names no projection: true to scale, laid out around 0° N 0° E.
    pub placed: bool,
    /// Links, nodes, controllers and detectors, told apart by the property `kind`.
    pub features: Vec<Feature>,
}

/// A feature.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Feature {
    /// Always `Feature`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Where it is.
    pub geometry: Geometry,
    /// `kind` (`link`, `node`, `controller`, `detector`), `name`, and what belongs to the kind.
    #[schema(value_type = Object)]
    pub properties: serde_json::Map<String, serde_json::Value>,
}

/// A point or a line, `[longitude, latitude]` in degrees.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(tag = "type", content = "coordinates")]
pub enum Geometry {
    /// A point.
    Point([f64; 2]),
    /// A line.
    LineString(Vec<[f64; 2]>),
}
