//! The built-in street against SUMO on networks that SUMO's netgenerate makes: junctions with and without signals, lanes
//! that are shared and lanes that are short, trips that choose their ways.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use greenkerb_models::demand::VehicleClass;
use greenkerb_models::formats;
use greenkerb_models::ids::LinkId;
use greenkerb_simulations::cancel::Cancel;
use greenkerb_simulations::control;
use greenkerb_simulations::metrics::Collector;
use greenkerb_simulations::micro::MicroOptions;
use greenkerb_simulations::routing::{LinkTimes, Tree};
use greenkerb_simulations::scenarios::file;
use greenkerb_simulations::sumo::Installation;

use crate::small::installation;

const SEEDS: std::ops::RangeInclusive<u64> = 1..=3;
/// How far mean durations may lie apart.
const DURATION_SHARE: f64 = 0.05;
/// The GEH statistic of hourly counts that a link may have, and the share of links that must keep to it.
const GEH: f64 = 5.0;
const GEH_SHARE: f64 = 0.9;

/// Mean trip duration over all seeds, and vehicles on every link.
#[derive(Debug, Default)]
struct Found {
    duration_s: f64,
    links: BTreeMap<String, f64>,
}

#[test]
fn a_town_of_rings_is_driven_as_in_sumo() {
    let shape = ["--spider", "--spider.arm-number", "6", "--spider.circle-number", "4", "--spider.space-radius", "150"];
    compare(&shape, 30, 1_500);
}

#[test]
fn a_town_at_random_is_driven_as_in_sumo() {
    compare(&["--rand", "--rand.iterations", "40", "--default.lanenumber", "2"], 40, 1_200);
}

fn compare(shape: &[&str], signals_from: u32, trips: usize) {
    let Some(sumo) = installation() else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let home = sumo.home().unwrap_or(Path::new("")).to_owned();
    let made = Command::new(sumo.program("netgenerate"))
        .args(shape)
        .args(["--seed", "5", "--tls.guess", "--tls.guess.threshold", &signals_from.to_string(), "-o"])
        .arg(path("net.xml"))
        .env("SUMO_HOME", &home)
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    std::fs::write(path("rou.xml"), demand(&path("net.xml"), trips)).unwrap();
    std::fs::write(
        path("town.sumocfg"),
        "<configuration><input><net-file value='net.xml'/><route-files value='rou.xml'/></input>\
         <time><begin value='0'/><end value='3600'/></time></configuration>",
    )
    .unwrap();
    let (ours, theirs) = (ours(&path("town.sumocfg")), theirs(&sumo, folder.path()));
    let share = ours.duration_s / theirs.duration_s - 1.0;
    println!("durations {:.1} s, in SUMO {:.1} s ({:+.1} %)", ours.duration_s, theirs.duration_s, 100.0 * share);
    assert!(share.abs() <= DURATION_SHARE, "durations {:.1} s, in SUMO {:.1} s", ours.duration_s, theirs.duration_s);
    let all: BTreeMap<&String, ()> = ours.links.keys().chain(theirs.links.keys()).map(|l| (l, ())).collect();
    let geh = |l: &String| {
        let (a, b) = (ours.links.get(l).unwrap_or(&0.0), theirs.links.get(l).unwrap_or(&0.0));
        (2.0 * (a - b) * (a - b) / (a + b)).sqrt()
    };
    let near = all.keys().filter(|l| geh(l) < GEH).count();
    assert!(near as f64 >= GEH_SHARE * all.len() as f64, "{near} of {} links agree", all.len());
}

/// Trips from anywhere to anywhere, evenly over an hour.
fn demand(net: &Path, trips: usize) -> String {
    let network = formats::read(net).unwrap().network;
    let (n, times) = (network.links().len(), LinkTimes::free_flow(&network));
    let mut state = 7_u64;
    let mut any = || {
        // Knuth's generator (MMIX): enough to scatter trips.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        LinkId::at((state >> 33) as usize % n)
    };
    let mut xml = String::from("<routes>\n");
    let mut made = 0;
    while made < trips {
        let (from, to) = (any(), any());
        let way = Tree::to(&network, VehicleClass::Car, &times, to).way_from(from);
        if way.is_none_or(|w| w.len() < 4) {
            continue;
        }
        let (from, to) = (&network.link(from).name, &network.link(to).name);
        let depart_s = made as f64 * 3_600.0 / trips as f64;
        writeln!(xml, r#"  <trip id="{made}" depart="{depart_s:.0}" from="{from}" to="{to}"/>"#).unwrap();
        made += 1;
    }
    xml.push_str("</routes>\n");
    xml
}

fn ours(configuration: &Path) -> Found {
    let scenario = file::open(configuration).unwrap().scenario;
    let (mut found, seeds) = (Found::default(), SEEDS.count() as f64);
    for seed in SEEDS {
        let mut control = control::build("shipped", &scenario).unwrap();
        let mut collector = Collector::new(&scenario, false);
        let options = MicroOptions { seed, threads: 1 };
        let mut listener = |street: &greenkerb_simulations::micro::Micro| collector.observe(street);
        control::run(&scenario, options, &mut *control, &mut listener, &Cancel::default(), &mut |_| {}).unwrap();
        let (measures, _) = collector.finish();
        found.duration_s += measures.travel_time.trip_s.unwrap() / seeds;
        for (link, n) in measures.link_counts_veh {
            *found.links.entry(link).or_default() += n as f64 / seeds;
        }
    }
    found
}

fn theirs(sumo: &Installation, folder: &Path) -> Found {
    std::fs::write(folder.join("links.add.xml"), "<additional><edgeData id='all' file='links.xml'/></additional>")
        .unwrap();
    let (mut found, seeds) = (Found::default(), SEEDS.count() as f64);
    for seed in SEEDS {
        let ran = Command::new(&sumo.sumo)
            .current_dir(folder)
            .args(["-c", "town.sumocfg", "-a", "links.add.xml", "--tripinfo-output", "trips.xml"])
            .args(["--tripinfo-output.write-unfinished", "--time-to-teleport", "-1", "--no-warnings", "--no-step-log"])
            .args(["--seed", &seed.to_string()])
            .output()
            .unwrap();
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        let trips = std::fs::read_to_string(folder.join("trips.xml")).unwrap();
        let durations: Vec<f64> = elements(&trips, "<tripinfo ").map(|t| number(t, "duration")).collect();
        found.duration_s += durations.iter().sum::<f64>() / durations.len() as f64 / seeds;
        let links = std::fs::read_to_string(folder.join("links.xml")).unwrap();
        for link in elements(&links, "<edge ") {
            let n = number(link, "entered") + number(link, "departed");
            if n > 0.0 {
                *found.links.entry(text(link, "id").to_owned()).or_default() += n / seeds;
            }
        }
    }
    found
}

/// What follows every beginning of an element, up to its end.
fn elements<'a>(xml: &'a str, begins: &'a str) -> impl Iterator<Item = &'a str> {
    xml.split(begins).skip(1).map(|rest| rest.split_once('>').map_or(rest, |(element, _)| element))
}

fn text<'a>(element: &'a str, attribute: &str) -> &'a str {
    let at = if element.starts_with(&format!("{attribute}=\"")) {
        0
    } else {
        element.find(&format!(" {attribute}=\"")).unwrap() + 1
    };
    let rest = &element[at + attribute.len() + 2..];
    rest.split('"').next().unwrap()
}

fn number(element: &str, attribute: &str) -> f64 {
    text(element, attribute).parse().unwrap()
}
