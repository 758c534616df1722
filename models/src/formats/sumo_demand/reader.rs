//! Walks the elements of one file after the other and hands each to who understands it.

use std::collections::HashMap;

use super::detectors::Detectors;
use super::draw::Mix;
use super::error::SumoDemandError;
use super::places::{Places, Stay};
use super::types;
use super::vehicles::Draft;
use super::ways::Ways;
use super::{SumoDemand, SumoDemandOptions};
use crate::demand::{DemandParts, Flow, Trip, VehicleKind};
use crate::formats::sumo::xml::{Attributes, Elements, Token, value};
use crate::formats::sumo::{Fault, Flaw, Place};
use crate::formats::{FileKind, Notes, Source, kind};
use crate::ids::{KindId, RouteId};
use crate::network::Network;

/// A type by its name: what can be driven, or the class nobody drives here.
pub(super) type Types = HashMap<String, Result<Mix<KindId>, String>>;

/// A named route, or a distribution of routes.
#[derive(Debug, Clone)]
pub(super) struct NamedRoute {
    pub(super) mix: Mix<RouteId>,
    /// Stays that belong to the route.
    pub(super) stays: Vec<Stay>,
    /// Its weight where a distribution names it.
    probability: f64,
}

/// An element we are inside of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Inside {
    Root,
    Vehicle,
    Type,
    Types,
    Route,
    Routes,
    ParkingArea,
    /// People and goods, with everything in them.
    LeftOut,
    Other,
}

/// A distribution that is being read.
struct Open<T> {
    at: Place,
    options: Vec<(f64, T)>,
}

/// Everything read so far.
pub(super) struct Reader<'n> {
    pub(super) network: &'n Network,
    pub(super) options: SumoDemandOptions,
    pub(super) notes: Notes,
    pub(super) kinds: Vec<VehicleKind>,
    pub(super) types: Types,
    weights: HashMap<String, f64>,
    type_lines: HashMap<String, u32>,
    pub(super) ways: Ways<'n>,
    pub(super) routes: HashMap<String, NamedRoute>,
    route_lines: HashMap<String, u32>,
    pub(super) places: Places<'n>,
    detectors: Detectors<'n>,
    pub(super) trips: Vec<Trip>,
    pub(super) flows: Vec<Flow>,
    pub(super) vehicle_lines: HashMap<String, u32>,
    open_types: Option<Open<KindId>>,
    open_routes: Option<Open<RouteId>>,
    open_route: Option<(Place, NamedRoute)>,
    draft: Option<Draft>,
}

impl<'n> Reader<'n> {
    pub(super) fn new(network: &'n Network, options: SumoDemandOptions) -> Self {
        Self {
            network,
            options,
            notes: Notes::default(),
            kinds: Vec::new(),
            types: HashMap::new(),
            weights: HashMap::new(),
            type_lines: HashMap::new(),
            ways: Ways::on(network),
            routes: HashMap::new(),
            route_lines: HashMap::new(),
            places: Places::on(network),
            detectors: Detectors::on(network),
            trips: Vec::new(),
            flows: Vec::new(),
            vehicle_lines: HashMap::new(),
            open_types: None,
            open_routes: None,
            open_route: None,
            draft: None,
        }
    }

    /// Everything, once all files are read. `file` is blamed for what only shows when all is together.
    pub(super) fn finish(self, file: String) -> Result<SumoDemand, SumoDemandError> {
        let parts = DemandParts {
            kinds: self.kinds,
            routes: self.ways.routes,
            trips: self.trips,
            flows: self.flows,
            stops: self.places.stops,
            facilities: self.places.facilities,
            ..DemandParts::default()
        };
        let demand = parts.build(self.network).map_err(|source| SumoDemandError::Demand { file, source })?;
        Ok(SumoDemand { demand, detectors: self.detectors.found, notes: self.notes.into_inner() })
    }

    /// Reads one file.
    pub(super) fn file(&mut self, source: &Source) -> Result<(), SumoDemandError> {
        kind::expect(source, &FileKind::SumoDemand, "a SUMO route or additional file")?;
        self.elements(&source.text).map_err(|fault| SumoDemandError::of(fault, &source.name))
    }

