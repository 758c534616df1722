//! The interior-point method of Clarabel (Goulart, Chen 2024): a Rust library, one thread, the same bytes every time.

use std::time::Duration;

use clarabel::algebra::CscMatrix;
use clarabel::solver::{
    DefaultSettingsBuilder, DefaultSolver, IPSolver as _, NonnegativeConeT, SolverStatus, SupportedConeT, ZeroConeT,
};

use super::{LinearProgram, Sense, SolveError, SolveStatus};
use crate::signals::Budget;

/// Gap and residuals at which it stops: a hundred times finer than what answers are checked against.
const STOP: f64 = 1e-8;

/// Values of all variables at an optimum. There is no use in a point of this method before its end, so it gives none when
/// the time is up.
///
/// Refining the solution of every linear system takes a quarter of the time and hardly ever makes a difference: the method
/// sees for itself whether it comes to its tolerance. Where it does not, it begins again with refinement.
pub(super) fn minimise(
    lp: &LinearProgram,
    limit: Option<Duration>,
    budget: &dyn Budget,
) -> Result<(Vec<f64>, SolveStatus), SolveError> {
    match attempt(lp, limit, budget, false) {
        Err(SolveError::Failed { .. }) => attempt(lp, budget.time_left(), budget, true),
        answer => answer,
    }
}

fn attempt(
    lp: &LinearProgram,
    limit: Option<Duration>,
    budget: &dyn Budget,
    refines: bool,
) -> Result<(Vec<f64>, SolveStatus), SolveError> {
    let failed = |reason: String| SolveError::Failed { reason };
    let n = lp.bounds.len();
    let program = Rows::of(lp);
    let mut settings = DefaultSettingsBuilder::default();
    settings.verbose(false).tol_feas(STOP).tol_gap_abs(STOP).tol_gap_rel(STOP);
    settings.iterative_refinement_enable(refines);
    if let Some(limit) = limit {
        settings.time_limit(limit.as_secs_f64());
    }
    let settings = settings.build().map_err(|e| failed(e.to_string()))?;
    let (matrix, rhs, cones) = program.finish(n);
    let mut solver = DefaultSolver::new(&CscMatrix::zeros((n, n)), &lp.cost, &matrix, &rhs, &cones, settings)
        .map_err(|e| failed(e.to_string()))?;
    solver.solve();
    match solver.solution.status {
        SolverStatus::Solved => {}
        SolverStatus::PrimalInfeasible => return Err(SolveError::Infeasible),
        SolverStatus::DualInfeasible => return Err(SolveError::Unbounded),
        SolverStatus::MaxTime => return Err(SolveError::Deadline),
        _ if budget.exhausted() => return Err(SolveError::Deadline),
        other => return Err(failed(format!("{other:?}"))),
    }
    // It comes as near to a bound as its tolerance lets it, from either side.
    let held = |(x, &(low, high)): (&f64, &(f64, f64))| x.clamp(low, high);
    Ok((solver.solution.x.iter().zip(&lp.bounds).map(held).collect(), SolveStatus::Optimal))
}

/// Rows in the order of their cones, `A·x + s = b`: equations first (`s = 0`), then what is at most (`s ≥ 0`).
struct Rows {
    entries: Vec<(usize, usize, f64)>,
    rhs: Vec<f64>,
    equations: usize,
}

impl Rows {
    fn of(lp: &LinearProgram) -> Self {
        let mut rows = Self { entries: Vec::new(), rhs: Vec::new(), equations: 0 };
        for (terms, _, rhs) in lp.rows.iter().filter(|r| r.1 == Sense::Equal) {
            rows.push(terms.iter().map(|(v, k)| (v.0, *k)), *rhs);
        }
        // A variable that cannot vary is an equation: an interior needs room.
        for (i, &(low, _)) in lp.bounds.iter().enumerate().filter(|(_, (low, high))| low == high) {
            rows.push(std::iter::once((i, 1.0)), low);
        }
        rows.equations = rows.rhs.len();
        for (terms, sense, rhs) in lp.rows.iter().filter(|r| r.1 != Sense::Equal) {
            let sign = if *sense == Sense::AtMost { 1.0 } else { -1.0 };
            rows.push(terms.iter().map(|(v, k)| (v.0, sign * k)), sign * rhs);
        }
        for (i, &(low, high)) in lp.bounds.iter().enumerate().filter(|(_, (low, high))| low != high) {
            rows.push(std::iter::once((i, -1.0)), -low);
            if high.is_finite() {
                rows.push(std::iter::once((i, 1.0)), high);
            }
        }
        rows
    }

    fn push(&mut self, terms: impl Iterator<Item = (usize, f64)>, rhs: f64) {
        let row = self.rhs.len();
        self.entries.extend(terms.map(|(column, k)| (row, column, k)));
        self.rhs.push(rhs);
    }

    fn finish(self, columns: usize) -> (CscMatrix<f64>, Vec<f64>, Vec<SupportedConeT<f64>>) {
        let rows = self.rhs.len();
        let (i, (j, k)): (Vec<usize>, (Vec<usize>, Vec<f64>)) =
            self.entries.into_iter().map(|(i, j, k)| (i, (j, k))).unzip();
        let matrix = CscMatrix::new_from_triplets(rows, columns, i, j, k);
        let cones = vec![ZeroConeT(self.equations), NonnegativeConeT(rows - self.equations)];
        (matrix, self.rhs, cones)
    }
}
