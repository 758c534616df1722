//! CityFlow files in and out: what is read, what is refused and with which words.

use std::path::{Path, PathBuf};

use greenkerb_models::demand::{Emission, Way};
use greenkerb_models::formats::cityflow::{self, RoadnetOptions};
use greenkerb_models::formats::{Import, Source};
use greenkerb_models::ids::{GroupId, LaneId};
use greenkerb_models::network::{Network, Turn};
use greenkerb_models::signal::{Indication, Relation, StepKind};
use greenkerb_models::units::{Ds, TimeDs};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Eastbound and northbound streets of 200 m that cross at `c`, two lanes from the west, one from the south; the left
/// lane from the west turns left as well. From the north comes a lane that may only turn left into the eastern road.
fn town() -> Value {
    let road = |id: &str, from: &str, to: &str, points: [[f64; 2]; 2], lanes: usize| {
        json!({
            "id": id, "startIntersection": from, "endIntersection": to,
            "points": points.map(|[x, y]| json!({ "x": x, "y": y })),
            "lanes": vec![json!({ "width": 4, "maxSpeed": 11.111 }); lanes],
        })
    };
    let at_edge =
        |id: &str, x: f64, y: f64| json!({ "id": id, "point": { "x": x, "y": y }, "virtual": true, "width": 9 });
    let link = |kind: &str, from: &str, to: &str, lanes: &[[usize; 2]]| {
        let lanes: Vec<Value> = lanes.iter().map(|[a, b]| json!({ "startLaneIndex": a, "endLaneIndex": b })).collect();
        json!({ "type": kind, "startRoad": from, "endRoad": to, "laneLinks": lanes })
    };
    json!({
        "intersections": [
            at_edge("west", -200.0, 0.0), at_edge("east", 200.0, 0.0),
            at_edge("south", 0.0, -200.0), at_edge("north", 0.0, 200.0),
            {
                "id": "c", "point": { "x": 0, "y": 0 }, "width": 20, "virtual": false,
                "roadLinks": [
                    link("go_straight", "w", "e", &[[0, 0], [1, 1]]),
                    link("turn_left", "w", "n", &[[0, 0]]),
                    link("go_straight", "s", "n", &[[0, 0]]),
                    link("turn_right", "s", "e", &[[0, 1]]),
                    link("turn_left", "down", "e", &[[0, 0]]),
                ],
                "trafficLight": { "lightphases": [
                    { "time": 5, "availableRoadLinks": [3] },
                    { "time": 30, "availableRoadLinks": [0, 1, 3] },
                    { "time": 25, "availableRoadLinks": [2, 3] },
                    { "time": 20, "availableRoadLinks": [3, 4] },
                ] },
            },
        ],
        "roads": [
            road("w", "west", "c", [[-200.0, 0.0], [0.0, 0.0]], 2),
            road("e", "c", "east", [[0.0, 0.0], [200.0, 0.0]], 2),
            road("s", "south", "c", [[0.0, -200.0], [0.0, 0.0]], 1),
            road("n", "c", "north", [[0.0, 0.0], [0.0, 200.0]], 1),
            road("down", "north", "c", [[0.0, 200.0], [0.0, 0.0]], 1),
        ],
    })
}

fn vehicle() -> Value {
    json!({
        "length": 5.0, "width": 2.0, "maxPosAcc": 2.0, "maxNegAcc": 4.5, "usualPosAcc": 1.5, "usualNegAcc": 4.0,
        "minGap": 2.5, "maxSpeed": 11.111, "headwayTime": 2,
    })
}

fn vehicles() -> Value {
    json!([
        { "vehicle": vehicle(), "route": ["w", "e"], "interval": 2.5, "startTime": 10, "endTime": 20 },
        { "vehicle": vehicle(), "route": ["s", "n"], "interval": 1.0, "startTime": 3, "endTime": 3 },
    ])
}

fn source(value: &Value) -> Source {
    Source { name: "dir/town.json".into(), text: value.to_string() }
}

fn read(value: &Value) -> Import {
    cityflow::read_roadnet_source(&source(value), &RoadnetOptions::default()).unwrap()
}

fn network() -> Network {
    read(&town()).network
}

