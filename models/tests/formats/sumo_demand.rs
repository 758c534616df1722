//! SUMO demands in: what is read, what is refused and with which words.

use std::path::Path;

use greenkerb_models::demand::{DepartLane, DepartSpeed, Emission, Following, VehicleClass, Way};
use greenkerb_models::detection::DetectorKind;
use greenkerb_models::formats::sumo_demand::{self, SumoDemand, SumoDemandOptions, with_detectors};
use greenkerb_models::formats::{self, Source, sumo_net};
use greenkerb_models::network::Network;
use greenkerb_models::units::{Ds, TimeDs};

fn crossroads() -> Network {
    sumo_net::read_bytes("n", include_bytes!("../data/crossroads.net.xml")).unwrap().network
}

fn read_with(inner: &str, options: SumoDemandOptions) -> Result<SumoDemand, String> {
    let source = Source { name: "d.rou.xml".into(), text: format!("<routes>\n{inner}\n</routes>") };
    sumo_demand::read_sources(&crossroads(), &[source], options).map_err(|e| e.to_string())
}

fn read(inner: &str) -> SumoDemand {
    read_with(inner, SumoDemandOptions::default()).unwrap_or_else(|e| panic!("{e}\n{inner}"))
}

fn refusal(inner: &str) -> String {
    match read_with(inner, SumoDemandOptions::default()) {
        Ok(_) => panic!("should be refused: {inner}"),
        Err(e) => e,
    }
}

fn notes(d: &SumoDemand) -> Vec<(&str, usize)> {
    d.notes.iter().map(|n| (n.text.as_str(), n.count)).collect()
}

#[test]
fn vehicles_routes_and_types_are_read() {
    let d = read(
        "<vType id='lorry' vClass='truck' length='9' sigma='0.2'/>
         <route id='r' edges='from_west to_east'/>
         <vehicle id='a' route='r' type='lorry' depart='3.26' departLane='best' departSpeed='max'/>
         <vehicle id='b' depart='0:00:02'><route edges='from_west to_east'/></vehicle>
         <trip id='c' depart='1' from='from_north' to='to_south' departLane='0' departSpeed='2.5'/>",
    );
    let p = d.demand.parts();
    // In order of departure; the same links make one route.
    assert_eq!(p.trips.iter().map(|t| t.name.as_str()).collect::<Vec<_>>(), ["c", "b", "a"]);
    assert_eq!(p.trips.iter().map(|t| t.depart.0).collect::<Vec<_>>(), [10, 20, 33]);
    assert_eq!(p.routes.len(), 1);
    assert!(matches!(p.trips[1].way, Way::Along(r) if r.index() == 0));
    assert!(matches!(&p.trips[0].way, Way::Between { via, .. } if via.is_empty()));
    assert_eq!((p.trips[0].depart_lane, p.trips[0].depart_speed), (DepartLane::Index(0), DepartSpeed::Fixed(2.5)));
    assert_eq!((p.trips[1].depart_lane, p.trips[1].depart_speed), (DepartLane::BestProb, DepartSpeed::Average));
    assert_eq!((p.trips[2].depart_lane, p.trips[2].depart_speed), (DepartLane::Best, DepartSpeed::Max));
    let lorry = d.demand.kind(p.trips[2].kind);
    assert_eq!((lorry.class, lorry.length.get(), lorry.accel.get()), (VehicleClass::Lorry, 9.0, 1.3));
    assert_eq!((lorry.imperfection, lorry.speed_factor.deviation), (0.2, 0.05));
    let car = d.demand.kind(p.trips[0].kind);
    assert_eq!((car.name.as_str(), car.length.get(), car.min_gap.get()), ("DEFAULT_VEHTYPE", 5.0, 2.5));
    assert_eq!((car.accel.get(), car.decel.get(), car.emergency_decel.get()), (2.6, 4.5, 9.0));
    assert_eq!((car.headway_s, car.imperfection, car.following), (1.0, 0.5, Following::Krauss));
    let f = car.speed_factor;
    assert_eq!((f.mean, f.deviation, f.min, f.max), (1.0, 0.1, 0.2, 2.0));
    assert!((car.speed_max.get() - 200.0 / 3.6).abs() < 1e-9);
}

