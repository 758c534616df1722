//! SUMO networks (`net.xml`, plain or gzip): raw elements first, then the tables of a network.
//!
//! | file | does |
//! | --- | --- |
//! | `raw` | what the file says |
//! | `streets` | nodes, links, lanes, projection |
//! | `connections` | connections, movements, crossings |
//! | `conflicts` | where ways meet inside nodes, and who yields |
//! | `nema` | NEMA programs as steps, and their rings |
//! | `right_of_way` | junction matrices: who touches and who yields |
//! | `signals` | `tlLogic` to controllers |

mod conflicts;
mod connections;
mod error;
mod nema;
mod raw;
mod right_of_way;
mod signals;
mod streets;
mod vehicle_class;

use std::collections::HashMap;
use std::path::Path;

pub use error::{Flaw, SumoNetError};

use crate::formats::sumo::xml;
use crate::formats::{FileKind, Import, Notes, Source, kind};
use crate::ids::{ControllerId, GroupId, NodeId};
use crate::network::{Network, NetworkParts, SignalHead};
use connections::{Connections, Strand};
use error::Fault;
use raw::{RawConnection, RawNet, RawProgram};
use signals::{Head, Obeys};
use streets::Streets;

/// Reads a SUMO network from a file.
///
/// # Errors
/// [`SumoNetError`] naming file, line, element and reason; no partial network is returned.
pub fn read(path: &Path) -> Result<Import, SumoNetError> {
    read_source(&Source::open(path)?)
}

/// Reads a SUMO network from memory; `name` stands for the file in messages and names the network.
///
/// # Errors
/// As [`read`].
pub fn read_bytes(name: &str, bytes: &[u8]) -> Result<Import, SumoNetError> {
    read_source(&Source::from_bytes(name, bytes.to_vec())?)
}

/// Reads a SUMO network from text.
///
/// # Errors
/// As [`read`].
pub fn read_source(source: &Source) -> Result<Import, SumoNetError> {
    kind::expect(source, &FileKind::SumoNet, "a SUMO network")?;
    let mut notes = Notes::default();
    let parts = RawNet::parse(&source.text)
        .and_then(|mut raw| {
            nema::expand(&mut raw.programs, &mut notes)?;
            resolve(&raw, network_name(&source.name), &mut notes)
        })
        .map_err(|fault| SumoNetError::of(fault, &source.name))?;
    let network: Network = parts.build().map_err(|e| SumoNetError::Network { file: source.name.clone(), source: e })?;
    Ok(Import { network, notes: notes.into_inner() })
}

/// `dir/town.net.xml.gz` is the network `town`.
fn network_name(file: &str) -> String {
    let name = Path::new(file).file_name().map_or_else(|| file.to_owned(), |n| n.to_string_lossy().into_owned());
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    name.strip_suffix(".net.xml").or_else(|| name.strip_suffix(".xml")).unwrap_or(name).to_owned()
}

/// The program to use of each traffic light: the first, as SUMO itself does when none is asked for.
fn programs<'r>(raw: &'r RawNet, notes: &mut Notes) -> Result<HashMap<&'r str, &'r RawProgram>, Fault> {
    let mut chosen: HashMap<&str, &RawProgram> = HashMap::new();
    for p in raw.programs.iter().filter(|p| !is_rail(&p.kind)) {
        if let Some(first) = chosen.get(p.at.id.as_str()) {
            if first.program_id == p.program_id {
                return Err(p.at.fault(Flaw::Duplicate { first: first.at.line }));
            }
            notes.add("further program of a traffic light left out; the first is used", &p.at.id);
            continue;
        }
        let Some(first) = p.phases.first() else {
            return Err(p.at.fault(Flaw::Childless { child: "phase" }));
        };
        let expected = first.state.len();
        if let Some(odd) = p.phases.iter().find(|x| x.state.len() != expected) {
            let state = odd.state.iter().collect();
            return Err(odd.at.fault(Flaw::StateLength { state, found: odd.state.len(), expected }));
        }
        chosen.insert(&p.at.id, p);
    }
    Ok(chosen)
}

/// Rail signals guard blocks and level crossings; they are no part of road signal control.
fn is_rail(kind: &str) -> bool {
    kind.starts_with("rail")
}