fn refusal(change: impl FnOnce(&mut Value)) -> String {
    let mut value = town();
    change(&mut value);
    let refused = cityflow::read_roadnet_source(&source(&value), &RoadnetOptions::default());
    refused.expect_err("must be refused").to_string()
}

fn flow_refusal(change: impl FnOnce(&mut Value)) -> String {
    let mut value = vehicles();
    change(&mut value);
    cityflow::read_flow_source(&source(&value), &network()).expect_err("must be refused").to_string()
}

#[test]
fn lanes_are_counted_from_the_right_and_cut_by_the_junction() {
    let net = network();
    assert_eq!((net.name(), net.nodes().len(), net.links().len(), net.lanes().len()), ("town", 5, 5, 7));
    let west = net.link(net.link_named("w").unwrap());
    let names: Vec<&str> = west.lanes.iter().map(|l| net.lane(*l).name.as_str()).collect();
    assert_eq!(names, ["w_1", "w_0"], "CityFlow's lane 0 is the innermost");
    // 200 m less the width of one junction; the boundary's width does not count.
    for lane in &west.lanes {
        assert_eq!((net.lane(*lane).length.get(), net.lane(*lane).width.get()), (180.0, 4.0));
    }
    let inner = net.lane(net.lane_named("w_0").unwrap());
    assert_eq!(inner.shape.0.iter().map(|p| (p.x, p.y)).collect::<Vec<_>>(), [(-200.0, -2.0), (-20.0, -2.0)]);
}

#[test]
fn road_links_are_movements_and_turns_are_slow() {
    let net = network();
    assert_eq!((net.movements().len(), net.connections().len()), (5, 6));
    let turns: Vec<Turn> = net.movements().iter().map(|m| m.turn).collect();
    assert_eq!(turns, [Turn::Straight, Turn::Left, Turn::Straight, Turn::Right, Turn::Left]);
    for c in net.connections() {
        let turning = net.movement(c.movement).turn != Turn::Straight;
        assert_eq!(c.speed.get(), if turning { 8.3333 } else { 11.111 });
    }
    // Lane links without points become curves; straight from lane to lane it is 31 m.
    let left = &net.connections()[2];
    assert!((31.2..37.0).contains(&left.length.get()), "{}", left.length);
}

#[test]
fn ways_that_meet_are_told_with_who_goes_first() {
    let net = network();
    let pairs: Vec<(u32, u32, bool, bool)> =
        net.parts().conflicts.iter().map(|c| (c.first.0, c.second.0, c.first_yields, c.second_yields)).collect();
    // 0, 1: straight on from the west, 2: left from there, 3: straight from the south, 4: right, 5: left from the north.
    assert_eq!(
        pairs,
        [
            (0, 2, false, false), // leave one lane together
            (0, 3, false, false), // straight and straight: who comes first
            (0, 5, false, true),  // one lane to go to, the left turn waits
            (1, 3, false, false),
            (1, 4, false, true), // one lane to go to, the right turn waits
            (2, 3, true, false),
            (2, 5, false, false),
            (3, 4, false, false),
            (3, 5, false, true), // oncoming
        ]
    );
    let crossing = net.parts().conflicts[1];
    assert!((crossing.first_at.get() - 22.0).abs() < 0.5 && (crossing.second_at.get() - 18.0).abs() < 0.5);
    assert_eq!(net.parts().conflicts[0].first_at.get(), 0.0);
}

#[test]
fn phases_become_stages_with_clearances_between_them() {
    let net = network();
    let c = &net.controllers()[0];
    let names: Vec<&str> = c.groups.iter().map(|g| g.name.as_str()).collect();
    assert_eq!(names, ["w>e", "w>n", "s>n", "s>e", "down>e"]);
    let steps: Vec<(bool, u32)> =
        c.program.steps.iter().map(|s| (matches!(s.kind, StepKind::Stage { .. }), s.shipped.0)).collect();
    // The pause of 5 s comes first; the other stages end 5 s early. Yellow at 40 km/h is 3 s.
    let pause = [(false, 30), (false, 20)];
    assert_eq!(steps, [&pause[..], &[(true, 250)], &pause, &[(true, 200)], &pause, &[(true, 200)]].concat());
    assert_eq!(c.time_of_day_plan().cycle, Ds::from_s(80), "the file's own cycle");
    let shown: Vec<String> =
        c.program.steps.iter().map(|s| s.shows.iter().map(|i| i.letter()).collect::<String>()).collect();
    assert_eq!(shown, ["rrrgy", "rrrgr", "GGrgr", "yyrgr", "rrrgr", "rrGgr", "rrygr", "rrrgr", "rrrgG"]);
}

