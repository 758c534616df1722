//! A controller's program as its database states it: steps in order, the green ones being its stages.

use serde::{Deserialize, Serialize};

use crate::ids::{GroupId, StageId};
use crate::signal::{
    ConflictMatrix, GreenInterval, GroupKind, OffsetReference, PlanView, Protection, Relation, SignalGroup, StageSplit,
    TimingPlan,
};
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

impl std::fmt::Display for Indication {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Protected => "protected green",
            Self::Permissive => "permissive green",
            Self::Yellow => "yellow",
            Self::Red => "red",
            Self::RedAmber => "red and amber",
            Self::StopThenGo => "red with turning after a stop",
        })
    }
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

/// A step as one cycle shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimedStep {
    /// Number of the stage it is; `None` for clearance.
    pub stage: Option<usize>,
    /// How long it lasts.
    pub length: Ds,
    /// What each group shows, in group order.
    pub shows: Vec<Indication>,
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
    pub fn shipped_plan(&self, groups: &[SignalGroup], conflicts: &ConflictMatrix) -> Result<TimingPlan, ProgramError> {
        self.compile(groups, conflicts, &self.shipped_splits(), self.shipped_offset)
    }

    /// Compiles stage lengths and an offset into the canonical plan; the offset is taken modulo the cycle. What is shown
    /// when is told by [`Program::course`].
    ///
    /// # Errors
    /// [`ProgramError`] when the splits do not fit the program. Nothing about safety is judged here.
    pub fn compile(
        &self,
        groups: &[SignalGroup],
        conflicts: &ConflictMatrix,
        splits: &[Ds],
        offset: Ds,
    ) -> Result<TimingPlan, ProgramError> {
        let course = self.course(groups, conflicts, splits)?;
        let cycle = course
            .iter()
            .try_fold(0u32, |sum, step| sum.checked_add(step.length.0))
            .filter(|&c| c < u32::MAX / 4)
            .map(Ds)
            .ok_or(ProgramError::CycleTooLong)?;
        let stages = self.steps.iter().filter_map(|s| match s.kind {
            StepKind::Stage { stage, .. } => Some(stage),
            StepKind::Clearance => None,
        });
        let view = stages.zip(splits).map(|(stage, &green)| StageSplit { stage, green }).collect();
        let greens = (0..groups.len()).map(|g| greens_of(GroupId::at(g), &course, cycle)).collect();
        Ok(TimingPlan {
            cycle,
            offset: Ds(offset.0 % cycle.0.max(1)),
            reference: OffsetReference::CycleStart,
            greens,
            view: PlanView::Stages { splits: view },
            reference_position: Ds::ZERO,
        })
    }

    /// What one cycle of these stage lengths shows, step by step.
    ///
    /// A length of zero leaves a stage out, which is possible where each of its groups is green in a stage that is kept:
    /// a protected left turn that is also permissive, say. The clearance steps around it then give way to one made of the
    /// database's own times: groups that are green before and after stay green, the others end with their yellow, and it
    /// lasts the longest intergreen from any green that ends to any that starts.
    ///
    /// # Errors
    /// [`ProgramError`] when the splits do not fit the program.
    pub fn course(
        &self,
        groups: &[SignalGroup],
        conflicts: &ConflictMatrix,
        splits: &[Ds],
    ) -> Result<Vec<TimedStep>, ProgramError> {
        let stages = self.stage_count();
        if stages == 0 {
            return Err(ProgramError::NoStage);
        }
        if splits.len() != stages {
            return Err(ProgramError::SplitCount { given: splits.len(), stages });
        }
        if let Some((stage, group)) = self.left_without_green(splits) {
            return Err(ProgramError::EmptyStage { stage, group });
        }
        let kept: Vec<usize> = (0..stages).filter(|&p| splits[p] > Ds::ZERO).collect();
        let (Some(&first), Some(&last)) = (kept.first(), kept.last()) else { return Err(ProgramError::NoStage) };
        let lead_in = self.steps.iter().take_while(|s| s.kind == StepKind::Clearance).count();
        let mut course = Vec::with_capacity(self.steps.len());
        // What the program has before its first stage stays there.
        let wraps_whole = first == 0 && last + 1 == stages;
        let lead_in = if wraps_whole { lead_in } else { 0 };
        course.extend((0..lead_in).map(|i| self.timed(i, None, self.steps[i].shipped)));
        for (k, &p) in kept.iter().enumerate() {
            course.push(self.timed(self.step_of(p), Some(p), splits[p]));
            let mut after = self.clearance(groups, conflicts, (p, kept.get(k + 1).copied().unwrap_or(first)));
            if k + 1 == kept.len() {
                after.truncate(after.len() - lead_in);
            }
            course.extend(after);
        }
        Ok(course)
    }

    fn timed(&self, step: usize, stage: Option<usize>, length: Ds) -> TimedStep {
        TimedStep { stage, length, shows: self.steps[step].shows.clone() }
    }

    /// Number of the step that is a stage.
    fn step_of(&self, stage: usize) -> usize {
        let mut stages = (0..self.steps.len()).filter(|&i| self.steps[i].kind != StepKind::Clearance);
        stages.nth(stage).unwrap_or(0)
    }

    /// What is shown between two stages: the program's own steps where the second follows the first, one step made of
    /// the database's times where stages between them are left out.
    #[must_use]
    pub fn clearance(
        &self,
        groups: &[SignalGroup],
        conflicts: &ConflictMatrix,
        (before, after): (usize, usize),
    ) -> Vec<TimedStep> {
        let (from, to) = (self.step_of(before), self.step_of(after));
        if after != (before + 1) % self.stage_count().max(1) {
            return vec![self.joined(groups, conflicts, (from, to))];
        }
        let steps = self.steps.len();
        let count = (to + steps - from - 1) % steps;
        (1..=count).map(|k| (from + k) % steps).map(|i| self.timed(i, None, self.steps[i].shipped)).collect()
    }

    /// The clearance from one step to another that does not follow it in the program.
    fn joined(&self, groups: &[SignalGroup], conflicts: &ConflictMatrix, (before, after): (usize, usize)) -> TimedStep {
        use Indication::{Permissive, Red, StopThenGo, Yellow};
        let (from, to) = (&self.steps[before].shows, &self.steps[after].shows);
        let all = || 0..groups.len();
        let yields = |e: usize, o: usize| {
            matches!(conflicts.get(GroupId::at(e), GroupId::at(o)), Relation::Permitted { yields: true, .. })
        };
        let ends = |g: usize| from[g].is_green() && !to[g].is_green();
        // Whoever waits in a permissive green that ends takes the others to end with it (yellow trap), so they do.
        let cut: Vec<bool> = all()
            .map(|o| {
                let goes_on = from[o].is_green() && to[o].is_green() && groups[o].kind == GroupKind::Vehicle;
                goes_on && all().any(|e| ends(e) && from[e] == Permissive && yields(e, o))
            })
            .collect();
        let mut length = Ds::ZERO;
        for e in all().filter(|&e| from[e].is_green()) {
            let group = &groups[e];
            if cut[e] {
                length = length.max(group.yellow + group.min_red + group.red_amber);
            }
            if ends(e) {
                length = length.max(group.yellow).max(group.clearance);
            }
            // Protection counts apart from green: a left turn that loses it must not meet the oncoming stream.
            if !cut[e] && from[e] == to[e] {
                continue;
            }
            for s in all().filter(|&s| s != e && to[s].is_green() && (cut[s] || from[s] != to[s])) {
                if let Relation::Conflict { intergreen } | Relation::Permitted { intergreen, .. } =
                    conflicts.get(GroupId::at(e), GroupId::at(s))
                {
                    length = length.max(intergreen);
                }
            }
        }
        let shows = all()
            .map(|g| match (from[g], to[g]) {
                (f, t) if f.is_green() && (cut[g] || !t.is_green()) => Yellow,
                (f, t) if f.is_green() && f != t => Permissive,
                (f, t) if f == t && (f.is_green() || f == StopThenGo) => f,
                _ => Red,
            })
            .collect();
        TimedStep { stage: None, length, shows }
    }

    /// True where a stage may be left out while all others are kept.
    #[must_use]
    pub fn may_omit(&self, stage: StageId) -> bool {
        let splits: Vec<Ds> =
            (0..self.stage_count()).map(|p| if p == stage.index() { Ds::ZERO } else { Ds(1) }).collect();
        self.left_without_green(&splits).is_none()
    }

    /// The first stage of zero length, with a group it shows green that no stage of another length does.
    fn left_without_green(&self, splits: &[Ds]) -> Option<(u32, u32)> {
        let kept = |g: usize| self.stages().zip(splits).any(|(s, d)| *d > Ds::ZERO && s.shows[g].is_green());
        self.stages().zip(splits).enumerate().filter(|(_, (_, d))| **d == Ds::ZERO).find_map(|(p, (s, _))| {
            let lost = (0..s.shows.len()).find(|&g| s.shows[g].is_green() && !kept(g))?;
            Some((p as u32, lost as u32))
        })
    }
}

fn greens_of(group: GroupId, course: &[TimedStep], cycle: Ds) -> Vec<GreenInterval> {
    let mut greens: Vec<GreenInterval> = Vec::new();
    let mut start = Ds::ZERO;
    for step in course {
        let protection = match step.shows[group.index()] {
            Indication::Protected => Some(Protection::Protected),
            Indication::Permissive => Some(Protection::Permissive),
            _ => None,
        };
        if let Some(protection) = protection.filter(|_| step.length > Ds::ZERO) {
            match greens.last_mut() {
                Some(g) if g.protection == protection && g.start + g.length == start => g.length += step.length,
                _ => greens.push(GreenInterval { start, length: step.length, protection }),
            }
        }
        start += step.length;
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