fn resolve(raw: &RawNet, name: String, notes: &mut Notes) -> Result<NetworkParts, Fault> {
    let chosen = programs(raw, notes)?;
    check_signals(raw, &chosen)?;
    let constant = |c: &RawConnection| {
        let signal = c.signal.as_ref()?;
        signals::constant_letter(&chosen.get(signal.tl.as_str())?.phases, signal.link_index)
    };
    let streets = Streets::resolve(raw, notes)?;
    let closed = |c: &RawConnection| constant(c).is_some_and(|l| matches!(l, 'r' | 'R'));
    let ways = Connections::resolve(raw, &streets, closed, notes)?;
    let pairs = right_of_way::pairs(raw)?;
    let touches = right_of_way::touches(raw, &pairs, notes);
    let (conflicts, crossing_conflicts) = conflicts::resolve(raw, &pairs, &ways, notes);

    let mut heads: HashMap<&str, Vec<Head>> = HashMap::new();
    let mut at_nodes: HashMap<&str, Vec<NodeId>> = HashMap::new();
    for (c, strand) in raw.connections.iter().zip(&ways.strands) {
        let (Some(signal), true) = (&c.signal, *strand != Strand::Nothing) else { continue };
        if !chosen.contains_key(signal.tl.as_str()) {
            notes.add("rail signal left out: trains are not controlled here", &signal.tl);
            continue;
        }
        if constant(c).is_some_and(signals::is_no_signal) {
            notes.add("connection whose signal never changes and is never green taken as unsignalled", &c.at.id);
            continue;
        }
        let (head, node) = head(c, *strand, &streets, &ways);
        if let Some(head) = head {
            let known = heads.entry(&signal.tl).or_default();
            // Both pavements of a crossing lead onto it; it is one crossing all the same.
            if !known.iter().any(|h| h.obeys == head.obeys && h.link_index == head.link_index) {
                known.push(head);
            }
            at_nodes.entry(&signal.tl).or_default().extend(node);
        }
    }

    let projection = streets::projection(raw.location.as_ref(), &streets.nodes, notes);
    let mut parts = NetworkParts {
        name,
        projection,
        nodes: streets.nodes,
        links: streets.links,
        lanes: streets.lanes,
        connections: ways.connections,
        movements: ways.movements,
        conflicts,
        crossing_conflicts,
        crossings: ways.crossings,
        controllers: Vec::new(),
        detectors: Vec::new(),
    };
    for program in raw.programs.iter().filter(|p| chosen.get(p.at.id.as_str()).is_some_and(|c| std::ptr::eq(*c, *p))) {
        let id = program.at.id.as_str();
        let Some(heads) = heads.get(id) else {
            notes.add("traffic light that nothing obeys left out", id);
            continue;
        };
        let mut nodes = at_nodes.remove(id).unwrap_or_default();
        nodes.sort_unstable();
        nodes.dedup();
        let touches = touches.get(id).map_or(&[][..], Vec::as_slice);
        let controller = signals::controller(program, heads, nodes, touches, notes)?;
        install(&mut parts, controller, heads);
    }
    parts.detectors = crate::detection::lay(&parts, |what, lane| notes.add(what, lane));
    Ok(parts)
}

/// Every signal refers to a program and to a position in its states.
fn check_signals(raw: &RawNet, chosen: &HashMap<&str, &RawProgram>) -> Result<(), Fault> {
    let rail_lights: Vec<&str> = raw.programs.iter().filter(|p| is_rail(&p.kind)).map(|p| p.at.id.as_str()).collect();
    let rail_junctions = raw.junctions.iter().filter(|j| is_rail(&j.kind)).map(|j| j.at.id.as_str());
    let rail: std::collections::HashSet<&str> = rail_lights.into_iter().chain(rail_junctions).collect();
    for c in &raw.connections {
        let Some(signal) = &c.signal else { continue };
        let Some(program) = chosen.get(signal.tl.as_str()) else {
            if rail.contains(signal.tl.as_str()) {
                continue;
            }
            let flaw = Flaw::Dangling { name: "tl", id: signal.tl.clone(), target: "a tlLogic" };
            return Err(c.at.fault(flaw));
        };
        let signals = program.phases.first().map_or(0, |p| p.state.len());
        for index in [Some(signal.link_index), signal.link_index_2].into_iter().flatten() {
            if index as usize >= signals {
                return Err(c.at.fault(Flaw::LinkIndex { index, signals, tl: signal.tl.clone() }));
            }
        }
    }
    Ok(())
}

fn head(c: &RawConnection, strand: Strand, streets: &Streets, ways: &Connections) -> (Option<Head>, Option<NodeId>) {
    let Some(signal) = &c.signal else { return (None, None) };
    let head = |obeys, from, approach_mps, way_m| Head {
        at: c.at.clone(),
        link_index: signal.link_index,
        link_index_2: signal.link_index_2,
        obeys,
        from,
        approach_mps,
        way_m,
    };
    match strand {
        Strand::Nothing => (None, None),
        Strand::Connection(id) => {
            let connection = &ways.connections[id.index()];
            let lane = &streets.lanes[connection.from_lane.index()];
            let (v, way) = (lane.speed.get(), connection.length.get());
            let node = streets.links[lane.link.index()].to;
            (Some(head(Obeys::Connection(id), Some(lane.link), v, way)), Some(node))
        }
        Strand::Crossing(id) => {
            let crossing = &ways.crossings[id.index()];
            (Some(head(Obeys::Crossing(id), None, 0.0, crossing.length.get())), Some(crossing.node))
        }
    }
}

/// Adds a controller and points its nodes, connections and crossings at it.
fn install(parts: &mut NetworkParts, controller: crate::signal::Controller, heads: &[Head]) {
    let id = ControllerId::at(parts.controllers.len());
    for n in &controller.nodes {
        parts.nodes[n.index()].controller.get_or_insert(id);
    }
    for head in heads {
        let Some(g) = controller.groups.iter().position(|g| g.link_indices.contains(&head.link_index)) else {
            continue;
        };
        let signal = Some(SignalHead { controller: id, group: GroupId::at(g), link_index: head.link_index });
        match head.obeys {
            Obeys::Connection(c) => parts.connections[c.index()].signal = signal,
            Obeys::Crossing(x) => parts.crossings[x.index()].signal = signal,
        }
    }
    parts.controllers.push(controller);
}
