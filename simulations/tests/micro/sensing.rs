//! Detectors and probe vehicles in the built-in street.

use std::collections::BTreeMap;
use std::sync::Arc;

use greenkerb_models::demand::{DemandParts, Route, Way};
use greenkerb_models::detection::{Detector, DetectorKind};
use greenkerb_models::ids::{ControllerId, LaneId, RouteId};
use greenkerb_models::network::Network;
use greenkerb_models::signal::Indication;
use greenkerb_models::units::Metres;
use greenkerb_simulations::micro::{Micro, MicroOptions, What};
use greenkerb_simulations::scenarios::{Driving, Scenario, grid};
use greenkerb_simulations::sensing::{Probes, Sensors, Sighting};

use crate::support::{scenario, show_programs, steady_car, trip, turning_demand};

/// A grid where every approach lane has an area detector of 60 m, too.
fn with_areas(network: &Network) -> Arc<Network> {
    let mut parts = network.parts().clone();
    let approaches = (0..network.controllers().len()).flat_map(|c| network.approach_lanes(ControllerId::at(c)));
    let area = |lane: LaneId| Detector {
        name: format!("{}.area", network.lane(lane).name),
        lane,
        kind: DetectorKind::Area,
        to_lane_end: Metres::ZERO,
        to_stop_line: Metres::ZERO,
        length: Metres::new(60.0).unwrap(),
        watches: vec![lane],
    };
    parts.detectors.extend(approaches.map(area));
    Arc::new(parts.build().unwrap())
}

fn busy(driving: Driving) -> Scenario {
    let network = with_areas(&grid(2, 2, 200.0).unwrap());
    let demand = turning_demand(&network, steady_car(), 500.0);
    scenario(network, demand, driving)
}

/// Adds what was seen to what was seen before.
fn add(sums: &mut [Sighting], seen: &[Sighting]) {
    for (sum, s) in sums.iter_mut().zip(seen) {
        sum.count += s.count;
        sum.occupied_s += s.occupied_s;
    }
}

#[test]
fn loops_count_everybody_who_passes_the_line() {
    for driving in [Driving::CityFlow, Driving::Street] {
        let scenario = busy(driving);
        let network = Arc::clone(&scenario.network);
        let mut street = Micro::new(&scenario, MicroOptions::default()).unwrap();
        let mut sensors = Sensors::of(&network);
        let mut sums = vec![Sighting::default(); network.detectors().len()];
        let mut crossed: BTreeMap<LaneId, u32> = BTreeMap::new();
        sensors.see(&street);
        for _ in 0..1_200 {
            show_programs(&mut street);
            let lanes = (0..network.lanes().len()).map(LaneId::at);
            let on: BTreeMap<_, _> = lanes.flat_map(|l| street.on_lane(l).map(move |v| (v.id, l))).collect();
            street.step();
            sensors.see(&street);
            for event in street.events() {
                // Where nobody changes lanes, some find no way on and end at the line.
                let line = match event.what {
                    What::Crossed { connection, .. } => Some(network.connection(connection).from_lane),
                    What::Arrived { vehicle, .. } => on.get(&vehicle).copied(),
                    _ => None,
                };
                if let Some(lane) = line {
                    *crossed.entry(lane).or_default() += 1;
                }
            }
            let seen = sensors.take();
            for (s, d) in seen.iter().zip(network.detectors()) {
                assert!(s.count <= 3 && (-1e-9..=1.0 + 1e-9).contains(&s.occupied_s), "{}: {s:?}", d.name);
            }
            add(&mut sums, &seen);
        }
        assert!(crossed.values().sum::<u32>() > 500, "{driving:?}: there is traffic");
        for (s, d) in sums.iter().zip(network.detectors()) {
            let passed = crossed.get(&d.lane).copied().unwrap_or(0);
            // Who stands between a detector and the line has been counted and has not crossed.
            let mut between = (d.to_lane_end.get() + d.length.get()) / 5.0 + 1.0;
            if driving == Driving::Street {
                // Some stand over the stop bar when they change to the lane beside.
                between += 0.1 * f64::from(passed);
            }
            // On the way to the line drivers may change to the lane beside, so only the stop bar must agree.
            if d.kind == DetectorKind::StopBar || driving == Driving::CityFlow {
                assert!(s.count >= passed, "{driving:?}: {} counted {}, {passed} crossed", d.name, s.count);
            }
            if d.kind == DetectorKind::StopBar {
                assert!(f64::from(s.count - passed) <= between, "{driving:?}: {} {} {passed}", d.name, s.count);
                assert!(s.occupied_s >= 0.3 * f64::from(passed), "{driving:?}: {}: {s:?}", d.name);
            }
        }
    }
}

