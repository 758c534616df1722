//! Road links become movements, lane links become connections, and where those meet becomes the right of way.

use super::error::{At, CityflowError, Flaw};
use super::raw::{Intersection, RoadLink, Roadnet};
use super::streets::Streets;
use crate::formats::Notes;
use crate::ids::{ConnectionId, LinkId, MovementId, NodeId};
use crate::network::{Conflict, Connection, Meeting, Movement, NetworkParts, Polyline, Turn, curve};
use crate::units::{Metres, MetresPerSecond, VehPerHour};

/// Highest speed on a turning lane link (CityFlow's `turnSpeed`, 8.3333 m/s where a vehicle gives none).
pub(super) const TURN_SPEED_MPS: f64 = 8.3333;
/// Saturation flow of a lane and what turning leaves of it (HCM 7th ed., exhibit 19-11 and eqs. 19-13, 19-14).
const SATURATION_BASE_VPH: f64 = 1_900.0;
const LEFT_EQUIVALENT: f64 = 1.05;
const RIGHT_EQUIVALENT: f64 = 1.18;
/// Ways into one lane are one from where they are this close: the width of a car.
const MERGED_GAP_M: f64 = 1.8;
/// Pieces of a way that the file does not draw, and the reach of its curve, as CityFlow has them.
const CURVE_PIECES: usize = 10;
const CURVE_REACH: f64 = 0.5;

/// Movements of each intersection by the position of their road link; none where a phase opens it never.
pub(super) struct Ways {
    pub(super) movement_of: Vec<Vec<Option<MovementId>>>,
}

pub(super) fn lay(
    file: &str,
    raw: &Roadnet,
    streets: &Streets,
    parts: &mut NetworkParts,
    notes: &mut Notes,
) -> Result<Ways, CityflowError> {
    let mut movement_of = Vec::with_capacity(raw.intersections.len());
    for (node, i) in raw.intersections.iter().enumerate() {
        if i.boundary {
            movement_of.push(Vec::new());
            continue;
        }
        let first = parts.connections.len();
        movement_of.push(lay_intersection(file, raw, streets, (node, i), parts, notes)?);
        meet(first, parts, notes);
    }
    Ok(Ways { movement_of })
}

fn lay_intersection(
    file: &str,
    raw: &Roadnet,
    streets: &Streets,
    (node, i): (usize, &Intersection),
    parts: &mut NetworkParts,
    notes: &mut Notes,
) -> Result<Vec<Option<MovementId>>, CityflowError> {
    let at = At { file, element: "intersection", id: &i.id };
    let open = open_links(&at, i)?;
    let mut movements = Vec::with_capacity(i.road_links.len());
    for (k, road_link) in i.road_links.iter().enumerate() {
        let road = |field: &str, id: &String| {
            let field = || format!("roadLinks[{k}].{field}");
            let dangling = || Flaw::Dangling { field: field(), target: "road", id: id.clone() };
            raw.road_at.get(id).copied().ok_or_else(|| at.fault(dangling()))
        };
        let (start, end) = (road("startRoad", &road_link.start_road)?, road("endRoad", &road_link.end_road)?);
        let not_here = |field: &str, road: &String, meet| {
            at.fault(Flaw::NotHere { field: format!("roadLinks[{k}].{field}"), road: road.clone(), meet })
        };
        if raw.roads[start].end_intersection != i.id {
            return Err(not_here("startRoad", &road_link.start_road, "end"));
        }
        if raw.roads[end].start_intersection != i.id {
            return Err(not_here("endRoad", &road_link.end_road, "start"));
        }
        let same = |r: &RoadLink| r.start_road == road_link.start_road && r.end_road == road_link.end_road;
        if let Some(first) = i.road_links[..k].iter().position(same) {
            return Err(at.fault(Flaw::SameRoads { first, second: k }));
        }
        if !open[k] {
            notes.add("road link that no phase opens left out", format!("{} roadLinks[{k}]", i.id));
            movements.push(None);
            continue;
        }
        let turn = match road_link.kind.as_str() {
            "go_straight" => Turn::Straight,
            "turn_left" => Turn::Left,
            "turn_right" => Turn::Right,
            other => {
                let (field, expected) = (format!("roadLinks[{k}].type"), "go_straight, turn_left or turn_right");
                return Err(at.fault(Flaw::Value { field, value: format!("'{other}'"), expected }));
            }
        };
        let movement = MovementId::at(parts.movements.len());
        let connections = lay_lane_links(&at, (k, road_link), streets, (start, end), (movement, turn), parts, notes)?;
        notes.add(
            "saturation flow of a road link taken as 1900 veh/h per lane, over 1.05 for left and 1.18 for right turns \
             (HCM 7th ed.)",
            format!("{} roadLinks[{k}]", i.id),
        );
        parts.movements.push(Movement {
            node: NodeId::at(node),
            from_link: LinkId::at(start),
            to_link: LinkId::at(end),
            turn,
            saturation: saturation(turn),
            connections,
        });
        movements.push(Some(movement));
    }
    Ok(movements)
}