#[test]
fn flows_come_as_often_as_sumo_says() {
    let d = read(
        "<flow id='a' begin='10' end='110' period='10' from='from_west' to='to_east'/>
         <flow id='b' begin='0' end='100' vehsPerHour='400' from='from_west' to='to_east'/>
         <flow id='c' begin='0' end='100' number='7' from='from_west' to='to_east'/>
         <flow id='d' begin='0' end='100' probability='0.25' from='from_west' to='to_east'/>
         <flow id='e' begin='0' end='100' period='exp(0.5)' from='from_west' to='to_east'/>
         <flow id='f' begin='0' number='3' period='20' from='from_west' to='to_east'/>
         <flow id='g' begin='5' end='5' period='20' from='from_west' to='to_east'/>",
    );
    let flows = &d.demand.parts().flows;
    let of = |name: &str| flows.iter().find(|f| f.template.name == name).unwrap();
    // 10, 20, …, 100: the one at the end itself does not come.
    assert_eq!((of("a").emission, of("a").end), (Emission::Every { period_s: 10.0 }, TimeDs::from_s(100)));
    assert_eq!(of("a").template.depart, TimeDs::from_s(10));
    // SUMO inserts 12 of these: 0, 9, …, 99.
    assert_eq!((of("b").emission, of("b").end), (Emission::Every { period_s: 9.0 }, TimeDs::from_s(99)));
    assert!(matches!(of("c").emission, Emission::Every { period_s } if (period_s - 100.0 / 7.0).abs() < 1e-9));
    assert_eq!(of("c").end, TimeDs(857));
    assert_eq!(of("d").emission, Emission::Chance { per_s: 0.25 });
    assert!(matches!(of("e").emission, Emission::Poisson(v) if v.get() == 1_800.0));
    assert_eq!((of("f").emission, of("f").end), (Emission::Every { period_s: 20.0 }, TimeDs::from_s(40)));
    assert_eq!(flows.len(), 6);
    assert!(notes(&d).contains(&("flow without vehicles left out", 1)));
}

#[test]
fn flows_without_begin_begin_with_the_simulation() {
    let options = SumoDemandOptions { begin: TimeDs::from_s(25_200), ..SumoDemandOptions::default() };
    let d = read_with("<flow id='a' period='60' from='from_west' to='to_east'/>", options).unwrap();
    let flow = &d.demand.parts().flows[0];
    assert_eq!((flow.template.depart, flow.end), (options.begin, TimeDs::from_s(25_200 + 86_400 - 60)));
    assert_eq!(notes(&d), [("flow without an end ends after 24 hours", 1)]);
}

#[test]
fn distributions_are_drawn_by_name_or_split_by_share() {
    let types = "<vTypeDistribution id='mix'><vType id='car' probability='3'/>\
                 <vType id='van' vClass='delivery' probability='1'/></vTypeDistribution>";
    let d = read(&format!(
        "{types}<flow id='a' type='mix' begin='0' end='4000' period='1' from='from_west' to='to_east'/>
         <flow id='b' type='mix' begin='0' end='100' probability='0.4' from='from_west' to='to_east'/>
         <flow id='c' begin='0' number='50' period='exp(0.1)' from='from_west' to='to_east'/>"
    ));
    let p = d.demand.parts();
    let name = |k: greenkerb_models::ids::KindId| d.demand.kind(k).name.as_str();
    let of = |flow: &str| p.trips.iter().filter(|t| t.name.starts_with(&format!("{flow}."))).collect::<Vec<_>>();
    let (vehicles, vans) = (of("a"), of("a").into_iter().filter(|t| name(t.kind) == "van").count());
    assert_eq!((vehicles.len(), vehicles[0].name.as_str(), vehicles[7].depart), (4_000, "a.0", TimeDs::from_s(7)));
    assert!((900..1_100).contains(&vans), "{vans} of 4000 are vans");
    let split: Vec<(&str, Emission)> = p.flows.iter().map(|f| (name(f.template.kind), f.emission)).collect();
    assert_eq!(
        split,
        [("car", Emission::Chance { per_s: 0.4 * 0.75 }), ("van", Emission::Chance { per_s: 0.4 * 0.25 })]
    );
    let last = of("c").last().unwrap().depart.seconds();
    assert!(of("c").len() == 50 && (300.0..800.0).contains(&last), "{last}");
    // Routes have distributions too.
    let d = read(
        "<route id='east' edges='from_west to_east'/><route id='north' edges='from_west to_north'/>
         <routeDistribution id='any' routes='east north' probabilities='1 0'/>
         <routeDistribution id='both'><route refId='east' probability='1'/><route id='s' edges='from_west to_south'/>
         </routeDistribution>
         <vehicle id='a' depart='0' route='any'/><vehicle id='b' depart='0' route='both'/>",
    );
    assert_eq!(d.demand.parts().trips[0].way, Way::Along(greenkerb_models::ids::RouteId::at(0)));
}

