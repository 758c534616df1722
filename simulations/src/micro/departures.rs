//! Who wants to enter when: single trips in order, and flows expanded one vehicle at a time with seeded chance.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use greenkerb_models::demand::{Demand, Emission, Flow, Trip};
use greenkerb_models::units::TimeDs;

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
}

/// Where a flow stands.
#[derive(Debug)]
struct Stream {
    chance: SplitMix64,
    number: u32,
    /// Deciseconds since the flow's beginning at which its next vehicle comes, unrounded.
    at_ds: f64,
}

impl Departures {
    /// Everything that comes at or after `begin`.
    pub(crate) fn new(demand: &Arc<Demand>, begin: TimeDs, seed: u64) -> Self {
        let parts = demand.parts();
        let trip = parts.trips.partition_point(|t| t.depart < begin);
        let mut departures = Self { demand: Arc::clone(demand), trip, flows: Vec::new(), next: BinaryHeap::new() };
        for (i, flow) in parts.flows.iter().enumerate() {
            let mut chance = SplitMix64(seed ^ (i as u64 + 1).wrapping_mul(0xA24B_AED4_963E_E407));
            let at_ds = first_ds(flow, &mut chance);
            departures.flows.push(Stream { chance, number: 0, at_ds });
            while departures.due_of(i).is_some_and(|at| at < begin) {
                departures.advance(i);
            }
            departures.queue(i);
        }
        departures
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
            Emission::Count(n) => stream.number >= n,
            Emission::Chance { .. } | Emission::Poisson(_) => at >= flow.end,
        };
        (!over).then_some(at)
    }

    fn queue(&mut self, i: usize) {
        if let Some(at) = self.due_of(i) {
            self.next.push(Reverse((at, i as u32)));
        }
    }

    fn advance(&mut self, i: usize) {
        let flow = &self.demand.parts().flows[i];
        let stream = &mut self.flows[i];
        stream.number += 1;
        match flow.emission {
            // From the number, so that no rounding adds up.
            Emission::Every { period_s } => stream.at_ds = f64::from(stream.number) * period_s * 10.0,
            Emission::Count(n) => {
                let length_ds = flow.end.since(flow.template.depart) as f64;
                stream.at_ds = length_ds * f64::from(stream.number) / f64::from(n.max(1));
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
