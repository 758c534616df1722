//! Splits of a coordination group: a rolling-horizon store-and-forward linear program.
//!
//! Model family of Diakaki et al. (2002) and Aboudolas, Papageorgiou, Kosmatopoulos (2009): per cycle `k` each lane keeps
//! `x_k = x_{k−1} + in − u` vehicles, serves `u ≤ capacity(g)`, and receives what its own arrivals and the lanes upstream
//! bring. Stage greens `g` fill the cycle. Queues cost by their length, storage overruns by much more, and greens away
//! from the reference by a little, so that spare green goes where it does most good.

use crate::solver::{LinearProgram, Sense, SolveError, SolveStatus, Var};

use super::budget::Budget;
use super::feeds;
use super::junction::{Demand, Junction, Service};

/// What a vehicle beyond storage costs against one that waits within it.
const SPILL_COST: f64 = 50.0;

/// Cost of the fullest lane of the group, per share of storage: evens queues out before any lane spills.
const FULLEST_COST: f64 = 2.0;

/// Cost of a second away from the reference splits.
const DEVIATION_COST: f64 = 0.02;

/// Later cycles weigh less: they will be decided again with better data.
const CYCLE_WEIGHT: f64 = 0.9;

/// Weight of a queue that a neighbour feeds, against one at the edge: a little less, so that nothing is held back
/// upstream for the sake of the sum alone.
const FED_WEIGHT: f64 = 0.9;

/// One junction of the group.
#[derive(Debug, Clone)]
pub(crate) struct GroupJunction<'a> {
    /// Its model.
    pub(crate) junction: &'a Junction,
    /// What its lanes can pass.
    pub(crate) service: &'a Service,
    /// What is asked of it.
    pub(crate) demand: &'a Demand,
    /// Splits that spare green is drawn to, seconds.
    pub(crate) reference_s: Vec<f64>,
    /// Shortest and longest length of each stage in this update, seconds.
    pub(crate) bounds_s: Vec<(f64, f64)>,
}

/// Vehicles of one lane that go on to a lane of another junction of the group.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Feed {
    /// Junction and lane they leave.
    pub(crate) from: (usize, usize),
    /// Junction and lane they enter.
    pub(crate) to: (usize, usize),
    /// Share of the vehicles that leave.
    pub(crate) share: f64,
    /// Whole cycles on the way.
    pub(crate) delay_cycles: usize,
}

impl Feed {
    /// The feeds between controllers of a group. A feed into several lanes is spread evenly.
    pub(crate) fn within(feeds: &[feeds::Feed], members: &[usize], cycle_s: f64) -> Vec<Self> {
        let at = |controller: usize| members.iter().position(|m| *m == controller);
        feeds
            .iter()
            .filter_map(|f| Some((f, at(f.from.0)?, at(f.to.0)?)))
            .flat_map(|(f, from, to)| {
                f.to.1.iter().map(move |lane| Self {
                    from: (from, f.from.1),
                    to: (to, *lane),
                    share: f.share / f.to.1.len() as f64,
                    delay_cycles: (f.travel_s / cycle_s).round() as usize,
                })
            })
            .collect()
    }
}

/// Splits of every junction and how good they are.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SplitPlan {
    /// Stage lengths of the first cycle, seconds, per junction.
    pub(crate) splits_s: Vec<Vec<f64>>,
    /// Objective of the program.
    pub(crate) objective: f64,
    /// Proven or only feasible.
    pub(crate) status: SolveStatus,
    /// Lane with the fullest storage at the end of the first cycle, as (junction, lane, queue).
    pub(crate) fullest: Option<(usize, usize, f64)>,
}

