//! Which phase each ring shows, and when it goes on.

use greenkerb_models::ids::GroupId;
use greenkerb_models::signal::{Controller, Protection, TimingPlan};
use greenkerb_models::units::{Ds, TimeDs};

use super::super::interlock::Want;
use super::rings::{Layout, PhaseOf};

/// A phase with its times.
#[derive(Debug, Clone)]
pub(super) struct Phase {
    #[cfg(test)]
    pub(super) number: u8,
    pub(super) group: GroupId,
    /// Shortest green, with the walk and clearance of pedestrians beside it.
    pub(super) min: Ds,
    /// Position in the cycle at which its green ends at the latest.
    force_off: Ds,
    /// Yellow and all-red after it.
    lost: Ds,
    split: Ds,
    coordinated: bool,
    permissive: Vec<GroupId>,
    overlaps: Vec<GroupId>,
    /// Pedestrians beside it, with their walk.
    pub(super) walks: Vec<(GroupId, Ds)>,
}

/// What loops and heads say about the phases.
#[derive(Debug, Clone)]
pub(super) struct Calls {
    /// Somebody waits, or came while it was red.
    pub(super) called: Vec<bool>,
    /// Vehicles follow each other without a gap.
    pub(super) flows: Vec<bool>,
    /// Since when its group is green.
    pub(super) green_since: Vec<Option<TimeDs>>,
}

/// The rings of one controller.
#[derive(Debug, Clone)]
pub(super) struct Rings {
    phases: Vec<Phase>,
    /// Phases of each ring of each barrier group, in order.
    order: Vec<Vec<Vec<usize>>>,
    plan: TimingPlan,
    barrier_group: usize,
    /// Place of the phase each ring shows, or comes to.
    active: Vec<usize>,
}

impl Rings {
    pub(super) fn new(layout: Layout, controller: &Controller) -> Result<Self, String> {
        let plan = controller.time_of_day_plan();
        let mut phases = Vec::new();
        let mut order: Vec<Vec<Vec<usize>>> = Vec::new();
        for barrier_group in layout.barrier_groups {
            let mut rings: Vec<Vec<usize>> = Vec::new();
            for ring in barrier_group.into_iter().filter(|r| !r.is_empty()) {
                let mut places = Vec::new();
                for of in ring {
                    places.push(phases.len());
                    let coordinated = layout.coordinated.contains(&of.number);
                    phases.push(phase(of, coordinated, controller, &plan)?);
                }
                rings.push(places);
            }
            order.push(rings);
        }
        let rings = order.first().map_or(0, Vec::len);
        if rings == 0 || order.iter().any(|b| b.len() != rings) {
            return Err("its barrier groups have different numbers of rings".to_owned());
        }
        let coordinated = |b: &Vec<Vec<usize>>| b.iter().flatten().any(|p| phases[*p].coordinated);
        let Some(barrier_group) = order.iter().position(coordinated) else {
            return Err("none of its phases is coordinated".to_owned());
        };
        let mut made = Self { phases, order, plan, barrier_group, active: vec![0; rings] };
        made.active = (0..rings).map(|r| made.main_place(barrier_group, r)).collect();
        Ok(made)
    }

    pub(super) fn phases(&self) -> &[Phase] {
        &self.phases
    }

    /// True when a ring shows the phase, or comes to it.
    pub(super) fn serves(&self, phase: usize) -> bool {
        (0..self.active.len()).any(|r| self.shown(r) == phase)
    }

    fn ring(&self, r: usize) -> &[usize] {
        &self.order[self.barrier_group][r]
    }

    fn shown(&self, r: usize) -> usize {
        self.ring(r)[self.active[r]]
    }

    /// Deciseconds from one position in the cycle forward to another.
    fn ahead(&self, from: Ds, to: Ds) -> u32 {
        (to.0 + self.plan.cycle.0 - from.0) % self.plan.cycle.0.max(1)
    }

    /// The place of a ring's coordinated phase, or of its longest.
    fn main_place(&self, barrier_group: usize, r: usize) -> usize {
        let ring = &self.order[barrier_group][r];
        let rank = |place: &usize| (self.phases[ring[*place]].coordinated, self.phases[ring[*place]].split);
        (0..ring.len()).rev().max_by_key(rank).unwrap_or(0)
    }

