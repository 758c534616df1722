//! The tables a network is made of, and the one place where they are checked.

use std::collections::{HashMap, HashSet};

use petgraph::graph::{DiGraph, NodeIndex};
use serde::{Deserialize, Serialize};

use crate::detection::Detector;
use crate::ids::{ConnectionId, ControllerId, DetectorId, LaneId, LinkId, MovementId, NodeId};
use crate::network::{
    Conflict, Connection, Crossing, CrossingConflict, Foe, Lane, Link, Movement, Network, Node, Projection,
};
use crate::signal::Controller;

/// No street is longer, in metres.
const LINK_LENGTH_M_MAX: f64 = 1e6;
/// A link may differ so much from the lane most like it: a share of that lane, or in metres, whichever is more. Lanes beside
/// the middle of a tight bend are several metres shorter or longer than it.
const LINK_OFF_SHARE: f64 = 0.1;
const LINK_OFF_M: f64 = 10.0;

/// Unchecked tables: what a reader fills and a writer reads. Ids are positions in these tables.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct NetworkParts {
    /// Name of the network.
    pub name: String,
    /// To longitude and latitude.
    pub projection: Projection,
    /// Nodes.
    pub nodes: Vec<Node>,
    /// Links.
    pub links: Vec<Link>,
    /// Lanes.
    pub lanes: Vec<Lane>,
    /// Lane-to-lane connections.
    pub connections: Vec<Connection>,
    /// Movements.
    pub movements: Vec<Movement>,
    /// Pedestrian and bicycle crossings.
    pub crossings: Vec<Crossing>,
    /// Pairs of connections of a node that touch.
    pub conflicts: Vec<Conflict>,
    /// Connections that lead over a crossing.
    pub crossing_conflicts: Vec<CrossingConflict>,
    /// Signal controllers.
    pub controllers: Vec<Controller>,
    /// Detectors.
    pub detectors: Vec<Detector>,
}

/// Why tables do not make a network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    /// Two things of one kind share a name.
    #[error("{kind} '{name}' is defined twice")]
    Duplicate {
        /// What kind of thing.
        kind: &'static str,
        /// The shared name.
        name: String,
    },
    /// A reference points past the end of its table.
    #[error("{kind} '{name}' refers to {target} number {index}, which does not exist")]
    Dangling {
        /// What kind of thing refers.
        kind: &'static str,
        /// Its name.
        name: String,
        /// What it refers to.
        target: &'static str,
        /// The number it gives.
        index: u32,
    },
    /// A thing contradicts another or itself.
    #[error("{kind} '{name}': {reason}")]
    Inconsistent {
        /// What kind of thing.
        kind: &'static str,
        /// Its name.
        name: String,
        /// What is wrong.
        reason: String,
    },
}

fn by_name<'a, Id>(
    kind: &'static str,
    names: impl Iterator<Item = &'a String>,
    id: impl Fn(usize) -> Id,
) -> Result<HashMap<String, Id>, NetworkError> {
    let mut map = HashMap::new();
    for (i, name) in names.enumerate() {
        if map.insert(name.clone(), id(i)).is_some() {
            return Err(NetworkError::Duplicate { kind, name: name.clone() });
        }
    }
    Ok(map)
}

struct Check<'a> {
    kind: &'static str,
    name: &'a str,
}

impl Check<'_> {
    fn within(&self, target: &'static str, index: u32, len: usize) -> Result<(), NetworkError> {
        if (index as usize) < len {
            return Ok(());
        }
        Err(NetworkError::Dangling { kind: self.kind, name: self.name.into(), target, index })
    }

    fn that(&self, holds: bool, reason: impl FnOnce() -> String) -> Result<(), NetworkError> {
        if holds {
            return Ok(());
        }
        Err(NetworkError::Inconsistent { kind: self.kind, name: self.name.into(), reason: reason() })
    }
}