#[test]
fn stops_and_parking_become_stays() {
    let d = read(
        "<busStop id='bs' lane='from_west_0' startPos='20' endPos='35'/>
         <parkingArea id='lot' lane='to_east_0' startPos='10' endPos='40' roadsideCapacity='5'><space x='0' y='0'/></parkingArea>
         <vType id='bus' vClass='bus'/>
         <vehicle id='b' type='bus' depart='0'><route edges='from_west to_east'/>
           <stop busStop='bs' duration='20' until='90'/><stop lane='to_east_0' endPos='-5' duration='3' parking='true'/></vehicle>
         <trip id='p' depart='100' from='from_west' to='to_east'><stop parkingArea='lot' duration='600'/></trip>
         <flow id='f' begin='1000' end='1120' period='60' from='from_west' to='to_east'>
           <stop busStop='bs' duration='1' until='1030'/></flow>",
    );
    let p = d.demand.parts();
    let trip = |name: &str| p.trips.iter().find(|t| t.name == name).unwrap();
    let stays = &trip("b").stays;
    assert_eq!((stays[0].dwell, stays[0].until), (Ds::from_s(20), Some(TimeDs::from_s(90))));
    let stop = d.demand.stop(stays[0].stop);
    assert_eq!((stop.name.as_str(), stop.at.get(), stop.bay), ("bs", 35.0, false));
    let free = d.demand.stop(stays[1].stop);
    assert!(free.bay && free.at.get() > 50.0, "{free:?}");
    let parking = trip("p").parking.unwrap();
    assert_eq!((d.demand.facility(parking.facility).capacity, parking.stay), (6, Some(Ds::from_s(600))));
    // The timetable of a flow's later vehicles is shifted by as much as they come later.
    assert_eq!(trip("f.1").stays[0].until, Some(TimeDs::from_s(1_090)));
    assert_eq!(trip("f.1").depart, TimeDs::from_s(1_060));
}

#[test]
fn detectors_take_the_place_of_derived_ones() {
    let d = read(
        "<inductionLoop id='e1' lane='from_west_1' pos='-1.5' freq='60' file='x'/>
         <inductionLoop id='far' lane='from_west_1' pos='10' length='3' freq='60' file='x'/>
         <laneAreaDetector id='e2' lane='from_west_1' pos='20' endPos='60' freq='60' file='x'/>",
    );
    let net = crossroads();
    let lane = net.lane_named("from_west_1").unwrap();
    let kinds: Vec<_> = d.detectors.iter().map(|x| (x.name.as_str(), x.kind, x.length.get())).collect();
    assert_eq!(
        kinds,
        [("e1", DetectorKind::StopBar, 2.0), ("far", DetectorKind::Advance, 3.0), ("e2", DetectorKind::Area, 40.0)]
    );
    assert!((d.detectors[0].to_stop_line.get() - 1.5).abs() < 1e-9);
    let with = with_detectors(&net, &d.detectors).unwrap();
    let watching: Vec<_> = with.detectors_watching(lane).iter().map(|w| with.detector(*w).name.as_str()).collect();
    assert_eq!(watching, ["e1", "far", "e2"]);
    let other = with.lane_named("from_east_1").unwrap();
    assert_eq!(with.detectors_watching(other).len(), net.detectors_watching(other).len());
}

