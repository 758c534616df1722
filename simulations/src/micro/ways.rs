//! Ways in terms of links, with the lanes from which they go on.

use std::collections::HashMap;

use greenkerb_models::demand::VehicleClass;
use greenkerb_models::ids::LinkId;
use greenkerb_models::network::Network;

use super::strips::{NONE, StripId, Strips, may_use};

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

/// A stretch of the table of ways: its first step, and one past its last.
pub(crate) type Span = (u32, u32);

/// All ways in use, one after the other.
#[derive(Debug, Default)]
pub(crate) struct Ways {
    steps: Vec<Step>,
    known: HashMap<(VehicleClass, Box<[LinkId]>), Span>,
}

impl Ways {
    /// The stretch of a way, added when it is new.
    ///
    /// # Errors
    /// Two links of it that no lane joins for vehicles of the class, or, where vehicles cannot change lanes, the pair
    /// at which every lane that could be reached turns elsewhere.
    pub(crate) fn add(
        &mut self,
        network: &Network,
        class: VehicleClass,
        links: &[LinkId],
        can_change_lanes: bool,
    ) -> Result<Span, (LinkId, LinkId)> {
        if let Some(span) = self.known.get(&(class, links.into())) {
            return Ok(*span);
        }
        let usable = |link: LinkId| {
            let lanes = network.link(link).lanes.iter().map(|l| network.lane(*l));
            lanes.filter(|l| may_use(class, l.admits)).fold(0u32, |mask, l| mask | bit(l.index))
        };
        let mut steps: Vec<Step> =
            links.iter().map(|l| Step { link: *l, usable: usable(*l), turns: 0, leads: 0 }).collect();
        for i in (0..steps.len()).rev() {
            let from = steps[i].link;
            let Some(next) = steps.get(i + 1).copied() else {
                steps[i].turns = steps[i].usable;
                steps[i].leads = steps[i].turns;
                if steps[i].turns == 0 {
                    return Err((from, from));
                }
                continue;
            };
            for m in network.movements_from(from).iter().map(|m| network.movement(*m)) {
                if m.to_link != next.link {
                    continue;
                }
                for c in m.connections.iter().map(|c| network.connection(*c)) {
                    let (a, b) = (network.lane(c.from_lane), network.lane(c.to_lane));
                    if may_use(class, a.admits) && may_use(class, b.admits) {
                        steps[i].turns |= bit(a.index);
                        steps[i].leads |= if next.leads & bit(b.index) != 0 { bit(a.index) } else { 0 };
                    }
                }
            }
            if steps[i].turns == 0 || (steps[i].leads == 0 && !can_change_lanes) {
                return Err((from, next.link));
            }
            if steps[i].leads == 0 {
                steps[i].leads = steps[i].turns;
            }
        }
        let first = self.steps.len() as u32;
        self.steps.append(&mut steps);
        let span = (first, self.steps.len() as u32);
        self.known.insert((class, links.into()), span);
        Ok(span)
    }

    /// One step.
    pub(crate) fn step(&self, at: u32) -> &Step {
        &self.steps[at as usize]
    }

    /// The connection a vehicle takes at the end of a lane: to the next link of its way, if it can be to a lane from
    /// which the way goes on, and to the nearest of those. [`NONE`] at the end of the way and where the lane leads
    /// elsewhere.
    pub(crate) fn connection(&self, strips: &Strips, lane: StripId, at: u32, end: u32) -> StripId {
        if at + 1 >= end {
            return NONE;
        }
        let next = &self.steps[at as usize + 1];
        let here = strips.all[lane as usize].index;
        let mut best = (u32::MAX, NONE);
        for c in strips.outs(lane) {
            let s = &strips.all[*c as usize];
            if s.link != next.link || next.usable & bit(s.index) == 0 {
                continue;
            }
            let off = if next.leads & bit(s.index) == 0 { 1 << 16 } else { 0 };
            let rank = off + s.index.abs_diff(here);
            if rank < best.0 {
                best = (rank, *c);
            }
        }
        best.1
    }
}

/// A lane's bit. Lanes past the thirty-first share one: no street has so many.
pub(crate) const fn bit(index: u32) -> u32 {
    1 << if index < 31 { index } else { 31 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenarios::grid;

    #[test]
    fn a_way_knows_the_lanes_that_lead_on() {
        let net = grid(2, 1, 200.0).unwrap();
        let link = |name: &str| net.link_named(name).unwrap();
        // Straight over the first junction, left at the second: lane 1 turns left, lane 0 goes straight.
        let way = [link("n-1_0>n0_0"), link("n0_0>n1_0"), link("n1_0>n1_1")];
        let mut ways = Ways::default();
        let (first, end) = ways.add(&net, VehicleClass::Car, &way, true).unwrap();
        let masks: Vec<_> = (first..end).map(|i| (ways.step(i).turns, ways.step(i).leads)).collect();
        assert_eq!(masks, [(0b01, 0b01), (0b10, 0b10), (0b11, 0b11)]);
        assert_eq!(ways.add(&net, VehicleClass::Car, &way, true), Ok((first, end)), "known ways are not added twice");
        let stuck = Ways::default().add(&net, VehicleClass::Car, &way, false);
        assert_eq!(stuck, Err((way[0], way[1])), "without lane changes nobody gets to the left lane");

        let strips = Strips::new(&net);
        let lane = |link: LinkId, i: usize| strips.of_lane(net.link(link).lanes[i]);
        let c = ways.connection(&strips, lane(way[0], 0), first, end);
        assert_eq!(strips.all[c as usize].link, way[1]);
        assert_eq!(ways.connection(&strips, lane(way[0], 1), first, end), NONE);
        assert_eq!(ways.connection(&strips, lane(way[2], 1), end - 1, end), NONE);
    }
}
