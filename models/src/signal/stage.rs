//! A controller's program as its database states it: steps in order, the green ones being its stages.

use serde::{Deserialize, Serialize};

use crate::ids::{GroupId, StageId};
use crate::signal::{GreenInterval, OffsetReference, PlanView, Protection, SignalGroup, StageSplit, TimingPlan};
use crate::units::Ds;

/// What a group shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Indication {
    /// Green with right of way (SUMO `G`).
    Protected,
    /// Green that yields (SUMO `g`).
    Permissive,
    /// Yellow (SUMO `y`).
    Yellow,
    /// Red (SUMO `r`).
    Red,
    /// Red and amber before green (SUMO `u`).
    RedAmber,
    /// Red, turning allowed after a stop (SUMO `s`).
    StopThenGo,
}

impl Indication {
    /// True for protected and permissive green.
    #[must_use]
    pub const fn is_green(self) -> bool {
        matches!(self, Self::Protected | Self::Permissive)
    }

    /// The letter SUMO uses.
    #[must_use]
    pub const fn letter(self) -> char {
        match self {
            Self::Protected => 'G',
            Self::Permissive => 'g',
            Self::Yellow => 'y',
            Self::Red => 'r',
            Self::RedAmber => 'u',
            Self::StopThenGo => 's',
        }
    }
}

/// Whether a step's length is the optimizer's to choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepKind {
    /// A stage: its length may be chosen at or above `min`.
    Stage {
        /// The stage's id, rising along the program.
        stage: StageId,
        /// Shortest length, from the controller's database.
        min: Ds,
    },
    /// Yellow, all-red, pedestrian clearance: its length belongs to the controller and is never changed.
    Clearance,
}

/// One step of a program.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Stage or clearance.
    pub kind: StepKind,
    /// Length in the plan the file ships.
    pub shipped: Ds,
    /// What each group shows, in group order.
    pub shows: Vec<Indication>,
}

/// A program: what the controller can show, in its order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Program {
    /// Steps in order; the cycle starts with the first.
    pub steps: Vec<Step>,
    /// Offset of the plan the file ships.
    pub shipped_offset: Ds,
}

/// Why splits do not make a plan of a program.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProgramError {
    /// The number of splits is not the number of stages.
    #[error("{given} splits for a program of {stages} stages")]
    SplitCount {
        /// Splits given.
        given: usize,
        /// Stages in the program.
        stages: usize,
    },
    /// A stage of zero length that shows green to a group no other stage of the plan serves.
    #[error("stage {stage} is left out, but group number {group} is green in no other stage of the plan")]
    EmptyStage {
        /// Number of the stage.
        stage: u32,
        /// Number of the group.
        group: u32,
    },
    /// The program has no stages.
    #[error("the program has no stage: nothing is ever green")]
    NoStage,
    /// The sum of all steps does not fit.
    #[error("the cycle is too long")]
    CycleTooLong,
}

impl Program {
    /// Number of stages.
    #[must_use]
    pub fn stage_count(&self) -> usize {
        self.steps.iter().filter(|s| matches!(s.kind, StepKind::Stage { .. })).count()
    }

    /// The stages' steps, in order.
    pub fn stages(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(|s| matches!(s.kind, StepKind::Stage { .. }))
    }

    /// Time in each cycle that is not the optimizer's: the sum of all clearance steps.
    #[must_use]
    pub fn clearance_total(&self) -> Ds {
        self.steps.iter().filter(|s| s.kind == StepKind::Clearance).map(|s| s.shipped).sum()
    }

    /// Stage lengths of the plan the file ships.
    #[must_use]
    pub fn shipped_splits(&self) -> Vec<Ds> {
        self.stages().map(|s| s.shipped).collect()
    }

    /// Shortest stage lengths.
    #[must_use]
    pub fn min_splits(&self) -> Vec<Ds> {
        self.steps
            .iter()
            .filter_map(|s| match s.kind {
                StepKind::Stage { min, .. } => Some(min),
                StepKind::Clearance => None,
            })
            .collect()
    }

    /// The plan the file ships.
    ///
    /// # Errors
    /// [`ProgramError`] when the program has no stages.
    pub fn shipped_plan(&self, groups: &[SignalGroup]) -> Result<TimingPlan, ProgramError> {
        self.compile(groups, &self.shipped_splits(), self.shipped_offset)
    }

