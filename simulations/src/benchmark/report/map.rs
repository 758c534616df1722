//! A sketch of the network: links as wide as their lanes, signals coloured by their level of service.

use std::fmt::Write;

use greenkerb_models::demand::Demand;
use greenkerb_models::ids::NodeId;
use greenkerb_models::network::{Network, Point};

use super::svg::{drawing, esc, num, path};
use crate::benchmark::arterial::Arterial;
use crate::metrics::Los;

/// Above so many signals no letters are written.
const LETTERS_MAX: usize = 140;

/// The sketch; `levels` gives the level of service of a signalised node.
pub(super) fn sketch(
    network: &Network,
    demand: &Demand,
    arterial: Option<&Arterial>,
    width: f64,
    title: &str,
    levels: impl Fn(NodeId) -> Option<Los>,
) -> String {
    let points = || network.links().iter().flat_map(|l| ends(network, l));
    let bound = |of: fn(&Point) -> f64| {
        points().map(|p| of(&p)).fold((f64::INFINITY, f64::NEG_INFINITY), |b, v| (b.0.min(v), b.1.max(v)))
    };
    let ((x0, x1), (y0, y1)) = (bound(|p| p.x), bound(|p| p.y));
    if !(x1 >= x0 && y1 >= y0) {
        return String::new();
    }
    let margin = 18.0;
    let (span_x, span_y) = ((x1 - x0).max(1.0), (y1 - y0).max(1.0));
    let per_m = ((width - 2.0 * margin) / span_x).min(620.0 / span_y);
    let height = (span_y * per_m + 2.0 * margin + 22.0).max(110.0);
    let left = (width - span_x * per_m) / 2.0;
    let at = |p: Point| (left + (p.x - x0) * per_m, height - 22.0 - margin - (p.y - y0) * per_m);
    let mut s = String::new();
    // Few widths, so that a large network is a handful of paths.
    for lanes in 1..=4 {
        let of = network.links().iter().filter(|l| l.lanes.len().clamp(1, 4) == lanes);
        let d: String = of.map(|l| path(ends(network, l).into_iter().map(at))).collect();
        let w = (lanes as f64 * 3.4 * per_m).clamp(0.7 + 0.5 * lanes as f64, 9.0);
        if !d.is_empty() {
            let _ = write!(
                s,
                "<path d=\"{d}\" fill=\"none\" stroke=\"var(--road)\" stroke-width=\"{w:.1}\" stroke-linecap=\"round\"/>"
            );
        }
    }
    if let Some(arterial) = arterial {
        let d: String =
            arterial.forward.iter().map(|p| path(ends(network, network.link(p.link)).into_iter().map(at))).collect();
        let _ =
            write!(s, "<path d=\"{d}\" fill=\"none\" stroke=\"var(--accent)\" stroke-width=\"2.5\" opacity=\".8\"/>");
    }
    let signals: Vec<NodeId> =
        (0..network.nodes().len()).map(NodeId::at).filter(|n| network.node(*n).controller.is_some()).collect();
    let r = if signals.len() > LETTERS_MAX { 3.0 } else { 8.0 };
    for node in &signals {
        let (cx, cy) = at(network.node(*node).position);
        let level = levels(*node);
        let class = level.map_or("N".into(), |l| l.to_string());
        let _ = write!(
            s,
            "<circle class=\"{class}\" cx=\"{cx:.1}\" cy=\"{cy:.1}\" r=\"{r}\" stroke=\"var(--soft)\" stroke-width=\".8\"><title>{}{}</title></circle>",
            esc(&network.node(*node).name),
            level.map_or(String::new(), |l| format!(": level of service {l}"))
        );
        if let (Some(level), true) = (level, signals.len() <= LETTERS_MAX) {
            let _ = write!(
                s,
                "<text class=\"lt\" x=\"{cx:.1}\" y=\"{:.1}\" text-anchor=\"middle\" style=\"font-size:10px\">{level}</text>",
                cy + 3.5
            );
        }
    }
    for f in &demand.parts().facilities {
        let along = network.lane(f.entrance).shape.point_at(f.entrance_at.get());
        let Some(p) = along.or_else(|| ends(network, network.link(network.lane(f.entrance).link)).first().copied())
        else {
            continue;
        };
        let (px, py) = at(p);
        let _ = write!(
            s,
            "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"10\" height=\"10\" rx=\"2\" fill=\"var(--accent)\"><title>{}: {} bays</title></rect>\
             <text x=\"{px:.1}\" y=\"{:.1}\" text-anchor=\"middle\" style=\"font-size:8px;fill:var(--paper);font-weight:700\">P</text>",
            px - 5.0,
            py - 5.0,
            esc(&f.name),
            f.capacity,
            py + 3.0
        );
    }
    s += &scale_bar(per_m, height);
    drawing(width, height, title, "Links as wide as their lanes; signals with their level of service.", &s)
}

fn ends(network: &Network, link: &greenkerb_models::network::Link) -> Vec<Point> {
    if link.shape.0.len() > 1 {
        link.shape.0.clone()
    } else {
        vec![network.node(link.from).position, network.node(link.to).position]
    }
}

fn scale_bar(per_m: f64, height: f64) -> String {
    let lengths = [10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1_000.0, 2_000.0, 5_000.0, 10_000.0];
    let fitting = lengths.iter().rev().find(|m| **m * per_m <= 130.0).unwrap_or(&lengths[0]);
    format!(
        "<path class=\"axis\" d=\"M8 {0:.1}v5h{1:.1}v-5\"/><text class=\"soft\" x=\"{2:.1}\" y=\"{3:.1}\">{4} m</text>",
        height - 14.0,
        fitting * per_m,
        14.0 + fitting * per_m,
        height - 7.0,
        num(*fitting, 0)
    )
}
