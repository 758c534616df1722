//! Coordination groups: which controllers are to share a cycle, which cycle, and at what offsets.
//!
//! Alone, each controller takes the cycle that suits it. A common cycle costs some of them delay, and pays where platoons
//! then meet green. Both sides are modelled ([`super::fluid::steady_queue_veh`], [`super::offsets`]), and controllers are
//! joined along the streams between them as long as the sum falls by enough.

use std::collections::BTreeMap;

use super::budget::Budget;
use super::feeds::Feed;
use super::fluid::{Arrivals, steady_queue_veh};
use super::isolated::{self, Case};
use super::junction::{Demand, Junction};
use super::offsets::{Member, Pair, Stream, descend, pair};
use super::refine::Bounds;

/// Most controllers of one group: enough for an arterial.
const MEMBERS_MAX: usize = 16;

/// Cycles tried for a group.
const CYCLES_TRIED: usize = 4;

/// Horizon of the stage lengths that are compared, seconds.
const HORIZON_S: usize = 120;

/// Work of a pair's table by lane and second squared, and of a descent by member, pair and second.
const PAIR_WORK: u64 = 8;
const DESCENT_WORK: u64 = 10;

/// A controller that may be coordinated.
#[derive(Debug)]
pub(crate) struct Candidate<'a> {
    pub(crate) junction: &'a Junction,
    /// Flows in the long run; no queues.
    pub(crate) demand: Demand,
    pub(crate) running_s: Vec<u32>,
    /// What the database leaves free.
    pub(crate) bounds: Bounds,
}

/// Controllers that share a cycle.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Group {
    /// Positions among the candidates, rising.
    pub(crate) members: Vec<usize>,
    pub(crate) cycle_s: u32,
    /// Offset of each member, seconds.
    pub(crate) offsets_s: Vec<u32>,
    /// Share of the delay that coordination saves by the model.
    pub(crate) gain: f64,
}

/// Stage lengths and the mean queue they leave in the long run.
type Timed = (Vec<u32>, f64);

struct Study<'a> {
    candidates: &'a [Candidate<'a>],
    feeds: &'a [Feed],
    budget: &'a dyn Budget,
    alone: Vec<Option<Timed>>,
    at_cycle: BTreeMap<(usize, u32), Option<Timed>>,
    pairs: BTreeMap<(usize, usize, u32), Pair>,
}

