//! The tables of controllers: the one that decides, and the one with everything.

use std::fmt::Write;

use super::svg::{esc, num, p_value, percent, percent_half};
use crate::benchmark::sensing::Sees;
use crate::benchmark::summary::{COLUMNS, Column, Row, Summary};

/// Measures of the first table, beside total delay, with their short headings.
const MAIN: [(&str, &str); 7] = [
    ("stops_per_veh", "Stops"),
    ("delay_p95_s", "95 of 100 lose less than"),
    ("max_wait_s", "Longest wait"),
    ("ended_per_h", "Through\u{ad}put"),
    ("arrivals_on_green_share", "Arrivals on green"),
    ("split_failures_share", "Split failures"),
    ("co2_g_per_km", "CO₂"),
];

/// The table that decides: total delay, how it compares, and what must be looked at beside it.
pub(super) fn main(summary: &Summary) -> String {
    let mut s = String::from("<div class=\"scroll\"><table class=\"wide\"><caption>");
    let _ = write!(
        s,
        "Means over seeds ± half the width of the 95 % interval. Change: against {}, seed by seed. Bold: the best mean of those that see as much.\
         </caption><thead><tr><th scope=\"col\">Controller</th><th scope=\"col\">Total delay<br><small>s/veh</small></th>\
         <th scope=\"col\">Median<br><small>s/veh</small></th><th scope=\"col\">Change</th>\
         <th scope=\"col\">p<br><small>t test · Wilcoxon</small></th>",
        esc(&summary.reference)
    );
    let column = |(name, title)| COLUMNS.iter().position(|c| c.name == name).map(|i| (i, title, &COLUMNS[i]));
    let columns: Vec<(usize, &str, &Column)> = MAIN.into_iter().filter_map(column).collect();
    for (_, title, c) in &columns {
        let _ = write!(s, "<th scope=\"col\">{}<br><small>{}</small></th>", esc(title), esc(c.unit));
    }
    s += "<th scope=\"col\">Never<br>got in<br><small>%</small></th><th scope=\"col\">Gridlocked<br><small>runs</small></th></tr></thead><tbody>";
    let mut levels: Vec<Sees> = summary.rows.iter().map(|r| r.sees).collect();
    levels.sort_unstable();
    levels.dedup();
    let headings = 7 + columns.len();
    for level in &levels {
        let _ = write!(
            s,
            "<tr><th class=\"group\" scope=\"rowgroup\" colspan=\"{headings}\">{}</th></tr>",
            esc(level.title())
        );
        for row in summary.rows.iter().filter(|r| r.sees == *level) {
            let _ = write!(s, "<tr><th scope=\"row\">{}</th>", esc(&row.controller));
            s += &cell(summary, row, 0);
            let median = row.figures[0].map_or("–".into(), |f| num(f.median, 1));
            let _ = write!(s, "<td>{median}</td>{}", change(summary, row));
            for (i, ..) in &columns {
                s += &cell(summary, row, *i);
            }
            let never = COLUMNS.iter().position(|c| c.name == "undeparted_share");
            s += &never.map_or(String::new(), |i| cell(summary, row, i));
            let class = if row.gridlocked > 0 { " class=\"bad\"" } else { "" };
            let _ = write!(s, "<td{class}>{} of {}</td></tr>", row.gridlocked, row.runs);
        }
    }
    s + "</tbody></table></div>"
}

/// Every measure that any run has: one row a measure, one column a controller.
pub(super) fn all(summary: &Summary) -> String {
    let mut s = String::from(
        "<div class=\"scroll\"><table><caption>Means over seeds ± half the width of the 95 % interval.</caption><thead><tr><th scope=\"col\">Measure</th>",
    );
    for row in &summary.rows {
        let _ = write!(s, "<th scope=\"col\">{}</th>", esc(&row.controller));
    }
    s += "</tr></thead><tbody>";
    for (i, c) in COLUMNS.iter().enumerate() {
        if summary.rows.iter().all(|r| r.figures[i].is_none()) {
            continue;
        }
        let unit = if c.unit.is_empty() { String::new() } else { format!(" <small>{}</small>", esc(c.unit)) };
        let _ = write!(s, "<tr><th scope=\"row\">{}{unit}</th>", esc(c.title));
        for row in &summary.rows {
            s += &cell(summary, row, i);
        }
        s += "</tr>";
    }
    s + "</tbody></table></div>"
}

fn cell(summary: &Summary, row: &Row, column: usize) -> String {
    let c = &COLUMNS[column];
    let Some(f) = row.figures[column] else { return "<td>–</td>".into() };
    let half = f.mean.half_width_95.map_or(String::new(), |h| format!(" <small>± {}</small>", num(h, c.decimals)));
    let class = if is_best(summary, row, column) { " class=\"best\"" } else { "" };
    format!("<td{class}>{}{half}</td>", num(f.mean.mean, c.decimals))
}

/// The best mean of a column among controllers that see as much, unless all are the same.
fn is_best(summary: &Summary, row: &Row, column: usize) -> bool {
    let c = &COLUMNS[column];
    let written = |r: &Row| r.figures[column].map(|f| num(f.mean.mean, c.decimals));
    let value = |r: &Row| r.figures[column].map(|f| if c.less_is_better { f.mean.mean } else { -f.mean.mean });
    let alike = || summary.rows.iter().filter(|r| r.sees == row.sees);
    let best = alike().filter_map(value).min_by(f64::total_cmp);
    let differ = alike().any(|r| written(r) != written(row));
    differ && best.is_some() && value(row) == best
}

fn change(summary: &Summary, row: &Row) -> String {
    let Some(p) = row.against_reference else { return "<td>reference</td><td></td>".into() };
    let significant = summary.is_significant(&row.controller);
    let class = match (significant, p.change < 0.0) {
        (true, true) => " class=\"good\"",
        (true, false) => " class=\"bad\"",
        (false, _) => "",
    };
    let half =
        p.change_half_width_95.map_or(String::new(), |h| format!(" <small>± {}</small>", percent_half(p.change, h)));
    let chance = match (row.p_holm, p.p_wilcoxon) {
        (Some(t), Some(w)) => format!("{} <small>· {}</small>", p_value(t), num(w, 3)),
        (Some(t), None) => p_value(t),
        _ => "–".into(),
    };
    format!("<td{class}>{}{half}</td><td>{chance}</td>", percent(p.change))
}
