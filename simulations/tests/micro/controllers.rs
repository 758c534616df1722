//! Controllers on the street: they keep the database, they are repeatable, and they are as good as they should be.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use greenkerb_models::demand::VehicleKind;
use greenkerb_models::formats::cityflow::{RoadnetOptions, read_flow, read_roadnet};
use greenkerb_models::formats::sumo_net;
use greenkerb_models::units::{Ds, TimeDs};
use greenkerb_simulations::cancel::Cancel;
use greenkerb_simulations::control::{Ran, RunError, Stages, Switch, build, run};
use greenkerb_simulations::field::ConflictMonitor;
use greenkerb_simulations::micro::{MicroOptions, What};
use greenkerb_simulations::scenarios::{Driving, Scenario, grid};

use crate::support::{scenario, turning_demand};

/// Everybody who can control a grid of four-stage signals without a neighbour's help.
const NAMES: [&str; 13] = [
    "shipped",
    "equal-12",
    "coordinated",
    "webster",
    "nema",
    "actuated",
    "max-pressure",
    "max-pressure-cyclic",
    "max-pressure-capacity",
    "mpn10",
    "greedyn7",
    "greedyn10",
    "surtrac",
];

fn data(part: &str) -> Option<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data").join(part);
    if dir.is_dir() {
        return Some(dir);
    }
    println!("the test data is not here ({}): nothing is compared", dir.display());
    None
}

/// A quarter of an hour on 2 × 2 signals.
fn small(flow_vph: f64) -> Scenario {
    let network = Arc::new(grid(2, 2, 200.0).unwrap());
    let demand = turning_demand(&network, VehicleKind::car("car"), flow_vph);
    Scenario { end: TimeDs::from_s(900), ..scenario(network, demand, Driving::Street) }
}

fn drive(scenario: &Scenario, name: &str) -> Ran {
    let mut control = build(name, scenario).unwrap();
    run(scenario, MicroOptions::default(), control.as_mut(), &mut |_| {}, &Cancel::default(), &mut |_| {}).unwrap()
}

#[test]
fn nobody_breaks_the_database_and_everybody_is_served() {
    let scenario = small(400.0);
    for name in NAMES {
        let ran = drive(&scenario, name);
        assert_eq!(ran.first_violation, None, "{name}");
        let t = ran.street.totals();
        assert!(t.loaded > 600, "{name}: {t:?}");
        assert!(t.arrived as f64 > 0.8 * t.loaded as f64, "{name}: {t:?}");
    }
}

#[test]
fn a_run_is_repeatable() {
    let scenario = small(300.0);
    for name in NAMES {
        assert_eq!(drive(&scenario, name).street.hash(), drive(&scenario, name).street.hash(), "{name}");
    }
}

#[test]
fn a_run_can_be_called_off_and_tells_how_far_it_is() {
    let scenario = small(100.0);
    let mut control = build("shipped", &scenario).unwrap();
    let cancel = Cancel::default();
    let mut told = Vec::new();
    let mut steps = 0;
    let mut listener = |_: &greenkerb_simulations::micro::Micro| {
        steps += 1;
        if steps == 450 {
            cancel.cancel();
        }
    };
    let ran = run(&scenario, MicroOptions::default(), control.as_mut(), &mut listener, &cancel, &mut |share| {
        told.push(share)
    });
    let ran = ran.unwrap();
    assert!(ran.cancelled);
    assert_eq!(ran.street.now(), TimeDs::from_s(450));
    assert!(told.is_sorted() && told.len() > 90, "{told:?}");
    assert!((told[told.len() - 1] - 0.5).abs() < 0.01);
}

#[test]
fn a_method_that_does_not_fit_says_which_signal_and_why() {
    let mut parts = grid(2, 1, 200.0).unwrap().parts().clone();
    // The second signal's left turns never get a stage of their own: three stages are left.
    let steps = &mut parts.controllers[1].program.steps;
    steps[3].shows = steps[0].shows.clone();
    let network = Arc::new(parts.build().unwrap());
    let demand = turning_demand(&network, VehicleKind::car("car"), 100.0);
    let scenario = scenario(network, demand, Driving::Street);
    let error = build("fixed-25+5", &scenario).err().unwrap().to_string();
    assert_eq!(error, "fixed: signal 'n1_0': it has 3 phases beside phase 0, the papers' rules need four");
}