    /// Compiles stage lengths and an offset into the canonical plan; the offset is taken modulo the cycle.
    ///
    /// A length of zero leaves the stage out of the cycle (its clearance steps stay, so every transition is one the
    /// program shows), which is possible where each of its groups is green in a stage that is kept: a protected left turn
    /// that is also permissive, say.
    ///
    /// # Errors
    /// [`ProgramError`] when the splits do not fit the program. Nothing about safety is judged here.
    pub fn compile(&self, groups: &[SignalGroup], splits: &[Ds], offset: Ds) -> Result<TimingPlan, ProgramError> {
        let stages = self.stage_count();
        if stages == 0 {
            return Err(ProgramError::NoStage);
        }
        if splits.len() != stages {
            return Err(ProgramError::SplitCount { given: splits.len(), stages });
        }
        let mut lengths = Vec::with_capacity(self.steps.len());
        let mut next = splits.iter();
        let mut view = Vec::with_capacity(stages);
        for step in &self.steps {
            let length = match step.kind {
                StepKind::Stage { stage, .. } => {
                    let green = *next.next().expect("counted above");
                    view.push(StageSplit { stage, green });
                    green
                }
                StepKind::Clearance => step.shipped,
            };
            lengths.push(length);
        }
        if let Some((stage, group)) = self.left_without_green(&lengths) {
            return Err(ProgramError::EmptyStage { stage, group });
        }
        let cycle = lengths
            .iter()
            .try_fold(0u32, |sum, d| sum.checked_add(d.0))
            .filter(|&c| c < u32::MAX / 4)
            .map(Ds)
            .ok_or(ProgramError::CycleTooLong)?;
        let greens = (0..groups.len()).map(|g| self.greens_of(GroupId::at(g), &lengths, cycle)).collect();
        Ok(TimingPlan {
            cycle,
            offset: Ds(offset.0 % cycle.0),
            reference: OffsetReference::CycleStart,
            greens,
            view: PlanView::Stages { splits: view },
            reference_position: Ds::ZERO,
        })
    }

    /// True where a stage may be left out while all others are kept.
    #[must_use]
    pub fn may_omit(&self, stage: StageId) -> bool {
        let lengths: Vec<Ds> = self
            .steps
            .iter()
            .map(|s| match s.kind {
                StepKind::Stage { stage: this, .. } if this == stage => Ds::ZERO,
                _ => Ds(1),
            })
            .collect();
        self.left_without_green(&lengths).is_none()
    }

    /// The first stage of zero length, with a group it shows green that no stage of another length does.
    fn left_without_green(&self, lengths: &[Ds]) -> Option<(u32, u32)> {
        let kept = |g: usize| {
            self.steps
                .iter()
                .zip(lengths)
                .any(|(s, d)| matches!(s.kind, StepKind::Stage { .. }) && *d > Ds::ZERO && s.shows[g].is_green())
        };
        self.steps.iter().zip(lengths).find_map(|(s, d)| match s.kind {
            StepKind::Stage { stage, .. } if *d == Ds::ZERO => {
                let lost = (0..s.shows.len()).find(|&g| s.shows[g].is_green() && !kept(g))?;
                Some((stage.0, lost as u32))
            }
            _ => None,
        })
    }

    fn greens_of(&self, group: GroupId, lengths: &[Ds], cycle: Ds) -> Vec<GreenInterval> {
        let protection = |i: usize| match self.steps[i].shows[group.index()] {
            Indication::Protected => Some(Protection::Protected),
            Indication::Permissive => Some(Protection::Permissive),
            _ => None,
        };
        let mut greens: Vec<GreenInterval> = Vec::new();
        let mut start = Ds::ZERO;
        for (i, &length) in lengths.iter().enumerate() {
            if let Some(protection) = protection(i).filter(|_| length > Ds::ZERO) {
                match greens.last_mut() {
                    Some(g) if g.protection == protection && g.start + g.length == start => g.length += length,
                    _ => greens.push(GreenInterval { start, length, protection }),
                }
            }
            start += length;
        }
        // The first and the last interval are one when both touch the end of the cycle.
        if greens.len() > 1 {
            let (first, last) = (greens[0], greens[greens.len() - 1]);
            if first.start == Ds::ZERO && last.start + last.length == cycle && first.protection == last.protection {
                greens[0] = GreenInterval { start: last.start, length: last.length + first.length, ..first };
                greens.pop();
                greens.sort_by_key(|g| g.start);
            }
        }
        greens
    }
}
