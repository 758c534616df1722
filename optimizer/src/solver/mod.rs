//! The only code that sees a solver library: a linear program in plain numbers, solved within a budget.
//!
//! Small programs go to a simplex method, which ends in a corner and needs no iteration to be exact; large ones to an
//! interior-point method, whose time hardly depends on the data. What either answers is checked here.

mod interior_point;
mod simplex;

use std::time::Duration;

use crate::signals::Budget;

/// A variable of a [`LinearProgram`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Var(usize);

/// How a row compares with its right-hand side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sense {
    /// Row ≤ right-hand side.
    AtMost,
    /// Row ≥ right-hand side.
    AtLeast,
    /// Row = right-hand side.
    Equal,
}

/// One row: terms, comparison, right-hand side.
type Row = (Vec<(Var, f64)>, Sense, f64);

/// A linear program to minimise.
#[derive(Debug, Clone, Default)]
pub(crate) struct LinearProgram {
    bounds: Vec<(f64, f64)>,
    cost: Vec<f64>,
    rows: Vec<Row>,
}

/// How a solve ended well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SolveStatus {
    /// Proven optimal.
    Optimal,
    /// Feasible, but the deadline came first.
    Feasible,
}

/// Why a solve gave nothing that may be used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SolveError {
    /// No values satisfy every row.
    #[error("the linear program has no feasible point")]
    Infeasible,
    /// The objective falls without end.
    #[error("the linear program is unbounded")]
    Unbounded,
    /// The deadline came before any feasible point.
    #[error("the deadline passed before a feasible point was found")]
    Deadline,
    /// A coefficient is NaN or infinite.
    #[error("{what} number {index} of the linear program is not finite")]
    NotFinite {
        /// Bound, cost or row.
        what: &'static str,
        /// Its number.
        index: usize,
    },
    /// The solver failed, or its answer breaks a bound or a row.
    #[error("the solver failed: {reason}")]
    Failed {
        /// What it said.
        reason: String,
    },
}

/// A point that satisfies every row, and its objective.
#[derive(Debug, Clone)]
pub(crate) struct Solved {
    values: Vec<f64>,
    /// Objective at the point.
    pub(crate) objective: f64,
    /// Proven optimal or only feasible.
    pub(crate) status: SolveStatus,
}

impl Solved {
    /// Value of a variable.
    pub(crate) fn value(&self, v: Var) -> f64 {
        self.values[v.0]
    }
}

/// Programs with more rows than this go to the interior-point method. A split program of some ten junctions has as many:
/// below it the simplex method is faster, above it soon ten times slower (`benches/benches/network_splits.rs`).
const SIMPLEX_ROWS_MAX: usize = 800;

/// Work of a solve: by rows × terms for the simplex method, whose pivots grow with the rows; by terms for the other.
const SIMPLEX_WORK: u64 = 4;
const INTERIOR_TERM_WORK: u64 = 10_000;

/// Slack allowed when an answer is checked against its own rows, relative to the row's size.
const TOLERANCE: f64 = 1e-6;

impl LinearProgram {
    /// Adds a variable with bounds (the upper one may be infinite) and cost.
    pub(crate) fn var(&mut self, low: f64, high: f64, cost: f64) -> Var {
        self.bounds.push((low, high));
        self.cost.push(cost);
        Var(self.bounds.len() - 1)
    }

    /// Sets a variable's cost.
    pub(crate) fn cost_of(&mut self, v: Var, cost: f64) {
        self.cost[v.0] = cost;
    }

    /// Adds a row.
    pub(crate) fn row(&mut self, terms: Vec<(Var, f64)>, sense: Sense, rhs: f64) {
        self.rows.push((terms, sense, rhs));
    }

