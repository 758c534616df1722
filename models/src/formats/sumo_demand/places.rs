//! Places along lanes: bus stops, parking areas, and the stays of vehicles at them.

use std::collections::HashMap;

use super::time::instant_if;
use crate::demand::{BusStop, Facility};
use crate::formats::Notes;
use crate::formats::sumo::xml::{Attributes, value};
use crate::formats::sumo::{Fault, Flaw, Place};
use crate::ids::{FacilityId, LaneId, LinkId, StopId};
use crate::network::Network;
use crate::units::{Ds, Metres, TimeDs};

/// How far past the end of a lane a place may lie and still mean the end: maps round.
const SLACK_M: f64 = 0.1;

/// A stay as a vehicle's file tells it.
#[derive(Debug, Clone)]
pub(super) struct Stay {
    /// Where it is told.
    pub(super) at: Place,
    /// Where it is held.
    pub(super) place: Stand,
    /// The link that place is on.
    pub(super) link: LinkId,
    /// Metres along the link.
    pub(super) along_m: f64,
    /// Shortest time.
    pub(super) dwell: Option<Ds>,
    /// Not before this instant.
    pub(super) until: Option<TimeDs>,
    /// It belongs to a route: its instant counts from the departure of whoever drives there.
    pub(super) of_route: bool,
}

/// Where a vehicle stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stand {
    /// At a stop.
    Stop(StopId),
    /// In a parking facility.
    Facility(FacilityId),
}

/// Places so far.
pub(super) struct Places<'n> {
    network: &'n Network,
    pub(super) stops: Vec<BusStop>,
    pub(super) facilities: Vec<Facility>,
    stop_ids: HashMap<String, StopId>,
    facility_ids: HashMap<String, FacilityId>,
    lines: HashMap<String, u32>,
}

/// The lane of an attribute.
pub(super) fn lane(network: &Network, a: &Attributes, at: &Place) -> Result<LaneId, Fault> {
    let name = a.text(at, "lane")?;
    network.lane_named(&name).ok_or_else(|| at.fault(Flaw::Dangling { name: "lane", id: name, target: "a lane" }))
}

/// A position along a lane: from its start, or from its end when negative.
pub(super) fn position(
    a: &Attributes,
    at: &Place,
    name: &'static str,
    default_m: f64,
    length_m: f64,
) -> Result<f64, Fault> {
    let Some(v) = a.number_if(at, name)? else { return Ok(default_m) };
    let along_m = if v < 0.0 { v + length_m } else { v };
    if (-SLACK_M..=length_m + SLACK_M).contains(&along_m) || a.flag("friendlyPos") {
        return Ok(along_m.clamp(0.0, length_m));
    }
    let given = a.get(name).unwrap_or("");
    Err(at.fault(Flaw::Beyond { name, value: given.chars().take(20).collect(), length_m }))
}

impl<'n> Places<'n> {
    pub(super) fn on(network: &'n Network) -> Self {
        Self {
            network,
            stops: Vec::new(),
            facilities: Vec::new(),
            stop_ids: HashMap::new(),
            facility_ids: HashMap::new(),
            lines: HashMap::new(),
        }
    }

    fn unique(&mut self, at: &Place) -> Result<(), Fault> {
        match self.lines.insert(format!("{} {}", at.element, at.id), at.line) {
            Some(first) => Err(at.fault(Flaw::Duplicate { first })),
            None => Ok(()),
        }
    }

    /// A `busStop`.
    pub(super) fn bus_stop(&mut self, a: &Attributes) -> Result<(), Fault> {
        let at = a.place("busStop")?;
        self.unique(&at)?;
        let lane = lane(self.network, a, &at)?;
        let length_m = self.network.lane(lane).length.get();
        let start_m = position(a, &at, "startPos", 0.0, length_m)?;
        let end_m = position(a, &at, "endPos", length_m, length_m)?;
        if end_m <= start_m {
            return Err(at.fault(value("endPos", a.get("endPos").unwrap_or(""), "behind its startPos")));
        }
        let id = StopId::at(self.stops.len());
        self.stop_ids.insert(at.id.clone(), id);
        self.stops.push(BusStop { name: at.id, lane, at: Metres::new(end_m).unwrap_or_default(), bay: false });
        Ok(())
    }

    /// A `parkingArea`; its `space` children follow.
    pub(super) fn parking_area(&mut self, a: &Attributes, notes: &mut Notes) -> Result<(), Fault> {
        let at = a.place("parkingArea")?;
        self.unique(&at)?;
        let lane = lane(self.network, a, &at)?;
        let length_m = self.network.lane(lane).length.get();
        let start_m = position(a, &at, "startPos", 0.0, length_m)?;
        let end_m = position(a, &at, "endPos", length_m, length_m)?;
        if end_m <= start_m {
            return Err(at.fault(value("endPos", a.get("endPos").unwrap_or(""), "behind its startPos")));
        }
        if a.flag("onRoad") {
            notes.add("parking area on the road: its vehicles stand beside it", &at.id);
        }
        notes
            .add("parking area without a barrier: no time at the entrance, and no room to wait off the street", &at.id);
        let id = FacilityId::at(self.facilities.len());
        self.facility_ids.insert(at.id.clone(), id);
        self.facilities.push(Facility {
            entrance: lane,
            entrance_at: Metres::new(end_m).unwrap_or_default(),
            exit: self.network.lane(lane).link,
            capacity: a.index_if(&at, "roadsideCapacity")?.unwrap_or(0),
            occupied: 0,
            service: Ds::ZERO,
            mouth: 0,
            name: at.id,
        });
        Ok(())
    }

