//! Loops of a controller of its own: points on lanes that tell how long ago a vehicle was on them.
//!
//! They lie where SUMO lays those of its actuated signals (SUMO, "Traffic Lights", actuated): two seconds of driving
//! before the stop line, but not so far that a queue behind the line could not clear the stretch within the shortest
//! green.

use greenkerb_models::ids::{ConnectionId, GroupId, LaneId};
use greenkerb_models::network::Network;
use greenkerb_models::units::Ds;

use crate::micro::Micro;

/// Driving time from a loop to the stop line.
const GAP_S: f64 = 2.0;
/// Time a queued vehicle takes to pass the line, and road it takes in the queue.
const PASSING_S: f64 = 1.9;
const SPACE_M: f64 = 7.5;

/// A loop.
#[derive(Debug, Clone)]
pub(crate) struct Loop {
    /// The approach lane it speaks for.
    pub(crate) approach: LaneId,
    /// Ways from that lane which the controller signals.
    pub(crate) ways: Vec<(ConnectionId, GroupId)>,
    /// The lane it lies on.
    lane: LaneId,
    /// Where, from the lane's start.
    at_m: f64,
    /// When a vehicle was on it last, in seconds since the epoch.
    last_s: f64,
}

impl Loop {
    /// The loop of an approach lane whose shortest green is `min`.
    #[must_use]
    pub(crate) fn of(network: &Network, approach: LaneId, ways: Vec<(ConnectionId, GroupId)>, min: Ds) -> Self {
        let (mut lane, length_m) = (approach, network.lane(approach).length.get());
        let speed_mps = network.lane(approach).speed.get();
        let before_m = (GAP_S * speed_mps).min((min.seconds() / PASSING_S + 0.5) * SPACE_M);
        let mut at_m = length_m - before_m;
        while at_m < 0.0 {
            let Some(before) = only_predecessor(network, lane) else { break };
            lane = before;
            at_m += network.lane(lane).length.get();
        }
        Self { approach, ways, lane, at_m: at_m.max(0.0), last_s: f64::NEG_INFINITY }
    }

    /// Looks at the street as it is now, after a step of `step_s` seconds.
    pub(crate) fn look(&mut self, street: &Micro, step_s: f64) {
        let now_s = street.now().seconds();
        for v in street.on_lane(self.lane) {
            if f64::from(v.front_m) < self.at_m {
                break;
            }
            if let Some(ago_s) =
                seen_ago_s(f64::from(v.front_m) - self.at_m, f64::from(v.length_m), f64::from(v.speed_mps), step_s)
            {
                self.last_s = self.last_s.max(now_s - ago_s);
            }
        }
    }

    /// Seconds since a vehicle was on it.
    #[must_use]
    pub(crate) fn gap_s(&self, now_s: f64) -> f64 {
        now_s - self.last_s
    }
}

/// How long ago within the last step a vehicle whose front is `past_m` behind a point was on it: 0 when it is still; none
/// when it left before.
fn seen_ago_s(past_m: f64, length_m: f64, speed_mps: f64, step_s: f64) -> Option<f64> {
    let rear_m = past_m - length_m;
    if rear_m <= 0.0 {
        return Some(0.0);
    }
    (rear_m - speed_mps * step_s <= 0.0 && speed_mps > 0.0).then(|| rear_m / speed_mps)
}

/// The lane before, where there is but one and no signal lies between.
fn only_predecessor(network: &Network, lane: LaneId) -> Option<LaneId> {
    let link = network.lane(lane).link;
    let into = network.movements_into(link).iter().flat_map(|m| &network.movement(*m).connections);
    let mut into = into.map(|c| network.connection(*c)).filter(|c| c.to_lane == lane);
    let first = into.next()?;
    (into.next().is_none() && first.signal.is_none()).then_some(first.from_lane)
}

#[cfg(test)]
mod tests {
    use greenkerb_models::ids::ControllerId;

    use super::*;
    use crate::scenarios::grid;

    #[test]
    fn a_loop_lies_where_a_queue_behind_it_clears_within_the_shortest_green() {
        let network = grid(1, 1, 200.0).unwrap();
        let lane = network.approach_lanes(ControllerId(0))[0];
        let near = Loop::of(&network, lane, vec![], Ds::from_s(5));
        assert!((200.0 - near.at_m - (5.0 / 1.9 + 0.5) * 7.5).abs() < 1e-9, "{}", near.at_m);
        let far = Loop::of(&network, lane, vec![], Ds::from_s(20));
        assert!((200.0 - far.at_m - 27.8).abs() < 1e-9, "two seconds at 13.9 m/s");
    }

    #[test]
    fn a_vehicle_is_seen_until_its_rear_has_passed() {
        assert_eq!(seen_ago_s(3.0, 5.0, 10.0, 1.0), Some(0.0));
        assert_eq!(seen_ago_s(7.0, 5.0, 10.0, 1.0), Some(0.2));
        assert_eq!(seen_ago_s(17.0, 5.0, 10.0, 1.0), None, "in the step before");
        assert_eq!(seen_ago_s(6.0, 5.0, 0.0, 1.0), None);
    }
}
