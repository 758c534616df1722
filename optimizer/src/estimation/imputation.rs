//! What stands in for the flow of lanes that no trusted loop watches and of which nothing was known before.
//!
//! The controller's own plan tells how much its engineers gave to each lane. A lane nobody sees is taken to be as loaded,
//! against that, as the lanes nearest to it that are seen: those of its link, else of its junction, else all.

use greenkerb_models::ids::{ControllerId, LaneId, LinkId};
use greenkerb_models::network::Network;
use greenkerb_models::signal::Protection;

/// Load of a lane when no lane at all is seen: a lane that is seldom empty and seldom full.
const LOAD_UNKNOWN: f64 = 0.4;

/// A lane without measurement is never taken to be fuller than this.
const LOAD_MAX: f64 = 0.85;

/// Least capacity that a load is told by, vehicles per hour.
const CAPACITY_MIN_VPH: f64 = 60.0;

/// What a green that must yield passes, as a share of a protected one.
const PERMISSIVE_SHARE: f64 = 0.5;

/// Load that a lane whose loops fail has room for in any case. Lanes near each other differ by several times, so the mean
/// of others says little about one of them, and a queue that nobody sees grows without end.
const LOAD_ROOM: f64 = 0.65;

/// Share of a network's lanes that hardly anybody uses.
const UNUSED_SHARE: f64 = 0.05;

/// What stands in for the flow of a lane, vehicles per hour.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Imputed {
    /// What is expected.
    pub(crate) flow_vph: f64,
    /// What the signals are to have room for.
    pub(crate) room_vph: f64,
}

/// A lane as imputation sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct UsualLane {
    link: LinkId,
    controller: ControllerId,
    /// Vehicles an hour it passes under the controller's own plan.
    capacity_vph: f64,
}

impl UsualLane {
    /// A lane that ends at `controller`.
    pub(crate) fn new(network: &Network, controller: ControllerId, lane: LaneId) -> Self {
        let plan = network.controller(controller).time_of_day_plan();
        let capacity_vph = network
            .connections_from(lane)
            .iter()
            .map(|c| network.connection(*c))
            .filter_map(|c| {
                let head = c.signal.filter(|s| s.controller == controller)?;
                let green_s: f64 = plan.greens[head.group.index()]
                    .iter()
                    .map(|g| {
                        let share = if g.protection == Protection::Protected { 1.0 } else { PERMISSIVE_SHARE };
                        g.length.seconds() * share
                    })
                    .sum();
                Some(network.movement(c.movement).saturation.get() * green_s / plan.cycle.seconds())
            })
            .fold(CAPACITY_MIN_VPH, f64::max);
        Self { link: network.lane(lane).link, controller, capacity_vph }
    }

    /// What a lane is to have room for that, with this chance (0–1), cannot be seen because its loops fail.
    pub(crate) fn room_vph(&self, expected_vph: f64, blind: f64) -> f64 {
        expected_vph.max(LOAD_ROOM * self.capacity_vph * blind.clamp(0.0, 1.0))
    }
}

/// Chance that a lane without any sign of life has traffic that all of its `loops` fail to see, where loops fail
/// independently with chance `failing`: Bayes' rule, against the chance that nobody uses the lane.
pub(crate) fn chance_all_fail(failing: f64, loops: usize) -> f64 {
    let power = i32::try_from(loops.max(1)).unwrap_or(i32::MAX);
    let unseen = failing.clamp(0.0, 1.0).powi(power);
    unseen / (unseen + UNUSED_SHARE * (1.0 - failing).powi(power)).max(f64::MIN_POSITIVE)
}

/// Flow of lane `k`, vehicles per hour, by the other lanes whose flow is measured (`None` where it is not).
pub(crate) fn impute_vph(k: usize, lanes: &[UsualLane], measured_vph: &[Option<f64>]) -> f64 {
    let own = lanes[k];
    let load = |alike: &dyn Fn(&UsualLane) -> bool| {
        let (mut flow_vph, mut capacity_vph) = (0.0, 0.0);
        for (n, (lane, seen)) in lanes.iter().zip(measured_vph).enumerate().filter(|(_, (lane, _))| alike(lane)) {
            if let Some(seen) = seen.filter(|_| n != k) {
                flow_vph += seen;
                capacity_vph += lane.capacity_vph;
            }
        }
        (capacity_vph > 0.0).then(|| flow_vph / capacity_vph)
    };
    let load = load(&|l| l.link == own.link)
        .or_else(|| load(&|l| l.controller == own.controller))
        .or_else(|| load(&|_| true))
        .unwrap_or(LOAD_UNKNOWN);
    load.min(LOAD_MAX) * own.capacity_vph
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lane(link: usize, controller: usize, capacity_vph: f64) -> UsualLane {
        UsualLane { link: LinkId::at(link), controller: ControllerId::at(controller), capacity_vph }
    }

    #[test]
    fn the_nearest_lanes_that_are_seen_tell_the_load() {
        let lanes = [lane(0, 0, 800.0), lane(0, 0, 400.0), lane(1, 0, 600.0), lane(2, 1, 1000.0)];
        assert_eq!(impute_vph(0, &lanes, &[None, Some(100.0), Some(300.0), Some(700.0)]), 200.0);
        assert_eq!(impute_vph(0, &lanes, &[None, None, Some(300.0), Some(700.0)]), 400.0);
        assert_eq!(impute_vph(0, &lanes, &[None, None, None, Some(700.0)]), 560.0);
        assert_eq!(impute_vph(0, &lanes, &[None; 4]), 320.0);
    }

    #[test]
    fn what_the_lane_itself_shows_does_not_tell() {
        let lanes = [lane(0, 0, 800.0), lane(0, 0, 400.0)];
        assert_eq!(impute_vph(0, &lanes, &[Some(700.0), Some(100.0)]), 200.0);
    }

    #[test]
    fn a_lane_whose_loops_fail_keeps_room() {
        assert_eq!(lane(0, 0, 800.0).room_vph(100.0, 1.0), 520.0);
        assert_eq!(lane(0, 0, 800.0).room_vph(600.0, 1.0), 600.0);
        assert_eq!(lane(0, 0, 800.0).room_vph(100.0, 0.0), 100.0);
    }

    #[test]
    fn a_quiet_lane_is_an_unused_one_unless_many_loops_fail() {
        assert_eq!(chance_all_fail(0.0, 2), 0.0);
        assert!(chance_all_fail(0.02, 2) < 0.01);
        assert!(chance_all_fail(0.3, 2) > 0.75);
        assert!(chance_all_fail(0.3, 1) > chance_all_fail(0.3, 2));
        assert_eq!(chance_all_fail(1.0, 2), 1.0);
    }

    #[test]
    fn a_jam_nearby_does_not_fill_the_lane() {
        let lanes = [lane(0, 0, 800.0), lane(0, 0, 400.0)];
        assert_eq!(impute_vph(0, &lanes, &[None, Some(900.0)]), 0.85 * 800.0);
    }
}
