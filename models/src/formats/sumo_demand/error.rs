//! Why files are not a SUMO demand we can use.

use crate::demand::DemandError;
use crate::formats::sumo::{Fault, FaultKind, Flaw};
use crate::formats::{SourceError, WrongKind};

/// Why a SUMO demand is refused. Nothing partial is ever returned beside it.
#[derive(Debug, thiserror::Error)]
pub enum SumoDemandError {
    /// A file cannot be read as text.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The file is of another kind.
    #[error(transparent)]
    Kind(#[from] WrongKind),
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
    /// The elements do not make a demand.
    #[error("{file}: {source}")]
    Demand {
        /// The first of the files.
        file: String,
        /// What does not fit.
        source: DemandError,
    },
}

impl SumoDemandError {
    pub(super) fn of(fault: Fault, file: &str) -> Self {
        let (file, line) = (file.to_owned(), fault.line);
        match fault.kind {
            FaultKind::Xml(reason) => Self::Xml { file, line, reason },
            FaultKind::Element { element, id, flaw } => Self::Element { file, line, element, id, flaw },
        }
    }
}
