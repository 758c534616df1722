//! Batches that were answered already: the same key with the same body gets the same answer and moves nothing.

use std::collections::{HashMap, VecDeque};

use bytes::Bytes;

/// Most answers kept.
const ANSWERS_MAX: usize = 4_096;

/// Most bytes of answers kept.
const BYTES_MAX: usize = 16 << 20;

/// Longest key, characters.
pub const KEY_CHARS_MAX: usize = 255;

/// Digest of a body.
pub type Digest = [u8; 32];

/// What is known about a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// Nothing.
    No,
    /// It was answered so.
    Answered(Bytes),
    /// It was used for another body.
    OtherBody,
}

/// The newest answers by key, bounded in number and bytes; the least recently used goes first.
#[derive(Debug, Default)]
pub struct Answers {
    by_key: HashMap<String, (Digest, Bytes, u64)>,
    uses: VecDeque<(String, u64)>,
    bytes: usize,
    turn: u64,
}

impl Answers {
    /// Looks a key up.
    pub fn get(&mut self, key: &str, digest: &Digest) -> Known {
        let Some((known, answer, used)) = self.by_key.get_mut(key) else { return Known::No };
        if known != digest {
            return Known::OtherBody;
        }
        self.turn += 1;
        *used = self.turn;
        let answer = answer.clone();
        self.uses.push_back((key.to_owned(), self.turn));
        self.forget();
        Known::Answered(answer)
    }

    /// Keeps an answer.
    pub fn keep(&mut self, key: String, digest: Digest, answer: Bytes) {
        self.turn += 1;
        self.bytes += answer.len();
        self.uses.push_back((key.clone(), self.turn));
        if let Some((_, old, _)) = self.by_key.insert(key, (digest, answer, self.turn)) {
            self.bytes -= old.len();
        }
        self.forget();
    }

    /// Drops the least recently used until the bounds hold, and marks of uses that newer ones have replaced.
    fn forget(&mut self) {
        while self.by_key.len() > ANSWERS_MAX || self.bytes > BYTES_MAX || self.uses.len() > 2 * ANSWERS_MAX {
            let Some((key, turn)) = self.uses.pop_front() else { return };
            let is_last_use = self.by_key.get(&key).is_some_and(|(_, _, used)| *used == turn);
            if is_last_use && let Some((_, answer, _)) = self.by_key.remove(&key) {
                self.bytes -= answer.len();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_key_means_the_same_body() {
        let mut answers = Answers::default();
        assert_eq!(answers.get("a", &[1; 32]), Known::No);
        answers.keep("a".into(), [1; 32], Bytes::from_static(b"yes"));
        assert_eq!(answers.get("a", &[1; 32]), Known::Answered(Bytes::from_static(b"yes")));
        assert_eq!(answers.get("a", &[2; 32]), Known::OtherBody);
    }

    #[test]
    fn it_stays_bounded_and_keeps_what_is_used() {
        let mut answers = Answers::default();
        answers.keep("kept".into(), [0; 32], Bytes::from_static(b"kept"));
        for i in 0..3 * ANSWERS_MAX {
            answers.keep(format!("k{i}"), [0; 32], Bytes::from(vec![0; 100]));
            if i % 100 == 0 {
                assert!(matches!(answers.get("kept", &[0; 32]), Known::Answered(_)), "after {i}");
            }
        }
        assert!(answers.by_key.len() <= ANSWERS_MAX && answers.uses.len() <= 2 * ANSWERS_MAX);
        for i in 0..40 {
            answers.keep(format!("big{i}"), [0; 32], Bytes::from(vec![0; 1 << 20]));
        }
        assert!(answers.bytes <= BYTES_MAX);
        let sum: usize = answers.by_key.values().map(|(_, a, _)| a.len()).sum();
        assert_eq!(sum, answers.bytes);
    }
}
