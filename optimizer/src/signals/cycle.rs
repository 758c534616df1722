//! One cycle for a coordination group: Allsop's linear program, then the least delay among the cycles that suffice.
//!
//! With `z = 1/C` and `λ_p = g_p/C` the largest `μ` is sought by which every demand could be multiplied
//! (Allsop 1972): `μ·q_l ≤ x_max·capacity_l(λ, z)`, `Σ λ_p + lost·z = 1`, `λ_p ≥ min_p·z`, `1/C_max ≤ z ≤ 1/C_min`. Where
//! `μ < 1` the junction is oversaturated and the longest cycle is right; otherwise cycles are compared by delay.

use crate::solver::{LinearProgram, Sense, SolveError, Var};

use super::budget::Budget;
use super::junction::{Demand, Junction, Service};

/// Degree of saturation at which a lane is taken to be full (0.9 leaves room for the random part of demand).
pub(crate) const SATURATION_MAX: f64 = 0.9;

/// What Allsop's program says about one junction.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Allsop {
    /// By how much every demand could grow; below one the junction is oversaturated.
    pub(crate) mu: f64,
    /// Shortest cycle that serves `min(μ, 1)` of the demand, seconds.
    pub(crate) shortest_s: f64,
    /// Lane that binds first.
    pub(crate) binding_lane: Option<usize>,
}

struct Shares {
    z: Var,
    lambda: Vec<Var>,
}

/// Rows common to both programs; returns the shares and adds the capacity rows with `scale` on the demand.
fn rows(
    lp: &mut LinearProgram,
    junction: &Junction,
    service: &Service,
    demand: &Demand,
    range_s: (f64, f64),
    scale: Scale,
) -> Shares {
    let z = lp.var(1.0 / range_s.1, 1.0 / range_s.0, 0.0);
    let lambda: Vec<Var> = (0..junction.stages).map(|_| lp.var(0.0, 1.0, 0.0)).collect();
    let mut whole: Vec<(Var, f64)> = lambda.iter().map(|l| (*l, 1.0)).collect();
    whole.push((z, service.shape.clearance_s));
    lp.row(whole, Sense::Equal, 1.0);
    for step in &service.shape.steps {
        if let Some(p) = step.stage {
            lp.row(vec![(lambda[p], 1.0), (z, -step.least_s)], Sense::AtLeast, 0.0);
        }
    }
    for (l, flow) in demand.flow_vps.iter().enumerate() {
        if *flow <= 1e-6 {
            continue;
        }
        let mut terms = Vec::new();
        let mut per_cycle = -junction.start_up_veh(service, l);
        for (s, step) in service.shape.steps.iter().enumerate() {
            match step.stage {
                Some(p) => terms.push((lambda[p], SATURATION_MAX * service.rate_vps[s][l])),
                None => per_cycle += service.rate_vps[s][l] * step.least_s,
            }
            per_cycle += service.extra_veh[s][l];
        }
        terms.push((z, SATURATION_MAX * per_cycle));
        let rhs = match scale {
            Scale::Free(mu) => {
                terms.push((mu, -flow));
                0.0
            }
            Scale::Fixed(mu) => mu * flow,
        };
        lp.row(terms, Sense::AtLeast, rhs);
    }
    Shares { z, lambda }
}

#[derive(Clone, Copy)]
enum Scale {
    Free(Var),
    Fixed(f64),
}

/// Solves both programs for one junction, cycles within `range_s` (shortest, longest).
///
/// # Errors
/// [`SolveError`] when the budget ends first or the program has no point (a range below the sum of minima).
pub(crate) fn allsop(
    junction: &Junction,
    service: &Service,
    demand: &Demand,
    range_s: (f64, f64),
    budget: &dyn Budget,
) -> Result<Allsop, SolveError> {
    let mut lp = LinearProgram::default();
    let mu = lp.var(0.0, 100.0, -1.0);
    let shares = rows(&mut lp, junction, service, demand, range_s, Scale::Free(mu));
    let most = lp.minimise(budget)?;
    let mu = most.value(mu);
    let binding_lane = binding(junction, service, demand, &shares, &most);
    if mu <= 1.0 {
        return Ok(Allsop { mu, shortest_s: range_s.1, binding_lane });
    }
    let mut lp = LinearProgram::default();
    let shares = rows(&mut lp, junction, service, demand, range_s, Scale::Fixed(1.0));
    lp.cost_of(shares.z, -1.0);
    let shortest = lp.minimise(budget)?;
    Ok(Allsop { mu, shortest_s: 1.0 / shortest.value(shares.z), binding_lane })
}

/// The lane with the least room at the optimum.
fn binding(
    junction: &Junction,
    service: &Service,
    demand: &Demand,
    shares: &Shares,
    at: &crate::solver::Solved,
) -> Option<usize> {
    let cycle_s = 1.0 / at.value(shares.z);
    let splits_s: Vec<f64> = shares.lambda.iter().map(|l| at.value(*l) * cycle_s).collect();
    let capacity = junction.capacity_veh(service, &splits_s);
    (0..junction.lanes.len()).filter(|l| demand.flow_vps[*l] > 1e-6).max_by(|a, b| {
        let x = |l: &usize| demand.flow_vps[*l] * cycle_s / capacity[*l].max(1e-6);
        x(a).total_cmp(&x(b))
    })
}
