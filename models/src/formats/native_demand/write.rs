//! Writing the native demand format: the same demand always gives the same bytes.

use std::io::{self, Write};
use std::path::Path;

use super::FORMAT;
use super::raw::{
    RawFacility, RawFlow, RawParking, RawPeople, RawRoute, RawStay, RawStop, RawTrip, RawTurning, RawWay,
};
use crate::demand::{Demand, Trip, Way};
use crate::formats::records::{self, Lines};
use crate::ids::LinkId;
use crate::network::Network;

/// Writes a demand on its network.
///
/// # Errors
/// Whatever the sink says.
pub fn write(network: &Network, demand: &Demand, sink: impl Write) -> io::Result<()> {
    let names = Names { network, demand };
    let parts = demand.parts();
    let mut out = Lines::begin(sink, FORMAT)?;
    out.table("kind", &parts.kinds)?;
    for r in &parts.routes {
        out.record("route", &RawRoute { name: r.name.clone(), links: names.links(&r.links) })?;
    }
    for s in &parts.stops {
        let lane = network.lane(s.lane).name.clone();
        out.record("stop", &RawStop { name: s.name.clone(), lane, at: s.at, bay: s.bay })?;
    }
    for f in &parts.facilities {
        let raw = RawFacility {
            name: f.name.clone(),
            entrance: network.lane(f.entrance).name.clone(),
            entrance_at: f.entrance_at,
            exit: names.link(f.exit),
            capacity: f.capacity,
            occupied: f.occupied,
            service: f.service,
            mouth: f.mouth,
        };
        out.record("facility", &raw)?;
    }
    for t in &parts.trips {
        out.record("trip", &names.trip(t))?;
    }
    for f in &parts.flows {
        let raw = RawFlow { template: names.trip(&f.template), end: f.end, emission: f.emission };
        out.record("flow", &raw)?;
    }
    for t in &parts.turning {
        out.record("turning", &RawTurning { from: names.link(t.from), to: names.link(t.to), share: t.share })?;
    }
    for p in &parts.people {
        let crossing = network.crossing(p.crossing).name.clone();
        out.record("people", &RawPeople { crossing, people_per_h: p.people_per_h, begin: p.begin, end: p.end })?;
    }
    out.end()
}

/// Writes a demand to a file, compressed when its name ends in `.gz`.
///
/// # Errors
/// Whatever the operating system says.
pub fn write_file(network: &Network, demand: &Demand, path: &Path) -> io::Result<()> {
    records::to_file(path, |sink| write(network, demand, sink))
}

struct Names<'a> {
    network: &'a Network,
    demand: &'a Demand,
}

impl Names<'_> {
    fn link(&self, id: LinkId) -> String {
        self.network.link(id).name.clone()
    }

    fn links(&self, ids: &[LinkId]) -> Vec<String> {
        ids.iter().map(|l| self.link(*l)).collect()
    }

    fn trip(&self, t: &Trip) -> RawTrip {
        let stay = |s: &crate::demand::Stay| RawStay {
            stop: self.demand.stop(s.stop).name.clone(),
            dwell: s.dwell,
            until: s.until,
        };
        RawTrip {
            name: t.name.clone(),
            kind: self.demand.kind(t.kind).name.clone(),
            depart: t.depart,
            way: match &t.way {
                Way::Along(route) => RawWay::Along(self.demand.route(*route).name.clone()),
                Way::Between { from, to, via } => {
                    RawWay::Between { from: self.link(*from), to: self.link(*to), via: self.links(via) }
                }
                Way::Turning { from } => RawWay::Turning { from: self.link(*from) },
            },
            depart_lane: t.depart_lane,
            depart_speed: t.depart_speed,
            stays: t.stays.iter().map(stay).collect(),
            parking: t
                .parking
                .map(|p| RawParking { facility: self.demand.facility(p.facility).name.clone(), stay: p.stay }),
        }
    }
}