    /// Minimises within the budget. The answer is checked against every bound and row before it is handed out.
    ///
    /// # Errors
    /// [`SolveError`]; a vector that is neither optimal nor feasible never leaves.
    pub(crate) fn minimise(&self, budget: &dyn Budget) -> Result<Solved, SolveError> {
        self.check_finite()?;
        let limit = budget.time_left();
        if budget.exhausted() || limit == Some(Duration::ZERO) {
            return Err(SolveError::Deadline);
        }
        // Where no time runs, nothing would end a solve that has begun.
        let work = self.work();
        if limit.is_none() && budget.left().is_some_and(|left| left < work) {
            return Err(SolveError::Deadline);
        }
        budget.spend(work);
        let (values, status) = if self.rows.len() > SIMPLEX_ROWS_MAX {
            interior_point::minimise(self, limit, budget)?
        } else {
            simplex::minimise(self, limit, budget)?
        };
        self.check_answer(&values)?;
        let objective = values.iter().zip(&self.cost).map(|(x, c)| x * c).sum();
        Ok(Solved { values, objective, status })
    }

    /// About what a solve takes, by the size of the program alone. The scale was set by the CPU time of whole steps, not of
    /// single solves: a unit came to 1 to 2 ns on a busy machine.
    fn work(&self) -> u64 {
        let (rows, terms) = (self.rows.len() as u64, self.rows.iter().map(|r| r.0.len() as u64).sum::<u64>());
        if self.rows.len() > SIMPLEX_ROWS_MAX { terms * INTERIOR_TERM_WORK } else { rows * terms * SIMPLEX_WORK }
    }

    fn check_finite(&self) -> Result<(), SolveError> {
        let bad = |what, index| Err(SolveError::NotFinite { what, index });
        if let Some(i) = self.bounds.iter().position(|(l, h)| !l.is_finite() || h.is_nan()) {
            return bad("bound", i);
        }
        if let Some(i) = self.cost.iter().position(|c| !c.is_finite()) {
            return bad("cost", i);
        }
        match self.rows.iter().position(|(t, _, r)| !r.is_finite() || t.iter().any(|(_, k)| !k.is_finite())) {
            Some(i) => bad("row", i),
            None => Ok(()),
        }
    }

