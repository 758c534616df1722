//! The canonical plan: green intervals per signal group over one cycle.

use serde::{Deserialize, Serialize};

use crate::ids::{GroupId, StageId};
use crate::signal::{Indication, SignalGroup};
use crate::units::{Ds, TimeDs};

/// What the offset points at. A plan without it is ambiguous by tens of seconds (TS2 and type 170 controllers differ).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OffsetReference {
    /// Second 0 of the plan's own cycle, which is the start of its first stage (or of the first barrier group).
    CycleStart,
    /// Start of green of the first coordinated phase (NEMA TS2).
    CoordinatedGreenStart,
    /// End of the coordinated phase's split (type 170).
    CoordinatedSplitEnd,
}

/// Whether a green has the right of way or must yield.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Protection {
    /// Right of way (SUMO `G`).
    Protected,
    /// Yields to conflicting streams that are green (SUMO `g`).
    Permissive,
}

/// A green interval `[start, start + length)`, wrapping at the cycle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct GreenInterval {
    /// Position in the cycle, `0 ≤ start < cycle`.
    pub start: Ds,
    /// Length, `0 < length ≤ cycle`.
    pub length: Ds,
    /// Right of way or not.
    pub protection: Protection,
}

/// Length of one stage in a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct StageSplit {
    /// The stage.
    pub stage: StageId,
    /// Its green, without the clearance steps that follow; zero where the plan leaves the stage out.
    pub green: Ds,
}

/// The view a plan came from, kept so that people can read it and controllers can be told splits.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlanView {
    /// Stages in program order.
    Stages {
        /// One entry per stage of the controller's program.
        splits: Vec<StageSplit>,
    },
    /// NEMA splits, one per phase, yellow and all-red included.
    RingBarrier {
        /// `(phase number, split)`, in the order of the ring-barrier's phases.
        splits: Vec<(u8, Ds)>,
    },
}

/// A cyclic timing plan of one controller, in integer deciseconds.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TimingPlan {
    /// Cycle length.
    pub cycle: Ds,
    /// Position of the reference point against the common time base (Unix epoch, UTC), `0 ≤ offset < cycle`.
    pub offset: Ds,
    /// What the offset points at.
    pub reference: OffsetReference,
    /// Green intervals, one list per signal group of the controller, each in order of start.
    pub greens: Vec<Vec<GreenInterval>>,
    /// Splits the intervals were compiled from.
    pub view: PlanView,
    /// For [`OffsetReference::CoordinatedGreenStart`] and [`OffsetReference::CoordinatedSplitEnd`]: where that point
    /// lies in the cycle. Zero for [`OffsetReference::CycleStart`].
    pub reference_position: Ds,
}

impl GreenInterval {
    /// True when `position` (in `[0, cycle)`) lies inside.
    #[must_use]
    pub fn covers(&self, position: Ds, cycle: Ds) -> bool {
        (position.0 + cycle.0 - self.start.0) % cycle.0 < self.length.0
    }

    /// Position in the cycle at which it ends.
    #[must_use]
    pub fn end(&self, cycle: Ds) -> Ds {
        Ds((self.start.0 + self.length.0) % cycle.0)
    }
}

impl TimingPlan {
    /// Position in the cycle at an instant.
    #[must_use]
    pub fn position_at(&self, at: TimeDs) -> Ds {
        let cycle = i64::from(self.cycle.0);
        let shifted = at.0 - i64::from(self.offset.0) + i64::from(self.reference_position.0);
        Ds(shifted.rem_euclid(cycle) as u32)
    }

    /// First instant at or after `at` at which the cycle starts.
    #[must_use]
    pub fn next_cycle_start(&self, at: TimeDs) -> TimeDs {
        let position = self.position_at(at);
        if position == Ds::ZERO { at } else { at + (self.cycle - position) }
    }

    /// What a group shows at a position in the cycle.
    #[must_use]
    pub fn indication(&self, group: GroupId, heads: &SignalGroup, position: Ds) -> Indication {
        let greens = &self.greens[group.index()];
        if let Some(g) = greens.iter().find(|g| g.covers(position, self.cycle)) {
            return match g.protection {
                Protection::Protected => Indication::Protected,
                Protection::Permissive => Indication::Permissive,
            };
        }
        let since_end = greens.iter().map(|g| (position.0 + self.cycle.0 - g.end(self.cycle).0) % self.cycle.0).min();
        if since_end.is_some_and(|d| d < heads.yellow.0) {
            return Indication::Yellow;
        }
        let to_start = greens.iter().map(|g| (g.start.0 + self.cycle.0 - position.0) % self.cycle.0).min();
        if to_start.is_some_and(|d| d <= heads.red_amber.0 && d > 0) {
            return Indication::RedAmber;
        }
        if heads.turn_on_red { Indication::StopThenGo } else { Indication::Red }
    }

    /// Longest time without green of a group; the whole cycle (and more) when it never has any.
    #[must_use]
    pub fn longest_red(&self, group: GroupId) -> Option<Ds> {
        let greens = &self.greens[group.index()];
        (0..greens.len())
            .map(|i| {
                let end = greens[i].end(self.cycle);
                let next = greens[(i + 1) % greens.len()].start;
                if greens[i].length == self.cycle {
                    Ds::ZERO
                } else {
                    Ds((next.0 + self.cycle.0 - end.0) % self.cycle.0)
                }
            })
            .max()
    }
}
