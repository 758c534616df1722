//! The report: one HTML file that opens anywhere, without a network and without any other file.
//!
//! The same results make the same bytes. What differs from run to run, the time that computing took, is not in it: it stands
//! in `timings.js` beside the report, and the page shows it when that file is there.

mod delay_plot;
mod equity;
mod levels;
mod map;
mod queue_plot;
mod style;
mod svg;
mod tables;
mod time_space;
mod verdict;

use std::fmt::Write;

use super::arterial::Arterial;
use super::manifest::{Manifest, seeds};
use super::record::{RunRecord, Timing};
use super::setup::Setup;
use super::summary::Summary;
use super::trace::Trace;
use svg::{esc, num};
use verdict::Verdict;

/// Everything that a report is made from.
#[derive(Debug)]
pub struct Report<'a> {
    /// What was compared.
    pub setup: &'a Setup,
    /// How to make it again.
    pub manifest: &'a Manifest,
    /// Every controller over all seeds.
    pub summary: &'a Summary,
    /// Every run, by controller and seed.
    pub runs: Vec<&'a RunRecord>,
    /// The trace of each controller, in their order.
    pub traces: Vec<Option<&'a Trace>>,
}

impl Report<'_> {
    /// The verdict in one sentence, as plain text.
    #[must_use]
    pub fn verdict(&self) -> String {
        Verdict::of(self.summary, &self.runs).sentence
    }

    /// The page.
    #[must_use]
    pub fn html(&self) -> String {
        let verdict = Verdict::of(self.summary, &self.runs);
        let scenario = &self.setup.scenario;
        let arterial = Arterial::of(&scenario.network, &scenario.demand);
        let mut s = format!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
             <title>{0}: benchmark of signal control</title><style>{1}</style></head><body><main>",
            esc(&scenario.name),
            style::CSS
        );
        s += &self.head(&verdict);
        s += &self.network_section(&verdict, arterial.as_ref());
        s += "<section id=\"controllers\"><h2>Controllers</h2>";
        s += &tables::main(self.summary);
        let _ = write!(
            s,
            "<figure>{}<figcaption>Each dot is a seed (red: gridlocked), the bar ends at the mean, the whiskers are its 95 % interval. \
            Dots of one seed stand at the same height in every row.</figcaption></figure>",
            delay_plot::plot(self.summary, &self.runs)
        );
        s += "<details><summary>All measures</summary>";
        s += &tables::all(self.summary);
        s += "</details></section>";
        s += &self.queue_section();
        s += &self.time_space_section(arterial.as_ref());
        s += &self.level_section(&verdict);
        let _ = write!(
            s,
            "<section id=\"equity\"><h2>Equity</h2>{}</section>",
            equity::table(self.summary, &self.runs, &scenario.network)
        );
        s += SOLVER;
        s += &self.manifest_section();
        s += DEFINITIONS;
        s + "</main></body></html>\n"
    }

    fn head(&self, verdict: &Verdict) -> String {
        let scenario = &self.setup.scenario;
        // The figures behind the sentence are set smaller.
        let (first, rest) = verdict.sentence.split_once(" (").unwrap_or((&verdict.sentence, ""));
        let rest = rest.strip_suffix(").").map_or(String::new(), |r| format!("<span>{}</span>", esc(r)));
        let mut s = format!(
            "<header><h1>{} · benchmark of signal control</h1><p class=\"verdict\">{}{rest}</p>",
            esc(&scenario.name),
            esc(first)
        );
        if !verdict.more.is_empty() || !verdict.warnings.is_empty() {
            s += "<ul class=\"more\">";
            verdict.more.iter().for_each(|m| s += &format!("<li>{}</li>", esc(m)));
            verdict.warnings.iter().for_each(|m| s += &format!("<li class=\"warn\">{}</li>", esc(m)));
            s += "</ul>";
        }
        let _ = write!(s, "<p>{}</p><div class=\"cards\">", esc(&scenario.description));
        for (value, label) in self.cards(verdict) {
            let _ = write!(s, "<div class=\"card\"><b>{value}</b><span>{}</span></div>", esc(&label));
        }
        s += "</div><nav aria-label=\"Sections\">";
        for (id, title) in [
            ("network", "Network"),
            ("controllers", "Controllers"),
            ("queues", "Queues"),
            ("time-space", "Time and space"),
            ("levels", "Levels of service"),
            ("equity", "Equity"),
            ("solver", "Solver times"),
            ("manifest", "Manifest"),
            ("definitions", "Definitions"),
        ] {
            let _ = write!(s, "<a href=\"#{id}\">{title}</a>");
        }
        s + "</nav></header>"
    }

    fn cards(&self, verdict: &Verdict) -> Vec<(String, String)> {
        let n = self.manifest.network;
        let runs = self.runs.len().max(1) as f64;
        let loaded = self.runs.iter().map(|r| r.measures.throughput.loaded).sum::<u64>() as f64 / runs;
        let window_min = (self.manifest.end_s - self.manifest.begin_s - self.manifest.warm_up_s) / 60.0;
        let mut cards = vec![
            (n.controllers.to_string(), format!("signals on {} links", n.links)),
            (num(loaded, 0), format!("vehicles a run, due in {} minutes", num(window_min, 0))),
            (self.setup.seeds.len().to_string(), format!("seeds: {}", seeds(&self.setup.seeds))),
        ];
        for row in [&self.summary.reference, &verdict.about] {
            let Some(f) = self.summary.row(row).and_then(|r| r.figures[0]) else { continue };
            let card = (format!("{} s", num(f.mean.mean, 1)), format!("total delay per vehicle, {row}"));
            if !cards.contains(&card) {
                cards.push(card);
            }
        }
        cards
    }

    fn network_section(&self, verdict: &Verdict, arterial: Option<&Arterial>) -> String {
        let scenario = &self.setup.scenario;
        let mut shown = vec![self.summary.reference.as_str()];
        if verdict.about != self.summary.reference {
            shown.push(&verdict.about);
        }
        let width = if shown.len() > 1 { 550.0 } else { 820.0 };
        let mut s = String::from("<section id=\"network\"><h2>Network</h2><div class=\"two\">");
        for controller in shown {
            let levels = levels::nodes(&self.runs, controller);
            let title = format!("Levels of service under {controller}");
            let drawn = map::sketch(&scenario.network, &scenario.demand, arterial, width, &title, |n| {
                levels.get(&n).and_then(levels::Pooled::los)
            });
            let _ = write!(s, "<figure>{drawn}<figcaption>{}</figcaption></figure>", esc(&title));
        }
        s += "</div>";
        let _ = write!(
            s,
            "<p class=\"note\">A letter is the level of service of a junction, A to F.{}{}</p></section>",
            arterial
                .map_or(String::new(), |a| format!(" Blue: the main arterial, {}.", esc(&a.name(&scenario.network)))),
            if scenario.demand.parts().facilities.is_empty() { "" } else { " P: parking facilities." }
        );
        s
    }

    fn queue_section(&self) -> String {
        let warm_up_min = self.manifest.warm_up_s / 60.0;
        let mut s = String::from("<section id=\"queues\"><h2>Queues</h2>");
        s += &queue_plot::key(self.summary);
        let _ = write!(
            s,
            "<figure>{}<figcaption>Vehicles slower than 5 km/h or waiting outside to get in, mean over seeds.</figcaption></figure>",
            queue_plot::network(self.summary, &self.runs, warm_up_min)
        );
        let approaches =
            queue_plot::approaches(self.summary, &self.runs, &self.traces, &self.setup.scenario.network, warm_up_min);
        let _ = write!(
            s,
            "<h3>The approaches with the longest queues</h3>{approaches}<p class=\"note\">Chosen by the longest mean queue under any \
             controller; drawn for seed {}.</p></section>",
            self.setup.seeds.first().copied().unwrap_or(0)
        );
        s
    }

    fn time_space_section(&self, arterial: Option<&Arterial>) -> String {
        let mut s = String::from("<section id=\"time-space\"><h2>Time and space</h2>");
        let network = &self.setup.scenario.network;
        let Some(arterial) = arterial else {
            return s + "<p class=\"note\">No signal of this network is passed straight on.</p></section>";
        };
        let _ = write!(
            s,
            "<p class=\"note\">The main arterial, {}, {} m. Lines are vehicles: blue drive up, orange down; flat is standing. Bars are what \
             signals show, the lower one to those who drive up. Tinted are bands: where a vehicle at {} km/h meets one green after the other; \
             darker where it meets all of them. Seed {}.</p>",
            esc(&arterial.name(network)),
            num(arterial.length_m, 0),
            num(arterial.speed_mps * 3.6, 0),
            self.setup.seeds.first().copied().unwrap_or(0)
        );
        for trace in self.traces.iter().flatten() {
            let _ = write!(
                s,
                "<h3>{}</h3><figure>{}</figure>",
                esc(&trace.controller),
                time_space::diagram(arterial, trace, network)
            );
        }
        s + "</section>"
    }

    fn level_section(&self, verdict: &Verdict) -> String {
        let network = &self.setup.scenario.network;
        format!(
            "<section id=\"levels\"><h2>Levels of service</h2><p class=\"note\">Highway Capacity Manual: A up to 10 s of control delay per \
             vehicle, B 20, C 35, D 55, E 80, F above; F also when a lane's demand is above its capacity (X &gt; 1).</p><figure>{}</figure>{}{}</section>",
            levels::shares(self.summary, &self.runs),
            levels::table(self.summary, &self.runs, network),
            levels::worst_movements(self.summary, &self.runs, network, &verdict.about),
        )
    }

    fn manifest_section(&self) -> String {
        let m = self.manifest;
        let mut s = String::from("<section id=\"manifest\"><h2>Manifest</h2><dl>");
        let mut row = |name: &str, value: &str| {
            let _ = write!(s, "<dt>{name}</dt><dd>{value}</dd>");
        };
        row("Command", &format!("<code>{}</code>", esc(&m.command)));
        row("Version", &format!("Greenkerb {}", esc(&m.greenkerb_version)));
        row(
            "Window",
            &format!(
                "{} to {} s, the first {} s left out, steps of {} s",
                num(m.begin_s, 0),
                num(m.end_s, 0),
                num(m.warm_up_s, 0),
                num(m.tick_s, 1)
            ),
        );
        row(
            "Network",
            &format!(
                "{} nodes, {} signals, {} links, {} lanes",
                m.network.nodes, m.network.controllers, m.network.links, m.network.lanes
            ),
        );
        row("Scenario", &format!("SHA-256 <code>{}</code>", esc(&m.fingerprint)));
        for n in &self.setup.notes {
            row("Note", &format!("{} × {}", n.count, esc(&n.text)));
        }
        for f in m.sources.iter().chain(&m.results) {
            row(&esc(&f.name), &format!("SHA-256 <code>{}</code>", esc(&f.sha256)));
        }
        s + "</dl><p class=\"note\">The same command with the same version makes the same bytes, this page included.</p></section>"
    }
}

