//! Vehicles and trips: who goes where, how it enters, and where it stops on the way.

use super::draw::Mix;
use super::places::{Stand, Stay};
use super::reader::Reader;
use super::time::instant_if;
use crate::demand::{self, DepartLane, DepartSpeed, Parking, Trip, Way};
use crate::formats::Notes;
use crate::formats::sumo::xml::{Attributes, value};
use crate::formats::sumo::{Fault, FaultKind, Flaw, Place};
use crate::ids::{KindId, LinkId, RouteId};
use crate::units::{Ds, TimeDs};

/// Attributes that mean nothing to a vehicle's movement here.
const SILENT: [&str; 13] = [
    "id",
    "type",
    "route",
    "depart",
    "from",
    "to",
    "via",
    "color",
    "line",
    "personNumber",
    "departPosLat",
    "arrivalPosLat",
    "insertionChecks",
];
/// Attributes of flows.
const OF_FLOWS: [&str; 7] = ["begin", "end", "period", "vehsPerHour", "perHour", "probability", "number"];

/// A vehicle, trip or flow that is being read.
pub(super) struct Draft {
    pub(super) at: Place,
    pub(super) a: Attributes,
    /// A route of its own.
    pub(super) route: Option<RouteId>,
    pub(super) stays: Vec<Stay>,
}

/// Where a vehicle goes, before its kind is known.
#[derive(Clone)]
pub(super) enum Course {
    Along(Mix<RouteId>),
    Between(Vec<LinkId>),
}

impl Draft {
    pub(super) fn of(tag: &str, a: Attributes) -> Result<Self, Fault> {
        let element = match tag {
            "vehicle" => "vehicle",
            "trip" => "trip",
            _ => "flow",
        };
        Ok(Self { at: a.place(element)?, a, route: None, stays: Vec::new() })
    }
}

