//! From a plain description to a whole network: lanes, ways, right of way, crossings, controllers.

use greenkerb_models::ids::GroupId;
use greenkerb_models::network::{Network, Point, Turn};
use greenkerb_models::signal::{Controller, Relation, StepKind};
use greenkerb_models::units::Ds;
use greenkerb_optimizer::safety::{Policy, validate_plan};
use greenkerb_simulations::scenarios::drafting::{Ban, Lanes, Lefts, Place, Plan, Rule, Street, draft};
use proptest::prelude::*;

fn place(name: &str, x: f64, y: f64, control: Rule) -> Place {
    Place { name: name.into(), at: Point { x, y }, control }
}

fn street(name: &str, from: usize, to: usize, lanes: Lanes) -> Street {
    Street {
        name: name.into(),
        from,
        to,
        via: Vec::new(),
        speed_mps: 13.9,
        main: false,
        forward: lanes,
        backward: Some(lanes),
        crossings: (true, false),
    }
}

/// Place 0 in the middle, places 1 to 4 in the east, north, west and south of it.
fn crossroads(control: Rule, lanes: Lanes) -> Plan {
    let ends = [("east", 200.0, 0.0), ("north", 0.0, 200.0), ("west", -200.0, 0.0), ("south", 0.0, -200.0)];
    let mut places = vec![place("middle", 0.0, 0.0, control)];
    places.extend(ends.map(|(name, x, y)| place(name, x, y, Rule::Edge)));
    let mut streets: Vec<Street> =
        ["Main", "Cross", "Main", "Cross"].iter().zip(1..).map(|(name, to)| street(name, 0, to, lanes)).collect();
    for s in &mut streets {
        s.main = s.name == "Main";
    }
    Plan { name: "crossroads".into(), places, streets, bans: Vec::new() }
}

fn built(plan: &Plan) -> Network {
    draft(plan).unwrap().build().unwrap()
}

fn group(c: &Controller, name: &str) -> GroupId {
    let position = c.groups.iter().position(|g| g.name == name);
    GroupId::at(position.unwrap_or_else(|| panic!("no {name} in {:?}", names(c))))
}

fn names(c: &Controller) -> Vec<&str> {
    c.groups.iter().map(|g| g.name.as_str()).collect()
}

fn stages(c: &Controller) -> Vec<String> {
    c.program.stages().map(|s| s.shows.iter().map(|i| i.letter()).collect()).collect()
}

fn valid(net: &Network) {
    for c in net.controllers() {
        if let Err(refusals) = validate_plan(c.time_of_day_plan(), c, &Policy::default()) {
            panic!("{}: {refusals}\n{:?}\n{:?}", c.name, names(c), c.program);
        }
    }
}

#[test]
fn a_crossroads_has_twelve_movements_and_four_crossings() {
    let net = built(&crossroads(Rule::Signals(Lefts::Permissive), Lanes::through(1)));
    assert_eq!((net.nodes().len(), net.links().len(), net.lanes().len()), (5, 8, 8));
    assert_eq!((net.movements().len(), net.connections().len(), net.crossings().len()), (12, 12, 4));
    for turn in [Turn::Left, Turn::Straight, Turn::Right] {
        assert_eq!(net.movements().iter().filter(|m| m.turn == turn).count(), 4);
    }
    // Turns are slower than the street, and right turns slower than left ones.
    let speed = |turn| net.connections().iter().find(|c| net.movement(c.movement).turn == turn).unwrap().speed.get();
    assert_eq!(speed(Turn::Straight), 13.9);
    assert!(speed(Turn::Right) < speed(Turn::Left) && speed(Turn::Left) < 9.1, "{}", speed(Turn::Left));
    // 3.25 m of kerb, 4 m of corner, 6 m of crossing.
    assert!((net.links()[0].length.get() - (200.0 - 13.25)).abs() < 0.01, "{}", net.links()[0].length);
    assert_eq!(net.crossings()[0].length.get(), 6.5);
    valid(&net);
}