/// The script that a report reads solver times from, when it lies beside it.
///
/// # Errors
/// When a number refuses to be written as JSON.
pub fn timings_script<'a>(timings: impl Iterator<Item = &'a Timing>) -> Result<String, serde_json::Error> {
    let all: Vec<&Timing> = timings.collect();
    Ok(format!("window.greenkerbTimings={};\n", serde_json::to_string(&all)?))
}

const SOLVER: &str = r#"<section id="solver"><h2>Solver times</h2>
<p class="note" id="no-timings">How long computing took differs from machine to machine and from run to run, so it is not part of this page: it is read from the file timings.js when that lies beside the report. It does not.</p>
<div class="scroll" id="timings"></div>
<script src="timings.js"></script>
<script>
(function(){var all=window.greenkerbTimings;if(!all||!all.length)return;
var by=new Map();all.forEach(function(t){var b=by.get(t.controller);if(!b){b={runs:0,n:0,sum:0,p99:0,max:0,wall:0};by.set(t.controller,b)}
b.runs++;b.n+=t.decisions;b.sum+=t.decision_mean_s*t.decisions;b.p99=Math.max(b.p99,t.decision_p99_s);b.max=Math.max(b.max,t.decision_max_s);b.wall+=t.wall_s});
function ms(s,n){return n?(1000*s).toPrecision(3):"–"}
var table=document.createElement("table");
table.innerHTML="<caption>Time of one decision of a controller for the whole network, all runs; and of a whole run with its measures.</caption><thead><tr><th scope=col>Controller<th scope=col>Decisions timed<br><small>per run</small><th scope=col>Mean<br><small>ms</small><th scope=col>99 of 100 less than<br><small>ms</small><th scope=col>Longest<br><small>ms</small><th scope=col>Run<br><small>s</small></thead>";
var body=table.createTBody();
by.forEach(function(b,c){var r=body.insertRow(),h=document.createElement("th");h.scope="row";h.textContent=c;r.appendChild(h);
[b.n?Math.round(b.n/b.runs):"–",ms(b.sum/b.n,b.n),ms(b.p99,b.n),ms(b.max,b.n),(b.wall/b.runs).toFixed(1)].forEach(function(v){r.insertCell().textContent=v})});
document.getElementById("timings").appendChild(table);
document.getElementById("no-timings").textContent="Measured on the machine that ran the benchmark; read from timings.js, as it differs from run to run."})();
</script></section>"#;

