//! Groups, stages and databases of the signalled places.

use std::collections::BTreeMap;

use greenkerb_models::ids::{ConnectionId, ControllerId, CrossingId, GroupId, LinkId, NodeId, StageId};
use greenkerb_models::network::{NetworkParts, SignalHead, Turn};
use greenkerb_models::signal::{
    ConflictMatrix, Controller, GroupKind, Indication, Limits, Program, Relation, SignalGroup, Step, StepKind,
};
use greenkerb_models::units::Ds;

use super::DraftError;
use super::change::Change;
use super::layout::{Arm, Layout, arm_name};
use super::plan::{Lefts, Plan, Rule};
use super::stages::Stages;
use super::times::{WALK, all_red, walk_clearance, yellow};

/// Shortest greens: of main streets, side streets and turns with a stage of their own.
const MIN_GREEN_MAIN: Ds = Ds::from_s(8);
const MIN_GREEN_SIDE: Ds = Ds::from_s(6);
const MIN_GREEN_TURN: Ds = Ds::from_s(5);
/// Longest red of anybody.
const RED_MAX: Ds = Ds::from_s(120);
/// Longest cycle that is offered; NTCIP 1202 ends at 255 s.
const CYCLE_MAX: Ds = Ds::from_s(120);
const CYCLE_LIMIT: Ds = Ds::from_s(255);
/// What stages get above their minimum before anybody has counted.
const SPARE_MAIN: Ds = Ds::from_s(16);
const SPARE_SIDE: Ds = Ds::from_s(10);
const SPARE_TURN: Ds = Ds::from_s(4);

/// Who a group serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Serves {
    /// An approach without the turns that have groups of their own.
    Approach(usize),
    RightOf(usize),
    LeftOf(usize),
    Walkers(usize),
}

/// A group before it has its numbers.
pub(super) struct Heads {
    pub(super) serves: Serves,
    pub(super) connections: Vec<ConnectionId>,
    crossings: Vec<CrossingId>,
    /// Speed its vehicles come at.
    approach_mps: f64,
    /// It yields to somebody it may be green beside.
    pub(super) yields: bool,
}

impl Heads {
    fn new(serves: Serves) -> Self {
        Self { serves, connections: Vec::new(), crossings: Vec::new(), approach_mps: 0.0, yields: false }
    }
}

/// What is at a place, by number.
pub(super) struct Junction<'a> {
    pub(super) arms: &'a [Arm],
    pub(super) heads: Vec<Heads>,
    relations: BTreeMap<(usize, usize), Met>,
}

/// How two groups meet, and how far behind its line the first does so at most.
#[derive(Debug, Clone, Copy, Default)]
struct Met {
    /// There are ways of the first that yield to the second, and the other way round, and ways of which neither does.
    first_yields: bool,
    second_yields: bool,
    neither: bool,
    first_at_m: f64,
    second_at_m: f64,
}

/// Raises a controller at every signalled place.
pub(super) fn raise(plan: &Plan, layout: &Layout, parts: &mut NetworkParts) -> Result<(), DraftError> {
    let mut by_place: Vec<Vec<ConnectionId>> = vec![Vec::new(); plan.places.len()];
    for m in &parts.movements {
        by_place[m.node.index()].extend(&m.connections);
    }
    let mut crossings: Vec<Vec<CrossingId>> = vec![Vec::new(); plan.places.len()];
    for (x, crossing) in parts.crossings.iter().enumerate() {
        crossings[crossing.node.index()].push(CrossingId::at(x));
    }
    for (place, arms) in layout.arms.iter().enumerate() {
        let Rule::Signals(lefts) = plan.places[place].control else { continue };
        let unfit = |reason: String| DraftError::Unfit { kind: "place", name: plan.places[place].name.clone(), reason };
        if by_place[place].is_empty() {
            return Err(unfit("signals where nothing crosses".into()));
        }
        let junction = Junction::survey(arms, &by_place[place], &crossings[place], parts);
        let controller = junction.controller(plan, place, lefts, parts).map_err(unfit)?;
        install(parts, place, controller);
    }
    Ok(())
}

fn install(parts: &mut NetworkParts, place: usize, controller: Controller) {
    let id = ControllerId::at(parts.controllers.len());
    parts.nodes[place].controller = Some(id);
    for (g, group) in controller.groups.iter().enumerate() {
        let head = |link_index: u32| Some(SignalHead { controller: id, group: GroupId::at(g), link_index });
        for (c, i) in group.connections.iter().zip(&group.link_indices) {
            parts.connections[c.index()].signal = head(*i);
        }
        for (x, i) in group.crossings.iter().zip(&group.link_indices) {
            parts.crossings[x.index()].signal = head(*i);
        }
    }
    parts.controllers.push(controller);
}

