//! What a scenario holds, as a table for people.

use std::fmt;

use greenkerb_models::demand::VehicleClass;
use greenkerb_models::formats::Note;
use greenkerb_models::ids::KindId;
use greenkerb_models::units::{Ds, TimeDs};

use super::{Driving, Scenario};

/// The span over which the busiest part of a demand is looked for.
const QUARTER: Ds = Ds::from_s(900);

/// Vehicles of one kind.
#[derive(Debug, Clone, PartialEq)]
pub struct KindSummary {
    /// Name of the kind.
    pub name: String,
    /// Vehicles expected in the window.
    pub vehicles: f64,
}

/// Counts of everything in a scenario.
#[derive(Debug, Clone, PartialEq)]
pub struct ScenarioSummary {
    /// Its name.
    pub name: String,
    /// One sentence about it.
    pub description: String,
    /// First instant.
    pub begin: TimeDs,
    /// Last instant.
    pub end: TimeDs,
    /// Part of the beginning that statistics leave out.
    pub warm_up: Ds,
    /// Length of a step.
    pub tick: Ds,
    /// Whose rules vehicles are driven by.
    pub driving: Driving,
    /// Nodes.
    pub nodes: usize,
    /// Links.
    pub links: usize,
    /// Length of all links together, in kilometres.
    pub length_km: f64,
    /// Lanes.
    pub lanes: usize,
    /// Crossings.
    pub crossings: usize,
    /// Detectors the network names.
    pub detectors: usize,
    /// Signal controllers.
    pub signals: usize,
    /// Shortest and longest cycle of the plans it ships; none without signals.
    pub cycles: Option<(Ds, Ds)>,
    /// Vehicles by kind, in the demand's order, without kinds that nobody drives.
    pub kinds: Vec<KindSummary>,
    /// Most vehicles per hour over a quarter of an hour, and when it begins.
    pub busiest: (f64, TimeDs),
    /// Bus lines: flows and vehicles' names before a dot, of vehicles that stay at stops.
    pub lines: usize,
    /// Bus stops.
    pub stops: usize,
    /// Parking facilities.
    pub facilities: usize,
    /// Their bays, and bays taken at the beginning.
    pub bays: (u64, u64),
    /// Vehicles expected that drive to a facility.
    pub to_park: f64,
    /// Most people per hour that want to cross, all crossings together.
    pub people_per_h: f64,
    /// What the files did not say.
    pub notes: Vec<Note>,
}

impl ScenarioSummary {
    /// Counts a scenario; `notes` are those of its files.
    #[must_use]
    pub fn of(scenario: &Scenario, notes: &[Note]) -> Self {
        let (network, parts) = (&scenario.network, scenario.demand.parts());
        let (begin, end) = (scenario.begin, scenario.end);
        let inside = |at: TimeDs| at >= begin && at < end;
        let trips = || parts.trips.iter().filter(|t| inside(t.depart));
        let of_kind = |kind: KindId| -> f64 {
            let flows = parts.flows.iter().filter(|f| f.template.kind == kind).map(|f| f.vehicles_between(begin, end));
            trips().filter(|t| t.kind == kind).count() as f64 + flows.sum::<f64>()
        };
        let kinds = parts
            .kinds
            .iter()
            .enumerate()
            .map(|(i, k)| KindSummary { name: k.name.clone(), vehicles: of_kind(KindId::at(i)) });
        let cycles = network.controllers().iter().map(|c| c.time_of_day_plan().cycle);
        let bus = |kind: KindId| scenario.demand.kind(kind).class == VehicleClass::Bus;
        let lines = parts.flows.iter().filter(|f| bus(f.template.kind) && !f.template.stays.is_empty()).count();
        let parking = parts.flows.iter().filter(|f| f.template.parking.is_some());
        let bays = |count: fn(&greenkerb_models::demand::Facility) -> u32| {
            parts.facilities.iter().map(|f| u64::from(count(f))).sum()
        };
        Self {
            name: scenario.name.clone(),
            description: scenario.description.clone(),
            begin,
            end,
            warm_up: scenario.warm_up,
            tick: scenario.tick,
            driving: scenario.driving,
            nodes: network.nodes().len(),
            links: network.links().len(),
            length_km: network.links().iter().map(|l| l.length.get()).sum::<f64>() / 1_000.0,
            lanes: network.lanes().len(),
            crossings: network.crossings().len(),
            detectors: network.detectors().len(),
            signals: network.controllers().len(),
            cycles: cycles.clone().min().zip(cycles.max()),
            kinds: kinds.filter(|k| k.vehicles > 0.0).collect(),
            busiest: busiest(scenario),
            lines,
            stops: parts.stops.len(),
            facilities: parts.facilities.len(),
            bays: (bays(|f| f.capacity), bays(|f| f.occupied)),
            to_park: trips().filter(|t| t.parking.is_some()).count() as f64
                + parking.map(|f| f.vehicles_between(begin, end)).sum::<f64>(),
            people_per_h: people_per_h(scenario),
            notes: notes.to_vec(),
        }
    }

    /// Vehicles expected in the window.
    #[must_use]
    pub fn vehicles(&self) -> f64 {
        self.kinds.iter().map(|k| k.vehicles).sum()
    }

    /// When it begins and ends.
    #[must_use]
    pub fn window(&self) -> String {
        format!("{} to {}", self.begin.clock(), self.end.clock())
    }
}