    fn check_answer(&self, values: &[f64]) -> Result<(), SolveError> {
        let failed = |reason: String| Err(SolveError::Failed { reason });
        for (i, (x, (low, high))) in values.iter().zip(&self.bounds).enumerate() {
            let slack = TOLERANCE * (1.0 + x.abs());
            if !x.is_finite() || *x < low - slack || *x > high + slack {
                return failed(format!("variable {i} = {x} breaks its bounds {low} to {high}"));
            }
        }
        for (i, (terms, sense, rhs)) in self.rows.iter().enumerate() {
            let lhs: f64 = terms.iter().map(|(v, k)| values[v.0] * k).sum();
            let size: f64 = terms.iter().map(|(v, k)| (values[v.0] * k).abs()).sum::<f64>() + rhs.abs() + 1.0;
            let over = match sense {
                Sense::AtMost => lhs - rhs,
                Sense::AtLeast => rhs - lhs,
                Sense::Equal => (lhs - rhs).abs(),
            };
            if over > TOLERANCE * size {
                return failed(format!("row {i} is broken by {over}"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signals::{Exhausted, Unlimited};

    fn small() -> (LinearProgram, Var, Var) {
        // min -x - 2y, x + y <= 4, y <= 3, x, y >= 0: optimum at (1, 3).
        let mut lp = LinearProgram::default();
        let x = lp.var(0.0, f64::INFINITY, -1.0);
        let y = lp.var(0.0, 3.0, -2.0);
        lp.row(vec![(x, 1.0), (y, 1.0)], Sense::AtMost, 4.0);
        (lp, x, y)
    }

    #[test]
    fn an_optimum_is_found() {
        let (lp, x, y) = small();
        let s = lp.minimise(&Unlimited).unwrap();
        assert_eq!((s.value(x).round(), s.value(y).round(), s.status), (1.0, 3.0, SolveStatus::Optimal));
        assert!((s.objective + 7.0).abs() < 1e-9);
    }

    #[test]
    fn no_time_means_no_answer() {
        assert_eq!(small().0.minimise(&Exhausted).unwrap_err(), SolveError::Deadline);
    }

    #[test]
    fn what_cannot_be_is_said() {
        let (mut lp, x, _) = small();
        lp.row(vec![(x, 1.0)], Sense::AtLeast, 9.0);
        assert_eq!(lp.minimise(&Unlimited).unwrap_err(), SolveError::Infeasible);
        let (mut lp, x, _) = small();
        lp.row(vec![(x, f64::NAN)], Sense::AtLeast, 9.0);
        assert!(matches!(lp.minimise(&Unlimited).unwrap_err(), SolveError::NotFinite { what: "row", index: 1 }));
    }

    /// `n` variables in a box, rows through a point of it, so that there is a feasible point and no way to infinity.
    fn any_program() -> impl proptest::strategy::Strategy<Value = LinearProgram> {
        use proptest::prelude::*;
        let coefficient = || -4i32..=4;
        (2..9usize, 1..12usize).prop_flat_map(move |(n, m)| {
            let column = (0..5i32, 0..9i32, -5..=5i32, 0..=8i32);
            let row = (proptest::collection::vec(coefficient(), n), 0..3u8, 0..6i32);
            (proptest::collection::vec(column, n), proptest::collection::vec(row, m)).prop_map(|(columns, rows)| {
                let mut lp = LinearProgram::default();
                let mut point = Vec::new();
                for (low, width, cost, at) in columns {
                    lp.var(f64::from(low), f64::from(low + width), f64::from(cost));
                    point.push(f64::from(low) + f64::from(width) * f64::from(at) / 8.0);
                }
                for (coefficients, sense, room) in rows {
                    let at: f64 = coefficients.iter().zip(&point).map(|(k, x)| f64::from(*k) * x).sum();
                    let terms = coefficients.iter().enumerate().filter(|(_, k)| **k != 0);
                    let terms: Vec<_> = terms.map(|(i, k)| (Var(i), f64::from(*k))).collect();
                    match sense {
                        _ if terms.is_empty() => {}
                        0 => lp.row(terms, Sense::AtMost, at + f64::from(room)),
                        1 => lp.row(terms, Sense::AtLeast, at - f64::from(room)),
                        _ => lp.row(terms, Sense::Equal, at),
                    }
                }
                lp
            })
        })
    }

    proptest::proptest! {
        #[test]
        fn both_methods_agree(lp in any_program()) {
            let (corner, _) = simplex::minimise(&lp, None, &Unlimited).unwrap();
            let (inner, _) = interior_point::minimise(&lp, None, &Unlimited).unwrap();
            lp.check_answer(&corner).unwrap();
            lp.check_answer(&inner).unwrap();
            let cost = |x: &[f64]| x.iter().zip(&lp.cost).map(|(x, c)| x * c).sum::<f64>();
            let (a, b) = (cost(&corner), cost(&inner));
            proptest::prop_assert!((a - b).abs() <= 1e-6 * (1.0 + a.abs()), "{a} by the simplex method, {b} from inside");
        }
    }

    #[test]
    fn the_interior_point_method_says_what_cannot_be() {
        let (mut lp, x, _) = small();
        lp.row(vec![(x, 1.0)], Sense::AtLeast, 9.0);
        assert_eq!(interior_point::minimise(&lp, None, &Unlimited).unwrap_err(), SolveError::Infeasible);
        let mut lp = LinearProgram::default();
        lp.var(0.0, f64::INFINITY, -1.0);
        assert_eq!(interior_point::minimise(&lp, None, &Unlimited).unwrap_err(), SolveError::Unbounded);
        let (lp, ..) = small();
        let limit = Some(Duration::from_nanos(1));
        assert_eq!(interior_point::minimise(&lp, limit, &Unlimited).unwrap_err(), SolveError::Deadline);
    }
}
