//! Rings and barriers of a controller: those of its database, or those of a junction of the standard form.

use std::collections::BTreeMap;

use greenkerb_models::ids::{ControllerId, GroupId, LinkId};
use greenkerb_models::network::{Network, Turn};
use greenkerb_models::signal::{Controller, GroupKind, Indication, Relation};
use greenkerb_models::units::Ds;

/// A phase before it has times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PhaseOf {
    /// NEMA number.
    pub(super) number: u8,
    /// Group that it shows with right of way.
    pub(super) group: GroupId,
    /// Shortest green, pedestrians beside it included.
    pub(super) min: Ds,
    /// Groups beside it that go as well: shown permissive.
    pub(super) permissive: Vec<GroupId>,
    /// Pedestrians that walk at its beginning.
    pub(super) walks: Vec<GroupId>,
    /// Groups beside it with right of way that have no phase of their own (right turns with their own heads).
    pub(super) overlaps: Vec<GroupId>,
}

/// Barrier groups, in each one list of phases a ring.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) barrier_groups: Vec<Vec<Vec<PhaseOf>>>,
    pub(super) coordinated: Vec<u8>,
}

/// The layout of a controller, or why it has none.
pub(super) fn layout(network: &Network, id: ControllerId) -> Result<Layout, String> {
    let controller = network.controller(id);
    let mut layout = if controller.ring_barrier.is_some() { stated(controller) } else { derived(network, controller)? };
    add_company(controller, &mut layout);
    Ok(layout)
}

fn phase(number: u8, group: GroupId, min: Ds) -> PhaseOf {
    PhaseOf { number, group, min, permissive: vec![], walks: vec![], overlaps: vec![] }
}

fn stated(controller: &Controller) -> Layout {
    let Some(rings) = &controller.ring_barrier else {
        return Layout { barrier_groups: vec![], coordinated: vec![] };
    };
    let of = |p: &greenkerb_models::signal::RingPhase| phase(p.phase, p.group, p.min_green.max(p.walk_and_clearance));
    let ring = |r: &Vec<greenkerb_models::signal::RingPhase>| r.iter().filter(|p| !p.omitted).map(of).collect();
    let barrier_groups = rings.barrier_groups.iter().map(|b| b.rings.iter().map(ring).collect()).collect();
    Layout { barrier_groups, coordinated: rings.coordinated.clone() }
}

/// The groups of one approach.
#[derive(Debug, Clone, Default)]
struct Leg {
    through: Option<GroupId>,
    left: Option<GroupId>,
}

/// Through and left group of each approach: the group that goes straight, and the one that only turns left.
fn legs(network: &Network, controller: &Controller) -> BTreeMap<LinkId, Leg> {
    let mut legs: BTreeMap<LinkId, Leg> = BTreeMap::new();
    for id in controller.group_ids().filter(|g| controller.group(*g).kind == GroupKind::Vehicle) {
        let movements =
            controller.group(id).connections.iter().map(|c| network.movement(network.connection(*c).movement));
        let turns: Vec<(LinkId, Turn)> = movements.map(|m| (m.from_link, m.turn)).collect();
        let Some((link, _)) = turns.first() else { continue };
        let leg = legs.entry(*link).or_default();
        if turns.iter().any(|(_, t)| *t == Turn::Straight) {
            leg.through.get_or_insert(id);
        } else if turns.iter().all(|(_, t)| matches!(t, Turn::Left | Turn::UTurn)) {
            leg.left.get_or_insert(id);
        }
    }
    legs
}

fn derived(network: &Network, controller: &Controller) -> Result<Layout, String> {
    let legs = legs(network, controller);
    if legs.len() != 4 {
        return Err(format!(
            "it has no rings, and {} approaches instead of the four they can be derived from",
            legs.len()
        ));
    }
    let legs: Vec<(LinkId, Leg)> = legs.into_iter().collect();
    let through = |i: usize| {
        legs[i].1.through.ok_or_else(|| {
            format!("it has no rings, and nobody goes straight on from link '{}'", network.link(legs[i].0).name)
        })
    };
    let throughs = [through(0)?, through(1)?, through(2)?, through(3)?];
    let opposed = |a: usize, b: usize| !controller.conflicts.conflicts(throughs[a], throughs[b]);
    let across = (1..4).find(|b| opposed(0, *b)).ok_or_else(|| {
        "it has no rings, and its first approach has no other that goes straight on beside it".to_owned()
    })?;
    let rest: Vec<usize> = (1..4).filter(|i| *i != across).collect();
    if !opposed(rest[0], rest[1]) || rest.iter().any(|r| opposed(0, *r)) {
        return Err("it has no rings, and its approaches do not pair off into two streets".to_owned());
    }
    let green = |g: GroupId| -> u32 {
        controller.program.stages().filter(|s| s.shows[g.index()].is_green()).map(|s| s.shipped.0).sum()
    };
    // The street with more green is coordinated; of two with as much, the one whose turn comes first.
    let weight = |pair: [usize; 2]| {
        let first = pair.iter().filter_map(|i| first_protected(controller, throughs[*i])).min();
        (green(throughs[pair[0]]) + green(throughs[pair[1]]), std::cmp::Reverse(first))
    };
    let (mut main, mut side) = ([0, across], [rest[0], rest[1]]);
    if weight(side) > weight(main) {
        std::mem::swap(&mut main, &mut side);
    }
    // Phase numbers as usual: even numbers go straight, the odd one before goes left across it.
    let street = |pair: [usize; 2], numbers: [(u8, u8); 2]| -> Vec<Vec<PhaseOf>> {
        [(pair[0], pair[1], numbers[0]), (pair[1], pair[0], numbers[1])]
            .into_iter()
            .map(|(straight, opposite, (left, through))| {
                let min = |g: GroupId| controller.group(g).min_green;
                let mut ring = vec![phase(through, throughs[straight], min(throughs[straight]))];
                // The turn across this stream comes from the other side.
                if let Some(turn) = legs[opposite].1.left.filter(|g| is_ever_protected(controller, *g)) {
                    ring.push(phase(left, turn, min(turn)));
                }
                ring.sort_by_key(|p| (first_protected(controller, p.group), p.number));
                ring
            })
            .collect()
    };
    Ok(Layout {
        barrier_groups: vec![street(main, [(1, 2), (5, 6)]), street(side, [(3, 4), (7, 8)])],
        coordinated: vec![2, 6],
    })
}

