//! `arterial`: a main street with six signals at uneven distances, timed for platoons in both directions.

use greenkerb_models::demand::DemandParts;
use greenkerb_models::ids::{CrossingId, LinkId};
use greenkerb_models::network::{Network, Point};
use greenkerb_models::units::{Ds, TimeDs};

use super::BundledError;
use super::finish::{Frame, built, drafted, finished};
use super::traffic::{drive, kinds, slices, walkers};
use crate::scenarios::Scenario;
use crate::scenarios::drafting::{Lanes, Lefts, Place, Plan, Rule, Street};
use crate::scenarios::loading::{Corridor, CycleRule, Wish, assign, coordinate, time_signals};

pub(super) const ABOUT: &str =
    "A main street of 2 km with six signals at uneven distances, timed for platoons both ways.";

const NAME: &str = "arterial";
/// Where the side streets cross, in metres from the western end of the map, with their names.
const SIDES: [(f64, &str); 6] = [
    (300.0, "Mill Lane"),
    (640.0, "Linden Street"),
    (910.0, "Station Road"),
    (1_330.0, "Garden Street"),
    (1_620.0, "School Lane"),
    (2_010.0, "North Road"),
];
const LENGTH_M: f64 = 2_310.0;
const SIDE_M: f64 = 220.0;
const MAIN_MPS: f64 = 50.0 / 3.6;
const SIDE_MPS: f64 = 40.0 / 3.6;
/// One cycle for all of them.
const CYCLE: Ds = Ds::from_s(84);
/// Vehicles per hour at the peak along the whole street, eastbound and westbound.
const THROUGH_VPH: (f64, f64) = (680.0, 540.0);
/// From and to each side street, altogether, and over it.
const SIDE_VPH: f64 = 230.0;
const OVER_VPH: f64 = 90.0;
const PEOPLE_PER_H: f64 = 120.0;
const LEVELS: [f64; 5] = [0.75, 0.9, 1.0, 1.0, 0.85];
const QUARTER_S: i64 = 900;

fn plan() -> Plan {
    let place = |name: String, x: f64, y: f64, control| Place { name, at: Point { x, y }, control };
    let mut places = vec![place("west".into(), 0.0, 0.0, Rule::Edge)];
    for (k, (x, _)) in SIDES.iter().enumerate() {
        // The street bends a little, as streets do.
        places.push(place(format!("s{}", k + 1), *x, bend_m(*x), Rule::Signals(Lefts::BothFromMain)));
    }
    places.push(place("east".into(), LENGTH_M, bend_m(LENGTH_M), Rule::Edge));
    let mut streets = Vec::new();
    for k in 0..=SIDES.len() {
        let inner = k > 0 && k < SIDES.len();
        // Turn lanes lie before signals only.
        let eastbound = Lanes::through(2).with_left(u32::from(k < SIDES.len()));
        let westbound = Lanes::through(2).with_left(u32::from(k > 0));
        streets.push(Street {
            name: "Main Street".into(),
            from: k,
            to: k + 1,
            via: Vec::new(),
            speed_mps: MAIN_MPS,
            main: true,
            forward: eastbound,
            backward: Some(westbound),
            crossings: (inner || k == SIDES.len(), false),
        });
    }
    for (k, (x, name)) in SIDES.iter().enumerate() {
        for (side, north) in [("north", true), ("south", false)] {
            let y = bend_m(*x) + if north { SIDE_M } else { -SIDE_M };
            places.push(place(format!("{side}{}", k + 1), *x, y, Rule::Edge));
            streets.push(Street {
                name: (*name).into(),
                from: places.len() - 1,
                to: k + 1,
                via: Vec::new(),
                speed_mps: SIDE_MPS,
                main: false,
                forward: Lanes::through(1).with_left(1),
                backward: Some(Lanes::through(1)),
                crossings: (false, true),
            });
        }
    }
    Plan { name: NAME.into(), places, streets, bans: Vec::new() }
}

fn bend_m(x: f64) -> f64 {
    30.0 * (x / 700.0).sin()
}

fn link(network: &Network, from: &str, to: &str) -> Option<LinkId> {
    network.link_named(&format!("{from}>{to}"))
}

fn wishes(network: &Network) -> Vec<Wish> {
    let mut wishes = Vec::new();
    let mut wish = |from: Option<LinkId>, to: Option<LinkId>, vph: f64| {
        if let (Some(from), Some(to)) = (from, to) {
            wishes.push(Wish { from, to, vph });
        }
    };
    let n = SIDES.len();
    let signal = |k: usize| format!("s{}", k + 1);
    let into = |side: &str, k: usize| link(network, &format!("{side}{}", k + 1), &signal(k));
    let out = |side: &str, k: usize| link(network, &signal(k), &format!("{side}{}", k + 1));
    let (west_in, west_out) = (link(network, "west", "s1"), link(network, "s1", "west"));
    let (east_in, east_out) = (link(network, "east", &signal(n - 1)), link(network, &signal(n - 1), "east"));
    wish(west_in, east_out, THROUGH_VPH.0);
    wish(east_in, west_out, THROUGH_VPH.1);
    for k in 0..n {
        wish(into("north", k), out("south", k), OVER_VPH);
        wish(into("south", k), out("north", k), OVER_VPH);
        for side in ["north", "south"] {
            // A third each way along the whole street, the rest to the side streets next door but one.
            wish(into(side, k), east_out, SIDE_VPH / 6.0);
            wish(into(side, k), west_out, SIDE_VPH / 6.0);
            wish(west_in, out(side, k), SIDE_VPH / 6.0);
            wish(east_in, out(side, k), SIDE_VPH / 6.0);
            for other in [k + 2, k + n - 2].map(|o| o % n).into_iter().filter(|o| *o != k) {
                wish(into(side, k), out("north", other), SIDE_VPH / 12.0);
                wish(into(side, k), out("south", other), SIDE_VPH / 12.0);
            }
        }
    }
    wishes
}

pub(super) fn scenario() -> Result<Scenario, BundledError> {
    let (mut parts, network) = drafted(NAME, &plan())?;
    let assignment = assign(&network, &wishes(&network));
    time_signals(&mut parts.controllers, &network, &assignment.flows, |_| CycleRule::Fixed(CYCLE));
    let along =
        |names: Vec<String>| -> Vec<LinkId> { names.windows(2).filter_map(|w| link(&network, &w[0], &w[1])).collect() };
    let signals: Vec<String> = (1..=SIDES.len()).map(|k| format!("s{k}")).collect();
    let out = along(std::iter::once("west".to_owned()).chain(signals.clone()).collect());
    let back = along(std::iter::once("east".to_owned()).chain(signals.into_iter().rev()).collect());
    coordinate(&mut parts.controllers, &network, &Corridor { out, back }, &[]);
    let mut demand = DemandParts { kinds: kinds(), ..DemandParts::default() };
    let slices = slices(0, QUARTER_S, &LEVELS);
    drive(&mut demand, &network, assignment.routes, &slices);
    for x in 0..network.crossings().len() {
        walkers(&mut demand.people, CrossingId::at(x), PEOPLE_PER_H, &slices);
    }
    let frame = Frame {
        name: NAME.into(),
        about: ABOUT.into(),
        begin: TimeDs(0),
        end: TimeDs::from_s(QUARTER_S * LEVELS.len() as i64),
        warm_up: Ds::from_s(600),
    };
    finished(frame, built(NAME, parts)?, demand)
}
