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

/// Touching pairs per traffic light, both directions of each.
pub(super) fn touches<'r>(raw: &'r RawNet, notes: &mut Notes) -> Result<HashMap<&'r str, Vec<Touch>>, Fault> {
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
    let mut out: HashMap<&str, Vec<Touch>> = HashMap::new();
    for j in raw.junctions.iter().filter(|j| j.kind != "internal") {
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
        junction(raw, j, &order, &mut out, notes)?;
    }
    Ok(out)
}

/// Types for which SUMO computes no matrix.
fn needs_matrix(kind: &str, connections: usize) -> bool {
    connections > 0 && !kind.ends_with("unregulated") && !kind.starts_with("rail") && kind != "dead_end"
}

/// Without a matrix any two connections from different lanes are taken to touch, none to yield.
fn without_matrix<'r>(raw: &'r RawNet, order: &[usize], out: &mut HashMap<&'r str, Vec<Touch>>, notes: &mut Notes) {
    for a in order {
        for b in order {
            let (x, y) = (&raw.connections[*a], &raw.connections[*b]);
            let (Some(mine), Some(theirs)) = (&x.signal, &y.signal) else { continue };
            if mine.tl == theirs.tl && x.from != y.from {
                let touch = Touch { index: mine.link_index, other: theirs.link_index, yields: false };
                out.entry(mine.tl.as_str()).or_default().push(touch);
                notes.add(
                    "no right-of-way matrix: ways from different edges taken to conflict unless shown together",
                    &x.at.id,
                );
            }
        }
    }
}

fn junction<'r>(
    raw: &'r RawNet,
    j: &'r RawJunction,
    order: &[usize],
    out: &mut HashMap<&'r str, Vec<Touch>>,
    notes: &mut Notes,
) -> Result<(), Fault> {
    // Types without a matrix (dead ends, unregulated junctions, rail) leave it out as a whole.
    if j.requests.is_empty() && !needs_matrix(&j.kind, order.len()) {
        without_matrix(raw, order, out, notes);
        return Ok(());
    }
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
        let Some(mine) = &raw.connections[order[i]].signal else { continue };
        let (response, foes) = (r.response.as_bytes(), r.foes.as_bytes());
        for (k, c) in order.iter().enumerate() {
            let bit = rows - 1 - k;
            if k == i || (foes[bit] == b'0' && response[bit] == b'0') {
                continue;
            }
            let Some(theirs) = &raw.connections[*c].signal else { continue };
            if mine.tl != theirs.tl {
                continue;
            }
            let touches = out.entry(mine.tl.as_str()).or_default();
            let (index, other) = (mine.link_index, theirs.link_index);
            touches.push(Touch { index, other, yields: response[bit] == b'1' });
        }
    }
    Ok(())
}
