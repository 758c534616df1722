//! Controllers by name.

use greenkerb_models::units::Ds;

use super::max_pressure::{self, CyclicMaxPressure, PaperRule, Papers};
use super::ours::{Ours, OursOptions};
use super::{Actuated, Control, ControlError, Coordinated, EqualGreens, Nema, Plans, Surtrac, greedy, webster};
use crate::cancel::Cancel;
use crate::line::InProcessOptions;
use crate::scenarios::Scenario;

/// A name with what it stands for. `N`, `D` and `Y` are whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// The name, or its pattern.
    pub name: &'static str,
    /// What it senses: nothing, loops, or every vehicle near the junction.
    pub sensing: &'static str,
    /// What it does.
    pub does: &'static str,
}

const fn entry(name: &'static str, sensing: &'static str, does: &'static str) -> Entry {
    Entry { name, sensing, does }
}

/// All names.
pub const ENTRIES: &[Entry] = &[
    entry("shipped", "none", "the plan each signal controller ships with"),
    entry("equal-N", "none", "every stage in turn for N seconds"),
    entry("coordinated", "loops", "the same plan, greens ended early where nobody comes, never past its force-offs"),
    entry("webster", "true demand", "Webster's cycle and splits from the demand's flows, offsets kept"),
    entry("nema", "loops", "dual-ring actuated-coordinated, force-offs of the shipped plan"),
    entry("actuated", "loops", "gap-out, max-out, min recall; every controller for itself"),
    entry("ours", "loops", "our service: its core in this process"),
    entry("ours-http", "loops", "our service: this program's own, started for the run and asked over HTTP"),
    entry("ours-schedule", "full", "our service with schedules of the next minute, made anew every second"),
    entry("ours-schedule-http", "full", "the same: this program's own service, asked over HTTP"),
    entry("max-pressure", "full", "max pressure by lane counts, every 10 s"),
    entry("max-pressure-cyclic", "full", "a fixed cycle whose green is shared out by pressure"),
    entry("max-pressure-capacity", "full", "max pressure with regard to room, every 10 s"),
    entry("mpn10", "full", "max pressure by head of line, 50 m, every 10 s"),
    entry("greedyn7", "full", "most vehicles that can go, 50 m, head of line, every 7 s"),
    entry("greedyn10", "full", "the same every 10 s"),
    entry("actuated+Y", "loops", "actuated with Y seconds of yellow between stages and nothing else"),
    entry("mpn10+Y", "full", "mpn10 with Y seconds of yellow between stages and nothing else"),
    entry("greedyn7+Y", "full", "greedyn7 with Y seconds of yellow between stages and nothing else"),
    entry("greedyn10+Y", "full", "greedyn10 with Y seconds of yellow between stages and nothing else"),
    entry("surtrac", "full", "clusters of arrivals, their order searched anew every second, 250 m; junctions alone"),
    entry("fixed-N+Y", "none", "papers' fixed time: four phases of N seconds, Y seconds of phase 0 before each"),
    entry("mp-D+Y", "full", "papers' max pressure: every D seconds, Y seconds of phase 0 at a change"),
    entry("amp4-D+Y", "full", "papers' advanced max pressure with four phases"),
    entry("amp8-D+Y", "full", "papers' advanced max pressure with all phases"),
];

/// Why names do not make controllers.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// A name nobody has.
    #[error("there is no controller '{name}'{hint}; there are: {known}")]
    Unknown {
        /// The name.
        name: String,
        /// The nearest name, where one is near.
        hint: String,
        /// All names.
        known: String,
    },
    /// A name whose pattern is known, with times it cannot have.
    #[error("controller '{name}': {reason}")]
    Times {
        /// The name.
        name: String,
        /// What is wrong with its times.
        reason: String,
    },
    /// The same name twice.
    #[error("controller '{name}' is named twice")]
    Twice {
        /// The name.
        name: String,
    },
    /// No name at all.
    #[error("no controller is named; there are: {known}")]
    None {
        /// All names.
        known: String,
    },
    /// It cannot control this network.
    #[error(transparent)]
    Control(#[from] ControlError),
}