#[test]
fn the_conflict_matrix_knows_what_phases_never_show_together() {
    let net = network();
    let c = &net.controllers()[0];
    let get = |a: usize, b: usize| c.conflicts.get(GroupId::at(a), GroupId::at(b));
    let apart = Relation::Conflict { intergreen: Ds::from_s(5) };
    assert_eq!((get(0, 2), get(2, 0), get(0, 4), get(1, 2)), (apart, apart, apart, apart));
    assert_eq!(get(0, 1), Relation::Compatible, "one stream until they part");
    assert_eq!(get(3, 0), Relation::Permitted { yields: true, intergreen: Ds::from_s(5) });
    assert_eq!(get(0, 3), Relation::Permitted { yields: false, intergreen: Ds::from_s(5) });
    assert_eq!(c.group(GroupId(0)).yellow, Ds::from_s(3));
}

#[test]
fn clearance_and_shortest_green_can_be_asked_for() {
    let options = RoadnetOptions { clearance: Some(Ds::from_s(2)), min_green: Ds::from_s(8) };
    let net = cityflow::read_roadnet_source(&source(&town()), &options).unwrap().network;
    let c = &net.controllers()[0];
    assert_eq!(c.program.clearance_total(), Ds::from_s(6));
    assert!(c.groups.iter().all(|g| (g.yellow, g.min_green) == (Ds::from_s(2), Ds::from_s(8))));
}

#[test]
fn a_permissive_turn_never_loses_its_green_before_the_stream_it_yields_to() {
    let mut value = town();
    // From the west straight on runs through both stages, the left turn and straight from the north only through one.
    value["intersections"][4]["roadLinks"][4] =
        json!({ "type": "go_straight", "startRoad": "s", "endRoad": "n", "laneLinks": [] });
    value["intersections"][4]["roadLinks"][4] = json!({
        "type": "turn_left", "startRoad": "down", "endRoad": "e",
        "laneLinks": [{ "startLaneIndex": 0, "endLaneIndex": 0 }],
    });
    value["intersections"][4]["trafficLight"]["lightphases"] = json!([
        { "time": 30, "availableRoadLinks": [0, 4] },
        { "time": 30, "availableRoadLinks": [0, 1, 3] },
        { "time": 30, "availableRoadLinks": [2, 3] },
    ]);
    let net = read(&value).network;
    let c = &net.controllers()[0];
    let shown: Vec<String> =
        c.program.steps.iter().map(|s| s.shows.iter().map(|i| i.letter()).collect::<String>()).collect();
    assert_eq!(shown[..3], ["Grrrg", "yrrry", "rrrrr"], "both end together");
    assert_eq!(c.program.steps[3].shows[0], Indication::Protected);
}

#[test]
fn vehicles_come_as_the_file_says() {
    let net = network();
    let demand = cityflow::read_flow_source(&source(&vehicles()), &net).unwrap().demand;
    let parts = demand.parts();
    assert_eq!((parts.kinds.len(), parts.routes.len(), parts.flows.len()), (1, 2, 2));
    let kind = &parts.kinds[0];
    assert_eq!((kind.accel.get(), kind.usual_accel.get()), (2.0, 1.5));
    assert_eq!((kind.decel.get(), kind.emergency_decel.get(), kind.headway_s), (4.0, 4.5, 2.0));
    let first = &parts.flows[0];
    assert_eq!((first.template.depart, first.end), (TimeDs::from_s(10), TimeDs::from_s(20)));
    assert_eq!(first.emission, Emission::Every { period_s: 2.5 });
}

