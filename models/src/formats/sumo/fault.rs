//! What is wrong with an element of a SUMO file, and where it stands.

/// Longest name or value a message repeats.
const QUOTED_CHARS_MAX: usize = 60;

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
    #[error("{name}=\"{}\" refers to {target} that does not exist", short(id))]
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
    /// Something of SUMO's that has no counterpart here.
    #[error("{what} is not supported")]
    Unsupported {
        /// What.
        what: String,
    },
    /// Two attributes that exclude each other.
    #[error("gives both '{one}' and '{other}'")]
    Both {
        /// One attribute.
        one: &'static str,
        /// The other.
        other: &'static str,
    },
    /// A place past the end of its lane.
    #[error("{name}=\"{value}\" lies beyond the lane, which is {length_m} m long")]
    Beyond {
        /// The attribute.
        name: &'static str,
        /// Its value.
        value: String,
        /// Length of the lane.
        length_m: f64,
    },
    /// Two links that nothing joins, for vehicles of a class.
    #[error("no way for a {class} leads from edge '{from}' to edge '{to}'")]
    NoWay {
        /// Who cannot drive there.
        class: &'static str,
        /// Where they are.
        from: String,
        /// Where they want to go.
        to: String,
    },
    /// A link that vehicles of a class may not use.
    #[error("no lane of edge '{edge}' is open to a {class}")]
    Shut {
        /// Who may not use it.
        class: &'static str,
        /// The edge.
        edge: String,
    },
    /// A stop that does not lie on its vehicle's way, after the stop before it.
    #[error("its stop on edge '{edge}' (line {line}) does not lie on its way, in order")]
    OffWay {
        /// The edge of the stop.
        edge: String,
        /// Where the stop is told.
        line: u32,
    },
    /// It ends before it begins.
    #[error("ends before it begins")]
    Backwards,
    /// A definition that contains itself.
    #[error("contains itself")]
    Cyclic,
    /// NEMA parameters that do not make rings and barriers.
    #[error("NEMA parameter '{key}': {reason}")]
    Nema {
        /// The parameter.
        key: &'static str,
        /// What is wrong with it.
        reason: String,
    },
}

/// A name as a message repeats it: a broken file may give names of any length.
pub(super) fn short(text: &str) -> String {
    let mut short: String = text.chars().take(QUOTED_CHARS_MAX).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

/// A flaw and where it is; the file is added by the caller, who knows it.
#[derive(Debug)]
pub(in crate::formats) struct Fault {
    pub(in crate::formats) line: u32,
    pub(in crate::formats) kind: FaultKind,
}

/// What the flaw is of.
#[derive(Debug)]
pub(in crate::formats) enum FaultKind {
    Xml(String),
    Element { element: &'static str, id: String, flaw: Box<Flaw> },
}

impl Fault {
    pub(in crate::formats) fn xml(line: u32, reason: impl ToString) -> Self {
        Self { line, kind: FaultKind::Xml(reason.to_string()) }
    }
}

/// Where an element stands, to blame it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::formats) struct Place {
    pub(in crate::formats) line: u32,
    pub(in crate::formats) element: &'static str,
    pub(in crate::formats) id: String,
}

impl Place {
    pub(in crate::formats) fn fault(&self, flaw: Flaw) -> Fault {
        let kind = FaultKind::Element { element: self.element, id: short(&self.id), flaw: Box::new(flaw) };
        Fault { line: self.line, kind }
    }
}
