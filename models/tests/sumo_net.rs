//! SUMO networks in: what is read, what is refused and with which words.

use std::path::{Path, PathBuf};

use greenkerb_models::detection::DetectorKind;
use greenkerb_models::formats::{self, sumo_net};
use greenkerb_models::ids::GroupId;
use greenkerb_models::network::{Network, Turn};
use greenkerb_models::signal::{Controller, GroupKind, Indication, Relation, StepKind};
use greenkerb_models::units::Ds;
use proptest::prelude::*;

const CROSSROADS: &str = include_str!("data/crossroads.net.xml");
const RINGS: &str = include_str!("data/rings.net.xml");

fn crossroads() -> Network {
    sumo_net::read_bytes("crossroads.net.xml", CROSSROADS.as_bytes()).unwrap().network
}

fn group(c: &Controller, name: &str) -> GroupId {
    GroupId::at(c.groups.iter().position(|g| g.name == name).unwrap())
}

#[test]
fn a_crossroads_is_read_as_it_was_drawn() {
    let net = crossroads();
    assert_eq!(net.name(), "crossroads");
    assert_eq!((net.nodes().len(), net.links().len(), net.lanes().len()), (5, 8, 20));
    assert_eq!((net.connections().len(), net.movements().len(), net.crossings().len()), (14, 12, 4));
    for turn in [Turn::Left, Turn::Straight, Turn::Right] {
        assert_eq!(net.movements().iter().filter(|m| m.turn == turn).count(), 4);
    }
    let c = &net.controllers()[0];
    assert_eq!(c.nodes, [net.links()[net.link_named("from_east").unwrap().index()].to]);
    // The permissive left from the west shares its lane with straight on, yet obeys a group of its own.
    let west = net.lane_named("from_west_1").unwrap();
    let heads: Vec<GroupId> =
        net.connections_from(west).iter().map(|k| net.connection(*k).signal.unwrap().group).collect();
    assert_eq!(heads.len(), 3);
    assert_ne!(heads[1], heads[2]);
}

#[test]
fn steps_are_stages_pedestrian_clearance_and_yellow() {
    let net = crossroads();
    let c = &net.controllers()[0];
    let kinds: Vec<(bool, u32)> =
        c.program.steps.iter().map(|s| (matches!(s.kind, StepKind::Stage { .. }), s.shipped.0)).collect();
    assert_eq!(kinds, [(true, 370), (false, 50), (false, 30), (true, 370), (false, 50), (false, 30)]);
    assert_eq!(c.time_of_day_plan().cycle, Ds::from_s(90));
    assert!(c.groups.iter().all(|g| (g.kind == GroupKind::Pedestrian) == (g.yellow == Ds::ZERO)));
    let walk = &c.groups[group(c, "p14").index()];
    assert_eq!((walk.crossings.len(), walk.connections.len(), walk.min_green), (1, 0, Ds::from_s(7)));
    // 5 s of pedestrian clearance and 3 s of yellow is all the program leaves before conflicting green.
    assert_eq!(walk.clearance, Ds::from_s(8));
}

