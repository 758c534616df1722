//! The order in which clusters are served: forward recursion over how many clusters of each stage have been, and which
//! stage was last. Of two ways to the same state the one with less delay is kept, and of two with the same the earlier.

use std::collections::BTreeMap;

use super::cluster::Cluster;

/// What is asked.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Problem {
    /// Clusters of each stage, in order.
    pub(super) clusters: Vec<Vec<Cluster>>,
    /// Seconds from each stage to each other.
    pub(super) change_s: Vec<Vec<f64>>,
    /// Shortest green of each stage.
    pub(super) green_min_s: Vec<f64>,
    /// Longest green while others wait.
    pub(super) green_max_s: f64,
    /// Lost by a queue that starts.
    pub(super) start_up_s: f64,
    /// The stage that is shown.
    pub(super) current: usize,
    /// For how long.
    pub(super) age_s: f64,
}

/// What to do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Keep the stage.
    Stay,
    /// Leave it for another.
    Go(usize),
}

/// A schedule up to a state.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Partial {
    delay_veh_s: f64,
    /// When the last cluster has been served.
    ends_s: f64,
    /// Since when the last stage is green, seen from now.
    green_from_s: f64,
    /// The first stage it serves, and when it begins to serve there.
    first: Option<(usize, f64)>,
}

impl Partial {
    fn beats(&self, other: &Self) -> bool {
        self.delay_veh_s.total_cmp(&other.delay_veh_s).then(self.ends_s.total_cmp(&other.ends_s)).is_lt()
    }
}

/// Serves a cluster of a stage after what was served before.
fn serve(p: &Problem, before: &Partial, last: usize, stage: usize, cluster: &Cluster) -> Partial {
    let changes = stage != last;
    let (ready_s, green_from_s) = if changes {
        let leave_s = before.ends_s.max(before.green_from_s + p.green_min_s[last]);
        let green_s = leave_s + p.change_s[last][stage];
        (green_s + p.start_up_s, green_s)
    } else {
        (before.ends_s, before.green_from_s)
    };
    // Only what stands has to start; what comes into the green does not slow down.
    let starts_s = if changes && cluster.first_s > ready_s - p.start_up_s {
        cluster.first_s.max(ready_s - p.start_up_s)
    } else {
        cluster.first_s.max(ready_s)
    };
    // What comes spread out is not passed faster than it comes; what has waited leaves as fast as it can.
    let ends_s = (starts_s + cluster.takes_s).max(cluster.last_s);
    let mean_arrival_s = f64::midpoint(cluster.first_s, cluster.last_s);
    let mean_departure_s = starts_s + (ends_s - starts_s) / 2.0;
    let waits_s = (mean_departure_s - mean_arrival_s - cluster.takes_s / 2.0).max(0.0)
        + if cluster.first_s <= 0.0 { cluster.takes_s / 2.0 } else { 0.0 };
    Partial {
        delay_veh_s: before.delay_veh_s + cluster.vehicles * waits_s,
        ends_s,
        green_from_s,
        first: before.first.or(Some((stage, starts_s))),
    }
}

/// The best schedule of all clusters; none where there are no clusters.
fn search(p: &Problem) -> Option<Partial> {
    let stages = p.clusters.len();
    let total: usize = p.clusters.iter().map(Vec::len).sum();
    let start = Partial { delay_veh_s: 0.0, ends_s: 0.0, green_from_s: -p.age_s, first: None };
    let mut layer: BTreeMap<(Vec<u8>, usize), Partial> = BTreeMap::new();
    layer.insert((vec![0; stages], p.current), start);
    for _ in 0..total {
        let mut next: BTreeMap<(Vec<u8>, usize), Partial> = BTreeMap::new();
        for ((served, last), partial) in &layer {
            for stage in 0..stages {
                let Some(cluster) = p.clusters[stage].get(usize::from(served[stage])) else { continue };
                let after = serve(p, partial, *last, stage, cluster);
                let mut key = served.clone();
                key[stage] += 1;
                let slot = next.entry((key, stage)).or_insert(after);
                if after.beats(slot) {
                    *slot = after;
                }
            }
        }
        layer = next;
    }
    let best = layer.values().copied().reduce(|best, x| if x.beats(&best) { x } else { best });
    best.filter(|b| b.first.is_some())
}

