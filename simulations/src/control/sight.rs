//! What a controller that sees every vehicle sees of its junction: vehicles near the stop lines, and room behind it.
//!
//! Maps cut roads into short pieces. An approach is therefore followed upstream, and an exit downstream, through nodes
//! without signals, up to a horizon.

use std::collections::BTreeMap;

use greenkerb_models::ids::{ConnectionId, ControllerId, GroupId, LaneId, LinkId};
use greenkerb_models::network::Network;
use greenkerb_models::units::TimeDs;

use crate::micro::{Micro, Vehicle, VehicleId};

/// How far it is looked for a signal behind an exit: what leads to none leaves the network, or might as well.
const SIGNAL_WITHIN_M: f64 = 1_000.0;
/// Road a standing vehicle takes, with its gap.
const SPACE_M: f64 = 7.5;

/// A piece of an approach.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Piece {
    /// The lane.
    pub lane: LaneId,
    /// From its end to the stop line.
    pub to_line_m: f64,
}

/// A lane that ends at a signal, with what lies upstream of it.
#[derive(Debug, Clone)]
pub struct Approach {
    /// The lane.
    pub lane: LaneId,
    /// Its length.
    pub length_m: f64,
    /// Ways from it across the junction that obey the controller.
    pub ways: Vec<(ConnectionId, GroupId)>,
    /// It and the lanes upstream of it, nearest first.
    pub pieces: Vec<Piece>,
}

/// A lane behind the junction.
#[derive(Debug, Clone)]
pub struct Exit {
    /// It and the lanes downstream of it, up to the next signal.
    pub lanes: Vec<LaneId>,
    /// Whether they lead to another signal.
    pub to_signal: bool,
    /// Ways that leave the lane at its end; at least 1.
    pub ways_on: usize,
    /// Vehicles that have room on it, standing.
    pub storage_veh: f64,
}

/// A vehicle on its way to the signal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Seen {
    /// Which.
    pub id: VehicleId,
    /// The way it takes across the junction.
    pub connection: ConnectionId,
    /// The signal group it obeys there.
    pub group: GroupId,
    /// From its front to the stop line.
    pub to_line_m: f64,
    /// Speed.
    pub speed_mps: f64,
    /// Since when it stands; none while it moves.
    pub stands_since: Option<TimeDs>,
}

/// Where a controller looks.
#[derive(Debug, Clone)]
pub struct Sight {
    /// Its approach lanes, in id order.
    pub approaches: Vec<Approach>,
    /// Lanes behind the junction.
    pub exits: BTreeMap<LaneId, Exit>,
}

impl Sight {
    /// What a controller sees up to `horizon_m` upstream and downstream of its own lanes' outer ends: a lane is followed
    /// further while what is known of it so far is shorter than that.
    #[must_use]
    pub fn of(network: &Network, controller: ControllerId, horizon_m: f64) -> Self {
        let approaches = network
            .approach_lanes(controller)
            .into_iter()
            .map(|lane| Approach {
                lane,
                length_m: network.lane(lane).length.get(),
                ways: ways(network, controller, lane),
                pieces: upstream(network, lane, horizon_m),
            })
            .collect::<Vec<_>>();
        let mut exits = BTreeMap::new();
        for (connection, _) in approaches.iter().flat_map(|a: &Approach| &a.ways) {
            let lane = network.connection(*connection).to_lane;
            exits.entry(lane).or_insert_with(|| exit(network, lane, horizon_m));
        }
        Self { approaches, exits }
    }

    /// Vehicles of every approach within `within_m` of the stop line, the next to it first. A lane of vehicles bound
    /// elsewhere is not looked through: those that end before the signal, or turn off before it, are not among them.
    #[must_use]
    pub fn queues(&self, street: &Micro, within_m: f64) -> Vec<Vec<Seen>> {
        let network = street.network();
        let queue = |a: &Approach| {
            let mut queue = Vec::new();
            for piece in &a.pieces {
                if piece.to_line_m > within_m {
                    continue;
                }
                let length_m = network.lane(piece.lane).length.get();
                for v in street.on_lane(piece.lane) {
                    let to_line_m = piece.to_line_m + length_m - f64::from(v.front_m);
                    if to_line_m > within_m {
                        break;
                    }
                    let bound = if piece.lane == a.lane { on_own_lane(a, &v) } else { upstream_way(street, a, &v) };
                    if let Some((connection, group)) = bound {
                        queue.push(Seen {
                            id: v.id,
                            connection,
                            group,
                            to_line_m,
                            speed_mps: f64::from(v.speed_mps),
                            stands_since: v.stands_since,
                        });
                    }
                }
            }
            queue.sort_by(|x, y| x.to_line_m.total_cmp(&y.to_line_m).then(x.id.cmp(&y.id)));
            queue
        };
        self.approaches.iter().map(queue).collect()
    }

    /// Vehicles on an exit lane and what follows it.
    #[must_use]
    pub fn on_exit(&self, street: &Micro, lane: LaneId) -> usize {
        self.exits.get(&lane).map_or(0, |exit| exit.lanes.iter().map(|l| street.count_on_lane(*l)).sum())
    }
}

