//! People who cross streets on foot.
//!
//! They come one by one (Poisson), wait at the kerb, and step onto the crossing when their head shows walk; without a head,
//! when nobody comes who could not stop. They walk straight over at 1.2 m/s (4.0 ft/s, the walking speed of HCM 6th ed.,
//! ch. 4; clearances are for slower ones, 3.5 ft/s in MUTCD 2009, 4E.06). Drivers who turn over a crossing give way to people on it
//! (`give_way`).

mod give_way;

use std::collections::VecDeque;

use greenkerb_models::demand::{Demand, PeopleFlow};
use greenkerb_models::ids::CrossingId;
use greenkerb_models::network::{Meeting, Network, SignalHead};
use greenkerb_models::units::TimeDs;

use super::departures::gap_ds;
use super::event::{Event, What};
use super::lamps::Lamps;
use super::mover::{Kind, Mover};
use super::region::Row;
use super::strips::{StripId, Strips};
use super::view::PeopleState;
use crate::random::SplitMix64;

pub(crate) use give_way::GiveWay;

/// Speed on foot, in metres per second.
const WALK_MPS: f64 = 1.2;
/// From the middle of a crossing to where vehicles stop before it: half its width, and a little.
const BEFORE_M: f64 = 2.5;
/// Who comes at least so much later than one is across is no danger, in seconds.
const SPARE_S: f64 = 1.0;

/// A way across the node that leads over a crossing.
#[derive(Debug, Clone, Copy)]
struct Cut {
    way: StripId,
    /// Along the way, in metres.
    way_m: f64,
    /// Along the crossing, in metres.
    walk_m: f64,
    /// Vehicles give way to people.
    yields: bool,
}

/// Somebody on a crossing.
#[derive(Debug, Clone, Copy)]
struct Walker {
    /// When it stepped off the kerb.
    since: TimeDs,
    /// It walks against the crossing's course.
    back: bool,
}

/// Somebody at the kerb.
#[derive(Debug, Clone, Copy)]
struct Waiter {
    since: TimeDs,
    back: bool,
}

/// People of one flow who are still to come.
#[derive(Debug)]
struct Stream {
    chance: SplitMix64,
    per_h: f64,
    /// Deciseconds since the epoch at which the next one comes, unrounded.
    next_ds: f64,
    end: TimeDs,
}

impl Stream {
    fn new(flow: &PeopleFlow, begin: TimeDs, seed: u64) -> Self {
        let mut stream =
            Self { chance: SplitMix64(seed), per_h: flow.people_per_h, next_ds: flow.begin.0 as f64, end: flow.end };
        stream.go_on();
        while stream.next().is_some_and(|at| at < begin) {
            stream.go_on();
        }
        stream
    }

    fn next(&self) -> Option<TimeDs> {
        let at = TimeDs(self.next_ds.floor() as i64);
        (at < self.end).then_some(at)
    }

    fn go_on(&mut self) {
        self.next_ds += gap_ds(self.per_h, &mut self.chance);
    }
}

/// One crossing where people come.
#[derive(Debug)]
struct Crowd {
    crossing: CrossingId,
    length_m: f64,
    head: Option<SignalHead>,
    cuts: Vec<Cut>,
    streams: Vec<Stream>,
    waiting: VecDeque<Waiter>,
    walking: VecDeque<Walker>,
}

/// People at all crossings.
#[derive(Debug)]
pub(crate) struct People {
    crowds: Vec<Crowd>,
    /// Place in `crowds` of each crossing.
    of_crossing: Vec<Option<u32>>,
    /// Which ways are held for people in this step.
    pub(crate) give_way: GiveWay,
}

/// The street as people see it before a step.
pub(crate) struct Kerb<'a> {
    pub(crate) strips: &'a Strips,
    pub(crate) kinds: &'a [Kind],
    pub(crate) lamps: &'a Lamps,
    pub(crate) rows: &'a [Row],
    pub(crate) dt_s: f64,
    /// The step's beginning and end.
    pub(crate) begins: TimeDs,
    pub(crate) ends: TimeDs,
}

impl People {
    /// Nobody there yet.
    pub(crate) fn new(network: &Network, strips: &Strips, demand: &Demand, begin: TimeDs, seed: u64) -> Self {
        let mut people = Self {
            crowds: Vec::new(),
            of_crossing: vec![None; network.crossings().len()],
            give_way: GiveWay::default(),
        };
        for (i, flow) in demand.parts().people.iter().enumerate() {
            let place = match people.of_crossing[flow.crossing.index()] {
                Some(place) => place as usize,
                None => {
                    people.of_crossing[flow.crossing.index()] = Some(people.crowds.len() as u32);
                    people.crowds.push(Crowd::new(network, strips, flow.crossing));
                    people.crowds.len() - 1
                }
            };
            let seed = seed ^ (i as u64 + 1).wrapping_mul(0x8CB9_2BA7_2F3D_8DD7);
            people.crowds[place].streams.push(Stream::new(flow, begin, seed));
        }
        if !people.crowds.is_empty() {
            people.give_way = GiveWay::new(strips.all.len());
        }
        people
    }

    /// People come, step off, arrive; and say which ways are held for them in the step.
    pub(crate) fn walk(&mut self, kerb: &Kerb<'_>, events: &mut Vec<Event>) {
        self.give_way.clear();
        for crowd in &mut self.crowds {
            crowd.come(kerb, events);
            crowd.step_off(kerb, events);
            crowd.hold(kerb, &mut self.give_way);
        }
    }