#[test]
fn request_rows_become_the_conflict_matrix() {
    let net = crossroads();
    let c = &net.controllers()[0];
    let get = |a: &str, b: &str| c.conflicts.get(group(c, a), group(c, b));
    // North-south against east-west straight on: 3 s of yellow, then green, as the program shows.
    let (ns, ew) = ("g1", "g5");
    assert_eq!(c.groups[group(c, ns).index()].link_indices, [1, 2]);
    assert_eq!(get(ns, ew), Relation::Conflict { intergreen: Ds::from_s(3) });
    // The turns from the south (7 to the right, 10 to the left, always shown alike) yield to the oncoming stream from the north.
    let left = c.groups.iter().find(|g| g.link_indices.contains(&10)).unwrap().name.clone();
    assert!(matches!(get(&left, ns), Relation::Permitted { yields: true, .. }));
    assert!(matches!(get(ns, &left), Relation::Permitted { yields: false, .. }));
    // Straight on from the north and from the south do not touch.
    let south = c.groups.iter().find(|g| g.link_indices.contains(&8)).unwrap().name.clone();
    assert_eq!(get(ns, &south), Relation::Compatible);
    // Right turns yield to walkers on the crossing they turn into.
    let right = c.groups.iter().find(|g| g.link_indices.contains(&0)).unwrap().name.clone();
    let yielded: Vec<&str> = c
        .groups
        .iter()
        .filter(|g| matches!(get(&right, &g.name), Relation::Permitted { yields: true, .. }))
        .map(|g| g.name.as_str())
        .collect();
    assert!(yielded.iter().any(|n| n.starts_with('p')), "{yielded:?}");
}

#[test]
fn loops_lie_where_the_contract_with_the_street_puts_them() {
    let net = crossroads();
    let named = |name: &str| net.detector(net.detector_named(name).unwrap());
    let stop = named("from_north_1.stop");
    assert_eq!((stop.kind, stop.to_stop_line.get(), stop.length.get()), (DetectorKind::StopBar, 1.0, 2.0));
    let far = named("from_north_1.advance");
    assert_eq!((far.kind, far.to_stop_line.get()), (DetectorKind::Advance, 80.0));
    let short = named("from_south_1.advance");
    assert!((short.to_stop_line.get() - 72.8).abs() < 1e-9, "a lane that nothing leads to");
    assert!(net.detector_named("from_north_0.stop").is_none(), "a pavement has no loops");
}

#[test]
fn nema_phases_become_steps_and_rings() {
    let import = sumo_net::read_bytes("rings.net.xml", RINGS.as_bytes()).unwrap();
    let c = &import.network.controllers()[0];
    let rings = c.ring_barrier.as_ref().unwrap();
    let numbers: Vec<Vec<Vec<u8>>> = rings
        .barrier_groups
        .iter()
        .map(|b| b.rings.iter().map(|r| r.iter().map(|p| p.phase).collect()).collect())
        .collect();
    assert_eq!(numbers, [vec![vec![2], vec![6]], vec![vec![4], vec![8]]]);
    assert_eq!(rings.coordinated, [2, 6]);
    let p2 = rings.phases().next().unwrap();
    assert_eq!((p2.min_green, p2.yellow, p2.all_red), (Ds::from_s(5), Ds::from_s(3), Ds::from_s(2)));
    // 50 s of green, 3 of yellow, 2 of red, twice.
    let steps: Vec<u32> = c.program.steps.iter().map(|s| s.shipped.0).collect();
    assert_eq!(steps, [500, 30, 20, 500, 30, 20]);
    assert_eq!(
        c.conflicts.get(p2.group, rings.barrier_groups[1].rings[0][0].group),
        Relation::Conflict { intergreen: Ds::from_s(5) }
    );
}

