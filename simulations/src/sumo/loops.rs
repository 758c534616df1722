//! The detectors of the network as induction loops in SUMO, and what they saw.

use std::fmt::Write as _;

use greenkerb_models::network::Network;

use super::traci::{LoopReading, LoopVehicle};

/// SUMO keeps loops within their lane; a rounding of the lane's length must not put one outside.
const MARGIN_M: f64 = 0.01;
/// SUMO's own reports of the loops go nowhere; this is how rarely it writes them.
const PERIOD_S: u32 = 100_000;

/// What one detector saw during one reporting interval.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Sighting {
    /// Vehicles whose front entered.
    pub(super) count: u32,
    /// Seconds during which any vehicle was over the loop.
    pub(super) occupied_s: f64,
}

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
            let lane = network.lane(detector.lane);
            let lane_m = lane.length.get();
            let end_m = (lane_m - detector.to_lane_end.get()).clamp(0.0, lane_m - MARGIN_M);
            let start_m = (end_m - detector.length.get()).max(0.0);
            // Writing into a string cannot fail.
            let _ = writeln!(
                xml,
                r#"  <inductionLoop id="{id}" lane="{}" pos="{start_m:.3}" length="{:.3}" period="{PERIOD_S}" file="{}"/>"#,
                quick_xml::escape::escape(&lane.name),
                end_m - start_m,
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
            let entered = |v: &&LoopVehicle| (from_s..to_s).contains(&v.entered_s);
            sighting.count += u32::try_from(reading.vehicles.iter().filter(entered).count()).unwrap_or(u32::MAX);
            sighting.occupied_s += occupied_s(&reading.vehicles, from_s, to_s);
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

/// Seconds of `[from_s, to_s)` during which at least one vehicle was there: the union of their stays.
fn occupied_s(vehicles: &[LoopVehicle], from_s: f64, to_s: f64) -> f64 {
    let mut stays: Vec<(f64, f64)> = vehicles
        .iter()
        .map(|v| (v.entered_s.max(from_s), v.left_s.unwrap_or(to_s).min(to_s)))
        .filter(|(a, b)| b > a)
        .collect();
    stays.sort_by(|x, y| x.0.total_cmp(&y.0));
    let mut covered_to_s = from_s;
    let mut sum_s = 0.0;
    for (a, b) in stays {
        sum_s += (b - a.max(covered_to_s)).max(0.0);
        covered_to_s = covered_to_s.max(b);
    }
    sum_s
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
        assert_eq!(loops.take(), [Sighting { count: 1, occupied_s: 0.5 }]);
        loops.see(&reading(vec![vehicle(10.5, Some(11.25))]), 11.0, 12.0);
        assert_eq!(loops.take(), [Sighting { count: 0, occupied_s: 0.25 }]);
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

    #[test]
    fn two_vehicles_occupy_a_loop_once() {
        let vehicles = [vehicle(0.2, Some(0.6)), vehicle(0.5, Some(0.9)), vehicle(0.95, None)];
        assert!((occupied_s(&vehicles, 0.0, 1.0) - 0.75).abs() < 1e-12);
    }
}
