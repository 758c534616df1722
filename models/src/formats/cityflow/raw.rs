//! Elements of the files as they stand there. Fields we do not use are not looked at.

use std::collections::HashMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::error::{At, CityflowError, Flaw};
use crate::formats::json::reason;
use crate::formats::{FileKind, Source, kind};
use crate::network::Point;

#[derive(Deserialize)]
struct RoadnetFile {
    intersections: Vec<Value>,
    roads: Vec<Value>,
}

/// A road network as its file states it.
pub(super) struct Roadnet {
    pub(super) intersections: Vec<Intersection>,
    pub(super) roads: Vec<Road>,
    /// Position of each intersection by id.
    pub(super) intersection_at: HashMap<String, usize>,
    /// Position of each road by id.
    pub(super) road_at: HashMap<String, usize>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Intersection {
    pub(super) id: String,
    pub(super) point: Point,
    #[serde(default)]
    pub(super) width: f64,
    #[serde(default)]
    pub(super) road_links: Vec<RoadLink>,
    #[serde(default)]
    pub(super) traffic_light: TrafficLight,
    #[serde(default, rename = "virtual")]
    pub(super) boundary: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RoadLink {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) start_road: String,
    pub(super) end_road: String,
    #[serde(default)]
    pub(super) lane_links: Vec<LaneLink>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LaneLink {
    pub(super) start_lane_index: usize,
    pub(super) end_lane_index: usize,
    #[serde(default)]
    pub(super) points: Vec<Point>,
}

#[derive(Deserialize, Default)]
pub(super) struct TrafficLight {
    #[serde(default)]
    pub(super) lightphases: Vec<LightPhase>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LightPhase {
    pub(super) time: f64,
    pub(super) available_road_links: Vec<usize>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Road {
    pub(super) id: String,
    pub(super) start_intersection: String,
    pub(super) end_intersection: String,
    pub(super) points: Vec<Point>,
    pub(super) lanes: Vec<RoadLane>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RoadLane {
    pub(super) width: f64,
    pub(super) max_speed: f64,
}

#[derive(Deserialize)]
pub(super) struct FlowEntry {
    pub(super) vehicle: Vehicle,
    pub(super) route: Vec<String>,
    pub(super) interval: f64,
    #[serde(rename = "startTime")]
    pub(super) start_time: f64,
    #[serde(rename = "endTime")]
    pub(super) end_time: f64,
}

#[derive(Deserialize, Clone, PartialEq)]
#[serde(rename_all = "camelCase")]
pub(super) struct Vehicle {
    pub(super) length: f64,
    pub(super) max_pos_acc: f64,
    pub(super) max_neg_acc: f64,
    pub(super) usual_pos_acc: f64,
    pub(super) usual_neg_acc: f64,
    pub(super) min_gap: f64,
    pub(super) max_speed: f64,
    pub(super) headway_time: f64,
    #[serde(default)]
    pub(super) turn_speed: Option<f64>,
}

impl Roadnet {
    pub(super) fn parse(source: &Source) -> Result<Self, CityflowError> {
        kind::expect(source, &FileKind::CityflowRoadnet, "a CityFlow road network")?;
        let file: RoadnetFile = json(source)?;
        let intersections: Vec<Intersection> = elements(&source.name, "intersection", file.intersections)?;
        let roads: Vec<Road> = elements(&source.name, "road", file.roads)?;
        let intersection_at = by_id(&source.name, "intersection", intersections.iter().map(|i| i.id.as_str()))?;
        let road_at = by_id(&source.name, "road", roads.iter().map(|r| r.id.as_str()))?;
        Ok(Self { intersections, roads, intersection_at, road_at })
    }
}

/// The entries of a flow file.
pub(super) fn flow(source: &Source) -> Result<Vec<FlowEntry>, CityflowError> {
    kind::expect(source, &FileKind::CityflowFlow, "a CityFlow flow file")?;
    elements(&source.name, "flow", json::<Vec<Value>>(source)?)
}

fn json<T: DeserializeOwned>(source: &Source) -> Result<T, CityflowError> {
    let text = source.text.trim_start_matches('\u{feff}');
    serde_json::from_str(text).map_err(|e| {
        let reason = reason::<T>(&mut serde_json::Deserializer::from_str(text), &e);
        let (file, line, column) = (source.name.clone(), e.line(), e.column());
        if e.is_data() {
            CityflowError::Shape { file, line, column, reason }
        } else {
            CityflowError::Json { file, line, column, reason }
        }
    })
}

/// Each value on its own, so that a message can name the element.
fn elements<T: DeserializeOwned>(
    file: &str,
    element: &'static str,
    values: Vec<Value>,
) -> Result<Vec<T>, CityflowError> {
    let mut out = Vec::with_capacity(values.len());
    for (i, value) in values.into_iter().enumerate() {
        let id = value.get("id").and_then(Value::as_str).map_or_else(|| format!("#{i}"), str::to_owned);
        let shape = |e| At { file, element, id: &id }.fault(Flaw::Shape { reason: reason::<T>(&value, &e) });
        out.push(T::deserialize(&value).map_err(shape)?);
    }
    Ok(out)
}

fn by_id<'a>(
    file: &str,
    element: &'static str,
    ids: impl Iterator<Item = &'a str>,
) -> Result<HashMap<String, usize>, CityflowError> {
    let mut map = HashMap::new();
    for (i, id) in ids.enumerate() {
        if map.insert(id.to_owned(), i).is_some() {
            return Err(At { file, element, id }.fault(Flaw::Duplicate));
        }
    }
    Ok(map)
}