#[test]
fn eight_phases_overlap_as_sumo_shows_them() {
    // Phase 5 is shorter than phase 1, so 1+6 is shown before 2+6. Position 4 is phase 5's own.
    let text = RINGS.replace(
        "<phase duration=\"90\" state=\"GGGGgrrrrrrrrrrrrr\" minDur=\"5\" maxDur=\"50\" vehext=\"2\" yellow=\"3\" red=\"2\" \
         name=\"2\"/>",
        "<phase duration=\"90\" state=\"GGGGgrrrrrrrrrrrrr\" minDur=\"5\" maxDur=\"30\" yellow=\"3\" red=\"2\" name=\"2\"/>\
         <phase duration=\"90\" state=\"rrrrrrrrrrrrrGrrrr\" minDur=\"5\" maxDur=\"15\" yellow=\"3\" red=\"2\" name=\"1\"/>\
         <phase duration=\"90\" state=\"rrrrGrrrrrrrrrrrrr\" minDur=\"5\" maxDur=\"10\" yellow=\"3\" red=\"2\" name=\"5\"/>",
    );
    let text = text
        .replace("\"ring1\" value=\"0,2,0,4\"", "\"ring1\" value=\"1,2,0,4\"")
        .replace("\"ring2\" value=\"0,6,0,8\"", "\"ring2\" value=\"5,6,0,8\"")
        .replace("<param key=\"ring1\"", "<param key=\"coordinate-mode\" value=\"true\"/><param key=\"ring1\"")
        .replace("programID=\"0\" offset=\"0\"", "programID=\"0\" offset=\"10\"");
    let import = sumo_net::read_bytes("rings.net.xml", text.as_bytes()).unwrap();
    let c = &import.network.controllers()[0];
    // Ring 1: 15+3+2, 30+3+2; ring 2: 10+3+2, 50+3+2, so ring 1 waits 15 s in phase 2. Then phases 4 and 8.
    let plan = c.time_of_day_plan();
    assert_eq!(plan.cycle, Ds::from_s(70 + 55));
    let head = c.groups.iter().position(|g| g.link_indices.contains(&4)).unwrap();
    let shown: Vec<(Indication, u32)> = c.program.steps.iter().map(|s| (s.shows[head], s.shipped.0)).take(5).collect();
    assert_eq!(
        shown,
        [
            (Indication::Protected, 100),
            (Indication::Yellow, 30),
            (Indication::Red, 20),
            (Indication::Red, 30),
            (Indication::Red, 20)
        ]
    );
    assert!(c.program.steps[5..].iter().any(|s| s.shows[head] == Indication::Permissive));
    // TS2: the offset is the start of the first coordinated green, phase 6 at 15 s; 10 s - 15 s is 5 s before the end.
    assert_eq!(plan.offset, Ds::from_s(120));
}

#[test]
fn yellow_that_the_file_forgot_is_put_in_from_the_stage_before() {
    let state = |s: &str, d: u32| format!("<phase duration=\"{d}\" state=\"{s}\"/>");
    let from = CROSSROADS.find("<phase").unwrap();
    let to = CROSSROADS.find("</tlLogic>").unwrap();
    let program = state("gGGgrrrgGGgrrrrrrr", 40) + &state("rrrrgGgrrrrgGgrrrr", 50);
    let text = [&CROSSROADS[..from], &program, &CROSSROADS[to..]].concat();
    let import = sumo_net::read_bytes("n", text.as_bytes()).unwrap();
    let c = &import.network.controllers()[0];
    assert_eq!(c.program.steps.len(), 4);
    assert_eq!(c.time_of_day_plan().cycle, Ds::from_s(90));
    let ns = &c.groups[group(c, "g1").index()];
    // 13.89 m/s: 1 + 13.89 / 6.1 = 3.3 s; the side street at 8.33 m/s has the least there is, 3 s.
    assert_eq!(ns.yellow, Ds(33));
    assert_eq!(c.conflicts.get(group(c, "g1"), group(c, "g5")), Relation::Conflict { intergreen: Ds(33) });
    assert!(import.notes.iter().any(|n| n.text.starts_with("clearance with yellow put between")));
    assert!(import.notes.iter().any(|n| n.text.starts_with("connection whose signal") || n.text.contains("left out")));
}

