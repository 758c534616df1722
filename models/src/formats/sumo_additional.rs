//! Writing SUMO additional files: plans as `tlLogic`, detectors as induction loops and lane-area detectors.
//!
//! The file goes beside the network it was made for: SUMO runs the program that was loaded last.

use std::io::{self, Write};
use std::path::Path;

use quick_xml::escape::escape;

use super::records::to_file;
use crate::detection::{Detector, DetectorKind};
use crate::ids::GroupId;
use crate::network::Network;
use crate::signal::{Controller, TimingPlan};
use crate::units::Ds;

/// `programID` of the plans.
const PROGRAM: &str = "greenkerb";
/// Red letters after the last position a controller drives. SUMO refuses states that show too few signals and does not
/// look at more; connections that no program opens are not part of a network here, and may have stood last.
const SPARE_LETTERS: usize = 32;
/// How often detectors report, in seconds, and where to.
const PERIOD_S: u32 = 60;
const REPORT_FILE: &str = "detectors.xml";

/// Writes plans and detectors. Each plan stands beside the controller it is for; controllers without one keep what the
/// network ships.
///
/// # Errors
/// Whatever the sink says.
pub fn write(
    network: &Network,
    plans: &[(&Controller, &TimingPlan)],
    detectors: &[Detector],
    mut sink: impl Write,
) -> io::Result<()> {
    writeln!(sink, "<additional>")?;
    for (controller, plan) in plans {
        let offset = Ds((plan.offset.0 + plan.cycle.0 - plan.reference_position.0 % plan.cycle.0) % plan.cycle.0);
        writeln!(
            sink,
            "    <tlLogic id=\"{}\" type=\"static\" programID=\"{PROGRAM}\" offset=\"{}\">",
            escape(&controller.name),
            seconds(offset)
        )?;
        for (length, state) in phases(controller, plan) {
            writeln!(sink, "        <phase duration=\"{}\" state=\"{state}\"/>", seconds(length))?;
        }
        writeln!(sink, "    </tlLogic>")?;
    }
    for d in detectors {
        let lane = network.lane(d.lane);
        let end_m = lane.length.get() - d.to_lane_end.get();
        let (id, lane) = (escape(&d.name), escape(&lane.name));
        let report = format!("period=\"{PERIOD_S}\" file=\"{REPORT_FILE}\"");
        if d.kind == DetectorKind::Area {
            let start_m = (end_m - d.length.get()).max(0.0);
            writeln!(
                sink,
                "    <laneAreaDetector id=\"{id}\" lane=\"{lane}\" pos=\"{start_m:.2}\" endPos=\"{end_m:.2}\" {report}/>"
            )?;
        } else {
            let length_m = d.length.get();
            writeln!(
                sink,
                "    <inductionLoop id=\"{id}\" lane=\"{lane}\" pos=\"{end_m:.2}\" length=\"{length_m:.2}\" {report}/>"
            )?;
        }
    }
    writeln!(sink, "</additional>")?;
    sink.flush()
}

/// Writes the plans all controllers of a network ship, and all its detectors, to a file; compressed when its name ends in
/// `.gz`.
///
/// # Errors
/// Whatever the operating system says.
pub fn write_file(network: &Network, path: &Path) -> io::Result<()> {
    let plans: Vec<TimingPlan> = network.controllers().iter().map(Controller::time_of_day_plan).collect();
    let pairs: Vec<(&Controller, &TimingPlan)> = network.controllers().iter().zip(&plans).collect();
    to_file(path, |sink| write(network, &pairs, network.detectors(), sink))
}

/// Deciseconds as seconds.
fn seconds(d: Ds) -> String {
    if d.0.is_multiple_of(10) { (d.0 / 10).to_string() } else { format!("{}.{}", d.0 / 10, d.0 % 10) }
}

/// The plan as SUMO shows it: states, and how long each stands, from the start of the cycle.
fn phases(controller: &Controller, plan: &TimingPlan) -> Vec<(Ds, String)> {
    let cycle = plan.cycle.0;
    let at = |ds: u32| ds % cycle;
    let mut changes = vec![0];
    for (group, greens) in controller.groups.iter().zip(&plan.greens) {
        for g in greens {
            let end = g.end(plan.cycle).0;
            changes.extend([
                g.start.0,
                end,
                at(end + group.yellow.0),
                at(g.start.0 + cycle - group.red_amber.0 % cycle),
            ]);
        }
    }
    changes.sort_unstable();
    changes.dedup();
    let mut out: Vec<(Ds, String)> = Vec::new();
    for (i, start) in changes.iter().enumerate() {
        let length = changes.get(i + 1).unwrap_or(&cycle) - start;
        let state = state(controller, plan, Ds(*start));
        match out.last_mut() {
            Some((last, shown)) if *shown == state => *last += Ds(length),
            _ => out.push((Ds(length), state)),
        }
    }
    out
}

/// The letters at a position of the cycle.
fn state(controller: &Controller, plan: &TimingPlan, position: Ds) -> String {
    let last = controller.groups.iter().flat_map(|g| &g.link_indices).max().copied().unwrap_or(0) as usize;
    let mut letters = vec!['r'; last + 1 + SPARE_LETTERS];
    for (g, group) in controller.groups.iter().enumerate() {
        let shows = plan.indication(GroupId::at(g), group, position).letter();
        for index in &group.link_indices {
            letters[*index as usize] = shows;
        }
    }
    letters.into_iter().collect()
}
