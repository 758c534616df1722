//! Levels of service: which junctions work under which controller.

use std::collections::BTreeMap;
use std::fmt::Write;

use greenkerb_models::ids::{MovementId, NodeId};
use greenkerb_models::network::{Network, Turn};

use super::svg::{drawing, esc, num};
use crate::benchmark::record::RunRecord;
use crate::benchmark::summary::Summary;
use crate::metrics::Los;

/// Junctions that the table lists.
const NODES_MAX: usize = 40;
/// Movements that the table lists.
const MOVEMENTS_MAX: usize = 30;

/// Control delay and saturation over all seeds.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Pooled {
    pub(super) vehicles: u64,
    pub(super) lost_s: f64,
    saturations: f64,
    saturated: u64,
}

impl Pooled {
    fn add(&mut self, vehicles: u64, delay_s: Option<f64>, saturation: Option<f64>) {
        self.vehicles += vehicles;
        self.lost_s += delay_s.unwrap_or(0.0) * vehicles as f64;
        if let Some(x) = saturation {
            self.saturations += x;
            self.saturated += 1;
        }
    }

    pub(super) fn delay_s(&self) -> Option<f64> {
        (self.vehicles > 0).then(|| self.lost_s / self.vehicles as f64)
    }

    /// Mean over seeds of the fullest lane's degree of saturation.
    pub(super) fn saturation(&self) -> Option<f64> {
        (self.saturated > 0).then(|| self.saturations / self.saturated as f64)
    }

    pub(super) fn los(&self) -> Option<Los> {
        self.delay_s().map(|d| Los::of(d, self.saturation()))
    }
}

/// Nodes of one controller, over all seeds.
pub(super) fn nodes(runs: &[&RunRecord], controller: &str) -> BTreeMap<NodeId, Pooled> {
    let mut pooled: BTreeMap<NodeId, Pooled> = BTreeMap::new();
    for n in runs.iter().filter(|r| r.controller == controller).flat_map(|r| &r.measures.nodes) {
        pooled.entry(n.node).or_default().add(n.vehicles, n.control_delay_s, n.saturation);
    }
    pooled
}

fn movements(runs: &[&RunRecord], controller: &str) -> BTreeMap<MovementId, Pooled> {
    let mut pooled: BTreeMap<MovementId, Pooled> = BTreeMap::new();
    for m in runs.iter().filter(|r| r.controller == controller).flat_map(|r| &r.measures.movements) {
        pooled.entry(m.movement).or_default().add(m.vehicles, Some(m.control_delay_s), m.saturation);
    }
    pooled
}

/// How many junctions are at which level, one bar a controller.
pub(super) fn shares(summary: &Summary, runs: &[&RunRecord]) -> String {
    let (width, left, row) = (1_100.0, 150.0, 32.0);
    let height = row * summary.rows.len() as f64 + 8.0;
    let mut s = String::new();
    for (i, r) in summary.rows.iter().enumerate() {
        let y = 4.0 + row * i as f64;
        let levels: Vec<Los> = nodes(runs, &r.controller).values().filter_map(Pooled::los).collect();
        let _ = write!(
            s,
            "<text x=\"{:.0}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            left - 12.0,
            y + 17.0,
            esc(&r.controller)
        );
        let mut x = left;
        for los in [Los::A, Los::B, Los::C, Los::D, Los::E, Los::F] {
            let n = levels.iter().filter(|l| **l == los).count();
            if n == 0 {
                continue;
            }
            let w = (width - left - 10.0) * n as f64 / levels.len() as f64;
            let _ = write!(
                s,
                "<rect class=\"{los}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{w:.1}\" height=\"24\" stroke=\"var(--paper)\"/>\
                 <text class=\"lt\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
                x + w / 2.0,
                y + 16.5,
                if w > 44.0 { format!("{los} · {n}") } else { los.to_string() }
            );
            x += w;
        }
    }
    drawing(
        width,
        height,
        "Junctions by level of service",
        "One bar a controller; number of junctions at each level.",
        &s,
    )
}