#[test]
fn what_sumo_refuses_is_refused_with_line_and_reason() {
    for (inner, words) in [
        (
            "<trip id='a' depart='0' from='to_east' to='from_west'/>",
            "d.rou.xml:2: trip 'a': no way for a car leads from edge 'to_east' to edge 'from_west'",
        ),
        (
            "<vehicle id='a' depart='0'><route edges='from_west from_east'/></vehicle>",
            "d.rou.xml:2: route '!a': no way for a vehicle leads from edge 'from_west' to edge 'from_east'",
        ),
        (
            "<route id='r' edges='from_west nowhere'/>",
            "d.rou.xml:2: route 'r': edges=\"nowhere\" refers to an edge that does not exist",
        ),
        ("<route id='r' edges=''/>", "route 'r': has no edges"),
        (
            "<trip id='a' type='t' depart='0' from='from_west' to='to_east'/>\n<vType id='t'/>",
            "d.rou.xml:2: trip 'a': type=\"t\" refers to a vType before it",
        ),
        (
            "<trip id='a' depart='0' from='from_west' to='to_east'/>\n<trip id='a' depart='1' from='from_west' to='to_east'/>",
            "d.rou.xml:3: trip 'a': defined twice, first on line 2",
        ),
        ("<trip id='a' depart='-5' from='from_west' to='to_east'/>", "depart=\"-5\" is not a time from 0"),
        ("<trip id='a' from='from_west' to='to_east'/>", "attribute 'depart' is missing"),
        (
            "<trip id='a' depart='triggered' from='from_west' to='to_east'/>",
            "the departure 'triggered' is not supported",
        ),
        (
            "<trip id='a' depart='0' from='from_west' to='to_east' via='nope'/>",
            "via=\"nope\" refers to an edge that does not exist",
        ),
        (
            "<trip id='a' depart='0' from='from_west' to='to_east' departLane='9'/>",
            "departLane=\"9\" is not a lane of the edge it enters",
        ),
        ("<trip id='a' depart='0' fromTaz='1' toTaz='2'/>", "the attribute 'fromTaz' is not supported"),
        (
            "<vType id='t' vClass='tram'/><trip id='a' type='t' depart='0' from='from_west' to='to_east'/>",
            "a vehicle of the class 'tram' is not supported",
        ),
        ("<vType id='t' vClass='lorry'/>", "vClass=\"lorry\" is not a vehicle class of SUMO"),
        ("<vType id='t' length='0'/>", "length=\"0\" is not above zero"),
        ("<vType id='t' sigma='2'/>", "sigma=\"2\" is not between 0 and 1"),
        ("<vType id='t' speedFactor='uniform(1,2)'/>", "is not a number above zero, norm(…) or normc(…)"),
        ("<vType id='t'/><vType id='t'/>", "vType 't': defined twice"),
        ("<vTypeDistribution id='d' vTypes='d'/>", "vTypeDistribution 'd': contains itself"),
        (
            "<vTypeDistribution id='d' vTypes='e'/><vTypeDistribution id='e' vTypes='d'/>",
            "vTypes=\"e\" refers to a vType before it",
        ),
        ("<vTypeDistribution id='d'/>", "vTypeDistribution 'd': has no vType"),
        (
            "<route id='r' edges='from_west to_east'/><routeDistribution id='q' routes='r q'/>",
            "routeDistribution 'q': contains itself",
        ),
        ("<routeDistribution id='q'><route refId='q'/></routeDistribution>", "routeDistribution 'q': contains itself"),
        (
            "<route id='r' edges='from_west to_east' repeat='2'/>",
            "no way for a vehicle leads from edge 'to_east' to edge 'from_west'",
        ),
        ("<route id='r' edges='from_west to_east' repeat='4000000000'/>", "has 8000000002 edges, more than 1000000"),
        (
            "<flow id='f' begin='9' end='5' period='1' from='from_west' to='to_east'/>",
            "flow 'f': ends before it begins",
        ),
        (
            "<flow id='f' begin='0' end='5' period='1' probability='0.1' from='from_west' to='to_east'/>",
            "gives both 'period' and 'probability'",
        ),
        ("<flow id='f' begin='0' end='5' from='from_west' to='to_east'/>", "attribute 'period' or 'number' is missing"),
        ("<flow id='f' begin='0' end='5' period='0' from='from_west' to='to_east'/>", "period=\"0\" is not above zero"),
        (
            "<flow id='f' begin='0' end='5' period='exp(-1)' from='from_west' to='to_east'/>",
            "is not a rate above zero in exp(…)",
        ),
        (
            "<flow id='f' begin='0' end='1e9' period='0.001' from='from_west' to='to_east'/>",
            "has 1000000000000 vehicles, more than 50000000",
        ),
        (
            "<flow id='f' begin='0' end='5' probability='1.5' from='from_west' to='to_east'/>",
            "probability=\"1.5\" is not at most 1",
        ),
        ("<vehicle id='a' depart='0'/>", "vehicle 'a': attribute 'route' is missing"),
        ("<busStop id='s' lane='from_west_0' endPos='5000'/>", "endPos=\"5000\" lies beyond the lane"),
        ("<busStop id='s' lane='nope_0'/>", "lane=\"nope_0\" refers to a lane that does not exist"),
        ("<parkingArea id='p' lane='to_east_0'/>", "has no roadsideCapacity above zero, and no space"),
        (
            "<vehicle id='a' depart='0'><route edges='from_west to_east'/><stop busStop='s' duration='1'/></vehicle>",
            "stop 'a': busStop=\"s\" refers to a busStop that does not exist",
        ),
        (
            "<vehicle id='a' depart='0'><route edges='from_west to_east'/><stop lane='from_east_0' duration='1'/></vehicle>",
            "vehicle 'a': its stop on edge 'from_east' (line 2) does not lie on its way, in order",
        ),
        (
            "<vehicle id='a' depart='0'><route edges='from_west to_east'/><stop lane='to_east_0' duration='1'/><stop lane='from_west_0' duration='1'/></vehicle>",
            "its stop on edge 'from_west'",
        ),
        (
            "<vehicle id='a' depart='0'><route edges='from_west to_east'/><stop lane='to_east_0'/></vehicle>",
            "attribute 'duration' or 'until' is missing",
        ),
        ("<include href='more.xml'/>", "a file that includes another is not supported"),
        ("<vehicle id='a' depart='0'><route edges='from_west to_east'/>", "broken XML"),
        ("<vehicle id='a' depart='nan'><route edges='from_west to_east'/></vehicle>", "depart=\"nan\" is not a time"),
    ] {
        let found = refusal(inner);
        assert!(found.contains(words), "{inner}\n  found  {found}\n  wanted {words}");
        assert!(found.starts_with("d.rou.xml"), "{found}");
    }
    let net = Source { name: "x.xml".into(), text: "<net/>".into() };
    let e = sumo_demand::read_sources(&crossroads(), &[net], SumoDemandOptions::default()).unwrap_err().to_string();
    assert_eq!(e, "x.xml: this is a SUMO network; a SUMO route or additional file is wanted here");
}

