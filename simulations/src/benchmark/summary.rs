//! Every controller over all seeds: means with intervals, and how it compares with the reference.

use serde::{Deserialize, Serialize};

use super::record::RunRecord;
use super::sensing::Sees;
use crate::metrics::{LEVEL, Mean, Paired, median, plain, signed};

/// A measure of a run that summaries list.
pub struct Column {
    /// Its name in `summary.csv`, unit last.
    pub name: &'static str,
    /// Its heading in reports.
    pub title: &'static str,
    /// Its unit in reports.
    pub unit: &'static str,
    /// How many decimals reports show.
    pub decimals: usize,
    /// Better when less (or when more).
    pub less_is_better: bool,
    /// Its value; none when a run does not have it.
    pub of: fn(&RunRecord) -> Option<f64>,
}

/// Measures that summaries list, total delay first.
pub const COLUMNS: &[Column] = &[
    column("total_delay_s", "Total delay", "s/veh", 1, true, |r| r.measures.delay.map(|d| d.total_delay_s_per_veh)),
    column("time_loss_s", "Time loss", "s/veh", 1, true, |r| r.measures.delay.map(|d| d.time_loss_s_per_veh)),
    column("depart_delay_s", "Departure delay", "s/veh", 1, true, |r| {
        r.measures.delay.map(|d| d.depart_delay_s_per_veh)
    }),
    column("travel_time_native_s", "Travel time, native", "s", 1, true, |r| r.measures.travel_time.native_s),
    column("travel_time_att_s", "Travel time, ATT", "s", 1, true, |r| r.measures.travel_time.att_s),
    column("trip_s", "Trip duration", "s", 1, true, |r| r.measures.travel_time.trip_s),
    column("stops_per_veh", "Stops", "/veh", 2, true, |r| r.measures.stops_per_veh),
    column("delay_p95_s", "Delay, 95th percentile", "s", 0, true, |r| r.measures.spread.map(|s| s.p95_s)),
    column("delay_gini", "Inequality of delay (Gini)", "", 2, true, |r| r.measures.spread.map(|s| s.gini)),
    column("person_delay_s", "Delay per person", "s", 1, true, |r| r.measures.spread.map(|s| s.person_delay_s)),
    column("max_wait_s", "Longest wait", "s", 0, true, |r| Some(r.measures.waits.max_wait_s)),
    column("max_stand_s", "Longest stand", "s", 0, true, |r| Some(r.measures.waits.max_stand_s)),
    column("ended_per_h", "Throughput", "veh/h", 0, false, |r| Some(r.measures.throughput.ended_per_h)),
    column("undeparted_share", "Never got in", "%", 1, true, |r| {
        let t = r.measures.throughput;
        (t.loaded > 0).then(|| 100.0 * t.undeparted as f64 / t.loaded as f64)
    }),
    column("arrivals_on_green_share", "Arrivals on green", "%", 0, false, |r| {
        r.measures.arrivals.share().map(|s| 100.0 * s)
    }),
    column("split_failures_share", "Split failures", "%", 0, true, |r| {
        r.measures.greens.failed_share().map(|s| 100.0 * s)
    }),
    column("spillback_min", "Spillback", "lane·min", 0, true, |r| Some(r.measures.spillback.spillback_min)),
    column("entry_blocked_min", "Entries blocked", "link·min", 0, true, |r| {
        Some(r.measures.spillback.entry_blocked_min)
    }),
    column("node_blocked_min", "Standing in junctions", "veh·min", 0, true, |r| {
        Some(r.measures.spillback.node_blocked_min)
    }),
    column("co2_g_per_km", "CO₂", "g/km", 0, true, |r| per_km(r, r.measures.emitted.co2_kg * 1_000.0)),
    column("nox_mg_per_km", "NOₓ", "mg/km", 0, true, |r| per_km(r, r.measures.emitted.nox_g * 1_000.0)),
    column("pm25_mg_per_km", "PM2.5", "mg/km", 1, true, |r| per_km(r, r.measures.emitted.pm25_g * 1_000.0)),
    column("people_wait_s", "People at crossings, mean wait", "s", 1, true, |r| r.measures.people.map(|p| p.mean_s)),
    column("people_wait_p95_s", "the same, 95th percentile", "s", 0, true, |r| r.measures.people.map(|p| p.p95_s)),
    column("people_wait_max_s", "the same, longest", "s", 0, true, |r| r.measures.people.map(|p| p.max_s)),
    column("parking_search_s", "Parking search", "s", 0, true, |r| r.measures.parking.as_ref().map(|p| p.search_s)),
    column("parking_search_m", "Way driven searching", "m", 0, true, |r| {
        r.measures.parking.as_ref().map(|p| p.search_m)
    }),
    column("parking_occupancy_share", "Bays taken", "%", 0, true, |r| {
        r.measures.parking.as_ref().map(|p| 100.0 * p.occupancy)
    }),
    column("parking_turned_away", "Turned away", "", 0, true, |r| {
        r.measures.parking.as_ref().map(|p| p.turned_away as f64)
    }),
    column("parking_gave_up", "Left without a bay", "", 0, true, |r| {
        r.measures.parking.as_ref().map(|p| p.gave_up as f64)
    }),
    column("gridlocked_share", "Gridlocked runs", "%", 0, true, |r| Some(if r.is_gridlocked() { 100.0 } else { 0.0 })),
];

