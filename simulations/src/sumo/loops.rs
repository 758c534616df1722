//! The detectors of the network as induction loops in SUMO, and what they saw.

use std::fmt::Write as _;

use greenkerb_models::network::Network;

use super::traci::{LoopReading, LoopVehicle};
use crate::sensing::{Place, Sighting, Stay};

/// SUMO's own reports of the loops go nowhere; this is how rarely it writes them.
const PERIOD_S: u32 = 100_000;

/// Loops at the places the network gives its detectors, in their order.
#[derive(Debug)]
pub(super) struct Loops {
    ids: Vec<String>,
    sightings: Vec<Sighting>,
}

impl Loops {
    /// The loops of a network.
    #[must_use]
    pub(super) fn of(network: &Network) -> Self {
        let n = network.detectors().len();
        Self { ids: (0..n).map(id_of).collect(), sightings: vec![Sighting::default(); n] }
    }

    /// The SUMO additional file that lays them, with `unread` for the reports nobody reads.
    #[must_use]
    pub(super) fn additional_xml(&self, network: &Network, unread: &str) -> String {
        let mut xml = String::from("<additional>\n");
        for (id, detector) in self.ids.iter().zip(network.detectors()) {
            let Place { lane, from_m, to_m } = Place::of(network, detector);
            // Writing into a string cannot fail.
            let _ = writeln!(
                xml,
                r#"  <inductionLoop id="{id}" lane="{}" pos="{from_m:.3}" length="{:.3}" period="{PERIOD_S}" file="{}"/>"#,
                quick_xml::escape::escape(&network.lane(lane).name),
                to_m - from_m,
                quick_xml::escape::escape(unread),
            );
        }
        xml.push_str("</additional>\n");
        xml
    }

    /// Names of the loops in SUMO.
    pub(super) fn ids(&self) -> impl Iterator<Item = &str> {
        self.ids.iter().map(String::as_str)
    }

    /// Adds what SUMO reports for the step `[from_s, to_s)`.
    pub(super) fn see(&mut self, readings: &[LoopReading], from_s: f64, to_s: f64) {
        for reading in readings {
            let Some(sighting) = index_of(&reading.id).and_then(|i| self.sightings.get_mut(i)) else { continue };
            let stay = |v: &LoopVehicle| Stay { entered_s: v.entered_s, left_s: v.left_s };
            let stays: Vec<Stay> = reading.vehicles.iter().map(stay).collect();
            sighting.see(&stays, from_s, to_s);
        }
    }

    /// What every detector saw since the last time, in the order of the network's detectors.
    pub(super) fn take(&mut self) -> Vec<Sighting> {
        let n = self.sightings.len();
        std::mem::replace(&mut self.sightings, vec![Sighting::default(); n])
    }
}

fn id_of(detector: usize) -> String {
    format!("loop{detector}")
}

fn index_of(id: &str) -> Option<usize> {
    id.strip_prefix("loop")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vehicle(entered_s: f64, left_s: Option<f64>) -> LoopVehicle {
        LoopVehicle { entered_s, left_s }
    }

    #[test]
    fn a_vehicle_counts_once_where_it_entered() {
        let mut loops = Loops { ids: vec![id_of(0)], sightings: vec![Sighting::default()] };
        let reading = |vehicles| [LoopReading { id: "loop0".into(), vehicles }];
        loops.see(&reading(vec![vehicle(10.5, None)]), 10.0, 11.0);
        assert_eq!(loops.take(), [Sighting { count: 1, occupied_s: 0.5, speed_mps: None }]);
        loops.see(&reading(vec![vehicle(10.5, Some(11.25))]), 11.0, 12.0);
        assert_eq!(loops.take(), [Sighting { count: 0, occupied_s: 0.25, speed_mps: None }]);
        assert_eq!(loops.take(), [Sighting::default()]);
    }

    /// A stop-bar loop, and an advance loop that lies on the lane before that of its stop line.
    #[test]
    fn loops_lie_where_the_network_says() {
        use greenkerb_models::detection::{Detector, DetectorKind};
        use greenkerb_models::ids::{LaneId, LinkId, NodeId};
        use greenkerb_models::network::{Admits, Lane, Link, NetworkParts, Node, Point, Polyline};
        use greenkerb_models::units::{Metres, MetresPerSecond};

        let metres = |m| Metres::new(m).unwrap();
        let shape = || Polyline(vec![Point { x: 0.0, y: 0.0 }, Point { x: 60.0, y: 0.0 }]);
        let speed = MetresPerSecond::new(13.9).unwrap();
        let node = |name: &str| Node { name: name.into(), position: Point::default(), controller: None };
        let link = |i: u32| Link {
            name: format!("l{i}"),
            from: NodeId(i),
            to: NodeId(i + 1),
            lanes: vec![LaneId(i)],
            length: metres(60.0),
            speed,
            shape: shape(),
        };
        let lane = |i: u32| Lane {
            name: format!("l{i}&0"),
            link: LinkId(i),
            index: 0,
            length: metres(60.0),
            speed,
            width: metres(3.2),
            shape: shape(),
            admits: Admits { cars: true, ..Admits::default() },
        };
        let detector = |lane: u32, kind, to_lane_end: f64, to_stop_line: f64| Detector {
            name: format!("{lane}"),
            lane: LaneId(lane),
            kind,
            to_lane_end: metres(to_lane_end),
            to_stop_line: metres(to_stop_line),
            length: metres(2.0),
            watches: vec![LaneId(1)],
        };
        let network = NetworkParts {
            nodes: vec![node("a"), node("b"), node("c")],
            links: vec![link(0), link(1)],
            lanes: vec![lane(0), lane(1)],
            detectors: vec![
                detector(1, DetectorKind::StopBar, 1.0, 1.0),
                detector(0, DetectorKind::Advance, 20.0, 80.0),
            ],
            ..NetworkParts::default()
        }
        .build()
        .unwrap();
        let xml = Loops::of(&network).additional_xml(&network, "unread.xml");
        assert!(xml.contains(r#"id="loop0" lane="l1&amp;0" pos="57.000" length="2.000""#), "{xml}");
        assert!(xml.contains(r#"id="loop1" lane="l0&amp;0" pos="38.000" length="2.000""#), "{xml}");
    }
}
