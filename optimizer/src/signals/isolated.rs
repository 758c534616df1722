//! One controller decides for itself: its cycle is whatever its stages add up to.
//!
//! Whatever is decided here lies within the bounds of the change and is legal by the validator's own rules, which the
//! caller brings along; where nothing else is, what runs is kept.

use crate::solver::{SolveError, SolveStatus};

use super::budget::Budget;
use super::cycle::allsop;
use super::fluid::Arrivals;
use super::junction::{Demand, Junction};
use super::max_pressure::{Onward, fill, lengths_s};
use super::refine::{Bounds, Refined, Search};
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

/// What a controller decides by.
pub(crate) struct Case<'a> {
    pub(crate) junction: &'a Junction,
    pub(crate) demand: &'a Demand,
    pub(crate) arrivals: &'a Arrivals,
    /// Stage lengths of the plan that runs.
    pub(crate) running_s: &'a [u32],
    pub(crate) bounds: &'a Bounds,
    /// Where the vehicles of each lane go, and what stands there; empty where nothing is known of it.
    pub(crate) onward: &'a [Vec<Onward>],
    /// True where the validator would let stage lengths within the bounds pass.
    pub(crate) legal: &'a dyn Fn(&[u32]) -> bool,
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
fn descend(search: &mut Search<'_>, start: &[u32], budget: &dyn Budget) -> Option<Refined> {
    let (junction, bounds) = (search.case().junction, search.case().bounds);
    let mut shorter: Vec<(f64, Vec<u32>)> =
        junction.shortenings(start, &bounds.may_go).into_iter().map(|s| (search.delay(&s, budget), s)).collect();
    shorter.sort_by(|a, b| a.0.total_cmp(&b.0));
    let starts = std::iter::once(start.to_vec()).chain(shorter.into_iter().take(SHORTENINGS_TRIED).map(|s| s.1));
    starts.filter_map(|from| search.refine(&from, budget)).min_by(|a, b| a.delay_veh_s.total_cmp(&b.delay_veh_s))
}

/// Decides the next cycle of a member of a group, from what the group's linear program asks of it.
pub(crate) fn decide_from(case: &Case<'_>, asked_s: &[f64], budget: &dyn Budget) -> Decision {
    let Case { junction, demand, bounds, .. } = *case;
    let mut search = Search::new(case);
    let kept_veh_s = search.delay(case.running_s, budget);
    let start = whole_seconds(asked_s, &bounds.stages_s);
    let found = descend(&mut search, &start, budget);
    let kept = Refined { splits_s: case.running_s.to_vec(), delay_veh_s: kept_veh_s };
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
pub(crate) fn decide(case: &Case<'_>, horizon_cycles: usize, budget: &dyn Budget) -> Decision {
    let Case { junction, demand, bounds, running_s, .. } = *case;
    // The linear programs see the whole program; which stages go is found on the finer model.
    let reference: Vec<f64> = running_s.iter().zip(&bounds.stages_s).map(|(s, b)| f64::from((*s).max(b.0))).collect();
    let service = junction.service(demand, &reference);
    let clearance_s = service.shape.clearance_s;
    let mut search = Search::new(case);
    let kept_veh_s = search.delay(running_s, budget);
    let bounds_f = bounds.exact_s();
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
            let refined = descend(&mut search, &start, budget)
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
        Err(e) => without_search(&mut search, kept_veh_s, &e, budget),
    }
}

/// Cyclic max pressure: the whole program, and the stages that run; of what is allowed, that of less delay.
fn without_search(search: &mut Search<'_>, kept_veh_s: f64, trouble: &SolveError, budget: &dyn Budget) -> Decision {
    let running_s = search.case().running_s;
    let all = vec![true; running_s.len()];
    let shown: Vec<bool> = running_s.iter().map(|s| *s > 0).collect();
    let mut kept = vec![all, shown];
    kept.dedup();
    let proposals: Vec<Vec<u32>> = kept.iter().filter_map(|kept| by_pressure(search.case(), kept)).collect();
    let found = proposals
        .into_iter()
        .filter_map(|s| search.legal(&s, budget).then(|| (search.delay(&s, budget), s)))
        .min_by(|a, b| a.0.total_cmp(&b.0));
    let method = if found.is_some() { Method::MaxPressure } else { Method::Keep };
    let (delay_veh_s, splits_s) = found.unwrap_or_else(|| (kept_veh_s, running_s.to_vec()));
    Decision {
        splits_s,
        method,
        delay_veh_s,
        kept_veh_s,
        mu: None,
        binding_lane: None,
        status: None,
        objective: None,
        trouble: Some(trouble.to_string()),
    }
}

/// Stage lengths by pressure for a cycle as long as the one that runs, as far as the bounds allow; `None` where they
/// leave nothing with just these stages.
fn by_pressure(case: &Case<'_>, kept: &[bool]) -> Option<Vec<u32>> {
    let Case { junction, demand, bounds, running_s, .. } = *case;
    let lengths = |(p, s): (usize, &u32)| if kept[p] { f64::from((*s).max(bounds.stages_s[p].0)) } else { 0.0 };
    let reference: Vec<f64> = running_s.iter().enumerate().map(lengths).collect();
    let shape = junction.shape(&reference)?;
    let running: Vec<f64> = running_s.iter().map(|s| f64::from(*s)).collect();
    let running_shape = junction.shape(&running).unwrap_or(shape);
    let cycle_s = (running.iter().sum::<f64>() + running_shape.clearance_s).clamp(bounds.cycle_s.0, bounds.cycle_s.1);
    let service = junction.service(demand, &reference);
    let mut bounds_s = bounds.exact_s();
    for (b, _) in bounds_s.iter_mut().zip(kept).filter(|(_, kept)| !**kept) {
        *b = (0.0, 0.0);
    }
    let splits = lengths_s(junction, &service, &demand.queue_veh, case.onward, &bounds_s, cycle_s);
    let whole_bounds: Vec<(u32, u32)> = bounds_s.iter().map(|b| (b.0 as u32, b.1 as u32)).collect();
    bounds.repaired(junction, &whole_seconds(&splits, &whole_bounds))
}
