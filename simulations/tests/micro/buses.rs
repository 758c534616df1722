//! Buses and their stops.

use std::sync::Arc;

use greenkerb_models::demand::{
    BusStop, DemandParts, Emission, Flow, Route, Stay, Trip, VehicleClass, VehicleKind, Way,
};
use greenkerb_models::ids::{ControllerId, KindId, LaneId, RouteId, StopId};
use greenkerb_models::network::Network;
use greenkerb_models::signal::Indication;
use greenkerb_models::units::{Ds, Metres, TimeDs};
use greenkerb_simulations::micro::{Event, Journey, Micro, MicroError, MicroOptions, VehicleId, What};
use greenkerb_simulations::scenarios::{Driving, grid};

use crate::support::{scenario, steady_car, trip};

const BUS: KindId = KindId(1);

fn metres(m: f64) -> Metres {
    Metres::new(m).unwrap()
}

fn kinds() -> Vec<VehicleKind> {
    let bus = VehicleKind {
        name: "bus".into(),
        class: VehicleClass::Bus,
        length: metres(12.0),
        people: 40.0,
        ..steady_car()
    };
    vec![steady_car(), bus]
}

/// One junction with a route straight over it from west to east, and stops on its lanes.
fn street_with(stops: &[(&str, f64, bool)], trips: Vec<Trip>, flows: Vec<Flow>) -> Result<Micro, MicroError> {
    let network = Arc::new(grid(1, 1, 200.0).unwrap());
    let stop = |(lane, at_m, bay): &(&str, f64, bool)| BusStop {
        name: format!("{lane} {at_m}"),
        lane: network.lane_named(lane).unwrap(),
        at: metres(*at_m),
        bay: *bay,
    };
    let links = ["n-1_0>n0_0", "n0_0>n1_0"].map(|name| network.link_named(name).unwrap());
    let parts = DemandParts {
        kinds: kinds(),
        routes: vec![Route { name: "over".into(), links: links.to_vec() }],
        stops: stops.iter().map(stop).collect(),
        trips,
        flows,
        ..DemandParts::default()
    };
    let demand = parts.build(&network).unwrap();
    let mut street = Micro::new(&scenario(network, demand, Driving::Street), MicroOptions::default())?;
    street.show(ControllerId(0), &[Indication::Protected; 8]);
    Ok(street)
}

fn stay(stop: u32, dwell_s: u32, until_s: Option<i64>) -> Stay {
    Stay { stop: StopId(stop), dwell: Ds::from_s(dwell_s), until: until_s.map(TimeDs::from_s) }
}

fn bus(name: &str, depart_s: i64, stays: Vec<Stay>) -> Trip {
    Trip { kind: BUS, stays, ..trip(name, depart_s, Way::Along(RouteId(0))) }
}

fn car(name: &str, depart_s: i64) -> Trip {
    trip(name, depart_s, Way::Along(RouteId(0)))
}

fn events(street: &mut Micro, steps: u32) -> Vec<Event> {
    let mut told = Vec::new();
    for _ in 0..steps {
        street.step();
        told.extend_from_slice(street.events());
    }
    told
}

fn arrived(told: &[Event], vehicle: u32) -> (TimeDs, Journey) {
    let of = |e: &Event| match e.what {
        What::Arrived { vehicle: v, journey } if v.0 == vehicle => Some((e.at, journey)),
        _ => None,
    };
    told.iter().find_map(of).unwrap_or_else(|| panic!("vehicle {vehicle} arrives"))
}

fn told_at(told: &[Event], what: impl Fn(&What) -> bool) -> Vec<TimeDs> {
    told.iter().filter(|e| what(&e.what)).map(|e| e.at).collect()
}

