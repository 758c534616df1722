//! One controller decides for itself: its cycle is whatever its stages add up to.

use crate::solver::SolveStatus;

use super::budget::Budget;
use super::cycle::allsop;
use super::fluid::Arrivals;
use super::junction::{Demand, Junction};
use super::max_pressure::{fill, max_pressure};
use super::refine::{Bounds, Refined, delay, refine};
use super::splits::{GroupJunction, split_plan};

/// From so many ways to leave stages out the descent is tried.
const SHORTENINGS_TRIED: usize = 3;

/// Which method gave the splits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Store-and-forward linear program, refined on the second-by-second model.
    StoreAndForward,
    /// Cyclic max pressure, because the program was late or failed.
    MaxPressure,
    /// The plan was kept.
    Keep,
}

/// Splits of one controller and what is said about them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Decision {
    pub(crate) splits_s: Vec<u32>,
    pub(crate) method: Method,
    /// Modelled delay of the new splits and of the old ones, vehicle-seconds over the horizon.
    pub(crate) delay_veh_s: f64,
    pub(crate) kept_veh_s: f64,
    /// Growth of demand the junction could bear (Allsop's μ), where it was solved.
    pub(crate) mu: Option<f64>,
    /// Lane that binds.
    pub(crate) binding_lane: Option<usize>,
    pub(crate) status: Option<SolveStatus>,
    pub(crate) objective: Option<f64>,
    /// What went wrong on the way, if anything.
    pub(crate) trouble: Option<String>,
}

/// Rounds stage lengths to whole seconds with the same total (largest remainder), within bounds.
pub(crate) fn whole_seconds(splits_s: &[f64], bounds: &[(u32, u32)]) -> Vec<u32> {
    let total = splits_s.iter().sum::<f64>().round() as i64;
    let mut out: Vec<u32> =
        splits_s.iter().zip(bounds).map(|(s, b)| (s.max(0.0).floor() as u32).clamp(b.0, b.1)).collect();
    let mut order: Vec<usize> = (0..out.len()).collect();
    order.sort_by(|&a, &b| (splits_s[b].fract()).total_cmp(&splits_s[a].fract()).then(a.cmp(&b)));
    for _ in 0..2 {
        for &p in &order {
            let sum: i64 = out.iter().map(|s| i64::from(*s)).sum();
            if sum < total && out[p] < bounds[p].1 {
                out[p] += 1;
            } else if sum > total && out[p] > bounds[p].0 {
                out[p] -= 1;
            }
        }
    }
    out
}

/// Descends from the program's answer, and from the most promising ways to leave stages out of it.
fn descend(
    junction: &Junction,
    demand: &Demand,
    arrivals: &Arrivals,
    start: &[u32],
    bounds: &Bounds,
    budget: &dyn Budget,
) -> Option<Refined> {
    let mut shorter: Vec<(f64, Vec<u32>)> = junction
        .shortenings(start, &bounds.may_go)
        .into_iter()
        .map(|s| (delay(junction, demand, arrivals, &s), s))
        .collect();
    shorter.sort_by(|a, b| a.0.total_cmp(&b.0));
    let starts = std::iter::once(start.to_vec()).chain(shorter.into_iter().take(SHORTENINGS_TRIED).map(|s| s.1));
    starts
        .filter_map(|from| refine(junction, demand, arrivals, &from, bounds, budget))
        .min_by(|a, b| a.delay_veh_s.total_cmp(&b.delay_veh_s))
}

/// Decides the next cycle of a member of a group, from what the group's linear program asks of it.
pub(crate) fn decide_from(
    junction: &Junction,
    demand: &Demand,
    arrivals: &Arrivals,
    running_s: &[u32],
    bounds: &Bounds,
    asked_s: &[f64],
    budget: &dyn Budget,
) -> Decision {
    let kept_veh_s = delay(junction, demand, arrivals, running_s);
    let start = whole_seconds(asked_s, &bounds.stages_s);
    let found = descend(junction, demand, arrivals, &start, bounds, budget);
    let kept = Refined { splits_s: running_s.to_vec(), delay_veh_s: kept_veh_s };
    let Refined { splits_s, delay_veh_s } = found.unwrap_or(kept);
    let exact: Vec<f64> = splits_s.iter().map(|s| f64::from(*s)).collect();
    let capacity_veh = junction.capacity_veh(&junction.service(demand, &exact), &exact);
    let fullness = |l: &usize| demand.flow_vps[*l] / capacity_veh[*l].max(1e-3);
    Decision {
        splits_s,
        method: Method::StoreAndForward,
        delay_veh_s,
        kept_veh_s,
        mu: None,
        binding_lane: (0..junction.lanes.len()).max_by(|a, b| fullness(a).total_cmp(&fullness(b))),
        status: None,
        objective: None,
        trouble: None,
    }
}