#[test]
fn a_configuration_may_leave_out_who_cannot_get_there() {
    let options = SumoDemandOptions { ignore_route_errors: true, ..SumoDemandOptions::default() };
    let d = read_with("<trip id='a' depart='0' from='to_east' to='from_west'/>", options).unwrap();
    assert!(d.demand.parts().trips.is_empty());
    assert_eq!(notes(&d), [("vehicle that no way leads for left out, as the configuration wants it", 1)]);
}

#[test]
fn what_is_left_out_is_told() {
    let d = read(
        "<vType id='t' lcStrategic='2' color='red' carFollowModel='IDMM'/>
         <person id='p' depart='0'><walk edges='from_west to_east'/><vehicle id='inside'/></person>
         <trip id='a' type='t' depart='0' from='from_west' to='to_east' arrivalPos='20' departPos='5'/>
         <poly id='x'/>",
    );
    let told = notes(&d);
    for text in [
        "attribute 'lcStrategic' of a vehicle type left out",
        "vehicles that follow by SUMO's IDMM follow by the IDM",
        "people and goods that travel by themselves left out",
        "arrivalPos other than 'max': vehicles leave at the end",
        "departPos other than 'base': vehicles enter at the start",
        "element <poly> left out",
    ] {
        assert!(told.contains(&(text, 1)), "{text} in {told:?}");
    }
    assert_eq!(told.len(), 6, "{told:?}");
}

/// SUMO 1.28 itself, run from each scenario's begin to its end, loads as many.
#[test]
fn the_shared_scenarios_load_as_many_vehicles_as_sumo() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/resco");
    if !root.is_dir() {
        println!("nothing to check: {} is absent", root.display());
        return;
    }
    for (name, begin_s, end_s, loaded) in LOADED {
        let dir = root.join(name);
        let net = formats::read(&dir.join(format!("{name}.net.xml"))).unwrap().network;
        let files = [dir.join(format!("{name}.rou.xml"))];
        let options = SumoDemandOptions { begin: TimeDs::from_s(begin_s), ..SumoDemandOptions::default() };
        let d = sumo_demand::read(&net, &files, options).unwrap();
        let window = TimeDs::from_s(begin_s)..TimeDs::from_s(end_s);
        let p = d.demand.parts();
        assert!(p.flows.is_empty());
        let found = p.trips.iter().filter(|t| window.contains(&t.depart)).count();
        assert_eq!(found, loaded, "{name}");
    }
}
const LOADED: [(&str, i64, i64, usize); 5] = [
    ("cologne1", 25_200, 28_800, 2_015),
    ("cologne8", 25_200, 28_800, 2_046),
    ("ingolstadt1", 57_600, 61_200, 1_716),
    ("ingolstadt7", 57_600, 61_200, 3_031),
    ("grid4x4", 0, 3_600, 1_473),
];