#[test]
fn a_bus_stands_at_its_stop_for_its_dwell_time_and_not_longer() {
    let stops = [("n-1_0>n0_0.0", 100.0, false)];
    let mut street = street_with(&stops, vec![bus("b", 0, vec![stay(0, 20, None)])], vec![]).unwrap();
    let (mut stood, mut told) = (0, Vec::new());
    for _ in 0..120 {
        street.step();
        told.extend_from_slice(street.events());
        if let Some(v) = street.vehicle(VehicleId(0)).filter(|v| v.at_stop) {
            stood += 1;
            assert_eq!((v.speed_mps, v.stands_since), (0.0, None), "a stay is no stand");
            assert!((v.front_m - 100.0).abs() <= 1.0, "{v:?}");
            assert_eq!(v.journey.waiting_s, 0.0);
        }
    }
    let began = told_at(&told, |w| matches!(w, What::AtStop { .. }));
    let left = told_at(&told, |w| matches!(w, What::LeftStop { .. }));
    assert_eq!(left[0].since(began[0]), 210, "20 s, told at the end of the step in which it drives on");
    assert_eq!((began.len(), left.len(), stood), (1, 1, 21), "at the beginning of its stay, and after each second");

    let mut without = street_with(&stops, vec![bus("b", 0, vec![])], vec![]).unwrap();
    let ((at, journey), (at_without, journey_without)) = (arrived(&told, 0), arrived(&events(&mut without, 120), 0));
    let later_s = at.since(at_without) as f64 / 10.0;
    let lost_s = f64::from(journey.time_loss_s - journey_without.time_loss_s);
    // Braking from 13.9 m/s at 4.5 m/s² and speeding up again at 2.6 m/s² costs half of 3.1 s and of 5.3 s.
    assert!((20.0 + 3.0..20.0 + 7.0).contains(&later_s), "{later_s} s later");
    assert!((lost_s - (later_s - 20.0)).abs() <= 1.0, "the stay is no loss: {lost_s} s of {later_s} s");
    assert_eq!((journey.waiting_s, journey.stops), (0.0, 0), "{journey:?}");
    // It enters with its rear at the start of its way.
    assert!((journey.driven_m - (415.0 - 12.1)).abs() < 1e-2);
}

#[test]
fn a_timetable_holds_a_bus_back() {
    let stops = [("n-1_0>n0_0.0", 100.0, false)];
    let mut street = street_with(&stops, vec![bus("b", 0, vec![stay(0, 5, Some(90))])], vec![]).unwrap();
    let told = events(&mut street, 150);
    let left = told_at(&told, |w| matches!(w, What::LeftStop { .. }));
    assert_eq!(left, [TimeDs::from_s(91)], "the step that begins at 90 s is the first it drives in");
    // A timetable that it is late for does not shorten the dwell time.
    let mut late = street_with(&stops, vec![bus("b", 0, vec![stay(0, 5, Some(3))])], vec![]).unwrap();
    let told = events(&mut late, 150);
    let began = told_at(&told, |w| matches!(w, What::AtStop { .. }));
    let left = told_at(&told, |w| matches!(w, What::LeftStop { .. }));
    assert_eq!(left[0].since(began[0]), 60);
}

#[test]
fn the_timetable_of_a_flow_moves_on_with_each_of_its_buses() {
    let stops = [("n-1_0>n0_0.0", 100.0, false)];
    let template = bus("line", 0, vec![stay(0, 5, Some(60))]);
    let flow = Flow { template, end: TimeDs::from_s(400), emission: Emission::Every { period_s: 200.0 } };
    let mut street = street_with(&stops, vec![], vec![flow]).unwrap();
    let left = told_at(&events(&mut street, 550), |w| matches!(w, What::LeftStop { .. }));
    assert_eq!(left, [61, 261, 461].map(TimeDs::from_s));
}

#[test]
fn others_queue_behind_a_bus_on_the_lane_and_pass_one_in_a_bay() {
    let run = |bay: bool| {
        let stops = [("n-1_0>n0_0.0", 120.0, bay)];
        let mut trips = vec![bus("b", 0, vec![stay(0, 60, None)])];
        trips.extend((0..4).map(|i| car(&format!("c{i}"), 6 + 4 * i)));
        let mut street = street_with(&stops, trips, vec![]).unwrap();
        let mut queued = 0;
        let mut told = Vec::new();
        for _ in 0..200 {
            street.step();
            told.extend_from_slice(street.events());
            let lane = street.network().lane_named("n-1_0>n0_0.0").unwrap();
            queued = queued.max(street.on_lane(lane).filter(|v| v.speed_mps < 0.1 && !v.at_stop).count());
            no_overlap(&street, lane);
            assert_eq!(street.totals().on_road + street.totals().arrived, street.totals().inserted);
        }
        let bus_s = arrived(&told, 0).0.seconds();
        let cars_s = (1..5).map(|v| arrived(&told, v).0.seconds()).fold(0.0, f64::max);
        (queued, bus_s, cars_s)
    };
    let (queued, bus_s, cars_s) = run(false);
    assert_eq!(queued, 4, "all of them stand behind it");
    assert!(cars_s > bus_s);
    let (queued, bus_s, cars_s) = run(true);
    assert_eq!(queued, 0);
    assert!(cars_s < bus_s - 20.0, "{cars_s} {bus_s}");
}

