//! The native demand format: what is written is read back the same, and what is damaged is refused.

use greenkerb_models::demand::{Demand, DemandParts, PeopleFlow, TurningShare, Way};
use greenkerb_models::formats::sumo_demand::{self, SumoDemandOptions};
use greenkerb_models::formats::{Source, native_demand, sumo_net};
use greenkerb_models::ids::CrossingId;
use greenkerb_models::network::Network;
use greenkerb_models::units::TimeDs;

fn crossroads() -> Network {
    sumo_net::read_bytes("n", include_bytes!("../data/crossroads.net.xml")).unwrap().network
}

/// A demand with something of everything.
fn everything(net: &Network) -> Demand {
    let text = "<routes><busStop id='bs' lane='from_west_0' endPos='35'/>
        <parkingArea id='lot' lane='to_east_0' roadsideCapacity='5'/><vType id='bus' vClass='bus'/>
        <route id='r' edges='from_west to_east'/>
        <vehicle id='b' type='bus' route='r' depart='1.5' departLane='0' departSpeed='2.5'>
          <stop busStop='bs' duration='20' until='90'/></vehicle>
        <trip id='p' depart='100' from='from_west' to='to_east'><stop parkingArea='lot' duration='600'/></trip>
        <flow id='f' begin='0' end='9' period='exp(0.1)' from='from_north' to='to_south' departSpeed='max'/></routes>";
    let source = Source { name: "d".into(), text: text.into() };
    let read = sumo_demand::read_sources(net, &[source], SumoDemandOptions::default()).unwrap();
    let mut parts: DemandParts = read.demand.parts().clone();
    let link = |name: &str| net.link_named(name).unwrap();
    parts.turning.push(TurningShare { from: link("from_west"), to: link("to_north"), share: 0.25 });
    let mut wanderer = parts.trips[0].clone();
    (wanderer.name, wanderer.way) = ("w".into(), Way::Turning { from: link("from_west") });
    wanderer.stays.clear();
    parts.trips.push(wanderer);
    let (begin, end) = (TimeDs(0), TimeDs(9_000));
    parts.people.push(PeopleFlow { crossing: CrossingId::at(1), people_per_h: 120.0, begin, end });
    parts.build(net).unwrap()
}

