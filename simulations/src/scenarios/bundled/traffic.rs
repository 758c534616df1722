//! Vehicles and people of the bundled scenarios.

use greenkerb_models::demand::{
    DemandParts, DepartLane, DepartSpeed, Emission, Flow, PeopleFlow, Route, SpeedFactor, Trip, VehicleClass,
    VehicleKind, Way,
};
use greenkerb_models::ids::{CrossingId, KindId, LinkId, RouteId};
use greenkerb_models::network::Network;
use greenkerb_models::units::{Metres, MetresPerSecond, MetresPerSecondSquared, TimeDs, VehPerHour};

/// Positions of [`kinds`].
pub(super) const CAR: KindId = KindId(0);
pub(super) const LORRY: KindId = KindId(1);
pub(super) const BUS: KindId = KindId(2);
/// Share of lorries among vehicles that are no buses.
const LORRY_SHARE: f64 = 0.06;

/// Cars, lorries and buses.
pub(crate) fn kinds() -> Vec<VehicleKind> {
    let m = |v| Metres::new(v).unwrap_or_default();
    let a = |v| MetresPerSecondSquared::new(v).unwrap_or_default();
    let heavy = |name: &str, class, length_m, people| VehicleKind {
        class,
        length: m(length_m),
        accel: a(1.3),
        usual_accel: a(1.3),
        decel: a(4.0),
        emergency_decel: a(7.0),
        speed_max: MetresPerSecond::new(25.0).unwrap_or_default(),
        speed_factor: SpeedFactor { mean: 0.95, deviation: 0.05, min: 0.8, max: 1.1 },
        people,
        ..VehicleKind::car(name)
    };
    vec![
        VehicleKind::car("car"),
        heavy("lorry", VehicleClass::Lorry, 9.0, 1.1),
        heavy("bus", VehicleClass::Bus, 12.0, 35.0),
    ]
}

/// A trip like those of every flow here: enters on the best lane, as fast as it may.
pub(super) fn trip(name: String, kind: KindId, depart: TimeDs, way: Way) -> Trip {
    Trip {
        name,
        kind,
        depart,
        way,
        depart_lane: DepartLane::Best,
        depart_speed: DepartSpeed::Max,
        stays: Vec::new(),
        parking: None,
    }
}

/// Part of a run in which demand is at a level.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Slice {
    pub(crate) begin: TimeDs,
    pub(crate) end: TimeDs,
    /// Of the peak's flows.
    pub(crate) level: f64,
}

/// Slices of equal length from `begin_s` on.
pub(super) fn slices(begin_s: i64, length_s: i64, levels: &[f64]) -> Vec<Slice> {
    let at = |k: usize| TimeDs::from_s(begin_s + length_s * k as i64);
    levels.iter().enumerate().map(|(k, &level)| Slice { begin: at(k), end: at(k + 1), level }).collect()
}

/// Poisson streams of cars and lorries along a route.
pub(super) fn streams(flows: &mut Vec<Flow>, name: &str, route: RouteId, vph: f64, slices: &[Slice]) {
    for (k, s) in slices.iter().enumerate() {
        for (kind, share, what) in [(CAR, 1.0 - LORRY_SHARE, "cars"), (LORRY, LORRY_SHARE, "lorries")] {
            let rate = VehPerHour::new(vph * s.level * share).unwrap_or_default();
            if rate.get() > 0.0 {
                let template = trip(format!("{name}.{what}.{k}"), kind, s.begin, Way::Along(route));
                flows.push(Flow { template, end: s.end, emission: Emission::Poisson(rate) });
            }
        }
    }
}

/// Routes of an assignment with their streams.
pub(crate) fn drive(demand: &mut DemandParts, network: &Network, routes: Vec<(Vec<LinkId>, f64)>, slices: &[Slice]) {
    for (links, vph) in routes {
        let id = RouteId::at(demand.routes.len());
        let end = |l: Option<&LinkId>| l.map(|l| network.link(*l).name.clone()).unwrap_or_default();
        let name = format!("{} {} to {}", id.0, end(links.first()), end(links.last()));
        streams(&mut demand.flows, &name, id, vph, slices);
        demand.routes.push(Route { name, links });
    }
}

/// People at a crossing in every slice.
pub(super) fn walkers(people: &mut Vec<PeopleFlow>, crossing: CrossingId, people_per_h: f64, slices: &[Slice]) {
    people.extend(slices.iter().map(|s| PeopleFlow {
        crossing,
        people_per_h: people_per_h * s.level,
        begin: s.begin,
        end: s.end,
    }));
}
