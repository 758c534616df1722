//! Ways in terms of links, with the lanes from which they go on: fixed ones in a table, and those of turning vehicles,
//! which are drawn link by link from the vehicle's number and the count of its turns, so that nothing is stored of them.

use std::collections::HashMap;

use greenkerb_models::demand::{Demand, VehicleClass};
use greenkerb_models::ids::LinkId;
use greenkerb_models::network::Network;

use super::strips::{NONE, StripId, Strips, may_use};
use crate::random::SplitMix64;

/// A lane that is shorter is looked beyond by those who yield to its traffic: nobody brakes from city speeds on less, in
/// metres.
const SHORT_M: f64 = 60.0;
/// Turns after which a turning vehicle that found no way out is let go.
const TURNS_MAX: u32 = 10_000;

/// One link of a way. Lanes are bits by their index.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Step {
    /// The link.
    pub(crate) link: LinkId,
    /// Lanes the vehicle may use.
    pub(crate) usable: u32,
    /// Lanes with a connection to the next link; on the last link all that may be used.
    pub(crate) turns: u32,
    /// Those of them from which the way goes on with the fewest lane changes.
    pub(crate) leads: u32,
}

/// Where a vehicle is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Course {
    /// Fixed ways: the step it is on, or comes from. Turning vehicles: how many links it has come onto.
    at: u32,
    /// Fixed ways: one past the last step. Turning vehicles: [`NONE`].
    end: u32,
}

impl Course {
    /// The course of a turning vehicle on its first link.
    pub(crate) const TURNING: Self = Self { at: 0, end: NONE };

    /// The course once the vehicle has come onto its next link.
    pub(crate) const fn onward(self) -> Self {
        Self { at: self.at + 1, end: self.end }
    }

    /// How many links further on it is than another course of the same links.
    pub(crate) const fn since(self, start: Self) -> u32 {
        self.at - start.at
    }

    /// The course so many links further on.
    pub(crate) const fn further(self, links: u32) -> Self {
        Self { at: self.at + links, end: self.end }
    }

    const fn is_turning(self) -> bool {
        self.end == NONE
    }
}

/// A link that vehicles can turn into.
#[derive(Debug, Clone, Copy)]
struct Exit {
    to: LinkId,
    share: f64,
    /// Lanes with a connection there.
    turns: u32,
}

/// What makes a way: who drives it, its links, and the lanes it leads by.
type Key = (VehicleClass, Box<[LinkId]>, Box<[(u32, u32)]>);

/// All ways in use.
#[derive(Debug)]
pub(crate) struct Ways {
    steps: Vec<Step>,
    known: HashMap<Key, Course>,
    /// Exits of every link, for turning vehicles; empty where nobody turns.
    exits: Vec<Vec<Exit>>,
    /// Lanes of every link that turning vehicles may use.
    lanes: Vec<u32>,
    /// Vehicles stay on the lane they enter a link on.
    lanes_are_kept: bool,
    seed: u64,
}

impl Ways {
    /// No ways yet; `lanes_are_kept` where nobody changes lanes.
    pub(crate) fn new(network: &Network, demand: &Demand, lanes_are_kept: bool, seed: u64) -> Self {
        let templates = demand.parts().trips.iter().chain(demand.parts().flows.iter().map(|f| &f.template));
        let mut turning = templates.filter(|t| matches!(t.way, greenkerb_models::demand::Way::Turning { .. }));
        let (mut exits_of, mut lanes) = (Vec::new(), Vec::new());
        if turning.next().is_some() {
            exits_of = exits(network, demand);
            lanes = (0..network.links().len()).map(|l| usable(network, VehicleClass::Car, LinkId::at(l))).collect();
        }
        Self { steps: Vec::new(), known: HashMap::new(), exits: exits_of, lanes, lanes_are_kept, seed }
    }

    /// The course along a way from its first link, added when it is new.
    ///
    /// # Errors
    /// Two links of it that no lane joins for vehicles of the class, or, where lanes are kept, the pair at which every
    /// lane that could be reached turns elsewhere.
    pub(crate) fn add(
        &mut self,
        network: &Network,
        class: VehicleClass,
        links: &[LinkId],
    ) -> Result<Course, (LinkId, LinkId)> {
        self.add_by(network, class, links, &[])
    }

