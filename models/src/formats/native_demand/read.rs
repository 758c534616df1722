//! Reading the native demand format.

use std::collections::HashMap;
use std::path::Path;

use super::FORMAT;
use super::raw::{RawFacility, RawFlow, RawPeople, RawRoute, RawStop, RawTrip, RawTurning, RawWay};
use crate::demand::{
    BusStop, Demand, DemandError, DemandParts, Facility, Flow, Parking, PeopleFlow, Route, Stay, Trip, TurningShare,
    VehicleKind, Way,
};
use crate::formats::records::{self, NAME, RecordError, TEMPLATE_NAME, Which, Wrong, after, line_of, parse};
use crate::formats::{Source, SourceError};
use crate::ids::{CrossingId, FacilityId, KindId, LaneId, LinkId, RouteId, StopId};
use crate::network::Network;

/// Why a file is not a native demand. Nothing partial is ever returned beside it.
#[derive(Debug, thiserror::Error)]
pub enum NativeDemandError {
    /// The file cannot be read as text.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The text is not made of records of the format.
    #[error(transparent)]
    Records(#[from] RecordError),
    /// The records do not make a demand.
    #[error("{file}{}: {reason}", after(":", *line))]
    Demand {
        /// The offending file.
        file: String,
        /// Line of the offending record.
        line: Option<usize>,
        /// What does not fit.
        reason: DemandError,
    },
}

/// Reads a native demand from a file, for a network.
///
/// # Errors
/// [`NativeDemandError`] naming file, line and reason; no partial demand is returned.
pub fn read(network: &Network, path: &Path) -> Result<Demand, NativeDemandError> {
    read_source(network, &Source::open(path)?)
}

/// Reads a native demand from text, for a network.
///
/// # Errors
/// As [`read`].
pub fn read_source(network: &Network, source: &Source) -> Result<Demand, NativeDemandError> {
    let mut tables = Tables::on(network);
    records::read(source, FORMAT, |kind, json| tables.take(kind, json))?;
    tables.parts.build(network).map_err(|reason| NativeDemandError::Demand {
        file: source.name.clone(),
        line: line(source, &reason),
        reason,
    })
}

/// Line of the record that an error is about.
fn line(source: &Source, error: &DemandError) -> Option<usize> {
    let (kind, name) = match error {
        DemandError::Duplicate { kind, name }
        | DemandError::Dangling { kind, name, .. }
        | DemandError::Inconsistent { kind, name, .. } => (*kind, name.as_str()),
        DemandError::Gap { route, .. } => ("route", route.as_str()),
    };
    let (word, pointer) = match kind {
        "vehicle kind" => ("kind", NAME),
        "vehicle" => ("trip", NAME),
        "flow" => ("flow", TEMPLATE_NAME),
        "bus stop" => ("stop", NAME),
        "parking facility" => ("facility", NAME),
        "turning share" => return line_of(source, "turning", Which::numbered(name)),
        "turning shares of link" => ("turning", "/from"),
        "people" => return line_of(source, "people", Which::numbered(name)),
        other => (other, NAME),
    };
    let twice = matches!(error, DemandError::Duplicate { .. });
    line_of(source, word, if twice { Which::Second(pointer, name) } else { Which::First(pointer, name) })
}

/// Line of the text on which a vehicle of this name stands, or a flow of vehicles.
#[must_use]
pub fn line_of_vehicle(source: &Source, name: &str) -> Option<usize> {
    let trip = line_of(source, "trip", Which::First(NAME, name));
    trip.or_else(|| line_of(source, "flow", Which::First(TEMPLATE_NAME, name)))
}

/// Tables so far, and the names of what stands in them.
struct Tables<'n> {
    network: &'n Network,
    crossings: HashMap<&'n str, CrossingId>,
    parts: DemandParts,
    kinds: HashMap<String, KindId>,
    routes: HashMap<String, RouteId>,
    stops: HashMap<String, StopId>,
    facilities: HashMap<String, FacilityId>,
}

/// What a name stands for, or a message that it stands for nothing.
fn known<T: Copy>(what: &str, name: &str, found: Option<T>) -> Result<T, String> {
    found.ok_or_else(|| format!("there is no {what} '{name}'"))
}

impl<'n> Tables<'n> {
    fn on(network: &'n Network) -> Self {
        let crossings = network.crossings().iter().enumerate();
        Self {
            network,
            crossings: crossings.map(|(i, c)| (c.name.as_str(), CrossingId::at(i))).collect(),
            parts: DemandParts::default(),
            kinds: HashMap::new(),
            routes: HashMap::new(),
            stops: HashMap::new(),
            facilities: HashMap::new(),
        }
    }

