//! Parking: the mouth, the barrier, the queue before it, searching, and back onto the street.

use std::sync::Arc;

use greenkerb_models::demand::{DemandParts, DepartSpeed, Facility, Parking, Route, Trip, Way};
use greenkerb_models::ids::{ControllerId, FacilityId, LinkId, RouteId};
use greenkerb_models::network::Network;
use greenkerb_models::signal::Indication;
use greenkerb_models::units::{Ds, Metres, TimeDs};
use greenkerb_simulations::micro::{Event, Micro, MicroOptions, VehicleId, What};
use greenkerb_simulations::scenarios::{Driving, grid};

use crate::support::{scenario, steady_car, trip};

/// A facility with its entrance and exit on a link's right lane.
#[derive(Debug, Clone, Copy)]
struct Park {
    link: &'static str,
    at_m: f64,
    capacity: u32,
    occupied: u32,
    service_s: u32,
    mouth: u32,
}

const GARAGE: Park = Park { link: "n-1_0>n0_0", at_m: 120.0, capacity: 10, occupied: 0, service_s: 5, mouth: 2 };

fn facility(network: &Network, number: usize, park: &Park) -> Facility {
    let link = network.link_named(park.link).unwrap();
    Facility {
        name: format!("park {number}"),
        entrance: network.link(link).lanes[0],
        entrance_at: Metres::new(park.at_m).unwrap(),
        exit: link,
        capacity: park.capacity,
        occupied: park.occupied,
        service: Ds::from_s(park.service_s),
        mouth: park.mouth,
    }
}

/// Four junctions around a block, always green, and a route straight over two of them.
fn street_with(parks: &[Park], trips: Vec<Trip>, seed: u64) -> Micro {
    let network = Arc::new(grid(2, 2, 200.0).unwrap());
    let links: Vec<LinkId> =
        ["n-1_0>n0_0", "n0_0>n1_0", "n1_0>n2_0"].map(|name| network.link_named(name).unwrap()).to_vec();
    let parts = DemandParts {
        kinds: vec![steady_car()],
        routes: vec![Route { name: "over".into(), links }],
        facilities: parks.iter().enumerate().map(|(i, p)| facility(&network, i, p)).collect(),
        trips,
        ..DemandParts::default()
    };
    let demand = parts.build(&network).unwrap();
    let options = MicroOptions { seed, threads: 1 };
    let mut street = Micro::new(&scenario(network, demand, Driving::Street), options).unwrap();
    for c in 0..4 {
        street.show(ControllerId(c), &[Indication::Protected; 8]);
    }
    street
}

fn through(name: &str, depart_s: i64) -> Trip {
    trip(name, depart_s, Way::Along(RouteId(0)))
}

fn parks(name: &str, depart_s: i64, facility: u32, stay_s: Option<u32>) -> Trip {
    let parking = Parking { facility: FacilityId(facility), stay: stay_s.map(Ds::from_s) };
    Trip { parking: Some(parking), ..through(name, depart_s) }
}

/// Steps, and sees to it that nobody is lost, found twice, or where somebody else is.
fn watched(street: &mut Micro, steps: u32) -> Vec<Event> {
    let mut told = Vec::new();
    for _ in 0..steps {
        street.step();
        told.extend_from_slice(street.events());
        let t = street.totals();
        assert_eq!(t.loaded, t.waiting + t.on_road + t.arrived + t.parked + t.leaving, "{t:?}");
        assert_eq!(t.inserted, t.on_road + t.arrived + t.parked + t.leaving, "{t:?}");
        for l in 0..street.network().lanes().len() {
            let on: Vec<_> = street.on_lane(greenkerb_models::ids::LaneId(l as u32)).collect();
            for w in on.windows(2) {
                assert!(w[1].front_m <= w[0].front_m - w[0].length_m + 0.01, "{:?} and {:?}", w[0], w[1]);
            }
        }
    }
    told
}

fn of(told: &[Event], what: impl Fn(&What) -> bool) -> Vec<TimeDs> {
    told.iter().filter(|e| what(&e.what)).map(|e| e.at).collect()
}

fn parked(told: &[Event]) -> Vec<(TimeDs, u32, u32)> {
    let one = |e: &Event| match e.what {
        What::Parked { vehicle, facility, .. } => Some((e.at, vehicle.0, facility.0)),
        _ => None,
    };
    told.iter().filter_map(one).collect()
}

