//! Queues over time: of the network, and of the approaches with the longest queues.

use std::fmt::Write;

use greenkerb_models::ids::LinkId;
use greenkerb_models::network::Network;

use super::style::{DASHES, SERIES};
use super::svg::{Scale, drawing, esc, num, path, ticks, x_axis, y_axis};
use crate::benchmark::record::RunRecord;
use crate::benchmark::summary::Summary;
use crate::benchmark::trace::Trace;

/// Approaches that get a plot of their own.
const APPROACHES: usize = 6;

/// The colours of controllers, for the plots below it.
pub(super) fn key(summary: &Summary) -> String {
    let mut s = String::from("<div class=\"key\">");
    for (i, row) in summary.rows.iter().enumerate() {
        let _ = write!(
            s,
            "<span><svg width=\"34\" height=\"10\" aria-hidden=\"true\"><path d=\"M0 5H34\" stroke=\"var(--s{0})\" stroke-width=\"2.5\" \
             stroke-dasharray=\"{1}\"/></svg>{2}</span>",
            i % SERIES,
            DASHES[i % SERIES],
            esc(&row.controller)
        );
    }
    s + "</div>"
}

/// Vehicles in all queues, mean over seeds.
pub(super) fn network(summary: &Summary, runs: &[&RunRecord], warm_up_min: f64) -> String {
    let lines: Vec<Vec<f64>> = summary
        .rows
        .iter()
        .map(|row| {
            let profiles: Vec<&Vec<f64>> =
                runs.iter().filter(|r| r.controller == row.controller).map(|r| &r.measures.queue_profile_veh).collect();
            mean_of(&profiles)
        })
        .collect();
    lines_plot(
        (1_100.0, 320.0),
        "Vehicles in queues, all links",
        "Mean over seeds, minute by minute",
        "vehicles",
        &lines,
        warm_up_min,
    )
}

/// Mean of profiles, minute by minute.
fn mean_of(profiles: &[&Vec<f64>]) -> Vec<f64> {
    let minutes = profiles.iter().map(|p| p.len()).min().unwrap_or(0);
    (0..minutes).map(|m| profiles.iter().map(|p| p[m]).sum::<f64>() / profiles.len() as f64).collect()
}

/// The approaches with the longest mean queue under any controller, each with a plot of the first seed.
pub(super) fn approaches(
    summary: &Summary,
    runs: &[&RunRecord],
    traces: &[Option<&Trace>],
    net: &Network,
    warm_up_min: f64,
) -> String {
    let mut s = String::from("<div class=\"three\">");
    for link in worst(runs, net) {
        let lines: Vec<Vec<f64>> = traces
            .iter()
            .map(|t| {
                let profile = t.and_then(|t| t.link_queues_veh.get(link.index()));
                profile.map(|p| p.iter().map(|q| f64::from(*q)).collect()).unwrap_or_default()
            })
            .collect();
        let l = net.link(link);
        let title = format!("{} → {}", net.node(l.from).name, net.node(l.to).name);
        s += &format!(
            "<figure>{}</figure>",
            lines_plot((350.0, 210.0), &title, &format!("Queue of link {}", l.name), "vehicles", &lines, warm_up_min)
        );
    }
    debug_assert_eq!(traces.len(), summary.rows.len());
    s + "</div>"
}

fn worst(runs: &[&RunRecord], net: &Network) -> Vec<LinkId> {
    let mut longest = vec![0.0_f64; net.links().len()];
    for a in runs.iter().flat_map(|r| &r.measures.approaches) {
        longest[a.link.index()] = longest[a.link.index()].max(a.queue_mean_veh);
    }
    let mut links: Vec<usize> = (0..longest.len()).filter(|i| longest[*i] > 0.0).collect();
    links.sort_by(|a, b| longest[*b].total_cmp(&longest[*a]).then(a.cmp(b)));
    links.into_iter().take(APPROACHES).map(LinkId::at).collect()
}

fn lines_plot(
    size: (f64, f64),
    title: &str,
    description: &str,
    unit: &str,
    lines: &[Vec<f64>],
    warm_up_min: f64,
) -> String {
    let (width, height) = size;
    let (left, right, top, bottom) = (52.0, width - 14.0, 34.0, height - 34.0);
    let minutes = lines.iter().map(Vec::len).max().unwrap_or(0).max(1) as f64;
    let most = lines.iter().flatten().copied().fold(0.0, f64::max);
    let y_ticks = ticks(most, if height > 250.0 { 5 } else { 3 });
    let y = Scale { from: (0.0, *y_ticks.last().unwrap_or(&1.0)), to: (bottom, top) };
    let x = Scale { from: (0.0, minutes), to: (left, right) };
    let mut x_ticks = ticks(minutes, if width > 600.0 { 12 } else { 5 });
    x_ticks.retain(|t| *t <= minutes);
    let mut s = String::new();
    if warm_up_min > 0.0 {
        let end = x.at(warm_up_min.min(minutes));
        let _ = write!(
            s,
            "<rect x=\"{left}\" y=\"{top}\" width=\"{:.1}\" height=\"{:.1}\" fill=\"var(--line)\" opacity=\".45\"/>",
            end - left,
            bottom - top
        );
        if width > 600.0 {
            let _ = write!(s, "<text class=\"soft\" x=\"{:.1}\" y=\"{:.1}\">warm-up</text>", left + 4.0, top + 14.0);
        }
    }
    s += &y_axis(&y, &y_ticks, (left, right), unit);
    s += &x_axis(&x, &x_ticks, (bottom, bottom + 4.0), |t| num(t, 0));
    let _ = write!(
        s,
        "<text class=\"soft\" x=\"{right:.1}\" y=\"{:.1}\" text-anchor=\"end\">minutes</text>",
        bottom + 31.0
    );
    let _ = write!(
        s,
        "<text x=\"{:.1}\" y=\"14\" text-anchor=\"middle\" font-weight=\"600\">{}</text>",
        (left + right) / 2.0,
        esc(title)
    );
    for (i, line) in lines.iter().enumerate() {
        let points = line.iter().enumerate().map(|(m, v)| (x.at(m as f64 + 0.5), y.at(*v)));
        let _ = write!(
            s,
            "<path d=\"{}\" fill=\"none\" stroke=\"var(--s{})\" stroke-width=\"2\" stroke-linejoin=\"round\" stroke-dasharray=\"{}\"/>",
            path(points),
            i % SERIES,
            DASHES[i % SERIES]
        );
    }
    drawing(width, height, title, description, &s)
}