fn no_overlap(street: &Micro, lane: LaneId) {
    let on: Vec<_> = street.on_lane(lane).collect();
    for w in on.windows(2) {
        assert!(w[1].front_m <= w[0].front_m - w[0].length_m + 0.01, "{:?} and {:?}", w[0], w[1]);
    }
}

#[test]
fn a_bus_in_a_bay_is_let_into_a_stream_without_a_collision() {
    let stops = [("n-1_0>n0_0.0", 120.0, true)];
    let mut trips = vec![bus("b", 0, vec![stay(0, 30, None)])];
    // One every two seconds: nobody would ever leave a gap of its own accord.
    trips.extend((0..120).map(|i| car(&format!("c{i}"), 4 + 2 * i)));
    let mut street = street_with(&stops, trips, vec![]).unwrap();
    let lane = street.network().lane_named("n-1_0>n0_0.0").unwrap();
    let mut told = Vec::new();
    for _ in 0..300 {
        street.step();
        told.extend_from_slice(street.events());
        no_overlap(&street, lane);
    }
    let began = told_at(&told, |w| matches!(w, What::AtStop { .. }));
    let left = told_at(&told, |w| matches!(w, What::LeftStop { .. }));
    let waited_s = left[0].since(began[0]) as f64 / 10.0 - 30.0;
    assert!((0.0..=20.0).contains(&waited_s), "it waits {waited_s} s for room");
    let journey = arrived(&told, 0).1;
    assert!(f64::from(journey.time_loss_s) >= waited_s - 2.0, "waiting for room is a loss: {journey:?}");
}

#[test]
fn a_bus_changes_to_the_lane_of_its_stop_and_back_to_the_one_it_goes_on_from() {
    // The stop is on the left lane, which only leads left; the bus goes straight on.
    let stops = [("n-1_0>n0_0.1", 80.0, false), ("n0_0>n1_0.1", 150.0, false)];
    let stays = vec![stay(0, 10, None), stay(1, 10, None)];
    let mut street = street_with(&stops, vec![bus("b", 0, stays), car("c", 3), car("d", 6)], vec![]).unwrap();
    let told = events(&mut street, 200);
    assert_eq!(told_at(&told, |w| matches!(w, What::AtStop { .. })).len(), 2);
    assert_eq!(told_at(&told, |w| matches!(w, What::Arrived { .. })).len(), 3);
}

#[test]
fn a_stop_off_the_way_is_refused_by_name_and_so_are_stops_under_cityflow() {
    let off = street_with(&[("n0_0>n0_1.0", 100.0, false)], vec![bus("b", 0, vec![stay(0, 5, None)])], vec![]);
    assert_eq!(off.unwrap_err().to_string(), "vehicle 'b': its way does not come by stop 'n0_0>n0_1.0 100'");
    let network: Arc<Network> = Arc::new(grid(1, 1, 200.0).unwrap());
    let stop = BusStop { name: "s".into(), lane: LaneId(0), at: metres(50.0), bay: false };
    let link = network.lane(LaneId(0)).link;
    let parts = DemandParts {
        kinds: kinds(),
        stops: vec![stop],
        trips: vec![Trip {
            stays: vec![stay(0, 5, None)],
            ..trip("b", 0, Way::Between { from: link, to: link, via: vec![] })
        }],
        ..DemandParts::default()
    };
    let demand = parts.build(&network).unwrap();
    let error = Micro::new(&scenario(network, demand, Driving::CityFlow), MicroOptions::default()).unwrap_err();
    assert_eq!(error.to_string(), "vehicle 'b': CityFlow's rules know neither stops nor parking");
}