#[test]
fn a_vehicle_parks_for_its_stay_and_goes_on() {
    let mut street = street_with(&[GARAGE], vec![parks("a", 0, 0, Some(60))], 1);
    let mut told = Vec::new();
    while parked(&told).is_empty() {
        told.extend(watched(&mut street, 1));
        assert!(street.now() < TimeDs::from_s(60), "it gets there");
    }
    let now = street.facility(FacilityId(0));
    assert_eq!((now.occupied, now.in_mouth, street.totals().parked, street.totals().on_road), (1, 0, 1, 0));
    let What::Parked { journey, searched_m, .. } = told.last().unwrap().what else { panic!("{told:?}") };
    assert!((journey.driven_m - (120.0 - 5.1)).abs() < 1.0 && searched_m == 0.0, "{journey:?}");
    assert!(journey.time_loss_s >= 5.0, "the barrier takes five seconds: {journey:?}");
    told.extend(watched(&mut street, 150));
    let unparked = of(&told, |w| matches!(w, What::Unparked { .. }));
    assert_eq!(unparked[0].since(parked(&told)[0].0), 610, "told at the end of the step after its stay");
    let inserted = of(&told, |w| matches!(w, What::Inserted { .. }));
    assert_eq!((inserted.len(), inserted[1]), (2, unparked[0]), "nobody is in its way");
    let What::Arrived { journey, .. } = told.last().unwrap().what else { panic!("{told:?}") };
    // With its rear at the start to the entrance at 120 m, and from behind it to the end of the way: the exit lies 6 m
    // further on.
    assert!((journey.driven_m - (630.0 - 5.1 - 6.0)).abs() < 1.0, "{journey:?}");
    assert_eq!((street.totals().arrived, street.facility(FacilityId(0)).occupied), (1, 0));
}

#[test]
fn a_trip_can_end_in_a_bay() {
    let mut street = street_with(&[GARAGE], vec![parks("a", 0, 0, None)], 1);
    let told = watched(&mut street, 600);
    assert_eq!(parked(&told).len(), 1);
    assert_eq!((street.totals().parked, street.totals().arrived, street.facility(FacilityId(0)).occupied), (1, 0, 1));
}

#[test]
fn a_slow_barrier_fills_the_mouth_and_its_queue_blocks_the_lane() {
    let slow = Park { service_s: 20, ..GARAGE };
    let mut trips: Vec<Trip> = (0..8).map(|i| parks(&format!("p{i}"), 2 * i, 0, None)).collect();
    trips.push(through("behind", 20));
    let mut street = street_with(&[slow], trips, 1);
    let lane = street.network().lane_named("n-1_0>n0_0.0").unwrap();
    let (mut longest, mut reach_m, mut told) = (0, 0.0_f64, Vec::new());
    for _ in 0..250 {
        told.extend(watched(&mut street, 1));
        longest = longest.max(street.facility(FacilityId(0)).on_street);
        assert!(street.facility(FacilityId(0)).in_mouth <= 2);
        let standing = street.on_lane(lane).filter(|v| v.speed_mps < 0.1);
        reach_m = standing.map(|v| 120.0 - f64::from(v.front_m)).fold(reach_m, f64::max);
    }
    let at = parked(&told);
    assert_eq!(at.len(), 8);
    for w in at.windows(2) {
        assert_eq!(w[1].0.since(w[0].0), 200, "one every 20 s: {at:?}");
    }
    // Eight come while one or two pass the barrier and two find room in the mouth.
    assert!(longest >= 4, "{longest} stand on the street");
    assert!(reach_m >= 3.0 * 7.5, "the queue reaches back {reach_m} m");
    let through_s = of(&told, |w| matches!(w, What::Arrived { .. }))[0].seconds();
    assert!(through_s > at[5].0.seconds(), "who wanted to go on stood behind them: {through_s} s");
}

#[test]
fn a_bay_at_the_kerb_needs_no_barrier_and_frees_the_lane_at_once() {
    let kerb = Park { service_s: 0, mouth: 0, ..GARAGE };
    let mut street = street_with(&[kerb], vec![parks("p", 0, 0, Some(100)), through("c", 4)], 1);
    let told = watched(&mut street, 200);
    let (at, ..) = parked(&told)[0];
    let What::Arrived { vehicle, journey } = told.iter().find(|e| matches!(e.what, What::Arrived { .. })).unwrap().what
    else {
        panic!("{told:?}")
    };
    assert_eq!(vehicle, VehicleId(1), "the one behind drives on");
    assert!(journey.time_loss_s < 20.0 && at < TimeDs::from_s(25), "{journey:?}");
    assert_eq!(street.totals().arrived, 2);
}

