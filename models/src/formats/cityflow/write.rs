//! Networks and demands out as CityFlow files.
//!
//! Roads are written as they are between their stop lines and intersections without width, which gives CityFlow the same
//! lanes. Steps of a program become phases: who shows any green is open. CityFlow has no yellow, no walkers, no buses'
//! lanes, no conditions on who yields beyond straight, left, right; what it has no word for is refused where vehicles
//! would go wrong, and left out where it only measures (detectors, crossings).

use std::io::{self, Write};

use serde_json::{Value, json};

use crate::demand::{Demand, Emission, Flow, Trip, VehicleKind, Way};
use crate::ids::{LaneId, LinkId, NodeId};
use crate::network::{Connection, Network, Polyline, Turn};

/// Why a network or a demand cannot be written for CityFlow.
#[derive(Debug, thiserror::Error)]
pub enum CityflowWriteError {
    /// Something CityFlow has no word for.
    #[error("{kind} '{name}': {reason}")]
    Unfit {
        /// What kind of thing.
        kind: &'static str,
        /// Its name.
        name: String,
        /// Why CityFlow cannot have it.
        reason: String,
    },
    /// The sink says no.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Writes a road network: the same network always gives the same bytes.
///
/// # Errors
/// [`CityflowWriteError`] where a turn goes back where it came from, or the sink says no.
pub fn write_roadnet(network: &Network, sink: impl Write) -> Result<(), CityflowWriteError> {
    let mut at_node: Vec<Vec<crate::ids::MovementId>> = vec![Vec::new(); network.nodes().len()];
    for (m, movement) in network.movements().iter().enumerate() {
        at_node[movement.node.index()].push(crate::ids::MovementId::at(m));
    }
    let mut intersections = Vec::with_capacity(network.nodes().len());
    for (n, movements) in at_node.iter().enumerate() {
        intersections.push(intersection(network, NodeId::at(n), movements)?);
    }
    let roads: Vec<Value> = (0..network.links().len()).map(|l| road(network, LinkId::at(l))).collect();
    let mut sink = sink;
    serde_json::to_writer(&mut sink, &json!({ "intersections": intersections, "roads": roads }))
        .map_err(io::Error::from)?;
    Ok(sink.flush()?)
}

fn points(line: &Polyline) -> Value {
    line.0.iter().map(|p| json!({ "x": p.x, "y": p.y })).collect()
}

/// Lanes of a link as CityFlow counts them, from the left.
fn from_left(network: &Network, link: LinkId) -> impl DoubleEndedIterator<Item = LaneId> + '_ {
    network.link(link).lanes.iter().rev().copied()
}

fn road(network: &Network, id: LinkId) -> Value {
    let link = network.link(id);
    let lanes: Vec<Value> = from_left(network, id)
        .map(|l| network.lane(l))
        .map(|l| json!({ "width": l.width.get(), "maxSpeed": l.speed.get() }))
        .collect();
    json!({
        "id": link.name,
        "startIntersection": network.node(link.from).name,
        "endIntersection": network.node(link.to).name,
        "points": points(&link.shape),
        "lanes": lanes,
    })
}

fn intersection(
    network: &Network,
    id: NodeId,
    movements: &[crate::ids::MovementId],
) -> Result<Value, CityflowWriteError> {
    let node = network.node(id);
    let mut road_links = Vec::with_capacity(movements.len());
    for m in movements {
        let movement = network.movement(*m);
        let kind = match movement.turn {
            Turn::Straight => "go_straight",
            Turn::Left => "turn_left",
            Turn::Right => "turn_right",
            Turn::UTurn => {
                let reason = format!("link '{}' leads back where it came from", network.link(movement.from_link).name);
                return Err(CityflowWriteError::Unfit { kind: "node", name: node.name.clone(), reason });
            }
        };
        let index = |link: LinkId, lane: LaneId| from_left(network, link).position(|l| l == lane).unwrap_or(0);
        let lane_links: Vec<Value> = movement
            .connections
            .iter()
            .map(|c| network.connection(*c))
            .map(|c: &Connection| {
                json!({
                    "startLaneIndex": index(movement.from_link, c.from_lane),
                    "endLaneIndex": index(movement.to_link, c.to_lane),
                    "points": points(&c.shape),
                })
            })
            .collect();
        road_links.push(json!({
            "type": kind,
            "startRoad": network.link(movement.from_link).name,
            "endRoad": network.link(movement.to_link).name,
            "laneLinks": lane_links,
        }));
    }
    let mut roads: Vec<&str> =
        network.links_into(id).chain(network.links_out_of(id)).map(|l| network.link(l).name.as_str()).collect();
    roads.sort_unstable();
    Ok(json!({
        "id": node.name,
        "point": { "x": node.position.x, "y": node.position.y },
        "width": 0,
        "roads": roads,
        "roadLinks": road_links,
        "trafficLight": {
            "roadLinkIndices": (0..movements.len()).collect::<Vec<_>>(),
            "lightphases": phases(network, id, movements),
        },
        "virtual": movements.is_empty(),
    }))
}

