//! `riverside`: a district on both banks of a river, with one bridge, on a morning.

mod backdrop;
mod buses;
mod map;
mod parking;
mod people;
mod wishes;

use greenkerb_models::demand::DemandParts;
use greenkerb_models::ids::LinkId;
use greenkerb_models::network::Network;
use greenkerb_models::units::{Ds, TimeDs};

pub(super) use backdrop::backdrop;

use super::BundledError;
use super::finish::{Frame, built, drafted, finished};
use super::traffic::{drive, kinds, slices};
use crate::scenarios::Scenario;
use crate::scenarios::loading::{Corridor, CycleRule, Flows, assign, coordinate, flows_of, thin, time_signals};

pub(super) const ABOUT: &str = "A district of 65 signals on two banks of a river with one bridge, one-way streets, buses and \
                                car parks, through a morning peak and the end of an event.";

const NAME: &str = "riverside";
/// From 6:45 to 9:30, in seconds of the day, in slices of a quarter of an hour.
const BEGIN_S: i64 = 6 * 3_600 + 45 * 60;
const SLICE_S: i64 = 900;
const LEVELS: [f64; 11] = [0.45, 0.6, 0.75, 0.9, 1.0, 1.0, 0.95, 0.85, 0.7, 0.55, 0.45];
/// The event ends at 8:45; its visitors come out for 25 minutes.
const EVENT_S: (i64, i64) = (8 * 3_600 + 45 * 60, 9 * 3_600 + 10 * 60);
/// One cycle for all main streets; side streets among themselves may have a shorter one.
const CYCLE: Ds = Ds::from_s(84);
const SIDE_CYCLE: Ds = Ds::from_s(56);
/// How full the fullest approaches are under the plans of the signals: at the peak, and while the event's visitors leave,
/// with what else is on the streets by then. At the peak there must be room left for buses that stand at stops and for
/// vehicles that look for another car park, neither of which is counted.
const FULL: f64 = 0.72;
const EVENT_FULL: f64 = 1.0;
const EVENT_LEVEL: f64 = 0.7;
const TOLERANCE: f64 = 0.005;
const ROUNDS: usize = 60;

pub(super) fn scenario() -> Result<Scenario, BundledError> {
    let map = map::Map::new();
    let (mut parts, network) = drafted(NAME, &map.plan)?;
    let mut demand = DemandParts { kinds: kinds(), ..DemandParts::default() };
    let slices = slices(BEGIN_S, SLICE_S, &LEVELS);
    demand.facilities = parking::facilities(&network);
    let mut routes = assign(&network, &wishes::peak(&network, &demand.facilities)).routes;
    let rule = |c| {
        if map.on_main_street(network.controller(c).nodes[0]) {
            CycleRule::Fixed(CYCLE)
        } else {
            CycleRule::Webster { min: SIDE_CYCLE, max: CYCLE }
        }
    };
    let nobody = Flows::none(&network);
    for _ in 0..ROUNDS {
        time_signals(&mut parts.controllers, &network, &flows_of(&network, &routes), rule);
        if thin(&network, &parts.controllers, &nobody, &mut routes, FULL) < FULL + TOLERANCE {
            break;
        }
    }
    let mut held = Vec::new();
    for street in map.main_streets() {
        let corridor = corridor(&network, &street);
        coordinate(&mut parts.controllers, &network, &corridor, &held);
        held.extend(corridor.out.iter().filter_map(|l| network.node(network.link(*l).to).controller));
    }
    let mut visitors = assign(&network, &wishes::event(&network)).routes;
    let meanwhile = flows_of(&network, &routes).scaled(EVENT_LEVEL);
    for _ in 0..ROUNDS {
        if thin(&network, &parts.controllers, &meanwhile, &mut visitors, EVENT_FULL) < EVENT_FULL + TOLERANCE {
            break;
        }
    }
    let (to_park, on): (Vec<_>, Vec<_>) =
        routes.into_iter().partition(|(links, _)| parking::at_end(&demand.facilities, &network, links).is_some());
    drive(&mut demand, &network, on, &slices);
    parking::arrive(&mut demand, &network, to_park, &slices);
    let burst = super::traffic::Slice { begin: TimeDs::from_s(EVENT_S.0), end: TimeDs::from_s(EVENT_S.1), level: 1.0 };
    drive(&mut demand, &network, visitors, &[burst]);
    buses::run(&mut demand, &network, BEGIN_S, BEGIN_S + SLICE_S * LEVELS.len() as i64);
    people::cross(&mut demand, &network, &slices);
    let frame = Frame {
        name: NAME.into(),
        about: ABOUT.into(),
        begin: TimeDs::from_s(BEGIN_S),
        end: TimeDs::from_s(BEGIN_S + SLICE_S * LEVELS.len() as i64),
        warm_up: Ds::from_s(900),
    };
    finished(frame, built(NAME, parts)?, demand)
}

/// The link between two places.
fn link(network: &Network, from: &str, to: &str) -> Option<LinkId> {
    network.link_named(&format!("{from}>{to}"))
}

/// Both directions of a main street, as far as its signals go.
fn corridor(network: &Network, places: &[String]) -> Corridor {
    let links = |names: Vec<&String>| -> Vec<LinkId> {
        let signals = |l: &LinkId| network.node(network.link(*l).to).controller.is_some();
        names.windows(2).filter_map(|w| link(network, w[0], w[1])).filter(signals).collect()
    };
    Corridor { out: links(places.iter().collect()), back: links(places.iter().rev().collect()) }
}