/// Junctions by controllers, the worst first.
pub(super) fn table(summary: &Summary, runs: &[&RunRecord], network: &Network) -> String {
    let per_controller: Vec<BTreeMap<NodeId, Pooled>> =
        summary.rows.iter().map(|r| nodes(runs, &r.controller)).collect();
    let reference = summary.rows.iter().position(|r| r.controller == summary.reference).unwrap_or(0);
    let mut order: Vec<NodeId> = per_controller.get(reference).map(|p| p.keys().copied().collect()).unwrap_or_default();
    let delay = |n: &NodeId| per_controller[reference].get(n).and_then(Pooled::delay_s).unwrap_or(0.0);
    order.sort_by(|a, b| delay(b).total_cmp(&delay(a)).then(a.cmp(b)));
    let shown = order.len().min(NODES_MAX);
    let mut s = format!(
        "<div class=\"scroll\"><table><caption>Control delay in seconds per vehicle, and degree of saturation of the fullest lane{}.</caption><thead><tr><th scope=\"col\">Junction</th>",
        if shown < order.len() { format!("; the {shown} worst of {}", order.len()) } else { String::new() }
    );
    for row in &summary.rows {
        let _ = write!(s, "<th scope=\"col\">{}</th>", esc(&row.controller));
    }
    s += "</tr></thead><tbody>";
    for node in order.iter().take(NODES_MAX) {
        let _ = write!(s, "<tr><th scope=\"row\">{}</th>", esc(&network.node(*node).name));
        for pooled in &per_controller {
            s += &cell(pooled.get(node));
        }
        s += "</tr>";
    }
    s + "</tbody></table></div>"
}

/// Movements with the highest delay under a controller.
pub(super) fn worst_movements(summary: &Summary, runs: &[&RunRecord], network: &Network, about: &str) -> String {
    let ours = movements(runs, about);
    let theirs = movements(runs, &summary.reference);
    let seeds = runs.iter().filter(|r| r.controller == about).count().max(1) as u64;
    let mut order: Vec<MovementId> = ours.keys().copied().collect();
    let delay = |m: &MovementId| ours.get(m).and_then(Pooled::delay_s).unwrap_or(0.0);
    order.sort_by(|a, b| delay(b).total_cmp(&delay(a)).then(a.cmp(b)));
    let mut s = format!(
        "<details><summary>The {} movements with the highest delay under {}</summary><div class=\"scroll\"><table><thead><tr>\
         <th scope=\"col\">Movement</th><th scope=\"col\">Turn</th><th scope=\"col\">Vehicles<br><small>per run</small></th><th scope=\"col\">{}</th>",
        order.len().min(MOVEMENTS_MAX),
        esc(about),
        esc(about)
    );
    let both = about != summary.reference;
    if both {
        let _ = write!(s, "<th scope=\"col\">{}</th>", esc(&summary.reference));
    }
    s += "</tr></thead><tbody>";
    for id in order.iter().take(MOVEMENTS_MAX) {
        let m = network.movement(*id);
        let _ = write!(
            s,
            "<tr><th scope=\"row\">{} → {} → {}</th><td class=\"t\">{}</td><td>{}</td>{}",
            esc(&network.node(network.link(m.from_link).from).name),
            esc(&network.node(m.node).name),
            esc(&network.node(network.link(m.to_link).to).name),
            match m.turn {
                Turn::Right => "right",
                Turn::Straight => "straight",
                Turn::Left => "left",
                Turn::UTurn => "back",
            },
            ours.get(id).map_or(0, |p| p.vehicles / seeds),
            cell(ours.get(id)),
        );
        if both {
            s += &cell(theirs.get(id));
        }
        s += "</tr>";
    }
    s + "</tbody></table></div></details>"
}

fn cell(pooled: Option<&Pooled>) -> String {
    let Some((pooled, delay_s, los)) = pooled.and_then(|p| Some((p, p.delay_s()?, p.los()?))) else {
        return "<td>–</td>".into();
    };
    let x = pooled
        .saturation()
        .map_or(String::new(), |x| if x > 9.995 { "X &gt; 10".into() } else { format!("X {}", num(x, 2)) });
    format!(
        "<td><span class=\"los {los}\">{los}</span><span class=\"n\">{}</span> <span class=\"x\">{x}</span></td>",
        num(delay_s, 1)
    )
}
