//! Connections, the movements they make up, and crossings.

use std::collections::{HashMap, HashSet};

use super::error::{Fault, Flaw};
use super::raw::{EdgeKind, RawConnection, RawEdge, RawLane, RawNet};
use super::streets::{Streets, metres};
use super::xml::value;
use crate::formats::Notes;
use crate::ids::{ConnectionId, CrossingId, LaneId, LinkId, MovementId, NodeId};
use crate::network::{Connection, Crossing, Movement, Point, Polyline, Turn};
use crate::units::{MetresPerSecond, VehPerHour};

/// Base saturation flow of one lane and what turning leaves of it (HCM 7th ed., exhibit 19-11 and eqs. 19-13, 19-14:
/// equivalents of 1.05 for protected left turns and 1.18 for right turns).
const SATURATION_BASE_VPH: f64 = 1_900.0;
const LEFT_EQUIVALENT: f64 = 1.05;
const RIGHT_EQUIVALENT: f64 = 1.18;
/// Shortest way across a node when the file shows none and the two lanes touch.
const WAY_LENGTH_MIN_M: f64 = 0.1;

/// What a connection of the file became.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Strand {
    /// A lane-to-lane connection.
    Connection(ConnectionId),
    /// The way over a crossing.
    Crossing(CrossingId),
    /// Nothing of the network: a way inside a junction, on a pavement, or closed for good.
    Nothing,
}

/// Tables of connections, in file order.
#[derive(Default)]
pub(super) struct Connections {
    pub(super) connections: Vec<Connection>,
    pub(super) movements: Vec<Movement>,
    pub(super) crossings: Vec<Crossing>,
    /// One entry per connection of the file.
    pub(super) strands: Vec<Strand>,
}

/// One way inside a junction.
struct Across {
    length_m: f64,
    speed_mps: f64,
    wait_m: Option<f64>,
    shape: Vec<Point>,
}

/// Ways inside junctions, by the name of their first lane.
struct Ways<'r> {
    edges: HashMap<&'r str, &'r RawEdge>,
    lanes: HashMap<&'r str, &'r RawLane>,
    /// Next lane inside the junction after one, if the way goes on.
    onward: HashMap<&'r str, &'r str>,
}

impl<'r> Ways<'r> {
    fn of(raw: &'r RawNet) -> Self {
        let edges: HashMap<&str, &RawEdge> = raw.edges.iter().map(|e| (e.at.id.as_str(), e)).collect();
        let lanes = raw
            .edges
            .iter()
            .filter(|e| e.kind != EdgeKind::Normal)
            .flat_map(|e| e.lanes.iter().map(|l| (l.at.id.as_str(), l)))
            .collect();
        let lane_of = |edge: &str, index: u32| {
            let edge = edges.get(edge).filter(|e| e.kind == EdgeKind::Internal)?;
            edge.lanes.iter().find(|l| l.index == index).map(|l| l.at.id.as_str())
        };
        let onward =
            raw.connections.iter().filter_map(|c| Some((lane_of(&c.from, c.from_lane)?, c.via.as_deref()?))).collect();
        Self { edges, lanes, onward }
    }

    fn kind(&self, edge: &str) -> Option<EdgeKind> {
        self.edges.get(edge).map(|e| e.kind)
    }

    /// The way that starts with lane `via`.
    fn follow(&self, c: &RawConnection, via: &str) -> Result<Across, Fault> {
        let mut across = Across { length_m: 0.0, speed_mps: f64::INFINITY, wait_m: None, shape: Vec::new() };
        let mut walked = HashSet::new();
        let mut at = Some(via);
        while let Some(lane) = at {
            if !walked.insert(lane.to_owned()) {
                return Err(c.at.fault(Flaw::EndlessWay));
            }
            let dangling = || Flaw::Dangling { name: "via", id: lane.into(), target: "a lane inside the junction" };
            let found = self.lanes.get(lane).ok_or_else(|| c.at.fault(dangling()))?;
            // Lanes inside a junction join where vehicles that give way may wait (SUMO, "internal junctions").
            across.wait_m = (across.length_m > 0.0).then_some(across.length_m);
            across.length_m += found.length_m;
            across.speed_mps = across.speed_mps.min(found.speed_mps);
            let joint = usize::from(across.shape.last().is_some() && across.shape.last() == found.shape.first());
            across.shape.extend(found.shape.iter().skip(joint));
            at = self.onward.get(lane).copied();
        }
        Ok(across)
    }
}

/// The lower of two limits.
fn slower(a: MetresPerSecond, b: MetresPerSecond) -> MetresPerSecond {
    if b < a { b } else { a }
}

