//! Vehicles that follow each other closely are served together.

/// Gap up to which vehicles belong to one cluster, in seconds.
const GAP_S: f64 = 3.0;
/// Most clusters of one stage; with more, the closest are joined, so that the search stays short.
const CLUSTERS_MAX: usize = 6;

/// A vehicle that could be at the line at `at_s` seconds from now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Arrival {
    pub(super) lane: usize,
    pub(super) at_s: f64,
}

/// Vehicles of one stage that are served together.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Cluster {
    /// Number of vehicles.
    pub(super) vehicles: f64,
    /// When the first could be at the line.
    pub(super) first_s: f64,
    /// When the last could.
    pub(super) last_s: f64,
    /// How long it takes to pass them all once they are there.
    pub(super) takes_s: f64,
}

/// The clusters of one stage, in order. Standing vehicles are one cluster, with those that reach their queue's end before
/// it is gone.
pub(super) fn clusters(arrivals: &[Arrival], headway_s: &[f64]) -> Vec<Cluster> {
    let mut sorted = arrivals.to_vec();
    sorted.sort_by(|a, b| a.at_s.total_cmp(&b.at_s).then(a.lane.cmp(&b.lane)));
    let mut groups: Vec<Vec<Arrival>> = Vec::new();
    for arrival in sorted {
        let joins = groups.last().is_some_and(|g| {
            let standing_s = if g[0].at_s <= 0.0 { takes_s(g, headway_s) } else { 0.0 };
            let last_s = g.last().map_or(0.0, |a| a.at_s);
            arrival.at_s <= last_s + GAP_S || arrival.at_s <= standing_s
        });
        match groups.last_mut() {
            Some(g) if joins => g.push(arrival),
            _ => groups.push(vec![arrival]),
        }
    }
    while groups.len() > CLUSTERS_MAX {
        let gap = |i: &usize| groups[*i + 1][0].at_s - groups[*i].last().map_or(0.0, |a| a.at_s);
        let closest = (0..groups.len() - 1).min_by(|a, b| gap(a).total_cmp(&gap(b)).then(a.cmp(b))).unwrap_or(0);
        let next = groups.remove(closest + 1);
        groups[closest].extend(next);
    }
    groups
        .iter()
        .map(|g| Cluster {
            vehicles: g.len() as f64,
            first_s: g[0].at_s,
            last_s: g.last().map_or(0.0, |a| a.at_s),
            takes_s: takes_s(g, headway_s),
        })
        .collect()
}

/// The lane with the most to pass decides.
fn takes_s(group: &[Arrival], headway_s: &[f64]) -> f64 {
    let lane_s = |lane: usize| group.iter().filter(|a| a.lane == lane).count() as f64 * headway_s[lane];
    (0..headway_s.len()).map(lane_s).fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrivals(of: &[(usize, f64)]) -> Vec<Arrival> {
        of.iter().map(|(lane, at_s)| Arrival { lane: *lane, at_s: *at_s }).collect()
    }

    #[test]
    fn gaps_part_clusters() {
        let made = clusters(&arrivals(&[(0, 0.0), (0, 0.0), (1, 0.0), (0, 9.0), (1, 10.0)]), &[2.0, 2.0]);
        assert_eq!(made.len(), 2);
        assert_eq!((made[0].vehicles, made[0].takes_s), (3.0, 4.0), "two lanes at once");
        assert_eq!((made[1].first_s, made[1].last_s, made[1].takes_s), (9.0, 10.0, 2.0));
    }

    #[test]
    fn who_reaches_the_queue_joins_it() {
        let queue: Vec<(usize, f64)> = (0..5).map(|_| (0, 0.0)).chain([(0, 8.0), (0, 30.0)]).collect();
        let made = clusters(&arrivals(&queue), &[2.0]);
        assert_eq!(made.iter().map(|c| c.vehicles as u32).collect::<Vec<_>>(), [6, 1]);
    }

    #[test]
    fn there_are_never_many() {
        let far: Vec<(usize, f64)> = (0..20).map(|i| (0, f64::from(i) * 10.0)).collect();
        let made = clusters(&arrivals(&far), &[2.0]);
        assert_eq!(made.len(), CLUSTERS_MAX);
        assert_eq!(made.iter().map(|c| c.vehicles as usize).sum::<usize>(), 20);
    }
}
