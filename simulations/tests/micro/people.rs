//! People at crossings, and who gives way to them.

use std::sync::Arc;

use greenkerb_models::demand::{DemandParts, PeopleFlow, Trip, Way};
use greenkerb_models::ids::{ConnectionId, ControllerId, CrossingId};
use greenkerb_models::network::{CrossingConflict, Network, Point};
use greenkerb_models::signal::Indication;
use greenkerb_models::units::TimeDs;
use greenkerb_simulations::cancel::Cancel;
use greenkerb_simulations::control::{build, run};
use greenkerb_simulations::micro::{Micro, MicroOptions, VehicleId, What};
use greenkerb_simulations::scenarios::drafting::{Lanes, Lefts, Place, Plan, Rule, Street, draft};
use greenkerb_simulations::scenarios::{Driving, Scenario};

use crate::support::{scenario, show_programs, steady_car, trip};

/// A crossroads with a crossing over each of its four streets.
fn crossroads(control: Rule) -> Arc<Network> {
    let place = |name: &str, x: f64, y: f64, control| Place { name: name.into(), at: Point { x, y }, control };
    let ends = [("east", 200.0, 0.0), ("north", 0.0, 200.0), ("west", -200.0, 0.0), ("south", 0.0, -200.0)];
    let mut places = vec![place("middle", 0.0, 0.0, control)];
    places.extend(ends.map(|(name, x, y)| place(name, x, y, Rule::Edge)));
    let street = |to: usize| Street {
        name: format!("street {to}"),
        from: 0,
        to,
        via: Vec::new(),
        speed_mps: 13.9,
        main: to % 2 == 1,
        forward: Lanes::through(1),
        backward: Some(Lanes::through(1)),
        crossings: (true, false),
    };
    let plan = Plan { name: "crossroads".into(), places, streets: (1..5).map(street).collect(), bans: Vec::new() };
    Arc::new(draft(&plan).unwrap().build().unwrap())
}

fn people(crossing: CrossingId, people_per_h: f64, begin_s: i64, end_s: i64) -> PeopleFlow {
    PeopleFlow { crossing, people_per_h, begin: TimeDs::from_s(begin_s), end: TimeDs::from_s(end_s) }
}

fn street_with(network: &Arc<Network>, people: Vec<PeopleFlow>, trips: Vec<Trip>) -> Micro {
    let parts = DemandParts { kinds: vec![steady_car()], people, trips, ..DemandParts::default() };
    let demand = parts.build(network).unwrap();
    Micro::new(&scenario(Arc::clone(network), demand, Driving::Street), MicroOptions::default()).unwrap()
}

/// The way from the south into the street in the east (to the right), and the crossing over that street.
fn right_turn(network: &Network) -> (ConnectionId, CrossingConflict) {
    let link = |name: &str| network.link_named(name).unwrap();
    let (from, to) = (link("south>middle"), link("middle>east"));
    let m = network.movements_from(from).iter().map(|m| network.movement(*m)).find(|m| m.to_link == to).unwrap();
    let way = m.connections[0];
    let over = network.crossings_over(way).iter().find(|c| network.crossing(c.crossing).links.contains(&to));
    (way, *over.unwrap())
}

fn turns_right(network: &Network, depart_s: i64) -> Trip {
    let link = |name: &str| network.link_named(name).unwrap();
    trip("car", depart_s, Way::Between { from: link("south>middle"), to: link("middle>east"), via: vec![] })
}

/// Everything red but the way and, while it walks, the crossing.
fn show(street: &mut Micro, way: ConnectionId, crossing: CrossingId, walks: bool) {
    let network = Arc::clone(street.network());
    let mut heads = vec![Indication::Red; network.controller(ControllerId(0)).groups.len()];
    heads[network.connection(way).signal.unwrap().group.index()] = Indication::Permissive;
    if walks {
        heads[network.crossing(crossing).signal.unwrap().group.index()] = Indication::Protected;
    }
    street.show(ControllerId(0), &heads);
}

#[test]
fn people_wait_for_walk_and_walk_at_their_speed() {
    let network = crossroads(Rule::Signals(Lefts::Permissive));
    let crossing = CrossingId(0);
    let mut street = street_with(&network, vec![people(crossing, 240.0, 0, 1_800)], vec![]);
    let group = network.crossing(crossing).signal.unwrap().group.index();
    // 6.5 m at 1.2 m/s.
    let across_s = (network.crossing(crossing).length.get() / 1.2).ceil() as usize;
    let (mut came, mut waits_s, mut waited_s, mut walking) = (0, Vec::new(), 0.0, Vec::new());
    for _ in 0..2_000 {
        show_programs(&mut street);
        let walk = street.heads(ControllerId(0))[group].is_green();
        street.step();
        let mut stepped_off = 0;
        for e in street.events() {
            match e.what {
                What::PersonCame { .. } => came += 1,
                What::PersonCrossed { waited_s, .. } => {
                    assert!(walk, "nobody walks on red");
                    stepped_off += 1;
                    waits_s.push(waited_s);
                }
                _ => {}
            }
        }
        let now = street.people(crossing);
        assert!(!walk || now.waiting == 0, "with walk and no car nobody waits");
        assert_eq!(now.since.is_some(), now.waiting > 0);
        waited_s += f64::from(now.waiting);
        walking.push(stepped_off);
        let on_it: u32 = walking.iter().rev().take(across_s).sum();
        assert_eq!(now.crossing, on_it, "who stepped off within the last {across_s} s is on the crossing");
    }
    assert!((85..160).contains(&came), "{came} of 120 expected");
    assert_eq!(came, waits_s.len());
    let told_s: f64 = waits_s.iter().map(|s| f64::from(*s)).sum();
    // Seen at whole seconds, told to the tenth: half a second a person.
    assert!((told_s - waited_s).abs() <= came as f64, "{told_s} s told, {waited_s} s seen");
    assert!(told_s / came as f64 > 5.0, "they do wait");
}