/// The first move of the best schedule. A stage that is held beyond its longest green is left while others have somebody.
pub(super) fn best(p: &Problem) -> Next {
    let others = (0..p.clusters.len()).any(|s| s != p.current && !p.clusters[s].is_empty());
    if others && p.age_s >= p.green_max_s {
        return longest_waiting(p).map_or(Next::Stay, Next::Go);
    }
    match search(p).and_then(|found| found.first) {
        // The change need not begin before somebody would be there.
        Some((stage, starts_s)) if stage != p.current && starts_s <= p.change_s[p.current][stage] + p.start_up_s => {
            Next::Go(stage)
        }
        _ => Next::Stay,
    }
}

/// The other stage with most vehicles.
fn longest_waiting(p: &Problem) -> Option<usize> {
    let vehicles = |s: usize| p.clusters[s].iter().map(|c| c.vehicles).sum::<f64>();
    (0..p.clusters.len())
        .filter(|s| *s != p.current && !p.clusters[*s].is_empty())
        .reduce(|a, b| if vehicles(b) > vehicles(a) { b } else { a })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cluster(vehicles: f64, first_s: f64) -> Cluster {
        let takes_s = 2.0 * vehicles;
        Cluster { vehicles, first_s, last_s: first_s + if first_s > 0.0 { takes_s - 2.0 } else { 0.0 }, takes_s }
    }

    fn problem(own: Vec<Cluster>, other: Vec<Cluster>) -> Problem {
        Problem {
            clusters: vec![own, other],
            change_s: vec![vec![0.0, 5.0], vec![5.0, 0.0]],
            green_min_s: vec![5.0; 2],
            green_max_s: 50.0,
            start_up_s: 2.0,
            current: 0,
            age_s: 10.0,
        }
    }

    #[test]
    fn an_empty_junction_stays() {
        assert_eq!(best(&problem(vec![], vec![])), Next::Stay);
    }

    #[test]
    fn somebody_who_stands_before_an_empty_green_is_served() {
        assert_eq!(best(&problem(vec![], vec![cluster(1.0, 0.0)])), Next::Go(1));
    }

    #[test]
    fn a_platoon_that_is_nearly_there_is_worth_waiting_for_and_a_lone_car_is_not() {
        let platoon = problem(vec![cluster(8.0, 2.0)], vec![cluster(1.0, 0.0)]);
        assert_eq!(best(&platoon), Next::Stay);
        let lone = problem(vec![cluster(1.0, 12.0)], vec![cluster(6.0, 0.0)]);
        assert_eq!(best(&lone), Next::Go(1));
    }

    #[test]
    fn a_change_waits_until_somebody_would_be_there() {
        assert_eq!(best(&problem(vec![], vec![cluster(3.0, 20.0)])), Next::Stay);
        assert_eq!(best(&problem(vec![], vec![cluster(3.0, 5.5)])), Next::Go(1));
    }

    #[test]
    fn nobody_holds_the_green_for_ever() {
        let mut p = problem(vec![cluster(8.0, 1.0)], vec![cluster(1.0, 0.0)]);
        p.age_s = 50.0;
        assert_eq!(best(&p), Next::Go(1));
    }

    /// Every order of clusters, by brute force: the recursion finds as little delay.
    #[test]
    fn the_recursion_finds_what_trying_everything_finds() {
        fn all(p: &Problem, served: &mut Vec<usize>, last: usize, at: Partial, least: &mut f64) {
            let mut ended = true;
            for stage in 0..p.clusters.len() {
                if let Some(c) = p.clusters[stage].get(served[stage]).cloned() {
                    ended = false;
                    served[stage] += 1;
                    let next = serve(p, &at, last, stage, &c);
                    all(p, served, stage, next, least);
                    served[stage] -= 1;
                }
            }
            if ended {
                *least = least.min(at.delay_veh_s);
            }
        }
        let p = problem(vec![cluster(4.0, 0.0), cluster(2.0, 25.0)], vec![cluster(3.0, 0.0), cluster(1.0, 40.0)]);
        let start = Partial { delay_veh_s: 0.0, ends_s: 0.0, green_from_s: -p.age_s, first: None };
        let mut least = f64::INFINITY;
        all(&p, &mut vec![0; 2], 0, start, &mut least);
        assert!((search(&p).unwrap().delay_veh_s - least).abs() < 1e-9, "{least}");
    }
}