/// On every controller of the five maps, whatever stages are asked for and whenever: the monitor has nothing to say.
#[test]
fn any_sequence_of_stages_is_safe_on_real_maps() {
    let Some(dir) = data("resco") else { return };
    let mut changes = 0;
    for map in ["cologne1", "cologne8", "ingolstadt1", "ingolstadt7", "grid4x4"] {
        let network = sumo_net::read(&dir.join(map).join(format!("{map}.net.xml"))).unwrap().network;
        for controller in network.controllers() {
            let controller = Arc::new(controller.clone());
            let stages = Arc::new(Stages::of(Arc::clone(&controller)));
            let mut switch = Switch::new(Arc::clone(&stages), 0, TimeDs(0));
            let mut monitor = ConflictMonitor::new(Arc::clone(&controller), Ds::from_s(1));
            let mut chance = 7_u64;
            for s in 0..3_600 {
                chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let now = TimeDs::from_s(s);
                if (chance >> 33).is_multiple_of(3) {
                    let to = (chance >> 40) as usize % stages.all().len();
                    changes += usize::from(switch.go(to, now));
                }
                monitor.look(now, switch.show(now));
            }
            assert_eq!(monitor.first_violation(), None, "{map} {}", controller.name);
        }
    }
    assert!(changes > 5_000, "{changes}");
}

/// CityFlow's average travel time, by the same controllers, as measured with CityFlow itself (commit 81ee0f4).
const ROWS: [(&str, f64, f64); 7] = [
    ("fixed-25+5", 568.4, 506.0),
    ("fixed-55+5", 667.9, 540.5),
    ("mp-30+5", 365.7, 326.9),
    ("mp-15+5", 334.2, 320.0),
    ("amp4-15+5", 328.6, 301.7),
    ("amp8-10+5", 319.8, 305.0),
    ("amp8-5+2", 308.9, 272.9),
];

#[test]
fn papers_controllers_are_as_good_as_in_cityflow() {
    let Some(dir) = data("cityflow") else { return };
    let cities =
        [("roadnet_4_4.json", "anon_4_4_hangzhou_real.json"), ("roadnet_3_4.json", "anon_3_4_jinan_real.json")];
    for (c, (roadnet, flow)) in cities.into_iter().enumerate() {
        let network = read_roadnet(&dir.join(roadnet), &RoadnetOptions::default()).unwrap().network;
        let demand = read_flow(&dir.join(flow), &network).unwrap().demand;
        let scenario = scenario(Arc::new(network), demand, Driving::CityFlow);
        for (name, hangzhou_s, jinan_s) in ROWS {
            let expected_s = [hangzhou_s, jinan_s][c];
            let average_s = average_s(&scenario, name).unwrap();
            println!("{flow} {name}: {average_s:.1} s; CityFlow {expected_s} s");
            let off = (average_s / expected_s - 1.0).abs();
            assert!(off < 0.02, "{flow} {name}: {average_s:.1} s against {expected_s} s");
        }
    }
}

/// All vehicles that were due, the unfinished ones until the end.
fn average_s(scenario: &Scenario, name: &str) -> Result<f64, RunError> {
    let mut control = build(name, scenario).unwrap();
    let mut spent_s = 0.0;
    let mut listener = |street: &greenkerb_simulations::micro::Micro| {
        for e in street.events() {
            if let What::Arrived { journey, .. } = e.what {
                // CityFlow counts until the beginning of the step in which a vehicle leaves.
                spent_s += (e.at - scenario.tick).since(journey.due) as f64 / 10.0;
            }
        }
    };
    let cancel = Cancel::default();
    let ran = run(scenario, MicroOptions::default(), control.as_mut(), &mut listener, &cancel, &mut |_| {})?;
    let street = ran.street;
    let still = street.on_road().map(|v| v.journey.due).chain(street.due_outside().map(|(_, due)| due));
    spent_s += still.map(|due| street.now().since(due) as f64 / 10.0).sum::<f64>();
    Ok(spent_s / street.totals().loaded as f64)
}