impl NetworkParts {
    /// The same tables, every controller with its clearances as its own program shows them
    /// ([`Controller::with_clearances_as_shown`]).
    #[must_use]
    pub fn with_clearances_as_shown(mut self) -> Self {
        self.controllers = self.controllers.into_iter().map(Controller::with_clearances_as_shown).collect();
        self
    }

    /// Checks every reference and builds the network.
    ///
    /// # Errors
    /// [`NetworkError`] naming the first thing that is wrong; nothing partial is returned.
    pub fn build(self) -> Result<Network, NetworkError> {
        by_name("node", self.nodes.iter().map(|n| &n.name), NodeId::at)?;
        let links_by_name = by_name("link", self.links.iter().map(|l| &l.name), LinkId::at)?;
        let lanes_by_name = by_name("lane", self.lanes.iter().map(|l| &l.name), LaneId::at)?;
        let controllers_by_name = by_name("controller", self.controllers.iter().map(|c| &c.name), ControllerId::at)?;
        let detectors_by_name = by_name("detector", self.detectors.iter().map(|d| &d.name), DetectorId::at)?;
        self.check_streets()?;
        self.check_movements()?;
        self.check_right_of_way()?;
        self.check_controllers()?;

        let mut graph = DiGraph::with_capacity(self.nodes.len(), self.links.len());
        for i in 0..self.nodes.len() {
            graph.add_node(NodeId::at(i));
        }
        for (i, l) in self.links.iter().enumerate() {
            graph.add_edge(NodeIndex::new(l.from.index()), NodeIndex::new(l.to.index()), LinkId::at(i));
        }
        let mut connections_from_lane = vec![Vec::new(); self.lanes.len()];
        for (i, c) in self.connections.iter().enumerate() {
            connections_from_lane[c.from_lane.index()].push(ConnectionId::at(i));
        }
        let mut movements_from_link = vec![Vec::new(); self.links.len()];
        let mut movements_into_link = vec![Vec::new(); self.links.len()];
        for (i, m) in self.movements.iter().enumerate() {
            movements_from_link[m.from_link.index()].push(MovementId::at(i));
            movements_into_link[m.to_link.index()].push(MovementId::at(i));
        }
        let mut detectors_on_lane = vec![Vec::new(); self.lanes.len()];
        let mut detectors_watching = vec![Vec::new(); self.lanes.len()];
        for (i, d) in self.detectors.iter().enumerate() {
            detectors_on_lane[d.lane.index()].push(DetectorId::at(i));
            for w in &d.watches {
                detectors_watching[w.index()].push(DetectorId::at(i));
            }
        }
        let mut foes = vec![Vec::new(); self.connections.len()];
        for c in &self.conflicts {
            let (mine_at, its_at) = (c.first_at, c.second_at);
            let (i_yield, it_yields) = (c.first_yields, c.second_yields);
            foes[c.first.index()].push(Foe { connection: c.second, i_yield, it_yields, mine_at, its_at });
            let (mine_at, its_at, i_yield, it_yields) = (its_at, mine_at, it_yields, i_yield);
            foes[c.second.index()].push(Foe { connection: c.first, i_yield, it_yields, mine_at, its_at });
        }
        let mut crossings_over = vec![Vec::new(); self.connections.len()];
        for c in &self.crossing_conflicts {
            crossings_over[c.connection.index()].push(*c);
        }
        Ok(Network {
            parts: self,
            graph,
            foes,
            crossings_over,
            links_by_name,
            lanes_by_name,
            controllers_by_name,
            detectors_by_name,
            connections_from_lane,
            movements_from_link,
            movements_into_link,
            detectors_on_lane,
            detectors_watching,
        })
    }

