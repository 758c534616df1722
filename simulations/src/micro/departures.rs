//! Who wants to enter when: single trips in order, and flows expanded one vehicle at a time with seeded chance.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use greenkerb_models::demand::{Demand, Emission, Flow, Trip};
use greenkerb_models::units::{Ds, TimeDs};

use crate::random::SplitMix64;

/// A vehicle that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Due {
    /// When it wants to enter.
    pub(crate) at: TimeDs,
    /// Its template: trips first, then flows.
    pub(crate) template: u32,
    /// Its number within its flow; zero for a trip.
    pub(crate) number: u32,
}

/// What is still to come.
#[derive(Debug)]
pub(crate) struct Departures {
    demand: Arc<Demand>,
    /// The first trip that is not loaded.
    trip: usize,
    flows: Vec<Stream>,
    /// Flows by their next vehicle.
    next: BinaryHeap<Reverse<(TimeDs, u32)>>,
    /// Flows that are over begin anew so much after they began.
    period: Option<Ds>,
}

/// Where a flow stands.
#[derive(Debug)]
struct Stream {
    chance: SplitMix64,
    /// Vehicles so far, and how many of them came before the flow began last.
    number: u32,
    before: u32,
    /// Deciseconds since the flow began last at which its next vehicle comes, unrounded.
    at_ds: f64,
    /// Deciseconds from its first beginning to its last.
    begun_ds: i64,
}

/// A flow that sends nobody in so many periods has nobody to send.
const EMPTY_PERIODS_MAX: u32 = 1_000;

impl Departures {
    /// Everything that comes at or after `begin`.
    pub(crate) fn new(demand: &Arc<Demand>, begin: TimeDs, seed: u64) -> Self {
        let parts = demand.parts();
        let trip = parts.trips.partition_point(|t| t.depart < begin);
        let mut departures =
            Self { demand: Arc::clone(demand), trip, flows: Vec::new(), next: BinaryHeap::new(), period: None };
        for (i, flow) in parts.flows.iter().enumerate() {
            let mut chance = SplitMix64(seed ^ (i as u64 + 1).wrapping_mul(0xA24B_AED4_963E_E407));
            let at_ds = first_ds(flow, &mut chance);
            departures.flows.push(Stream { chance, number: 0, before: 0, at_ds, begun_ds: 0 });
            while departures.due_of(i).is_some_and(|at| at < begin) {
                departures.advance(i);
            }
            departures.queue(i);
        }
        departures
    }

    /// From now on every flow that is over begins anew, `period` after it began.
    pub(crate) fn repeat_every(&mut self, period: Ds) {
        self.period = Some(period);
        for i in 0..self.flows.len() {
            if self.due_of(i).is_none() {
                self.queue(i);
            }
        }
    }

    /// The template of a vehicle.
    pub(crate) fn template(&self, template: u32) -> &Trip {
        let parts = self.demand.parts();
        let i = template as usize;
        parts.trips.get(i).unwrap_or_else(|| &parts.flows[i - parts.trips.len()].template)
    }

    /// The next vehicle that is due before `until`: by time, then trips before flows, then by place in the table.
    pub(crate) fn next_before(&mut self, until: TimeDs) -> Option<Due> {
        let parts = self.demand.parts();
        let trips = parts.trips.len() as u32;
        let trip_at = parts.trips.get(self.trip).map(|t| t.depart);
        let flow = self.next.peek().map(|Reverse((at, i))| (*at, *i));
        match (trip_at, flow) {
            (Some(at), other) if at < until && other.is_none_or(|(f, _)| at <= f) => {
                self.trip += 1;
                Some(Due { at, template: self.trip as u32 - 1, number: 0 })
            }
            (_, Some((at, i))) if at < until => {
                self.next.pop();
                let number = self.flows[i as usize].number;
                self.advance(i as usize);
                self.queue(i as usize);
                Some(Due { at, template: trips + i, number })
            }
            _ => None,
        }
    }

    /// When a flow's next vehicle comes; none when its time is over.
    fn due_of(&self, i: usize) -> Option<TimeDs> {
        let flow = &self.demand.parts().flows[i];
        let stream = &self.flows[i];
        let at = TimeDs(flow.template.depart.0 + stream.at_ds.round() as i64);
        let over = match flow.emission {
            Emission::Every { .. } => at > flow.end,
            Emission::Count(n) => stream.number - stream.before >= n,
            Emission::Chance { .. } | Emission::Poisson(_) => at >= flow.end,
        };
        (!over).then_some(TimeDs(at.0 + stream.begun_ds))
    }

    fn queue(&mut self, i: usize) {
        let mut due = self.due_of(i);
        for _ in 0..EMPTY_PERIODS_MAX {
            let (None, Some(period)) = (due, self.period) else { break };
            let flow = &self.demand.parts().flows[i];
            let stream = &mut self.flows[i];
            stream.begun_ds += i64::from(period.0);
            stream.before = stream.number;
            stream.at_ds = first_ds(flow, &mut stream.chance);
            due = self.due_of(i);
        }
        if let Some(at) = due {
            self.next.push(Reverse((at, i as u32)));
        }
    }

