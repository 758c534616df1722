//! Offsets of a coordination group: pairwise descent on the delay that platoons meet.
//!
//! At one cycle length the departures of a junction repeat, spread on their way (Robertson 1969) and meet the next
//! junction's greens at a time that only the difference of the two offsets decides. So the delay of each pair is a table
//! over that difference, the tables add up (the combination method of Hillier 1966), and offsets are found on the tables
//! alone: along the strongest pairs first, then each junction in turn until nothing falls any more.

use super::fluid::{cyclic, lane_profile};
use super::junction::{Demand, Junction};

/// One junction of the group with the plan it is to run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Member<'a> {
    pub(crate) junction: &'a Junction,
    pub(crate) demand: &'a Demand,
    pub(crate) splits_s: &'a [f64],
}

/// Vehicles of one lane of the first junction that come to lanes of the second.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stream<'a> {
    pub(crate) from: usize,
    pub(crate) to: &'a [usize],
    pub(crate) share: f64,
    pub(crate) travel_s: f64,
}

/// Mean queue at the second junction by the seconds its cycle starts after that of the first.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pair {
    pub(crate) first: usize,
    pub(crate) second: usize,
    /// `queue_veh[difference]`, less what uniform arrivals would cause: below zero where platoons meet green.
    pub(crate) queue_veh: Vec<f64>,
}

impl Pair {
    /// What the right difference saves against the worst.
    fn weight(&self) -> f64 {
        let (low, high) = self.queue_veh.iter().fold((f64::MAX, f64::MIN), |(l, h), q| (l.min(*q), h.max(*q)));
        high - low
    }

    fn at(&self, offsets_s: &[usize]) -> f64 {
        let cycle_s = self.queue_veh.len();
        self.queue_veh[(offsets_s[self.second] + cycle_s - offsets_s[self.first]) % cycle_s]
    }
}

/// Departures of a lane over one cycle, smoothed as a platoon is over `travel_s`, and moved to when they arrive.
fn arriving(departures: &[f64], travel_s: f64) -> Vec<f64> {
    let n = departures.len();
    // Robertson (1969) with α = 0.35, β = 0.8: the head travels 0.8 of the mean time.
    let head_s = 0.8 * travel_s;
    let keep = 1.0 / (1.0 + 0.35 * head_s);
    let shift = head_s.round() as usize;
    let mut out = vec![0.0; n];
    let mut smooth = departures.iter().sum::<f64>() / n as f64;
    for t in 0..3 * n {
        smooth = keep * departures[t % n] + (1.0 - keep) * smooth;
        out[(t + shift) % n] = smooth;
    }
    out
}

/// Arrivals at each lane of the second junction over one cycle, from where the first one's cycle starts.
#[derive(Debug, Clone)]
pub(crate) struct Fed {
    /// `platoon_vps[lane][second]`; empty where nothing comes from the first junction.
    platoon_vps: Vec<Vec<f64>>,
}