/// Forms groups that save at least `gain_min` of the delay of those they join. `None` when the budget ends first.
pub(crate) fn form(
    candidates: &[Candidate<'_>],
    feeds: &[Feed],
    gain_min: f64,
    budget: &dyn Budget,
) -> Option<Vec<Group>> {
    let mut study =
        Study { candidates, feeds, budget, alone: Vec::new(), at_cycle: BTreeMap::new(), pairs: BTreeMap::new() };
    for c in candidates {
        study.alone.push(study.time(c, c.bounds.cycle_s));
    }
    let mut parts: Vec<(Vec<usize>, f64, Option<Group>)> =
        (0..candidates.len()).filter_map(|i| study.alone[i].as_ref().map(|t| (vec![i], t.1, None))).collect();
    let mut joins: Vec<(f64, usize, usize)> = Vec::new();
    for (i, j) in neighbours(feeds) {
        if budget.exhausted() {
            return None;
        }
        let (Some(a), Some(b)) = (&study.alone[i], &study.alone[j]) else { continue };
        let apart = a.1 + b.1;
        if let Some((_, queue)) = study.together(&[i, j]).filter(|(_, queue)| *queue < apart) {
            joins.push((apart - queue, i, j));
        }
    }
    joins.sort_by(|a, b| b.0.total_cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
    for (_, i, j) in joins {
        if budget.exhausted() {
            return None;
        }
        let place = |x: usize| parts.iter().position(|p| p.0.contains(&x));
        let (Some(p), Some(q)) = (place(i), place(j)) else { continue };
        if p == q || parts[p].0.len() + parts[q].0.len() > MEMBERS_MAX {
            continue;
        }
        let mut members: Vec<usize> = parts[p].0.iter().chain(&parts[q].0).copied().collect();
        members.sort_unstable();
        let apart = parts[p].1 + parts[q].1;
        let smaller = parts[p].1.min(parts[q].1);
        if let Some((mut group, queue)) = study.together(&members)
            && apart - queue >= gain_min * smaller
        {
            let alone: f64 = members.iter().filter_map(|m| study.alone[*m].as_ref()).map(|t| t.1).sum();
            group.gain = 1.0 - queue / alone.max(1e-9);
            for k in [p.max(q), p.min(q)] {
                parts.remove(k);
            }
            parts.push((members, queue, Some(group)));
        }
    }
    Some(parts.into_iter().filter_map(|p| p.2).filter(|g| g.gain >= gain_min).collect())
}

/// Pairs of controllers with a stream between them, each once.
fn neighbours(feeds: &[Feed]) -> Vec<(usize, usize)> {
    let mut all: Vec<(usize, usize)> =
        feeds.iter().map(|f| (f.from.0.min(f.to.0), f.from.0.max(f.to.0))).filter(|(a, b)| a != b).collect();
    all.sort_unstable();
    all.dedup();
    all
}

impl Study<'_> {
    /// Best stage lengths of one controller for cycles in a range.
    fn time(&self, c: &Candidate<'_>, cycle_s: (f64, f64)) -> Option<Timed> {
        let bounds = Bounds { cycle_s, ..c.bounds.clone() };
        let arrivals = Arrivals::uniform(&c.demand, HORIZON_S);
        let case = Case {
            junction: c.junction,
            demand: &c.demand,
            arrivals: &arrivals,
            running_s: &c.running_s,
            bounds: &bounds,
            onward: &[],
            // What is compared here is where a plan would lead, not the change to it.
            legal: &|_| true,
        };
        let decision = isolated::decide(&case, 1, self.budget);
        let splits_s: Vec<f64> = decision.splits_s.iter().map(|s| f64::from(*s)).collect();
        bounds
            .allow(c.junction, &decision.splits_s)
            .then(|| (decision.splits_s, steady_queue_veh(c.junction, &c.demand, &splits_s)))
    }

    fn at(&mut self, i: usize, cycle_s: u32) -> Option<Timed> {
        if let Some(known) = self.at_cycle.get(&(i, cycle_s)) {
            return known.clone();
        }
        let timed = self.time(&self.candidates[i], Bounds::set_cycle_s(cycle_s));
        self.at_cycle.insert((i, cycle_s), timed.clone());
        timed
    }

    /// The best common cycle and offsets of some controllers, and the mean queue then.
    fn together(&mut self, members: &[usize]) -> Option<(Group, f64)> {
        let mut best: Option<(Group, f64)> = None;
        for cycle_s in self.cycles(members) {
            let Some(timed) = members.iter().map(|m| self.at(*m, cycle_s)).collect::<Option<Vec<Timed>>>() else {
                continue;
            };
            let mut pairs = Vec::new();
            for (a, &i) in members.iter().enumerate() {
                for (b, &j) in members.iter().enumerate() {
                    if let Some(p) = self.pair((i, &timed[a].0), (j, &timed[b].0), cycle_s) {
                        pairs.push(Pair { first: a, second: b, ..p });
                    }
                }
            }
            let tried = (members.len() * pairs.len()) as u64 * u64::from(cycle_s);
            self.budget.spend(tried * DESCENT_WORK);
            let (offsets_s, saved) = descend(members.len(), &pairs, cycle_s as usize);
            let queue = timed.iter().map(|t| t.1).sum::<f64>() + saved;
            if best.as_ref().is_none_or(|b| queue < b.1) {
                let offsets_s = offsets_s.into_iter().map(|o| o as u32).collect();
                best = Some((Group { members: members.to_vec(), cycle_s, offsets_s, gain: 0.0 }, queue));
            }
        }
        best
    }

    /// Cycles worth trying: what the members would take alone, from the shortest to the longest.
    fn cycles(&self, members: &[usize]) -> Vec<u32> {
        let mut alone: Vec<u32> = members
            .iter()
            .filter_map(|&m| self.candidates[m].junction.cycle_s(&self.alone[m].as_ref()?.0))
            .map(|c| 2 * (c / 2.0).ceil() as u32)
            .collect();
        alone.sort_unstable();
        let n = alone.len();
        let mut out: Vec<u32> =
            (0..CYCLES_TRIED.min(n)).map(|k| alone[k * (n - 1) / (CYCLES_TRIED.min(n) - 1).max(1)]).collect();
        out.dedup();
        out
    }

    fn pair(&mut self, (i, a): (usize, &[u32]), (j, b): (usize, &[u32]), cycle_s: u32) -> Option<Pair> {
        if let Some(known) = self.pairs.get(&(i, j, cycle_s)) {
            return Some(known.clone());
        }
        let streams = streams(self.feeds, i, j);
        if streams.is_empty() {
            return None;
        }
        let exact = |splits: &[u32]| splits.iter().map(|s| f64::from(*s)).collect::<Vec<f64>>();
        let (a, b) = (exact(a), exact(b));
        let (from, to) = (&self.candidates[i], &self.candidates[j]);
        let table = pair(
            (0, Member { junction: from.junction, demand: &from.demand, splits_s: &a }),
            (1, Member { junction: to.junction, demand: &to.demand, splits_s: &b }),
            &streams,
            cycle_s as usize,
        );
        let lanes = streams.iter().map(|s| s.to.len() as u64 + 1).sum::<u64>();
        self.budget.spend(u64::from(cycle_s) * u64::from(cycle_s) * lanes * PAIR_WORK);
        self.pairs.insert((i, j, cycle_s), table.clone());
        Some(table)
    }
}

/// The streams from one controller to another.
pub(crate) fn streams(feeds: &[Feed], from: usize, to: usize) -> Vec<Stream<'_>> {
    feeds
        .iter()
        .filter(|f| f.from.0 == from && f.to.0 == to)
        .map(|f| Stream { from: f.from.1, to: &f.to.1, share: f.share, travel_s: f.travel_s })
        .collect()
}