    /// People at a crossing.
    pub(crate) fn at(&self, crossing: CrossingId) -> PeopleState {
        let Some(place) = self.of_crossing[crossing.index()] else { return PeopleState::default() };
        let crowd = &self.crowds[place as usize];
        PeopleState {
            waiting: crowd.waiting.len() as u32,
            since: crowd.waiting.front().map(|w| w.since),
            crossing: crowd.walking.len() as u32,
        }
    }
}

impl Crowd {
    fn new(network: &Network, strips: &Strips, crossing: CrossingId) -> Self {
        let x = network.crossing(crossing);
        let conflicts = network.parts().crossing_conflicts.iter().filter(|c| c.crossing == crossing);
        let cuts = conflicts.map(|c| {
            let met = Meeting::crossing(&network.connection(c.connection).shape, &x.shape);
            Cut {
                way: strips.of_connection(c.connection),
                way_m: c.at.get(),
                walk_m: met.map_or(x.length.get() / 2.0, |m| m.second_at_m),
                yields: c.vehicle_yields,
            }
        });
        Self {
            crossing,
            length_m: x.length.get(),
            head: x.signal,
            cuts: cuts.collect(),
            streams: Vec::new(),
            waiting: VecDeque::new(),
            walking: VecDeque::new(),
        }
    }

    fn come(&mut self, kerb: &Kerb<'_>, events: &mut Vec<Event>) {
        let mut came = Vec::new();
        for stream in &mut self.streams {
            while let Some(at) = stream.next().filter(|at| *at <= kerb.begins) {
                came.push(Waiter { since: at, back: stream.chance.below(2) == 1 });
                stream.go_on();
            }
        }
        came.sort_by_key(|w| w.since);
        for waiter in came {
            self.waiting.push_back(waiter);
            events.push(Event { at: kerb.ends, what: What::PersonCame { crossing: self.crossing } });
        }
    }

    fn step_off(&mut self, kerb: &Kerb<'_>, events: &mut Vec<Event>) {
        let across_ds = self.length_m / WALK_MPS * 10.0;
        self.walking.retain(|w| (kerb.begins.since(w.since) as f64) < across_ds);
        if self.waiting.is_empty() || !self.may_walk(kerb) {
            return;
        }
        for waiter in self.waiting.drain(..) {
            self.walking.push_back(Walker { since: kerb.begins, back: waiter.back });
            let waited_s = (kerb.begins.since(waiter.since) as f64 / 10.0) as f32;
            events.push(Event { at: kerb.ends, what: What::PersonCrossed { crossing: self.crossing, waited_s } });
        }
    }

    /// The head shows walk; or there is none.
    fn is_shown(&self, kerb: &Kerb<'_>) -> bool {
        self.head.is_none_or(|h| kerb.lamps.of(h.controller)[h.group.index()].is_green())
    }

    /// True when one may step off now, and nobody comes who could not stop any more.
    fn may_walk(&self, kerb: &Kerb<'_>) -> bool {
        self.is_shown(kerb) && self.cuts.iter().all(|cut| self.is_safe(kerb, cut))
    }

    fn is_safe(&self, kerb: &Kerb<'_>, cut: &Cut) -> bool {
        let way = &kerb.strips.all[cut.way as usize];
        let on_it = kerb.rows[cut.way as usize].movers.iter().map(|o| (o, cut.way_m - o.front_m));
        if !on_it.into_iter().all(|(o, to_m)| self.is_no_danger(kerb, o, to_m, cut.yields)) {
            return false;
        }
        let lane_m = kerb.strips.all[way.from as usize].length_m;
        let first = kerb.rows[way.from as usize].movers.first().filter(|o| o.next == cut.way);
        let shut = kerb.lamps.at(cut.way).is_some_and(|shown| !shown.is_green());
        shut || first.is_none_or(|o| self.is_no_danger(kerb, o, lane_m - o.front_m + cut.way_m, cut.yields))
    }

    /// True for a vehicle that stands, is past the crossing, or can and will stop before it.
    fn is_no_danger(&self, kerb: &Kerb<'_>, o: &Mover, to_m: f64, yields: bool) -> bool {
        let kind = &kerb.kinds[usize::from(o.kind)];
        if o.stands() || to_m + f64::from(o.length_m) + BEFORE_M < 0.0 {
            return true;
        }
        let brakes_m = o.speed_mps * (kerb.dt_s + o.speed_mps / (2.0 * kind.decel));
        if to_m - BEFORE_M < brakes_m {
            return false;
        }
        yields || self.head.is_some() || to_m / o.speed_mps.max(1.0) > self.length_m / WALK_MPS + SPARE_S
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_come_at_their_rate_and_only_in_their_time() {
        let flow = PeopleFlow {
            crossing: CrossingId(0),
            people_per_h: 720.0,
            begin: TimeDs::from_s(100),
            end: TimeDs::from_s(10_100),
        };
        let mut stream = Stream::new(&flow, TimeDs(0), 5);
        let mut came = Vec::new();
        while let Some(at) = stream.next() {
            came.push(at);
            stream.go_on();
        }
        assert!(came.is_sorted() && came[0] >= flow.begin && came[came.len() - 1] < flow.end);
        // 2,000 expected; six standard deviations.
        assert!((1_730..2_270).contains(&came.len()), "{}", came.len());
        let late = Stream::new(&flow, TimeDs::from_s(5_000), 5);
        assert_eq!(late.next(), came.iter().copied().find(|at| *at >= TimeDs::from_s(5_000)));
    }
}
