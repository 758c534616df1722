//! Equity: what side streets, the unluckiest and people on foot pay.
//!
//! An approach is a side street when fewer than half as many vehicles come by it as by the busiest approach of its junction,
//! all controllers and seeds taken together: so the same approaches are side streets for every controller.

use std::collections::BTreeMap;
use std::fmt::Write;

use greenkerb_models::ids::{LinkId, NodeId};
use greenkerb_models::network::Network;

use super::svg::{esc, num};
use crate::benchmark::record::RunRecord;
use crate::benchmark::summary::Summary;
use crate::metrics::Mean;

/// Links that are side streets, and main ones.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Streets {
    pub(super) side: Vec<LinkId>,
    pub(super) main: Vec<LinkId>,
}

impl Streets {
    /// Tells side streets by what comes along them.
    pub(super) fn of(runs: &[&RunRecord], network: &Network) -> Self {
        let mut flows: BTreeMap<LinkId, u64> = BTreeMap::new();
        for a in runs.iter().flat_map(|r| &r.measures.approaches) {
            *flows.entry(a.link).or_default() += a.vehicles;
        }
        let mut busiest: BTreeMap<NodeId, u64> = BTreeMap::new();
        for (link, flow) in &flows {
            let most = busiest.entry(network.link(*link).to).or_default();
            *most = (*most).max(*flow);
        }
        let mut streets = Self::default();
        for (link, flow) in &flows {
            let most = busiest.get(&network.link(*link).to).copied().unwrap_or(0);
            if 2 * flow < most { streets.side.push(*link) } else { streets.main.push(*link) }
        }
        streets
    }

    /// Control delay on some links in one run.
    fn delay_s(run: &RunRecord, links: &[LinkId]) -> Option<f64> {
        let mut lost = (0.0, 0);
        for a in &run.measures.approaches {
            if links.binary_search(&a.link).is_ok() {
                lost.0 += a.control_delay_s.unwrap_or(0.0) * a.vehicles as f64;
                lost.1 += a.vehicles;
            }
        }
        (lost.1 > 0).then(|| lost.0 / lost.1 as f64)
    }
}

/// The table.
pub(super) fn table(summary: &Summary, runs: &[&RunRecord], network: &Network) -> String {
    let streets = Streets::of(runs, network);
    let people = runs.iter().any(|r| r.measures.people.is_some());
    let mut s = String::from(
        "<div class=\"scroll\"><table><thead><tr><th scope=\"col\">Controller</th><th scope=\"col\">Main approaches<br><small>s/veh</small></th>\
         <th scope=\"col\">Side streets<br><small>s/veh</small></th><th scope=\"col\">Side over main</th>\
         <th scope=\"col\">Worst approach<br><small>s/veh</small></th><th scope=\"col\">95 of 100<br><small>lost less than, s</small></th>\
         <th scope=\"col\">Gini</th><th scope=\"col\">Longest stand<br><small>s</small></th>",
    );
    if people {
        s += "<th scope=\"col\">On foot, mean<br><small>s</small></th><th scope=\"col\">On foot, 95 %<br><small>s</small></th><th scope=\"col\">On foot, longest<br><small>s</small></th>";
    }
    s += "</tr></thead><tbody>";
    for row in &summary.rows {
        let ours: Vec<&RunRecord> = runs.iter().copied().filter(|r| r.controller == row.controller).collect();
        let mean = |of: &dyn Fn(&RunRecord) -> Option<f64>| {
            Mean::of(&ours.iter().filter_map(|r| of(r)).collect::<Vec<f64>>()).map(|m| m.mean)
        };
        let main = mean(&|r| Streets::delay_s(r, &streets.main));
        let side = mean(&|r| Streets::delay_s(r, &streets.side));
        let ratio = side.zip(main).filter(|(_, m)| *m > 0.0).map(|(s, m)| s / m);
        let worst = mean(&|r| {
            let delays = r.measures.approaches.iter().filter(|a| a.vehicles > 0).filter_map(|a| a.control_delay_s);
            delays.max_by(f64::total_cmp)
        });
        let cells = [
            (main, 1),
            (side, 1),
            (ratio, 2),
            (worst, 0),
            (mean(&|r| r.measures.spread.map(|s| s.p95_s)), 0),
            (mean(&|r| r.measures.spread.map(|s| s.gini)), 2),
            (mean(&|r| Some(r.measures.waits.max_stand_s)), 0),
        ];
        let on_foot = [
            (mean(&|r| r.measures.people.map(|p| p.mean_s)), 1),
            (mean(&|r| r.measures.people.map(|p| p.p95_s)), 0),
            (mean(&|r| r.measures.people.map(|p| p.max_s)), 0),
        ];
        let _ = write!(s, "<tr><th scope=\"row\">{}</th>", esc(&row.controller));
        for (value, decimals) in cells.into_iter().chain(on_foot.into_iter().filter(|_| people)) {
            let _ = write!(s, "<td>{}</td>", value.map_or("–".into(), |v| num(v, decimals)));
        }
        s += "</tr>";
    }
    s += "</tbody></table></div>";
    let _ = write!(
        s,
        "<p class=\"note\">{} side streets and {} main approaches: an approach is a side street when fewer than half as many vehicles \
         come by it as by the busiest approach of its junction, all controllers taken together. Delays are control delays; means over seeds.</p>",
        streets.side.len(),
        streets.main.len()
    );
    s
}

#[cfg(test)]
mod tests {
    use super::super::super::samples::{record, setup};
    use super::*;
    use crate::metrics::ApproachMeasures;

    pub(super) fn approach(link: u32, vehicles: u64, delay_s: f64) -> ApproachMeasures {
        ApproachMeasures {
            link: LinkId(link),
            vehicles,
            control_delay_s: Some(delay_s),
            stops: 0,
            saturation: None,
            arrivals: crate::metrics::Arrivals::default(),
            green_share: None,
            queue_mean_veh: 1.0,
            queue_max_veh: 3,
            queue_reach_m: 20.0,
            spillback_min: 0.0,
        }
    }

    #[test]
    fn side_streets_are_the_same_for_every_controller() {
        let s = setup(&["shipped", "ours"], &[1]);
        let network = &s.scenario.network;
        let node =
            greenkerb_models::ids::NodeId::at(network.nodes().iter().position(|n| n.controller.is_some()).unwrap());
        let mut links: Vec<LinkId> = network.links_into(node).collect();
        links.sort_unstable();
        let mut runs: Vec<RunRecord> = s.jobs().unwrap().iter().map(|j| record(j, 10.0)).collect();
        for (run, flows) in runs.iter_mut().zip([[100, 60, 45, 80], [100, 60, 60, 20]]) {
            let all = links.iter().zip(flows).map(|(l, f)| approach(l.0, f, f as f64));
            run.measures.approaches = all.collect();
        }
        let runs: Vec<&RunRecord> = runs.iter().collect();
        let streets = Streets::of(&runs, network);
        assert_eq!(streets.side, [], "105 and 100 of 200 are not less than half");
        let mut fewer: Vec<RunRecord> = runs.iter().map(|r| (*r).clone()).collect();
        fewer[0].measures.approaches[3].vehicles = 79;
        let fewer: Vec<&RunRecord> = fewer.iter().collect();
        let streets = Streets::of(&fewer, network);
        assert_eq!(streets.side, [links[3]]);
        assert_eq!(Streets::delay_s(fewer[1], &streets.side), Some(20.0));
        assert_eq!(Streets::delay_s(fewer[1], &[]), None);
    }
}
