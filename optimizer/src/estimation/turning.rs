//! Turning ratios by least absolute deviations with a prior.
//!
//! Every window, what leaves the lanes of a node (stop bars) and what enters the next approaches (advance loops) is
//! counted. Shares of each lane's vehicles that go each way are the values under which the sum of absolute differences
//! is least; a prior keeps them where the counts do not tell, and confidence says how much they did. Least absolute
//! deviations rather than squares, because a detector that is wrong is wrong by a lot.

use serde::{Deserialize, Serialize};

use crate::signals::Budget;
use crate::solver::{LinearProgram, Sense, SolveError};

/// Counts at one node over some windows of equal length.
#[derive(Debug, Clone, PartialEq)]
pub struct TurningCounts {
    /// `inflow[t][lane]`: vehicles that left each lane.
    pub inflow: Vec<Vec<f64>>,
    /// `outflow[t][exit]`: vehicles that entered each exit; NaN where that exit is not measured.
    pub outflow: Vec<Vec<f64>>,
    /// `prior[lane]`: `(exit, share)` of the exits the lane leads to; shares sum to one.
    pub prior: Vec<Vec<(usize, f64)>>,
}

/// Shares per lane, in the order of the prior.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TurningRatios {
    /// `shares[lane][k]` belongs to `prior[lane][k]`; each lane's shares sum to one.
    pub shares: Vec<Vec<f64>>,
    /// Vehicles behind the estimate of each lane whose exits are measured; low means that the prior speaks.
    pub evidence_veh: Vec<f64>,
}

/// Vehicles that the prior is worth.
const PRIOR_VEH: f64 = 10.0;

/// Estimates turning ratios.
///
/// # Errors
/// [`SolveError`] when the program cannot be solved in the budget; the prior then still stands.
pub fn turning_ratios(counts: &TurningCounts, budget: &dyn Budget) -> Result<TurningRatios, SolveError> {
    let mut lp = LinearProgram::default();
    let lanes = counts.prior.len();
    let mut share = Vec::with_capacity(lanes);
    for prior in &counts.prior {
        let mut row = Vec::with_capacity(prior.len());
        for (_, p) in prior {
            let v = lp.var(0.0, 1.0, 0.0);
            // v − p = up − down, both costing what the prior is worth.
            let (up, down) = (lp.var(0.0, 1.0, PRIOR_VEH), lp.var(0.0, 1.0, PRIOR_VEH));
            lp.row(vec![(v, 1.0), (up, -1.0), (down, 1.0)], Sense::Equal, *p);
            row.push(v);
        }
        if !row.is_empty() {
            lp.row(row.iter().map(|v| (*v, 1.0)).collect(), Sense::Equal, 1.0);
        }
        share.push(row);
    }
    let mut evidence_veh = vec![0.0; lanes];
    for (inflow, outflow) in counts.inflow.iter().zip(&counts.outflow) {
        for (exit, seen) in outflow.iter().enumerate().filter(|(_, o)| o.is_finite()) {
            let mut terms = Vec::new();
            for (lane, prior) in counts.prior.iter().enumerate() {
                for (k, (e, _)) in prior.iter().enumerate() {
                    if *e == exit && inflow[lane] > 0.0 {
                        terms.push((share[lane][k], inflow[lane]));
                        if prior.len() > 1 {
                            evidence_veh[lane] += inflow[lane];
                        }
                    }
                }
            }
            if terms.is_empty() {
                continue;
            }
            let (over, under) = (lp.var(0.0, f64::INFINITY, 1.0), lp.var(0.0, f64::INFINITY, 1.0));
            terms.push((over, -1.0));
            terms.push((under, 1.0));
            lp.row(terms, Sense::Equal, *seen);
        }
    }
    let solved = lp.minimise(budget)?;
    let shares = share.iter().map(|row| row.iter().map(|v| solved.value(*v).clamp(0.0, 1.0)).collect()).collect();
    Ok(TurningRatios { shares, evidence_veh })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signals::Unlimited;

    #[test]
    fn counts_move_the_shares_away_from_the_prior_and_an_outlier_does_not() {
        // One lane, two exits: 70 % go to exit 0. One window of exit 0 is wrong by a lot.
        let inflow: Vec<Vec<f64>> = (0..10).map(|t| vec![20.0 + f64::from(t % 3)]).collect();
        let outflow =
            inflow.iter().enumerate().map(|(t, i)| vec![if t == 4 { 90.0 } else { 0.7 * i[0] }, 0.3 * i[0]]).collect();
        let counts = TurningCounts { inflow, outflow, prior: vec![vec![(0, 0.5), (1, 0.5)]] };
        let r = turning_ratios(&counts, &Unlimited).unwrap();
        assert!((r.shares[0][0] - 0.7).abs() < 1e-6, "{r:?}");
        assert!(r.evidence_veh[0] > 300.0);
    }

    #[test]
    fn without_measured_exits_the_prior_stands_and_the_evidence_says_so() {
        let counts = TurningCounts {
            inflow: vec![vec![12.0]],
            outflow: vec![vec![f64::NAN, f64::NAN]],
            prior: vec![vec![(0, 0.8), (1, 0.2)]],
        };
        let r = turning_ratios(&counts, &Unlimited).unwrap();
        assert_eq!(r.evidence_veh, vec![0.0]);
        assert!((r.shares[0][0] - 0.8).abs() < 1e-9);
    }
}