impl Connections {
    /// Resolves all connections. `closed` tells those that no program ever opens; they are left out.
    pub(super) fn resolve(
        raw: &RawNet,
        streets: &Streets,
        closed: impl Fn(&RawConnection) -> bool,
        notes: &mut Notes,
    ) -> Result<Self, Fault> {
        let ways = Ways::of(raw);
        let mut out = Self::default();
        out.crossings(raw, streets)?;
        let crossing_ids: HashMap<&str, CrossingId> = raw
            .edges
            .iter()
            .filter(|e| e.kind == EdgeKind::Crossing)
            .enumerate()
            .map(|(i, e)| (e.at.id.as_str(), CrossingId::at(i)))
            .collect();
        let mut movement_ids: HashMap<(LinkId, LinkId), MovementId> = HashMap::new();
        let mut seen: HashMap<(LaneId, LaneId), u32> = HashMap::new();
        for c in &raw.connections {
            let kind = |name: &'static str, edge: &String| {
                let dangling = || Flaw::Dangling { name, id: edge.clone(), target: "an edge" };
                ways.kind(edge).ok_or_else(|| c.at.fault(dangling()))
            };
            let strand = match (kind("from", &c.from)?, kind("to", &c.to)?) {
                (EdgeKind::Normal, EdgeKind::Normal) if closed(c) => {
                    notes.add("connection that is red in every phase of its program left out", &c.at.id);
                    Strand::Nothing
                }
                (EdgeKind::Normal, EdgeKind::Normal) => {
                    let id = ConnectionId::at(out.connections.len());
                    out.connection(c, streets, &ways, &mut movement_ids, &mut seen, notes)?;
                    Strand::Connection(id)
                }
                (_, EdgeKind::Crossing) => match crossing_ids.get(c.to.as_str()) {
                    Some(id) => Strand::Crossing(*id),
                    None => Strand::Nothing,
                },
                _ => Strand::Nothing,
            };
            out.strands.push(strand);
        }
        Ok(out)
    }

    fn connection(
        &mut self,
        c: &RawConnection,
        streets: &Streets,
        ways: &Ways<'_>,
        movement_ids: &mut HashMap<(LinkId, LinkId), MovementId>,
        seen: &mut HashMap<(LaneId, LaneId), u32>,
        notes: &mut Notes,
    ) -> Result<(), Fault> {
        let lane = |name: &'static str, edge: &str, index: u32| {
            let dangling = || Flaw::Dangling { name, id: index.to_string(), target: "a lane of that edge" };
            streets.lane(edge, index).ok_or_else(|| c.at.fault(dangling()))
        };
        let from_lane = lane("fromLane", &c.from, c.from_lane)?;
        let to_lane = lane("toLane", &c.to, c.to_lane)?;
        if let Some(first) = seen.insert((from_lane, to_lane), c.at.line) {
            return Err(c.at.fault(Flaw::Duplicate { first }));
        }
        let (from, to) = (&streets.lanes[from_lane.index()], &streets.lanes[to_lane.index()]);
        let node = streets.links[from.link.index()].to;
        if streets.links[to.link.index()].from != node {
            return Err(c.at.fault(value("to", &c.to, "an edge that starts where the from-edge ends")));
        }
        let ends: Vec<Point> = from.shape.0.last().into_iter().chain(to.shape.0.first()).copied().collect();
        let across = match &c.via {
            Some(via) => ways.follow(c, via)?,
            None => {
                notes.add("connection without a way inside its junction drawn straight from lane to lane", &c.at.id);
                let length_m = Polyline(ends.clone()).length_m();
                Across { length_m, speed_mps: f64::INFINITY, wait_m: None, shape: Vec::new() }
            }
        };
        let shape = if across.shape.len() < 2 { ends } else { across.shape };
        // A way that states no speed, or none that moves anybody, is driven like the slower of its lanes.
        let stated = MetresPerSecond::new(across.speed_mps).ok().filter(|v| v.get() > 0.0);
        let id = ConnectionId::at(self.connections.len());
        let movement = match movement_ids.get(&(from.link, to.link)) {
            Some(m) => *m,
            None => {
                let turn = turn(c, &from.shape, &to.shape, notes)?;
                let m = MovementId::at(self.movements.len());
                movement_ids.insert((from.link, to.link), m);
                self.movements.push(Movement {
                    node,
                    from_link: from.link,
                    to_link: to.link,
                    turn,
                    saturation: saturation(turn),
                    connections: Vec::new(),
                });
                notes.add(
                    "saturation flow of a movement taken as 1900 veh/h per lane, over 1.05 for left and 1.18 for right \
                     turns (HCM 7th ed.)",
                    &c.at.id,
                );
                m
            }
        };
        self.movements[movement.index()].connections.push(id);
        self.connections.push(Connection {
            from_lane,
            to_lane,
            movement,
            signal: None,
            length: metres(across.length_m.max(WAY_LENGTH_MIN_M)),
            speed: stated.unwrap_or_else(|| slower(from.speed, to.speed)),
            wait_at: across.wait_m.map(metres),
            shape: Polyline(shape),
        });
        Ok(())
    }

    fn crossings(&mut self, raw: &RawNet, streets: &Streets) -> Result<(), Fault> {
        for e in raw.edges.iter().filter(|e| e.kind == EdgeKind::Crossing) {
            let Some(lane) = e.lanes.first() else {
                return Err(e.at.fault(Flaw::Childless { child: "lane" }));
            };
            let links: Vec<LinkId> = e
                .crossing_edges
                .iter()
                .map(|id| {
                    let dangling = || Flaw::Dangling { name: "crossingEdges", id: id.clone(), target: "an edge" };
                    streets.link_ids.get(id).copied().ok_or_else(|| e.at.fault(dangling()))
                })
                .collect::<Result<_, _>>()?;
            self.crossings.push(Crossing {
                name: e.at.id.clone(),
                node: crossing_node(e, &links, streets)?,
                links,
                length: metres(lane.length_m),
                shape: Polyline(lane.shape.clone()),
                signal: None,
            });
        }
        Ok(())
    }
}

