//! Why a file is not a SUMO network we can use.

use crate::formats::SourceError;
use crate::network::NetworkError;

/// Why a SUMO network is refused. Nothing partial is ever returned beside it.
#[derive(Debug, thiserror::Error)]
pub enum SumoNetError {
    /// The file cannot be read as text.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The text is not well-formed XML, or ends early.
    #[error("{file}:{line}: broken XML: {reason}")]
    Xml {
        /// The offending file.
        file: String,
        /// The offending line.
        line: u32,
        /// What the XML reader said.
        reason: String,
    },
    /// An element is wrong.
    #[error("{file}:{line}: {element} '{id}': {flaw}")]
    Element {
        /// The offending file.
        file: String,
        /// Line on which the element starts.
        line: u32,
        /// Its tag.
        element: &'static str,
        /// Its id, or what stands for one.
        id: String,
        /// What is wrong with it.
        flaw: Box<Flaw>,
    },
    /// The elements do not make a network.
    #[error("{file}: {source}")]
    Network {
        /// The offending file.
        file: String,
        /// What does not fit.
        source: NetworkError,
    },
}

/// What is wrong with an element.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Flaw {
    /// A required attribute is missing.
    #[error("attribute '{name}' is missing")]
    Missing {
        /// The attribute.
        name: &'static str,
    },
    /// An attribute's value cannot be understood.
    #[error("{name}=\"{value}\" is not {expected}")]
    Value {
        /// The attribute.
        name: &'static str,
        /// Its value, shortened.
        value: String,
        /// What it should be.
        expected: &'static str,
    },
    /// Another element of the kind has the same id.
    #[error("defined twice, first on line {first}")]
    Duplicate {
        /// Line of the first.
        first: u32,
    },
    /// It refers to something that is not in the file.
    #[error("{name}=\"{id}\" refers to {target} that does not exist")]
    Dangling {
        /// The attribute.
        name: &'static str,
        /// The id it gives.
        id: String,
        /// What it should be, with its article.
        target: &'static str,
    },
    /// It stands where it has no meaning.
    #[error("is not inside an element {parent}")]
    Misplaced {
        /// Where it belongs.
        parent: &'static str,
    },
    /// It lacks the children it needs.
    #[error("has no {child}")]
    Childless {
        /// What it needs.
        child: &'static str,
    },
    /// Lane indices that are not 0, 1, 2, ….
    #[error("the lanes of its edge are not numbered 0 to {last}")]
    LaneNumbers {
        /// The last number they should have.
        last: usize,
    },
    /// A state string of another length than the first.
    #[error("state \"{state}\" shows {found} signals, the first phase shows {expected}")]
    StateLength {
        /// The offending state.
        state: String,
        /// Its length.
        found: usize,
        /// Length of the first.
        expected: usize,
    },
    /// A connection points past the end of the state strings.
    #[error("linkIndex {index} lies outside the {signals} signals of traffic light '{tl}'")]
    LinkIndex {
        /// The offending index.
        index: u32,
        /// Signals in each state string.
        signals: usize,
        /// The traffic light.
        tl: String,
    },
    /// The junction's right-of-way matrix has another size than the junction has connections.
    #[error("{rows} request rows for {connections} connections")]
    RequestRows {
        /// Rows given.
        rows: usize,
        /// Rows needed.
        connections: usize,
    },
    /// Connections over lanes inside a junction that go round in a circle.
    #[error("its way through the junction never ends")]
    EndlessWay,
    /// The traffic light shows no step that is green without yellow, so it has no stage.
    #[error("no phase shows green without showing yellow as well")]
    NoStage,
    /// Yellow does not fit between two greens and there is nothing to take it from.
    #[error("between phases {from} and {to} there is no room for {needed_s} s of yellow before conflicting green")]
    NoRoomForYellow {
        /// Phase that ends a green.
        from: usize,
        /// Phase that starts a conflicting one.
        to: usize,
        /// What is needed.
        needed_s: f64,
    },
    /// Longer than 255 s even with every stage at its minimum.
    #[error("its shortest cycle, {shortest_s} s, is longer than the 255 s a controller can run (NTCIP 1202)")]
    CycleTooLong {
        /// The shortest cycle.
        shortest_s: f64,
    },
    /// More of something than any real element has.
    #[error("has {found} {what}, more than {most}")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many there may be.
        most: usize,
    },
    /// NEMA parameters that do not make rings and barriers.
    #[error("NEMA parameter '{key}': {reason}")]
    Nema {
        /// The parameter.
        key: &'static str,
        /// What is wrong with it.
        reason: String,
    },
}

/// A flaw and where it is; the file is added by the caller, who knows it.
#[derive(Debug)]
pub(super) struct Fault {
    line: u32,
    kind: FaultKind,
}

#[derive(Debug)]
enum FaultKind {
    Xml(String),
    Element { element: &'static str, id: String, flaw: Box<Flaw> },
}

impl Fault {
    pub(super) fn xml(line: u32, reason: impl ToString) -> Self {
        Self { line, kind: FaultKind::Xml(reason.to_string()) }
    }

    pub(super) fn in_file(self, file: &str) -> SumoNetError {
        let (file, line) = (file.to_owned(), self.line);
        match self.kind {
            FaultKind::Xml(reason) => SumoNetError::Xml { file, line, reason },
            FaultKind::Element { element, id, flaw } => SumoNetError::Element { file, line, element, id, flaw },
        }
    }
}

/// Where an element stands, to blame it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Place {
    pub(super) line: u32,
    pub(super) element: &'static str,
    pub(super) id: String,
}

impl Place {
    pub(super) fn fault(&self, flaw: Flaw) -> Fault {
        let kind = FaultKind::Element { element: self.element, id: self.id.clone(), flaw: Box::new(flaw) };
        Fault { line: self.line, kind }
    }
}
