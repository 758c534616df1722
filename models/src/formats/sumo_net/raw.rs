//! What the file says, element by element, before anything is resolved.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::error::{Fault, Flaw, Place};
use super::nema::Rings;
use super::xml::{Attributes, Elements, Token, value};
use crate::network::Point;
use crate::units::Ds;

/// The whole file.
#[derive(Debug, Default)]
pub(super) struct RawNet {
    pub(super) location: Option<RawLocation>,
    pub(super) edges: Vec<RawEdge>,
    pub(super) junctions: Vec<RawJunction>,
    pub(super) connections: Vec<RawConnection>,
    pub(super) programs: Vec<RawProgram>,
}

#[derive(Debug)]
pub(super) struct RawLocation {
    pub(super) projection: String,
    pub(super) offset: Point,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EdgeKind {
    Normal,
    Internal,
    Crossing,
    WalkingArea,
}

#[derive(Debug)]
pub(super) struct RawEdge {
    pub(super) at: Place,
    pub(super) kind: EdgeKind,
    pub(super) from: Option<String>,
    pub(super) to: Option<String>,
    pub(super) shape: Vec<Point>,
    /// Edges a crossing crosses.
    pub(super) crossing_edges: Vec<String>,
    pub(super) lanes: Vec<RawLane>,
}

#[derive(Debug)]
pub(super) struct RawLane {
    pub(super) at: Place,
    pub(super) index: u32,
    pub(super) speed_mps: f64,
    pub(super) length_m: f64,
    pub(super) width_m: Option<f64>,
    pub(super) shape: Vec<Point>,
    pub(super) allow: Option<String>,
    pub(super) disallow: Option<String>,
}

#[derive(Debug)]
pub(super) struct RawJunction {
    pub(super) at: Place,
    pub(super) kind: String,
    pub(super) position: Point,
    pub(super) incoming_lanes: Vec<String>,
    pub(super) requests: Vec<RawRequest>,
}

/// A row of the right-of-way matrix; bit strings as written, so the rightmost character is position 0.
#[derive(Debug)]
pub(super) struct RawRequest {
    pub(super) at: Place,
    pub(super) index: u32,
    pub(super) response: String,
    pub(super) foes: String,
}

#[derive(Debug)]
pub(super) struct RawConnection {
    pub(super) at: Place,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) from_lane: u32,
    pub(super) to_lane: u32,
    pub(super) via: Option<String>,
    pub(super) dir: Option<char>,
    pub(super) signal: Option<RawSignal>,
}

#[derive(Debug, Clone)]
pub(super) struct RawSignal {
    pub(super) tl: String,
    pub(super) link_index: u32,
    /// The index that shows a crossing its other side.
    pub(super) link_index_2: Option<u32>,
}

#[derive(Debug)]
pub(super) struct RawProgram {
    pub(super) at: Place,
    pub(super) kind: String,
    pub(super) program_id: String,
    /// Offset in deciseconds; may be negative.
    pub(super) offset_ds: i64,
    pub(super) phases: Vec<RawPhase>,
    pub(super) params: Vec<(String, String)>,
    /// Rings and barriers of a NEMA program, once its phases have become steps.
    pub(super) rings: Option<Rings>,
}

#[derive(Debug, Clone)]
pub(super) struct RawPhase {
    pub(super) at: Place,
    pub(super) name: Option<String>,
    pub(super) duration: Ds,
    pub(super) min: Option<Ds>,
    pub(super) max: Option<Ds>,
    pub(super) yellow: Option<Ds>,
    pub(super) red: Option<Ds>,
    pub(super) next: Option<usize>,
    pub(super) state: Vec<char>,
}

impl RawProgram {
    pub(super) fn param(&self, key: &str) -> Option<&str> {
        self.params.iter().find(|(k, _)| k == key).map(|(_, v)| v.as_str())
    }
}

/// An element we are inside of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Inside {
    Net,
    Edge,
    Junction,
    Program,
    Other,
}

impl RawNet {
    pub(super) fn parse(text: &str) -> Result<Self, Fault> {
        let mut net = Self::default();
        let mut elements = Elements::of(text);
        let mut open: Vec<Inside> = Vec::new();
        loop {
            match elements.next()? {
                Token::Eof => break,
                Token::End => {
                    open.pop();
                }
                Token::Start { tag, attributes, empty } => {
                    let inside = match open.last() {
                        None if tag == "net" => Inside::Net,
                        None => return Err(Fault::xml(attributes.line, format!("<{tag}> is not a SUMO <net>"))),
                        Some(parent) => net.element(*parent, &tag, &attributes)?,
                    };
                    if !empty {
                        open.push(inside);
                    }
                }
            }
        }
        net.check_ids()?;
        Ok(net)
    }

