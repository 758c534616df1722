//! Who comes and where they turn: Poisson arrivals at the ends of the city, more of them at the peaks.

use greenkerb_models::ids::{ConnectionId, LaneId, LinkId};
use greenkerb_models::network::{Network, Turn};
use greenkerb_models::units::TimeDs;

use crate::random::SplitMix64;

/// Arrivals at the peak, per lane of a link that enters the city.
const PEAK_WIDE_VPH: f64 = 330.0;
/// The same for a link of one lane.
const PEAK_NARROW_VPH: f64 = 150.0;
/// Share of the peak at each full hour of the day, linear between: a working day with a morning and an evening peak.
const PROFILE: [f64; 24] = [
    0.10, 0.06, 0.05, 0.05, 0.08, 0.20, 0.50, 0.90, 1.00, 0.75, 0.60, 0.60, 0.65, 0.65, 0.65, 0.75, 0.95, 1.00, 0.85,
    0.60, 0.45, 0.35, 0.25, 0.15,
];
const DAY_DS: i64 = 864_000;
const HOUR_DS: i64 = 36_000;

/// Share of the drivers that take a turn where they have the choice.
const fn share(turn: Turn) -> f64 {
    match turn {
        Turn::Straight => 0.66,
        Turn::Right => 0.19,
        Turn::Left => 0.15,
        Turn::UTurn => 0.0,
    }
}

/// Share of the peak demand at an instant, by the time of day in UTC.
#[must_use]
pub fn profile(at: TimeDs) -> f64 {
    let of_day = at.0.rem_euclid(DAY_DS);
    let hour = (of_day / HOUR_DS) as usize;
    let past = (of_day % HOUR_DS) as f64 / HOUR_DS as f64;
    PROFILE[hour % 24] * (1.0 - past) + PROFILE[(hour + 1) % 24] * past
}

/// A link on which vehicles come into the city.
#[derive(Debug, Clone)]
struct Source {
    lanes: Vec<LaneId>,
    peak_per_s: f64,
    /// When the next one would come were it always peak time, seconds after the start.
    next_s: f64,
    random: SplitMix64,
}

/// Arrivals of the whole city. Each source draws from a sequence of its own, so that one does not disturb another.
#[derive(Debug, Clone)]
pub(super) struct Demand {
    sources: Vec<Source>,
    start: TimeDs,
}

impl Demand {
    pub(super) fn new(network: &Network, seed: u64, start: TimeDs) -> Self {
        let mut seeds = SplitMix64(seed);
        let mut sources = Vec::new();
        for (i, link) in network.links().iter().enumerate() {
            let lanes: Vec<LaneId> = link.lanes.iter().copied().filter(|l| network.lane(*l).admits.cars).collect();
            if !network.movements_into(LinkId::at(i)).is_empty() || lanes.is_empty() {
                continue;
            }
            let per_lane = if lanes.len() > 1 { PEAK_WIDE_VPH } else { PEAK_NARROW_VPH };
            let peak_per_s = per_lane * lanes.len() as f64 / 3600.0;
            let mut random = SplitMix64(seeds.next());
            let next_s = gap_s(&mut random, peak_per_s);
            sources.push(Source { lanes, peak_per_s, next_s, random });
        }
        Self { sources, start }
    }

    /// Number of links on which vehicles come.
    pub(super) fn sources(&self) -> usize {
        self.sources.len()
    }

    /// Lanes on which somebody wants to come in during the second that starts at `now`, once for each.
    ///
    /// A Poisson process whose rate follows the day, by thinning one that runs at the peak rate (Lewis, Shedler 1979).
    pub(super) fn arrivals(&mut self, now: TimeDs) -> Vec<LaneId> {
        let until_s = now.since(self.start) as f64 / 10.0 + 1.0;
        let kept = profile(now);
        let mut arrivals = Vec::new();
        for source in &mut self.sources {
            while source.next_s < until_s {
                let comes = source.random.unit() < kept;
                let lane = source.lanes[source.random.below(source.lanes.len() as u64) as usize];
                if comes {
                    arrivals.push(lane);
                }
                source.next_s += gap_s(&mut source.random, source.peak_per_s);
            }
        }
        arrivals
    }
}

/// Time to the next event of a Poisson process.
fn gap_s(random: &mut SplitMix64, per_s: f64) -> f64 {
    -(1.0 - random.unit()).ln() / per_s
}

/// The ways out of a lane, with the share of the drivers that takes each.
#[derive(Debug, Clone, Default)]
pub(super) struct Choice {
    /// Connections with the running sum of their shares; the last sum is 1.
    ways: Vec<(ConnectionId, f64)>,
}

impl Choice {
    /// What drivers on a lane choose from; nothing where the lane leaves the city.
    pub(super) fn on(network: &Network, lane: LaneId) -> Self {
        let ways = network.connections_from(lane);
        let turn = |c: ConnectionId| network.movement(network.connection(c).movement).turn;
        let first = ways.first().map(|c| network.connection(*c).movement);
        let only_widens = ways.iter().all(|c| Some(network.connection(*c).movement) == first);
        let weight = |c: ConnectionId| {
            // Where a street only widens, drivers pick the lane that leads where they want to go.
            let next = network.connections_from(network.connection(c).to_lane);
            if only_widens && !next.is_empty() { next.iter().map(|n| share(turn(*n))).sum() } else { share(turn(c)) }
        };
        let mut sum = 0.0;
        let mut chosen: Vec<(ConnectionId, f64)> = Vec::with_capacity(ways.len());
        for way in ways {
            let to = network.lane(network.connection(*way).to_lane);
            // Even the rarest way is taken now and then.
            sum += if to.admits.cars { weight(*way).max(0.001) } else { 0.0 };
            chosen.push((*way, sum));
        }
        if sum > 0.0 {
            chosen.iter_mut().for_each(|(_, s)| *s /= sum);
        } else {
            chosen.clear();
        }
        Self { ways: chosen }
    }

    /// The way one driver takes.
    pub(super) fn draw(&self, random: &mut SplitMix64) -> Option<ConnectionId> {
        let at = random.unit();
        self.ways.iter().find(|(_, sum)| at < *sum).or(self.ways.last()).map(|(way, _)| *way)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_has_two_peaks() {
        let at = |hour: i64| profile(TimeDs::from_s(hour * 3600));
        assert_eq!((at(8), at(17)), (1.0, 1.0));
        assert!(at(3) < 0.1 && (at(7) + at(8)) / 2.0 > 0.9);
        let half = profile(TimeDs::from_s(7 * 3600 + 1800));
        assert!((half - 0.95).abs() < 1e-9, "linear between full hours");
        assert_eq!(profile(TimeDs::from_s(-16 * 3600)), at(8), "days repeat, before 1970 too");
    }

    #[test]
    fn as_many_come_as_the_profile_says() {
        let network = crate::demo::city().unwrap();
        let start = TimeDs::from_s(8 * 3600);
        let mut demand = Demand::new(&network, 5, start);
        let hourly: f64 = demand.sources.iter().map(|s| s.peak_per_s * 3600.0).sum();
        let came: usize =
            (0..3600).map(|s| demand.arrivals(start + greenkerb_models::units::Ds::from_s(s)).len()).sum();
        // The hour after eight falls from 100 % to 75 %; four standard deviations on either side.
        let expected = hourly * 0.875;
        assert!((came as f64 - expected).abs() < 4.0 * expected.sqrt(), "{came} came, {expected} were expected");
    }
}