impl<'a> Junction<'a> {
    fn survey(arms: &'a [Arm], ways: &[ConnectionId], crossings: &[CrossingId], parts: &NetworkParts) -> Self {
        // A turn that yields to somebody has a group of its own; others go with their approach.
        let range = ways[0].index()..ways[ways.len() - 1].index() + 1;
        let from = parts.conflicts.partition_point(|c| c.first.index() < range.start);
        let conflicts = parts.conflicts[from..].iter().take_while(|c| c.first.index() < range.end);
        let conflicts: Vec<_> = conflicts.copied().collect();
        let over_from = parts.crossing_conflicts.partition_point(|c| c.connection.index() < range.start);
        let over = parts.crossing_conflicts[over_from..].iter().take_while(|c| c.connection.index() < range.end);
        let over: Vec<_> = over.copied().collect();
        let mut yields = vec![false; range.len()];
        for c in &conflicts {
            yields[c.first.index() - range.start] |= c.first_yields;
            yields[c.second.index() - range.start] |= c.second_yields;
        }
        for c in &over {
            yields[c.connection.index() - range.start] |= c.vehicle_yields;
        }
        let movement = |c: ConnectionId| &parts.movements[parts.connections[c.index()].movement.index()];
        let arm_of = |link: LinkId| arms.iter().position(|a| a.inbound == Some(link)).unwrap_or(0);
        let turn_yields = |c: ConnectionId| movement(c).connections.iter().any(|k| yields[k.index() - range.start]);
        let mut heads: BTreeMap<Serves, Heads> = BTreeMap::new();
        let mut group_of = vec![Serves::Approach(0); range.len()];
        for &c in ways {
            let (m, arm) = (movement(c), arm_of(movement(c).from_link));
            let serves = match m.turn {
                Turn::Left | Turn::UTurn if turn_yields(c) => Serves::LeftOf(arm),
                Turn::Right if turn_yields(c) => Serves::RightOf(arm),
                _ => Serves::Approach(arm),
            };
            group_of[c.index() - range.start] = serves;
            let lane = &parts.lanes[parts.connections[c.index()].from_lane.index()];
            let h = heads.entry(serves).or_insert_with(|| Heads::new(serves));
            h.connections.push(c);
            h.approach_mps = h.approach_mps.max(lane.speed.get());
            h.yields |= yields[c.index() - range.start];
        }
        for &x in crossings {
            let arm = arms.iter().position(|a| {
                [a.inbound, a.outbound].into_iter().flatten().any(|l| parts.crossings[x.index()].links.contains(&l))
            });
            let serves = Serves::Walkers(arm.unwrap_or(0));
            heads.entry(serves).or_insert_with(|| Heads::new(serves)).crossings.push(x);
        }
        let order: Vec<Serves> = heads.keys().copied().collect();
        let heads: Vec<Heads> = heads.into_values().collect();
        let number = |s: Serves| order.iter().position(|o| *o == s).unwrap_or(0);
        let mut relations: BTreeMap<(usize, usize), Met> = BTreeMap::new();
        let mut meet = |a: usize, b: usize, (a_yields, b_yields): (bool, bool), (a_m, b_m): (f64, f64)| {
            for (x, y, x_yields, y_yields, x_m, y_m) in
                [(a, b, a_yields, b_yields, a_m, b_m), (b, a, b_yields, a_yields, b_m, a_m)]
            {
                if x == y {
                    continue;
                }
                let met = relations.entry((x, y)).or_default();
                met.first_yields |= x_yields;
                met.second_yields |= y_yields;
                met.neither |= !x_yields && !y_yields;
                met.first_at_m = met.first_at_m.max(x_m);
                met.second_at_m = met.second_at_m.max(y_m);
            }
        };
        for c in &conflicts {
            let (a, b) = (group_of[c.first.index() - range.start], group_of[c.second.index() - range.start]);
            let same_link = movement(c.first).from_link == movement(c.second).from_link;
            // Ways of one approach that run together keep in lane; only who yields says that they touch.
            if same_link && !c.first_yields && !c.second_yields {
                continue;
            }
            meet(number(a), number(b), (c.first_yields, c.second_yields), (c.first_at.get(), c.second_at.get()));
        }
        for c in &over {
            let walkers = heads.iter().position(|h| h.crossings.contains(&c.crossing)).unwrap_or(0);
            let vehicles = number(group_of[c.connection.index() - range.start]);
            meet(vehicles, walkers, (c.vehicle_yields, false), (c.at.get(), 0.0));
        }
        Self { arms, heads, relations }
    }

