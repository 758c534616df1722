//! What a text is, as far as its beginning and its keys tell: for those who read several formats, and for those who were
//! given a file of another kind than they read.

use std::fmt;

use super::{Source, native, native_demand};

/// What a text is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileKind {
    /// SUMO's `net.xml`.
    SumoNet,
    /// SUMO's route and additional files.
    SumoDemand,
    /// SUMO's `.sumocfg`.
    SumoConfig,
    /// XML of another kind, by its outermost element.
    Xml(String),
    /// CityFlow's `roadnet.json`.
    CityflowRoadnet,
    /// CityFlow's `flow.json`, or any other JSON list.
    CityflowFlow,
    /// CityFlow's `config.json`.
    CityflowConfig,
    /// A JSON object of another kind.
    Json,
    /// A network in our own format.
    NativeNetwork,
    /// A demand in our own format.
    NativeDemand,
    /// Anything else, whole or not.
    Unknown,
}

impl FileKind {
    /// What a text is. What is broken goes by what it begins as.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let start = text.trim_start_matches('\u{feff}').trim_start();
        let has = |key: &str| start.contains(key);
        match start.chars().next() {
            Some('<') => match root(start) {
                Some("net") => Self::SumoNet,
                Some("routes" | "additional" | "add" | "trips") => Self::SumoDemand,
                Some("configuration" | "sumoConfiguration" | "sumo-configuration") => Self::SumoConfig,
                Some(other) => Self::Xml(other.chars().take(20).collect()),
                None => Self::Unknown,
            },
            Some('{') if has("\"intersections\"") || has("\"roads\"") => Self::CityflowRoadnet,
            Some('{') if has("\"roadnetFile\"") || has("\"flowFile\"") => Self::CityflowConfig,
            Some('{') if serde_json::from_str::<serde::de::IgnoredAny>(start).is_ok() => Self::Json,
            Some('[') => Self::CityflowFlow,
            _ if start.starts_with(native::MAGIC) => Self::NativeNetwork,
            _ if start.starts_with(native_demand::MAGIC) => Self::NativeDemand,
            _ => Self::Unknown,
        }
    }
}

impl fmt::Display for FileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SumoNet => "a SUMO network",
            Self::SumoDemand => "a SUMO route or additional file",
            Self::SumoConfig => "a SUMO configuration",
            Self::Xml(root) => return write!(f, "an XML file of <{root}>"),
            Self::CityflowRoadnet => "a CityFlow road network",
            Self::CityflowFlow => "a CityFlow flow file",
            Self::CityflowConfig => "a CityFlow configuration",
            Self::Json => "a JSON file that is none of CityFlow's",
            Self::NativeNetwork => "a native network",
            Self::NativeDemand => "a native demand",
            Self::Unknown => "a file of an unknown kind",
        })
    }
}

/// A file is sound as far as it can be told, and of another kind than is wanted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}: this is {found}; {wanted} is wanted here")]
pub struct WrongKind {
    /// The offending file.
    pub file: String,
    /// What it is.
    pub found: FileKind,
    /// What it should be, with its article.
    pub wanted: &'static str,
}

/// Refuses a text that is known to be something else than the one kind that its reader takes. What is not known is left to
/// the reader, which can say where it is broken.
pub(super) fn expect(source: &Source, kind: &FileKind, wanted: &'static str) -> Result<(), WrongKind> {
    let found = FileKind::of(&source.text);
    if found == *kind || found == FileKind::Unknown {
        return Ok(());
    }
    Err(WrongKind { file: source.name.clone(), found, wanted })
}

/// Name of the outermost element of an XML text.
fn root(text: &str) -> Option<&str> {
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        rest = if let Some(comment) = rest.strip_prefix("<!--") {
            comment.split_once("-->")?.1
        } else if rest.starts_with("<?") || rest.starts_with("<!") {
            rest.split_once('>')?.1
        } else {
            let name = rest.strip_prefix('<')?;
            let end = name.find(|c: char| c.is_whitespace() || c == '>' || c == '/')?;
            return Some(&name[..end]).filter(|n| !n.is_empty());
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_known_by_how_they_begin() {
        for (text, kind) in [
            ("\u{feff}<?xml version=\"1.0\"?>\n<!-- of > a town -->\n<net version='1.20'>", FileKind::SumoNet),
            ("<!DOCTYPE a><routes/>", FileKind::SumoDemand),
            ("<configuration>", FileKind::SumoConfig),
            ("<html lang='en'>", FileKind::Xml("html".into())),
            ("<!-- never closed", FileKind::Unknown),
            ("{\"roads\": [], \"inter", FileKind::CityflowRoadnet),
            ("{\"interval\": 1, \"flowFile\": \"f\"}", FileKind::CityflowConfig),
            ("{\"a\": 1}", FileKind::Json),
            ("{\"a\": ", FileKind::Unknown),
            (" [", FileKind::CityflowFlow),
            ("greenkerb-network 1", FileKind::NativeNetwork),
            ("greenkerb-demand 1", FileKind::NativeDemand),
            ("hello", FileKind::Unknown),
            ("", FileKind::Unknown),
        ] {
            assert_eq!(FileKind::of(text), kind, "{text}");
        }
    }
}