/// A name that has been understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Method {
    Shipped,
    Equal(Ds),
    Actuated(Option<Ds>),
    Ours { schedules: bool },
    OursHttp { schedules: bool },
    Coordinated,
    Nema,
    Webster,
    Surtrac,
    LaneCounts,
    Cyclic,
    Capacity,
    HeadOfLine(Option<Ds>),
    Greedy(u32, Option<Ds>),
    Paper { rule: PaperRule, every: Ds, yellow: Ds },
}

/// Names, sorted as they are shown.
fn known() -> String {
    ENTRIES.iter().map(|e| e.name).collect::<Vec<_>>().join(", ")
}

/// Longest time in a name, in seconds.
const NAMED_S_MAX: u32 = 600;

/// Whole seconds, from 1 on.
fn seconds(text: &str) -> Option<Ds> {
    text.parse::<u32>().ok().filter(|s| (1..=NAMED_S_MAX).contains(s)).map(Ds::from_s)
}

/// Two lengths joined by a plus.
fn pair(text: &str) -> Option<(Ds, Ds)> {
    let (a, b) = text.split_once('+')?;
    Some((seconds(a)?, seconds(b)?))
}

fn understand(name: &str) -> Option<Method> {
    let paper = |rule, every, yellow| (yellow < every).then_some(Method::Paper { rule, every, yellow });
    Some(match name {
        "shipped" => Method::Shipped,
        "actuated" => Method::Actuated(None),
        "ours" | "ours-schedule" => Method::Ours { schedules: name != "ours" },
        "ours-http" | "ours-schedule-http" => Method::OursHttp { schedules: name != "ours-http" },
        "coordinated" => Method::Coordinated,
        "nema" => Method::Nema,
        "webster" => Method::Webster,
        "surtrac" => Method::Surtrac,
        "max-pressure" => Method::LaneCounts,
        "max-pressure-cyclic" => Method::Cyclic,
        "max-pressure-capacity" => Method::Capacity,
        "mpn10" => Method::HeadOfLine(None),
        "greedyn7" => Method::Greedy(7, None),
        "greedyn10" => Method::Greedy(10, None),
        _ if name.contains('+') && !name.contains('-') => {
            let (rule, yellow) = name.split_once('+')?;
            let yellow = Some(seconds(yellow)?);
            match understand(rule)? {
                Method::Actuated(None) => Method::Actuated(yellow),
                Method::HeadOfLine(None) => Method::HeadOfLine(yellow),
                Method::Greedy(every_s, None) => Method::Greedy(every_s, yellow),
                _ => return None,
            }
        }
        _ => {
            let (kind, times) = name.split_once('-')?;
            match kind {
                "equal" => Method::Equal(seconds(times)?),
                "fixed" => {
                    let (green, yellow) = pair(times)?;
                    paper(PaperRule::Fixed, green + yellow, yellow)?
                }
                "mp" | "amp4" | "amp8" => {
                    let (every, yellow) = pair(times)?;
                    let rule = match kind {
                        "mp" => PaperRule::MaxPressure,
                        kind => PaperRule::Advanced { all_phases: kind == "amp8" },
                    };
                    paper(rule, every, yellow)?
                }
                _ => return None,
            }
        }
    })
}

