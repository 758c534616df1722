//! What a network holds, as a table for people and as data for programs.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::formats::{Import, Note};
use crate::network::Network;
use crate::signal::{Controller, Relation};

/// Width to which names of controllers are cut in the table.
const NAME_CHARS_MAX: usize = 40;

/// Counts of everything in an imported network, and what was derived.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NetworkSummary {
    /// Name of the network.
    pub name: String,
    /// Nodes.
    pub nodes: usize,
    /// Links.
    pub links: usize,
    /// Lanes of links.
    pub lanes: usize,
    /// Lane-to-lane connections.
    pub connections: usize,
    /// Movements.
    pub movements: usize,
    /// Movements of which a connection obeys a signal.
    pub signalled_movements: usize,
    /// Crossings.
    pub crossings: usize,
    /// Detectors.
    pub detectors: usize,
    /// Controllers, in the network's order.
    pub controllers: Vec<ControllerSummary>,
    /// What the file did not say.
    pub notes: Vec<Note>,
}

/// Counts of one controller.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ControllerSummary {
    /// Its name.
    pub name: String,
    /// Nodes it shows signals at.
    pub nodes: usize,
    /// Signal groups.
    pub groups: usize,
    /// Stages.
    pub stages: usize,
    /// Phases in its rings; zero where it has none.
    pub ring_phases: usize,
    /// Cycle of the plan the file ships, in seconds.
    pub cycle_s: f64,
    /// Offset of that plan, in seconds.
    pub offset_s: f64,
    /// Time in each cycle that is not a stage's, in seconds.
    pub clearance_s: f64,
    /// Pairs of groups that may never be green together.
    pub conflicts: usize,
    /// Pairs that touch and may be green together.
    pub permitted: usize,
}

impl ControllerSummary {
    fn of(c: &Controller) -> Self {
        let pairs = |is: fn(&Relation) -> bool| {
            let ids = || c.group_ids();
            ids()
                .flat_map(|a| ids().filter(move |b| a < *b).map(move |b| (a, b)))
                .filter(|(a, b)| is(&c.conflicts.get(*a, *b)))
                .count()
        };
        let cycle_ds: u32 = c.program.steps.iter().map(|s| s.shipped.0).sum();
        Self {
            name: c.name.clone(),
            nodes: c.nodes.len(),
            groups: c.groups.len(),
            stages: c.program.stage_count(),
            ring_phases: c.ring_barrier.as_ref().map_or(0, |r| r.phases().count()),
            cycle_s: f64::from(cycle_ds) / 10.0,
            offset_s: c.program.shipped_offset.seconds(),
            clearance_s: c.program.clearance_total().seconds(),
            conflicts: pairs(|r| matches!(r, Relation::Conflict { .. })),
            permitted: pairs(|r| matches!(r, Relation::Permitted { .. })),
        }
    }
}

impl NetworkSummary {
    /// Counts an import.
    #[must_use]
    pub fn of(import: &Import) -> Self {
        let Import { network, notes } = import;
        Self { notes: notes.clone(), ..Self::of_network(network) }
    }

    fn of_network(network: &Network) -> Self {
        let signalled =
            |m: &&crate::network::Movement| m.connections.iter().any(|c| network.connection(*c).signal.is_some());
        Self {
            name: network.name().to_owned(),
            nodes: network.nodes().len(),
            links: network.links().len(),
            lanes: network.lanes().len(),
            connections: network.connections().len(),
            movements: network.movements().len(),
            signalled_movements: network.movements().iter().filter(signalled).count(),
            crossings: network.crossings().len(),
            detectors: network.detectors().len(),
            controllers: network.controllers().iter().map(ControllerSummary::of).collect(),
            notes: Vec::new(),
        }
    }
}

impl fmt::Display for NetworkSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of_signals = format!("({} signalled)", self.signalled_movements);
        writeln!(f, "network      {}", self.name)?;
        for (what, count, more) in [
            ("nodes", self.nodes, ""),
            ("links", self.links, ""),
            ("lanes", self.lanes, ""),
            ("connections", self.connections, ""),
            ("movements", self.movements, of_signals.as_str()),
            ("crossings", self.crossings, ""),
            ("detectors", self.detectors, ""),
            ("controllers", self.controllers.len(), ""),
        ] {
            writeln!(f, "{}", format!("{what:<12} {count:>8} {more}").trim_end())?;
        }
        self.controllers(f)?;
        self.derived(f)
    }
}

impl NetworkSummary {
    fn controllers(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.controllers.is_empty() {
            return Ok(());
        }
        let name = |c: &ControllerSummary| shortened(&c.name);
        let widest =
            self.controllers.iter().map(|c| name(c).chars().count()).max().unwrap_or(0).max("controller".len());
        writeln!(
            f,
            "\n{:<widest$} {:>6} {:>7} {:>7} {:>8} {:>9} {:>9} {:>11} {:>6}",
            "controller", "groups", "stages", "cycle_s", "offset_s", "conflicts", "permitted", "clearance_s", "phases"
        )?;
        for c in &self.controllers {
            writeln!(
                f,
                "{:<widest$} {:>6} {:>7} {:>7.1} {:>8.1} {:>9} {:>9} {:>11.1} {:>6}",
                name(c),
                c.groups,
                c.stages,
                c.cycle_s,
                c.offset_s,
                c.conflicts,
                c.permitted,
                c.clearance_s,
                if c.ring_phases == 0 { "-".to_owned() } else { c.ring_phases.to_string() }
            )?;
        }
        Ok(())
    }

    fn derived(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.notes.is_empty() {
            return Ok(());
        }
        writeln!(f, "\nderived or changed, because the file does not say")?;
        for n in &self.notes {
            let examples: Vec<String> = n.examples.iter().map(|e| shortened(e)).collect();
            let more = if n.count > n.examples.len() { ", ..." } else { "" };
            writeln!(f, "{:>8} x {}", n.count, n.text)?;
            writeln!(f, "           at {}{more}", examples.join(", "))?;
        }
        Ok(())
    }
}

fn shortened(name: &str) -> String {
    if name.chars().count() <= NAME_CHARS_MAX {
        return name.to_owned();
    }
    let head: String = name.chars().take(NAME_CHARS_MAX - 3).collect();
    format!("{head}...")
}