fn written(net: &Network, demand: &Demand) -> String {
    let mut bytes = Vec::new();
    native_demand::write(net, demand, &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

fn read(net: &Network, text: &str) -> Result<Demand, String> {
    let source = Source { name: "town.gkd".into(), text: text.into() };
    native_demand::read_source(net, &source).map_err(|e| {
        // Whoever prints an error with its causes says nothing twice.
        assert!(std::error::Error::source(&e).is_none(), "{e}");
        e.to_string()
    })
}

#[test]
fn what_is_written_is_read_back_the_same() {
    let net = crossroads();
    let demand = everything(&net);
    let text = written(&net, &demand);
    let back = read(&net, &text).unwrap();
    assert_eq!(back, demand);
    assert_eq!(written(&net, &back), text);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("packed.gkd.gz");
    native_demand::write_file(&net, &demand, &path).unwrap();
    assert_eq!(native_demand::read(&net, &path).unwrap(), demand);
}

#[test]
fn a_demand_outlives_the_order_of_its_network() {
    let net = crossroads();
    let text = written(&net, &everything(&net));
    // The same streets with a bay more in front of them: every link has another number.
    let other = include_str!("../data/crossroads.net.xml").replacen(
        "    <edge id=\"from_",
        "    <edge id=\"spur\" from=\"centre\" to=\"east\"><lane id=\"spur_0\" index=\"0\" speed=\"9\" length=\"20\" shape=\"0,0 20,0\"/></edge>\n    <edge id=\"from_",
        1,
    );
    let other = sumo_net::read_bytes("n", other.as_bytes()).unwrap().network;
    assert_ne!(other.link_named("from_west"), net.link_named("from_west"));
    let moved = read(&other, &text).unwrap();
    assert_eq!(written(&other, &moved), text);
}

#[test]
fn a_line_written_by_hand_needs_only_what_it_says() {
    let net = crossroads();
    let kind = written(&net, &everything(&net)).lines().find(|l| l.starts_with("kind ")).unwrap().to_owned();
    let trip = r#"trip {"name":"a","kind":"bus","depart":0,"way":{"between":{"from":"from_west","to":"to_east"}}}"#;
    let demand = read(&net, &format!("greenkerb-demand 1\n# by hand\n{kind}\n\n{trip}\nend 2\n")).unwrap();
    assert_eq!(demand.parts().trips.len(), 1);
}

#[test]
fn damage_is_refused_by_line() {
    let net = crossroads();
    let text = written(&net, &everything(&net));
    let refusal = |text: &str| read(&net, text).expect_err("damage must be refused");
    assert_eq!(refusal("greenkerb-network 2"), "town.gkd: this is a native network; a native demand is wanted here");
    let newer = text.replacen("demand 1", "demand 7", 1);
    assert_eq!(refusal(&newer), "town.gkd:1: version 7 of the format is not known here, only 1 is");
    let nowhere = text.replacen("\"from_west\"", "\"from_nowhere\"", 1);
    assert_eq!(refusal(&nowhere), "town.gkd:4: route record 'r': there is no link 'from_nowhere'");
    let unknown = text.replacen("\"depart\":", "\"depart_s\":", 1);
    assert!(refusal(&unknown).contains("unknown field `depart_s`"), "{}", refusal(&unknown));
    for (field, said) in [
        ("\"depart\":", ": missing field `depart`"),
        ("\"min_gap\":", ": missing field `min_gap`"),
        ("\"deviation\":", ": speed_factor: missing field `deviation`"),
        ("\"dwell\":", ": stays[0]: missing field `dwell`"),
        ("\"people_per_h\":", "people record: missing field `people_per_h`"),
    ] {
        let line = text.lines().find(|l| l.contains(field)).unwrap();
        // Without the field and its value.
        let (before, rest) = line.split_once(field).unwrap();
        let rest = &rest[rest.find([',', '}']).unwrap()..];
        let without =
            format!("{}{}", before.trim_end_matches(','), if before.ends_with('{') { &rest[1..] } else { rest });
        let wrong = refusal(&text.replacen(line, &without, 1));
        assert!(wrong.contains(said), "{wrong}\nnot\n{said}");
    }
    let shifted = text.replacen("\"deviation\":", "\"deviation\":\"a\",\"was\":", 1);
    assert!(refusal(&shifted).contains(": speed_factor.deviation: invalid type: string"), "{}", refusal(&shifted));
    let wild = text.replacen("\"deviation\":0.0", "\"deviation\":-0.5", 1);
    assert!(refusal(&wild).contains("makes no distribution: mean 1, deviation -0.5"), "{}", refusal(&wild));
    let typeless = text.replacen("\"kind\":\"bus\"", "\"kind\":\"tram\"", 1);
    assert!(refusal(&typeless).contains("there is no vehicle kind 'tram'"), "{}", refusal(&typeless));
    let cut = &text[..text.rfind("end ").unwrap()];
    assert!(refusal(cut).contains("the file should end with `end "), "{}", refusal(cut));
    let gap = text.replacen("\"links\":[\"from_west\",\"to_east\"]", "\"links\":[\"to_east\",\"from_west\"]", 1);
    let line = |wanted: &str| text.lines().position(|l| l.starts_with(wanted)).unwrap() + 1;
    assert_eq!(
        refusal(&gap),
        format!("town.gkd:{}: route 'r': no movement leads from link 'to_east' to link 'from_west'", line("route "))
    );
    for (from, to, place, reason) in [
        (
            "\"depart_lane\":{\"index\":0}",
            "\"depart_lane\":{\"index\":7}",
            "trip ",
            "vehicle 'b': it departs on lane 7 of link 'from_west', whose lanes are 0 to 1",
        ),
        (
            "\"share\":0.25",
            "\"share\":-0.25",
            "turning ",
            "turning share '#0': from link 'from_west' to link 'to_north': a share of -0.25",
        ),
        ("\"share\":0.25", "\"share\":0.0", "turning ", "turning shares of link 'from_west': all of them are zero"),
        ("\"end\":90", "\"end\":-90", "flow ", "flow 'f': it ends before it begins"),
        (
            "{\"poisson\":360.0}",
            "{\"poisson\":1e15}",
            "flow ",
            "flow 'f': 2500000000000 vehicles are more than 50000000",
        ),
        ("{\"poisson\":360.0}", "{\"every\":{\"period_s\":1e-9}}", "flow ", "flow 'f': a period of 0.000000001 s"),
        (
            "\"people_per_h\":120.0",
            "\"people_per_h\":-1.0",
            "people ",
            "people '#0': at crossing ':centre_c1': -1 per hour; 0 to 100000 can be",
        ),
        (
            "\"people_per_h\":120.0",
            "\"people_per_h\":1e6",
            "people ",
            "people '#0': at crossing ':centre_c1': 1000000 per hour; 0 to 100000 can be",
        ),
        ("\"occupied\":0", "\"occupied\":6", "facility ", "parking facility 'lot': 6 of 5 bays are taken"),
    ] {
        assert!(text.contains(from), "{from}: {text}");
        let wrong = text.replacen(from, to, 1);
        assert_eq!(refusal(&wrong), format!("town.gkd:{}: {reason}", line(place)));
    }
    let fast = text.replacen("\"depart_speed\":{\"fixed\":2.5}", "\"depart_speed\":{\"fixed\":250.0}", 1);
    let most = everything(&net).parts().kinds.iter().find(|k| k.name == "bus").unwrap().speed_max;
    assert_eq!(
        refusal(&fast),
        format!(
            "town.gkd:{}: vehicle 'b': departure speed 250 m/s; its kind 'bus' drives {most} at most",
            line("trip ")
        )
    );
}
