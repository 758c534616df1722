//! Delay by controller: every seed a dot, the mean a bar with its 95 % interval.

use std::fmt::Write;

use super::style::SERIES;
use super::svg::{Scale, drawing, esc, num, ticks, x_axis};
use crate::benchmark::record::RunRecord;
use crate::benchmark::summary::Summary;

const WIDTH: f64 = 1_100.0;
const LEFT: f64 = 150.0;
const RIGHT: f64 = 90.0;
const TOP: f64 = 16.0;
const ROW: f64 = 44.0;

/// The plot.
pub(super) fn plot(summary: &Summary, runs: &[&RunRecord]) -> String {
    let height = TOP + ROW * summary.rows.len() as f64 + 44.0;
    let ends = summary.rows.iter().filter_map(|r| r.figures[0]);
    let most = ends
        .map(|f| f.mean.mean + f.mean.half_width_95.unwrap_or(0.0))
        .chain(runs.iter().map(|r| r.total_delay_s()))
        .fold(0.0, f64::max);
    let marks = ticks(most, 8);
    let x = Scale { from: (0.0, *marks.last().unwrap_or(&1.0)), to: (LEFT, WIDTH - RIGHT) };
    let bottom = height - 40.0;
    let decimals = super::svg::tick_decimals(&marks);
    let mut s = x_axis(&x, &marks, (TOP, bottom), |t| num(t, decimals));
    let _ = write!(
        s,
        "<text class=\"soft\" x=\"{:.0}\" y=\"{:.0}\" text-anchor=\"middle\">total delay, seconds per vehicle</text>",
        (LEFT + WIDTH - RIGHT) / 2.0,
        bottom + 34.0
    );
    for (i, row) in summary.rows.iter().enumerate() {
        let y = TOP + ROW * (i as f64 + 0.5);
        let colour = format!("var(--s{})", i % SERIES);
        let _ = write!(
            s,
            "<text x=\"{:.0}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            LEFT - 12.0,
            y + 4.0,
            esc(&row.controller)
        );
        let Some(f) = row.figures[0] else { continue };
        let mean = x.at(f.mean.mean);
        let _ = write!(
            s,
            "<rect x=\"{LEFT}\" y=\"{:.1}\" width=\"{:.1}\" height=\"18\" fill=\"{colour}\" opacity=\".28\"/>",
            y - 9.0,
            (mean - LEFT).max(0.0)
        );
        for run in runs.iter().filter(|r| r.controller == row.controller) {
            let shape = if run.is_gridlocked() { "var(--bad)" } else { colour.as_str() };
            let _ = write!(
                s,
                "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"3\" fill=\"{shape}\" opacity=\".75\"><title>seed {}: {} s</title></circle>",
                x.at(run.total_delay_s()),
                y + jitter(run.seed),
                run.seed,
                num(run.total_delay_s(), 1)
            );
        }
        if let Some(h) = f.mean.half_width_95 {
            let (a, b) = (x.at((f.mean.mean - h).max(0.0)), x.at(f.mean.mean + h));
            let _ = write!(
                s,
                "<path d=\"M{a:.1} {y:.1}H{b:.1}M{a:.1} {0:.1}V{1:.1}M{b:.1} {0:.1}V{1:.1}\" stroke=\"var(--ink)\" stroke-width=\"1.5\" fill=\"none\"/>",
                y - 5.0,
                y + 5.0
            );
        }
        let end = x.at(f.mean.mean + f.mean.half_width_95.unwrap_or(0.0)).max(
            runs.iter().filter(|r| r.controller == row.controller).map(|r| x.at(r.total_delay_s())).fold(0.0, f64::max),
        );
        let _ = write!(
            s,
            "<path d=\"M{mean:.1} {:.1}V{:.1}\" stroke=\"var(--ink)\" stroke-width=\"2.5\"/><text x=\"{:.1}\" y=\"{:.1}\" font-weight=\"600\">{}</text>",
            y - 10.0,
            y + 10.0,
            end + 10.0,
            y + 4.0,
            num(f.mean.mean, 1)
        );
    }
    drawing(
        WIDTH,
        height,
        "Total delay by controller",
        "One row a controller; dots are seeds, bars means, whiskers 95 % intervals.",
        &s,
    )
}

/// Spreads dots of different seeds, the same seed always alike, so that pairs can be found again.
fn jitter(seed: u64) -> f64 {
    (seed % 5) as f64 * 3.0 - 6.0
}