#[test]
fn permissive_lefts_run_with_their_street_and_yield() {
    let net = built(&crossroads(Rule::Signals(Lefts::Permissive), Lanes::through(1)));
    let c = &net.controllers()[0];
    assert_eq!(
        names(c),
        [
            "Main east",
            "Cross north",
            "Main west",
            "Cross south",
            "Main east right",
            "Cross north right",
            "Main west right",
            "Cross south right",
            "Main east left",
            "Cross north left",
            "Main west left",
            "Cross south left",
            "Main east walk",
            "Cross north walk",
            "Main west walk",
            "Cross south walk",
        ]
    );
    assert_eq!(stages(c), ["GrGrgrgrgrgrrGrG", "rGrGrgrgrgrgGrGr"], "walkers walk along with the street beside them");
    let get = |a: &str, b: &str| c.conflicts.get(group(c, a), group(c, b));
    assert!(matches!(get("Main east left", "Main west"), Relation::Permitted { yields: true, .. }));
    assert!(matches!(get("Main east left", "Main west right"), Relation::Permitted { yields: true, .. }));
    assert!(matches!(get("Main east right", "Cross north walk"), Relation::Permitted { yields: true, .. }));
    assert!(matches!(get("Main east", "Cross north"), Relation::Conflict { .. }));
    assert!(matches!(get("Main east", "Main west walk"), Relation::Conflict { .. }));
    assert_eq!(get("Main east", "Main west"), Relation::Compatible);
    // Who turns left waits for the oncoming stream inside the junction; nobody else has to wait there for vehicles.
    for k in net.connections() {
        let turn = net.movement(k.movement).turn;
        assert_eq!(k.wait_at.is_some(), turn != Turn::Straight, "{turn:?}");
        assert!(k.wait_at.is_none_or(|at| at.get() > 4.0 && at < k.length));
    }
    // 6.5 m at 1.2 m/s.
    assert_eq!(get("Cross north walk", "Cross north"), Relation::Conflict { intergreen: Ds(55) });
    assert_eq!(c.group(group(c, "Main east")).yellow, Ds(35));
}

#[test]
fn lefts_of_their_own_get_a_stage_where_the_plan_asks() {
    let lanes = Lanes::through(2).with_left(1);
    let of = |lefts| {
        let net = built(&crossroads(Rule::Signals(lefts), lanes));
        valid(&net);
        stages(&net.controllers()[0])
    };
    assert_eq!(of(Lefts::Permissive).len(), 2);
    let (own, both) = (of(Lefts::Protected), of(Lefts::Both));
    assert_eq!(own, ["GrGrgrgrrrrrrGrG", "rrrrrrrrGrGrrrrr", "rGrGrgrgrrrrGrGr", "rrrrrrrrrGrGrrrr"]);
    assert_eq!(both, ["GrGrgrgrgrgrrGrG", "rrrrrrrrGrGrrrrr", "rGrGrgrgrgrgGrGr", "rrrrrrrrrGrGrrrr"]);
    // Shared lanes would be blocked by a red arrow.
    let shared = built(&crossroads(Rule::Signals(Lefts::Protected), Lanes::through(2)));
    assert_eq!(shared.controllers()[0].program.stage_count(), 2);
}

#[test]
fn lanes_lead_where_they_are_painted() {
    let lanes = Lanes::through(2).with_left(1).with_right(1).with_bus_lane();
    let net = built(&crossroads(Rule::Signals(Lefts::Both), lanes));
    let from = |lane: u32| -> Vec<(Turn, String)> {
        let id = net.lane_named(&format!("south>middle.{lane}")).unwrap();
        net.connections_from(id)
            .iter()
            .map(|c| net.connection(*c))
            .map(|c| (net.movement(c.movement).turn, net.lane(c.to_lane).name.clone()))
            .collect()
    };
    let to = |turn, name: &str| (turn, name.to_owned());
    assert_eq!(from(0), [to(Turn::Right, "middle>east.0"), to(Turn::Straight, "middle>north.0")]);
    assert_eq!(from(1), [to(Turn::Right, "middle>east.1"), to(Turn::Right, "middle>east.2")]);
    assert_eq!(from(2), [to(Turn::Straight, "middle>north.1"), to(Turn::Straight, "middle>north.2")]);
    assert_eq!(from(3), [to(Turn::Straight, "middle>north.3"), to(Turn::Straight, "middle>north.4")]);
    assert_eq!(from(4), [to(Turn::Left, "middle>west.3"), to(Turn::Left, "middle>west.4")]);
    assert!(!net.lane(net.lane_named("south>middle.0").unwrap()).admits.cars);
    // Buses that go straight on have the way before cars that turn across their lane.
    let id = |from: &str, to: &str| {
        let ends = |c: &greenkerb_models::network::Connection| {
            net.lane(c.from_lane).name == from && net.lane(c.to_lane).name == to
        };
        greenkerb_models::ids::ConnectionId::at(net.connections().iter().position(ends).unwrap())
    };
    let (bus, car) = (id("south>middle.0", "middle>north.0"), id("south>middle.1", "middle>east.1"));
    let foe = net.foes(car).iter().find(|f| f.connection == bus).expect("they cross");
    assert!(foe.i_yield && !foe.it_yields);
    valid(&net);
}