    fn elements(&mut self, text: &str) -> Result<(), Fault> {
        let mut elements = Elements::of(text);
        let mut open: Vec<(Inside, Place)> = Vec::new();
        loop {
            match elements.next()? {
                Token::Eof => return Ok(()),
                Token::End => {
                    if let Some((inside, at)) = open.pop() {
                        self.end(inside, &at)?;
                    }
                }
                Token::Start { tag, attributes, empty } => {
                    let at = Place { line: attributes.line, element: "element", id: tag.clone() };
                    let inside = match open.last() {
                        None if matches!(tag.as_str(), "routes" | "additional" | "add" | "trips") => Inside::Root,
                        None => {
                            let reason = format!("<{tag}> is neither SUMO <routes> nor <additional>");
                            return Err(Fault::xml(attributes.line, reason));
                        }
                        Some((parent, _)) => self.start(*parent, &tag, attributes)?,
                    };
                    if empty {
                        self.end(inside, &at)?;
                    } else {
                        open.push((inside, at));
                    }
                }
            }
        }
    }

    fn start(&mut self, parent: Inside, tag: &str, a: Attributes) -> Result<Inside, Fault> {
        if parent == Inside::LeftOut {
            return Ok(Inside::LeftOut);
        }
        match (parent, tag) {
            (Inside::Root | Inside::Types, "vType") => self.vehicle_type(&a),
            (Inside::Root, "vTypeDistribution") => self.type_distribution(&a),
            (Inside::Root | Inside::Routes, "route") => self.route(&a),
            (Inside::Root, "routeDistribution") => self.route_distribution(&a),
            (Inside::Root, "vehicle" | "trip" | "flow") => {
                self.draft = Some(Draft::of(tag, a)?);
                Ok(Inside::Vehicle)
            }
            (Inside::Vehicle, "route") => self.embedded_route(&a),
            (Inside::Vehicle, "stop") => {
                if let Some(draft) = &mut self.draft {
                    draft.stays.extend(self.places.stay(&a, &draft.at, &mut self.notes)?);
                }
                Ok(Inside::Other)
            }
            (Inside::Route, "stop") => {
                if let Some((at, route)) = &mut self.open_route {
                    route.stays.extend(self.places.stay(&a, at, &mut self.notes)?);
                } else if let Some(draft) = &mut self.draft {
                    draft.stays.extend(self.places.stay(&a, &draft.at, &mut self.notes)?);
                }
                Ok(Inside::Other)
            }
            (Inside::Root, "busStop") => self.places.bus_stop(&a).map(|()| Inside::Other),
            (Inside::Root, "parkingArea") => {
                self.places.parking_area(&a, &mut self.notes)?;
                Ok(Inside::ParkingArea)
            }
            (Inside::ParkingArea, "space") => {
                self.places.space();
                Ok(Inside::Other)
            }
            (Inside::Root, "inductionLoop" | "instantInductionLoop" | "e1Detector") => {
                self.detectors.induction_loop(&a, "inductionLoop", &mut self.notes).map(|()| Inside::Other)
            }
            (Inside::Root, "laneAreaDetector" | "e2Detector") => {
                self.detectors.lane_area(&a, "laneAreaDetector", &mut self.notes).map(|()| Inside::Other)
            }
            (Inside::Root, "person" | "personFlow" | "container" | "containerFlow") => {
                self.notes.add("people and goods that travel by themselves left out", a.get("id").unwrap_or(tag));
                Ok(Inside::LeftOut)
            }
            (Inside::Root, "include") => {
                let at = Place { line: a.line, element: "include", id: a.get("href").unwrap_or("").to_owned() };
                Err(at.fault(Flaw::Unsupported { what: "a file that includes another".into() }))
            }
            (_, "vehicle" | "trip" | "flow" | "vType" | "vTypeDistribution" | "routeDistribution") => {
                let at = Place { line: a.line, element: "element", id: tag.to_owned() };
                Err(at.fault(Flaw::Misplaced { parent: "routes" }))
            }
            (_, "param") => Ok(Inside::Other),
            (Inside::Type, _) => {
                self.notes.add(&format!("element <{tag}> of a vehicle type left out"), a.get("id").unwrap_or(tag));
                Ok(Inside::Other)
            }
            (Inside::Root, _) => {
                self.notes.add(&format!("element <{tag}> left out"), a.get("id").unwrap_or(tag));
                Ok(Inside::LeftOut)
            }
            _ => Ok(Inside::Other),
        }
    }