/// Vehicles per hour in the busiest quarter of an hour, or in the whole window where that is shorter.
fn busiest(scenario: &Scenario) -> (f64, TimeDs) {
    let parts = scenario.demand.parts();
    let mut best = (0.0, scenario.begin);
    let mut from = scenario.begin;
    while from < scenario.end {
        let to = (from + QUARTER).min(scenario.end);
        let first = parts.trips.partition_point(|t| t.depart < from);
        let last = parts.trips.partition_point(|t| t.depart < to);
        let flows: f64 = parts.flows.iter().map(|f| f.vehicles_between(from, to)).sum();
        let vph = ((last - first) as f64 + flows) * 36_000.0 / to.since(from) as f64;
        // A remainder of the window says little about an hour.
        let whole = to.since(from) == i64::from(QUARTER.0) || from == scenario.begin;
        if whole && vph > best.0 {
            best = (vph, from);
        }
        from = to;
    }
    best
}

/// Most people per hour: their number only changes where a flow of theirs begins.
fn people_per_h(scenario: &Scenario) -> f64 {
    let people = &scenario.demand.parts().people;
    let mut changes: Vec<(TimeDs, f64)> = people
        .iter()
        .filter(|p| p.begin < scenario.end && p.end > scenario.begin)
        .flat_map(|p| [(p.begin, p.people_per_h), (p.end, -p.people_per_h)])
        .collect();
    // Who leaves leaves before others come.
    changes.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let (mut now, mut most) = (0.0, 0.0_f64);
    for (_, change) in changes {
        now += change;
        most = most.max(now);
    }
    most
}

/// A number of things, with its digits in groups of three.
fn grouped(count: f64) -> String {
    let digits = format!("{:.0}", count.max(0.0));
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

impl fmt::Display for ScenarioSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = |f: &mut fmt::Formatter<'_>, what: &str, text: String| writeln!(f, "{what:<12} {text}");
        line(f, "scenario", self.name.clone())?;
        if !self.description.is_empty() {
            line(f, "", self.description.clone())?;
        }
        let driving = match self.driving {
            Driving::Street => "street",
            Driving::CityFlow => "CityFlow",
        };
        let mut window = format!("{}, steps of {}, driving as in {driving}", self.window(), self.tick);
        if self.warm_up > Ds::ZERO {
            window.push_str(&format!("; statistics leave the first {} out", self.warm_up));
        }
        line(f, "window", window)?;
        line(
            f,
            "network",
            format!(
                "{} nodes, {} links of {:.1} km, {} lanes, {} crossings, {} detectors",
                grouped(self.nodes as f64),
                grouped(self.links as f64),
                self.length_km,
                grouped(self.lanes as f64),
                grouped(self.crossings as f64),
                grouped(self.detectors as f64)
            ),
        )?;
        let cycles = match self.cycles {
            None => String::new(),
            Some((a, b)) if a == b => format!(", cycle {a}"),
            Some((a, b)) => format!(", cycles {a} to {b}"),
        };
        line(f, "signals", format!("{}{cycles}", grouped(self.signals as f64)))?;
        let (vph, at) = self.busiest;
        line(
            f,
            "demand",
            format!(
                "{} vehicles expected; at most {} per hour, in the quarter of an hour from {}",
                grouped(self.vehicles()),
                grouped(vph),
                at.clock()
            ),
        )?;
        for k in &self.kinds {
            line(f, "", format!("{:>9}  {}", grouped(k.vehicles), k.name))?;
        }
        if self.stops > 0 {
            line(f, "buses", format!("{} lines, {} stops", self.lines, self.stops))?;
        }
        if self.facilities > 0 {
            line(
                f,
                "parking",
                format!(
                    "{} facilities, {} bays, {} of them taken at the beginning; {} vehicles drive to one",
                    self.facilities,
                    grouped(self.bays.0 as f64),
                    grouped(self.bays.1 as f64),
                    grouped(self.to_park)
                ),
            )?;
        }
        if self.people_per_h > 0.0 {
            line(f, "people", format!("at most {} per hour want to cross", grouped(self.people_per_h)))?;
        }
        if !self.notes.is_empty() {
            writeln!(f, "\nderived or changed, because the files do not say")?;
            for n in &self.notes {
                writeln!(f, "{:>8} x {}", n.count, n.text)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenarios::bundled;

    #[test]
    fn a_summary_counts_what_is_there() {
        let s = bundled("arterial").unwrap();
        let summary = ScenarioSummary::of(&s, &[]);
        assert_eq!((summary.signals, summary.cycles), (6, Some((Ds::from_s(84), Ds::from_s(84)))));
        assert_eq!(summary.links, s.network.links().len());
        // What is expected over the whole window is no more than the busiest quarter for all of it.
        let hours = s.end.since(s.begin) as f64 / 36_000.0;
        assert!(summary.vehicles() > 1_000.0 && summary.vehicles() <= summary.busiest.0 * hours + 1.0);
        let names: Vec<&str> = summary.kinds.iter().map(|k| k.name.as_str()).collect();
        assert_eq!(names, ["car", "lorry"]);
        let text = summary.to_string();
        assert!(text.contains("signals      6, cycle 84.0 s\n"), "{text}");
        assert!(text.contains("people       at most ") && !text.contains("parking"), "{text}");
    }

    #[test]
    fn digits_come_in_threes() {
        assert_eq!([0.0, 999.4, 1_000.0, 1_234_567.0].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }
}