#[test]
fn without_signals_side_streets_wait_and_equals_let_the_right_go_first() {
    let yields = |main: bool| {
        let mut plan = crossroads(Rule::MainFirst, Lanes::through(1));
        for s in &mut plan.streets {
            s.main = main && s.name == "Main";
            s.crossings = (false, false);
        }
        let net = built(&plan);
        assert!(net.controllers().is_empty());
        move |a: (&str, &str), b: (&str, &str)| {
            let id = |(from, to): (&str, &str)| {
                let ends = |c: &greenkerb_models::network::Connection| {
                    let link = |l| net.link(net.lane(l).link).name.clone();
                    link(c.from_lane) == format!("{from}>middle") && link(c.to_lane) == format!("middle>{to}")
                };
                greenkerb_models::ids::ConnectionId::at(net.connections().iter().position(ends).unwrap())
            };
            net.foes(id(a)).iter().find(|f| f.connection == id(b)).map(|f| (f.i_yield, f.it_yields))
        }
    };
    let by_rank = yields(true);
    assert_eq!(by_rank(("south", "north"), ("west", "east")), Some((true, false)));
    assert_eq!(by_rank(("south", "north"), ("east", "west")), Some((true, false)));
    assert_eq!(by_rank(("east", "south"), ("west", "east")), Some((true, false)), "left before oncoming");
    assert_eq!(by_rank(("south", "west"), ("east", "west")), Some((true, false)), "into the main street");
    assert_eq!(by_rank(("east", "west"), ("west", "east")), None);
    let equals = yields(false);
    assert_eq!(equals(("south", "north"), ("east", "west")), Some((true, false)), "east is on the right");
    assert_eq!(equals(("south", "north"), ("west", "east")), Some((false, true)));
}

#[test]
fn a_side_street_and_a_one_way_street_meet_a_main_street() {
    // A one-way street comes from the south and goes on to the north; a T-junction ends a street from the west.
    let mut plan = crossroads(Rule::Signals(Lefts::Both), Lanes::through(1));
    plan.streets[1].backward = None;
    plan.streets[3].forward = Lanes::through(2);
    plan.streets[3].backward = None;
    (plan.streets[3].from, plan.streets[3].to) = (4, 0);
    plan.streets[3].crossings = (false, true);
    let net = built(&plan);
    assert_eq!(net.movements().iter().filter(|m| m.turn == Turn::Straight).count(), 3);
    assert_eq!((net.movements().len(), net.controllers()[0].program.stage_count()), (7, 2));
    valid(&net);
    plan.streets.remove(2);
    let stem = built(&plan);
    assert_eq!(stem.movements().iter().filter(|m| m.turn == Turn::Straight).count(), 1);
    valid(&stem);
    // A ban takes a movement away.
    plan.bans.push(Ban { place: 0, from: 2, to: 0 });
    assert_eq!(built(&plan).movements().len(), stem.movements().len() - 1);
}

#[test]
fn a_signal_for_walkers_alone() {
    let plan = Plan {
        name: "zebra".into(),
        places: vec![
            place("west", -150.0, 0.0, Rule::Edge),
            place("school", 0.0, 0.0, Rule::Signals(Lefts::Permissive)),
            place("east", 150.0, 10.0, Rule::Edge),
        ],
        streets: vec![
            Street { crossings: (false, true), ..street("Main", 0, 1, Lanes::through(1)) },
            Street { crossings: (false, false), ..street("Main", 1, 2, Lanes::through(1)) },
        ],
        bans: Vec::new(),
    };
    let net = built(&plan);
    assert_eq!(stages(&net.controllers()[0]), ["GGr", "rrG"]);
    valid(&net);
}

#[test]
fn what_cannot_be_built_is_refused_by_name() {
    let refused = |change: &dyn Fn(&mut Plan)| {
        let mut plan = crossroads(Rule::Signals(Lefts::Both), Lanes::through(1));
        change(&mut plan);
        draft(&plan).unwrap_err().to_string()
    };
    for (said, expected) in [
        (refused(&|p| p.places[2].name = "east".into()), "place 'east': defined twice"),
        (refused(&|p| p.streets[0].to = 9), "street 'Main': place number 9 does not exist"),
        (refused(&|p| p.streets[0].to = 0), "street 'Main': it ends where it starts"),
        (refused(&|p| p.streets[2].to = 1), "street 'Main': another street joins the same places"),
        (refused(&|p| p.places[1].at.x = 12.0), "street 'Main': 12.0 m long, shorter than 20 m"),
        (refused(&|p| p.streets[0].speed_mps = f64::NAN), "street 'Main': a speed limit of NaN m/s"),
        (
            refused(&|p| p.streets[1].forward.through = 0),
            "street 'Cross': 0 right, 0 through, 0 left: 1 to 8 lanes, one of them through",
        ),
        (refused(&|p| p.streets.truncate(1)), "place 'middle': signals where nothing crosses"),
        (
            refused(&|p| p.bans.push(Ban { place: 1, from: 1, to: 2 })),
            "'from street 1 into street 2 at place 1': its streets do not meet there",
        ),
    ] {
        assert!(said.contains(expected), "{said}\nnot\n{expected}");
    }
}