    fn element(&mut self, parent: Inside, tag: &str, a: &Attributes) -> Result<Inside, Fault> {
        let unnamed = |element, id: &str| Place { line: a.line, element, id: id.into() };
        match (parent, tag) {
            (Inside::Net, "location") => {
                let at = unnamed("location", "");
                let mut offset = a.points(&at, "netOffset")?;
                let offset = offset.pop().unwrap_or_default();
                self.location =
                    Some(RawLocation { projection: a.get("projParameter").unwrap_or("!").to_owned(), offset });
                Ok(Inside::Other)
            }
            (Inside::Net, "edge") => {
                self.edges.push(edge(a)?);
                Ok(Inside::Edge)
            }
            (Inside::Net, "junction") => {
                self.junctions.push(junction(a)?);
                Ok(Inside::Junction)
            }
            (Inside::Net, "connection") => {
                self.connections.push(connection(a)?);
                Ok(Inside::Other)
            }
            (Inside::Net, "tlLogic") => {
                self.programs.push(program(a)?);
                Ok(Inside::Program)
            }
            (Inside::Edge, "lane") => {
                if let Some(edge) = self.edges.last_mut() {
                    edge.lanes.push(lane(a)?);
                }
                Ok(Inside::Other)
            }
            (Inside::Junction, "request") => {
                if let Some(j) = self.junctions.last_mut() {
                    let at = unnamed("request", &format!("{}[{}]", j.at.id, a.get("index").unwrap_or("?")));
                    j.requests.push(RawRequest {
                        index: a.index(&at, "index")?,
                        response: a.text(&at, "response")?,
                        foes: a.text(&at, "foes")?,
                        at,
                    });
                }
                Ok(Inside::Other)
            }
            (Inside::Program, "phase") => {
                if let Some(p) = self.programs.last_mut() {
                    let at = unnamed("phase", &format!("{}[{}]", p.at.id, p.phases.len()));
                    p.phases.push(phase(a, at)?);
                }
                Ok(Inside::Other)
            }
            (Inside::Program, "param") => {
                if let (Some(p), Some(k), Some(v)) = (self.programs.last_mut(), a.get("key"), a.get("value")) {
                    p.params.push((k.to_owned(), v.to_owned()));
                }
                Ok(Inside::Other)
            }
            (_, "edge" | "junction" | "connection" | "tlLogic") if parent != Inside::Other => {
                Err(unnamed("element", tag).fault(Flaw::Misplaced { parent: "net" }))
            }
            (_, "lane") => Err(a.place("lane")?.fault(Flaw::Misplaced { parent: "edge" })),
            (_, "request") => Err(unnamed("request", "").fault(Flaw::Misplaced { parent: "junction" })),
            (_, "phase") => Err(unnamed("phase", "").fault(Flaw::Misplaced { parent: "tlLogic" })),
            _ => Ok(Inside::Other),
        }
    }

    fn check_ids(&self) -> Result<(), Fault> {
        unique(self.edges.iter().map(|e| &e.at))?;
        unique(self.edges.iter().flat_map(|e| e.lanes.iter()).map(|l| &l.at))?;
        unique(self.junctions.iter().map(|j| &j.at))
    }
}

fn unique<'a>(places: impl Iterator<Item = &'a Place>) -> Result<(), Fault> {
    let mut seen: HashMap<&str, u32> = HashMap::new();
    for at in places {
        match seen.entry(&at.id) {
            Entry::Occupied(first) => return Err(at.fault(Flaw::Duplicate { first: *first.get() })),
            Entry::Vacant(free) => free.insert(at.line),
        };
    }
    Ok(())
}

fn words(text: Option<&str>) -> Vec<String> {
    text.unwrap_or("").split_whitespace().map(str::to_owned).collect()
}

fn edge(a: &Attributes) -> Result<RawEdge, Fault> {
    let at = a.place("edge")?;
    let kind = match a.get("function") {
        None | Some("normal" | "connector") => EdgeKind::Normal,
        Some("internal") => EdgeKind::Internal,
        Some("crossing") => EdgeKind::Crossing,
        Some("walkingarea") => EdgeKind::WalkingArea,
        Some(other) => return Err(at.fault(value("function", other, "a kind of edge"))),
    };
    let end = |name| if kind == EdgeKind::Normal { a.text(&at, name).map(Some) } else { Ok(None) };
    Ok(RawEdge {
        from: end("from")?,
        to: end("to")?,
        shape: a.points(&at, "shape")?,
        crossing_edges: words(a.get("crossingEdges")),
        lanes: Vec::new(),
        kind,
        at,
    })
}