const DEFINITIONS: &str = r#"<section id="definitions"><h2>Definitions</h2><dl>
<dt>Total delay</dt><dd>(time loss on the way + waiting to get in) of all loaded vehicles, over their number; those who never got in are counted. Vehicles due in the warm-up are left out.</dd>
<dt>± and p</dt><dd>Every controller runs the same seeds. Intervals are 95 % (Student's t). Change is a ratio of means. p is of the paired t test, corrected for the number of controllers (Holm); beside it Wilcoxon's signed-rank test. A difference is called significant when both are below 0.05; below six seeds the t test decides alone.</dd>
<dt>Travel time</dt><dd>Native: CityFlow's average over all vehicles, from due to arrival or the end. ATT: time on lanes that lead to signals, of vehicles that got there.</dd>
<dt>Arrivals on green</dt><dd>Share of vehicles that would have reached the line on green had nothing slowed them; vehicles that enter the network on the link are left out.</dd>
<dt>Split failures</dt><dd>Share of greens that left somebody behind who had been queued when they began.</dd>
<dt>Spillback</dt><dd>Lane-minutes in which a queue filled a lane inside the network to its start.</dd>
<dt>Degree of saturation X</dt><dd>Green time that the demand of a lane needs at saturation flow, over the green time it got.</dd>
<dt>Gridlock</dt><dd>At some instant a quarter of the vehicles on the road, and ten at least, have not moved for five minutes.</dd>
<dt>Emissions</dt><dd>Operating modes by vehicle specific power, with the rates of US EPA MOVES as published by Wang, Wu and Scora (2020), arXiv:2008.04986. For comparing controllers, not for inventories.</dd>
</dl></section>"#;
