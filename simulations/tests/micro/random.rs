//! Random streets with random demand: buses, parking and people among it. Whatever comes, the invariants hold, and the
//! number of threads makes no difference.

use std::sync::Arc;

use greenkerb_models::demand::{
    BusStop, Demand, DemandParts, DepartLane, DepartSpeed, Emission, Facility, Flow, Following, Parking, PeopleFlow,
    Stay, Trip, VehicleClass, VehicleKind, Way,
};
use greenkerb_models::ids::{CrossingId, FacilityId, KindId, LaneId, LinkId, StopId};
use greenkerb_models::network::{Network, Point};
use greenkerb_models::units::{Ds, Metres, TimeDs, VehPerHour};
use greenkerb_simulations::micro::{Micro, MicroOptions};
use greenkerb_simulations::routing::{LinkTimes, Tree};
use greenkerb_simulations::scenarios::drafting::{Lanes, Lefts, Place, Plan, Rule, Street, draft};
use greenkerb_simulations::scenarios::{Driving, Scenario, grid};
use proptest::prelude::*;

use crate::invariants::{Watch, show_programs};
use crate::support::scenario;

const STEPS: u32 = 400;
const CAR: KindId = KindId(0);
const LORRY: KindId = KindId(1);
const BUS: KindId = KindId(2);

/// What a case is made of.
#[derive(Debug, Clone)]
struct Case {
    columns: usize,
    rows: usize,
    block_m: f64,
    drafted: bool,
    lanes: Lanes,
    control: Rule,
    flow_vph: f64,
    buses: u32,
    parks: usize,
    people_per_h: f64,
    idm: bool,
    offset_ds: i64,
    seed: u64,
}

fn cases() -> impl Strategy<Value = Case> {
    let lanes = (1..3_u32, 0..2_u32, any::<bool>()).prop_map(|(through, left, bus)| {
        let lanes = Lanes::through(through).with_left(left);
        if bus { lanes.with_bus_lane() } else { lanes }
    });
    let lefts = prop_oneof![Just(Lefts::Permissive), Just(Lefts::Protected), Just(Lefts::Both)];
    let control = prop_oneof![4 => lefts.prop_map(Rule::Signals), 1 => Just(Rule::MainFirst)];
    let size = (1..4_usize, 1..3_usize, 110.0..240.0_f64, any::<bool>());
    let load = (50.0..900.0_f64, 0..3_u32, 0..4_usize, 0.0..600.0_f64, any::<bool>());
    (size, lanes, control, load, 0..300_i64, any::<u64>()).prop_map(
        |((columns, rows, block_m, drafted), lanes, control, load, offset_ds, seed)| {
            let (flow_vph, buses, parks, people_per_h, idm) = load;
            Case {
                columns,
                rows,
                block_m,
                drafted,
                lanes,
                control,
                flow_vph,
                buses,
                parks,
                people_per_h,
                idm,
                offset_ds,
                seed,
            }
        },
    )
}

/// Streets along the lines of a lattice whose inner places are junctions.
fn drafted(case: &Case) -> Network {
    let (w, h) = (case.columns + 2, case.rows + 2);
    let inner = |x: usize, y: usize| (1..=case.columns).contains(&x) && (1..=case.rows).contains(&y);
    let mut plan = Plan { name: "random".into(), ..Plan::default() };
    let mut places = vec![None; w * h];
    for y in 0..h {
        for x in 0..w {
            let corner = !(1..=case.columns).contains(&x) && !(1..=case.rows).contains(&y);
            if corner {
                continue;
            }
            places[y * w + x] = Some(plan.places.len());
            let at = Point { x: x as f64 * case.block_m, y: y as f64 * case.block_m };
            let control = if inner(x, y) { case.control } else { Rule::Edge };
            plan.places.push(Place { name: format!("p{x}_{y}"), at, control });
        }
    }
    for y in 0..h {
        for x in 0..w {
            for (x2, y2, main) in [(x + 1, y, true), (x, y + 1, false)] {
                if x2 >= w || y2 >= h || !(inner(x, y) || inner(x2, y2)) {
                    continue;
                }
                let (Some(from), Some(to)) = (places[y * w + x], places[y2 * w + x2]) else { continue };
                plan.streets.push(Street {
                    name: format!("s{x}_{y}_{main}"),
                    from,
                    to,
                    via: Vec::new(),
                    speed_mps: 13.9,
                    main,
                    forward: case.lanes,
                    backward: Some(case.lanes),
                    crossings: (inner(x, y), inner(x2, y2)),
                });
            }
        }
    }
    draft(&plan).unwrap().build().unwrap()
}

