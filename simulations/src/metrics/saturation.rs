//! Degree of saturation of approach lanes: the green time that the demand needs over the green time it got.
//!
//! The vehicles that crossed, and the queue that grew meanwhile, each need 3600 / saturation flow seconds of green. Effective
//! green is displayed green: lost time at its start and the use of yellow at its end are taken to cancel out, as with the
//! default values of the Highway Capacity Manual (HCM 7th ed., ch. 19: 2 s each). A lane with a permissive green gets
//! all of it, so its saturation is a lower bound.

use greenkerb_models::ids::LaneId;
use greenkerb_models::network::{Network, SignalHead};

use super::snapshot::Snapshot;
use super::vehicles::Vehicles;
use super::window::Window;
use crate::micro::{Event, What};

#[derive(Debug, Clone)]
struct Approach {
    heads: Vec<SignalHead>,
    /// Seconds of green that one vehicle needs on average.
    headway_s: f64,
    needed_s: f64,
    crossed: u64,
    green_s: f64,
    queue_at_first: Option<u32>,
    queue_at_last: u32,
}

/// Follows the saturation of every signalled lane.
#[derive(Debug, Clone)]
pub struct Saturation {
    window: Window,
    lanes: Vec<Option<Approach>>,
    last: Option<greenkerb_models::units::TimeDs>,
}

impl Saturation {
    /// For a network.
    #[must_use]
    pub fn new(network: &Network, window: Window) -> Self {
        let approach = |i: usize| {
            let connections: Vec<_> =
                network.connections_from(LaneId::at(i)).iter().map(|c| network.connection(*c)).collect();
            let heads: Vec<SignalHead> = connections.iter().filter_map(|c| c.signal).collect();
            (!heads.is_empty()).then(|| {
                let flows = connections.iter().map(|c| network.movement(c.movement).saturation.get());
                let mean_vph = flows.sum::<f64>() / connections.len() as f64;
                Approach {
                    heads,
                    headway_s: if mean_vph > 0.0 { 3_600.0 / mean_vph } else { 0.0 },
                    needed_s: 0.0,
                    crossed: 0,
                    green_s: 0.0,
                    queue_at_first: None,
                    queue_at_last: 0,
                }
            })
        };
        Self { window, lanes: (0..network.lanes().len()).map(approach).collect(), last: None }
    }

    /// Takes an event in. Everybody counts who crosses in the window: capacity is used by all.
    pub fn event(&mut self, event: &Event, network: &Network, _vehicles: &Vehicles) {
        if let What::Crossed { connection, .. } = event.what
            && self.window.covers(event.at)
        {
            let c = network.connection(connection);
            if let Some(approach) = &mut self.lanes[c.from_lane.index()] {
                let saturation = network.movement(c.movement).saturation.get();
                approach.crossed += 1;
                approach.needed_s += if saturation > 0.0 { 3_600.0 / saturation } else { approach.headway_s };
            }
        }
    }

    /// Takes a look at the heads and the queues.
    pub fn sample(&mut self, street: &Snapshot) {
        let now = street.now();
        let passed_s = self.last.map_or(0.0, |last| now.since(last) as f64 / 10.0);
        self.last = Some(now);
        if !self.window.covers(now) {
            return;
        }
        for (i, approach) in self.lanes.iter_mut().enumerate() {
            let Some(approach) = approach else { continue };
            if approach.heads.iter().any(|h| street.shows(*h).is_green()) {
                approach.green_s += passed_s;
            }
            approach.queue_at_last = street.on_lane(LaneId::at(i)).iter().filter(|s| s.is_queued()).count() as u32;
            approach.queue_at_first.get_or_insert(approach.queue_at_last);
        }
    }

    /// Degree of saturation of a lane; none without a signal, or when nobody came.
    #[must_use]
    pub fn of(&self, lane: LaneId) -> Option<f64> {
        let a = self.lanes[lane.index()].as_ref()?;
        let grown = a.queue_at_last.saturating_sub(a.queue_at_first.unwrap_or(0));
        let needed_s = a.needed_s + f64::from(grown) * a.headway_s;
        match (needed_s > 0.0, a.green_s > 0.0) {
            (false, _) => None,
            (true, false) => Some(f64::INFINITY),
            (true, true) => Some(needed_s / a.green_s),
        }
    }

    /// Share of the window in which a lane had green; none without a signal.
    #[must_use]
    pub fn green_share(&self, lane: LaneId) -> Option<f64> {
        let a = self.lanes[lane.index()].as_ref()?;
        Some(a.green_s / self.window.length_s().max(1.0))
    }
}

#[cfg(test)]
mod tests {
    use greenkerb_models::signal::Indication;

    use super::super::samples::{at_s, car, crossroads, event, straight};
    use super::*;
    use crate::micro::VehicleId;

    #[test]
    fn needed_green_over_green() {
        let network = crossroads();
        let (connection, lane, exit) = straight(&network);
        let head = network.connection(connection).signal.unwrap();
        let window = Window { from: at_s(0), to: at_s(100) };
        let vehicles = Vehicles::new(window);
        let mut saturation = Saturation::new(&network, window);
        for t in 0..=100 {
            let green = if (10..=40).contains(&t) { Indication::Protected } else { Indication::Red };
            let queued = (0..2 * u32::from(t == 100)).map(|i| car(i, 190.0 - 7.5 * i as f32, 0.0, Some(connection)));
            let street = Snapshot::empty(&network, 0, at_s(t)).with_head(head.controller, head.group, green);
            saturation.sample(&street.with_lane(lane, queued));
            if (11..=20).contains(&t) {
                let crossed = What::Crossed { vehicle: VehicleId(t as u32), connection };
                saturation.event(&event(t, crossed), &network, &vehicles);
            }
        }
        // Ten crossed straight on at 1900 per hour, two queued for any movement of the lane (straight 1900, right 1750).
        let needed_s = 10.0 * 3_600.0 / 1_900.0 + 2.0 * 3_600.0 / 1_825.0;
        let x = saturation.of(lane).unwrap();
        assert!((x - needed_s / 31.0).abs() < 1e-9, "{x}");
        assert!((saturation.green_share(lane).unwrap() - 0.31).abs() < 1e-9);
        assert_eq!(saturation.of(exit), None);
    }
}
