//! The simplex method of microlp, by way of good_lp.

use std::time::Duration;

use good_lp::{
    Expression, ProblemVariables, ResolutionError, Solution as _, SolverModel, Variable, WithTimeLimit, microlp,
    solvers::SolutionStatus, variable,
};

use super::{LinearProgram, Sense, SolveError, SolveStatus, Var};
use crate::signals::Budget;

/// Values of all variables at an optimum, or at the best point the time allowed.
pub(super) fn minimise(
    lp: &LinearProgram,
    limit: Option<Duration>,
    budget: &dyn Budget,
) -> Result<(Vec<f64>, SolveStatus), SolveError> {
    let mut problem = ProblemVariables::new();
    let vars: Vec<Variable> = lp
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
    for (v, k) in vars.iter().zip(&lp.cost).filter(|(_, k)| **k != 0.0) {
        cost.add_mul(*k, *v);
    }
    let mut model = problem.minimise(cost).using(microlp);
    if let Some(d) = limit {
        model = model.with_time_limit(d.as_secs_f64());
    }
    for (terms, sense, rhs) in &lp.rows {
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
    let status = match solution.status() {
        SolutionStatus::Optimal => SolveStatus::Optimal,
        SolutionStatus::TimeLimit | SolutionStatus::GapLimit => SolveStatus::Feasible,
    };
    Ok((vars.iter().map(|v| solution.value(*v)).collect(), status))
}
