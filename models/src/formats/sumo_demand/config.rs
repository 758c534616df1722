//! SUMO configurations (`.sumocfg`): which files make up a simulation, and when it runs.

use std::path::{Path, PathBuf};

use super::error::SumoDemandError;
use crate::formats::sumo::xml::{Attributes, Elements, Token, value};
use crate::formats::sumo::{Fault, Flaw, Place};
use crate::formats::{FileKind, Note, Notes, Source, kind};
use crate::units::{Ds, TimeDs};

/// What a configuration says.
#[derive(Debug, Clone, PartialEq)]
pub struct SumoConfig {
    /// The network.
    pub network: PathBuf,
    /// Additional files, in order; they are read before routes.
    pub additionals: Vec<PathBuf>,
    /// Route files, in order.
    pub routes: Vec<PathBuf>,
    /// When the simulation begins.
    pub begin: TimeDs,
    /// When it ends; none: when everybody has arrived.
    pub end: Option<TimeDs>,
    /// Length of a step.
    pub step: Ds,
    /// Trips that no way leads to are left out instead of refused.
    pub ignore_route_errors: bool,
    /// Options that were left out.
    pub notes: Vec<Note>,
}

/// Sections whose options say where SUMO writes and what it shows.
const SILENT_SECTIONS: [&str; 6] = ["output", "report", "gui_only", "traci_server", "random_number", "emissions"];
/// Options that change nothing here.
const SILENT: [&str; 6] =
    ["route-steps", "no-step-log", "no-warnings", "duration-log.statistics", "threads", "verbose"];

/// Reads a configuration. Paths are relative to its folder.
///
/// # Errors
/// [`SumoDemandError`] naming file, line, option and reason.
pub fn read(path: &Path) -> Result<SumoConfig, SumoDemandError> {
    read_source(&Source::open(path)?, path.parent().unwrap_or(Path::new("")))
}

/// Reads a configuration from text; `folder` is where its paths start.
///
/// # Errors
/// As [`read`].
pub fn read_source(source: &Source, folder: &Path) -> Result<SumoConfig, SumoDemandError> {
    kind::expect(source, &FileKind::SumoConfig, "a SUMO configuration")?;
    elements(&source.text, folder).map_err(|fault| SumoDemandError::of(fault, &source.name))
}

fn elements(text: &str, folder: &Path) -> Result<SumoConfig, Fault> {
    let mut elements = Elements::of(text);
    let mut draft = Draft { folder: folder.to_owned(), ..Draft::default() };
    let mut open: Vec<String> = Vec::new();
    let mut line = 1;
    loop {
        match elements.next()? {
            Token::Eof => return draft.finish(line),
            Token::End => {
                open.pop();
            }
            Token::Start { tag, attributes, empty } => {
                line = attributes.line;
                match open.last() {
                    None if matches!(tag.as_str(), "configuration" | "sumoConfiguration" | "sumo-configuration") => {}
                    None => return Err(Fault::xml(line, format!("<{tag}> is not a SUMO <configuration>"))),
                    Some(section) => draft.option(section, &tag, &attributes)?,
                }
                if !empty {
                    open.push(tag);
                }
            }
        }
    }
}

#[derive(Default)]
struct Draft {
    folder: PathBuf,
    network: Option<PathBuf>,
    additionals: Vec<PathBuf>,
    routes: Vec<PathBuf>,
    begin: TimeDs,
    end: Option<TimeDs>,
    step: Option<Ds>,
    ignore_route_errors: bool,
    notes: Notes,
}