/// What a broken file is told: replace the first text by the second, expect the words and the line of the first.
const BROKEN: &[(&str, &str, &str)] = &[
    (
        "<edge id=\"from_east\" from=\"east\"",
        "<edge id=\"from_east\" from=\"nowhere\"",
        "edge 'from_east': from=\"nowhere\"",
    ),
    ("<edge id=\"from_east\" from=\"east\"", "<edge id=\"from_east\"", "edge 'from_east': attribute 'from' is missing"),
    ("<edge id=\"from_north\"", "<edge id=\"from_east\"", "edge 'from_east': defined twice, first on line"),
    (
        "id=\"from_east_1\" index=\"1\"",
        "id=\"from_east_1\" index=\"3\"",
        "lane 'from_east_1': the lanes of its edge are not numbered 0 to 1",
    ),
    ("id=\"from_east_1\" index=\"1\"", "id=\"from_east_0\" index=\"1\"", "lane 'from_east_0': defined twice"),
    ("length=\"190.04\" width", "length=\"0.00\" width", "lane 'from_east_0': length=\"0.00\" is not above zero"),
    ("length=\"190.04\" width", "length=\"NaN\" width", "lane 'from_east_0': length=\"NaN\" is not a finite number"),
    (
        "length=\"190.04\" width",
        "length=\"1e400\" width",
        "lane 'from_east_0': length=\"1e400\" is not a finite number",
    ),
    ("shape=\"199.58,24.18", "shape=\"199.58,inf", "lane 'from_east_0': shape="),
    (
        "speed=\"8.33\" length=\"190.04\" shape",
        "speed=\"0\" length=\"190.04\" shape",
        "lane 'from_east_1': speed=\"0\"",
    ),
    (
        "speed=\"8.33\" length=\"190.04\" shape",
        "speed=\"-1\" length=\"190.04\" shape",
        "lane 'from_east_1': speed=\"-1\"",
    ),
    ("type=\"traffic_light\" x=\"0.00\"", "type=\"traffic_light\" x=\"nan\"", "junction 'centre': x=\"nan\""),
    ("id=\"north\" type", "id=\"south\" type", "junction 'south': defined twice"),
    ("incLanes=\"from_north_0", "incLanes=\"from_nowhere_0", "junction 'centre': incLanes=\"from_nowhere_0\""),
    ("<request index=\"1\" ", "<request index=\"0\" ", "request 'centre[0]': index=\"0\""),
    ("<request index=\"1\" ", "<request index=\"99\" ", "request 'centre[99]': index=\"99\""),
    ("<request index=\"0\"  response=\"1", "<request index=\"0\"  response=\"", "request 'centre[0]': response="),
    ("<request index=\"0\"  response=\"1", "<request index=\"0\"  response=\"x", "request 'centre[0]': response="),
    ("<request index=\"0\" ", "<norequest index=\"0\" ", "junction 'centre': 17 request rows for 18 connections"),
    ("state=\"gGGgrrrgGGgrrrrGrG\"", "state=\"gGGgrrrgGGgrrrrGr\"", "state \"gGGgrrrgGGgrrrrrrr\" shows 18 signals"),
    ("state=\"gGGgrrrgGGgrrrrGrG\"", "state=\"gGGgrrrgGGgrrrrGrX\"", "phase 'centre[0]': state="),
    ("duration=\"37\" state=\"gGGg", "duration=\"0\" state=\"gGGg", "phase 'centre[0]': duration=\"0\""),
    ("duration=\"37\" state=\"gGGg", "duration=\"-4\" state=\"gGGg", "phase 'centre[0]': duration=\"-4\""),
    ("duration=\"37\" state=\"gGGg", "state=\"gGGg", "phase 'centre[0]': attribute 'duration' is missing"),
    ("<tlLogic id=\"centre\"", "<tlLogic id=\"other\"", "tl=\"centre\" refers to a tlLogic that does not exist"),
    (
        "linkIndex=\"4\" dir",
        "linkIndex=\"18\" dir",
        "connection 'from_east_1 -> to_north_1': linkIndex 18 lies outside",
    ),
    ("linkIndex=\"4\" dir", "linkIndex=\"-2\" dir", "connection 'from_east_1 -> to_north_1': linkIndex=\"-2\""),
    ("linkIndex=\"4\" dir", "dir", "connection 'from_east_1 -> to_north_1': attribute 'linkIndex' is missing"),
    ("via=\":centre_4_0\"", "via=\":centre_99_0\"", "via=\":centre_99_0\" refers to a lane inside the junction"),
    (
        "to=\"to_north\" fromLane=\"1\" toLane=\"1\" via=\":centre_4_0\"",
        "to=\"to_north\" fromLane=\"1\" toLane=\"7\" via=\":centre_4_0\"",
        "toLane=\"7\" refers to a lane",
    ),
    (
        "to=\"to_north\" fromLane=\"1\" toLane=\"1\" via=\":centre_4_0\"",
        "to=\"gone\" fromLane=\"1\" toLane=\"1\" via=\":centre_4_0\"",
        "to=\"gone\" refers to an edge",
    ),
    (
        "to=\"to_north\" fromLane=\"1\" toLane=\"1\" via=\":centre_4_0\"",
        "to=\"from_west\" fromLane=\"1\" toLane=\"1\" via=\":centre_4_0\"",
        "is not an edge that starts where the from-edge ends",
    ),
    (
        "to=\"to_north\" fromLane=\"1\" toLane=\"1\" via=\":centre_4_0\"",
        "to=\"to_west\" fromLane=\"1\" toLane=\"1\" via=\":centre_5_0\"",
        "defined twice",
    ),
    ("<location ", "<lane id=\"stray\" ", "lane 'stray': is not inside an element edge"),
    ("</tlLogic>", "", "element 'junction': is not inside an element net"),
    ("</net>", "", "broken XML: the file ends inside an element"),
    ("\"centre\" type=\"static\"", "\"centre\" id=\"again\" type=\"static\"", "attribute 'id' is given twice"),
    ("\"centre\" type=\"static\"", "\"&bomb;\" type=\"static\"", "broken XML"),
];