/// Steps of the program as phases; one phase that opens everything where there are no signals.
fn phases(network: &Network, node: NodeId, movements: &[crate::ids::MovementId]) -> Vec<Value> {
    let all = || movements.iter().enumerate();
    let head = |m: &crate::ids::MovementId| {
        network.movement(*m).connections.iter().find_map(|c| network.connection(*c).signal)
    };
    let Some(controller) = network.node(node).controller else {
        return vec![json!({ "time": 30, "availableRoadLinks": all().map(|(k, _)| k).collect::<Vec<_>>() })];
    };
    let mut phases: Vec<(u32, Vec<usize>)> = Vec::new();
    for step in &network.controller(controller).program.steps {
        let open = |m: &crate::ids::MovementId| {
            head(m).is_none_or(|s| s.controller != controller || step.shows[s.group.index()].is_green())
        };
        let links: Vec<usize> = all().filter(|(_, m)| open(m)).map(|(k, _)| k).collect();
        match phases.last_mut() {
            Some((ds, last)) if *last == links => *ds += step.shipped.0,
            _ => phases.push((step.shipped.0, links)),
        }
    }
    phases
        .into_iter()
        .filter(|p| p.0 > 0)
        .map(|(ds, links)| json!({ "time": f64::from(ds) / 10.0, "availableRoadLinks": links }))
        .collect()
}

/// Writes a demand: single vehicles and flows that come at a fixed interval, along routes.
///
/// # Errors
/// [`CityflowWriteError`] for what CityFlow has no word for (chance, turning shares, bus stops, parking), or when the sink
/// says no.
pub fn write_flow(network: &Network, demand: &Demand, sink: impl Write) -> Result<(), CityflowWriteError> {
    let parts = demand.parts();
    let mut entries = Vec::with_capacity(parts.flows.len() + parts.trips.len());
    for f in &parts.flows {
        entries.push(flow(network, demand, f)?);
    }
    for t in &parts.trips {
        let at_s = t.depart.seconds();
        entries.push(entry(network, demand, t, 1.0, (at_s, at_s))?);
    }
    let mut sink = sink;
    serde_json::to_writer(&mut sink, &entries).map_err(io::Error::from)?;
    Ok(sink.flush()?)
}

fn unfit(t: &Trip, reason: &str) -> CityflowWriteError {
    CityflowWriteError::Unfit { kind: "flow", name: t.name.clone(), reason: reason.into() }
}

fn flow(network: &Network, demand: &Demand, f: &Flow) -> Result<Value, CityflowWriteError> {
    let t = &f.template;
    let (start_s, end_s) = (t.depart.seconds(), f.end.seconds());
    match f.emission {
        Emission::Every { period_s } => entry(network, demand, t, period_s, (start_s, end_s)),
        Emission::Count(count) if count > 0 => {
            let period_s = ((end_s - start_s) / f64::from(count)).max(0.1);
            entry(network, demand, t, period_s, (start_s, start_s + period_s * f64::from(count - 1)))
        }
        Emission::Count(_) => Err(unfit(t, "it has no vehicles")),
        Emission::Chance { .. } | Emission::Poisson(_) => Err(unfit(t, "CityFlow's vehicles do not come by chance")),
    }
}

fn entry(
    network: &Network,
    demand: &Demand,
    t: &Trip,
    interval_s: f64,
    (start_s, end_s): (f64, f64),
) -> Result<Value, CityflowWriteError> {
    if !t.stays.is_empty() || t.parking.is_some() {
        return Err(unfit(t, "CityFlow knows neither bus stops nor parking"));
    }
    let links: Vec<LinkId> = match &t.way {
        Way::Along(r) => demand.route(*r).links.clone(),
        Way::Between { from, to, via } => std::iter::once(from).chain(via).chain([to]).copied().collect(),
        Way::Turning { .. } => return Err(unfit(t, "CityFlow's vehicles do not turn by chance")),
    };
    let route: Vec<&str> = links.iter().map(|l| network.link(*l).name.as_str()).collect();
    Ok(json!({
        "vehicle": vehicle(demand.kind(t.kind)),
        "route": route,
        "interval": interval_s,
        "startTime": start_s,
        "endTime": end_s,
    }))
}

fn vehicle(k: &VehicleKind) -> Value {
    /// CityFlow asks for a width and never looks at it.
    const WIDTH_M: f64 = 2.0;
    json!({
        "length": k.length.get(),
        "width": WIDTH_M,
        "maxPosAcc": k.accel.get(),
        "maxNegAcc": k.emergency_decel.get(),
        "usualPosAcc": k.usual_accel.get(),
        "usualNegAcc": k.decel.get(),
        "minGap": k.min_gap.get(),
        "maxSpeed": k.speed_max.get(),
        "headwayTime": k.headway_s,
    })
}