    /// Times and relations of all groups.
    fn database(&self, plan: &Plan, parts: &NetworkParts) -> (Vec<SignalGroup>, ConflictMatrix) {
        let mut index = 0;
        let groups: Vec<SignalGroup> = self
            .heads
            .iter()
            .map(|h| {
                let count = h.connections.len().max(h.crossings.len()) as u32;
                index += count;
                let crossing_m =
                    h.crossings.iter().map(|x| parts.crossings[x.index()].length.get()).fold(0.0, f64::max);
                let (kind, min_green, yellow, clearance) = match h.serves {
                    Serves::Walkers(_) => (GroupKind::Pedestrian, WALK, Ds::ZERO, walk_clearance(crossing_m)),
                    Serves::Approach(a) => {
                        let min = if self.arms[a].main { MIN_GREEN_MAIN } else { MIN_GREEN_SIDE };
                        (GroupKind::Vehicle, min, yellow(h.approach_mps), Ds::ZERO)
                    }
                    _ => (GroupKind::Vehicle, MIN_GREEN_TURN, yellow(h.approach_mps), Ds::ZERO),
                };
                SignalGroup {
                    name: self.name(h.serves, plan),
                    kind,
                    connections: h.connections.clone(),
                    crossings: h.crossings.clone(),
                    link_indices: (index - count..index).collect(),
                    min_green,
                    yellow,
                    red_amber: Ds::ZERO,
                    clearance,
                    min_red: Ds::ZERO,
                    max_red: RED_MAX,
                    turn_on_red: false,
                }
            })
            .collect();
        let mut conflicts = ConflictMatrix::compatible(groups.len());
        for (&(a, b), met) in &self.relations {
            let intergreen = match groups[a].kind {
                GroupKind::Pedestrian => groups[a].clearance,
                GroupKind::Vehicle => groups[a].yellow + all_red(met.first_at_m, self.heads[a].approach_mps),
            };
            let relation = if met.neither || met.first_yields == met.second_yields {
                Relation::Conflict { intergreen }
            } else {
                Relation::Permitted { yields: met.first_yields, intergreen }
            };
            conflicts.set(GroupId::at(a), GroupId::at(b), relation);
        }
        (groups, conflicts)
    }

    fn name(&self, serves: Serves, plan: &Plan) -> String {
        let of = |a: usize| arm_name(plan, self.arms, a);
        match serves {
            Serves::Approach(a) => of(a),
            Serves::RightOf(a) => format!("{} right", of(a)),
            Serves::LeftOf(a) => format!("{} left", of(a)),
            Serves::Walkers(a) => format!("{} walk", of(a)),
        }
    }

    fn controller(&self, plan: &Plan, place: usize, lefts: Lefts, parts: &NetworkParts) -> Result<Controller, String> {
        let (groups, conflicts) = self.database(plan, parts);
        let stages = Stages { junction: self, conflicts: &conflicts, parts, lefts }.all();
        if stages.len() < 2 {
            return Err("signals with nothing to alternate".into());
        }
        let mut steps: Vec<Step> = Vec::new();
        for (i, shows) in stages.iter().enumerate() {
            let green = || groups.iter().zip(shows).filter(|(_, s)| s.is_green()).map(|(g, _)| g);
            let min = green().map(|g| g.min_green).max().unwrap_or(MIN_GREEN_SIDE);
            let walkers_only = green().all(|g| g.kind == GroupKind::Pedestrian);
            let extra = if walkers_only { Ds::ZERO } else { self.spare(shows) };
            let number = StageId(i as u32);
            steps.push(Step {
                kind: StepKind::Stage { stage: number, min },
                shipped: min + extra,
                shows: shows.clone(),
            });
            let to = &stages[(i + 1) % stages.len()];
            steps.extend(Change { groups: &groups, conflicts: &conflicts, from: shows, to }.steps());
        }
        let shortest: Ds =
            steps.iter().map(|s| if let StepKind::Stage { min, .. } = s.kind { min } else { s.shipped }).sum();
        let shipped: Ds = steps.iter().map(|s| s.shipped).sum();
        if shipped > CYCLE_LIMIT {
            return Err(format!("its stages need {:.0} s, more than a cycle may have", shipped.seconds()));
        }
        Ok(Controller {
            name: plan.places[place].name.clone(),
            nodes: vec![NodeId::at(place)],
            groups,
            conflicts,
            program: Program { steps, shipped_offset: Ds::ZERO },
            ring_barrier: None,
            limits: Limits { cycle_min: shortest, cycle_max: CYCLE_MAX.max(shipped), resolution: Ds(1) },
        })
    }

    /// What a stage gets above its minimum as long as nobody has counted.
    fn spare(&self, shows: &[Indication]) -> Ds {
        let approaches =
            self.heads.iter().zip(shows).filter(|(_, s)| s.is_green()).filter_map(|(h, _)| match h.serves {
                Serves::Approach(a) => Some(if self.arms[a].main { SPARE_MAIN } else { SPARE_SIDE }),
                _ => None,
            });
        approaches.max().unwrap_or(SPARE_TURN)
    }
}