impl Reader<'_> {
    /// Takes a vehicle, trip or flow that has been read as a whole.
    pub(super) fn vehicle(&mut self, mut draft: Draft) -> Result<(), Fault> {
        if let Some(first) = self.vehicle_lines.insert(draft.at.id.clone(), draft.at.line) {
            return Err(draft.at.fault(Flaw::Duplicate { first }));
        }
        let kinds = self.type_named(&draft.at, "type", draft.a.get("type").unwrap_or("DEFAULT_VEHTYPE"))?;
        let course = self.course(&mut draft)?;
        if let Err(fault) = self.check_course(&draft, &kinds, &course) {
            if self.options.ignore_route_errors && is_no_way(&fault) {
                self.notes.add("vehicle that no way leads for left out, as the configuration wants it", &draft.at.id);
                return Ok(());
            }
            return Err(fault);
        }
        note_left_out(&draft, &mut self.notes);
        let depart_lane = self.depart_lane(&draft, &course)?;
        let depart_speed = depart_speed(&draft, &mut self.notes)?;
        let template = Trip {
            name: draft.at.id.clone(),
            kind: KindId::at(0),
            depart: TimeDs(0),
            way: Way::Along(RouteId::at(0)),
            depart_lane,
            depart_speed,
            stays: Vec::new(),
            parking: None,
        };
        if draft.at.element == "flow" {
            return self.flow(&draft, template, &kinds, &course);
        }
        let depart = match draft.a.get("depart") {
            Some(word @ ("triggered" | "containerTriggered" | "split" | "now" | "begin")) => {
                let what = format!("the departure '{word}'");
                return Err(draft.at.fault(Flaw::Unsupported { what }));
            }
            _ => instant_if(&draft.a, &draft.at, "depart")?,
        };
        let depart = depart.ok_or_else(|| draft.at.fault(Flaw::Missing { name: "depart" }))?;
        let trip = self.trip(&draft, Trip { depart, ..template }, &kinds, &course, depart)?;
        self.trips.push(trip);
        Ok(())
    }

    /// The trip of this template: what its name draws from its distributions, and its stops. `begin` is when the first
    /// vehicle of its flow comes: the timetable of every later one is shifted by as much.
    pub(super) fn trip(
        &self,
        draft: &Draft,
        template: Trip,
        kinds: &Mix<KindId>,
        course: &Course,
        begin: TimeDs,
    ) -> Result<Trip, Fault> {
        let way = match course {
            Course::Along(routes) => Way::Along(routes.draw("route", &template.name)),
            Course::Between(stations) => between(stations),
        };
        let (stays, parking) = self.stays(draft, template.depart, begin)?;
        Ok(Trip { kind: kinds.draw("kind", &template.name), way, stays, parking, ..template })
    }

    fn course(&mut self, draft: &mut Draft) -> Result<Course, Fault> {
        let (a, at) = (&draft.a, &draft.at);
        for name in
            ["fromTaz", "toTaz", "fromJunction", "toJunction", "viaJunctions", "fromLonLat", "toLonLat", "fromXY"]
        {
            if a.get(name).is_some() {
                return Err(at.fault(Flaw::Unsupported { what: format!("the attribute '{name}'") }));
            }
        }
        for name in ["departEdge", "arrivalEdge"] {
            if a.get(name).is_some_and(|v| v != "0" || name == "arrivalEdge") {
                return Err(at.fault(Flaw::Unsupported { what: format!("the attribute '{name}'") }));
            }
        }
        if let Some(id) = draft.route {
            if a.get("route").is_some() {
                return Err(at.fault(Flaw::Both { one: "route", other: "<route>" }));
            }
            return Ok(Course::Along(Mix::one(id)));
        }
        if let Some(name) = a.get("route") {
            let dangling = || Flaw::Dangling { name: "route", id: name.into(), target: "a route before it" };
            let route = self.routes.get(name).ok_or_else(|| at.fault(dangling()))?;
            let mut stays = route.stays.clone();
            stays.append(&mut draft.stays);
            let mix = route.mix.clone();
            draft.stays = stays;
            return Ok(Course::Along(mix));
        }
        if at.element == "vehicle" {
            return Err(at.fault(Flaw::Missing { name: "route" }));
        }
        let stop = |s: Option<&Stay>, name| s.map(|s| s.link).ok_or_else(|| at.fault(Flaw::Missing { name }));
        let from = match a.get("from") {
            Some(name) => self.ways.link(at, "from", name)?,
            None => stop(draft.stays.first(), "from")?,
        };
        let to = match a.get("to") {
            Some(name) => self.ways.link(at, "to", name)?,
            None => stop(draft.stays.last(), "to")?,
        };
        let via = self.ways.links(at, "via", a.get("via").unwrap_or(""))?;
        let told = !via.is_empty();
        let mut stations = vec![from];
        // Without a `via` a trip leads over its stops.
        let stops = draft.stays.iter().map(|s| s.link).filter(|_| !told);
        for link in via.into_iter().chain(stops) {
            if stations.last() != Some(&link) {
                stations.push(link);
            }
        }
        if stations.len() == 1 || stations.last() != Some(&to) {
            stations.push(to);
        }
        Ok(Course::Between(stations))
    }

    fn check_course(&mut self, draft: &Draft, kinds: &Mix<KindId>, course: &Course) -> Result<(), Fault> {
        let mut classes: Vec<_> = kinds.shares().map(|(_, k)| self.kinds[k.index()].class).collect();
        classes.sort_unstable();
        classes.dedup();
        for class in classes {
            match course {
                Course::Along(routes) => {
                    for (_, route) in routes.shares() {
                        self.ways.check_along(&draft.at, route, class)?;
                    }
                }
                Course::Between(stations) => self.ways.check_between(&draft.at, stations, class)?,
            }
        }
        match course {
            Course::Along(routes) => {
                for (_, route) in routes.shares() {
                    let links = self.ways.routes[route.index()].links.clone();
                    in_order(draft, &links, &|l| self.network.link(l).name.clone())?;
                }
                Ok(())
            }
            Course::Between(stations) => in_order(draft, stations, &|l| self.network.link(l).name.clone()),
        }
    }

    fn depart_lane(&mut self, draft: &Draft, course: &Course) -> Result<DepartLane, Fault> {
        // SUMO 1.28's default is `best_prob`.
        let Some(text) = draft.a.get("departLane") else { return Ok(DepartLane::BestProb) };
        Ok(match text {
            "first" => DepartLane::First,
            "best" => DepartLane::Best,
            "best_prob" => DepartLane::BestProb,
            "free" | "allowed" => DepartLane::Free,
            "random" => DepartLane::Random,
            _ => {
                let index = draft.a.index_if(&draft.at, "departLane")?.unwrap_or(0);
                let first = match course {
                    Course::Along(routes) => routes.shares().map(|(_, r)| self.ways.routes[r.index()].links[0]).next(),
                    Course::Between(stations) => stations.first().copied(),
                };
                let lanes = first.map_or(0, |l| self.network.link(l).lanes.len());
                if index as usize >= lanes {
                    let expected = "a lane of the edge it enters";
                    return Err(draft.at.fault(value("departLane", text, expected)));
                }
                DepartLane::Index(index)
            }
        })
    }

    /// Stays at bus stops, and at most one at a parking facility.
    fn stays(
        &self,
        draft: &Draft,
        depart: TimeDs,
        begin: TimeDs,
    ) -> Result<(Vec<demand::Stay>, Option<Parking>), Fault> {
        let (mut stays, mut parking) = (Vec::new(), None);
        for s in &draft.stays {
            let shift_ds = if s.of_route { depart.0 } else { depart.since(begin) };
            let until = s.until.map(|u| TimeDs(u.0 + shift_ds));
            match s.place {
                Stand::Stop(stop) => {
                    stays.push(demand::Stay { stop, dwell: s.dwell.unwrap_or(Ds::ZERO), until });
                }
                Stand::Facility(facility) => {
                    if parking.is_some() {
                        let what = "parking more than once".into();
                        return Err(s.at.fault(Flaw::Unsupported { what }));
                    }
                    // A parked vehicle leaves after its stay, or when its timetable says so, whichever is later.
                    let until = until.map(|u| Ds(u32::try_from(u.since(depart).max(0)).unwrap_or(u32::MAX)));
                    parking = Some(Parking { facility, stay: s.dwell.max(until) });
                }
            }
        }
        Ok((stays, parking))
    }
}