#[test]
fn anchors_are_joined_by_the_shortest_way() {
    // A detour of two short roads beside one long one.
    let node = |id: &str, x: f64, y: f64, boundary: bool, links: Value| json!({ "id": id, "point": { "x": x, "y": y }, "width": 0, "virtual": boundary, "roadLinks": links });
    let road = |id: &str, from: &str, to: &str, points: &[[f64; 2]]| {
        let points: Vec<Value> = points.iter().map(|[x, y]| json!({ "x": x, "y": y })).collect();
        json!({
            "id": id, "startIntersection": from, "endIntersection": to, "points": points,
            "lanes": [{ "width": 3, "maxSpeed": 10 }],
        })
    };
    let link = |from: &str, to: &str| {
        json!({
            "type": "go_straight", "startRoad": from, "endRoad": to,
            "laneLinks": [{ "startLaneIndex": 0, "endLaneIndex": 0, "points": [{ "x": 0, "y": 0 }, { "x": 1, "y": 0 }] }],
        })
    };
    let value = json!({
        "intersections": [
            node("a", -100.0, 0.0, true, json!([])),
            node("b", 0.0, 0.0, false, json!([link("in", "long"), link("in", "up")])),
            node("m", 50.0, 20.0, false, json!([link("up", "down")])),
            node("d", 100.0, 0.0, false, json!([link("long", "out"), link("down", "out")])),
            node("z", 200.0, 0.0, true, json!([])),
        ],
        "roads": [
            road("in", "a", "b", &[[-100.0, 0.0], [0.0, 0.0]]),
            road("long", "b", "d", &[[0.0, 0.0], [50.0, -90.0], [100.0, 0.0]]),
            road("up", "b", "m", &[[0.0, 0.0], [50.0, 20.0]]),
            road("down", "m", "d", &[[50.0, 20.0], [100.0, 0.0]]),
            road("out", "d", "z", &[[100.0, 0.0], [200.0, 0.0]]),
        ],
    });
    let net = read(&value).network;
    assert!(net.controllers().is_empty());
    let flow = |route: Value| {
        let value = json!([{ "vehicle": vehicle(), "route": route, "interval": 1, "startTime": 0, "endTime": -1 }]);
        cityflow::read_flow_source(&source(&value), &net)
    };
    let import = flow(json!(["in", "out"])).unwrap();
    let names: Vec<&str> = import.demand.parts().routes[0].links.iter().map(|l| net.link(*l).name.as_str()).collect();
    assert_eq!(names, ["in", "up", "down", "out"]);
    assert!(matches!(import.demand.parts().flows[0].template.way, Way::Along(_)));
    assert_eq!(import.demand.parts().flows[0].end, TimeDs::from_s(86_400));
    assert!(import.notes[0].text.contains("without an end"), "{:?}", import.notes);
    let refused = flow(json!(["out", "in"])).unwrap_err().to_string();
    assert_eq!(refused, "dir/town.json: flow '#0': no way leads from road 'out' to road 'in'");
}

