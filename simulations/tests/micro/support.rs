//! Small streets, and signals that run the plan their controllers ship with.

use std::sync::Arc;

use greenkerb_models::demand::{
    Demand, DemandParts, DepartLane, DepartSpeed, Emission, Flow, SpeedFactor, Trip, VehicleKind, Way,
};
use greenkerb_models::ids::{ControllerId, KindId, LinkId};
use greenkerb_models::network::Network;
use greenkerb_models::units::{Ds, TimeDs};
use greenkerb_simulations::micro::Micro;
use greenkerb_simulations::scenarios::{Driving, Scenario};

/// A scenario of one hour in steps of a second.
pub(crate) fn scenario(network: Arc<Network>, demand: Demand, driving: Driving) -> Scenario {
    Scenario {
        name: "test".into(),
        description: String::new(),
        network,
        demand: Arc::new(demand),
        begin: TimeDs::from_s(0),
        end: TimeDs::from_s(3_600),
        warm_up: Ds::ZERO,
        tick: Ds::from_s(1),
        driving,
        congestion_aware: false,
        sources: Vec::new(),
    }
}

/// A car whose driver keeps the limit.
pub(crate) fn steady_car() -> VehicleKind {
    VehicleKind { speed_factor: SpeedFactor::ONE, imperfection: 0.0, ..VehicleKind::car("steady") }
}

/// A vehicle of the first kind.
pub(crate) fn trip(name: &str, depart_s: i64, way: Way) -> Trip {
    Trip {
        name: name.into(),
        kind: KindId(0),
        depart: TimeDs::from_s(depart_s),
        way,
        depart_lane: DepartLane::Best,
        depart_speed: DepartSpeed::Zero,
        stays: Vec::new(),
        parking: None,
    }
}

/// A Poisson flow of the first kind over the whole hour.
pub(crate) fn flow(name: &str, way: Way, flow_vph: f64) -> Flow {
    let emission = Emission::Poisson(greenkerb_models::units::VehPerHour::new(flow_vph).unwrap());
    Flow { template: trip(name, 0, way), end: TimeDs::from_s(3_600), emission }
}

/// Links that lead into the map.
pub(crate) fn entries(network: &Network) -> Vec<LinkId> {
    let outside = |l: LinkId| network.node(network.link(l).from).controller.is_none();
    (0..network.links().len()).map(LinkId::at).filter(|l| outside(*l)).collect()
}

/// Vehicles that turn by chance, from every entry.
pub(crate) fn turning_demand(network: &Network, kind: VehicleKind, flow_vph: f64) -> Demand {
    let flows = entries(network).into_iter();
    let flows = flows.map(|from| flow(&network.link(from).name, Way::Turning { from }, flow_vph)).collect();
    DemandParts { kinds: vec![kind], flows, ..DemandParts::default() }.build(network).unwrap()
}

/// Shows what every controller's program shows at this instant, all of them without offset.
pub(crate) fn show_programs(street: &mut Micro) {
    let network = Arc::clone(street.network());
    let now = street.now();
    for (i, c) in network.controllers().iter().enumerate() {
        let cycle: i64 = c.program.steps.iter().map(|s| i64::from(s.shipped.0)).sum();
        let mut at = now.0.rem_euclid(cycle);
        let step = c.program.steps.iter().find(|s| {
            at -= i64::from(s.shipped.0);
            at < 0
        });
        street.show(ControllerId::at(i), &step.unwrap().shows);
    }
}
