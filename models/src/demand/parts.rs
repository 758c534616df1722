//! The tables a demand is made of, and the one place where they are checked.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

use super::{BusStop, Emission, Facility, Flow, PeopleFlow, Route, Trip, TurningShare, VehicleKind, Way};
use crate::ids::{FacilityId, KindId, LinkId, RouteId, StopId};
use crate::network::Network;
use crate::units::TimeDs;

/// Unchecked tables: what a reader fills. Ids are positions in these tables, or in those of the network.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct DemandParts {
    /// Kinds of vehicles.
    pub kinds: Vec<VehicleKind>,
    /// Routes.
    pub routes: Vec<Route>,
    /// Single vehicles, in any order.
    pub trips: Vec<Trip>,
    /// Flows.
    pub flows: Vec<Flow>,
    /// Turning shares.
    pub turning: Vec<TurningShare>,
    /// People who cross streets.
    pub people: Vec<PeopleFlow>,
    /// Bus stops.
    pub stops: Vec<BusStop>,
    /// Parking facilities.
    pub facilities: Vec<Facility>,
}

/// Most vehicles a flow may send, and shortest time between two of them: what is above is a slip of the pen that would keep
/// a street busy for ever.
const FLOW_VEHICLES_MAX: f64 = 50_000_000.0;
const FLOW_PERIOD_S_MIN: f64 = 1e-3;
/// More people than the widest crossing takes.
const PEOPLE_PER_H_MAX: f64 = 100_000.0;

/// Why tables do not make a demand.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DemandError {
    /// Two things of one kind share a name.
    #[error("{kind} '{name}' is defined twice")]
    Duplicate {
        /// What kind of thing.
        kind: &'static str,
        /// The shared name.
        name: String,
    },
    /// A reference points past the end of its table.
    #[error("{kind} '{name}' refers to {target} number {index}, which does not exist")]
    Dangling {
        /// What kind of thing refers.
        kind: &'static str,
        /// Its name.
        name: String,
        /// What it refers to.
        target: &'static str,
        /// The number it gives.
        index: u32,
    },
    /// Two links of a route are not joined.
    #[error("route '{route}': no movement leads from link '{from}' to link '{to}'")]
    Gap {
        /// The route.
        route: String,
        /// The link it leaves.
        from: String,
        /// The link it cannot reach.
        to: String,
    },
    /// A value is impossible, or contradicts another.
    #[error("{kind} '{name}': {reason}")]
    Inconsistent {
        /// What kind of thing.
        kind: &'static str,
        /// Its name.
        name: String,
        /// What is wrong.
        reason: String,
    },
}

/// A whole, checked demand on one network. Trips are in order of departure.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Demand {
    parts: DemandParts,
}

impl Demand {
    /// Its tables.
    #[must_use]
    pub fn parts(&self) -> &DemandParts {
        &self.parts
    }

    /// One kind of vehicle.
    #[must_use]
    pub fn kind(&self, id: KindId) -> &VehicleKind {
        &self.parts.kinds[id.index()]
    }

    /// One route.
    #[must_use]
    pub fn route(&self, id: RouteId) -> &Route {
        &self.parts.routes[id.index()]
    }

    /// One bus stop.
    #[must_use]
    pub fn stop(&self, id: StopId) -> &BusStop {
        &self.parts.stops[id.index()]
    }

    /// One parking facility.
    #[must_use]
    pub fn facility(&self, id: FacilityId) -> &Facility {
        &self.parts.facilities[id.index()]
    }
}

struct Check<'a> {
    kind: &'static str,
    name: &'a str,
}

impl Check<'_> {
    fn within(&self, target: &'static str, index: u32, len: usize) -> Result<(), DemandError> {
        if (index as usize) < len {
            return Ok(());
        }
        Err(DemandError::Dangling { kind: self.kind, name: self.name.into(), target, index })
    }

    fn that(&self, holds: bool, reason: impl FnOnce() -> String) -> Result<(), DemandError> {
        if holds {
            return Ok(());
        }
        Err(DemandError::Inconsistent { kind: self.kind, name: self.name.into(), reason: reason() })
    }
}

fn unique<'a>(kind: &'static str, names: impl Iterator<Item = &'a String>) -> Result<(), DemandError> {
    let mut seen = HashSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(DemandError::Duplicate { kind, name: name.clone() });
        }
    }
    Ok(())
}

