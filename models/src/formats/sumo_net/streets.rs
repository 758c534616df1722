//! Nodes, links and lanes.

use std::collections::HashMap;

use super::error::{Fault, Flaw};
use super::raw::{EdgeKind, RawEdge, RawLane, RawLocation, RawNet};
use super::vehicle_class;
use super::xml::value;
use crate::formats::Notes;
use crate::ids::{LaneId, LinkId, NodeId};
use crate::network::{Lane, Link, Node, Point, Polyline, Projection};
use crate::units::{Metres, MetresPerSecond};

/// SUMO's width of a lane that states none.
const LANE_WIDTH_DEFAULT_M: f64 = 3.2;

/// Tables of the street layout and the names they came from.
#[derive(Default)]
pub(super) struct Streets {
    pub(super) nodes: Vec<Node>,
    pub(super) links: Vec<Link>,
    pub(super) lanes: Vec<Lane>,
    pub(super) node_ids: HashMap<String, NodeId>,
    pub(super) link_ids: HashMap<String, LinkId>,
}

impl Streets {
    pub(super) fn resolve(raw: &RawNet, notes: &mut Notes) -> Result<Self, Fault> {
        let mut streets = Self::default();
        for j in raw.junctions.iter().filter(|j| j.kind != "internal") {
            streets.node_ids.insert(j.at.id.clone(), NodeId::at(streets.nodes.len()));
            streets.nodes.push(Node { name: j.at.id.clone(), position: j.position, controller: None });
        }
        for e in raw.edges.iter().filter(|e| e.kind == EdgeKind::Normal) {
            streets.link(e, notes)?;
        }
        Ok(streets)
    }

    /// The lane number `index` of an edge.
    pub(super) fn lane(&self, edge: &str, index: u32) -> Option<LaneId> {
        let link = &self.links[self.link_ids.get(edge)?.index()];
        link.lanes.get(index as usize).copied()
    }

    fn link(&mut self, edge: &RawEdge, notes: &mut Notes) -> Result<(), Fault> {
        let node = |name: &'static str, id: &Option<String>| {
            let id = id.as_deref().unwrap_or("");
            let dangling = || Flaw::Dangling { name, id: id.into(), target: "a junction" };
            self.node_ids.get(id).copied().ok_or_else(|| edge.at.fault(dangling()))
        };
        let (from, to) = (node("from", &edge.from)?, node("to", &edge.to)?);
        let mut lanes: Vec<&RawLane> = edge.lanes.iter().collect();
        lanes.sort_by_key(|l| l.index);
        let Some(last) = lanes.len().checked_sub(1) else {
            return Err(edge.at.fault(Flaw::Childless { child: "lane" }));
        };
        if let Some((_, odd)) = lanes.iter().enumerate().find(|(i, l)| l.index as usize != *i) {
            return Err(odd.at.fault(Flaw::LaneNumbers { last }));
        }
        let ends = [self.nodes[from.index()].position, self.nodes[to.index()].position];
        let link = LinkId::at(self.links.len());
        let first_lane = self.lanes.len();
        for l in &lanes {
            let shape = match l.shape.len() {
                0 | 1 => {
                    notes.add("lane without a shape drawn straight from junction to junction", &l.at.id);
                    ends.to_vec()
                }
                _ => l.shape.clone(),
            };
            let admits = vehicle_class::admits(l.allow.as_deref(), l.disallow.as_deref());
            if l.speed_mps == 0.0 && admits.motor() {
                return Err(l.at.fault(value("speed", "0", "above zero on a lane for motor vehicles")));
            }
            self.lanes.push(Lane {
                name: l.at.id.clone(),
                link,
                index: l.index,
                length: metres(l.length_m),
                speed: MetresPerSecond::new(l.speed_mps).unwrap_or_default(),
                width: metres(l.width_m.unwrap_or(LANE_WIDTH_DEFAULT_M)),
                shape: Polyline(shape),
                admits,
            });
        }
        let of_link = &self.lanes[first_lane..];
        let fastest = of_link.iter().map(|l| l.speed).fold(MetresPerSecond::ZERO, |a, b| if b > a { b } else { a });
        let shape = match edge.shape.len() {
            0 | 1 => of_link[of_link.len() / 2].shape.clone(),
            _ => Polyline(edge.shape.clone()),
        };
        self.link_ids.insert(edge.at.id.clone(), link);
        self.links.push(Link {
            name: edge.at.id.clone(),
            from,
            to,
            length: of_link[0].length,
            lanes: (first_lane..self.lanes.len()).map(LaneId::at).collect(),
            speed: fastest,
            shape,
        });
        Ok(())
    }
}

/// A length that has been checked when it was read.
pub(super) fn metres(checked_m: f64) -> Metres {
    Metres::new(checked_m).unwrap_or_default()
}

/// The network's projection; one that we cannot use is noted, since nothing but the map depends on it.
pub(super) fn projection(location: Option<&RawLocation>, nodes: &[Node], notes: &mut Notes) -> Projection {
    let Some(location) = location.filter(|l| l.projection.trim() != "!") else {
        notes.add("no projection in the file: laid out around 0° N 0° E, true to scale but not to place", "location");
        return Projection::Unplaced;
    };
    let projection = Projection::Proj {
        definition: location.projection.clone(),
        offset_x_m: location.offset.x,
        offset_y_m: location.offset.y,
    };
    let positions: Vec<Point> = nodes.iter().map(|n| n.position).collect();
    match projection.lon_lat(&positions) {
        Ok(_) => projection,
        Err(e) => {
            notes
                .add("projection not usable: laid out around 0° N 0° E, true to scale but not to place", e.to_string());
            Projection::Unplaced
        }
    }
}