#[test]
fn files_of_another_kind_are_called_what_they_are() {
    for (text, is) in [
        (CROSSROADS.replacen("<net version", "<not version", 1), "an XML file of <not>"),
        ("<configuration/>".to_owned(), "a SUMO configuration"),
        ("[]".to_owned(), "a CityFlow flow file"),
    ] {
        let said = sumo_net::read_bytes("town.xml", text.as_bytes()).unwrap_err().to_string();
        assert_eq!(said, format!("town.xml: this is {is}; a SUMO network is wanted here"));
    }
}

#[test]
fn broken_files_are_refused_by_line_and_element() {
    for (from, to, words) in BROKEN {
        let at = CROSSROADS.find(from).unwrap_or_else(|| panic!("the sample has no {from}"));
        let text = CROSSROADS.replacen(from, to, 1);
        let refused = sumo_net::read_bytes("town.net.xml", text.as_bytes());
        let message = refused.err().unwrap_or_else(|| panic!("{to} was accepted")).to_string();
        assert!(message.contains(words), "{to}: {message}");
        let mut place = message.splitn(3, ':').skip(1);
        let line: usize = place.next().unwrap().parse().unwrap_or_else(|_| panic!("no line: {message}"));
        assert!(message.starts_with("town.net.xml:"), "{message}");
        // Most flaws are told where they are; some where they first matter, which is later.
        let broken = CROSSROADS[..at].matches('\n').count() + 1;
        assert!(line + 1 >= broken && line <= CROSSROADS.lines().count() + 1, "{message}: broken on line {broken}");
    }
}

