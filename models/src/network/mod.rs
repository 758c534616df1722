//! The road network: nodes, links, lanes, connections and movements on a private petgraph graph.
//!
//! A [`Network`] is only ever whole: [`NetworkParts::build`] checks every reference once, so no later code has to.

mod geometry;
mod link;
mod meeting;
mod movement;
mod node;
mod parts;
mod projection;
mod right_of_way;
mod shaping;

pub use geometry::{Point, Polyline};
pub use link::{Admits, Lane, Link};
pub use meeting::Meeting;
pub use movement::{Connection, Crossing, Movement, SignalHead, Turn};
pub use node::Node;
pub use parts::{NetworkError, NetworkParts};
pub use projection::{Projection, ProjectionError};
pub use right_of_way::{Conflict, CrossingConflict, Foe};
pub use shaping::curve;

use std::collections::HashMap;

use petgraph::graph::{DiGraph, NodeIndex};

use crate::detection::Detector;
use crate::ids::{ConnectionId, ControllerId, CrossingId, DetectorId, LaneId, LinkId, MovementId, NodeId};
use crate::signal::Controller;

/// A whole, checked road network with its signal controllers and detectors.
#[derive(Debug, Clone)]
pub struct Network {
    parts: NetworkParts,
    graph: DiGraph<NodeId, LinkId>,
    links_by_name: HashMap<String, LinkId>,
    lanes_by_name: HashMap<String, LaneId>,
    controllers_by_name: HashMap<String, ControllerId>,
    detectors_by_name: HashMap<String, DetectorId>,
    foes: Vec<Vec<Foe>>,
    crossings_over: Vec<Vec<CrossingConflict>>,
    connections_from_lane: Vec<Vec<ConnectionId>>,
    movements_from_link: Vec<Vec<MovementId>>,
    movements_into_link: Vec<Vec<MovementId>>,
    detectors_on_lane: Vec<Vec<DetectorId>>,
    detectors_watching: Vec<Vec<DetectorId>>,
}

impl Network {
    /// The tables this network was built from, e.g. to write them to a file.
    #[must_use]
    pub fn parts(&self) -> &NetworkParts {
        &self.parts
    }

