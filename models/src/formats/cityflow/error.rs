//! Why a file is not one of CityFlow's that we can use.

use crate::demand::DemandError;
use crate::formats::{SourceError, WrongKind};
use crate::network::NetworkError;

/// Why a CityFlow file is refused. Nothing partial is ever returned beside it.
#[derive(Debug, thiserror::Error)]
pub enum CityflowError {
    /// The file cannot be read as text.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The file is of another kind.
    #[error(transparent)]
    Kind(#[from] WrongKind),
    /// The text is no JSON, or ends early.
    #[error("{file}:{line}:{column}: broken JSON: {reason}")]
    Json {
        /// The offending file.
        file: String,
        /// The offending line.
        line: usize,
        /// The offending column.
        column: usize,
        /// What the JSON reader said.
        reason: String,
    },
    /// The JSON is not the object or list it should be.
    #[error("{file}:{line}:{column}: {reason}")]
    Shape {
        /// The offending file.
        file: String,
        /// The offending line.
        line: usize,
        /// The offending column.
        column: usize,
        /// What the JSON reader said, with the field it said it of.
        reason: String,
    },
    /// An element is wrong.
    #[error("{file}: {element} '{id}': {flaw}")]
    Element {
        /// The offending file.
        file: String,
        /// What it is.
        element: &'static str,
        /// Its id, or `#` and its position.
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
    /// The elements do not make a demand.
    #[error("{file}: {source}")]
    Demand {
        /// The offending file.
        file: String,
        /// What does not fit.
        source: DemandError,
    },
}

/// What is wrong with an element.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Flaw {
    /// A field is missing or of another type.
    #[error("{reason}")]
    Shape {
        /// What the JSON reader said.
        reason: String,
    },
    /// Another element of the kind has the same id.
    #[error("defined twice")]
    Duplicate,
    /// It refers to something that is not in the file.
    #[error("{field} refers to {target} '{id}', which does not exist")]
    Dangling {
        /// The field.
        field: String,
        /// What it should refer to.
        target: &'static str,
        /// The id it gives.
        id: String,
    },
    /// A value that cannot be meant.
    #[error("{field} is {value}, not {expected}")]
    Value {
        /// The field.
        field: String,
        /// Its value.
        value: String,
        /// What it should be.
        expected: &'static str,
    },
    /// A list that needs entries has too few.
    #[error("{field} has {count} entries, fewer than {min}")]
    TooFew {
        /// The field.
        field: String,
        /// Entries it has.
        count: usize,
        /// Entries it needs.
        min: usize,
    },
    /// An index past the end of its list.
    #[error("{field} is {index}, but there are only {count} {of}")]
    Index {
        /// The field.
        field: String,
        /// The index it gives.
        index: usize,
        /// Length of the list.
        count: usize,
        /// What the list holds.
        of: String,
    },
    /// A road of which its junctions leave nothing.
    #[error("it is {length_m:.1} m long, and the widths of its intersections take {cut_m:.1} m: nothing is left")]
    NothingLeft {
        /// Length from centre to centre.
        length_m: f64,
        /// What both junctions cut away.
        cut_m: f64,
    },
    /// A road link of a road that does not belong to the intersection.
    #[error("irregular: {field} '{road}' does not {meet} here")]
    NotHere {
        /// The field.
        field: String,
        /// The road.
        road: String,
        /// `start` or `end`.
        meet: &'static str,
    },
    /// Two road links join the same roads.
    #[error("irregular: roadLinks[{second}] joins the same roads as roadLinks[{first}]")]
    SameRoads {
        /// The first.
        first: usize,
        /// The second.
        second: usize,
    },
    /// Shortest stages and clearances are longer than any cycle may be.
    #[error(
        "its {phases} phases last at least {shortest_s:.0} s, longer than a cycle may be ({max_s:.0} s, NTCIP 1202)"
    )]
    CycleTooLong {
        /// Number of phases.
        phases: usize,
        /// Shortest cycle in seconds.
        shortest_s: f64,
        /// Longest cycle there may be, in seconds.
        max_s: f64,
    },
    /// Two roads of a route that are not joined.
    #[error("no way leads from road '{from}' to road '{to}'")]
    NoWay {
        /// Where it is.
        from: String,
        /// Where it wants to go.
        to: String,
    },
}

/// An element that can be blamed.
#[derive(Debug, Clone, Copy)]
pub(super) struct At<'a> {
    pub(super) file: &'a str,
    pub(super) element: &'static str,
    pub(super) id: &'a str,
}

impl At<'_> {
    pub(super) fn fault(&self, flaw: Flaw) -> CityflowError {
        CityflowError::Element {
            file: self.file.into(),
            element: self.element,
            id: self.id.into(),
            flaw: Box::new(flaw),
        }
    }

    /// Refuses a number that is not finite and above zero (or at least zero).
    pub(super) fn number(&self, field: &str, value: f64, zero_is_fine: bool) -> Result<f64, CityflowError> {
        if value.is_finite() && (value > 0.0 || (zero_is_fine && value == 0.0)) {
            return Ok(value);
        }
        let expected = if zero_is_fine { "a number of zero or more" } else { "a number above zero" };
        Err(self.fault(Flaw::Value { field: field.into(), value: value.to_string(), expected }))
    }
}