/// Solves for all junctions of a group at one cycle length.
///
/// # Errors
/// [`SolveError`] when the budget ends first or bounds leave no point.
pub(crate) fn split_plan(
    group: &[GroupJunction<'_>],
    feeds: &[Feed],
    cycle_s: f64,
    horizon: usize,
    budget: &dyn Budget,
) -> Result<SplitPlan, SolveError> {
    let mut lp = LinearProgram::default();
    let mut model = Model { greens: Vec::new(), served: Vec::new(), queues: Vec::new() };
    for k in 0..horizon {
        let weight = CYCLE_WEIGHT.powi(k as i32);
        let fullest = lp.var(0.0, f64::INFINITY, FULLEST_COST * weight);
        model.greens.push(group.iter().map(|j| greens(&mut lp, j, cycle_s, weight)).collect::<Vec<_>>());
        let fed = |at: (usize, usize)| feeds.iter().any(|f| f.to == at);
        let (mut served, mut queues) = (Vec::new(), Vec::new());
        for (i, j) in group.iter().enumerate() {
            served.push((0..j.junction.lanes.len()).map(|_| lp.var(0.0, f64::INFINITY, 0.0)).collect::<Vec<_>>());
            queues.push(
                (0..j.junction.lanes.len())
                    .map(|l| lp.var(0.0, f64::INFINITY, weight * if fed((i, l)) { FED_WEIGHT } else { 1.0 }))
                    .collect::<Vec<_>>(),
            );
        }
        model.served.push(served);
        model.queues.push(queues);
        for (i, j) in group.iter().enumerate() {
            for l in 0..j.junction.lanes.len() {
                capacity_row(&mut lp, &model, j, (i, l, k));
                balance_row(&mut lp, &model, group, feeds, cycle_s, (i, l, k));
                let storage = j.junction.lanes[l].storage_veh;
                let spill = lp.var(0.0, f64::INFINITY, SPILL_COST * weight);
                let queue = model.queues[k][i][l];
                lp.row(vec![(queue, 1.0), (spill, -1.0)], Sense::AtMost, storage);
                lp.row(vec![(queue, 1.0), (fullest, -storage)], Sense::AtMost, 0.0);
            }
        }
        receiving_rows(&mut lp, &model, group, feeds, (k, weight));
    }
    let solved = lp.minimise(budget)?;
    let splits_s = model.greens[0].iter().map(|row| row.iter().map(|v| solved.value(*v)).collect()).collect();
    let mut fullest: Option<(usize, usize, f64)> = None;
    let mut fullest_share = 0.0;
    for (i, row) in model.queues[0].iter().enumerate() {
        for (l, v) in row.iter().enumerate() {
            let queue = solved.value(*v);
            let share = queue / group[i].junction.lanes[l].storage_veh;
            if queue > 0.5 && share > fullest_share {
                fullest_share = share;
                fullest = Some((i, l, queue));
            }
        }
    }
    Ok(SplitPlan { splits_s, objective: solved.objective, status: solved.status, fullest })
}

/// Variables by cycle, junction and stage or lane.
struct Model {
    greens: Vec<Vec<Vec<Var>>>,
    served: Vec<Vec<Vec<Var>>>,
    queues: Vec<Vec<Vec<Var>>>,
}

fn greens(lp: &mut LinearProgram, j: &GroupJunction<'_>, cycle_s: f64, weight: f64) -> Vec<Var> {
    let vars: Vec<Var> = j.bounds_s.iter().map(|(low, high)| lp.var(*low, *high, 0.0)).collect();
    lp.row(vars.iter().map(|v| (*v, 1.0)).collect(), Sense::Equal, cycle_s - j.service.shape.clearance_s);
    for (v, reference) in vars.iter().zip(&j.reference_s) {
        let (up, down) =
            (lp.var(0.0, f64::INFINITY, DEVIATION_COST * weight), lp.var(0.0, f64::INFINITY, DEVIATION_COST * weight));
        lp.row(vec![(*v, 1.0), (up, -1.0), (down, 1.0)], Sense::Equal, *reference);
    }
    vars
}

/// `u ≤ Σ_p rate·g_p + what clearance steps pass − start-up`.
fn capacity_row(lp: &mut LinearProgram, model: &Model, j: &GroupJunction<'_>, (i, l, k): (usize, usize, usize)) {
    let mut terms = vec![(model.served[k][i][l], 1.0)];
    let mut fixed = -j.junction.start_up_veh(j.service, l);
    for (s, step) in j.service.shape.steps.iter().enumerate() {
        fixed += j.service.extra_veh[s][l];
        match step.stage {
            Some(p) => terms.push((model.greens[k][i][p], -j.service.rate_vps[s][l])),
            None => fixed += j.service.rate_vps[s][l] * step.least_s,
        }
    }
    lp.row(terms, Sense::AtMost, fixed.max(0.0));
}

/// `x_k = x_{k−1} + own arrivals + fed arrivals − u_k`.
fn balance_row(
    lp: &mut LinearProgram,
    model: &Model,
    group: &[GroupJunction<'_>],
    feeds: &[Feed],
    cycle_s: f64,
    (i, l, k): (usize, usize, usize),
) {
    let demand = group[i].demand;
    let mut own_vps = demand.flow_vps[l];
    let mut known = 0.0;
    let mut terms = vec![(model.queues[k][i][l], 1.0), (model.served[k][i][l], 1.0)];
    for f in feeds.iter().filter(|f| f.to == (i, l)) {
        let upstream_vps = f.share * group[f.from.0].demand.flow_vps[f.from.1];
        // What upstream is known to bring is taken out of the lane's own flow, so that it is counted once.
        let fed_vps = upstream_vps.min(own_vps);
        own_vps -= fed_vps;
        let share = if upstream_vps > 1e-9 { f.share * fed_vps / upstream_vps } else { 0.0 };
        match k.checked_sub(f.delay_cycles) {
            Some(past) => terms.push((model.served[past][f.from.0][f.from.1], -share)),
            None => known += fed_vps * cycle_s,
        }
    }
    known += own_vps * cycle_s;
    if k == 0 {
        known += demand.queue_veh[l];
    } else {
        terms.push((model.queues[k - 1][i][l], -1.0));
    }
    lp.row(terms, Sense::Equal, known);
}

/// What is sent to a lane must find room there: `Σ share·u ≤ storage − x_{k−1} + u + slack`.
fn receiving_rows(
    lp: &mut LinearProgram,
    model: &Model,
    group: &[GroupJunction<'_>],
    feeds: &[Feed],
    (k, weight): (usize, f64),
) {
    let mut targets: Vec<(usize, usize)> = feeds.iter().map(|f| f.to).collect();
    targets.sort_unstable();
    targets.dedup();
    for (i, l) in targets {
        let slack = lp.var(0.0, f64::INFINITY, SPILL_COST * weight);
        let mut terms = vec![(model.served[k][i][l], -1.0), (slack, -1.0)];
        let mut room = group[i].junction.lanes[l].storage_veh;
        match k.checked_sub(1) {
            Some(before) => terms.push((model.queues[before][i][l], 1.0)),
            None => room -= group[i].demand.queue_veh[l],
        }
        for f in feeds.iter().filter(|f| f.to == (i, l)) {
            terms.push((model.served[k][f.from.0][f.from.1], f.share));
        }
        lp.row(terms, Sense::AtMost, room);
    }
}