#[test]
fn a_truncated_file_is_never_a_network() {
    for end in (0..CROSSROADS.trim_end().len()).step_by(97).filter(|e| CROSSROADS.is_char_boundary(*e)) {
        let refused = sumo_net::read_bytes("cut", &CROSSROADS.as_bytes()[..end]);
        assert!(refused.is_err(), "cut at {end}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever happens to the bytes, there is a whole network or a reason, and never a panic.
    #[test]
    fn damaged_bytes_never_panic(
        nema: bool,
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0_u8..4, any::<u8>(), 1_usize..40), 1..8),
    ) {
        let mut bytes = if nema { RINGS } else { CROSSROADS }.as_bytes().to_vec();
        for (at, what, byte, length) in edits {
            let at = at.index(bytes.len());
            let end = (at + length).min(bytes.len());
            match what {
                0 => bytes[at] = byte,
                1 => { bytes.drain(at..end); }
                2 => { let copy = bytes[at..end].to_vec(); bytes.splice(at..at, copy); }
                // Digits for digits: the file stays well-formed and the numbers lie.
                _ => for b in &mut bytes[at..end] { if b.is_ascii_digit() { *b = b'0' + byte % 10; } },
            }
            if bytes.is_empty() { bytes.push(b'<'); }
        }
        if let Ok(import) = sumo_net::read_bytes("damaged", &bytes) {
            for c in import.network.controllers() {
                prop_assert!(c.check().is_ok());
                prop_assert!(c.time_of_day_plan().cycle <= Ds::from_s(255));
            }
        }
    }
}

/// The shared networks, where this machine has them.
fn shared() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/resco");
    let names = ["cologne1", "cologne8", "ingolstadt1", "ingolstadt7", "grid4x4"];
    let files: Vec<PathBuf> = names.iter().map(|n| root.join(n).join(format!("{n}.net.xml"))).collect();
    if !root.is_dir() {
        println!("nothing to check: {} is absent", root.display());
        return Vec::new();
    }
    files
}

/// Counts that need no parser: lines that hold a tag and do or do not hold a word.
fn lines(text: &str, tag: &str, with: &[&str], without: &[&str]) -> usize {
    let holds = |l: &&str| with.iter().all(|w| l.contains(w)) && !without.iter().any(|w| l.contains(w));
    text.lines().filter(|l| l.trim_start().starts_with(tag)).filter(holds).count()
}

#[test]
fn the_shared_networks_import_whole() {
    for path in shared() {
        let text = std::fs::read_to_string(&path).unwrap();
        let import = formats::read(&path).unwrap();
        let net = &import.network;
        let name = path.display();
        assert_eq!(net.nodes().len(), lines(&text, "<junction ", &[], &["type=\"internal\""]), "{name}: nodes");
        assert_eq!(net.links().len(), lines(&text, "<edge ", &[], &["function="]), "{name}: links");
        assert_eq!(net.lanes().len(), lines(&text, "<lane ", &[], &["id=\":"]), "{name}: lanes");
        let outer = lines(&text, "<connection ", &[], &["from=\":", "to=\":"]);
        assert_eq!(net.connections().len(), outer, "{name}: connections");
        let mut pairs: Vec<(&str, &str)> = text
            .lines()
            .filter(|l| l.trim_start().starts_with("<connection ") && !l.contains("from=\":"))
            .map(|l| (l.split("from=\"").nth(1).unwrap(), l.split(" to=\"").nth(1).unwrap()))
            .map(|(f, t)| (f.split('"').next().unwrap(), t.split('"').next().unwrap()))
            .collect();
        pairs.sort_unstable();
        pairs.dedup();
        assert_eq!(net.movements().len(), pairs.len(), "{name}: movements");
        assert_eq!(net.controllers().len(), lines(&text, "<tlLogic ", &[], &[]), "{name}: controllers");
        let phases = lines(&text, "<phase ", &[], &[]);
        let stages: usize = net.controllers().iter().map(|c| c.program.stage_count()).sum();
        let states = text.lines().filter_map(|l| l.split("state=\"").nth(1).filter(|_| l.contains("<phase ")));
        let without_yellow = states.filter(|s| !s.split('"').next().unwrap().contains('y')).count();
        assert_eq!(stages, without_yellow, "{name}: stages of {phases} phases");
        let durations: f64 = text
            .lines()
            .filter(|l| l.contains("<phase "))
            .map(|l| l.split("duration=\"").nth(1).unwrap().split('"').next().unwrap().parse::<f64>().unwrap())
            .sum();
        let cycles: f64 = net.controllers().iter().map(|c| c.time_of_day_plan().cycle.seconds()).sum();
        assert!((cycles - durations).abs() < 1e-6, "{name}: cycles {cycles} of {durations}");
        let heads = net.connections().iter().filter(|c| c.signal.is_some()).count();
        assert_eq!(heads, lines(&text, "<connection ", &[" tl=\""], &[]), "{name}: signalled connections");
        let shown: usize = net.controllers().iter().flat_map(|c| &c.groups).map(|g| g.link_indices.len()).sum();
        assert_eq!(shown, heads, "{name}: positions in groups");
        for c in net.controllers() {
            for lane in net.approach_lanes(net.controller_named(&c.name).unwrap()) {
                assert!(!net.detectors_on(lane).is_empty(), "{name}: {} has no loop", net.lane(lane).name);
            }
        }
        let places: Vec<_> = net.nodes().iter().map(|n| n.position).collect();
        let on_earth = net.projection().lon_lat(&places).unwrap();
        assert!(on_earth.iter().all(|p| p.0.abs() <= 180.0 && p.1.abs() <= 90.0), "{name}");
    }
}