const fn column(
    name: &'static str,
    title: &'static str,
    unit: &'static str,
    decimals: usize,
    less_is_better: bool,
    of: fn(&RunRecord) -> Option<f64>,
) -> Column {
    Column { name, title, unit, decimals, less_is_better, of }
}

fn per_km(run: &RunRecord, mass: f64) -> Option<f64> {
    let km = run.measures.driven_m / 1_000.0;
    (km > 0.0).then(|| mass / km)
}

/// One measure of one controller over all seeds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// Mean with its interval.
    pub mean: Mean,
    /// Median.
    pub median: f64,
}

/// One controller.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The controller.
    pub controller: String,
    /// What it sees.
    pub sees: Sees,
    /// Runs.
    pub runs: usize,
    /// Gridlocked runs among them.
    pub gridlocked: usize,
    /// Violations of safety in all runs.
    pub violations: u64,
    /// Figures in the order of [`COLUMNS`]; none where no run has the measure.
    pub figures: Vec<Option<Figure>>,
    /// Total delay compared with the reference, seed by seed; none for the reference itself.
    pub against_reference: Option<Paired>,
    /// Its p-value (t test), corrected for the number of controllers compared (Holm 1979).
    pub p_holm: Option<f64>,
}

/// All controllers.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// The controller that others are compared with.
    pub reference: String,
    /// One row a controller, in the order asked for.
    pub rows: Vec<Row>,
}

