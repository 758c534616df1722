//! Streams made by hand, for the tests of all measures.

use greenkerb_models::demand::{Demand, DemandParts, Facility, VehicleKind};
use greenkerb_models::ids::{ConnectionId, KindId, LaneId};
use greenkerb_models::network::Network;
use greenkerb_models::units::{Ds, Metres, TimeDs};

use crate::micro::{Event, Journey, Vehicle, VehicleId, What};
use crate::scenarios::grid;

/// One signal with four approaches of two lanes (0: straight and right, 1: left), 200 m long.
pub(crate) fn crossroads() -> Network {
    grid(1, 1, 200.0).unwrap()
}

pub(crate) const fn at_s(seconds: i64) -> TimeDs {
    TimeDs::from_s(seconds)
}

pub(crate) const fn event(at: i64, what: What) -> Event {
    Event { at: at_s(at), what }
}

pub(crate) fn journey(time_loss_s: f32) -> Journey {
    Journey { time_loss_s, ..Journey::default() }
}

/// A car of 5 m, `front_m` from the start of its lane, that goes on by `next`.
pub(crate) fn car(id: u32, front_m: f32, speed_mps: f32, next: Option<ConnectionId>) -> Vehicle {
    Vehicle {
        id: VehicleId(id),
        kind: KindId(0),
        front_m,
        length_m: 5.0,
        speed_mps,
        next,
        next_lane: None,
        stands_since: None,
        at_stop: false,
        journey: Journey::default(),
    }
}

/// The connection that goes straight on from approach 0, its lane and its exit lane.
pub(crate) fn straight(network: &Network) -> (ConnectionId, LaneId, LaneId) {
    let c = &network.connections()[0];
    (ConnectionId(0), c.from_lane, c.to_lane)
}

/// Cars with nobody but their drivers on board, and nothing else.
pub(crate) fn demand() -> Demand {
    let kinds = vec![VehicleKind { people: 1.0, ..VehicleKind::car("car") }];
    DemandParts { kinds, ..DemandParts::default() }.build(&crossroads()).unwrap()
}

/// The same with one empty parking facility.
pub(crate) fn demand_with_parking(network: &Network, capacity: u32) -> Demand {
    let (_, entrance, exit) = straight(network);
    let facility = Facility {
        name: "garage".into(),
        entrance,
        entrance_at: Metres::new(50.0).unwrap(),
        exit: network.lane(exit).link,
        capacity,
        occupied: 0,
        service: Ds::from_s(5),
        mouth: 3,
    };
    let parts =
        DemandParts { kinds: demand().parts().kinds.clone(), facilities: vec![facility], ..DemandParts::default() };
    parts.build(network).unwrap()
}