/// Which road links some phase opens; all of them where there are no phases.
fn open_links(at: &At<'_>, i: &Intersection) -> Result<Vec<bool>, CityflowError> {
    let phases = &i.traffic_light.lightphases;
    let mut open = vec![phases.is_empty(); i.road_links.len()];
    for (p, phase) in phases.iter().enumerate() {
        at.number(&format!("trafficLight.lightphases[{p}].time"), phase.time, false)?;
        for &k in &phase.available_road_links {
            let Some(slot) = open.get_mut(k) else {
                let field = format!("trafficLight.lightphases[{p}].availableRoadLinks");
                return Err(at.fault(Flaw::Index {
                    field,
                    index: k,
                    count: i.road_links.len(),
                    of: "roadLinks".into(),
                }));
            };
            *slot = true;
        }
    }
    Ok(open)
}

fn lay_lane_links(
    at: &At<'_>,
    (k, road_link): (usize, &RoadLink),
    streets: &Streets,
    (start, end): (usize, usize),
    (movement, turn): (MovementId, Turn),
    parts: &mut NetworkParts,
    notes: &mut Notes,
) -> Result<Vec<ConnectionId>, CityflowError> {
    if road_link.lane_links.is_empty() {
        return Err(at.fault(Flaw::TooFew { field: format!("roadLinks[{k}].laneLinks"), count: 0, min: 1 }));
    }
    let mut ids: Vec<ConnectionId> = Vec::with_capacity(road_link.lane_links.len());
    for (l, lane_link) in road_link.lane_links.iter().enumerate() {
        let field = |name: &str| format!("roadLinks[{k}].laneLinks[{l}].{name}");
        let lane = |name: &str, road: usize, of: &String, index: usize| {
            let lanes = &streets.lanes_from_left[road];
            let beyond =
                || Flaw::Index { field: field(name), index, count: lanes.len(), of: format!("lanes of road '{of}'") };
            lanes.get(index).copied().ok_or_else(|| at.fault(beyond()))
        };
        let from_lane = lane("startLaneIndex", start, &road_link.start_road, lane_link.start_lane_index)?;
        let to_lane = lane("endLaneIndex", end, &road_link.end_road, lane_link.end_lane_index)?;
        let (from, to) = (&parts.lanes[from_lane.index()], &parts.lanes[to_lane.index()]);
        let shape = if lane_link.points.len() >= 2 {
            Polyline(lane_link.points.clone())
        } else {
            notes
                .add("lane link without points drawn as a curve from lane to lane", format!("{} {}", at.id, field("")));
            curve(&from.shape, &to.shape, CURVE_REACH, CURVE_PIECES).unwrap_or_default()
        };
        let length_m = shape.length_m();
        if length_m <= 0.0 {
            let expected = "a line of some length";
            return Err(at.fault(Flaw::Value { field: field("points"), value: "a single spot".into(), expected }));
        }
        let limit_mps = from.speed.get().min(to.speed.get());
        let speed_mps = if turn == Turn::Straight { limit_mps } else { limit_mps.min(TURN_SPEED_MPS) };
        ids.push(ConnectionId::at(parts.connections.len()));
        parts.connections.push(Connection {
            from_lane,
            to_lane,
            movement,
            signal: None,
            length: Metres::new(length_m).unwrap_or_default(),
            speed: MetresPerSecond::new(speed_mps).unwrap_or_default(),
            wait_at: None,
            shape,
        });
    }
    Ok(ids)
}

fn saturation(turn: Turn) -> VehPerHour {
    let vph = match turn {
        Turn::Straight => SATURATION_BASE_VPH,
        Turn::Left | Turn::UTurn => SATURATION_BASE_VPH / LEFT_EQUIVALENT,
        Turn::Right => SATURATION_BASE_VPH / RIGHT_EQUIVALENT,
    };
    VehPerHour::new(vph.round()).unwrap_or_default()
}

/// Straight on goes before left, left before right.
pub(super) fn rank(turn: Turn) -> u8 {
    match turn {
        Turn::Straight => 3,
        Turn::Left => 2,
        Turn::Right => 1,
        Turn::UTurn => 0,
    }
}

/// Every pair of an intersection's lane links, from connection `first` on, that meets. As in CityFlow a pair meets once,
/// at the first point along the earlier one; lane links that leave one lane meet where they leave it, and then, as
/// between two of one kind, who comes first goes.
fn meet(first: usize, parts: &mut NetworkParts, notes: &mut Notes) {
    let ways = &parts.connections[first..];
    let mut found = Vec::new();
    for (a, way_a) in ways.iter().enumerate() {
        for (b, way_b) in ways.iter().enumerate().skip(a + 1) {
            let merge = way_a.to_lane == way_b.to_lane;
            let met = Meeting::crossing(&way_a.shape, &way_b.shape)
                .or_else(|| merge.then(|| Meeting::within(&way_a.shape, &way_b.shape, MERGED_GAP_M)).flatten());
            let Some(met) = met else { continue };
            let rank_of = |c: &Connection| rank(parts.movements[c.movement.index()].turn);
            let fork = way_a.from_lane == way_b.from_lane;
            let (rank_a, rank_b) = (rank_of(way_a), rank_of(way_b));
            let along = |at_m: f64, way: &Connection| Metres::new(at_m.min(way.length.get())).unwrap_or_default();
            found.push(Conflict {
                first: ConnectionId::at(first + a),
                second: ConnectionId::at(first + b),
                first_yields: !fork && rank_a < rank_b,
                second_yields: !fork && rank_b < rank_a,
                first_at: along(met.first_at_m, way_a),
                second_at: along(met.second_at_m, way_b),
            });
            notes.add(
                "right of way of two lane links that meet: straight before left before right",
                format!("connections {} and {}", first + a, first + b),
            );
        }
    }
    parts.conflicts.extend(found);
}
