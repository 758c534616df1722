//! Damages valid texts, the same way everywhere, and hands them to a reader.
//!
//! Used by the tests of several crates; more inputs: `GREENKERB_FUZZ_INPUTS=100000 cargo test … fuzz`.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Inputs for each reader where nobody says otherwise.
const INPUTS: u64 = 400;
/// Name that every error about a damaged text must hold.
pub(crate) const NAME: &str = "damaged.file";
/// Numbers no file should hold.
const NUMBERS: [&str; 16] = [
    "-1",
    "0",
    "-0.0",
    "1e309",
    "-1e309",
    "NaN",
    "inf",
    "1e18",
    "99999999999999999999",
    "4294967295",
    "4294967296",
    "0.0000001",
    "1e-300",
    "",
    " ",
    "0x10",
];

/// A generator of chances (SplitMix64, Steele 2014).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }
}

/// Stretches of a text between two quotes, and stretches that are numbers.
fn stretches(text: &[u8], wanted: fn(u8) -> bool) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut from = None;
    for (i, b) in text.iter().enumerate() {
        match (wanted(*b), from) {
            (true, None) => from = Some(i),
            (false, Some(start)) => {
                found.push((start, i));
                from = None;
            }
            _ => {}
        }
    }
    found
}

fn quoted(text: &[u8]) -> Vec<(usize, usize)> {
    let quotes: Vec<usize> =
        text.iter().enumerate().filter(|(_, b)| matches!(b, b'"' | b'\'')).map(|(i, _)| i).collect();
    quotes.windows(2).map(|w| (w[0] + 1, w[1])).collect()
}

/// Pieces that stand by themselves: elements of XML, or lines.
fn pieces(text: &[u8]) -> Vec<(usize, usize)> {
    let xml = text.trim_ascii_start().starts_with(b"<");
    let starts: Vec<usize> = text
        .iter()
        .enumerate()
        .filter(|(i, b)| if xml { **b == b'<' } else { *i == 0 || matches!(text[i - 1], b'\n' | b'{' | b',') })
        .map(|(i, _)| i)
        .collect();
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    starts.iter().copied().zip(ends).collect()
}

/// Damages a text in one way.
fn damage(text: &mut Vec<u8>, chance: &mut Chance) {
    if text.is_empty() {
        return;
    }
    let span = |chance: &mut Chance, of: Vec<(usize, usize)>| of.get(chance.below(of.len())).copied();
    match chance.below(10) {
        0 => {
            let at = chance.below(text.len());
            text[at] ^= 1 << chance.below(8);
        }
        1 => {
            let at = chance.below(text.len());
            text[at] = chance.next() as u8;
        }
        2 => text.truncate(chance.below(text.len())),
        3 => {
            if let Some((from, to)) = span(chance, pieces(text)) {
                text.drain(from..to);
            }
        }
        4 => {
            if let Some((from, to)) = span(chance, pieces(text)) {
                let copy = text[from..to].to_vec();
                text.splice(from..from, copy);
            }
        }
        5 | 6 => {
            if let Some((from, to)) = span(chance, stretches(text, |b| b.is_ascii_digit() || b == b'.')) {
                let number = NUMBERS[chance.below(NUMBERS.len())];
                text.splice(from..to, number.bytes());
            }
        }
        7 | 8 => {
            // A name in the place of another: it means something else, or nothing.
            let all = quoted(text);
            if let (Some((from, to)), Some((a, b))) = (span(chance, all.clone()), span(chance, all)) {
                let other = text[a..b].to_vec();
                text.splice(from..to, other);
            }
        }
        _ => {
            let from = chance.below(text.len());
            let to = (from + 1 + chance.below(40)).min(text.len());
            text.drain(from..to);
        }
    }
}

/// Damages valid texts again and again and hands them to a reader, which tells what it found wrong.
pub(crate) fn fuzz(reader: &str, valid: &[&str], read: impl Fn(&str, Vec<u8>) -> Result<(), String>) {
    let inputs = std::env::var("GREENKERB_FUZZ_INPUTS").ok().and_then(|n| n.parse().ok()).unwrap_or(INPUTS);
    for (i, text) in valid.iter().enumerate() {
        read("whole", text.as_bytes().to_vec()).unwrap_or_else(|e| panic!("{reader}: text {i} is not valid: {e}"));
    }
    let (mut taken, mut refused) = (0, 0);
    for seed in 0..inputs {
        let mut chance = Chance(seed);
        let mut text = valid[seed as usize % valid.len()].as_bytes().to_vec();
        for _ in 0..=chance.below(4) {
            damage(&mut text, &mut chance);
        }
        let shown = String::from_utf8_lossy(&text).into_owned();
        let outcome = catch_unwind(AssertUnwindSafe(|| read(NAME, text)));
        match outcome {
            Ok(Ok(())) => taken += 1,
            Ok(Err(e)) => {
                refused += 1;
                assert!(e.contains(NAME), "{reader}, seed {seed}: no file in '{e}'");
                assert!(e.len() < 2_000, "{reader}, seed {seed}: a message of {} bytes: {e:.300}", e.len());
            }
            Err(_) => panic!("{reader} panics on seed {seed}:\n{shown}"),
        }
    }
    println!("{reader}: {taken} of {inputs} damaged texts were whole, {refused} were refused");
    assert!(taken > 0 && refused > 0, "{reader}: the mutator does not do its work");
}
