//! From what detectors see to what they report: rounded to what a detector resolves, through every fault that was asked
//! for, late where they are delayed, and not at all while their controller's line is cut.

use std::collections::VecDeque;

use greenkerb_models::detection::Observation;
use greenkerb_models::ids::{ControllerId, DetectorId};
use greenkerb_models::network::Network;
use greenkerb_models::units::{Ds, MetresPerSecond, TimeDs};

use super::faults::{Faults, FaultyDetectors};
use super::sighting::Sighting;

/// Reports tell occupancy to a ten-thousandth.
const OCCUPANCY_STEPS: f64 = 10_000.0;

/// The reports of all detectors of a network.
#[derive(Debug, Clone)]
pub struct Reporter {
    interval: Ds,
    begin: TimeDs,
    faults: Faults,
    faulty: FaultyDetectors,
    /// The controller whose line a detector's reports take: that of the first lane it watches.
    line: Vec<Option<ControllerId>>,
    cut: Vec<bool>,
    /// Reports on their way, in the order in which they arrive.
    late: VecDeque<(TimeDs, Observation)>,
}

impl Reporter {
    /// Reports every `interval` from `begin` on.
    #[must_use]
    pub fn new(network: &Network, faults: Faults, interval: Ds, begin: TimeDs) -> Self {
        let line = network.detectors().iter().map(|detector| {
            let connections = detector.watches.iter().flat_map(|lane| network.connections_from(*lane));
            connections.filter_map(|c| network.connection(*c).signal).map(|head| head.controller).next()
        });
        Self {
            interval: Ds(interval.0.max(1)),
            begin,
            faulty: FaultyDetectors::choose(&faults, network.detectors().len()),
            line: line.collect(),
            cut: faults.cut_lines(network.controllers().len()),
            faults,
            late: VecDeque::new(),
        }
    }

    /// Number of detectors that fail.
    #[must_use]
    pub fn faulty_detectors(&self) -> usize {
        self.faulty.count()
    }

    /// True at the end of every interval.
    #[must_use]
    pub fn is_due(&self, now: TimeDs) -> bool {
        let since = now.since(self.begin);
        since > 0 && since % i64::from(self.interval.0) == 0
    }

    /// True while a controller neither hears nor is heard.
    #[must_use]
    pub fn is_cut(&self, controller: ControllerId, now: TimeDs) -> bool {
        self.cut.get(controller.index()).is_some_and(|cut| *cut) && self.faults.loses_at(now.since(self.begin))
    }

    /// What arrives at the service at `now`, where an interval ends: what was `seen` in it, in the order of the network's
    /// detectors, and after that what comes late.
    pub fn report(&mut self, seen: &[Sighting], now: TimeDs) -> Vec<Observation> {
        let length_s = self.interval.seconds();
        let mut told = Vec::with_capacity(seen.len());
        for (i, sighting) in seen.iter().enumerate() {
            // The union of stays may pass the interval by a rounding error.
            let occupancy = rounded((sighting.occupied_s / length_s).clamp(0.0, 1.0));
            let Some((count, occupancy)) = self.faulty.distort(i, sighting.count, occupancy, length_s) else {
                continue;
            };
            let observation = Observation {
                detector: DetectorId::at(i),
                begin: now - self.interval,
                length: self.interval,
                count,
                occupancy,
                speed: sighting.speed_mps.and_then(|s| MetresPerSecond::new((s * 100.0).round() / 100.0).ok()),
            };
            match self.faulty.delay(i) {
                None => told.push(observation),
                Some(delay) => self.late.push_back((now + delay, observation)),
            }
        }
        while self.late.front().is_some_and(|(due, _)| *due <= now) {
            told.extend(self.late.pop_front().map(|(_, observation)| observation));
        }
        told.retain(|o| !self.line[o.detector.index()].is_some_and(|controller| self.is_cut(controller, now)));
        told
    }
}

/// Rounded to what reports resolve.
pub(super) fn rounded(occupancy: f64) -> f64 {
    (occupancy * OCCUPANCY_STEPS).round() / OCCUPANCY_STEPS
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenarios::grid;

    const BEGIN: TimeDs = TimeDs::from_s(100);

    fn at(s: u32) -> TimeDs {
        BEGIN + Ds::from_s(s)
    }

    fn saw(network: &Network, count: u32) -> Vec<Sighting> {
        vec![Sighting { count, occupied_s: 0.123_456, speed_mps: None }; network.detectors().len()]
    }

    #[test]
    fn everybody_reports_at_the_end_of_every_interval() {
        let network = grid(1, 1, 200.0).unwrap();
        let mut reporter = Reporter::new(&network, Faults::default(), Ds::from_s(5), BEGIN);
        assert!(
            !reporter.is_due(at(0)) && !reporter.is_due(at(4)) && reporter.is_due(at(5)) && reporter.is_due(at(10))
        );
        let told = reporter.report(&saw(&network, 2), at(5));
        assert_eq!(told.len(), network.detectors().len());
        assert_eq!((told[3].detector, told[3].begin, told[3].end()), (DetectorId(3), BEGIN, at(5)));
        assert_eq!((told[3].count, told[3].occupancy), (2, 0.0247));
    }

    #[test]
    fn the_delayed_come_late_and_last() {
        let network = grid(1, 1, 200.0).unwrap();
        let faults = "delayed:25%,delay_s:3".parse().unwrap();
        let mut reporter = Reporter::new(&network, faults, Ds::from_s(1), BEGIN);
        let (all, late) = (network.detectors().len(), network.detectors().len() / 4);
        let counts: Vec<usize> = (1..=6).map(|s| reporter.report(&saw(&network, 1), at(s)).len()).collect();
        assert_eq!(counts, [all - late, all - late, all - late, all, all, all]);
        let last = reporter.report(&saw(&network, 1), at(7));
        let ends: Vec<TimeDs> = last.iter().map(Observation::end).collect();
        assert!(ends[..all - late].iter().all(|end| *end == at(7)) && ends[all - late..].iter().all(|e| *e == at(4)));
    }

    #[test]
    fn a_cut_line_carries_nothing_for_as_long_as_it_is_cut() {
        let network = grid(2, 1, 200.0).unwrap();
        let faults = "lost:50%,lost_from_s:2,lost_for_s:2".parse().unwrap();
        let mut reporter = Reporter::new(&network, faults, Ds::from_s(1), BEGIN);
        let all = network.detectors().len();
        let counts: Vec<usize> = (1..=4).map(|s| reporter.report(&saw(&network, 1), at(s)).len()).collect();
        assert_eq!(counts, [all, all / 2, all / 2, all]);
        let cut: Vec<bool> = (0..2).map(|c| reporter.is_cut(ControllerId::at(c), at(2))).collect();
        assert_eq!(cut.iter().filter(|c| **c).count(), 1);
        assert!((0..2).all(|c| !reporter.is_cut(ControllerId::at(c), at(4))));
    }
}