    fn end(&mut self, inside: Inside, at: &Place) -> Result<(), Fault> {
        match inside {
            Inside::Vehicle => match self.draft.take() {
                Some(draft) => self.vehicle(draft),
                None => Ok(()),
            },
            Inside::Types => match self.open_types.take() {
                Some(open) => self.close_types(open),
                None => Ok(()),
            },
            Inside::Routes => match self.open_routes.take() {
                Some(open) => self.close_routes(open),
                None => Ok(()),
            },
            Inside::Route => match self.open_route.take() {
                Some((at, route)) => self.close_route(at, route),
                None => Ok(()),
            },
            Inside::ParkingArea => self.places.end_parking_area(at),
            _ => Ok(()),
        }
    }

    fn unique(lines: &mut HashMap<String, u32>, at: &Place) -> Result<(), Fault> {
        match lines.insert(at.id.clone(), at.line) {
            Some(first) => Err(at.fault(Flaw::Duplicate { first })),
            None => Ok(()),
        }
    }

    fn vehicle_type(&mut self, a: &Attributes) -> Result<Inside, Fault> {
        let read = types::read(a, &mut self.notes)?;
        Self::unique(&mut self.type_lines, &read.at)?;
        let name = read.at.id.clone();
        let kind = read.kind.map(|kind| {
            let id = KindId::at(self.kinds.len());
            self.kinds.push(kind);
            id
        });
        if let Some(open) = &mut self.open_types {
            let Ok(kind) = kind else {
                return Err(read
                    .at
                    .fault(Flaw::Unsupported { what: "a distribution with vehicles off the road".into() }));
            };
            open.options.push((read.probability, kind));
        }
        self.weights.insert(name.clone(), read.probability);
        self.types.insert(name, kind.map(Mix::one));
        Ok(Inside::Type)
    }

    fn type_distribution(&mut self, a: &Attributes) -> Result<Inside, Fault> {
        let at = a.place("vTypeDistribution")?;
        Self::unique(&mut self.type_lines, &at)?;
        let mut options = Vec::new();
        let names: Vec<&str> = a.get("vTypes").unwrap_or("").split_whitespace().collect();
        let given = probabilities(a, &at, names.len())?;
        for (i, name) in names.iter().enumerate() {
            if *name == at.id {
                return Err(at.fault(Flaw::Cyclic));
            }
            let mix = self.type_named(&at, "vTypes", name)?;
            let weight = given.as_ref().map_or_else(|| self.weights.get(*name).copied().unwrap_or(1.0), |g| g[i]);
            options.extend(mix.shares().map(|(share, kind)| (share * weight, kind)));
        }
        self.open_types = Some(Open { at, options });
        Ok(Inside::Types)
    }

    fn close_types(&mut self, open: Open<KindId>) -> Result<(), Fault> {
        let mix = Mix::of(open.options).ok_or_else(|| open.at.fault(Flaw::Childless { child: "vType" }))?;
        self.types.insert(open.at.id, Ok(mix));
        Ok(())
    }

    /// The type of this name; SUMO's own types need no definition.
    pub(super) fn type_named(&mut self, at: &Place, attribute: &'static str, name: &str) -> Result<Mix<KindId>, Fault> {
        match self.types.get(name) {
            Some(Ok(mix)) => return Ok(mix.clone()),
            Some(Err(class)) => {
                return Err(at.fault(Flaw::Unsupported { what: format!("a vehicle of the class '{class}'") }));
            }
            None => {}
        }
        let dangling = || at.fault(Flaw::Dangling { name: attribute, id: name.into(), target: "a vType before it" });
        let kind = types::default_type(name).ok_or_else(dangling)?;
        let mix = Mix::one(KindId::at(self.kinds.len()));
        self.kinds.push(kind);
        self.types.insert(name.to_owned(), Ok(mix.clone()));
        Ok(mix)
    }