#[test]
fn one_vehicle_passes_two_loops_and_an_area_as_it_must() {
    let network = with_areas(&grid(1, 1, 200.0).unwrap());
    let link = |name: &str| network.link_named(name).unwrap();
    let parts = DemandParts {
        kinds: vec![steady_car()],
        routes: vec![Route { name: "over".into(), links: vec![link("n-1_0>n0_0"), link("n0_0>n1_0")] }],
        trips: vec![trip("a", 0, Way::Along(RouteId(0)))],
        ..DemandParts::default()
    };
    for driving in [Driving::CityFlow, Driving::Street] {
        let scenario = scenario(Arc::clone(&network), parts.clone().build(&network).unwrap(), driving);
        let mut street = Micro::new(&scenario, MicroOptions::default()).unwrap();
        street.show(ControllerId(0), &[Indication::Protected; 8]);
        let mut sensors = Sensors::of(&network);
        sensors.see(&street);
        let mut sums = vec![Sighting::default(); network.detectors().len()];
        let mut area_speed: f64 = 0.0;
        for _ in 0..60 {
            street.step();
            sensors.see(&street);
            let seen = sensors.take();
            area_speed = seen.iter().filter_map(|s| s.speed_mps).fold(area_speed, f64::max);
            add(&mut sums, &seen);
        }
        let saw: Vec<(&str, Sighting)> = network
            .detectors()
            .iter()
            .zip(&sums)
            .filter(|(_, s)| s.count > 0)
            .map(|(d, s)| (d.name.rsplit('.').next().unwrap(), *s))
            .collect();
        assert_eq!(saw.iter().map(|s| s.0).collect::<Vec<_>>(), ["stop", "advance", "area"], "{driving:?}: {saw:?}");
        for (name, s) in &saw {
            assert_eq!(s.count, 1, "{driving:?}: {name}");
        }
        // 5 m of car and 2 m of loop at 13.9 m/s; the area of 60 m holds it for 65 m, of which it covers a twelfth.
        for (_, s) in &saw[..2] {
            assert!((s.occupied_s - 7.0 / 13.9).abs() < 0.06, "{driving:?}: {saw:?}");
        }
        assert!((saw[2].1.occupied_s - 60.0 / 13.9 / 12.0).abs() < 0.12, "{driving:?}: {saw:?}");
        assert!((area_speed - 13.9).abs() < 0.2, "{driving:?}: {area_speed}");
    }
}

#[test]
fn probes_tell_how_long_links_take() {
    let scenario = busy(Driving::CityFlow);
    let network = Arc::clone(&scenario.network);
    let run = |share: f64| {
        let mut street = Micro::new(&scenario, MicroOptions::default()).unwrap();
        let mut probes = Probes::new(share, 3);
        let mut times = Vec::new();
        for _ in 0..900 {
            show_programs(&mut street);
            street.step();
            probes.see(&street);
            times.extend(probes.take());
        }
        times
    };
    let (all, some) = (run(1.0), run(0.2));
    assert!(all.len() > 200, "{}", all.len());
    let share = some.len() as f64 / all.len() as f64;
    assert!((0.1..0.3).contains(&share), "a fifth of the vehicles, not {share}");
    assert!(some.iter().all(|t| all.contains(t)), "probes see what everybody sees");
    for t in &all {
        let link = network.link(t.link);
        assert!(t.travel_s() >= link.length.get() / link.speed.get() - 1.5, "{}: {t:?}", link.name);
        assert!(network.node(link.to).controller.is_some(), "they tell of links with a line at their end");
    }
}