#[test]
fn a_turning_car_gives_way_to_people_and_goes_when_they_are_across() {
    let network = crossroads(Rule::Signals(Lefts::Permissive));
    let (way, over) = right_turn(&network);
    assert!(over.vehicle_yields);
    let run = |crowd: bool| {
        let flow = if crowd { vec![people(over.crossing, 3_600.0, 0, 120)] } else { vec![] };
        let mut street = street_with(&network, flow, vec![turns_right(&network, 20)]);
        let mut arrived = None;
        for s in 0..200 {
            show(&mut street, way, over.crossing, s < 60);
            street.step();
            if let Some(v) = street.on_connection(way).next()
                && crowd
                && s < 60
            {
                assert!(f64::from(v.front_m) <= over.at.get() - 2.0, "second {s}: {v:?} waits before the crossing");
            }
            let end = street.events().iter().find(|e| matches!(e.what, What::Arrived { .. }));
            arrived = arrived.or(end.map(|e| e.at.seconds()));
        }
        arrived.unwrap()
    };
    let (free_s, crowd_s) = (run(false), run(true));
    // Without people it is at the junction at about 36 s and away before 60 s.
    assert!(free_s < 60.0, "{free_s}");
    // Walk ends at 60 s; the last are across 5.4 s later.
    assert!((63.0..85.0).contains(&crowd_s), "{crowd_s}");
}

#[test]
fn at_a_crossing_without_signals_people_step_off_when_cars_can_stop() {
    let network = crossroads(Rule::MainFirst);
    let (way, over) = right_turn(&network);
    let trips = (0..20).map(|i| Trip { name: format!("car {i}"), ..turns_right(&network, 4 * i) }).collect();
    let mut street = street_with(&network, vec![people(over.crossing, 600.0, 0, 120)], trips);
    let mut crossed = 0;
    for _ in 0..400 {
        let before = street.people(over.crossing).crossing;
        street.step();
        crossed += street.events().iter().filter(|e| matches!(e.what, What::PersonCrossed { .. })).count();
        if before > 0 {
            assert!(street.on_connection(way).all(|v| v.speed_mps < 13.9), "nobody races over");
        }
    }
    assert!(crossed > 8, "{crossed} crossed");
    assert_eq!((street.totals().arrived, street.people(over.crossing).waiting), (20, 0));
    assert!(street.vehicle(VehicleId(0)).is_none());
}

#[test]
fn people_do_not_depend_on_threads_and_do_on_the_seed() {
    let network = crossroads(Rule::Signals(Lefts::Permissive));
    let flows: Vec<PeopleFlow> = (0..4).map(|x| people(CrossingId(x), 200.0, 0, 600)).collect();
    let parts = DemandParts { kinds: vec![steady_car()], people: flows, ..DemandParts::default() };
    let scenario = scenario(Arc::clone(&network), parts.build(&network).unwrap(), Driving::Street);
    let run = |seed, threads| {
        let mut street = Micro::new(&scenario, MicroOptions { seed, threads }).unwrap();
        for _ in 0..600 {
            show_programs(&mut street);
            street.step();
        }
        street.hash()
    };
    assert_eq!(run(3, 1), run(3, 2));
    assert_ne!(run(3, 1), run(4, 1));
}

/// Seconds of walk on a crossing under `nema`, and people who crossed it, when only people come, and so many an hour.
fn under_nema(crossing: CrossingId, people_per_h: f64) -> (u32, u32, u32) {
    let network = crossroads(Rule::Signals(Lefts::Permissive));
    let people = vec![people(crossing, people_per_h, 0, 1_700)];
    let parts = DemandParts { kinds: vec![steady_car()], people, ..DemandParts::default() };
    let demand = parts.build(&network).unwrap();
    let scenario = Scenario { end: TimeDs::from_s(1_800), ..scenario(Arc::clone(&network), demand, Driving::Street) };
    let mut control = build("nema", &scenario).unwrap();
    let head = network.crossing(crossing).signal.unwrap();
    let (mut walk_s, mut crossed) = (0, 0);
    let mut listener = |street: &Micro| {
        walk_s += u32::from(street.heads(head.controller)[head.group.index()].is_green());
        crossed += street.events().iter().filter(|e| matches!(e.what, What::PersonCrossed { .. })).count() as u32;
    };
    let cancel = Cancel::default();
    let ran = run(&scenario, MicroOptions::default(), control.as_mut(), &mut listener, &cancel, &mut |_| {}).unwrap();
    assert_eq!(ran.first_violation, None);
    (walk_s, crossed, ran.street.people(crossing).waiting)
}

#[test]
fn people_who_wait_push_the_button_of_a_phase_that_nobody_else_calls() {
    let without: Vec<u32> = (0..4).map(|x| under_nema(CrossingId(x), 0.0).0).collect();
    let resting = without.iter().position(|walk_s| *walk_s == 0);
    let over_the_main_street = CrossingId(resting.expect("the side street is not served without a call") as u32);
    let (walk_s, crossed, waiting) = under_nema(over_the_main_street, 60.0);
    assert!(crossed >= 12 && waiting == 0, "{crossed} crossed, {waiting} still wait");
    assert!((7..900).contains(&walk_s), "{walk_s} s");
}