fn is_ever_protected(controller: &Controller, group: GroupId) -> bool {
    first_protected(controller, group).is_some()
}

/// Place of the first stage in which a group has the right of way.
fn first_protected(controller: &Controller, group: GroupId) -> Option<usize> {
    controller.program.stages().position(|s| s.shows[group.index()] == Indication::Protected)
}

/// Finds who goes beside each phase: turns that yield, walks, and vehicle groups without a phase.
fn add_company(controller: &Controller, layout: &mut Layout) {
    let own: Vec<GroupId> = layout.barrier_groups.iter().flatten().flatten().map(|p| p.group).collect();
    let beside = |p: GroupId, g: GroupId, is: fn(Indication) -> bool| {
        let mut shown = controller.program.stages().filter(|s| is(s.shows[g.index()])).peekable();
        shown.peek().is_some() && shown.all(|s| s.shows[p.index()].is_green())
    };
    let yields =
        |g: GroupId, to: GroupId| matches!(controller.conflicts.get(g, to), Relation::Permitted { yields: true, .. });
    for b in 0..layout.barrier_groups.len() {
        let own_street: Vec<GroupId> = layout.barrier_groups[b].iter().flatten().map(|p| p.group).collect();
        for p in layout.barrier_groups[b].iter_mut().flatten() {
            for g in controller.group_ids().filter(|g| *g != p.group) {
                let group = controller.group(g);
                // A turn that yields goes beside the stream it yields to, not beside its own approach: then it never
                // loses its green while that stream keeps on (no yellow trap when one ring ends before the other).
                let is_turn_beside = yields(g, p.group)
                    && own_street.iter().all(|t| *t == g || !controller.conflicts.conflicts(g, *t))
                    && controller.program.stages().any(|s| s.shows[g.index()] == Indication::Permissive);
                if group.kind == GroupKind::Pedestrian {
                    if beside(p.group, g, Indication::is_green) {
                        p.min = p.min.max(group.min_green + group.clearance);
                        p.walks.push(g);
                    }
                } else if is_turn_beside {
                    p.permissive.push(g);
                } else if !own.contains(&g) && beside(p.group, g, |i| i == Indication::Protected) {
                    p.overlaps.push(g);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenarios::grid;

    #[test]
    fn a_junction_of_four_legs_has_two_rings() {
        let network = grid(1, 1, 200.0).unwrap();
        let layout = layout(&network, ControllerId(0)).unwrap();
        let numbers: Vec<Vec<Vec<u8>>> = layout
            .barrier_groups
            .iter()
            .map(|b| b.iter().map(|r| r.iter().map(|p| p.number).collect()).collect())
            .collect();
        // The program shows straight on before left: the turns lag.
        assert_eq!(numbers, [[[2, 1], [6, 5]], [[4, 3], [8, 7]]]);
        assert_eq!(layout.coordinated, [2, 6]);
        let controller = network.controller(ControllerId(0));
        for ring in layout.barrier_groups.iter().flatten() {
            assert!(
                controller.conflicts.get(ring[0].group, ring[1].group) != Relation::Compatible,
                "one ring, one stream"
            );
            // Beside each stream the turn across it.
            assert_eq!(ring[0].permissive.len(), 1);
        }
    }

    #[test]
    fn other_forms_are_refused_with_a_reason() {
        let mut parts = grid(1, 1, 200.0).unwrap().parts().clone();
        // Two approaches that may never go together with any other.
        let c = &mut parts.controllers[0];
        for (a, b) in [(0, 4), (4, 0)] {
            let intergreen = Ds::from_s(4);
            c.conflicts.set(GroupId(a), GroupId(b), Relation::Conflict { intergreen });
        }
        for step in &mut c.program.steps {
            if step.shows[0].is_green() {
                step.shows[4] = Indication::Red;
                step.shows[5] = Indication::Red;
            }
        }
        let network = parts.build().unwrap();
        let reason = layout(&network, ControllerId(0)).unwrap_err();
        assert!(reason.contains("no rings"), "{reason}");
    }
}