    /// Name of the network.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.parts.name
    }

    /// How planar coordinates map to longitude and latitude.
    #[must_use]
    pub fn projection(&self) -> &Projection {
        &self.parts.projection
    }

    /// All nodes, in id order.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.parts.nodes
    }

    /// All links, in id order.
    #[must_use]
    pub fn links(&self) -> &[Link] {
        &self.parts.links
    }

    /// All lanes, in id order.
    #[must_use]
    pub fn lanes(&self) -> &[Lane] {
        &self.parts.lanes
    }

    /// All lane-to-lane connections, in id order.
    #[must_use]
    pub fn connections(&self) -> &[Connection] {
        &self.parts.connections
    }

    /// All movements, in id order.
    #[must_use]
    pub fn movements(&self) -> &[Movement] {
        &self.parts.movements
    }

    /// All crossings, in id order.
    #[must_use]
    pub fn crossings(&self) -> &[Crossing] {
        &self.parts.crossings
    }

    /// One crossing.
    #[must_use]
    pub fn crossing(&self, id: CrossingId) -> &Crossing {
        &self.parts.crossings[id.index()]
    }

    /// All signal controllers, in id order.
    #[must_use]
    pub fn controllers(&self) -> &[Controller] {
        &self.parts.controllers
    }

    /// All detectors, in id order.
    #[must_use]
    pub fn detectors(&self) -> &[Detector] {
        &self.parts.detectors
    }

    /// One node.
    #[must_use]
    pub fn node(&self, id: NodeId) -> &Node {
        &self.parts.nodes[id.index()]
    }

    /// One link.
    #[must_use]
    pub fn link(&self, id: LinkId) -> &Link {
        &self.parts.links[id.index()]
    }

    /// One lane.
    #[must_use]
    pub fn lane(&self, id: LaneId) -> &Lane {
        &self.parts.lanes[id.index()]
    }

    /// One connection.
    #[must_use]
    pub fn connection(&self, id: ConnectionId) -> &Connection {
        &self.parts.connections[id.index()]
    }

    /// One movement.
    #[must_use]
    pub fn movement(&self, id: MovementId) -> &Movement {
        &self.parts.movements[id.index()]
    }

    /// One controller.
    #[must_use]
    pub fn controller(&self, id: ControllerId) -> &Controller {
        &self.parts.controllers[id.index()]
    }

    /// One detector.
    #[must_use]
    pub fn detector(&self, id: DetectorId) -> &Detector {
        &self.parts.detectors[id.index()]
    }

    /// The link of that name, if there is one.
    #[must_use]
    pub fn link_named(&self, name: &str) -> Option<LinkId> {
        self.links_by_name.get(name).copied()
    }

    /// The lane of that name, if there is one.
    #[must_use]
    pub fn lane_named(&self, name: &str) -> Option<LaneId> {
        self.lanes_by_name.get(name).copied()
    }

    /// The controller of that name, if there is one.
    #[must_use]
    pub fn controller_named(&self, name: &str) -> Option<ControllerId> {
        self.controllers_by_name.get(name).copied()
    }

    /// The detector of that name, if there is one.
    #[must_use]
    pub fn detector_named(&self, name: &str) -> Option<DetectorId> {
        self.detectors_by_name.get(name).copied()
    }

    /// Connections that leave a lane, rightmost turn first as the file lists them.
    #[must_use]
    pub fn connections_from(&self, lane: LaneId) -> &[ConnectionId] {
        &self.connections_from_lane[lane.index()]
    }

    /// Connections that touch a connection inside its node.
    #[must_use]
    pub fn foes(&self, connection: ConnectionId) -> &[Foe] {
        &self.foes[connection.index()]
    }

    /// Crossings a connection leads over.
    #[must_use]
    pub fn crossings_over(&self, connection: ConnectionId) -> &[CrossingConflict] {
        &self.crossings_over[connection.index()]
    }

    /// Movements that leave a link.
    #[must_use]
    pub fn movements_from(&self, link: LinkId) -> &[MovementId] {
        &self.movements_from_link[link.index()]
    }

    /// Movements that enter a link.
    #[must_use]
    pub fn movements_into(&self, link: LinkId) -> &[MovementId] {
        &self.movements_into_link[link.index()]
    }

    /// Detectors on a lane.
    #[must_use]
    pub fn detectors_on(&self, lane: LaneId) -> &[DetectorId] {
        &self.detectors_on_lane[lane.index()]
    }

    /// Detectors that speak for an approach lane, on it or upstream.
    #[must_use]
    pub fn detectors_watching(&self, lane: LaneId) -> &[DetectorId] {
        &self.detectors_watching[lane.index()]
    }

    /// Links that leave a node.
    pub fn links_out_of(&self, node: NodeId) -> impl Iterator<Item = LinkId> + '_ {
        self.graph.edges(NodeIndex::new(node.index())).map(|e| *e.weight())
    }

    /// Links that enter a node.
    pub fn links_into(&self, node: NodeId) -> impl Iterator<Item = LinkId> + '_ {
        self.graph.edges_directed(NodeIndex::new(node.index()), petgraph::Direction::Incoming).map(|e| *e.weight())
    }

    /// Nodes that can be reached from `start` along links, nearest first by number of links.
    pub fn reachable_from(&self, start: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        let mut walk = petgraph::visit::Bfs::new(&self.graph, NodeIndex::new(start.index()));
        std::iter::from_fn(move || walk.next(&self.graph).map(|n| self.graph[n]))
    }

    /// Lanes that end at a signal of this controller and admit motor vehicles, each once, in id order.
    #[must_use]
    pub fn approach_lanes(&self, controller: ControllerId) -> Vec<LaneId> {
        let mut lanes: Vec<LaneId> = self
            .controller(controller)
            .groups
            .iter()
            .flat_map(|g| g.connections.iter())
            .map(|c| self.connection(*c).from_lane)
            .filter(|l| self.lane(*l).admits.motor())
            .collect();
        lanes.sort_unstable();
        lanes.dedup();
        lanes
    }
}