    /// A `space` of the parking area that was read last.
    pub(super) fn space(&mut self) {
        if let Some(f) = self.facilities.last_mut() {
            f.capacity = f.capacity.saturating_add(1);
        }
    }

    /// Refuses a parking area in which nobody can park.
    pub(super) fn end_parking_area(&self, at: &Place) -> Result<(), Fault> {
        match self.facilities.last() {
            Some(f) if f.capacity == 0 => {
                Err(at.fault(Flaw::Childless { child: "roadsideCapacity above zero, and no space" }))
            }
            _ => Ok(()),
        }
    }

    /// A `stop` of a vehicle or a route. `None` for one that is only passed.
    pub(super) fn stay(&mut self, a: &Attributes, owner: &Place, notes: &mut Notes) -> Result<Option<Stay>, Fault> {
        let at = Place { line: a.line, element: "stop", id: owner.id.clone() };
        for name in ["triggered", "containerTriggered", "expected", "join", "split", "tripId", "index", "containerStop"]
        {
            let harmless = matches!(a.get(name), None | Some("" | "false" | "0" | "end"));
            if !harmless {
                return Err(at.fault(Flaw::Unsupported { what: format!("a stop with {name}") }));
            }
        }
        if a.number_if(&at, "speed")?.is_some_and(|v| v > 0.0) {
            notes.add("stop that is only passed at some speed left out", &at.id);
            return Ok(None);
        }
        let dwell = a.duration_if(&at, "duration")?;
        let until = instant_if(a, &at, "until")?;
        let stay = |place, lane: LaneId, along_m, network: &Network| Stay {
            place,
            link: network.lane(lane).link,
            along_m,
            dwell,
            until,
            of_route: owner.element == "route",
            at: at.clone(),
        };
        if let Some(name) = a.get("parkingArea") {
            let dangling = || Flaw::Dangling { name: "parkingArea", id: name.into(), target: "a parkingArea" };
            let id = *self.facility_ids.get(name).ok_or_else(|| at.fault(dangling()))?;
            let f = &self.facilities[id.index()];
            return Ok(Some(stay(Stand::Facility(id), f.entrance, f.entrance_at.get(), self.network)));
        }
        if dwell.is_none() && until.is_none() {
            return Err(at.fault(Flaw::Missing { name: "duration' or 'until" }));
        }
        let bay = a.flag("parking");
        let id = if let Some(name) = a.get("busStop") {
            let dangling = || Flaw::Dangling { name: "busStop", id: name.into(), target: "a busStop" };
            let id = *self.stop_ids.get(name).ok_or_else(|| at.fault(dangling()))?;
            let s = &self.stops[id.index()];
            if bay { self.stand(s.lane, s.at.get(), true) } else { id }
        } else {
            let lane = match a.get("edge") {
                Some(edge) => self.kerb(&at, edge)?,
                None => lane(self.network, a, &at)?,
            };
            let length_m = self.network.lane(lane).length.get();
            let end_m = position(a, &at, "endPos", length_m, length_m)?;
            self.stand(lane, end_m, bay)
        };
        let s = &self.stops[id.index()];
        Ok(Some(stay(Stand::Stop(id), s.lane, s.at.get(), self.network)))
    }

    /// The rightmost motor lane of an edge.
    fn kerb(&self, at: &Place, edge: &str) -> Result<LaneId, Fault> {
        let dangling = || at.fault(Flaw::Dangling { name: "edge", id: edge.into(), target: "an edge" });
        let link = self.network.link_named(edge).ok_or_else(dangling)?;
        let lanes = &self.network.link(link).lanes;
        Ok(lanes.iter().copied().find(|l| self.network.lane(*l).admits.motor()).unwrap_or(lanes[0]))
    }

    /// A stop nobody named, once for each place.
    fn stand(&mut self, lane: LaneId, along_m: f64, bay: bool) -> StopId {
        let beside = if bay { " beside the lane" } else { "" };
        let name = format!("{} at {along_m:.1} m{beside}", self.network.lane(lane).name);
        let next = StopId::at(self.stops.len());
        let id = *self.stop_ids.entry(name.clone()).or_insert(next);
        if id == next {
            self.stops.push(BusStop { name, lane, at: Metres::new(along_m).unwrap_or_default(), bay });
        }
        id
    }
}
