//! The junctions' right-of-way matrices: which of their connections touch, and who yields.
//!
//! A `request` row belongs to one connection of the junction; its bit strings are read from the right. Connections are
//! counted over the junction's `incLanes` in order and, within a lane, in file order; ways onto pavements do not count,
//! ways from a pavement count when they lead onto a crossing (SUMO, "Road Networks", and `MSRightOfWayJunction`).

use std::collections::HashMap;

use super::error::{Fault, Flaw};
use super::raw::{EdgeKind, RawJunction, RawNet};
use super::xml::value;
use crate::formats::Notes;

/// Two connections of one junction that touch, as one of them sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pair {
    /// Position of one among the file's connections.
    pub(super) mine: usize,
    /// Position of the other.
    pub(super) other: usize,
    /// The first yields to the second.
    pub(super) yields: bool,
    /// Position of the junction among the file's.
    pub(super) junction: usize,
    /// The junction has no matrix: whether they touch is for their courses to say.
    pub(super) guessed: bool,
}

/// Two signalled connections of one controller that touch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Touch {
    /// Position of one in the controller's state strings.
    pub(super) index: u32,
    /// Position of the other.
    pub(super) other: u32,
    /// The first yields to the second.
    pub(super) yields: bool,
}

/// Touching pairs of connections, both directions of each.
pub(super) fn pairs(raw: &RawNet) -> Result<Vec<Pair>, Fault> {
    let mut lanes: HashMap<&str, (&str, u32, EdgeKind)> = HashMap::new();
    for e in &raw.edges {
        for l in &e.lanes {
            lanes.insert(&l.at.id, (&e.at.id, l.index, e.kind));
        }
    }
    let kinds: HashMap<&str, EdgeKind> = raw.edges.iter().map(|e| (e.at.id.as_str(), e.kind)).collect();
    let mut leaving: HashMap<(&str, u32), Vec<usize>> = HashMap::new();
    for (i, c) in raw.connections.iter().enumerate() {
        leaving.entry((&c.from, c.from_lane)).or_default().push(i);
    }
    let mut out = Vec::new();
    for (number, j) in raw.junctions.iter().enumerate().filter(|(_, j)| j.kind != "internal") {
        let mut order: Vec<usize> = Vec::new();
        for name in &j.incoming_lanes {
            let dangling = || Flaw::Dangling { name: "incLanes", id: name.clone(), target: "a lane" };
            let &(edge, index, kind) = lanes.get(name.as_str()).ok_or_else(|| j.at.fault(dangling()))?;
            let counted = |c: &&usize| match kinds.get(raw.connections[**c].to.as_str()) {
                Some(EdgeKind::WalkingArea) => false,
                Some(EdgeKind::Crossing) => true,
                _ => kind != EdgeKind::WalkingArea,
            };
            order.extend(leaving.get(&(edge, index)).into_iter().flatten().filter(counted));
        }
        // Types without a matrix (dead ends, unregulated junctions, rail) leave it out as a whole.
        if j.requests.is_empty() && !needs_matrix(&j.kind, order.len()) {
            without_matrix(raw, number, &order, &mut out);
        } else {
            matrix(number, j, &order, &mut out)?;
        }
    }
    Ok(out)
}

/// Types for which SUMO computes no matrix.
fn needs_matrix(kind: &str, connections: usize) -> bool {
    connections > 0 && !kind.ends_with("unregulated") && !kind.starts_with("rail") && kind != "dead_end"
}

/// Without a matrix any two connections from different edges may touch, and none yields.
fn without_matrix(raw: &RawNet, junction: usize, order: &[usize], out: &mut Vec<Pair>) {
    for &mine in order {
        for &other in order {
            if raw.connections[mine].from != raw.connections[other].from {
                out.push(Pair { mine, other, yields: false, junction, guessed: true });
            }
        }
    }
}

fn matrix(junction: usize, j: &RawJunction, order: &[usize], out: &mut Vec<Pair>) -> Result<(), Fault> {
    let rows = j.requests.len();
    if rows != order.len() {
        return Err(j.at.fault(Flaw::RequestRows { rows, connections: order.len() }));
    }
    let mut seen = vec![false; rows];
    for r in &j.requests {
        let i = r.index as usize;
        if i >= rows || std::mem::replace(&mut seen[i], true) {
            return Err(r.at.fault(value("index", &r.index.to_string(), "a new row of this junction")));
        }
        let bits = |name, text: &str| {
            let good = text.len() == rows && text.bytes().all(|b| b == b'0' || b == b'1');
            if good { Ok(()) } else { Err(r.at.fault(value(name, text, "one bit for every row"))) }
        };
        bits("response", &r.response)?;
        bits("foes", &r.foes)?;
        let (response, foes) = (r.response.as_bytes(), r.foes.as_bytes());
        for (k, &other) in order.iter().enumerate() {
            let bit = rows - 1 - k;
            if k != i && (foes[bit] == b'1' || response[bit] == b'1') {
                out.push(Pair { mine: order[i], other, yields: response[bit] == b'1', junction, guessed: false });
            }
        }
    }
    Ok(())
}

/// Touching pairs per traffic light, both directions of each.
pub(super) fn touches<'r>(raw: &'r RawNet, pairs: &[Pair], notes: &mut Notes) -> HashMap<&'r str, Vec<Touch>> {
    let mut out: HashMap<&str, Vec<Touch>> = HashMap::new();
    for p in pairs {
        let (Some(mine), Some(theirs)) = (&raw.connections[p.mine].signal, &raw.connections[p.other].signal) else {
            continue;
        };
        if mine.tl != theirs.tl {
            continue;
        }
        if p.guessed {
            notes.add(
                "no right-of-way matrix: ways from different edges taken to conflict unless shown together",
                &raw.connections[p.mine].at.id,
            );
        }
        let touch = Touch { index: mine.link_index, other: theirs.link_index, yields: p.yields };
        out.entry(mine.tl.as_str()).or_default().push(touch);
    }
    out
}