/// What is wrong with the times in a name, where all else of it is known.
fn wrong_times(name: &str) -> Option<String> {
    let as_in = |pattern: &str| ENTRIES.iter().any(|e| e.name == pattern).then(|| pattern.to_owned());
    let (pattern, times) = match (name.split_once('-'), name.split_once('+')) {
        (Some(("equal", n)), _) => ("equal-N".to_owned(), n),
        (Some(("fixed", times)), _) => ("fixed-N+Y".to_owned(), times),
        (Some((kind @ ("mp" | "amp4" | "amp8"), times)), _) => (format!("{kind}-D+Y"), times),
        (_, Some((rule, yellow))) => (as_in(&format!("{rule}+Y"))?, yellow),
        _ => return None,
    };
    let times: Vec<&str> = times.split('+').collect();
    if let Some(wrong) = times.iter().find(|t| seconds(t).is_none()) {
        return Some(format!(
            "'{wrong}' is not a whole number of seconds from 1 to {NAMED_S_MAX}, as {pattern} wants it"
        ));
    }
    if times.len() != pattern.matches(['N', 'D', 'Y']).count() {
        return Some(format!("it is written {pattern}"));
    }
    Some(format!("{pattern} wants D longer than Y, or no green is left"))
}

/// The name that differs least, where it differs little.
fn nearest(name: &str) -> Option<&'static str> {
    let distance = |other: &str| -> usize {
        let (a, b): (Vec<char>, Vec<char>) = (name.chars().collect(), other.chars().collect());
        let mut row: Vec<usize> = (0..=b.len()).collect();
        for (i, x) in a.iter().enumerate() {
            let mut before = row[0];
            row[0] = i + 1;
            for (j, y) in b.iter().enumerate() {
                let next = (before + usize::from(x != y)).min(row[j] + 1).min(row[j + 1] + 1);
                before = row[j + 1];
                row[j + 1] = next;
            }
        }
        row[b.len()]
    };
    let (least, entry) = ENTRIES.iter().map(|e| (distance(e.name), e.name)).min()?;
    (least <= 3).then_some(entry)
}

/// Splits a list of names (`a,b,c`) and checks each.
///
/// # Errors
/// [`RegistryError`] for an empty list, a name nobody has, and a name given twice.
pub fn parse_names(list: &str) -> Result<Vec<String>, RegistryError> {
    let mut names: Vec<String> = Vec::new();
    for name in list.split(',').map(str::trim).filter(|n| !n.is_empty()) {
        if understand(name).is_none() {
            if let Some(reason) = wrong_times(name) {
                return Err(RegistryError::Times { name: name.to_owned(), reason });
            }
            let hint = nearest(name).map(|n| format!(" (did you mean '{n}'?)")).unwrap_or_default();
            return Err(RegistryError::Unknown { name: name.to_owned(), hint, known: known() });
        }
        if names.iter().any(|n| n == name) {
            return Err(RegistryError::Twice { name: name.to_owned() });
        }
        names.push(name.to_owned());
    }
    if names.is_empty() {
        return Err(RegistryError::None { known: known() });
    }
    Ok(names)
}

/// A fresh controller for one run of a scenario.
///
/// # Errors
/// [`RegistryError`] for a name nobody has, and for a method that cannot control the scenario's network.
pub fn build(name: &str, scenario: &Scenario) -> Result<Box<dyn Control>, RegistryError> {
    let Some(method) = understand(name) else {
        parse_names(name)?;
        return Err(RegistryError::None { known: known() });
    };
    Ok(match method {
        Method::Shipped => Box::new(Plans::shipped(scenario)),
        Method::Equal(green) => Box::new(EqualGreens::new(scenario, green)),
        Method::Actuated(yellow) => Box::new(Actuated::with_yellow_alone(scenario, yellow)),
        Method::Ours { schedules } => Box::new(ours_in_process(name, scenario, schedules)?),
        Method::OursHttp { schedules } => Box::new(ours_over_http(name, scenario, schedules)?),
        Method::Coordinated => Box::new(Coordinated::new(scenario)?),
        Method::Nema => Box::new(Nema::new(scenario)?),
        Method::Webster => webster(scenario)?,
        Method::Surtrac => Box::new(Surtrac::new(scenario)),
        Method::LaneCounts => max_pressure::lane_counts(scenario),
        Method::Cyclic => Box::new(CyclicMaxPressure::new(scenario)),
        Method::Capacity => max_pressure::capacity_aware(scenario),
        Method::HeadOfLine(yellow) => max_pressure::head_of_line(scenario, yellow),
        Method::Greedy(every_s, yellow) => greedy(scenario, every_s, yellow),
        Method::Paper { rule, every, yellow } => Box::new(Papers::new(scenario, rule, every, yellow)?),
    })
}

