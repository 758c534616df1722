//! Why a plan is what it is, in a form a page can show.

use serde::{Deserialize, Serialize};

/// What a reason is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReasonKind {
    /// Cycle, split or offset changed.
    Changed,
    /// What kept the plan from going further.
    Binding,
    /// What the change is expected to bring.
    ExpectedGain,
    /// Why the plan was kept.
    Kept,
    /// Which method answered, and why a better one did not.
    Method,
    /// A detector is not trusted; something else stands in.
    Health,
}

/// One reason, with the number behind it where there is one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reason {
    /// What it is about.
    pub kind: ReasonKind,
    /// One sentence.
    pub text: String,
    /// The number the sentence rests on, in the unit its name carries last.
    pub value: Option<(String, f64)>,
}