#[test]
fn a_broken_road_network_is_refused_by_element() {
    let cut = Source { name: "dir/town.json".into(), text: town().to_string()[..200].to_owned() };
    let broken = cityflow::read_roadnet_source(&cut, &RoadnetOptions::default()).unwrap_err().to_string();
    assert!(broken.starts_with("dir/town.json:1:200: broken JSON: EOF"), "{broken}");
    let c = |v: &mut Value| v["intersections"][4].take();
    for (said, expected) in [
        (refusal(|v| v["roads"] = json!(7)), "roads: invalid type: integer `7`, expected a sequence"),
        (
            refusal(|v| {
                c(v);
            }),
            "intersection '#4': invalid type: null, expected struct Intersection",
        ),
        (
            refusal(|v| v["roads"][0]["lanes"][1]["width"] = json!("x")),
            "road 'w': lanes[1].width: invalid type: string \"x\", expected f64",
        ),
        (refusal(|v| v["roads"][1]["id"] = json!("w")), "road 'w': defined twice"),
        (
            refusal(|v| v["roads"][1]["endIntersection"] = json!("nowhere")),
            "road 'e': endIntersection refers to intersection 'nowhere', which does not exist",
        ),
        (refusal(|v| v["roads"][0]["lanes"] = json!([])), "road 'w': lanes has 0 entries, fewer than 1"),
        (
            refusal(|v| v["roads"][0]["points"][0] = json!({ "x": -15, "y": 0 })),
            "road 'w': it is 15.0 m long, and the widths of its intersections take 20.0 m: nothing is left",
        ),
        (refusal(|v| v["roads"][0]["points"][0] = json!({ "x": 0, "y": 0 })), "road 'w': it is 0.0 m long"),
        (
            refusal(|v| v["roads"][0]["lanes"][1]["maxSpeed"] = json!(0)),
            "road 'w': lanes[1].maxSpeed is 0, not a number above zero",
        ),
        (
            refusal(|v| v["intersections"][4]["width"] = json!(-1)),
            "intersection 'c': width is -1, not a number of zero or more",
        ),
        (
            refusal(|v| v["intersections"][4]["roadLinks"][1]["type"] = json!("turn_back")),
            "intersection 'c': roadLinks[1].type is 'turn_back', not go_straight, turn_left or turn_right",
        ),
        (
            refusal(|v| v["intersections"][4]["roadLinks"][1]["endRoad"] = json!("gone")),
            "intersection 'c': roadLinks[1].endRoad refers to road 'gone', which does not exist",
        ),
        (
            refusal(|v| v["intersections"][4]["roadLinks"][1]["startRoad"] = json!("e")),
            "intersection 'c': irregular: roadLinks[1].startRoad 'e' does not end here",
        ),
        (
            refusal(|v| v["intersections"][4]["roadLinks"][1]["endRoad"] = json!("w")),
            "intersection 'c': irregular: roadLinks[1].endRoad 'w' does not start here",
        ),
        (
            refusal(|v| v["intersections"][4]["roadLinks"][1]["endRoad"] = json!("e")),
            "intersection 'c': irregular: roadLinks[1] joins the same roads as roadLinks[0]",
        ),
        (
            refusal(|v| v["intersections"][4]["roadLinks"][2]["laneLinks"] = json!([])),
            "intersection 'c': roadLinks[2].laneLinks has 0 entries, fewer than 1",
        ),
        (
            refusal(|v| v["intersections"][4]["roadLinks"][2]["laneLinks"][0]["endLaneIndex"] = json!(1)),
            "intersection 'c': roadLinks[2].laneLinks[0].endLaneIndex is 1, but there are only 1 lanes of road 'n'",
        ),
        (
            refusal(|v| v["intersections"][4]["trafficLight"]["lightphases"][1]["availableRoadLinks"] = json!([5])),
            "trafficLight.lightphases[1].availableRoadLinks is 5, but there are only 5 roadLinks",
        ),
        (
            refusal(|v| v["intersections"][4]["trafficLight"]["lightphases"][1]["time"] = json!(-3)),
            "trafficLight.lightphases[1].time is -3, not a number above zero",
        ),
        (
            refusal(|v| {
                let phase = |k: usize| json!({ "time": 20, "availableRoadLinks": [2 * (k % 2)] });
                let phases: Vec<Value> = (0..60).map(phase).collect();
                v["intersections"][4]["trafficLight"]["lightphases"] = json!(phases);
            }),
            "its 60 phases last at least 600 s, longer than a cycle may be (255 s, NTCIP 1202)",
        ),
    ] {
        assert!(said.starts_with("dir/town.json:") && said.contains(expected), "{said}\nnot\n{expected}");
    }
}

#[test]
fn broken_vehicles_are_refused_by_entry() {
    for (said, expected) in [
        (
            flow_refusal(|v| v[1]["route"] = json!(["s", "x"])),
            "flow '#1': route[1] refers to road 'x', which does not exist",
        ),
        (flow_refusal(|v| v[1]["route"] = json!([])), "flow '#1': route has 0 entries, fewer than 1"),
        (flow_refusal(|v| v[0]["interval"] = json!(0)), "flow '#0': interval is 0, not a number above zero"),
        (flow_refusal(|v| v[0]["startTime"] = json!(-1)), "flow '#0': startTime is -1, not a time in seconds"),
        (flow_refusal(|v| v[0]["endTime"] = json!(5)), "flow '#0': endTime is 5, not at or after startTime"),
        (
            flow_refusal(|v| v[0]["vehicle"]["length"] = json!(0)),
            "flow '#0': vehicle.length is 0, not a number above zero",
        ),
        (
            flow_refusal(|v| v[0]["vehicle"]["usualNegAcc"] = json!(5)),
            "flow '#0': vehicle.usualNegAcc is 5, not at most vehicle.maxNegAcc",
        ),
        (
            flow_refusal(|v| *v = json!({})),
            "this is a JSON file that is none of CityFlow's; a CityFlow flow file is wanted here",
        ),
        (
            flow_refusal(|v| v[0]["vehicle"] = json!(null)),
            "flow '#0': vehicle: invalid type: null, expected struct Vehicle",
        ),
    ] {
        assert!(said.starts_with("dir/town.json:") && said.contains(expected), "{said}\nnot\n{expected}");
    }
}