#[test]
fn ways_meet_inside_the_node_and_one_gives_way() {
    let net = crossroads();
    let way = |from: &str, to: &str| {
        let is = |c: &&greenkerb_models::ids::ConnectionId| {
            let k = net.connection(**c);
            net.link(net.lane(k.from_lane).link).name == from && net.link(net.lane(k.to_lane).link).name == to
        };
        let all: Vec<_> = (0..net.connections().len()).map(greenkerb_models::ids::ConnectionId::at).collect();
        *all.iter().find(is).unwrap()
    };
    let left = way("from_west", "to_north");
    let oncoming = way("from_east", "to_west");
    let foe = net.foes(left).iter().find(|f| f.connection == oncoming).unwrap();
    assert!(foe.i_yield && !foe.it_yields);
    let back = net.foes(oncoming).iter().find(|f| f.connection == left).unwrap();
    assert!(back.it_yields && !back.i_yield);
    assert_eq!((back.mine_at, back.its_at), (foe.its_at, foe.mine_at));
    let (a, b) = (net.connection(left), net.connection(oncoming));
    let (p, q) = (a.shape.point_at(foe.mine_at.get()).unwrap(), b.shape.point_at(foe.its_at.get()).unwrap());
    assert!(p.distance_m(q) < 0.5, "they meet at {p:?} and at {q:?}");
    // A left turn may wait inside the node, short of where it meets the oncoming stream.
    let waits = a.wait_at.unwrap();
    assert!(waits.get() > 0.0 && waits < foe.mine_at);
    assert_eq!(b.wait_at, None);
    // The lanes inside the junction say how fast they are driven.
    let speeds = [left, oncoming, way("from_west", "to_south")].map(|k| net.connection(k).speed.get());
    assert_eq!(speeds, [8.83, 8.33, 6.51]);
    // Who turns right from the west merges with who turns left from the east, at the end of both.
    let (right, other) = (way("from_west", "to_south"), way("from_east", "to_south"));
    for c in net.parts().conflicts.iter().filter(|c| [c.first, c.second].iter().all(|x| [right, other].contains(x))) {
        if net.connection(c.first).to_lane == net.connection(c.second).to_lane {
            assert_eq!(c.first_at, net.connection(c.first).length);
            assert_eq!(c.second_at, net.connection(c.second).length);
        }
    }
}