    /// As [`Ways::add`], by way of lanes: `by` names links of the way, counted from the first, with the index of the lane
    /// that is to be driven to there, whether the way goes on from it or not.
    ///
    /// # Errors
    /// As [`Ways::add`].
    pub(crate) fn add_by(
        &mut self,
        network: &Network,
        class: VehicleClass,
        links: &[LinkId],
        by: &[(u32, u32)],
    ) -> Result<Course, (LinkId, LinkId)> {
        let key = (class, links.into(), by.into());
        if let Some(course) = self.known.get(&key) {
            return Ok(*course);
        }
        let mut steps: Vec<Step> = Vec::with_capacity(links.len());
        for (i, link) in links.iter().enumerate() {
            steps.push(Step { link: *link, usable: usable(network, class, *link), turns: 0, leads: 0 });
            if steps[i].usable == 0 {
                return Err((*link, *link));
            }
        }
        for i in (0..steps.len()).rev() {
            let goal = by.iter().find(|(link, _)| *link as usize == i).map(|(_, lane)| bit(*lane));
            let Some(next) = steps.get(i + 1).copied() else {
                steps[i].turns = steps[i].usable;
                steps[i].leads = goal.unwrap_or(steps[i].usable);
                continue;
            };
            let from = &mut steps[i];
            for (a, b) in joints(network, class, from.link, next.link) {
                from.turns |= a;
                from.leads |= if next.leads & b != 0 { a } else { 0 };
            }
            if from.turns == 0 || (from.leads == 0 && self.lanes_are_kept) {
                return Err((from.link, next.link));
            }
            if from.leads == 0 {
                from.leads = from.turns;
            }
            from.leads = goal.unwrap_or(from.leads);
        }
        let at = self.steps.len() as u32;
        self.steps.append(&mut steps);
        let course = Course { at, end: self.steps.len() as u32 };
        self.known.insert(key, course);
        Ok(course)
    }

    /// The lanes of the link a vehicle is on, in terms of its way. `lane` is the one it is on, or any of a link it is
    /// about to enter.
    pub(crate) fn here(&self, strips: &Strips, lane: StripId, vehicle: u32, course: Course) -> Step {
        if !course.is_turning() {
            return self.steps[course.at as usize];
        }
        let link = strips.all[lane as usize].link;
        let all = self.lanes[link.index()];
        let turns = self.exit(link, NONE, vehicle, course).map_or(all, |e| e.turns);
        Step { link, usable: all, turns, leads: turns }
    }