#[test]
fn a_barrier_on_the_street_is_in_everybodys_way() {
    let no_mouth = Park { service_s: 15, mouth: 0, ..GARAGE };
    let trips = vec![parks("p", 0, 0, None), parks("q", 3, 0, None), through("c", 6)];
    let mut street = street_with(&[no_mouth], trips, 1);
    let told = watched(&mut street, 150);
    let at = parked(&told);
    let apart_s = at[1].0.since(at[0].0) as f64 / 10.0;
    assert!((15.0..22.0).contains(&apart_s), "the second drives up and waits its 15 s: {apart_s}");
    assert!(of(&told, |w| matches!(w, What::Arrived { .. }))[0] > at[1].0);
}

/// A facility that is full for ever, and those a driver comes to next: straight on, and round the block.
const FULL: Park = Park { link: "n0_0>n1_0", at_m: 100.0, capacity: 3, occupied: 3, service_s: 0, mouth: 1 };

fn found_full(told: &[Event]) -> Vec<u32> {
    let one = |e: &Event| match e.what {
        What::Full { facility, .. } => Some(facility.0),
        _ => None,
    };
    told.iter().filter_map(one).collect()
}

#[test]
fn who_finds_a_facility_full_goes_on_to_the_nearest_other() {
    let near = Park { link: "n1_0>n2_0", at_m: 60.0, occupied: 0, ..FULL };
    let far = Park { link: "n1_0>n1_1", at_m: 150.0, occupied: 0, ..FULL };
    let mut street = street_with(&[FULL, far, near], vec![parks("s", 0, 0, None)], 1);
    let told = watched(&mut street, 200);
    assert_eq!((found_full(&told), parked(&told)[0].2), (vec![0], 2));
    let What::Parked { searched_m, journey, .. } = told.last().unwrap().what else { panic!("{told:?}") };
    // It sees 50 m before the entrance, or a step or two of driving later, that the first is full.
    let most_m = 150.0 + 15.0 + 60.0;
    assert!((most_m - 28.0..=most_m).contains(&f64::from(searched_m)), "{searched_m} m");
    assert!((journey.driven_m - (200.0 + 15.0 + 200.0 + 15.0 + 60.0 - 5.1)).abs() < 1.0, "{journey:?}");
}

#[test]
fn who_searches_remembers_what_was_full() {
    let second = Park { link: "n1_0>n1_1", ..FULL };
    let third = Park { link: "n1_1>n0_1", ..FULL };
    let mut street = street_with(&[FULL, second, Park { occupied: 2, ..third }], vec![parks("s", 0, 0, None)], 1);
    let told = watched(&mut street, 300);
    assert_eq!((found_full(&told), parked(&told)[0].2), (vec![0, 1], 2));

    // Where all are full it goes to the one it has found full the longest ago, round and round.
    let mut street = street_with(&[FULL, second, third], vec![parks("s", 0, 0, Some(50))], 1);
    let told = watched(&mut street, 600);
    let found = found_full(&told);
    assert!(found.len() >= 8, "{found:?}");
    assert!(found.iter().enumerate().all(|(i, f)| *f as usize == i % 3), "{found:?}");
    assert_eq!(street.totals().on_road, 1);
}

#[test]
fn one_that_finds_the_only_facility_full_comes_again() {
    let mut street =
        street_with(&[Park { occupied: 2, ..FULL }], vec![parks("a", 0, 0, Some(90)), parks("b", 10, 0, None)], 1);
    let told = watched(&mut street, 300);
    assert!(!found_full(&told).is_empty());
    let at = parked(&told);
    assert_eq!(at.iter().map(|p| p.1).collect::<Vec<_>>(), [0, 1], "the second gets the bay that the first leaves");
}