/// What the first junction sends to the second at a common cycle of `cycle_s`.
pub(crate) fn fed(a: Member<'_>, b: Member<'_>, streams: &[Stream<'_>], cycle_s: usize) -> Fed {
    let service = a.junction.service(a.demand, a.splits_s);
    let mut platoon_vps = vec![Vec::new(); b.junction.lanes.len()];
    for stream in streams {
        let can = lane_profile(a.junction, &service, a.splits_s, stream.from, cycle_s);
        let (_, departures) = cyclic(&can, &vec![a.demand.flow_vps[stream.from]; cycle_s]);
        let profile = arriving(&departures, stream.travel_s);
        let among: f64 = stream.to.iter().map(|l| b.demand.flow_vps[*l].max(1e-4)).sum();
        for &l in stream.to {
            let part = stream.share * b.demand.flow_vps[l].max(1e-4) / among;
            platoon_vps[l].resize(cycle_s, 0.0);
            platoon_vps[l].iter_mut().zip(&profile).for_each(|(f, p)| *f += part * p);
        }
    }
    Fed { platoon_vps }
}

impl Fed {
    /// Arrivals in each second of the second junction's cycle that starts `difference` after the first one's, together
    /// with what comes from elsewhere; `None` for a lane that nothing is fed to.
    pub(crate) fn arrivals(&self, lane: usize, flow_vps: f64, difference: usize) -> Option<Vec<f64>> {
        let profile = &self.platoon_vps[lane];
        let cycle_s = profile.len();
        let fed_vps = profile.iter().sum::<f64>() / cycle_s.max(1) as f64;
        if fed_vps <= 1e-5 || flow_vps <= 1e-5 {
            return None;
        }
        // No more is fed than comes; what comes from elsewhere is spread evenly.
        let part = (flow_vps / fed_vps).min(1.0);
        let rest_vps = (flow_vps - fed_vps * part).max(0.0);
        Some((0..cycle_s).map(|t| rest_vps + part * profile[(t + difference) % cycle_s]).collect())
    }
}

/// The table of one pair at a common cycle of `cycle_s`.
pub(crate) fn pair(
    (first, a): (usize, Member<'_>),
    (second, b): (usize, Member<'_>),
    streams: &[Stream<'_>],
    cycle_s: usize,
) -> Pair {
    let fed = fed(a, b, streams, cycle_s);
    let service = b.junction.service(b.demand, b.splits_s);
    let mut queue_veh = vec![0.0; cycle_s];
    for (l, flow_vps) in b.demand.flow_vps.iter().enumerate() {
        if fed.arrivals(l, *flow_vps, 0).is_none() {
            continue;
        }
        let can = lane_profile(b.junction, &service, b.splits_s, l, cycle_s);
        let uniform = cyclic(&can, &vec![*flow_vps; cycle_s]).0;
        for (difference, queue) in queue_veh.iter_mut().enumerate() {
            if let Some(arrivals) = fed.arrivals(l, *flow_vps, difference) {
                *queue += cyclic(&can, &arrivals).0 - uniform;
            }
        }
    }
    Pair { first, second, queue_veh }
}

/// Offsets of `members` junctions, seconds in `[0, cycle_s)`, and what they save against uniform arrivals, vehicles of
/// mean queue (negative: saved).
pub(crate) fn descend(members: usize, pairs: &[Pair], cycle_s: usize) -> (Vec<usize>, f64) {
    let mut offsets_s = along_strongest(members, pairs, cycle_s);
    let total = |o: &[usize]| pairs.iter().map(|p| p.at(o)).sum::<f64>();
    let mut best = total(&offsets_s);
    loop {
        let before = best;
        for m in 0..members {
            let near: Vec<&Pair> = pairs.iter().filter(|p| p.first == m || p.second == m).collect();
            let here = |o: &[usize]| near.iter().map(|p| p.at(o)).sum::<f64>();
            let (mut kept, mut least) = (offsets_s[m], here(&offsets_s));
            for tried in 0..cycle_s {
                offsets_s[m] = tried;
                let queue = here(&offsets_s);
                if queue < least - 1e-9 {
                    (kept, least) = (tried, queue);
                }
            }
            offsets_s[m] = kept;
        }
        best = total(&offsets_s);
        if best >= before - 1e-9 {
            return (offsets_s, best);
        }
    }
}

/// The strongest pairs that hang the group together, each at its best difference.
fn along_strongest(members: usize, pairs: &[Pair], cycle_s: usize) -> Vec<usize> {
    let mut order: Vec<&Pair> = pairs.iter().collect();
    order.sort_by(|a, b| b.weight().total_cmp(&a.weight()));
    let mut part: Vec<usize> = (0..members).collect();
    let mut offsets_s = vec![0; members];
    for p in order {
        let (joined, moved) = (part[p.first], part[p.second]);
        if joined == moved {
            continue;
        }
        let both: Vec<&Pair> = pairs.iter().filter(|q| part[q.first] == moved && part[q.second] == joined).collect();
        let with: Vec<&Pair> = pairs.iter().filter(|q| part[q.first] == joined && part[q.second] == moved).collect();
        let mut best = (f64::MAX, 0);
        for by in 0..cycle_s {
            let moved_to: Vec<usize> = (0..members)
                .map(|m| if part[m] == moved { (offsets_s[m] + by) % cycle_s } else { offsets_s[m] })
                .collect();
            let queue: f64 = both.iter().chain(&with).map(|q| q.at(&moved_to)).sum();
            if queue < best.0 {
                best = (queue, by);
            }
        }
        for m in 0..members {
            if part[m] == moved {
                offsets_s[m] = (offsets_s[m] + best.1) % cycle_s;
                part[m] = joined;
            }
        }
    }
    offsets_s
}

#[cfg(test)]
mod tests {
    use super::*;

    fn valley(first: usize, second: usize, at: usize, cycle_s: usize) -> Pair {
        let queue_veh = (0..cycle_s)
            .map(|d| {
                let away = (d + cycle_s - at) % cycle_s;
                away.min(cycle_s - away) as f64 / cycle_s as f64
            })
            .collect();
        Pair { first, second, queue_veh }
    }

    #[test]
    fn a_chain_gets_the_differences_it_asks_for() {
        let pairs = [valley(0, 1, 12, 60), valley(1, 2, 55, 60), valley(2, 3, 30, 60)];
        let (offsets, queue) = descend(4, &pairs, 60);
        assert!(queue.abs() < 1e-9, "{offsets:?} {queue}");
    }

    #[test]
    fn no_assignment_of_a_small_ring_is_better() {
        let cycle = 12;
        for seed in 0..40_usize {
            let at = |k: usize| (seed * 7 + k * 5 + seed * seed * k) % cycle;
            let pairs = [valley(0, 1, at(1), cycle), valley(1, 2, at(2), cycle), valley(2, 0, at(3), cycle)];
            let (_, found) = descend(3, &pairs, cycle);
            let mut least = f64::MAX;
            for a in 0..cycle {
                for b in 0..cycle {
                    least = least.min(pairs.iter().map(|p| p.at(&[0, a, b])).sum());
                }
            }
            assert!(found <= least + 1e-9, "seed {seed}: {found} against {least}");
        }
    }

    #[test]
    fn a_platoon_keeps_its_vehicles_and_spreads() {
        let mut departures = vec![0.0; 60];
        departures[..10].fill(0.5);
        let arrivals = arriving(&departures, 25.0);
        assert!((arrivals.iter().sum::<f64>() - 5.0).abs() < 0.05);
        assert!(arrivals.iter().fold(0.0_f64, |a, b| a.max(*b)) < 0.4);
    }
}
