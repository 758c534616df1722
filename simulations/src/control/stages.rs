//! What a controller may show: the stages of its program, in any order.
//!
//! Reference rules do not invent signals. They choose among the stages that the controller's own program has, and
//! [`Switch`](super::switch::Switch) takes them safely from one to the other.

use std::sync::Arc;

use greenkerb_models::ids::GroupId;
use greenkerb_models::signal::{Controller, Indication, Relation, StepKind};
use greenkerb_models::units::Ds;

/// One stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    /// Position of its step in the program.
    pub step: usize,
    /// What each group shows, in group order.
    pub shows: Vec<Indication>,
    /// Its shortest length.
    pub min: Ds,
    /// Length in the plan the controller ships with.
    pub shipped: Ds,
}

/// The stages of one controller.
#[derive(Debug, Clone)]
pub struct Stages {
    controller: Arc<Controller>,
    stages: Vec<Stage>,
    distinct: Vec<usize>,
    yellow_alone: Option<Ds>,
}

impl Stages {
    /// The stages of a controller's program, in its order.
    #[must_use]
    pub fn of(controller: Arc<Controller>) -> Self {
        let stages: Vec<Stage> = controller
            .program
            .steps
            .iter()
            .enumerate()
            .filter_map(|(step, s)| match s.kind {
                StepKind::Stage { min, .. } => Some(Stage { step, shows: s.shows.clone(), min, shipped: s.shipped }),
                StepKind::Clearance => None,
            })
            .collect();
        let first_like = |i: usize| stages.iter().position(|s| s.shows == stages[i].shows) == Some(i);
        let distinct = (0..stages.len()).filter(|&i| first_like(i)).collect();
        Self { controller, stages, distinct, yellow_alone: None }
    }

    /// The same stages with so much yellow between any two in which somebody's green ends, and nothing else: no all-red,
    /// no shortest greens of groups, no regard to yellow traps. This is how rules are switched where signals are a model
    /// only; the controller's database is not kept.
    #[must_use]
    pub fn with_yellow_alone(self, yellow: Option<Ds>) -> Self {
        Self { yellow_alone: yellow, ..self }
    }

    /// The yellow between stages where it alone is kept; none where the controller's database is.
    #[must_use]
    pub const fn yellow_alone(&self) -> Option<Ds> {
        self.yellow_alone
    }

    /// The controller.
    #[must_use]
    pub fn controller(&self) -> &Arc<Controller> {
        &self.controller
    }

    /// All stages in program order; never empty for a controller of a built network.
    #[must_use]
    pub fn all(&self) -> &[Stage] {
        &self.stages
    }

    /// Positions of the stages that differ: of several that show the same, the first.
    #[must_use]
    pub fn distinct(&self) -> &[usize] {
        &self.distinct
    }

    /// What a group shows in a stage.
    #[must_use]
    pub fn shows(&self, stage: usize, group: GroupId) -> Indication {
        self.stages[stage].shows[group.index()]
    }

    /// Time the program keeps between a stage and the one that follows it; nothing where `to` does not follow `from`.
    #[must_use]
    pub fn program_clearance(&self, from: usize, to: usize) -> Option<Ds> {
        if to != (from + 1) % self.stages.len() {
            return None;
        }
        let steps = &self.controller.program.steps;
        let n = steps.len();
        let (a, b) = (self.stages[from].step, self.stages[to].step);
        Some((1..(b + n - a - 1) % n + 1).map(|k| steps[(a + k) % n].shipped).sum())
    }