    /// Takes one record; `false` when there is no such kind.
    fn take(&mut self, kind: &str, json: &str) -> Result<bool, Wrong> {
        match kind {
            "kind" => {
                let kind: VehicleKind = parse(json)?;
                self.kinds.insert(kind.name.clone(), KindId::at(self.parts.kinds.len()));
                self.parts.kinds.push(kind);
            }
            "route" => {
                let raw: RawRoute = parse(json)?;
                let links = self.links(&raw.links)?;
                self.routes.insert(raw.name.clone(), RouteId::at(self.parts.routes.len()));
                self.parts.routes.push(Route { name: raw.name, links });
            }
            "stop" => {
                let raw: RawStop = parse(json)?;
                let lane = self.lane(&raw.lane)?;
                self.stops.insert(raw.name.clone(), StopId::at(self.parts.stops.len()));
                self.parts.stops.push(BusStop { name: raw.name, lane, at: raw.at, bay: raw.bay });
            }
            "facility" => self.facility(parse(json)?)?,
            "trip" => {
                let trip = self.trip(parse(json)?)?;
                self.parts.trips.push(trip);
            }
            "flow" => {
                let raw: RawFlow = parse(json)?;
                let template = self.trip(raw.template)?;
                self.parts.flows.push(Flow { template, end: raw.end, emission: raw.emission });
            }
            "turning" => {
                let raw: RawTurning = parse(json)?;
                let (from, to) = (self.link(&raw.from)?, self.link(&raw.to)?);
                self.parts.turning.push(TurningShare { from, to, share: raw.share });
            }
            "people" => {
                let raw: RawPeople = parse(json)?;
                let found = self.crossings.get(raw.crossing.as_str()).copied();
                let crossing = known("crossing", &raw.crossing, found)?;
                let RawPeople { people_per_h, begin, end, .. } = raw;
                self.parts.people.push(PeopleFlow { crossing, people_per_h, begin, end });
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn link(&self, name: &str) -> Result<LinkId, String> {
        known("link", name, self.network.link_named(name))
    }

    fn links(&self, names: &[String]) -> Result<Vec<LinkId>, String> {
        names.iter().map(|name| self.link(name)).collect()
    }

    fn lane(&self, name: &str) -> Result<LaneId, String> {
        known("lane", name, self.network.lane_named(name))
    }

    fn facility(&mut self, raw: RawFacility) -> Result<(), String> {
        let facility = Facility {
            entrance: self.lane(&raw.entrance)?,
            entrance_at: raw.entrance_at,
            exit: self.link(&raw.exit)?,
            capacity: raw.capacity,
            occupied: raw.occupied,
            service: raw.service,
            mouth: raw.mouth,
            name: raw.name,
        };
        self.facilities.insert(facility.name.clone(), FacilityId::at(self.parts.facilities.len()));
        self.parts.facilities.push(facility);
        Ok(())
    }

    fn trip(&self, raw: RawTrip) -> Result<Trip, String> {
        let way = match raw.way {
            RawWay::Along(route) => Way::Along(known("route", &route, self.routes.get(&route).copied())?),
            RawWay::Between { from, to, via } => {
                Way::Between { from: self.link(&from)?, to: self.link(&to)?, via: self.links(&via)? }
            }
            RawWay::Turning { from } => Way::Turning { from: self.link(&from)? },
        };
        let stay = |s: super::raw::RawStay| {
            let stop = known("bus stop", &s.stop, self.stops.get(&s.stop).copied())?;
            Ok(Stay { stop, dwell: s.dwell, until: s.until })
        };
        let parking = |p: super::raw::RawParking| {
            let facility = known("parking facility", &p.facility, self.facilities.get(&p.facility).copied())?;
            Ok::<_, String>(Parking { facility, stay: p.stay })
        };
        Ok(Trip {
            kind: known("vehicle kind", &raw.kind, self.kinds.get(&raw.kind).copied())?,
            depart: raw.depart,
            way,
            depart_lane: raw.depart_lane,
            depart_speed: raw.depart_speed,
            stays: raw.stays.into_iter().map(stay).collect::<Result<_, String>>()?,
            parking: raw.parking.map(parking).transpose()?,
            name: raw.name,
        })
    }
}
