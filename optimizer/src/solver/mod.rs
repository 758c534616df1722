//! The only code that sees a solver library: a linear program in plain numbers, solved within a budget.

use std::time::Duration;

use good_lp::{
    Expression, ProblemVariables, ResolutionError, Solution as _, SolverModel, Variable, WithTimeLimit, microlp,
    solvers::SolutionStatus, variable,
};

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
        let limit = budget.remaining();
        if limit == Some(Duration::ZERO) {
            return Err(SolveError::Deadline);
        }
        let mut problem = ProblemVariables::new();
        let vars: Vec<Variable> = self
            .bounds
            .iter()
            .map(|&(low, high)| {
                let v = variable().min(low);
                problem.add(if high.is_finite() { v.max(high) } else { v })
            })
            .collect();
        let sum = |terms: &[(Var, f64)]| {
            let mut e = Expression::with_capacity(terms.len());
            for (v, k) in terms {
                e.add_mul(*k, vars[v.0]);
            }
            e
        };
        let mut cost = Expression::with_capacity(vars.len());
        for (v, k) in vars.iter().zip(&self.cost).filter(|(_, k)| **k != 0.0) {
            cost.add_mul(*k, *v);
        }
        let mut model = problem.minimise(cost).using(microlp);
        if let Some(d) = limit {
            model = model.with_time_limit(d.as_secs_f64());
        }
        for (terms, sense, rhs) in &self.rows {
            let row = sum(terms);
            model = model.with(match sense {
                Sense::AtMost => row.leq(*rhs),
                Sense::AtLeast => row.geq(*rhs),
                Sense::Equal => row.eq(*rhs),
            });
        }
        let solution = model.solve().map_err(|e| match e {
            ResolutionError::Infeasible => SolveError::Infeasible,
            ResolutionError::Unbounded => SolveError::Unbounded,
            _ if budget.exhausted() => SolveError::Deadline,
            other => SolveError::Failed { reason: other.to_string() },
        })?;
        let values: Vec<f64> = vars.iter().map(|v| solution.value(*v)).collect();
        self.check_answer(&values)?;
        let status = match solution.status() {
            SolutionStatus::Optimal => SolveStatus::Optimal,
            SolutionStatus::TimeLimit | SolutionStatus::GapLimit => SolveStatus::Feasible,
        };
        let objective = values.iter().zip(&self.cost).map(|(x, c)| x * c).sum();
        Ok(Solved { values, objective, status })
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
}
