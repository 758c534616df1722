//! A region: strips that one task moves, with everything that belongs to them alone.

use std::collections::{BTreeMap, VecDeque};

use super::event::{Event, What};
use super::mover::{Mover, Rider, Waiting};
use super::strips::{NONE, StripId, Strips};

/// Movers of one strip, foremost first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Row {
    /// Its movers.
    pub(crate) movers: Vec<Mover>,
    /// The strip the last of them came from; [`NONE`] for one that was inserted.
    pub(crate) from: StripId,
}

/// A vehicle on its way from one strip to another.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Letter {
    /// Where it arrives.
    pub(crate) to: StripId,
    /// Where it came from.
    pub(crate) from: StripId,
    /// The vehicle.
    pub(crate) mover: Mover,
    /// The rest of it.
    pub(crate) rider: Rider,
}

/// What leaves a region for each region in a step.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    /// By region.
    pub(crate) to: Vec<Vec<Letter>>,
}

/// What a region has counted since the beginning.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counts {
    pub(crate) inserted: u64,
    pub(crate) arrived: u64,
    pub(crate) steps: u64,
}

/// A stretch of strips.
#[derive(Debug, Default)]
pub(crate) struct Region {
    /// Its number.
    pub(crate) number: usize,
    /// Its first strip.
    pub(crate) first: u32,
    /// Riders by strip, in the order of its movers.
    pub(crate) riders: Vec<VecDeque<Rider>>,
    /// Strips that may hold movers, or that the last of them has not quite left: one bit each.
    active: Vec<u64>,
    /// Vehicles outside that wait to enter, by lane.
    pub(crate) queues: BTreeMap<StripId, VecDeque<Waiting>>,
    /// What happened in the step.
    pub(crate) events: Vec<Event>,
    /// Vehicles that arrive in the step.
    pub(crate) inbox: Vec<Letter>,
    /// Who waits for whom inside its nodes: in the last step, by vehicle.
    pub(crate) blockers: Vec<(u32, u32)>,
    /// The same, as this step finds it.
    pub(crate) blockers_now: Vec<(u32, u32)>,
    /// Connections marked busy in this step.
    pub(crate) marked: Vec<StripId>,
    /// Vehicles with an errand that are at their place.
    pub(crate) due: Vec<u32>,
    /// Counts.
    pub(crate) counts: Counts,
}

impl Region {
    /// Empty regions of a street.
    pub(crate) fn all(strips: &Strips) -> Vec<Self> {
        let region = |(number, w): (usize, &[u32])| {
            let count = (w[1] - w[0]) as usize;
            Self {
                number,
                first: w[0],
                riders: vec![VecDeque::new(); count],
                active: vec![0; count.div_ceil(64)],
                ..Self::default()
            }
        };
        strips.bounds().windows(2).enumerate().map(region).collect()
    }

    /// Position of one of its strips among them.
    pub(crate) const fn local(&self, strip: StripId) -> usize {
        (strip - self.first) as usize
    }

    /// Marks a strip as holding movers.
    pub(crate) fn activate(&mut self, strip: StripId) {
        let i = self.local(strip);
        self.active[i / 64] |= 1 << (i % 64);
    }

    /// Marks a strip as empty.
    pub(crate) fn deactivate(&mut self, strip: StripId) {
        let i = self.local(strip);
        self.active[i / 64] &= !(1 << (i % 64));
    }

    /// Number of words that [`Region::word`] takes.
    pub(crate) fn words(&self) -> usize {
        self.active.len()
    }

    /// The strips of one word of the set of active ones, in order. The word is read at once, so strips may be marked
    /// while it is walked.
    pub(crate) fn word(&self, word: usize) -> impl Iterator<Item = StripId> + use<> {
        let mut bits = self.active[word];
        let base = self.first + word as u32 * 64;
        std::iter::from_fn(move || {
            if bits == 0 {
                return None;
            }
            let bit = bits.trailing_zeros();
            bits &= bits - 1;
            Some(base + bit)
        })
    }

    /// Writes down that something happened.
    pub(crate) fn tell(&mut self, at: greenkerb_models::units::TimeDs, what: What) {
        self.events.push(Event { at, what });
    }
}

impl Row {
    /// An empty strip.
    pub(crate) const fn empty() -> Self {
        Self { movers: Vec::new(), from: NONE }
    }
}