fn any_lanes() -> impl Strategy<Value = Lanes> {
    (any::<bool>(), 0_u32..2, 1_u32..4, 0_u32..2).prop_map(|(bus, right, through, left)| Lanes {
        bus,
        right,
        through,
        left,
    })
}

fn any_lefts() -> impl Strategy<Value = Lefts> {
    prop_oneof![Just(Lefts::Permissive), Just(Lefts::Protected), Just(Lefts::Both)]
}

/// A junction of three to five streets at odd angles, some of them one-way.
fn any_junction() -> impl Strategy<Value = Plan> {
    let arm = (5.0..60.0, 60.0..300.0, any_lanes(), any_lanes(), 0_u8..4, any::<bool>(), any::<bool>(), 8.0..20.0);
    (prop::collection::vec(arm, 3..6), any_lefts()).prop_map(|(arms, lefts)| {
        let n = arms.len() as f64;
        let mut places = vec![place("middle", 0.0, 0.0, Rule::Signals(lefts))];
        let mut streets = Vec::new();
        for (i, (turn_deg, length_m, forward, backward, ways, main, crossed, speed_mps)) in arms.into_iter().enumerate()
        {
            let turn_deg: f64 = turn_deg;
            let angle = f64::to_radians(360.0 / n * i as f64 + turn_deg * 0.8);
            places.push(place(&format!("end {i}"), length_m * angle.cos(), length_m * angle.sin(), Rule::Edge));
            let two_way = Street {
                main,
                speed_mps,
                crossings: (crossed, false),
                backward: Some(backward),
                ..street(&format!("street {i}"), 0, i + 1, forward)
            };
            streets.push(match ways {
                0 => Street { backward: None, ..two_way },
                1 => Street { from: i + 1, to: 0, backward: None, crossings: (false, crossed), ..two_way },
                _ => two_way,
            });
        }
        Plan { name: "odd".into(), places, streets, bans: Vec::new() }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever meets at a junction, either it is refused for having nothing to alternate, or it is whole, its plan is
    /// valid, every lane for cars leads somewhere, and every way obeys its controller.
    #[test]
    fn every_drafted_junction_is_whole_and_safe(plan in any_junction()) {
        let parts = match draft(&plan) {
            Ok(parts) => parts,
            Err(refused) => {
                let said = refused.to_string();
                prop_assert!(said.contains("nothing to alternate") || said.contains("nothing crosses"), "{}", said);
                return Ok(());
            }
        };
        let net = parts.build().unwrap();
        let c = &net.controllers()[0];
        if let Err(refusals) = validate_plan(c.time_of_day_plan(), c, &Policy::default()) {
            prop_assert!(false, "{refusals}\n{:?}\n{:?}", names(c), stages(c));
        }
        for c in net.connections() {
            prop_assert!(c.signal.is_some() && c.speed.get() > 3.9);
        }
        for x in net.crossings() {
            prop_assert!(x.signal.is_some());
        }
        let exits = net.links_out_of(greenkerb_models::ids::NodeId(0)).count();
        for l in net.lanes().iter().enumerate().filter(|(_, l)| net.link(l.link).to.0 == 0 && l.admits.cars) {
            let id = greenkerb_models::ids::LaneId::at(l.0);
            prop_assert!(exits < 2 || !net.connections_from(id).is_empty(), "{} leads nowhere", l.1.name);
        }
        // Greens beside each other never meet with right of way on both sides.
        for step in c.program.steps.iter().filter(|s| matches!(s.kind, StepKind::Stage { .. })) {
            for a in c.group_ids().filter(|g| step.shows[g.index()].is_green()) {
                for b in c.group_ids().filter(|g| step.shows[g.index()].is_green()) {
                    prop_assert!(!c.conflicts.conflicts(a, b));
                }
            }
        }
    }
}