fn lane(a: &Attributes) -> Result<RawLane, Fault> {
    let at = a.place("lane")?;
    let speed_mps = a.number(&at, "speed")?;
    if speed_mps < 0.0 {
        return Err(at.fault(value("speed", a.get("speed").unwrap_or(""), "a speed")));
    }
    let width_m = a.number_if(&at, "width")?;
    if width_m.is_some_and(|w| w <= 0.0) {
        return Err(at.fault(value("width", a.get("width").unwrap_or(""), "above zero")));
    }
    Ok(RawLane {
        index: a.index(&at, "index")?,
        speed_mps,
        length_m: a.positive(&at, "length")?,
        width_m,
        shape: a.points(&at, "shape")?,
        allow: a.get("allow").map(str::to_owned),
        disallow: a.get("disallow").map(str::to_owned),
        at,
    })
}

fn junction(a: &Attributes) -> Result<RawJunction, Fault> {
    let at = a.place("junction")?;
    Ok(RawJunction {
        kind: a.text(&at, "type")?,
        position: Point { x: a.number(&at, "x")?, y: a.number(&at, "y")? },
        incoming_lanes: words(a.get("incLanes")),
        requests: Vec::new(),
        at,
    })
}

fn connection(a: &Attributes) -> Result<RawConnection, Fault> {
    let (from, to) = (a.get("from"), a.get("to"));
    let lanes = (a.get("fromLane").unwrap_or("?"), a.get("toLane").unwrap_or("?"));
    let id = format!("{}_{} -> {}_{}", from.unwrap_or("?"), lanes.0, to.unwrap_or("?"), lanes.1);
    let at = Place { line: a.line, element: "connection", id };
    let signal = match a.get("tl") {
        None | Some("") => None,
        // SUMO writes -1 where a connection at a signalled junction obeys none of its signals.
        Some(_) if a.get("linkIndex") == Some("-1") => None,
        Some(tl) => Some(RawSignal {
            tl: tl.to_owned(),
            link_index: a.index(&at, "linkIndex")?,
            link_index_2: match a.get("linkIndex2") {
                Some("-1") => None,
                _ => a.index_if(&at, "linkIndex2")?,
            },
        }),
    };
    Ok(RawConnection {
        from: a.text(&at, "from")?,
        to: a.text(&at, "to")?,
        from_lane: a.index(&at, "fromLane")?,
        to_lane: a.index(&at, "toLane")?,
        via: a.get("via").map(str::to_owned),
        dir: a.get("dir").filter(|d| *d != "invalid").and_then(|d| d.chars().next()),
        signal,
        at,
    })
}

fn program(a: &Attributes) -> Result<RawProgram, Fault> {
    let at = a.place("tlLogic")?;
    let offset_ds = match a.get("offset") {
        // SUMO: the program starts when the simulation does, for which a street has no instant.
        Some("begin") => 0,
        _ => (a.number_if(&at, "offset")?.unwrap_or(0.0) * 10.0).round() as i64,
    };
    Ok(RawProgram {
        kind: a.get("type").unwrap_or("static").to_owned(),
        program_id: a.get("programID").unwrap_or("").to_owned(),
        offset_ds,
        phases: Vec::new(),
        params: Vec::new(),
        rings: None,
        at,
    })
}

fn phase(a: &Attributes, at: Place) -> Result<RawPhase, Fault> {
    let duration = a.duration_if(&at, "duration")?.ok_or_else(|| at.fault(Flaw::Missing { name: "duration" }))?;
    if duration == Ds::ZERO {
        return Err(at.fault(value("duration", a.get("duration").unwrap_or(""), "0.1 s or more")));
    }
    let state: Vec<char> = a.text(&at, "state")?.chars().collect();
    if state.is_empty() || state.iter().any(|c| !"rRyYgGsuUoO".contains(*c)) {
        return Err(at.fault(value("state", a.get("state").unwrap_or(""), "made of SUMO's signal letters")));
    }
    let next = match a.get("next").and_then(|n| n.split_whitespace().next()) {
        Some(n) => Some(n.parse().map_err(|_| at.fault(value("next", a.get("next").unwrap_or(""), "a phase number")))?),
        None => None,
    };
    Ok(RawPhase {
        name: a.get("name").map(str::to_owned),
        duration,
        min: a.duration_if(&at, "minDur")?,
        max: a.duration_if(&at, "maxDur")?,
        yellow: a.duration_if(&at, "yellow")?,
        red: a.duration_if(&at, "red")?,
        next,
        state,
        at,
    })
}