/// The way over these stations, of which there are at least two.
fn between(stations: &[LinkId]) -> Way {
    let (from, to) = (stations[0], stations[stations.len() - 1]);
    let via = stations.get(1..stations.len() - 1).unwrap_or(&[]).to_vec();
    Way::Between { from, to, via }
}

/// True for a fault that only says that a vehicle cannot get where it wants.
fn is_no_way(fault: &Fault) -> bool {
    match &fault.kind {
        FaultKind::Element { flaw, .. } => matches!(**flaw, Flaw::NoWay { .. } | Flaw::Shut { .. }),
        FaultKind::Xml(_) => false,
    }
}

/// Refuses a stop that the links do not pass after the stop before it.
fn in_order(draft: &Draft, links: &[LinkId], name: &dyn Fn(LinkId) -> String) -> Result<(), Fault> {
    let (mut i, mut passed_m) = (0, f64::NEG_INFINITY);
    for s in &draft.stays {
        let off = || draft.at.fault(Flaw::OffWay { edge: name(s.link), line: s.at.line });
        if links.get(i) == Some(&s.link) && s.along_m >= passed_m {
            passed_m = s.along_m;
            continue;
        }
        // A loop may come back to the link of the stop before.
        i = (i + 1..links.len()).find(|k| links[*k] == s.link).ok_or_else(off)?;
        passed_m = s.along_m;
    }
    Ok(())
}

fn depart_speed(draft: &Draft, notes: &mut Notes) -> Result<DepartSpeed, Fault> {
    // SUMO 1.28's default is `avg`.
    let Some(text) = draft.a.get("departSpeed") else { return Ok(DepartSpeed::Average) };
    Ok(match text {
        "max" => DepartSpeed::Max,
        "avg" => DepartSpeed::Average,
        "desired" | "speedLimit" | "random" | "last" => {
            notes.add(&format!("departSpeed '{text}' taken as 'max'"), &draft.at.id);
            DepartSpeed::Max
        }
        _ => match draft.a.number_if(&draft.at, "departSpeed")? {
            Some(v) if v < 0.0 => return Err(draft.at.fault(value("departSpeed", text, "a speed from 0"))),
            Some(v) if v > 0.0 => DepartSpeed::Fixed(v),
            _ => DepartSpeed::Zero,
        },
    })
}

fn note_left_out(draft: &Draft, notes: &mut Notes) {
    let default = [
        ("departPos", "base"),
        ("arrivalPos", "max"),
        ("arrivalLane", "current"),
        ("arrivalSpeed", "current"),
        ("reroute", "false"),
        ("containerNumber", "0"),
        ("departEdge", "0"),
    ];
    let used = ["departLane", "departSpeed"];
    for (name, given) in draft.a.iter() {
        if SILENT.contains(&name) || used.contains(&name) || default.contains(&(name, given)) {
            continue;
        }
        match (name, draft.at.element) {
            (_, "flow") if OF_FLOWS.contains(&name) => {}
            ("departPos", _) => notes.add("departPos other than 'base': vehicles enter at the start", &draft.at.id),
            ("arrivalPos", _) => notes.add("arrivalPos other than 'max': vehicles leave at the end", &draft.at.id),
            _ => notes.add(&format!("attribute '{name}' of a vehicle left out"), &draft.at.id),
        }
    }
}