fn ways(network: &Network, controller: ControllerId, lane: LaneId) -> Vec<(ConnectionId, GroupId)> {
    let obeys =
        |c: &ConnectionId| network.connection(*c).signal.filter(|s| s.controller == controller).map(|s| (*c, s.group));
    network.connections_from(lane).iter().filter_map(obeys).collect()
}

fn has_signal(network: &Network, lane: LaneId) -> bool {
    network.connections_from(lane).iter().any(|c| network.connection(*c).signal.is_some())
}

fn length_m(network: &Network, lane: LaneId) -> f64 {
    network.lane(lane).length.get()
}

/// A lane and those before it, nearest first.
fn upstream(network: &Network, lane: LaneId, horizon_m: f64) -> Vec<Piece> {
    let mut pieces = vec![Piece { lane, to_line_m: 0.0 }];
    let mut next = 0;
    while let Some(piece) = pieces.get(next).copied() {
        next += 1;
        let begins_m = piece.to_line_m + length_m(network, piece.lane);
        if begins_m >= horizon_m {
            continue;
        }
        let link = network.lane(piece.lane).link;
        for m in network.movements_into(link).iter().map(|m| network.movement(*m)) {
            for c in m.connections.iter().map(|c| network.connection(*c)) {
                let before = c.from_lane;
                // Behind another signal others decide who comes.
                if c.to_lane == piece.lane && c.signal.is_none() && pieces.iter().all(|p| p.lane != before) {
                    pieces.push(Piece { lane: before, to_line_m: begins_m + c.length.get() });
                }
            }
        }
    }
    pieces.sort_by(|a, b| a.to_line_m.total_cmp(&b.to_line_m).then(a.lane.cmp(&b.lane)));
    pieces
}

/// Lanes from a lane on, up to `horizon_m`, and whether a signal is reached.
fn downstream(network: &Network, lane: LaneId, horizon_m: f64) -> (Vec<LaneId>, bool) {
    let mut lanes = vec![(lane, 0.0)];
    let (mut next, mut signal) = (0, false);
    while let Some((lane, begins_m)) = lanes.get(next).copied() {
        next += 1;
        if has_signal(network, lane) {
            signal = true;
            continue;
        }
        let ends_m = begins_m + length_m(network, lane);
        if ends_m >= horizon_m {
            continue;
        }
        for c in network.connections_from(lane).iter().map(|c| network.connection(*c)) {
            if lanes.iter().all(|(l, _)| *l != c.to_lane) {
                lanes.push((c.to_lane, ends_m));
            }
        }
    }
    (lanes.into_iter().map(|(lane, _)| lane).collect(), signal)
}

fn exit(network: &Network, lane: LaneId, horizon_m: f64) -> Exit {
    let (lanes, _) = downstream(network, lane, horizon_m);
    let (_, to_signal) = downstream(network, lane, SIGNAL_WITHIN_M);
    let storage_veh = lanes.iter().map(|l| length_m(network, *l)).sum::<f64>() / SPACE_M;
    Exit { lanes, to_signal, ways_on: network.connections_from(lane).len().max(1), storage_veh }
}

/// The way of a vehicle on the approach lane itself; none for one that still has to change lanes.
fn on_own_lane(a: &Approach, v: &Vehicle) -> Option<(ConnectionId, GroupId)> {
    let next = v.next?;
    a.ways.iter().find(|(c, _)| *c == next).copied()
}

/// The way of a vehicle on a lane before the approach: across the junction to the link it goes on to.
fn upstream_way(street: &Micro, a: &Approach, v: &Vehicle) -> Option<(ConnectionId, GroupId)> {
    // One that is about to turn off before the approach need not be followed any further.
    let next = v.next_lane?;
    if a.pieces.iter().all(|p| p.lane != next) {
        return None;
    }
    let network = street.network();
    let mut links = street.links_ahead(v.id);
    let approach = network.lane(a.lane).link;
    links.find(|l| *l == approach)?;
    let after: LinkId = links.next()?;
    let leads = |c: ConnectionId| network.lane(network.connection(c).to_lane).link == after;
    a.ways.iter().find(|(c, _)| leads(*c)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenarios::grid;

    #[test]
    fn a_controller_sees_its_lanes_and_what_lies_behind() {
        let network = grid(2, 1, 200.0).unwrap();
        let sight = Sight::of(&network, ControllerId(0), 60.0);
        assert_eq!(sight.approaches.len(), 8);
        for a in &sight.approaches {
            assert_eq!(a.pieces, [Piece { lane: a.lane, to_line_m: 0.0 }]);
            assert!(a.ways.iter().all(|(c, g)| network.connection(*c).signal.unwrap().group == *g));
        }
        // Of four exits of two lanes one leads to the other signal.
        assert_eq!(sight.exits.len(), 8);
        assert_eq!(sight.exits.values().filter(|e| e.to_signal).count(), 2);
        let to_signal = sight.exits.values().find(|e| e.to_signal).unwrap();
        assert!((to_signal.storage_veh - 200.0 / 7.5).abs() < 1e-9);
    }

    #[test]
    fn an_approach_ends_at_the_signal_before() {
        let network = grid(2, 1, 200.0).unwrap();
        let sight = Sight::of(&network, ControllerId(0), 1_000.0);
        assert!(
            sight.approaches.iter().all(|a| a.pieces.len() == 1),
            "links of a grid begin at signals or at its edge"
        );
    }
}