/// SUMO names the crossings of junction `J` `:J_c0`, `:J_c1`, …; the name of a junction may itself contain `_c`.
fn crossing_node(e: &RawEdge, links: &[LinkId], streets: &Streets) -> Result<NodeId, Fault> {
    let named = e.at.id.strip_prefix(':').and_then(|n| n.rsplit_once("_c")).map(|(node, _)| node);
    if let Some(node) = named.and_then(|n| streets.node_ids.get(n)) {
        return Ok(*node);
    }
    let first = links.first().map(|l| streets.links[l.index()].to);
    first.ok_or_else(|| e.at.fault(Flaw::Dangling { name: "id", id: e.at.id.clone(), target: "a junction" }))
}

fn turn(c: &RawConnection, from: &Polyline, to: &Polyline, notes: &mut Notes) -> Result<Turn, Fault> {
    Ok(match c.dir {
        Some('s') => Turn::Straight,
        Some('l' | 'L') => Turn::Left,
        Some('r' | 'R') => Turn::Right,
        Some('t' | 'T') => Turn::UTurn,
        Some(other) => return Err(c.at.fault(value("dir", &other.to_string(), "a direction SUMO knows"))),
        None => {
            notes.add("turn derived from the angle between the lanes", &c.at.id);
            turn_by_angle(from, to)
        }
    })
}

/// Within 45° of ahead is straight, beyond 160° is a U-turn.
fn turn_by_angle(from: &Polyline, to: &Polyline) -> Turn {
    let heading = |a: Option<&Point>, b: Option<&Point>| match (a, b) {
        (Some(a), Some(b)) => (b.y - a.y).atan2(b.x - a.x),
        _ => 0.0,
    };
    let n = from.0.len();
    let out = heading(from.0.get(n.saturating_sub(2)), from.0.last());
    let turned = heading(to.0.first(), to.0.get(1)) - out;
    let degrees = turned.sin().atan2(turned.cos()).to_degrees();
    match degrees {
        d if d.abs() <= 45.0 => Turn::Straight,
        d if d.abs() >= 160.0 => Turn::UTurn,
        d if d > 0.0 => Turn::Left,
        _ => Turn::Right,
    }
}

fn saturation(turn: Turn) -> VehPerHour {
    let vph = match turn {
        Turn::Straight => SATURATION_BASE_VPH,
        Turn::Left | Turn::UTurn => SATURATION_BASE_VPH / LEFT_EQUIVALENT,
        Turn::Right => SATURATION_BASE_VPH / RIGHT_EQUIVALENT,
    };
    VehPerHour::new(vph.round()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(points: &[(f64, f64)]) -> Polyline {
        Polyline(points.iter().map(|&(x, y)| Point { x, y }).collect())
    }

    #[test]
    fn an_unstated_turn_follows_the_angle() {
        let north = line(&[(0.0, 0.0), (0.0, 10.0)]);
        let to = |x, y| line(&[(0.0, 12.0), (x, 12.0 + y)]);
        assert_eq!(turn_by_angle(&north, &to(0.0, 9.0)), Turn::Straight);
        assert_eq!(turn_by_angle(&north, &to(9.0, 0.0)), Turn::Right);
        assert_eq!(turn_by_angle(&north, &to(-9.0, 0.0)), Turn::Left);
        assert_eq!(turn_by_angle(&north, &to(0.1, -9.0)), Turn::UTurn);
    }
}
