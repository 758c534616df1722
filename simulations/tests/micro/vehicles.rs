//! Single vehicles, and what is told of them.

use std::sync::Arc;

use greenkerb_models::demand::{DemandParts, Route, Way};
use greenkerb_models::ids::{ControllerId, LinkId, RouteId};
use greenkerb_models::network::Network;
use greenkerb_models::signal::Indication;
use greenkerb_models::units::TimeDs;
use greenkerb_simulations::micro::{Micro, MicroError, MicroOptions, VehicleId, What};
use greenkerb_simulations::scenarios::{Driving, grid};

use crate::support::{scenario, steady_car, trip};

fn link(network: &Network, name: &str) -> LinkId {
    network.link_named(name).unwrap()
}

/// One junction, one vehicle straight over it.
fn one_vehicle(driving: Driving) -> Micro {
    let network = Arc::new(grid(1, 1, 200.0).unwrap());
    let links = vec![link(&network, "n-1_0>n0_0"), link(&network, "n0_0>n1_0")];
    let parts = DemandParts {
        kinds: vec![steady_car()],
        routes: vec![Route { name: "over".into(), links }],
        trips: vec![trip("a", 3, Way::Along(RouteId(0)))],
        ..DemandParts::default()
    };
    let demand = parts.build(&network).unwrap();
    Micro::new(&scenario(network, demand, driving), MicroOptions::default()).unwrap()
}

#[test]
fn a_vehicle_on_green_loses_only_what_speeding_up_takes() {
    for driving in [Driving::CityFlow, Driving::Street] {
        let mut street = one_vehicle(driving);
        street.show(ControllerId(0), &[Indication::Protected; 8]);
        let mut told = Vec::new();
        for _ in 0..60 {
            street.step();
            told.extend_from_slice(street.events());
        }
        let kinds: Vec<_> = told.iter().map(|e| std::mem::discriminant(&e.what)).collect();
        assert_eq!(kinds.len(), 5, "{driving:?}: loaded, inserted, crossed, entered, arrived: {told:?}");
        assert!(matches!(told[0].what, What::Loaded { .. }) && told[0].at == TimeDs::from_s(4));
        let What::Arrived { vehicle, journey } = told[4].what else { panic!("{driving:?}: {told:?}") };
        assert_eq!((vehicle, street.name(vehicle).as_deref()), (VehicleId(0), Some("a")));
        assert_eq!((journey.due, journey.inserted), (TimeDs::from_s(3), TimeDs::from_s(3)));
        // On the street a vehicle enters with its rear, not its front, at the start of the lane.
        let enters_at_m = if driving == Driving::Street { 5.1 } else { 0.0 };
        assert!((journey.driven_m - (415.0 - enters_at_m)).abs() < 1e-3, "{driving:?}: {journey:?}");
        // From 0 to 13.9 m/s at 2.6 m/s² takes 5.3 s and costs half of them.
        assert!((1.5..4.0).contains(&journey.time_loss_s), "{driving:?}: {journey:?}");
        assert_eq!((journey.waiting_s, journey.stops), (0.0, 0));
    }
}

#[test]
fn a_vehicle_waits_before_red_and_goes_on_green() {
    for driving in [Driving::CityFlow, Driving::Street] {
        let mut street = one_vehicle(driving);
        for _ in 0..60 {
            street.step();
        }
        let v = street.vehicle(VehicleId(0)).unwrap();
        assert_eq!(street.lane_of(v.id), street.network().lane_named("n-1_0>n0_0.0"));
        assert!(v.speed_mps < 0.1 && (195.0..=200.0).contains(&v.front_m), "{driving:?}: {v:?}");
        assert!(v.stands_since.is_some_and(|t| t < street.now()) && v.journey.stops == 1, "{driving:?}: {v:?}");
        assert!(v.journey.waiting_s > 20.0, "{driving:?}: {v:?}");
        street.show(ControllerId(0), &[Indication::Protected; 8]);
        for _ in 0..40 {
            street.step();
        }
        assert_eq!((street.totals().arrived, street.vehicle(v.id)), (1, None), "{driving:?}");
    }
}

#[test]
fn vehicles_that_find_no_room_wait_outside_and_count() {
    let network = Arc::new(grid(1, 1, 60.0).unwrap());
    let from = link(&network, "n-1_0>n0_0");
    let way = || Way::Between { from, to: link(&network, "n0_0>n1_0"), via: Vec::new() };
    let trips = (0..30).map(|i| trip(&format!("t{i}"), 0, way())).collect();
    let parts = DemandParts { kinds: vec![steady_car()], trips, ..DemandParts::default() };
    let demand = parts.build(&network).unwrap();
    let scenario = scenario(network, demand, Driving::CityFlow);
    let mut street = Micro::new(&scenario, MicroOptions::default()).unwrap();
    for _ in 0..200 {
        street.step();
    }
    let t = street.totals();
    assert_eq!((t.loaded, t.arrived), (30, 0));
    assert!((6..=9).contains(&t.on_road), "a 60 m lane holds about eight cars: {t:?}");
    assert_eq!((u64::from(street.waiting_outside(from)), t.waiting), (30 - t.on_road, 30 - t.on_road));
}

#[test]
fn a_way_that_does_not_exist_is_refused_by_name() {
    let network = Arc::new(grid(1, 1, 200.0).unwrap());
    let way = Way::Between { from: link(&network, "n0_0>n1_0"), to: link(&network, "n0_0>n0_1"), via: Vec::new() };
    let parts = DemandParts { kinds: vec![steady_car()], trips: vec![trip("lost", 0, way)], ..DemandParts::default() };
    let demand = parts.build(&network).unwrap();
    let error = Micro::new(&scenario(network, demand, Driving::Street), MicroOptions::default()).unwrap_err();
    let expected = MicroError::NoWay { vehicle: "lost".into(), from: "n0_0>n1_0".into(), to: "n0_0>n0_1".into() };
    assert_eq!(error, expected);
}
