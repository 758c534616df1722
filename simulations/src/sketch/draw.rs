//! From a network, and what is wanted on it, to a drawing.

use greenkerb_models::demand::Demand;
use greenkerb_models::ids::LinkId;
use greenkerb_models::network::{Network, Point, Polyline};

use super::backdrop::{Backdrop, Surface};
use super::canvas::Canvas;

/// Networks with more lanes than this are drawn street by street.
const LANES_DRAWN_MAX: usize = 1_500;
/// Networks with more signals than this are drawn without dots for them.
const DOTS_MAX: usize = 4_000;
const WIDTH_PX: f64 = 960.0;
/// Light and dark, quiet enough to put other things on top.
const STYLE: &str = "svg{background:#f4f1ea}path{fill:none;stroke-linecap:butt;stroke-linejoin:round}\
text{font-family:system-ui,sans-serif;fill:#39424e;text-anchor:middle}\
.water{fill:#c3dbe8}.green{fill:#d3e2c0}.building{fill:#ddd4c8}\
.street path{stroke:#c2c6cb}.lane path{stroke:#8b939c}.bus path{stroke:#b07d62}.way path{stroke:#8b939c;stroke-opacity:.55}\
.walk path{stroke:#fff;stroke-dasharray:1.2 1}.signal circle{fill:#1d7a4c}.edge circle{fill:#39424e}\
.stop rect{fill:#8a4b2a}.stop text,.park text{fill:#fff;font-weight:600}.park rect{fill:#23568f}\
.scale{stroke:#39424e;stroke-width:1.5}.name{fill:#6b5f4d;font-style:italic}";

/// What to draw.
#[derive(Debug, Clone, Copy)]
pub struct Sketch<'a> {
    /// Title, for readers that cannot see.
    pub title: &'a str,
    /// The streets.
    pub network: &'a Network,
    /// Bus stops and car parks, where they are wanted.
    pub demand: Option<&'a Demand>,
    /// What lies beside the streets.
    pub backdrop: Option<&'a Backdrop>,
}

/// Draws a network as an SVG document: the same network always gives the same bytes.
#[must_use]
pub fn draw(sketch: &Sketch<'_>) -> String {
    let network = sketch.network;
    let (low, high) = corners(network);
    let span_m = (high.x - low.x).max(high.y - low.y).max(1.0);
    let unit_m = (span_m / 90.0).clamp(3.0, 400.0);
    let mut canvas = Canvas::new(low, high, 2.5 * unit_m);
    if let Some(backdrop) = sketch.backdrop {
        areas(&mut canvas, backdrop);
    }
    if network.lanes().len() <= LANES_DRAWN_MAX {
        by_lanes(&mut canvas, network);
    } else {
        by_streets(&mut canvas, network, unit_m);
    }
    nodes(&mut canvas, network, unit_m);
    if let Some(demand) = sketch.demand {
        places(&mut canvas, network, demand, unit_m);
    }
    for label in sketch.backdrop.iter().flat_map(|b| &b.labels) {
        canvas.words(label.at, 2.2 * unit_m, &label.text, "class=\"name\"");
    }
    canvas.scale(1.6 * unit_m);
    canvas.finish(sketch.title, STYLE, WIDTH_PX)
}

/// Lower left and upper right of everything; a square of a metre around the origin for an empty network.
fn corners(network: &Network) -> (Point, Point) {
    let points = network.links().iter().flat_map(|l| &l.shape.0).chain(network.nodes().iter().map(|n| &n.position));
    let mut box_: Option<(Point, Point)> = None;
    for p in points.filter(|p| p.x.is_finite() && p.y.is_finite()) {
        let (low, high) = box_.get_or_insert((*p, *p));
        (low.x, low.y) = (low.x.min(p.x), low.y.min(p.y));
        (high.x, high.y) = (high.x.max(p.x), high.y.max(p.y));
    }
    box_.unwrap_or((Point { x: -0.5, y: -0.5 }, Point { x: 0.5, y: 0.5 }))
}

fn areas(canvas: &mut Canvas, backdrop: &Backdrop) {
    for area in &backdrop.areas {
        let class = match area.surface {
            Surface::Water => "class=\"water\"",
            Surface::Green => "class=\"green\"",
            Surface::Building => "class=\"building\"",
        };
        canvas.line(&area.outline, true, class);
    }
}

/// Every lane as wide as it is, ways across nodes below, crossings above.
fn by_lanes(canvas: &mut Canvas, network: &Network) {
    canvas.open("class=\"way\" stroke-width=\"2.6\"");
    for c in network.connections() {
        canvas.line(&c.shape.0, false, "");
    }
    canvas.close();
    for bus in [false, true] {
        canvas.open(if bus { "class=\"bus\"" } else { "class=\"lane\"" });
        for l in network.lanes().iter().filter(|l| l.admits.motor() && l.admits.cars != bus) {
            let width_m = (l.width.get() - 0.45).max(1.0);
            canvas.line(&l.shape.0, false, &format!("stroke-width=\"{width_m:.1}\""));
        }
        canvas.close();
    }
    canvas.open("class=\"walk\" stroke-width=\"3\"");
    for x in network.crossings() {
        canvas.line(&x.shape.0, false, "");
    }
    canvas.close();
}

/// Every street as a line about as wide as its lanes, never too thin to be seen.
fn by_streets(canvas: &mut Canvas, network: &Network, unit_m: f64) {
    canvas.open("class=\"street\"");
    for (i, l) in network.links().iter().enumerate() {
        let lanes = l.lanes.iter().map(|x| network.lane(*x)).filter(|x| x.admits.motor());
        let wide_m: f64 = lanes.map(|x| x.width.get()).sum();
        if wide_m > 0.0 {
            let shape = middle(network, LinkId::at(i));
            canvas.line(&shape.0, false, &format!("stroke-width=\"{:.1}\"", wide_m.max(unit_m / 6.0)));
        }
    }
    canvas.close();
}

/// The course of a link's middle lane.
fn middle(network: &Network, link: LinkId) -> &Polyline {
    let lanes = &network.link(link).lanes;
    &network.lane(lanes[lanes.len() / 2]).shape
}

fn nodes(canvas: &mut Canvas, network: &Network, unit_m: f64) {
    if network.controllers().len() > DOTS_MAX {
        return;
    }
    canvas.open("class=\"signal\"");
    for n in network.nodes() {
        if let Some(c) = n.controller {
            canvas.dot(n.position, 0.55 * unit_m, &network.controller(c).name, "");
        }
    }
    canvas.close();
}

/// Bus stops and car parks, beside their lanes.
fn places(canvas: &mut Canvas, network: &Network, demand: &Demand, unit_m: f64) {
    let spot = |lane: greenkerb_models::ids::LaneId, along_m: f64| {
        let l = network.lane(lane);
        // Lanes of a street are alike in length, their drawn courses are not quite.
        let share = along_m / l.length.get().max(1e-6);
        l.shape.beside(l.width.get() / 2.0 + 0.9 * unit_m).point_at(share * l.shape.length_m())
    };
    for s in &demand.parts().stops {
        if let Some(at) = spot(s.lane, s.at.get()) {
            canvas.sign(at, 1.3 * unit_m, "B", &s.name, "stop");
        }
    }
    for f in &demand.parts().facilities {
        if let Some(at) = spot(f.entrance, f.entrance_at.get()) {
            canvas.sign(at, 1.9 * unit_m, "P", &format!("{}: {} bays", f.name, f.capacity), "park");
        }
    }
}