fn rewritten(net: &Network) -> (String, Network) {
    let mut bytes = Vec::new();
    cityflow::write_roadnet(net, &mut bytes).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let source = Source { name: format!("{}.json", net.name()), text: text.clone() };
    (text, cityflow::read_roadnet_source(&source, &RoadnetOptions::default()).unwrap().network)
}

#[test]
fn what_is_written_is_read_back_the_same() {
    let net = network();
    let (text, back) = rewritten(&net);
    assert_eq!(back.parts(), net.parts());
    assert_eq!(rewritten(&back).0, text, "the same network gives the same bytes");
    let demand = cityflow::read_flow_source(&source(&vehicles()), &net).unwrap().demand;
    let mut bytes = Vec::new();
    cityflow::write_flow(&net, &demand, &mut bytes).unwrap();
    let written = Source { name: "f.json".into(), text: String::from_utf8(bytes).unwrap() };
    assert_eq!(cityflow::read_flow_source(&written, &back).unwrap().demand, demand);
}

fn shared(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/cityflow").join(name);
    if path.exists() {
        return Some(path);
    }
    println!("nothing to check: {} is absent", path.display());
    None
}

#[test]
fn the_published_networks_are_read_whole() {
    for (roads, flows, signals, links, vehicles) in [
        ("roadnet_4_4.json", "anon_4_4_hangzhou_real.json", 16, 80, 2983),
        ("roadnet_3_4.json", "anon_3_4_jinan_real.json", 12, 62, 6295),
    ] {
        let (Some(roads), Some(flows)) = (shared(roads), shared(flows)) else { return };
        let net = cityflow::read_roadnet(&roads, &RoadnetOptions::default()).unwrap().network;
        assert_eq!((net.controllers().len(), net.links().len(), net.lanes().len()), (signals, links, 3 * links));
        assert_eq!((net.movements().len(), net.connections().len()), (12 * signals, 36 * signals));
        for c in net.controllers() {
            assert_eq!((c.groups.len(), c.program.stage_count()), (12, 8));
            assert_eq!(c.time_of_day_plan().cycle, Ds::from_s(245));
            let pause = c.program.steps.iter().find(|s| s.kind == StepKind::Clearance).unwrap();
            assert_eq!(pause.shows.iter().filter(|i| i.is_green()).count(), 4, "right turns only");
        }
        let lane = net.lane(LaneId(0));
        assert_eq!(lane.length.get(), net.link(lane.link).length.get());
        let demand = cityflow::read_flow(&flows, &net).unwrap().demand;
        assert_eq!(demand.parts().flows.len(), vehicles);
        assert_eq!(demand.parts().kinds.len(), 1);
        let (_, back) = rewritten(&net);
        assert_eq!(back.parts(), net.parts());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever happens to the text, there is a whole network or a reason, and never a panic.
    #[test]
    fn damaged_text_never_panics(
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0_u8..3, any::<u8>(), 1_usize..20), 1..6),
        of_flow in any::<bool>(),
    ) {
        let net = network();
        let mut bytes = if of_flow { vehicles() } else { town() }.to_string().into_bytes();
        for (at, what, byte, length) in edits {
            let at = at.index(bytes.len());
            let end = (at + length).min(bytes.len());
            match what {
                0 => bytes[at] = byte,
                1 => { bytes.drain(at..end); }
                _ => for b in &mut bytes[at..end] { if b.is_ascii_digit() { *b = b'0' + byte % 10; } },
            }
        }
        let Ok(damaged) = Source::from_bytes("damaged", bytes) else { return Ok(()) };
        if of_flow {
            let _ = cityflow::read_flow_source(&damaged, &net);
        } else if let Ok(import) = cityflow::read_roadnet_source(&damaged, &RoadnetOptions::default()) {
            for c in import.network.controllers() {
                prop_assert!(c.check().is_ok());
                let _ = c.time_of_day_plan();
            }
        }
    }
}
