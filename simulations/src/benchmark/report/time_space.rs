//! Time–space diagrams: trajectories on the main arterial, what the signals show, and the bands between them.
//!
//! A band is where a vehicle that drives at the speed limit passes one signal and the next on green. Bands through all
//! signals are drawn darker.

use std::fmt::Write;

use greenkerb_models::network::Network;

use super::svg::{Scale, drawing, esc, num, path};
use crate::benchmark::arterial::Arterial;
use crate::benchmark::trace::{Shown, Trace};

const WIDTH: f64 = 1_100.0;
const LEFT: f64 = 130.0;
const TOP: f64 = 12.0;
/// Room on the right for distances.
const RIGHT: f64 = 64.0;
/// Least distance between two lines of text.
const LINE: f64 = 11.0;
/// Thickness of a signal's bar.
const BAR: f64 = 4.0;

/// Greens as half-open intervals, in tenths of seconds.
type Greens = Vec<(f64, f64)>;

/// The diagram of one run.
pub(super) fn diagram(arterial: &Arterial, trace: &Trace, network: &Network) -> String {
    let plot_height = (arterial.length_m / 4.0).clamp(240.0, 560.0);
    let (bottom, right) = (TOP + plot_height, WIDTH - RIGHT);
    let length_ds = (trace.to_s - trace.from_s) * 10.0;
    let x = Scale { from: (0.0, length_ds), to: (LEFT, right) };
    let y = Scale { from: (0.0, arterial.length_m.max(1.0)), to: (bottom, TOP) };
    let mut s = String::new();
    let mut minute = 0.0;
    while minute * 600.0 <= length_ds {
        let at = x.at(minute * 600.0);
        let _ = write!(
            s,
            "<path class=\"grid\" d=\"M{at:.1} {TOP}V{:.1}\"/><text class=\"soft\" x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
            bottom + 4.0,
            bottom + 18.0,
            num(trace.from_s / 60.0 + minute, 0)
        );
        minute += 1.0;
    }
    let _ = write!(
        s,
        "<text class=\"soft\" x=\"{right:.1}\" y=\"{:.1}\" text-anchor=\"end\">minute of the scenario</text>",
        bottom + 34.0
    );
    s += &bands(arterial, trace, &x, &y, length_ds);
    for (tracks, colour) in [(&trace.forward, "--fwd"), (&trace.backward, "--bwd")] {
        let d: String =
            tracks.iter().map(|t| path(t.iter().map(|(at, m)| (x.at(f64::from(*at)), y.at(f64::from(*m)))))).collect();
        if !d.is_empty() {
            let _ = write!(
                s,
                "<path d=\"{d}\" fill=\"none\" stroke=\"var({colour})\" stroke-width=\".8\" opacity=\".7\"/>"
            );
        }
    }
    let distance = |m: f64, y: f64| {
        format!("<text class=\"soft\" x=\"{:.1}\" y=\"{:.1}\">{} m</text>", right + 6.0, y + 4.0, num(m, 0))
    };
    s += &distance(0.0, bottom);
    s += &distance(arterial.length_m, TOP);
    let (mut last_label, mut last_distance) = (f64::INFINITY, bottom);
    for (i, station) in arterial.stations.iter().enumerate() {
        let (fwd, bwd) = (y.at(station.forward_m), y.at(station.backward_m));
        // Bars of both directions never cover each other, however small the scale.
        let middle = (fwd + bwd) / 2.0;
        s += &bar(trace.forward_heads.get(i), &x, middle + 0.5, length_ds);
        s += &bar(trace.backward_heads.get(i), &x, middle - BAR - 0.5, length_ds);
        if last_distance - middle > LINE && middle - TOP > LINE {
            s += &distance((station.forward_m + station.backward_m) / 2.0, middle);
            last_distance = middle;
        }
        if last_label - middle > LINE {
            let _ = write!(
                s,
                "<text x=\"{:.0}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                LEFT - 8.0,
                middle + 4.0,
                esc(&network.node(station.node).name)
            );
            last_label = middle;
        }
    }
    let title = format!("Time–space diagram, {}, seed {}", trace.controller, trace.seed);
    let description = format!(
        "{} trajectories forward and {} backward past {} signals.",
        trace.forward.len(),
        trace.backward.len(),
        arterial.stations.len()
    );
    drawing(WIDTH, bottom + 40.0, &title, &description, &s)
}

