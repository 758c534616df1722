//! The built-in street against CityFlow (commit 81ee0f4) on the Hangzhou and Jinan scenarios: average travel time over
//! all vehicles within 2 %, finished vehicles within 1 %. CityFlow's figures were measured with the same rules of control.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use greenkerb_models::formats::cityflow::{RoadnetOptions, read_flow, read_roadnet};
use greenkerb_models::ids::ControllerId;
use greenkerb_models::network::Network;
use greenkerb_models::signal::Indication;
use greenkerb_models::units::TimeDs;
use greenkerb_simulations::micro::{Micro, MicroOptions, What};
use greenkerb_simulations::scenarios::Driving;

use crate::support::scenario;

/// The four phases that the benchmarks use, by their place in the files; phase 0 is their yellow.
const PHASES: usize = 4;
const STANDS_MPS: f32 = 0.1;

fn data() -> Option<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/cityflow");
    if dir.is_dir() {
        return Some(dir);
    }
    println!("CityFlow's data is not here ({}): nothing is compared", dir.display());
    None
}

/// A city: what it is made of, and what every junction shows in each of its phases.
struct City {
    street: Micro,
    network: Arc<Network>,
    /// By controller and phase.
    shows: Vec<Vec<Vec<Indication>>>,
}

fn city(dir: &Path, roadnet: &str, flow: &str) -> City {
    let path = dir.join(roadnet);
    let network = Arc::new(read_roadnet(&path, &RoadnetOptions::default()).unwrap().network);
    let demand = read_flow(&dir.join(flow), &network).unwrap().demand;
    let file: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let shows = network.controllers().iter().map(|c| {
        let intersections = file["intersections"].as_array().unwrap();
        let i = intersections.iter().find(|i| i["id"] == c.name.as_str()).unwrap();
        let phases = i["trafficLight"]["lightphases"].as_array().unwrap().iter();
        let open = |p: &serde_json::Value, link: u32| {
            p["availableRoadLinks"].as_array().unwrap().iter().any(|l| l.as_u64() == Some(u64::from(link)))
        };
        let show = |p: &serde_json::Value| {
            let group = |g: &greenkerb_models::signal::SignalGroup| {
                if open(p, g.link_indices[0]) { Indication::Protected } else { Indication::Red }
            };
            c.groups.iter().map(group).collect()
        };
        phases.map(show).collect()
    });
    let shows = shows.collect();
    let scenario = scenario(Arc::clone(&network), demand, Driving::CityFlow);
    City { street: Micro::new(&scenario, MicroOptions::default()).unwrap(), network, shows }
}

/// Which phase a junction should show next.
type Policy = fn(&City, ControllerId, u32) -> usize;

fn fixed(_: &City, _: ControllerId, decision: u32) -> usize {
    1 + decision as usize % PHASES
}

/// The phase whose movements have most standing vehicles before them and fewest behind, right turns left out.
fn max_pressure(city: &City, controller: ControllerId, _: u32) -> usize {
    let groups = &city.network.controller(controller).groups;
    let standing = |lane| city.street.on_lane(lane).filter(|v| v.speed_mps < STANDS_MPS).count() as i64;
    let pressure = |phase: usize| -> i64 {
        let green = groups.iter().zip(&city.shows[controller.index()][phase]).filter(|(_, s)| s.is_green());
        let turns = green.map(|(g, _)| g).filter(|g| {
            let c = city.network.connection(g.connections[0]);
            city.network.movement(c.movement).turn != greenkerb_models::network::Turn::Right
        });
        let of = |g: &greenkerb_models::signal::SignalGroup| {
            let ends = g.connections.iter().map(|c| city.network.connection(*c));
            let mut before: Vec<_> = ends.clone().map(|c| c.from_lane).collect();
            let mut behind: Vec<_> = ends.map(|c| c.to_lane).collect();
            for lanes in [&mut before, &mut behind] {
                lanes.sort_unstable();
                lanes.dedup();
            }
            before.into_iter().map(standing).sum::<i64>() - behind.into_iter().map(standing).sum::<i64>()
        };
        turns.map(of).sum()
    };
    (1..=PHASES).rev().max_by_key(|p| pressure(*p)).unwrap()
}

/// One hour; returns CityFlow's average travel time (all vehicles that were due, unfinished ones until now) and how
/// many vehicles finished.
fn run(mut city: City, policy: Policy, decision_s: u32, yellow_s: u32) -> (f64, u64) {
    let controllers = city.shows.len();
    let mut now_showing = vec![0; controllers];
    let mut next = vec![0; controllers];
    let mut spent_s = 0.0;
    for t in 0..3_600 {
        for i in 0..controllers {
            let id = ControllerId::at(i);
            if t % decision_s == 0 {
                next[i] = policy(&city, id, t / decision_s);
                if next[i] != now_showing[i] {
                    city.street.show(id, &city.shows[i][0]);
                }
            }
            if t % decision_s == yellow_s && next[i] != now_showing[i] {
                now_showing[i] = next[i];
                city.street.show(id, &city.shows[i][next[i]]);
            }
        }
        city.street.step();
        for e in city.street.events() {
            if let What::Arrived { journey, .. } = e.what {
                // CityFlow counts until the beginning of the step in which a vehicle leaves.
                spent_s += TimeDs(e.at.0 - 10).since(journey.due) as f64 / 10.0;
            }
        }
    }
    let now = city.street.now();
    let still = city.street.on_road().map(|v| v.journey.due).chain(city.street.due_outside().map(|(_, due)| due));
    spent_s += still.map(|due| now.since(due) as f64 / 10.0).sum::<f64>();
    let t = city.street.totals();
    (spent_s / t.loaded as f64, t.arrived)
}

/// Policy, decision time, average and finished vehicles in CityFlow.
type Row = (&'static str, Policy, u32, f64, u64);

fn compare(roadnet: &str, flow: &str, rows: &[Row]) {
    let Some(dir) = data() else { return };
    for (name, policy, decision_s, cityflow_s, cityflow_finished) in rows {
        let (average_s, finished) = run(city(&dir, roadnet, flow), *policy, *decision_s, 5);
        println!("{flow} {name}: {average_s:.1} s, {finished} finished; CityFlow {cityflow_s} s, {cityflow_finished}");
        let off = |a: f64, b: f64| (a / b - 1.0).abs();
        assert!(off(average_s, *cityflow_s) < 0.02, "{flow} {name}: {average_s:.1} s against {cityflow_s} s");
        let off = off(finished as f64, *cityflow_finished as f64);
        assert!(off < 0.01, "{flow} {name}: {finished} against {cityflow_finished} finished");
    }
}

#[test]
fn hangzhou_is_as_in_cityflow() {
    compare(
        "roadnet_4_4.json",
        "anon_4_4_hangzhou_real.json",
        &[
            ("fixed 25+5", fixed, 30, 568.4, 2_439),
            ("max pressure 30 s", max_pressure, 30, 365.7, 2_702),
            ("max pressure 15 s", max_pressure, 15, 334.2, 2_732),
        ],
    );
}

#[test]
fn jinan_is_as_in_cityflow() {
    compare(
        "roadnet_3_4.json",
        "anon_3_4_jinan_real.json",
        &[
            ("fixed 25+5", fixed, 30, 506.0, 4_948),
            ("max pressure 30 s", max_pressure, 30, 326.9, 5_705),
            ("max pressure 15 s", max_pressure, 15, 320.0, 5_679),
        ],
    );
}
