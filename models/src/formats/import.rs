//! What a reader hands back: the network, and what it had to derive because the file did not say.

use serde::{Deserialize, Serialize};

use crate::network::Network;

/// Most names a note lists; its count says how many there are.
const EXAMPLES_MAX: usize = 3;

/// A network read from a file.
#[derive(Debug, Clone)]
pub struct Import {
    /// The network, whole.
    pub network: Network,
    /// What was derived, left out or repaired.
    pub notes: Vec<Note>,
}

/// One kind of thing the file did not say, or said in a way we had to change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// What was done, with the source of any figure.
    pub text: String,
    /// How often.
    pub count: usize,
    /// Names of the first few things it was done to.
    pub examples: Vec<String>,
}

/// Notes in the order of their first occurrence, grouped by text.
#[derive(Debug, Default)]
pub struct Notes(Vec<Note>);

impl Notes {
    /// Counts one more occurrence of `text`, at the thing of this name.
    pub fn add(&mut self, text: &str, example: impl Into<String>) {
        let at = self.0.iter().position(|n| n.text == text).unwrap_or_else(|| {
            self.0.push(Note { text: text.into(), count: 0, examples: Vec::new() });
            self.0.len() - 1
        });
        let note = &mut self.0[at];
        note.count += 1;
        if note.examples.len() < EXAMPLES_MAX {
            note.examples.push(example.into());
        }
    }

    /// The grouped notes.
    #[must_use]
    pub fn into_inner(self) -> Vec<Note> {
        self.0
    }
}