/// What one signal shows, as a bar.
fn bar(shown: Option<&Shown>, x: &Scale, y: f64, length_ds: f64) -> String {
    let mut paths = [String::new(), String::new(), String::new()];
    let Some(shown) = shown else { return String::new() };
    for (i, (from, is)) in shown.iter().enumerate() {
        let to = shown.get(i + 1).map_or(length_ds, |next| f64::from(next.0));
        let (a, b) = (x.at(f64::from(*from)), x.at(to));
        let _ = write!(paths[usize::from(*is).min(2)], "M{a:.1} {y:.1}H{b:.1}v{BAR}H{a:.1}z");
    }
    let mut s = String::new();
    for (d, colour) in paths.iter().zip(["--red", "--yellow", "--green"]) {
        if !d.is_empty() {
            let _ = write!(s, "<path d=\"{d}\" fill=\"var({colour})\"/>");
        }
    }
    s
}

fn greens(shown: &Shown, length_ds: f64) -> Greens {
    let end = |i: usize| shown.get(i + 1).map_or(length_ds, |next: &(u32, u8)| f64::from(next.0));
    shown.iter().enumerate().filter(|(_, s)| s.1 == 2).map(|(i, s)| (f64::from(s.0), end(i))).collect()
}

/// Bands of both directions.
fn bands(arterial: &Arterial, trace: &Trace, x: &Scale, y: &Scale, length_ds: f64) -> String {
    if arterial.speed_mps <= 0.0 {
        return String::new();
    }
    let forward: Vec<(f64, Greens)> =
        arterial.stations.iter().zip(&trace.forward_heads).map(|(s, h)| (s.forward_m, greens(h, length_ds))).collect();
    let mut backward: Vec<(f64, Greens)> = arterial
        .stations
        .iter()
        .zip(&trace.backward_heads)
        .map(|(s, h)| (s.backward_m, greens(h, length_ds)))
        .collect();
    backward.reverse();
    let mut s = String::new();
    for (stations, colour) in [(forward, "--fwd"), (backward, "--bwd")] {
        let mut pairs = String::new();
        for w in stations.windows(2) {
            let drive_ds = (w[1].0 - w[0].0).abs() / arterial.speed_mps * 10.0;
            for (a, b) in meet(&w[0].1, &w[1].1, drive_ds) {
                pairs += &parallelogram(x, y, (a, b), (w[0].0, w[1].0), drive_ds);
            }
        }
        let _ = write!(s, "<path d=\"{pairs}\" fill=\"var({colour})\" opacity=\".13\"/>");
        if let (Some(first), Some(last)) = (stations.first(), stations.last())
            && stations.len() > 2
        {
            let drive_ds = (last.0 - first.0).abs() / arterial.speed_mps * 10.0;
            let through: String = through(&stations, arterial.speed_mps)
                .into_iter()
                .map(|band| parallelogram(x, y, band, (first.0, last.0), drive_ds))
                .collect();
            let _ = write!(s, "<path d=\"{through}\" fill=\"var({colour})\" opacity=\".22\"/>");
        }
    }
    s
}

/// Starts from the first signal that find every signal green.
fn through(stations: &[(f64, Greens)], speed_mps: f64) -> Greens {
    let Some((start_m, first)) = stations.first() else { return Vec::new() };
    stations
        .iter()
        .skip(1)
        .fold(first.clone(), |band, (at_m, greens)| meet(&band, greens, (at_m - start_m).abs() / speed_mps * 10.0))
}

/// Parts of `from` that reach `to` after `drive_ds`.
fn meet(from: &Greens, to: &Greens, drive_ds: f64) -> Greens {
    let pairs = from.iter().flat_map(|a| to.iter().map(move |b| (a.0.max(b.0 - drive_ds), a.1.min(b.1 - drive_ds))));
    pairs.filter(|(a, b)| b - a > 1.0).collect()
}

fn parallelogram(x: &Scale, y: &Scale, band: (f64, f64), ends_m: (f64, f64), drive_ds: f64) -> String {
    let (y0, y1) = (y.at(ends_m.0), y.at(ends_m.1));
    path([(x.at(band.0), y0), (x.at(band.1), y0), (x.at(band.1 + drive_ds), y1), (x.at(band.0 + drive_ds), y1)]) + "z"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bands_are_where_greens_meet_after_the_drive() {
        let first = vec![(0.0, 300.0), (600.0, 900.0)];
        let second = vec![(200.0, 400.0), (800.0, 1_000.0)];
        assert_eq!(meet(&first, &second, 150.0), [(50.0, 250.0), (650.0, 850.0)]);
        let stations = vec![(0.0, first), (150.0, second), (300.0, vec![(400.0, 500.0)])];
        assert_eq!(through(&stations, 10.0), [(100.0, 200.0)]);
        assert!(through(&[], 10.0).is_empty());
    }

    #[test]
    fn greens_run_until_something_else_is_shown() {
        assert_eq!(
            greens(&vec![(0, 0), (100, 2), (250, 1), (280, 0), (500, 2)], 600.0),
            [(100.0, 250.0), (500.0, 600.0)]
        );
    }
}
