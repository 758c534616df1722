//! `flow.json` becomes kinds, routes and flows.

use std::collections::HashMap;

use super::error::{At, CityflowError, Flaw};
use super::raw::{self, Vehicle};
use super::routing::{Lengths, shortest};
use super::ways::TURN_SPEED_MPS;
use crate::demand::{
    Demand, DemandParts, DepartLane, DepartSpeed, Emission, Flow, Following, Route, SpeedFactor, Trip, VehicleClass,
    VehicleKind, Way,
};
use crate::formats::{Note, Notes, Source};
use crate::ids::{KindId, LinkId, RouteId};
use crate::network::Network;
use crate::units::{Metres, MetresPerSecond, MetresPerSecondSquared, TimeDs};

/// How long a flow without an end (`endTime` of -1) goes on: a day.
const ENDLESS_S: f64 = 86_400.0;
/// Latest instant that is taken: a year.
const TIME_MAX_S: f64 = 365.0 * 86_400.0;
/// People in a vehicle, which CityFlow does not count.
const PEOPLE: f64 = 1.3;

/// A demand read from a flow file.
#[derive(Debug, Clone)]
pub struct FlowImport {
    /// The demand, whole.
    pub demand: Demand,
    /// What was derived or left out.
    pub notes: Vec<Note>,
}

pub(super) fn read(source: &Source, network: &Network) -> Result<FlowImport, CityflowError> {
    let file = source.name.as_str();
    let lengths = Lengths::of(network);
    let mut notes = Notes::default();
    let mut parts = DemandParts::default();
    let mut kinds: Vec<Vehicle> = Vec::new();
    let mut routes: HashMap<Vec<LinkId>, RouteId> = HashMap::new();
    for (i, entry) in raw::flow(source)?.into_iter().enumerate() {
        let id = format!("#{i}");
        let at = At { file, element: "flow", id: &id };
        let kind = match kinds.iter().position(|k| *k == entry.vehicle) {
            Some(k) => KindId::at(k),
            None => {
                let k = KindId::at(kinds.len());
                parts.kinds.push(kind(&at, &format!("vehicle_{}", k.0), &entry.vehicle, &mut notes)?);
                kinds.push(entry.vehicle.clone());
                k
            }
        };
        let links = join(&at, network, &lengths, &entry.route)?;
        let route = match routes.get(&links) {
            Some(r) => *r,
            None => {
                let r = RouteId::at(parts.routes.len());
                parts.routes.push(Route { name: format!("route_{}", r.0), links: links.clone() });
                routes.insert(links, r);
                r
            }
        };
        let depart = instant(&at, "startTime", entry.start_time)?;
        let end = if entry.end_time == -1.0 {
            notes.add("flow without an end taken to go on for a day", format!("flow_{i}"));
            instant(&at, "endTime", entry.start_time + ENDLESS_S)?
        } else {
            instant(&at, "endTime", entry.end_time)?
        };
        if end < depart {
            let value = entry.end_time.to_string();
            return Err(at.fault(Flaw::Value { field: "endTime".into(), value, expected: "at or after startTime" }));
        }
        let period_s = at.number("interval", entry.interval, false)?;
        parts.flows.push(Flow {
            template: Trip {
                name: format!("flow_{i}"),
                kind,
                depart,
                way: Way::Along(route),
                depart_lane: DepartLane::Random,
                depart_speed: DepartSpeed::Zero,
                stays: Vec::new(),
                parking: None,
            },
            end,
            emission: Emission::Every { period_s },
        });
    }
    let demand = parts.build(network).map_err(|source| CityflowError::Demand { file: file.into(), source })?;
    Ok(FlowImport { demand, notes: notes.into_inner() })
}

fn instant(at: &At<'_>, field: &str, s: f64) -> Result<TimeDs, CityflowError> {
    if !(0.0..=TIME_MAX_S).contains(&s) {
        let expected = "a time in seconds, from 0 to a year";
        return Err(at.fault(Flaw::Value { field: field.into(), value: s.to_string(), expected }));
    }
    Ok(TimeDs((s * 10.0).round() as i64))
}

fn kind(at: &At<'_>, name: &str, v: &Vehicle, notes: &mut Notes) -> Result<VehicleKind, CityflowError> {
    let number = |field: &str, value: f64, zero_is_fine| at.number(&format!("vehicle.{field}"), value, zero_is_fine);
    let metres = |field, value, zero| number(field, value, zero).map(|v| Metres::new(v).unwrap_or_default());
    let rate = |field, value| number(field, value, false).map(|v| MetresPerSecondSquared::new(v).unwrap_or_default());
    if v.usual_neg_acc > v.max_neg_acc {
        let (field, value) = ("vehicle.usualNegAcc".to_owned(), v.usual_neg_acc.to_string());
        return Err(at.fault(Flaw::Value { field, value, expected: "at most vehicle.maxNegAcc" }));
    }
    if v.turn_speed.is_some_and(|s| (s - TURN_SPEED_MPS).abs() > 1e-3) {
        notes.add("turnSpeed of a vehicle not taken: turns are limited to 8.3333 m/s for everybody", at.id);
    }
    Ok(VehicleKind {
        name: name.into(),
        class: VehicleClass::Car,
        length: metres("length", v.length, false)?,
        min_gap: metres("minGap", v.min_gap, true)?,
        accel: rate("maxPosAcc", v.max_pos_acc)?,
        usual_accel: rate("usualPosAcc", v.usual_pos_acc)?,
        decel: rate("usualNegAcc", v.usual_neg_acc)?,
        emergency_decel: rate("maxNegAcc", v.max_neg_acc)?,
        speed_max: MetresPerSecond::new(number("maxSpeed", v.max_speed, false)?).unwrap_or_default(),
        speed_factor: SpeedFactor::ONE,
        headway_s: number("headwayTime", v.headway_time, true)?,
        imperfection: 0.0,
        following: Following::Krauss,
        people: PEOPLE,
    })
}

/// The whole way of a route, whose anchors need not be neighbours.
fn join(at: &At<'_>, network: &Network, lengths: &Lengths, anchors: &[String]) -> Result<Vec<LinkId>, CityflowError> {
    if anchors.is_empty() {
        return Err(at.fault(Flaw::TooFew { field: "route".into(), count: 0, min: 1 }));
    }
    let mut links: Vec<LinkId> = Vec::with_capacity(anchors.len());
    for (k, anchor) in anchors.iter().enumerate() {
        let dangling = || Flaw::Dangling { field: format!("route[{k}]"), target: "road", id: anchor.clone() };
        let link = network.link_named(anchor).ok_or_else(|| at.fault(dangling()))?;
        match links.last() {
            None => links.push(link),
            Some(&last) => {
                let name = |l: LinkId| network.link(l).name.clone();
                let way = shortest(network, lengths, last, link)
                    .ok_or_else(|| at.fault(Flaw::NoWay { from: name(last), to: name(link) }))?;
                links.extend(way);
            }
        }
    }
    Ok(links)
}