    /// Whether a phase would get its shortest green if what is shown now ended: its force-off is far enough ahead, and no
    /// further than it is from the force-off of what is shown.
    fn fits(&self, phase: usize, after: usize, position: Ds) -> bool {
        let (p, before) = (&self.phases[phase], &self.phases[after]);
        if p.coordinated {
            return true;
        }
        let left = self.ahead(position, p.force_off);
        left >= (before.lost + p.min).0
            && left <= self.ahead(before.force_off, p.force_off).max(p.split.0 + before.lost.0)
    }

    fn is_called(&self, phase: usize, calls: &Calls) -> bool {
        let p = &self.phases[phase];
        calls.called[phase] || p.coordinated
    }

    /// True when a ring's phase may end at `now`.
    fn is_done(&self, r: usize, calls: &Calls, now: TimeDs) -> bool {
        let phase = self.shown(r);
        let p = &self.phases[phase];
        let Some(since) = calls.green_since[phase] else { return false };
        let age = now.since(since);
        if age < i64::from(p.min.0) {
            return false;
        }
        let forced = age >= i64::from(self.ahead(self.plan.position_at(since), p.force_off));
        if p.coordinated { forced } else { forced || !calls.flows[phase] }
    }

    /// The next phase of a ring before the barrier that is called and fits.
    fn next_in_ring(&self, r: usize, calls: &Calls, position: Ds) -> Option<usize> {
        let ring = self.ring(r);
        let now = self.shown(r);
        (self.active[r] + 1..ring.len())
            .find(|place| self.is_called(ring[*place], calls) && self.fits(ring[*place], now, position))
    }

    /// Ends what is over and comes to what is next.
    pub(super) fn advance(&mut self, calls: &Calls, now: TimeDs) {
        let position = self.plan.position_at(now);
        let mut at_barrier = true;
        for r in 0..self.active.len() {
            if !self.is_done(r, calls, now) {
                at_barrier = false;
            } else if let Some(place) = self.next_in_ring(r, calls, position) {
                self.active[r] = place;
                at_barrier = false;
            }
        }
        if at_barrier {
            self.cross(calls, position);
        }
    }

    /// Both rings stand at the barrier: goes over it where somebody behind it is called, and back to the coordinated
    /// phases where nobody is.
    fn cross(&mut self, calls: &Calls, position: Ds) {
        let groups = self.order.len();
        for step in 1..groups {
            let b = (self.barrier_group + step) % groups;
            let first = |r: usize| {
                let ring = &self.order[b][r];
                let now = self.shown(r);
                (0..ring.len()).find(|i| self.is_called(ring[*i], calls) && self.fits(ring[*i], now, position))
            };
            let firsts: Vec<Option<usize>> = (0..self.active.len()).map(first).collect();
            if firsts.iter().any(Option::is_some) {
                // A ring without a call shows its main phase beside the other's (dual entry).
                let active = firsts.iter().enumerate();
                let active = active.map(|(r, f)| f.unwrap_or_else(|| self.main_place(b, r))).collect();
                self.barrier_group = b;
                self.active = active;
                return;
            }
        }
    }

    /// What every group should show at `now`.
    pub(super) fn wants(&self, calls: &Calls, now: TimeDs, wants: &mut [Want]) {
        wants.fill(Want::Red);
        for r in 0..self.active.len() {
            let phase = self.shown(r);
            let p = &self.phases[phase];
            for g in p.overlaps.iter().chain(std::iter::once(&p.group)) {
                wants[g.index()] = Want::Protected;
            }
            for g in p.permissive.iter().filter(|g| wants[g.index()] == Want::Red).copied().collect::<Vec<_>>() {
                wants[g.index()] = Want::Permissive;
            }
            let age = calls.green_since[phase].map_or(0, |since| now.since(since));
            for (g, _) in p.walks.iter().filter(|(_, walk)| age < i64::from(walk.0)) {
                wants[g.index()] = Want::Protected;
            }
        }
    }
}

