//! `crossing`: one junction with much of everything.

use greenkerb_models::demand::{DemandParts, Route};
use greenkerb_models::ids::{CrossingId, RouteId};
use greenkerb_models::network::Point;
use greenkerb_models::units::{Ds, TimeDs};

use super::BundledError;
use super::finish::{Frame, built, drafted, finished};
use super::traffic::{kinds, slices, streams, walkers};
use crate::scenarios::Scenario;
use crate::scenarios::drafting::{Lanes, Lefts, Place, Plan, Rule, Street};
use crate::scenarios::loading::{CycleRule, Flows, time_signals};

pub(super) const ABOUT: &str =
    "One junction of a main and a side street, with left turn lanes and many people on foot.";

const NAME: &str = "crossing";
/// Arms, counted from the east to the left, with their lengths in metres.
const ARMS: [(&str, f64, f64); 4] =
    [("east", 1.0, 0.0), ("north", 0.0, 1.0), ("west", -1.0, 0.0), ("south", 0.0, -1.0)];
const ARM_M: f64 = 320.0;
/// Vehicles per hour at the peak: from each arm to each of the others, arms in the order of [`ARMS`].
const VPH: [[f64; 4]; 4] =
    [[0.0, 70.0, 640.0, 90.0], [80.0, 0.0, 60.0, 260.0], [560.0, 110.0, 0.0, 80.0], [90.0, 280.0, 70.0, 0.0]];
/// People per hour over each arm.
const PEOPLE_PER_H: [f64; 4] = [320.0, 480.0, 380.0, 540.0];
/// Level of demand in each quarter of an hour.
const LEVELS: [f64; 5] = [0.7, 0.9, 1.0, 1.0, 0.8];
const QUARTER_S: i64 = 900;

fn plan() -> Plan {
    let mut places =
        vec![Place { name: "middle".into(), at: Point::default(), control: Rule::Signals(Lefts::BothFromMain) }];
    let end = |(name, x, y): (&str, f64, f64)| Place {
        name: name.into(),
        at: Point { x: x * ARM_M, y: y * ARM_M },
        control: Rule::Edge,
    };
    places.extend(ARMS.map(end));
    let street = |k: usize| {
        let main = k.is_multiple_of(2);
        let (inbound, outbound) = if main {
            (Lanes::through(2).with_left(1), Lanes::through(2))
        } else {
            (Lanes::through(1).with_left(1), Lanes::through(1))
        };
        Street {
            name: if main { "Main Street".into() } else { "Church Street".into() },
            from: k + 1,
            to: 0,
            via: Vec::new(),
            speed_mps: 13.9,
            main,
            forward: inbound,
            backward: Some(outbound),
            crossings: (false, true),
        }
    };
    Plan { name: NAME.into(), places, streets: (0..ARMS.len()).map(street).collect(), bans: Vec::new() }
}

pub(super) fn scenario() -> Result<Scenario, BundledError> {
    let (mut parts, network) = drafted(NAME, &plan())?;
    let mut demand = DemandParts { kinds: kinds(), ..DemandParts::default() };
    let mut flows = Flows::none(&network);
    let slices = slices(0, QUARTER_S, &LEVELS);
    for (from, row) in VPH.iter().enumerate() {
        for (to, &vph) in row.iter().enumerate().filter(|(_, vph)| **vph > 0.0) {
            let name = |a: &str, b: &str| format!("{a}>{b}");
            let ends = (name(ARMS[from].0, "middle"), name("middle", ARMS[to].0));
            let (Some(a), Some(b)) = (network.link_named(&ends.0), network.link_named(&ends.1)) else { continue };
            let route = RouteId::at(demand.routes.len());
            demand.routes.push(Route { name: name(ARMS[from].0, ARMS[to].0), links: vec![a, b] });
            flows.add(&network, &[a, b], vph);
            streams(&mut demand.flows, &name(ARMS[from].0, ARMS[to].0), route, vph, &slices);
        }
    }
    for x in 0..network.crossings().len() {
        // Crossings stand in the order of the arms.
        walkers(&mut demand.people, CrossingId::at(x), PEOPLE_PER_H[x % PEOPLE_PER_H.len()], &slices);
    }
    let rule = CycleRule::Webster { min: Ds::from_s(60), max: Ds::from_s(110) };
    time_signals(&mut parts.controllers, &network, &flows, |_| rule);
    let frame = Frame {
        name: NAME.into(),
        about: ABOUT.into(),
        begin: TimeDs(0),
        end: TimeDs::from_s(QUARTER_S * LEVELS.len() as i64),
        warm_up: Ds::from_s(600),
    };
    finished(frame, built(NAME, parts)?, demand)
}