    fn advance(&mut self, i: usize) {
        let flow = &self.demand.parts().flows[i];
        let stream = &mut self.flows[i];
        stream.number += 1;
        match flow.emission {
            // From the number, so that no rounding adds up.
            Emission::Every { period_s } => stream.at_ds = f64::from(stream.number - stream.before) * period_s * 10.0,
            Emission::Count(n) => {
                let length_ds = flow.end.since(flow.template.depart) as f64;
                stream.at_ds = length_ds * f64::from(stream.number - stream.before) / f64::from(n.max(1));
            }
            Emission::Chance { per_s } => stream.at_ds += 10.0 + seconds_without(per_s, &mut stream.chance),
            Emission::Poisson(flow_vph) => stream.at_ds += gap_ds(flow_vph.get(), &mut stream.chance),
        }
    }
}

/// When a flow's first vehicle comes, in deciseconds since its beginning.
fn first_ds(flow: &Flow, chance: &mut SplitMix64) -> f64 {
    match flow.emission {
        Emission::Every { .. } | Emission::Count(_) => 0.0,
        Emission::Chance { per_s } => seconds_without(per_s, chance),
        Emission::Poisson(flow_vph) => gap_ds(flow_vph.get(), chance),
    }
}

/// Whole seconds, in deciseconds, until the first one with a vehicle when each has one with chance `per_s`.
fn seconds_without(per_s: f64, chance: &mut SplitMix64) -> f64 {
    let u = chance.unit();
    if per_s >= 1.0 {
        0.0
    } else if per_s <= 0.0 {
        f64::from(u32::MAX)
    } else {
        ((1.0 - u).ln() / (1.0 - per_s).ln()).floor().min(1e8) * 10.0
    }
}

/// An exponential gap in deciseconds.
pub(crate) fn gap_ds(flow_vph: f64, chance: &mut SplitMix64) -> f64 {
    let u = chance.unit();
    if flow_vph <= 0.0 { f64::from(u32::MAX) } else { (-(1.0 - u).ln() * 36_000.0 / flow_vph).min(1e9) }
}

#[cfg(test)]
mod tests {
    use greenkerb_models::demand::{DemandParts, DepartLane, DepartSpeed, Flow, VehicleKind, Way};
    use greenkerb_models::ids::{KindId, LinkId};
    use greenkerb_models::units::VehPerHour;

    use super::*;
    use crate::scenarios::grid;

    const DAY: Ds = Ds::from_s(86_400);

    fn departures(emission: Emission, begin_s: i64, seed: u64) -> Departures {
        let network = grid(1, 1, 200.0).unwrap();
        let template = Trip {
            name: "f".into(),
            kind: KindId::at(0),
            depart: TimeDs::from_s(3_600),
            way: Way::Turning { from: LinkId::at(0) },
            depart_lane: DepartLane::Best,
            depart_speed: DepartSpeed::Max,
            stays: Vec::new(),
            parking: None,
        };
        let flows = vec![Flow { template, end: TimeDs::from_s(7_200), emission }];
        let parts = DemandParts { kinds: vec![VehicleKind::car("car")], flows, ..DemandParts::default() };
        Departures::new(&Arc::new(parts.build(&network).unwrap()), TimeDs::from_s(begin_s), seed)
    }

    fn all_until(departures: &mut Departures, s: i64) -> Vec<Due> {
        std::iter::from_fn(|| departures.next_before(TimeDs::from_s(s))).collect()
    }

    #[test]
    fn a_flow_comes_again_every_day_and_no_number_twice() {
        for emission in [
            Emission::Count(6),
            Emission::Every { period_s: 700.0 },
            Emission::Poisson(VehPerHour::new(40.0).unwrap()),
            Emission::Chance { per_s: 0.01 },
        ] {
            // Begun after the first day's flow is over, and in the middle of it.
            for begin_s in [0, 5_000, 80_000] {
                let once = all_until(&mut departures(emission, begin_s, 3), 86_400).len();
                let mut repeated = departures(emission, begin_s, 3);
                repeated.repeat_every(DAY);
                let due = all_until(&mut repeated, 10 * 86_400);
                assert!(due.iter().all(|d| (36_000..=72_000).contains(&(d.at.0 % 864_000))), "{emission:?}: {due:?}");
                assert!(due.is_sorted_by_key(|d| d.at) && due[0].at >= TimeDs::from_s(begin_s));
                assert!(due.is_sorted_by(|a, b| a.number < b.number), "{emission:?}: {due:?}");
                let days: std::collections::BTreeSet<i64> = due.iter().map(|d| d.at.0 / 864_000).collect();
                assert_eq!(days.len(), if begin_s > 7_200 { 9 } else { 10 }, "{emission:?} from {begin_s}");
                assert_eq!(due.iter().filter(|d| d.at < TimeDs::from_s(86_400)).count(), once);
            }
        }
    }

    #[test]
    fn a_flow_of_nobody_ends() {
        let mut empty = departures(Emission::Count(0), 0, 1);
        empty.repeat_every(DAY);
        assert_eq!(all_until(&mut empty, 10_000_000), []);
    }
}