fn kinds(case: &Case) -> Vec<VehicleKind> {
    let metres = |m| Metres::new(m).unwrap();
    let following = if case.idm { Following::Idm } else { Following::Krauss };
    let car = VehicleKind { following, ..VehicleKind::car("car") };
    let lorry =
        VehicleKind { name: "lorry".into(), class: VehicleClass::Lorry, length: metres(9.0), ..VehicleKind::car("") };
    let bus =
        VehicleKind { name: "bus".into(), class: VehicleClass::Bus, length: metres(12.0), ..VehicleKind::car("") };
    vec![car, lorry, bus]
}

/// A little chance of the test's own.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n.max(1)
    }
}

fn template(name: String, kind: KindId, way: Way) -> Trip {
    Trip {
        name,
        kind,
        depart: TimeDs(0),
        way,
        depart_lane: DepartLane::Best,
        depart_speed: DepartSpeed::Zero,
        stays: Vec::new(),
        parking: None,
    }
}

fn demand(case: &Case, network: &Network) -> Demand {
    let mut dice = Dice(case.seed);
    let all: Vec<LinkId> = (0..network.links().len()).map(|l| LinkId(l as u32)).collect();
    let leaves = |l: &LinkId| network.movements_from(*l).is_empty();
    let enters = |l: &LinkId| network.movements_into(*l).is_empty();
    let entries: Vec<LinkId> = all.iter().copied().filter(|l| enters(l) && !leaves(l)).collect();
    let exits: Vec<LinkId> = all.iter().copied().filter(|l| leaves(l) && !enters(l)).collect();
    let inner: Vec<LinkId> = all.iter().copied().filter(|l| !leaves(l) && !enters(l)).collect();
    let places = if inner.is_empty() { &entries } else { &inner };
    let mut parts = DemandParts { kinds: kinds(case), ..DemandParts::default() };
    let car_lane =
        |link: LinkId| network.link(link).lanes.iter().copied().find(|l| network.lane(*l).admits.cars).unwrap();
    let at = |lane: LaneId, share: f64| Metres::new(network.lane(lane).length.get() * share).unwrap();
    let flow = |template: Trip, vph: f64| Flow {
        template,
        end: TimeDs::from_s(i64::from(STEPS)),
        emission: Emission::Poisson(VehPerHour::new(vph).unwrap()),
    };
    for (i, from) in entries.iter().enumerate() {
        let kind = if i % 4 == 3 { LORRY } else { CAR };
        parts.flows.push(flow(template(format!("turn {i}"), kind, Way::Turning { from: *from }), case.flow_vph / 2.0));
        let to = exits[dice.below(exits.len())];
        let way = Way::Between { from: *from, to, via: vec![] };
        if reaches(network, VehicleClass::Car, *from, to) {
            parts.flows.push(flow(template(format!("to {i}"), CAR, way), case.flow_vph / 2.0));
        }
    }
    for k in 0..case.parks {
        let link = places[dice.below(places.len())];
        let entrance = car_lane(link);
        let capacity = 1 + dice.below(12) as u32;
        parts.facilities.push(Facility {
            name: format!("park {k}"),
            entrance,
            entrance_at: at(entrance, 0.3 + 0.1 * dice.below(6) as f64),
            exit: if dice.below(3) == 0 { places[dice.below(places.len())] } else { link },
            capacity,
            occupied: dice.below(capacity as usize + 1) as u32,
            service: Ds::from_s(4 * dice.below(4) as u32),
            mouth: dice.below(4) as u32,
        });
    }
    for k in 0..parts.facilities.len() {
        let (from, to) = (entries[dice.below(entries.len())], exits[dice.below(exits.len())]);
        let f = &parts.facilities[k];
        let link = network.lane(f.entrance).link;
        let car = VehicleClass::Car;
        if reaches(network, car, from, link) && reaches(network, car, link, to) && reaches(network, car, f.exit, to) {
            let stay = [None, Some(Ds::from_s(20)), Some(Ds::from_s(90))][dice.below(3)];
            let mut trip = template(format!("parks {k}"), CAR, Way::Between { from, to, via: vec![] });
            trip.parking = Some(Parking { facility: FacilityId(k as u32), stay });
            parts.flows.push(flow(trip, 250.0));
        }
    }
    for b in 0..case.buses {
        let (from, to) = (entries[dice.below(entries.len())], exits[dice.below(exits.len())]);
        let link = places[dice.below(places.len())];
        if !(reaches(network, VehicleClass::Bus, from, link) && reaches(network, VehicleClass::Bus, link, to)) {
            continue;
        }
        let lanes = &network.link(link).lanes;
        let lane = lanes[dice.below(lanes.len())];
        let stop = StopId(parts.stops.len() as u32);
        let bay = dice.below(2) == 1;
        parts.stops.push(BusStop {
            name: format!("stop {b}"),
            lane,
            at: at(lane, 0.2 + 0.1 * dice.below(7) as f64),
            bay,
        });
        let mut line = template(format!("line {b}"), BUS, Way::Between { from, to, via: vec![] });
        line.stays = vec![Stay { stop, dwell: Ds::from_s(dice.below(40) as u32), until: None }];
        parts.flows.push(flow(line, 120.0));
    }
    for x in 0..network.crossings().len() {
        let (begin, end) = (TimeDs(0), TimeDs::from_s(i64::from(STEPS)));
        parts.people.push(PeopleFlow { crossing: CrossingId(x as u32), people_per_h: case.people_per_h, begin, end });
    }
    parts.build(network).unwrap()
}