/// Decides the next cycle of one controller.
pub(crate) fn decide(
    junction: &Junction,
    demand: &Demand,
    arrivals: &Arrivals,
    running_s: &[u32],
    bounds: &Bounds,
    horizon_cycles: usize,
    budget: &dyn Budget,
) -> Decision {
    let running: Vec<f64> = running_s.iter().map(|s| f64::from(*s)).collect();
    // The linear programs see the whole program; which stages go is found on the finer model.
    let minima: Vec<f64> = bounds.stages_s.iter().map(|b| f64::from(b.0)).collect();
    let reference: Vec<f64> = running.iter().zip(&minima).map(|(s, min)| s.max(*min)).collect();
    let service = junction.service(demand, &reference);
    let clearance_s = service.shape.clearance_s;
    let kept_veh_s = delay(junction, demand, arrivals, running_s);
    let bounds_f: Vec<(f64, f64)> = bounds.stages_s.iter().map(|b| (f64::from(b.0), f64::from(b.1))).collect();
    let range_s = bounds.cycle_s;
    let answer = allsop(junction, &service, demand, range_s, budget).and_then(|a| {
        let cycle_s = a.shortest_s.clamp(range_s.0, range_s.1);
        let least: f64 = bounds_f.iter().map(|b| b.0).sum::<f64>() + clearance_s;
        let most: f64 = bounds_f.iter().map(|b| b.1).sum::<f64>() + clearance_s;
        let cycle_s = cycle_s.clamp(least.min(most), most);
        let capacity = junction.capacity_veh(&service, &reference);
        let load: Vec<f64> = (0..junction.stages)
            .map(|p| {
                let step = service.shape.steps.iter().position(|s| s.stage == Some(p)).unwrap_or(0);
                (0..junction.lanes.len())
                    .filter(|l| service.rate_vps[step][*l] > 0.0 && capacity[*l] > 0.0)
                    .map(|l| demand.flow_vps[l] / service.rate_vps[step][l])
                    .fold(0.0, f64::max)
            })
            .collect();
        let reference_s = fill(&load, &bounds_f, cycle_s - clearance_s);
        let member = GroupJunction { junction, service: &service, demand, reference_s, bounds_s: bounds_f.clone() };
        split_plan(&[member], &[], cycle_s, horizon_cycles, budget).map(|s| (a, s))
    });
    match answer {
        Ok((a, plan)) => {
            let start = whole_seconds(&plan.splits_s[0], &bounds.stages_s);
            let refined = descend(junction, demand, arrivals, &start, bounds, budget)
                .unwrap_or_else(|| Refined { splits_s: running_s.to_vec(), delay_veh_s: kept_veh_s });
            Decision {
                splits_s: refined.splits_s,
                method: Method::StoreAndForward,
                delay_veh_s: refined.delay_veh_s,
                kept_veh_s,
                mu: Some(a.mu),
                binding_lane: plan.fullest.map(|f| f.1).or(a.binding_lane),
                status: Some(plan.status),
                objective: Some(plan.objective),
                trouble: None,
            }
        }
        Err(e) => {
            let cycle_s = running.iter().sum::<f64>() + clearance_s;
            let none = vec![0.0; junction.lanes.len()];
            let splits = max_pressure(junction, &service, &demand.queue_veh, &none, &bounds_f, cycle_s);
            let splits_s = whole_seconds(&splits, &bounds.stages_s);
            let delay_veh_s = delay(junction, demand, arrivals, &splits_s);
            Decision {
                splits_s,
                method: Method::MaxPressure,
                delay_veh_s,
                kept_veh_s,
                mu: None,
                binding_lane: None,
                status: None,
                objective: None,
                trouble: Some(e.to_string()),
            }
        }
    }
}