fn phase(of: PhaseOf, coordinated: bool, controller: &Controller, plan: &TimingPlan) -> Result<Phase, String> {
    let group = controller.group(of.group);
    let greens = &plan.greens[of.group.index()];
    let protected = greens.iter().filter(|g| g.protection == Protection::Protected);
    let Some(green) = protected.max_by_key(|g| g.length).or_else(|| greens.iter().max_by_key(|g| g.length)) else {
        return Err(format!("phase {} is never green in its plan", of.number));
    };
    if green.length >= plan.cycle {
        return Err(format!("phase {} is always green in its plan", of.number));
    }
    let conflicts = controller.group_ids().filter_map(|s| match controller.conflicts.get(of.group, s) {
        greenkerb_models::signal::Relation::Conflict { intergreen } => Some(intergreen),
        _ => None,
    });
    let walk = |g: &GroupId| (*g, controller.group(*g).min_green);
    Ok(Phase {
        #[cfg(test)]
        number: of.number,
        group: of.group,
        min: of.min.min(green.length.max(group.min_green)),
        force_off: green.end(plan.cycle),
        lost: conflicts.max().unwrap_or(group.yellow),
        split: green.length,
        coordinated,
        permissive: of.permissive,
        overlaps: of.overlaps,
        walks: of.walks.iter().map(walk).collect(),
    })
}

#[cfg(test)]
mod tests {
    use greenkerb_models::ids::ControllerId;

    use super::*;
    use crate::control::nema::rings::layout;
    use crate::scenarios::grid;

    /// Stages of 28 and 9 s for each of two streets, 4 s between them: a cycle of 90 s. Phase numbers in order of `phases`:
    /// 2, 1, 6, 5, 4, 3, 8, 7.
    fn rings() -> Rings {
        let network = grid(1, 1, 200.0).unwrap();
        let controller = network.controller(ControllerId(0)).clone();
        Rings::new(layout(&network, ControllerId(0)).unwrap(), &controller).unwrap()
    }

    /// Runs with these calls from second to second; the heads obey at once. What is shown when it changes.
    fn run(rings: &mut Rings, seconds: i64, ask: impl Fn(i64, &mut Calls)) -> Vec<(i64, Vec<u8>)> {
        let mut seen: Vec<(i64, Vec<u8>)> = Vec::new();
        let mut since: Vec<Option<TimeDs>> = vec![None; 8];
        for s in 0..seconds {
            let mut calls = Calls { called: vec![false; 8], flows: vec![false; 8], green_since: since.clone() };
            ask(s, &mut calls);
            rings.advance(&calls, TimeDs::from_s(s));
            for (p, since) in since.iter_mut().enumerate() {
                *since = if rings.serves(p) { since.or(Some(TimeDs::from_s(s))) } else { None };
            }
            let shown = (0..2).map(|r| rings.phases[rings.shown(r)].number).collect::<Vec<_>>();
            if seen.last().is_none_or(|(_, last)| *last != shown) {
                seen.push((s, shown));
            }
        }
        seen
    }

    #[test]
    fn without_calls_the_coordinated_phases_rest() {
        assert_eq!(run(&mut rings(), 300, |_, _| {}), [(0, vec![2, 6])]);
    }

    #[test]
    fn a_call_is_served_after_the_yield_point_and_ends_with_a_gap() {
        // Phase 4 is called at 5 s. The coordinated phases yield at 28 s; phase 8 goes with 4 (dual entry). Nobody
        // follows: both end after their shortest green.
        let seen = run(&mut rings(), 85, |s, calls| calls.called[4] = (5..29).contains(&s));
        assert_eq!(seen, [(0, vec![2, 6]), (28, vec![4, 8]), (33, vec![2, 6])]);
    }

    #[test]
    fn whoever_has_flow_ends_at_the_force_off() {
        // Phase 4's green ends at 28 + 4 + 9 + 4 + 28 = 73 s in the plan.
        let seen = run(&mut rings(), 88, |s, calls| {
            calls.called[4] = s < 29;
            calls.flows[4] = true;
        });
        assert_eq!(seen, [(0, vec![2, 6]), (28, vec![4, 8]), (73, vec![2, 6])]);
    }

    #[test]
    fn a_call_that_comes_too_late_waits_for_the_next_cycle() {
        // The left turn 1 must end at 41 s: called at 35 s it no longer fits (4 s to clear, 5 s of green).
        let seen = run(&mut rings(), 125, |s, calls| calls.called[1] = s >= 35);
        assert_eq!(seen[1].0, 118, "{seen:?}");
        assert_eq!(seen[1].1, [1, 6]);
    }
}