    fn check_streets(&self) -> Result<(), NetworkError> {
        for n in &self.nodes {
            let at = Check { kind: "node", name: &n.name };
            if let Some(c) = n.controller {
                at.within("controller", c.0, self.controllers.len())?;
            }
            at.that(n.position.x.is_finite() && n.position.y.is_finite(), || "its position is not finite".into())?;
        }
        for (i, l) in self.links.iter().enumerate() {
            let at = Check { kind: "link", name: &l.name };
            at.within("node", l.from.0, self.nodes.len())?;
            at.within("node", l.to.0, self.nodes.len())?;
            at.that(!l.lanes.is_empty(), || "it has no lanes".into())?;
            let length_m = l.length.get();
            at.that(length_m > 0.0 && length_m <= LINK_LENGTH_M_MAX, || {
                format!("a length of {length_m} m; it must be above 0 and at most {LINK_LENGTH_M_MAX} m")
            })?;
            for lane in &l.lanes {
                at.within("lane", lane.0, self.lanes.len())?;
                at.that(self.lanes[lane.index()].link.index() == i, || {
                    format!("its lane '{}' says it belongs to another link", self.lanes[lane.index()].name)
                })?;
            }
            let lanes_m = || l.lanes.iter().map(|lane| self.lanes[lane.index()].length.get());
            let alike = |lane_m: f64| (length_m - lane_m).abs() <= (LINK_OFF_SHARE * lane_m).max(LINK_OFF_M);
            at.that(lanes_m().any(alike), || {
                format!("a length of {length_m} m is none of its lanes': {} m", lanes_m().fold(0.0, f64::max))
            })?;
        }
        for l in &self.lanes {
            let at = Check { kind: "lane", name: &l.name };
            at.within("link", l.link.0, self.links.len())?;
            at.that(l.length.get() > 0.0, || "its length is zero".into())?;
            at.that(l.speed.get() > 0.0 || !l.admits.motor(), || "its speed limit is zero".into())?;
            at.that(l.shape.0.len() >= 2, || "its shape has fewer than two points".into())?;
        }
        for d in &self.detectors {
            let at = Check { kind: "detector", name: &d.name };
            at.within("lane", d.lane.0, self.lanes.len())?;
            at.that(d.to_lane_end.get() <= self.lanes[d.lane.index()].length.get(), || {
                format!("it lies {} before the end of a shorter lane", d.to_lane_end)
            })?;

            at.that(!d.watches.is_empty(), || "it watches no lane".into())?;
            for w in &d.watches {
                at.within("lane", w.0, self.lanes.len())?;
            }
        }
        Ok(())
    }

    fn check_movements(&self) -> Result<(), NetworkError> {
        for (i, m) in self.movements.iter().enumerate() {
            let name = format!("#{i}");
            let at = Check { kind: "movement", name: &name };
            at.within("node", m.node.0, self.nodes.len())?;
            at.within("link", m.from_link.0, self.links.len())?;
            at.within("link", m.to_link.0, self.links.len())?;
            let of = || {
                let name = |l: LinkId| &self.links[l.index()].name;
                format!("from link '{}' to link '{}'", name(m.from_link), name(m.to_link))
            };
            at.that(!m.connections.is_empty(), || format!("{}: it has no connections", of()))?;
            at.that(m.saturation.get() > 0.0, || format!("{}: its saturation flow is zero", of()))?;
            for c in &m.connections {
                at.within("connection", c.0, self.connections.len())?;
                at.that(self.connections[c.index()].movement.index() == i, || {
                    format!("its connection {} belongs to another movement", c.0)
                })?;
            }
        }
        for (i, c) in self.connections.iter().enumerate() {
            let name = format!("#{i}");
            let at = Check { kind: "connection", name: &name };
            at.within("lane", c.from_lane.0, self.lanes.len())?;
            at.within("lane", c.to_lane.0, self.lanes.len())?;
            at.within("movement", c.movement.0, self.movements.len())?;
            let m = &self.movements[c.movement.index()];
            let of = || {
                let name = |l: LaneId| &self.lanes[l.index()].name;
                format!("from lane '{}' to lane '{}'", name(c.from_lane), name(c.to_lane))
            };
            at.that(self.lanes[c.from_lane.index()].link == m.from_link, || {
                format!("{}: its movement comes from another link", of())
            })?;
            at.that(self.lanes[c.to_lane.index()].link == m.to_link, || {
                format!("{}: its movement goes to another link", of())
            })?;
            at.that(c.wait_at.is_none_or(|w| w <= c.length), || format!("{}: its vehicles wait past its end", of()))?;
            at.that(c.speed.get() > 0.0 || !self.lanes[c.from_lane.index()].admits.motor(), || {
                format!("{}: its speed limit is zero", of())
            })?;
            if let Some(s) = c.signal {
                at.within("controller", s.controller.0, self.controllers.len())?;
                at.within("signal group", s.group.0, self.controllers[s.controller.index()].groups.len())?;
            }
        }
        Ok(())
    }