impl Summary {
    /// Sums runs up; they must be in the order of controllers and seeds.
    #[must_use]
    pub fn of<'a>(controllers: &[String], reference: &str, runs: impl Iterator<Item = &'a RunRecord>) -> Self {
        let runs: Vec<&RunRecord> = runs.collect();
        let of = |c: &str| runs.iter().copied().filter(|r| r.controller == c).collect::<Vec<_>>();
        let theirs = of(reference);
        let row = |controller: &String| {
            let ours = of(controller);
            Row {
                controller: controller.clone(),
                sees: Sees::of(controller),
                runs: ours.len(),
                gridlocked: ours.iter().filter(|r| r.is_gridlocked()).count(),
                violations: ours.iter().map(|r| r.violations).sum(),
                figures: COLUMNS.iter().map(|c| figure(c, &ours)).collect(),
                against_reference: if controller == reference { None } else { paired(&ours, &theirs) },
                p_holm: None,
            }
        };
        let mut rows: Vec<Row> = controllers.iter().map(row).collect();
        let p: Vec<Option<f64>> = rows.iter().map(|r| r.against_reference.and_then(|p| p.p_t)).collect();
        for (row, p) in rows.iter_mut().zip(holm(&p)) {
            row.p_holm = p;
        }
        Self { reference: reference.to_owned(), rows }
    }

    /// True when a controller differs from the reference by more than chance, all comparisons taken together.
    #[must_use]
    pub fn is_significant(&self, controller: &str) -> bool {
        let row = self.row(controller);
        row.is_some_and(|r| {
            r.against_reference.is_some_and(|p| p.is_significant()) && r.p_holm.is_some_and(|p| p < LEVEL)
        })
    }

    /// The row of a controller.
    #[must_use]
    pub fn row(&self, controller: &str) -> Option<&Row> {
        self.rows.iter().find(|r| r.controller == controller)
    }

    /// The table as CSV: one row a controller, mean, half width of the 95 % interval and median of every measure.
    #[must_use]
    pub fn csv(&self) -> String {
        let mut text = String::from("controller,runs,gridlocked_runs,violations");
        for c in COLUMNS {
            text += &format!(",{0},{0}_half_width_95,{0}_median", c.name);
        }
        text += ",change_of_total_delay,change_half_width_95,p_t,p_wilcoxon,p_holm\n";
        let number = |v: Option<f64>| v.map_or(String::new(), |v| plain(v, 4));
        for row in &self.rows {
            text += &format!("{},{},{},{}", quoted(&row.controller), row.runs, row.gridlocked, row.violations);
            for f in &row.figures {
                let values = [f.map(|f| f.mean.mean), f.and_then(|f| f.mean.half_width_95), f.map(|f| f.median)];
                values.into_iter().for_each(|v| text += &format!(",{}", number(v)));
            }
            let p = row.against_reference;
            let last = [p.map(|p| p.change), p.and_then(|p| p.change_half_width_95), p.and_then(|p| p.p_t)];
            let last = last.into_iter().chain([p.and_then(|p| p.p_wilcoxon), row.p_holm]);
            last.for_each(|v| text += &format!(",{}", number(v)));
            text.push('\n');
        }
        text
    }
}

impl std::fmt::Display for Summary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        const SHOWN: [&str; 5] =
            ["stops_per_veh", "max_wait_s", "ended_per_h", "arrivals_on_green_share", "split_failures_share"];
        let width = self.rows.iter().map(|r| r.controller.chars().count()).max().unwrap_or(0).max(10);
        let shown: Vec<usize> = (0..COLUMNS.len()).filter(|i| SHOWN.contains(&COLUMNS[*i].name)).collect();
        write!(f, "{:<width$} {:>14} {:>8} {:>16} {:>8}", "controller", "delay s/veh", "median", "change", "p")?;
        for i in &shown {
            write!(f, " {:>17}", COLUMNS[*i].title)?;
        }
        write!(f, " {:>10}", "gridlocked")?;
        for row in &self.rows {
            let Some(delay) = row.figures[0] else {
                write!(f, "\n{:<width$} no vehicle was loaded", row.controller)?;
                continue;
            };
            let change = row.against_reference.map_or(String::new(), |p| {
                let half = p.change_half_width_95.map_or(String::new(), |h| format!(" ± {:.1}", 100.0 * h));
                format!("{}{half} %", signed(100.0 * p.change, 1))
            });
            let p = row.p_holm.map_or(String::new(), |p| format!("{p:.4}"));
            write!(f, "\n{:<width$} {:>14} ", row.controller, delay.mean.to_string())?;
            write!(f, "{:>8} {change:>16} {p:>8}", plain(delay.median, 1))?;
            for i in &shown {
                let c = &COLUMNS[*i];
                let text =
                    row.figures[*i].map_or("-".into(), |v| format!("{} {}", plain(v.mean.mean, c.decimals), c.unit));
                write!(f, " {text:>17}")?;
            }
            write!(f, " {:>10}", format!("{} of {}", row.gridlocked, row.runs))?;
        }
        Ok(())
    }
}