impl DemandParts {
    /// Checks every reference and every value, and puts trips in order of departure (then of their place in the table).
    ///
    /// # Errors
    /// [`DemandError`] naming the first thing that is wrong; nothing partial is returned.
    pub fn build(mut self, network: &Network) -> Result<Demand, DemandError> {
        unique("vehicle kind", self.kinds.iter().map(|k| &k.name))?;
        unique("route", self.routes.iter().map(|r| &r.name))?;
        unique("vehicle", self.trips.iter().map(|t| &t.name))?;
        unique("flow", self.flows.iter().map(|f| &f.template.name))?;
        unique("bus stop", self.stops.iter().map(|s| &s.name))?;
        unique("parking facility", self.facilities.iter().map(|f| &f.name))?;
        self.check_kinds()?;
        self.check_places(network)?;
        self.check_routes(network)?;
        for t in &self.trips {
            self.check_trip(network, "vehicle", t)?;
        }
        for f in &self.flows {
            self.check_trip(network, "flow", &f.template)?;
            self.check_flow(f)?;
        }
        self.check_shares(network)?;
        self.trips.sort_by_key(|t| t.depart);
        Ok(Demand { parts: self })
    }

    fn check_kinds(&self) -> Result<(), DemandError> {
        for k in &self.kinds {
            let at = Check { kind: "vehicle kind", name: &k.name };
            at.that(k.length.get() > 0.0, || "its length is zero".into())?;
            at.that(k.accel.get() > 0.0 && k.usual_accel.get() > 0.0, || "it cannot accelerate".into())?;
            at.that(k.decel.get() > 0.0, || "it cannot brake".into())?;
            at.that(k.emergency_decel >= k.decel, || "its emergency deceleration is below its usual one".into())?;
            at.that(k.speed_max.get() > 0.0, || "it cannot move".into())?;
            at.that(k.headway_s.is_finite() && k.headway_s >= 0.0, || format!("headway {} s", k.headway_s))?;
            at.that((0.0..=1.0).contains(&k.imperfection), || format!("imperfection {}", k.imperfection))?;
            at.that(k.people.is_finite() && k.people >= 0.0, || format!("{} people", k.people))?;
            let f = k.speed_factor;
            let sound = [f.mean, f.deviation, f.min, f.max].iter().all(|v| v.is_finite())
                && f.deviation >= 0.0
                && 0.0 < f.min
                && f.min <= f.max;
            at.that(sound, || format!("its speed factor makes no distribution: {f}"))?;
        }
        Ok(())
    }

    fn check_places(&self, network: &Network) -> Result<(), DemandError> {
        let lanes = network.lanes();
        for s in &self.stops {
            let at = Check { kind: "bus stop", name: &s.name };
            at.within("lane", s.lane.0, lanes.len())?;
            at.that(s.at <= lanes[s.lane.index()].length, || format!("it lies {} along a shorter lane", s.at))?;
        }
        for f in &self.facilities {
            let at = Check { kind: "parking facility", name: &f.name };
            at.within("lane", f.entrance.0, lanes.len())?;
            at.within("link", f.exit.0, network.links().len())?;
            at.that(f.entrance_at <= lanes[f.entrance.index()].length, || {
                format!("its entrance lies {} along a shorter lane", f.entrance_at)
            })?;
            at.that(f.occupied <= f.capacity, || format!("{} of {} bays are taken", f.occupied, f.capacity))?;
            at.that(f.capacity > 0, || "it has no bays".into())?;
        }
        for (i, p) in self.people.iter().enumerate() {
            let name = format!("#{i}");
            let at = Check { kind: "people", name: &name };
            at.within("crossing", p.crossing.0, network.crossings().len())?;
            let of = format!("at crossing '{}'", network.crossing(p.crossing).name);
            at.that((0.0..=PEOPLE_PER_H_MAX).contains(&p.people_per_h), || {
                format!("{of}: {} per hour; 0 to {PEOPLE_PER_H_MAX} can be", p.people_per_h)
            })?;
            at.that(p.begin <= p.end, || format!("{of}: they end before they begin"))?;
        }
        Ok(())
    }