    fn check_right_of_way(&self) -> Result<(), NetworkError> {
        let mut seen = HashSet::new();
        for (i, c) in self.conflicts.iter().enumerate() {
            let name = format!("#{i}");
            let at = Check { kind: "conflict", name: &name };
            at.within("connection", c.first.0, self.connections.len())?;
            at.within("connection", c.second.0, self.connections.len())?;
            at.that(c.first < c.second, || "its connections are not in order".into())?;
            at.that(!(c.first_yields && c.second_yields), || "both connections yield to each other".into())?;
            at.that(seen.insert((c.first, c.second)), || "the pair stands twice".into())?;
            let (a, b) = (&self.connections[c.first.index()], &self.connections[c.second.index()]);
            let node = |k: &Connection| self.movements[k.movement.index()].node;
            at.that(node(a) == node(b), || "its connections are at different nodes".into())?;
            at.that(c.first_at <= a.length && c.second_at <= b.length, || "they meet past their end".into())?;
        }
        for (i, c) in self.crossing_conflicts.iter().enumerate() {
            let name = format!("#{i}");
            let at = Check { kind: "crossing conflict", name: &name };
            at.within("connection", c.connection.0, self.connections.len())?;
            at.within("crossing", c.crossing.0, self.crossings.len())?;
            at.that(c.at <= self.connections[c.connection.index()].length, || "they meet past its end".into())?;
        }
        Ok(())
    }

    fn check_controllers(&self) -> Result<(), NetworkError> {
        for x in &self.crossings {
            let at = Check { kind: "crossing", name: &x.name };
            at.within("node", x.node.0, self.nodes.len())?;
            for l in &x.links {
                at.within("link", l.0, self.links.len())?;
            }
            if let Some(s) = x.signal {
                at.within("controller", s.controller.0, self.controllers.len())?;
                at.within("signal group", s.group.0, self.controllers[s.controller.index()].groups.len())?;
            }
        }
        for (i, c) in self.controllers.iter().enumerate() {
            let at = Check { kind: "controller", name: &c.name };
            for n in &c.nodes {
                at.within("node", n.0, self.nodes.len())?;
            }
            for (g, group) in c.groups.iter().enumerate() {
                for k in &group.connections {
                    at.within("connection", k.0, self.connections.len())?;
                    let head = self.connections[k.index()].signal;
                    at.that(head.is_some_and(|s| s.controller.index() == i && s.group.index() == g), || {
                        format!("connection {} in group '{}' obeys another signal", k.0, group.name)
                    })?;
                }
            }
            for (g, group) in c.groups.iter().enumerate() {
                for x in &group.crossings {
                    at.within("crossing", x.0, self.crossings.len())?;
                    let head = self.crossings[x.index()].signal;
                    at.that(head.is_some_and(|s| s.controller.index() == i && s.group.index() == g), || {
                        format!("crossing {} in group '{}' obeys another signal", x.0, group.name)
                    })?;
                }
            }
            c.check().map_err(|reason| NetworkError::Inconsistent {
                kind: "controller",
                name: c.name.clone(),
                reason: reason.to_string(),
            })?;
        }
        Ok(())
    }
}
