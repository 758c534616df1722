//! Intersections become nodes, roads become links with lanes.

use super::error::{At, CityflowError, Flaw};
use super::raw::{Road, Roadnet};
use crate::ids::{LaneId, LinkId, NodeId};
use crate::network::{Admits, Lane, Link, NetworkParts, Node, Polyline};
use crate::units::{Metres, MetresPerSecond};

/// Lanes of each road by CityFlow's index, from the left.
pub(super) struct Streets {
    pub(super) lanes_from_left: Vec<Vec<LaneId>>,
}

pub(super) fn lay(file: &str, raw: &Roadnet, parts: &mut NetworkParts) -> Result<Streets, CityflowError> {
    for i in &raw.intersections {
        let at = At { file, element: "intersection", id: &i.id };
        at.number("width", i.width, true)?;
        parts.nodes.push(Node { name: i.id.clone(), position: i.point, controller: None });
    }
    let mut lanes_from_left = Vec::with_capacity(raw.roads.len());
    for road in &raw.roads {
        lanes_from_left.push(lay_road(file, raw, road, parts)?);
    }
    Ok(Streets { lanes_from_left })
}

fn lay_road(file: &str, raw: &Roadnet, road: &Road, parts: &mut NetworkParts) -> Result<Vec<LaneId>, CityflowError> {
    let at = At { file, element: "road", id: &road.id };
    let end = |field: &str, id: &String| {
        let dangling = || Flaw::Dangling { field: field.into(), target: "intersection", id: id.clone() };
        raw.intersection_at.get(id).copied().ok_or_else(|| at.fault(dangling()))
    };
    let (from, to) =
        (end("startIntersection", &road.start_intersection)?, end("endIntersection", &road.end_intersection)?);
    let enough = |field: &str, count: usize, min: usize| {
        let few = Flaw::TooFew { field: field.into(), count, min };
        if count < min { Err(at.fault(few)) } else { Ok(()) }
    };
    enough("lanes", road.lanes.len(), 1)?;
    enough("points", road.points.len(), 2)?;
    // A boundary's width is not looked at: the road runs to its point.
    let width_m = |i: usize| if raw.intersections[i].boundary { 0.0 } else { raw.intersections[i].width };
    let whole = Polyline(road.points.clone());
    let (length_m, cut_m) = (whole.length_m(), width_m(from) + width_m(to));
    let nothing_left = || at.fault(Flaw::NothingLeft { length_m, cut_m });
    let edge = whole.cut(width_m(from), width_m(to)).ok_or_else(nothing_left)?;
    let link = LinkId::at(parts.links.len());
    let mut ids = vec![LaneId(0); road.lanes.len()];
    let mut speed = MetresPerSecond::ZERO;
    // Rightmost first, as our links have them; the left edge of each lane is the right edge of the one left of it.
    for (from_left, lane) in road.lanes.iter().enumerate().rev() {
        let field = |name: &str| format!("lanes[{from_left}].{name}");
        let width_m = at.number(&field("width"), lane.width, false)?;
        let limit_mps = at.number(&field("maxSpeed"), lane.max_speed, false)?;
        let left_m: f64 = road.lanes[..from_left].iter().map(|l| l.width).sum();
        let shape = edge.beside(left_m + width_m / 2.0);
        let length_m = shape.length_m();
        if length_m <= 0.0 {
            return Err(nothing_left());
        }
        let limit = MetresPerSecond::new(limit_mps).unwrap_or_default();
        if limit > speed {
            speed = limit;
        }
        ids[from_left] = LaneId::at(parts.lanes.len());
        parts.lanes.push(Lane {
            name: format!("{}_{from_left}", road.id),
            link,
            index: (road.lanes.len() - 1 - from_left) as u32,
            length: Metres::new(length_m).unwrap_or_default(),
            speed: limit,
            width: Metres::new(width_m).unwrap_or_default(),
            shape,
            admits: Admits { cars: true, buses: true, ..Admits::default() },
        });
    }
    parts.links.push(Link {
        name: road.id.clone(),
        from: NodeId::at(from),
        to: NodeId::at(to),
        lanes: ids.iter().rev().copied().collect(),
        length: Metres::new(edge.length_m()).unwrap_or_default(),
        speed,
        shape: edge,
    });
    Ok(ids)
}