    /// Groups that are green in both stages and yet must end between them: whoever waits in a permissive green that
    /// ends takes the stream it yields to to end as well (yellow trap). Where the program itself goes from one stage to
    /// the other, what it shows counts.
    #[must_use]
    pub fn cut(&self, from: usize, to: usize) -> Vec<bool> {
        let (a, b) = (&self.stages[from].shows, &self.stages[to].shows);
        let groups = &self.controller.groups;
        let follows = self.yellow_alone.is_some() || self.program_clearance(from, to).is_some();
        let ends = |g: usize| a[g].is_green() && !b[g].is_green();
        let yields = |e: usize, o: usize| {
            matches!(
                self.controller.conflicts.get(GroupId::at(e), GroupId::at(o)),
                Relation::Permitted { yields: true, .. }
            )
        };
        (0..groups.len())
            .map(|o| {
                !follows
                    && a[o].is_green()
                    && b[o].is_green()
                    && groups[o].kind == greenkerb_models::signal::GroupKind::Vehicle
                    && (0..groups.len()).any(|e| ends(e) && a[e] == Indication::Permissive && yields(e, o))
            })
            .collect()
    }

    /// The shortest set of stages, taken in order, that serves every group any stage serves; a stage is taken when it
    /// brings a protected green and some green that no stage before it brought. It makes a cycle of a program that is
    /// only a list of stages for learners.
    #[must_use]
    pub fn cover(&self) -> Vec<usize> {
        let groups = self.controller.groups.len();
        let served = |stage: usize, g: usize| self.stages[stage].shows[g].is_green();
        let protected = |stage: usize, g: usize| self.stages[stage].shows[g] == Indication::Protected;
        let mut seen = vec![false; groups];
        let mut seen_protected = vec![false; groups];
        let mut kept = Vec::new();
        for &stage in &self.distinct {
            let brings =
                |had: &[bool], has: &dyn Fn(usize, usize) -> bool| (0..groups).any(|g| has(stage, g) && !had[g]);
            if kept.is_empty() || (brings(&seen, &served) && brings(&seen_protected, &protected)) {
                kept.push(stage);
                for g in 0..groups {
                    seen[g] |= served(stage, g);
                    seen_protected[g] |= protected(stage, g);
                }
            }
        }
        // A group that is only ever permissive beside what others bring is not left out.
        for &stage in &self.distinct {
            if (0..groups).any(|g| served(stage, g) && !seen[g]) {
                kept.push(stage);
                for (g, seen) in seen.iter_mut().enumerate() {
                    *seen |= served(stage, g);
                }
            }
        }
        kept.sort_unstable();
        kept
    }

    /// True where the program is no cycle but a list of stages to choose from: it has more stages than it needs to serve
    /// everybody twice over.
    #[must_use]
    pub fn is_list(&self) -> bool {
        self.distinct.len() >= 2 * self.cover().len() && self.distinct.len() > 4
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::sample;

    #[test]
    fn stages_are_those_of_the_program() {
        let stages = Stages::of(Arc::new(crate::field::sample::controller()));
        assert_eq!(stages.all().len(), 2);
        assert_eq!(stages.distinct(), [0, 1]);
        assert_eq!(stages.program_clearance(0, 1), Some(Ds::from_s(5)));
        assert_eq!(stages.program_clearance(1, 0), Some(Ds::from_s(5)));
        assert_eq!(stages.program_clearance(1, 1), None);
        assert_eq!(stages.cover(), [0, 1]);
        assert!(!stages.is_list());
    }

    #[test]
    fn a_list_for_learners_is_covered_by_its_first_stages() {
        let stages = Stages::of(Arc::new(sample::eight_stages()));
        assert_eq!(stages.all().len(), 8);
        assert_eq!(stages.cover(), [0, 1, 4, 5]);
        assert!(stages.is_list());
    }

    #[test]
    fn a_stream_that_goes_on_is_cut_where_a_permissive_turn_across_it_ends() {
        let stages = Stages::of(Arc::new(sample::permissive_cross()));
        // From both mains with permissive turns to the lead of one of them: the other's turn ends.
        let cut = stages.cut(0, 2);
        assert_eq!(cut, [true, false, false, false]);
        // The program itself goes from 0 to 1.
        assert!(stages.cut(0, 1).iter().all(|c| !c));
    }
}