#[test]
fn turning_vehicles_give_way_to_people_on_crossings() {
    let net = crossroads();
    for (i, c) in net.connections().iter().enumerate() {
        let id = greenkerb_models::ids::ConnectionId::at(i);
        let over = net.crossings_over(id);
        assert!(!over.is_empty(), "every way leads over a crossing");
        for x in over {
            assert!(x.at <= c.length);
            let links = &net.crossing(x.crossing).links;
            let (from, to) = (net.lane(c.from_lane).link, net.lane(c.to_lane).link);
            assert!(links.contains(&from) || links.contains(&to));
            // Behind the corner, at the exit, a turning vehicle yields; at the entry its own red keeps it.
            let turning = net.movement(c.movement).turn != Turn::Straight;
            if links.contains(&to) && turning {
                assert!(x.vehicle_yields, "connection {i} over {}", net.crossing(x.crossing).name);
                assert!(x.at.get() > 0.5 * c.length.get(), "reached at {} of {}", x.at, c.length);
            }
        }
    }
}

#[test]
fn ways_that_yield_to_each_other_are_settled_and_noted() {
    let text = CROSSROADS.to_owned();
    let import = sumo_net::read_bytes("n", text.as_bytes()).unwrap();
    let pair = import.network.parts().conflicts.iter().position(|c| c.first_yields != c.second_yields).unwrap();
    let before = import.network.parts().conflicts[pair];
    // All foes yield: whoever touches somebody gives way to them.
    let mutual: String = text
        .lines()
        .map(|l| match l.split_once("<request ") {
            Some((head, rest)) => {
                let foes = rest.split("foes=\"").nth(1).unwrap().split('"').next().unwrap();
                let response = rest.split("response=\"").nth(1).unwrap().split('"').next().unwrap();
                format!(
                    "{head}<request {}\n",
                    rest.replace(&format!("response=\"{response}\""), &format!("response=\"{foes}\""))
                )
            }
            None => format!("{l}\n"),
        })
        .collect();
    let import = sumo_net::read_bytes("n", mutual.as_bytes()).unwrap();
    let after = import.network.parts().conflicts[pair];
    assert_eq!((after.first, after.second, after.first_at), (before.first, before.second, before.first_at));
    assert!(after.first_yields != after.second_yields, "one of them yields");
    assert!(import.notes.iter().any(|n| n.text.starts_with("ways that yield to each other: the left turn")));
    let stops = mutual.replacen("type=\"traffic_light\"", "type=\"allway_stop\"", 1);
    if let Ok(import) = sumo_net::read_bytes("n", stops.as_bytes()) {
        assert!(import.network.parts().conflicts.iter().all(|c| !c.first_yields && !c.second_yields));
    } else {
        panic!("an all-way stop is a junction like any other");
    }
}

#[test]
fn ways_meet_in_every_shared_network() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/resco");
    if !root.is_dir() {
        println!("nothing to check: {} is absent", root.display());
        return;
    }
    for name in ["cologne1", "cologne8", "ingolstadt1", "ingolstadt7", "grid4x4"] {
        let net = formats::read(&root.join(name).join(format!("{name}.net.xml"))).unwrap().network;
        let (mut apart, conflicts) = (0, &net.parts().conflicts);
        assert!(conflicts.len() > net.connections().len() / 2, "{name}: {} conflicts", conflicts.len());
        for c in conflicts {
            let (a, b) = (net.connection(c.first), net.connection(c.second));
            let along = |k: &greenkerb_models::network::Connection, m: f64| {
                k.shape.point_at(m / k.length.get() * k.shape.length_m()).unwrap()
            };
            let gap = along(a, c.first_at.get()).distance_m(along(b, c.second_at.get()));
            // Ways that keep clear of each other lead side by side into the lanes of one link.
            let beside = net.movement(a.movement).to_link == net.movement(b.movement).to_link;
            assert!(gap < 3.5 || beside, "{name}: connections {} and {} are {gap} m apart", c.first.0, c.second.0);
            apart += usize::from(gap >= 3.5);
        }
        assert!(apart * 10 <= conflicts.len(), "{name}: {apart} of {} ways keep clear", conflicts.len());
    }
}