/// Corrects p-values for their number (Holm 1979): the smallest is multiplied by n, the next by n − 1, and so on, none below
/// one before it.
fn holm(p: &[Option<f64>]) -> Vec<Option<f64>> {
    let mut order: Vec<(usize, f64)> = p.iter().enumerate().filter_map(|(i, p)| Some((i, (*p)?))).collect();
    order.sort_by(|a, b| a.1.total_cmp(&b.1));
    let mut corrected = vec![None; p.len()];
    let mut at_least: f64 = 0.0;
    for (k, (i, value)) in order.iter().enumerate() {
        at_least = at_least.max((value * (order.len() - k) as f64).min(1.0));
        corrected[*i] = Some(at_least);
    }
    corrected
}

/// A field of a CSV file (RFC 4180).
fn quoted(field: &str) -> String {
    if field.contains([',', '"', '\n']) { format!("\"{}\"", field.replace('"', "\"\"")) } else { field.to_owned() }
}

fn figure(column: &Column, runs: &[&RunRecord]) -> Option<Figure> {
    let values: Vec<f64> = runs.iter().filter_map(|r| (column.of)(r)).collect();
    Some(Figure { mean: Mean::of(&values)?, median: median(&values)? })
}

/// Total delay of two controllers, seed by seed; seeds that only one of them ran are left out.
#[must_use]
pub fn paired(ours: &[&RunRecord], theirs: &[&RunRecord]) -> Option<Paired> {
    let pairs = ours.iter().filter_map(|a| {
        let b = theirs.iter().find(|b| b.seed == a.seed)?;
        Some((a.total_delay_s(), b.total_delay_s()))
    });
    let (ours, theirs): (Vec<f64>, Vec<f64>) = pairs.unzip();
    Paired::of(&ours, &theirs)
}

#[cfg(test)]
mod tests {
    use super::super::samples::{record, setup};
    use super::*;

    fn runs(delays: &[(&str, &[f64])]) -> (Vec<String>, Vec<RunRecord>) {
        let names: Vec<&str> = delays.iter().map(|d| d.0).collect();
        let seeds: Vec<u64> = (1..=delays[0].1.len() as u64).collect();
        let s = setup(&names, &seeds);
        let all = s.jobs().unwrap();
        let delays = delays.iter().flat_map(|d| d.1.iter());
        (s.controllers, all.iter().zip(delays).map(|(j, d)| record(j, *d)).collect())
    }

    #[test]
    fn means_medians_and_the_change_against_the_reference() {
        let (controllers, runs) = runs(&[("shipped", &[40.0, 44.0, 42.0]), ("ours", &[20.0, 22.0, 21.0])]);
        let summary = Summary::of(&controllers, "shipped", runs.iter());
        let ours = summary.row("ours").unwrap();
        assert_eq!(ours.figures[0].unwrap().mean.mean, 21.0);
        assert_eq!(ours.figures[0].unwrap().median, 21.0);
        let change = ours.against_reference.unwrap();
        assert!((change.change + 0.5).abs() < 1e-12);
        assert!(change.is_significant());
        assert_eq!(summary.row("shipped").unwrap().against_reference, None);
    }

    #[test]
    fn many_comparisons_need_stronger_evidence() {
        let corrected = holm(&[Some(0.04), None, Some(0.01), Some(0.03)]);
        let expected = [Some(0.06), None, Some(0.03), Some(0.06)];
        for (c, e) in corrected.iter().zip(expected) {
            assert!((c.unwrap_or(9.0) - e.unwrap_or(9.0)).abs() < 1e-12, "{corrected:?}");
        }
    }

    #[test]
    fn csv_has_a_field_for_every_heading() {
        let (controllers, runs) = runs(&[("shipped", &[40.0]), ("a, b", &[20.0])]);
        let csv = Summary::of(&controllers, "shipped", runs.iter()).csv();
        let lines: Vec<&str> = csv.lines().collect();
        assert_eq!(lines.len(), 3);
        assert_eq!(lines[0].split(',').count(), 4 + 3 * COLUMNS.len() + 5);
        assert_eq!(lines[1].split(',').count(), lines[0].split(',').count());
        assert!(lines[2].starts_with("\"a, b\",1,0,0,20.0000,,20.0000,"), "{}", lines[2]);
        assert!(lines[2].ends_with(",-0.5000,,,1.0000,"), "one pair has no interval: {}", lines[2]);
    }
}