fn ours_options(scenario: &Scenario, schedules: bool) -> OursOptions {
    if schedules { OursOptions::with_schedules(scenario) } else { OursOptions::for_scenario(scenario) }
}

fn ours_in_process(name: &str, scenario: &Scenario, schedules: bool) -> Result<Ours, ControlError> {
    let options = ours_options(scenario, schedules);
    Ours::in_process(scenario, options, InProcessOptions::default()).map_err(|e| unserved(name, &e))
}

fn ours_over_http(name: &str, scenario: &Scenario, schedules: bool) -> Result<Ours, ControlError> {
    // Whoever is asked for this is the program that can also serve.
    let program = std::env::current_exe().map_err(|e| unserved(name, &e))?;
    let options = ours_options(scenario, schedules);
    Ours::with_service(scenario, options, &program, None, &Cancel::default()).map_err(|e| unserved(name, &e))
}

fn unserved(name: &str, why: &dyn std::error::Error) -> ControlError {
    ControlError::Service { controller: name.to_owned(), reason: why.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_is_understood() {
        for entry in ENTRIES {
            let name = match entry.name {
                "equal-N" => "equal-25",
                "fixed-N+Y" => "fixed-25+5",
                "mp-D+Y" => "mp-30+5",
                "amp4-D+Y" => "amp4-15+5",
                "amp8-D+Y" => "amp8-5+2",
                plain => plain,
            };
            let name = name.replace("+Y", "+3");
            assert!(understand(&name).is_some(), "{name}");
        }
    }

    #[test]
    fn lists_are_split_and_checked() {
        assert_eq!(parse_names("shipped, greedyn7").unwrap(), ["shipped", "greedyn7"]);
        assert!(matches!(parse_names("shipped,shipped"), Err(RegistryError::Twice { .. })));
        assert!(matches!(parse_names(" , "), Err(RegistryError::None { .. })));
    }

    #[test]
    fn an_unknown_name_is_told_all_names_and_the_nearest() {
        let error = parse_names("shipped,greedy7").unwrap_err().to_string();
        assert!(
            error.starts_with("there is no controller 'greedy7' (did you mean 'greedyn7'?); there are: shipped,"),
            "{error}"
        );
        let far = parse_names("a-learner").unwrap_err().to_string();
        assert!(far.starts_with("there is no controller 'a-learner'; there are:"), "{far}");
    }

    #[test]
    fn times_that_cannot_be_are_told_with_what_can() {
        for (name, reason) in [
            ("equal-0", "'0' is not a whole number of seconds from 1 to 600, as equal-N wants it"),
            ("equal-601", "'601' is not a whole number of seconds from 1 to 600, as equal-N wants it"),
            ("equal-long", "'long' is not a whole number of seconds from 1 to 600, as equal-N wants it"),
            ("fixed-0+5", "'0' is not a whole number of seconds from 1 to 600, as fixed-N+Y wants it"),
            ("amp4-15", "it is written amp4-D+Y"),
            ("greedyn7+0", "'0' is not a whole number of seconds from 1 to 600, as greedyn7+Y wants it"),
            ("mp-5+5", "mp-D+Y wants D longer than Y, or no green is left"),
        ] {
            assert_eq!(parse_names(name).unwrap_err().to_string(), format!("controller '{name}': {reason}"));
        }
        for name in ["equally-5", "shipped+3", "equal", "fixed+3"] {
            assert!(matches!(parse_names(name), Err(RegistryError::Unknown { .. })), "{name}");
        }
    }
}