impl Draft {
    fn option(&mut self, section: &str, name: &str, a: &Attributes) -> Result<(), Fault> {
        let Some(text) = a.get("value").or_else(|| a.get("v")) else { return Ok(()) };
        let at = Place { line: a.line, element: "option", id: name.to_owned() };
        let time = || TimeDs::parse_clock(text).ok_or_else(|| at.fault(value("value", text, "a time from 0 to 1e9 s")));
        match name {
            "net-file" | "net" | "n" => self.network = Some(self.folder.join(text.trim())),
            "route-files" | "routes" | "route" | "r" => self.routes = self.paths(text),
            "additional-files" | "additional" | "a" => self.additionals = self.paths(text),
            "begin" | "b" => self.begin = time()?,
            // SUMO writes -1 where nobody says when.
            "end" | "e" => self.end = if text.trim().starts_with('-') { None } else { Some(time()?) },
            "step-length" => {
                let step = time()?;
                if step <= TimeDs(0) || step > TimeDs::from_s(10) {
                    return Err(at.fault(value("value", text, "between 0.1 and 10 s")));
                }
                self.step = Some(Ds(step.0 as u32));
            }
            "ignore-route-errors" => {
                self.ignore_route_errors = matches!(text.trim(), "true" | "1" | "yes" | "on" | "x")
            }
            "scale" if text.trim().parse() != Ok(1.0) => {
                return Err(at.fault(Flaw::Unsupported { what: "a scale of the demand other than 1".into() }));
            }
            _ if SILENT.contains(&name) || SILENT_SECTIONS.contains(&section) => {}
            _ => self.notes.add("option of the configuration left out", format!("{name}={text}")),
        }
        Ok(())
    }

    fn paths(&self, list: &str) -> Vec<PathBuf> {
        // SUMO parts files with commas, older versions with blanks or semicolons.
        list.split([',', ';']).map(str::trim).filter(|p| !p.is_empty()).map(|p| self.folder.join(p)).collect()
    }

    fn finish(self, line: u32) -> Result<SumoConfig, Fault> {
        let at = Place { line, element: "configuration", id: String::new() };
        let network = self.network.ok_or_else(|| at.fault(Flaw::Missing { name: "net-file" }))?;
        if self.end.is_some_and(|end| end < self.begin) {
            return Err(at.fault(Flaw::Backwards));
        }
        Ok(SumoConfig {
            network,
            additionals: self.additionals,
            routes: self.routes,
            begin: self.begin,
            end: self.end,
            step: self.step.unwrap_or(Ds::from_s(1)),
            ignore_route_errors: self.ignore_route_errors,
            notes: self.notes.into_inner(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<SumoConfig, String> {
        let source = Source { name: "a.sumocfg".into(), text: text.into() };
        read_source(&source, Path::new("dir")).map_err(|e| e.to_string())
    }

    #[test]
    fn files_and_times_are_read() {
        let c = parsed(
            "<configuration><input><net-file value='n.net.xml'/><route-files value='a.rou.xml, b.rou.xml'/>\
             <additional-files value='x.add.xml'/></input><time><begin value='7:00:00'/><end value='28800'/>\
             <step-length value='0.5'/></time><output><summary-output value='s.xml'/></output>\
             <processing><time-to-teleport value='-1'/></processing></configuration>",
        )
        .unwrap();
        assert_eq!(c.network, Path::new("dir/n.net.xml"));
        assert_eq!(c.routes, [Path::new("dir/a.rou.xml"), Path::new("dir/b.rou.xml")]);
        assert_eq!(c.additionals, [Path::new("dir/x.add.xml")]);
        assert_eq!((c.begin, c.end, c.step), (TimeDs::from_s(25_200), Some(TimeDs::from_s(28_800)), Ds(5)));
        assert_eq!(c.notes[0].examples, ["time-to-teleport=-1"]);
        assert_eq!(c.notes.len(), 1);
    }

    #[test]
    fn what_cannot_be_followed_is_refused() {
        let of = |inner: &str| parsed(&format!("<configuration>\n<input>{inner}</input></configuration>")).unwrap_err();
        assert_eq!(of(""), "a.sumocfg:2: configuration '': attribute 'net-file' is missing");
        let with = |inner: &str| of(&format!("<net-file value='n'/>{inner}"));
        assert_eq!(
            with("<begin value='-3'/>"),
            "a.sumocfg:2: option 'begin': value=\"-3\" is not a time from 0 to 1e9 s"
        );
        assert!(with("<step-length value='0'/>").contains("is not between 0.1 and 10 s"));
        assert!(with("<scale value='2'/>").contains("a scale of the demand other than 1 is not supported"));
        assert!(with("<begin value='9'/><end value='5'/>").contains("ends before it begins"));
        assert!(
            parsed("<net/>")
                .unwrap_err()
                .contains("a.sumocfg: this is a SUMO network; a SUMO configuration is wanted here")
        );
        assert!(parsed("<configuration>").unwrap_err().contains("ends inside an element"));
    }
}