    /// Links a vehicle still has before it, first the one its course is at, `from`.
    pub(crate) fn ahead(&self, from: LinkId, vehicle: u32, course: Course) -> impl Iterator<Item = LinkId> + '_ {
        let mut now = Some((from, course));
        std::iter::from_fn(move || {
            let (link, course) = now?;
            let next = if course.is_turning() {
                self.exit(link, NONE, vehicle, course).map(|e| e.to)
            } else {
                (course.at + 1 < course.end).then(|| self.steps[course.at as usize + 1].link)
            };
            now = next.map(|to| (to, course.onward()));
            Some(link)
        })
    }

    /// True when a vehicle's way ends with the link a lane is of.
    pub(crate) fn ends(&self, strips: &Strips, lane: StripId, vehicle: u32, course: Course) -> bool {
        if course.is_turning() {
            return self.exit(strips.all[lane as usize].link, NONE, vehicle, course).is_none();
        }
        course.at + 1 >= course.end
    }

    /// The connection a vehicle takes at the end of a lane: to the next link of its way, if it can be to a lane from
    /// which the way goes on, and to the nearest of those. [`NONE`] at the end of the way and where the lane leads
    /// elsewhere.
    pub(crate) fn connection(&self, strips: &Strips, lane: StripId, vehicle: u32, course: Course) -> StripId {
        let here = &strips.all[lane as usize];
        let next = if course.is_turning() {
            let own = if self.lanes_are_kept { bit(here.index) } else { NONE };
            let Some(exit) = self.exit(here.link, own, vehicle, course) else { return NONE };
            let all = self.lanes[exit.to.index()];
            let leads = self.exit(exit.to, NONE, vehicle, course.onward()).map_or(all, |e| e.turns);
            Step { link: exit.to, usable: all, turns: leads, leads }
        } else if course.at + 1 < course.end {
            self.steps[course.at as usize + 1]
        } else {
            return NONE;
        };
        let mut best = (u32::MAX, NONE);
        for c in strips.outs(lane) {
            let s = &strips.all[*c as usize];
            if s.link != next.link || next.usable & bit(s.index) == 0 {
                continue;
            }
            let off = if next.leads & bit(s.index) == 0 { 1 << 16 } else { 0 };
            let rank = off + s.index.abs_diff(here.index);
            if rank < best.0 {
                best = (rank, *c);
            }
        }
        best.1
    }

    /// The connection a vehicle on a lane takes at the end of the lane that `next` leads to, when that lane is short; else
    /// [`NONE`].
    pub(crate) fn beyond(&self, strips: &Strips, next: StripId, vehicle: u32, course: Course) -> StripId {
        if next == NONE {
            return NONE;
        }
        let lane = strips.all[next as usize].to;
        if strips.all[lane as usize].length_m > SHORT_M {
            return NONE;
        }
        self.connection(strips, lane, vehicle, course.onward())
    }

    /// The exit a turning vehicle takes from a link, of those that lead off one of `lanes`.
    fn exit(&self, link: LinkId, lanes: u32, vehicle: u32, course: Course) -> Option<Exit> {
        let exits = || self.exits[link.index()].iter().filter(|e| e.turns & lanes != 0);
        let sum: f64 = exits().map(|e| e.share).sum();
        if sum <= 0.0 || course.at >= TURNS_MAX {
            return None;
        }
        let key = u64::from(vehicle) << 32 | u64::from(course.at);
        let mut left = SplitMix64(self.seed ^ key.wrapping_mul(0xE703_7ED1_A0B4_28DB)).unit() * sum;
        let drawn = exits().find(|e| {
            left -= e.share;
            left < 0.0
        });
        drawn.or_else(|| exits().rfind(|e| e.share > 0.0)).copied()
    }
}

/// Lanes of a link that vehicles of a class may use.
fn usable(network: &Network, class: VehicleClass, link: LinkId) -> u32 {
    let lanes = network.link(link).lanes.iter().map(|l| network.lane(*l));
    lanes.filter(|l| may_use(class, l.admits)).fold(0, |mask, l| mask | bit(l.index))
}

/// Pairs of lanes that join two links for vehicles of a class.
fn joints(network: &Network, class: VehicleClass, from: LinkId, to: LinkId) -> impl Iterator<Item = (u32, u32)> + '_ {
    let movements = network.movements_from(from).iter().map(|m| network.movement(*m));
    let connections = movements.filter(move |m| m.to_link == to).flat_map(|m| &m.connections);
    let lanes =
        connections.map(|c| network.connection(*c)).map(|c| (network.lane(c.from_lane), network.lane(c.to_lane)));
    lanes
        .filter(move |(a, b)| may_use(class, a.admits) && may_use(class, b.admits))
        .map(|(a, b)| (bit(a.index), bit(b.index)))
}

/// Exits of every link, for cars. Links without shares share alike among all they lead to.
fn exits(network: &Network, demand: &Demand) -> Vec<Vec<Exit>> {
    let mut exits = vec![Vec::new(); network.links().len()];
    for m in network.movements() {
        let turns = joints(network, VehicleClass::Car, m.from_link, m.to_link).fold(0, |mask, (a, _)| mask | a);
        let of_link: &mut Vec<Exit> = &mut exits[m.from_link.index()];
        if turns != 0 && of_link.iter().all(|e| e.to != m.to_link) {
            of_link.push(Exit { to: m.to_link, share: 1.0, turns });
        }
    }
    let mut has_shares = vec![false; exits.len()];
    for s in &demand.parts().turning {
        if !std::mem::replace(&mut has_shares[s.from.index()], true) {
            exits[s.from.index()].iter_mut().for_each(|e| e.share = 0.0);
        }
        exits[s.from.index()].iter_mut().filter(|e| e.to == s.to).for_each(|e| e.share += s.share);
    }
    exits
}

