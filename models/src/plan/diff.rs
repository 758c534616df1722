//! What changed from one plan to the next.

use serde::{Deserialize, Serialize};

use crate::signal::{PlanView, TimingPlan};

/// Differences between two plans of one controller, in signed deciseconds (new minus old).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PlanDiff {
    /// Cycle.
    pub cycle_ds: i64,
    /// Offset, the short way round the new cycle.
    pub offset_ds: i64,
    /// Splits, in the order of the view; empty when the two views are of different kinds.
    pub splits_ds: Vec<i64>,
}

fn splits(plan: &TimingPlan) -> Vec<i64> {
    match &plan.view {
        PlanView::Stages { splits } => splits.iter().map(|s| i64::from(s.green.0)).collect(),
        PlanView::RingBarrier { splits } => splits.iter().map(|s| i64::from(s.1.0)).collect(),
    }
}

impl PlanDiff {
    /// Compares `new` with `old`.
    #[must_use]
    pub fn between(old: &TimingPlan, new: &TimingPlan) -> Self {
        let (a, b) = (splits(old), splits(new));
        let same_kind = std::mem::discriminant(&old.view) == std::mem::discriminant(&new.view) && a.len() == b.len();
        let cycle = i64::from(new.cycle.0.max(1));
        let turn = (i64::from(new.offset.0) - i64::from(old.offset.0)).rem_euclid(cycle);
        Self {
            cycle_ds: i64::from(new.cycle.0) - i64::from(old.cycle.0),
            offset_ds: if turn * 2 > cycle { turn - cycle } else { turn },
            splits_ds: if same_kind { b.iter().zip(&a).map(|(n, o)| n - o).collect() } else { Vec::new() },
        }
    }

    /// True when nothing changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.cycle_ds == 0 && self.offset_ds == 0 && self.splits_ds.iter().all(|d| *d == 0)
    }
}