    /// A route with a name, or an option of a distribution.
    fn route(&mut self, a: &Attributes) -> Result<Inside, Fault> {
        let unnamed = Place { line: a.line, element: "route", id: a.get("refId").unwrap_or("?").to_owned() };
        if let (Some(open), Some(name)) = (&mut self.open_routes, a.get("refId")) {
            if name == open.at.id {
                return Err(open.at.fault(Flaw::Cyclic));
            }
            let dangling = || Flaw::Dangling { name: "refId", id: name.into(), target: "a route before it" };
            let known = self.routes.get(name).ok_or_else(|| unnamed.fault(dangling()))?;
            let weight = a.number_if(&unnamed, "probability")?.unwrap_or(known.probability);
            open.options.extend(known.mix.shares().map(|(share, route)| (share * weight, route)));
            return Ok(Inside::Other);
        }
        let at = a.place("route")?;
        Self::unique(&mut self.route_lines, &at)?;
        let id = self.edges(a, &at, &at.id)?;
        let probability = a.number_if(&at, "probability")?.unwrap_or(1.0);
        if probability < 0.0 {
            return Err(at.fault(value("probability", a.get("probability").unwrap_or(""), "from 0")));
        }
        if let Some(open) = &mut self.open_routes {
            open.options.push((probability, id));
        }
        self.open_route = Some((at, NamedRoute { mix: Mix::one(id), stays: Vec::new(), probability }));
        Ok(Inside::Route)
    }

    fn close_route(&mut self, at: Place, route: NamedRoute) -> Result<(), Fault> {
        if self.open_routes.is_some() && !route.stays.is_empty() {
            return Err(at.fault(Flaw::Unsupported { what: "a distribution of routes with stops".into() }));
        }
        self.routes.insert(at.id, route);
        Ok(())
    }

    /// The links of a route, repeated as often as it says.
    fn edges(&mut self, a: &Attributes, at: &Place, name: &str) -> Result<RouteId, Fault> {
        let repeat = a.index_if(at, "repeat")?.unwrap_or(0);
        if repeat > 0 && a.get("cycleTime").is_some() {
            return Err(at.fault(Flaw::Unsupported { what: "a repeated route with a cycleTime".into() }));
        }
        let links = self.ways.links(at, "edges", &a.text(at, "edges")?)?;
        self.ways.route(at, name, links, repeat)
    }

    fn embedded_route(&mut self, a: &Attributes) -> Result<Inside, Fault> {
        let Some(draft) = &self.draft else { return Ok(Inside::Other) };
        let at = Place { line: a.line, element: "route", id: format!("!{}", draft.at.id) };
        if let Some(name) = a.get("refId") {
            return Err(at.fault(Flaw::Unsupported { what: format!("a reference to route '{name}'") }));
        }
        let id = self.edges(a, &at, &at.id)?;
        if let Some(draft) = &mut self.draft {
            draft.route = Some(id);
        }
        Ok(Inside::Route)
    }

    fn route_distribution(&mut self, a: &Attributes) -> Result<Inside, Fault> {
        let at = a.place("routeDistribution")?;
        Self::unique(&mut self.route_lines, &at)?;
        let names: Vec<&str> = a.get("routes").unwrap_or("").split_whitespace().collect();
        let given = probabilities(a, &at, names.len())?;
        let mut options = Vec::new();
        for (i, name) in names.iter().enumerate() {
            if *name == at.id {
                return Err(at.fault(Flaw::Cyclic));
            }
            let dangling = || Flaw::Dangling { name: "routes", id: (*name).into(), target: "a route before it" };
            let known = self.routes.get(*name).ok_or_else(|| at.fault(dangling()))?;
            if !known.stays.is_empty() {
                return Err(at.fault(Flaw::Unsupported { what: "a distribution of routes with stops".into() }));
            }
            let weight = given.as_ref().map_or(known.probability, |g| g[i]);
            options.extend(known.mix.shares().map(|(share, route)| (share * weight, route)));
        }
        self.open_routes = Some(Open { at, options });
        Ok(Inside::Routes)
    }

    fn close_routes(&mut self, open: Open<RouteId>) -> Result<(), Fault> {
        let mix = Mix::of(open.options).ok_or_else(|| open.at.fault(Flaw::Childless { child: "route" }))?;
        self.routes.insert(open.at.id, NamedRoute { mix, stays: Vec::new(), probability: 1.0 });
        Ok(())
    }
}

/// The attribute `probabilities`: one number from 0 for each name, where it is given.
fn probabilities(a: &Attributes, at: &Place, names: usize) -> Result<Option<Vec<f64>>, Fault> {
    let Some(text) = a.get("probabilities") else { return Ok(None) };
    let numbers: Option<Vec<f64>> = text
        .split_whitespace()
        .map(|n| n.parse().ok().filter(|v: &f64| v.is_finite() && *v >= 0.0 && *v <= 1e9))
        .collect();
    match numbers.filter(|n| n.len() == names) {
        Some(numbers) => Ok(Some(numbers)),
        None => Err(at.fault(value("probabilities", text, "one number from 0 for each name"))),
    }
}