    fn check_routes(&self, network: &Network) -> Result<(), DemandError> {
        for r in &self.routes {
            let at = Check { kind: "route", name: &r.name };
            at.that(!r.links.is_empty(), || "it has no links".into())?;
            for l in &r.links {
                at.within("link", l.0, network.links().len())?;
            }
            for pair in r.links.windows(2) {
                if !joined(network, pair[0], pair[1]) {
                    let name = |l: LinkId| network.link(l).name.clone();
                    return Err(DemandError::Gap { route: r.name.clone(), from: name(pair[0]), to: name(pair[1]) });
                }
            }
        }
        Ok(())
    }

    fn check_trip(&self, network: &Network, kind: &'static str, t: &Trip) -> Result<(), DemandError> {
        let at = Check { kind, name: &t.name };
        at.within("vehicle kind", t.kind.0, self.kinds.len())?;
        let links = network.links().len();
        let enters = match &t.way {
            Way::Along(r) => {
                at.within("route", r.0, self.routes.len())?;
                self.routes[r.index()].links[0]
            }
            Way::Between { from, to, via } => {
                for l in [from, to].into_iter().chain(via) {
                    at.within("link", l.0, links)?;
                }
                *from
            }
            Way::Turning { from } => {
                at.within("link", from.0, links)?;
                *from
            }
        };
        if let super::DepartLane::Index(i) = t.depart_lane {
            let link = network.link(enters);
            at.that((i as usize) < link.lanes.len(), || {
                format!("it departs on lane {i} of link '{}', whose lanes are 0 to {}", link.name, link.lanes.len() - 1)
            })?;
        }
        for s in &t.stays {
            at.within("bus stop", s.stop.0, self.stops.len())?;
        }
        if let Some(p) = &t.parking {
            at.within("parking facility", p.facility.0, self.facilities.len())?;
        }
        if let super::DepartSpeed::Fixed(v) = t.depart_speed {
            at.that(v.is_finite() && v >= 0.0, || format!("departure speed {v} m/s"))?;
            let kind = &self.kinds[t.kind.index()];
            at.that(v <= kind.speed_max.get(), || {
                format!("departure speed {v} m/s; its kind '{}' drives {} at most", kind.name, kind.speed_max)
            })?;
        }
        Ok(())
    }

    fn check_flow(&self, f: &Flow) -> Result<(), DemandError> {
        let at = Check { kind: "flow", name: &f.template.name };
        at.that(f.template.depart <= f.end, || "it ends before it begins".into())?;
        match f.emission {
            Emission::Every { period_s } => {
                at.that(period_s.is_finite() && period_s >= FLOW_PERIOD_S_MIN, || format!("a period of {period_s} s"))?;
            }
            Emission::Chance { per_s } => at.that((0.0..=1.0).contains(&per_s), || format!("a chance of {per_s}"))?,
            Emission::Count(_) | Emission::Poisson(_) => {}
        }
        let vehicles = f.vehicles_between(f.template.depart, TimeDs(f.end.0.saturating_add(1)));
        at.that(vehicles <= FLOW_VEHICLES_MAX, || {
            format!("{vehicles:.0} vehicles are more than {FLOW_VEHICLES_MAX:.0}")
        })
    }

    fn check_shares(&self, network: &Network) -> Result<(), DemandError> {
        let mut sums: HashMap<LinkId, f64> = HashMap::new();
        for (i, s) in self.turning.iter().enumerate() {
            let name = format!("#{i}");
            let at = Check { kind: "turning share", name: &name };
            at.within("link", s.from.0, network.links().len())?;
            at.within("link", s.to.0, network.links().len())?;
            let of = || format!("from link '{}' to link '{}'", network.link(s.from).name, network.link(s.to).name);
            at.that(s.share.is_finite() && s.share >= 0.0, || format!("{}: a share of {}", of(), s.share))?;
            at.that(joined(network, s.from, s.to), || format!("no movement leads {}", of()))?;
            *sums.entry(s.from).or_default() += s.share;
        }
        for (from, sum) in sums {
            let at = Check { kind: "turning shares of link", name: &network.link(from).name };
            at.that(sum > 0.0, || "all of them are zero".into())?;
        }
        Ok(())
    }
}

/// True when a movement leads from one link to another.
fn joined(network: &Network, from: LinkId, to: LinkId) -> bool {
    network.movements_from(from).iter().any(|m| network.movement(*m).to_link == to)
}