/// A lane's bit. Lanes past the thirty-first share one: no street has so many.
pub(crate) const fn bit(index: u32) -> u32 {
    1 << if index < 31 { index } else { 31 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenarios::grid;

    fn turning(from: LinkId) -> greenkerb_models::demand::Trip {
        greenkerb_models::demand::Trip {
            name: "t".into(),
            kind: greenkerb_models::ids::KindId(0),
            depart: greenkerb_models::units::TimeDs(0),
            way: greenkerb_models::demand::Way::Turning { from },
            depart_lane: Default::default(),
            depart_speed: Default::default(),
            stays: Vec::new(),
            parking: None,
        }
    }

    #[test]
    fn a_way_knows_the_lanes_that_lead_on() {
        let net = grid(2, 1, 200.0).unwrap();
        let strips = Strips::new(&net);
        let link = |name: &str| net.link_named(name).unwrap();
        let lane = |link: LinkId, i: usize| strips.of_lane(net.link(link).lanes[i]);
        // Straight over the first junction, left at the second: lane 1 turns left, lane 0 goes straight.
        let way = [link("n-1_0>n0_0"), link("n0_0>n1_0"), link("n1_0>n1_1")];
        let mut ways = Ways::new(&net, &Demand::default(), false, 1);
        let start = ways.add(&net, VehicleClass::Car, &way).unwrap();
        let courses = [start, start.onward(), start.onward().onward()];
        let masks = courses.map(|c| ways.here(&strips, 0, 0, c)).map(|s| (s.turns, s.leads));
        assert_eq!(masks, [(0b01, 0b01), (0b10, 0b10), (0b11, 0b11)]);
        let ends = [0, 1, 2].map(|i| ways.ends(&strips, lane(way[i], 0), 0, courses[i]));
        assert_eq!(ends, [false, false, true]);
        assert_eq!(ways.add(&net, VehicleClass::Car, &way), Ok(start), "known ways are not added twice");
        let stuck = Ways::new(&net, &Demand::default(), true, 1).add(&net, VehicleClass::Car, &way);
        assert_eq!(stuck, Err((way[0], way[1])), "without lane changes nobody gets to the left lane");

        let c = ways.connection(&strips, lane(way[0], 0), 0, start);
        assert_eq!(strips.all[c as usize].link, way[1]);
        assert_eq!(ways.connection(&strips, lane(way[0], 1), 0, start), NONE);
        assert_eq!(ways.connection(&strips, lane(way[2], 1), 0, courses[2]), NONE);
    }

    #[test]
    fn turning_vehicles_turn_by_their_shares() {
        let net = grid(2, 1, 200.0).unwrap();
        let strips = Strips::new(&net);
        let link = |name: &str| net.link_named(name).unwrap();
        let from = link("n-1_0>n0_0");
        let exits = [(link("n0_0>n1_0"), 3.0), (link("n0_0>n0_1"), 1.0)];
        let parts = greenkerb_models::demand::DemandParts {
            kinds: vec![greenkerb_models::demand::VehicleKind::car("car")],
            trips: vec![turning(from)],
            turning: exits.map(|(to, share)| greenkerb_models::demand::TurningShare { from, to, share }).to_vec(),
            ..Default::default()
        };
        let demand = parts.build(&net).unwrap();
        let ways = Ways::new(&net, &demand, false, 5);
        let course = Course::TURNING;
        let drawn = |v: u32| ways.exit(from, NONE, v, course).unwrap().to;
        let straight = (0..10_000).filter(|v| drawn(*v) == exits[0].0).count();
        assert!((7_300..7_700).contains(&straight), "three of four go straight: {straight}");
        assert!((0..10_000).all(|v| [exits[0].0, exits[1].0].contains(&drawn(v))), "a share that is not given is none");
        let lane = |link: LinkId, i: usize| strips.of_lane(net.link(link).lanes[i]);
        assert!(ways.ends(&strips, lane(exits[1].0, 0), 0, course.onward()), "the way ends where no link leads on");
        assert!(!ways.ends(&strips, lane(exits[0].0, 0), 0, course.onward()));
        // Lane 0 leads straight on, lane 1 to the left.
        let kept = Ways::new(&net, &demand, true, 5);
        for v in 0..100 {
            let c = kept.connection(&strips, lane(from, 1), v, course);
            assert_eq!(strips.all[c as usize].link, exits[1].0, "who keeps the left lane turns left");
        }
    }
}