fn reaches(network: &Network, class: VehicleClass, from: LinkId, to: LinkId) -> bool {
    Tree::to(network, class, &LinkTimes::free_flow(network), to).time_from_s(from).is_finite()
}

fn built(case: &Case, driving: Driving) -> Scenario {
    let plain = || grid(case.columns as u32, case.rows as u32, case.block_m).unwrap();
    let network = Arc::new(if case.drafted { drafted(case) } else { plain() });
    let demand = demand(case, &network);
    scenario(network, demand, driving)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn whatever_comes_the_street_keeps_its_laws(case in cases()) {
        let scenario = built(&case, Driving::Street);
        let options = MicroOptions { seed: case.seed, threads: 1 };
        let mut street = Micro::new(&scenario, options).unwrap();
        let mut watch = Watch::default();
        for _ in 0..STEPS {
            show_programs(&mut street, case.offset_ds);
            if let Err(reason) = watch.step(&mut street, Driving::Street) {
                prop_assert!(false, "{}", reason);
            }
        }
        prop_assert!(street.totals().loaded > 0);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4, ..ProptestConfig::default() })]

    /// Large enough for several regions; small streets have one, and nothing to divide.
    #[test]
    fn whatever_comes_threads_make_no_difference(case in cases()) {
        let case = Case { columns: 6 + case.columns, rows: 7, drafted: false, flow_vph: case.flow_vph.min(400.0), parks: 6, ..case };
        let scenario = built(&case, Driving::Street);
        let run = |threads| {
            let mut street = Micro::new(&scenario, MicroOptions { seed: case.seed, threads }).unwrap();
            for _ in 0..250 {
                show_programs(&mut street, case.offset_ds);
                street.step();
            }
            (street.hash(), street.totals())
        };
        let (one, two) = (run(1), run(2));
        prop_assert!(one.1.arrived > 0);
        prop_assert_eq!(one, two);
    }
}