#[test]
fn among_equals_chance_decides_and_the_seed_decides_chance() {
    let near = Park { link: "n1_0>n2_0", at_m: 60.0, occupied: 0, ..FULL };
    let other = Park { link: "n1_0>n1_-1", ..near };
    let chosen = |seed| {
        let mut street = street_with(&[FULL, near, other], vec![parks("s", 0, 0, None)], seed);
        let told = watched(&mut street, 200);
        parked(&told)[0].2
    };
    let mut seen = [0, 0, 0];
    for seed in 0..24 {
        let facility = chosen(seed);
        assert_eq!(facility, chosen(seed));
        seen[facility as usize] += 1;
    }
    assert!(seen[0] == 0 && seen[1] >= 4 && seen[2] >= 4, "{seen:?}");
}

#[test]
fn with_nowhere_else_to_go_a_driver_gives_up() {
    let full = Park { capacity: 1, occupied: 1, ..GARAGE };
    let mut street = street_with(&[full], vec![parks("s", 0, 0, None)], 1);
    let told = watched(&mut street, 200);
    assert_eq!(of(&told, |w| matches!(w, What::Full { .. })).len(), 1);
    assert_eq!(street.totals().arrived, 1, "no way leads back, so it drives on to the end of its way");
}

#[test]
fn who_leaves_waits_for_a_gap_and_that_is_departure_delay() {
    let mut trips = vec![parks("p", 0, 0, Some(20))];
    // A platoon without a gap passes when it wants out.
    let fast = |i: i64| Trip { depart_speed: DepartSpeed::Max, ..through(&format!("c{i}"), 24 + 2 * i) };
    trips.extend((0..40).map(fast));
    let mut street = street_with(&[GARAGE], trips, 1);
    let mut told = Vec::new();
    let mut leaving = 0;
    for _ in 0..250 {
        told.extend(watched(&mut street, 1));
        leaving += street.totals().leaving;
    }
    let unparked = of(&told, |w| matches!(w, What::Unparked { .. }))[0];
    let back = told
        .iter()
        .find(|e| e.at >= unparked && matches!(e.what, What::Inserted { vehicle, .. } if vehicle == VehicleId(0)));
    let waited_s = back.unwrap().at.since(unparked) as f64 / 10.0;
    assert!((4.0..100.0).contains(&waited_s) && leaving as f64 == waited_s, "{waited_s} s, {leaving} looks");
    assert_eq!(street.totals().arrived, 41);
}

/// Seconds between those who park, one waiting behind the other, at a barrier that takes 10 s.
fn intervals_s(at_m: f64, mouth: u32, tick: Ds) -> Vec<f64> {
    let network = Arc::new(grid(2, 2, 200.0).unwrap());
    let links: Vec<LinkId> = ["n-1_0>n0_0", "n0_0>n1_0"].map(|name| network.link_named(name).unwrap()).to_vec();
    let park = Park { link: "n0_0>n1_0", at_m, capacity: 20, occupied: 0, service_s: 10, mouth };
    let demand = DemandParts {
        kinds: vec![steady_car()],
        routes: vec![Route { name: "over".into(), links }],
        facilities: vec![facility(&network, 0, &park)],
        trips: (0..8).map(|i| parks(&format!("p{i}"), 2 * i, 0, None)).collect(),
        ..DemandParts::default()
    };
    let mut town = scenario(Arc::clone(&network), demand.build(&network).unwrap(), Driving::Street);
    town.tick = tick;
    let mut street = Micro::new(&town, MicroOptions { seed: 1, threads: 1 }).unwrap();
    for c in 0..4 {
        street.show(ControllerId(c), &[Indication::Protected; 8]);
    }
    let told = watched(&mut street, 2_000 / tick.0);
    let at = parked(&told);
    assert_eq!(at.len(), 8, "an entrance at {at_m} m, a mouth of {mouth}: {at:?}");
    // The first finds nobody before it.
    at[1..].windows(2).map(|w| w[1].0.since(w[0].0) as f64 / 10.0).collect()
}

#[test]
fn a_queue_passes_the_barrier_at_its_rate_wherever_it_lies() {
    for at_m in [0.0, 0.5, 120.0, 200.0] {
        for (mouth, tick) in [(1, Ds(10)), (2, Ds(10)), (2, Ds(5)), (2, Ds(2))] {
            let s = intervals_s(at_m, mouth, tick);
            assert!(s.iter().all(|s| *s == 10.0), "at {at_m} m, a mouth of {mouth}, steps of {tick}: {s:?}");
        }
        // Without a mouth each draws up to the barrier first.
        let s = intervals_s(at_m, 0, Ds(10));
        assert!(s.iter().all(|s| (12.0..=15.0).contains(s)), "at {at_m} m: {s:?}");
    }
}
