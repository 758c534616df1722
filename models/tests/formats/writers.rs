//! Files for others: plans and detectors for SUMO, maps as GeoJSON.

use greenkerb_models::formats::sumo_demand::{self, SumoDemandOptions};
use greenkerb_models::formats::{Source, geojson, sumo_additional, sumo_net};
use greenkerb_models::network::Network;
use greenkerb_models::signal::{Controller, TimingPlan};
use greenkerb_models::units::Ds;

const CROSSROADS: &str = include_str!("../data/crossroads.net.xml");

fn net(text: &str) -> Network {
    sumo_net::read_bytes("n", text.as_bytes()).unwrap().network
}

fn additional(net: &Network, plans: &[(&Controller, &TimingPlan)]) -> String {
    let mut bytes = Vec::new();
    sumo_additional::write(net, plans, net.detectors(), &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

/// The network with its own programs taken out and those of an additional file put in.
fn with_programs(text: &str, additional: &str) -> String {
    let cut = |text: &str| {
        let (from, to) = (text.find("<tlLogic").unwrap(), text.rfind("</tlLogic>").unwrap() + "</tlLogic>".len());
        (text[..from].to_owned(), text[from..to].to_owned(), text[to..].to_owned())
    };
    let (before, _, after) = cut(text);
    before + &cut(additional).1 + &after
}

#[test]
fn plans_come_back_as_sumo_programs() {
    for text in [CROSSROADS, include_str!("../data/rings.net.xml")] {
        let net = net(text);
        let plans: Vec<TimingPlan> =
            net.controllers().iter().map(|c| TimingPlan { offset: Ds(125), ..c.time_of_day_plan() }).collect();
        let pairs: Vec<_> = net.controllers().iter().zip(&plans).collect();
        let back = self::net(&with_programs(text, &additional(&net, &pairs)));
        for (controller, plan) in &pairs {
            let other = back.controller(back.controller_named(&controller.name).unwrap());
            let theirs = other.time_of_day_plan();
            assert_eq!((theirs.cycle, theirs.offset), (plan.cycle, Ds(125)), "{}", controller.name);
            for (group, greens) in controller.groups.iter().zip(&plan.greens) {
                let g = other.groups.iter().position(|g| g.link_indices == group.link_indices).unwrap();
                assert_eq!(&theirs.greens[g], greens, "{} of {}", group.name, controller.name);
                assert_eq!(other.groups[g].yellow, group.yellow);
            }
        }
    }
}

#[test]
fn detectors_come_back_from_additional_files() {
    let net = net(CROSSROADS);
    let text = additional(&net, &[]);
    let source = Source { name: "x.add.xml".into(), text };
    let read = sumo_demand::read_sources(&net, &[source], SumoDemandOptions::default()).unwrap();
    assert_eq!(read.detectors.len(), net.detectors().len());
    for (mine, theirs) in net.detectors().iter().zip(&read.detectors) {
        assert_eq!(
            (&mine.name, mine.lane, mine.kind, &mine.watches),
            (&theirs.name, theirs.lane, theirs.kind, &theirs.watches)
        );
        assert!((mine.to_lane_end.get() - theirs.to_lane_end.get()).abs() < 0.006);
        assert!((mine.length.get() - theirs.length.get()).abs() < 0.006);
    }
}

#[test]
fn a_network_is_a_map() {
    let net = net(CROSSROADS);
    let mut bytes = Vec::new();
    geojson::write(&net, &mut bytes).unwrap();
    let map: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    let features = map["features"].as_array().unwrap();
    let count = |kind: &str| features.iter().filter(|f| f["properties"]["kind"] == kind).count();
    for (kind, there) in [
        ("link", net.links().len()),
        ("lane", net.lanes().len()),
        ("connection", net.connections().len()),
        ("crossing", net.crossings().len()),
        ("node", net.nodes().len()),
        ("detector", net.detectors().len()),
    ] {
        assert_eq!(count(kind), there, "{kind}");
    }
    let centre = features.iter().find(|f| f["properties"]["name"] == "centre").unwrap();
    assert_eq!(centre["properties"]["controller"], "centre");
    for f in features {
        let coordinates = &f["geometry"]["coordinates"];
        let points = if f["geometry"]["type"] == "Point" {
            vec![coordinates]
        } else {
            coordinates.as_array().unwrap().iter().collect()
        };
        assert!(!points.is_empty());
        assert!(points.iter().all(|p| p[0].as_f64().unwrap().abs() < 1.0 && p[1].as_f64().unwrap().abs() < 1.0));
    }
}
