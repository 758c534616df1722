//! Light phases become controllers. CityFlow knows neither yellow nor minimum green: what a database needs beyond the
//! phases is derived here.
//!
//! A phase is a *pause* when it opens nothing that is not open before it and after it, closes something on either side,
//! and lasts no longer than [`PAUSE_MAX`]: that is how CityFlow's users write a yellow ("right turns only"). A pause
//! becomes a clearance. Where two phases follow one another without one, the clearance is taken out of the end of the
//! first, so that the file's cycle stays as it is.

use std::collections::BTreeSet;

use super::error::{At, CityflowError, Flaw};
use super::raw::{Intersection, Roadnet};
use super::ways::{Ways, rank};
use crate::formats::Notes;
use crate::ids::{ConnectionId, ControllerId, GroupId, NodeId, StageId};
use crate::network::{NetworkParts, SignalHead};
use crate::signal::{
    ConflictMatrix, Controller, GroupKind, Indication, Limits, Program, Relation, SignalGroup, Step, StepKind,
};
use crate::units::Ds;

/// Longest phase that can be a pause.
pub const PAUSE_MAX: Ds = Ds::from_s(10);
/// Clearance where neither the file nor the caller gives one: that of the published benchmarks.
const CLEARANCE_DEFAULT: Ds = Ds::from_s(5);
/// Yellow by ITE's formula on level ground: 1.0 s + v / 6.1 m/s², 3 to 6 s; never longer than the clearance.
const YELLOW_REACTION_S: f64 = 1.0;
const YELLOW_DECELERATION_MPS2: f64 = 3.05;
/// Longest red of a group, unless the file's own plan has a longer one.
const RED_MAX: Ds = Ds::from_s(120);
/// Longest cycle that is offered, unless the file's own is longer; NTCIP 1202 ends at 255 s.
const CYCLE_MAX: Ds = Ds::from_s(120);
const CYCLE_LIMIT: Ds = Ds::from_s(255);

/// What the database holds that CityFlow's files do not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoadnetOptions {
    /// Time between two conflicting greens. `None`: the shortest pause of the intersection's own phases, else 5 s.
    pub clearance: Option<Ds>,
    /// Shortest green of a stage.
    pub min_green: Ds,
}

impl Default for RoadnetOptions {
    fn default() -> Self {
        Self { clearance: None, min_green: Ds::from_s(5) }
    }
}

/// A phase with the groups it opens.
struct Phase {
    length: Ds,
    open: BTreeSet<usize>,
    pause: bool,
}

pub(super) fn raise(
    file: &str,
    raw: &Roadnet,
    ways: &Ways,
    options: &RoadnetOptions,
    parts: &mut NetworkParts,
    notes: &mut Notes,
) -> Result<(), CityflowError> {
    for (node, i) in raw.intersections.iter().enumerate().filter(|(_, i)| !i.boundary) {
        if i.traffic_light.lightphases.len() > 1 {
            let at = At { file, element: "intersection", id: &i.id };
            raise_one(&at, (node, i), &ways.movement_of[node], options, parts, notes)?;
        }
    }
    Ok(())
}

fn raise_one(
    at: &At<'_>,
    (node, i): (usize, &Intersection),
    movement_of: &[Option<crate::ids::MovementId>],
    options: &RoadnetOptions,
    parts: &mut NetworkParts,
    notes: &mut Notes,
) -> Result<(), CityflowError> {
    // A group per road link that some phase opens.
    let served: Vec<usize> = (0..movement_of.len()).filter(|k| movement_of[*k].is_some()).collect();
    if served.is_empty() {
        return Ok(());
    }
    let connections_of = |k: usize| movement_of[k].map(|m| parts.movements[m.index()].connections.clone());
    let connections: Vec<Vec<ConnectionId>> = served.iter().filter_map(|k| connections_of(*k)).collect();
    let phases = phases(at, i, &served)?;
    let pauses = phases.iter().filter(|p| p.pause).map(|p| p.length);
    let clearance = options.clearance.or_else(|| pauses.min()).unwrap_or(CLEARANCE_DEFAULT).max(Ds(1));
    let fastest_mps = connections
        .iter()
        .flatten()
        .map(|c| parts.lanes[parts.connections[c.index()].from_lane.index()].speed.get())
        .fold(0.0, f64::max);
    let yellow = yellow(fastest_mps).min(clearance);
    let relations = relations(&phases, &connections, parts);
    let conflicts = matrix(&relations, clearance);
    let steps = steps(&phases, &relations, (yellow, clearance), options);
    let steps = fit(at, steps, phases.len())?;
    let controller_id = ControllerId::at(parts.controllers.len());
    let groups: Vec<SignalGroup> = served
        .iter()
        .zip(&connections)
        .enumerate()
        .map(|(g, (k, connections))| SignalGroup {
            name: format!("{}>{}", i.road_links[*k].start_road, i.road_links[*k].end_road),
            kind: GroupKind::Vehicle,
            connections: connections.clone(),
            crossings: Vec::new(),
            link_indices: vec![*k as u32],
            min_green: shortest_stage(&steps, g),
            yellow,
            red_amber: Ds::ZERO,
            clearance: Ds::ZERO,
            min_red: Ds::ZERO,
            max_red: RED_MAX.max(longest_red(&steps, g)),
            turn_on_red: false,
        })
        .collect();
    for (g, (k, connections)) in served.iter().zip(&connections).enumerate() {
        let head = SignalHead { controller: controller_id, group: GroupId::at(g), link_index: *k as u32 };
        for c in connections {
            parts.connections[c.index()].signal = Some(head);
        }
    }
    let shortest: Ds =
        steps.iter().map(|s| if let StepKind::Stage { min, .. } = s.kind { min } else { s.shipped }).sum();
    let shipped: Ds = steps.iter().map(|s| s.shipped).sum();
    let limits = Limits { cycle_min: shortest, cycle_max: CYCLE_MAX.max(shipped), resolution: Ds(1) };
    parts.nodes[node].controller = Some(controller_id);
    parts.controllers.push(Controller {
        name: i.id.clone(),
        nodes: vec![NodeId::at(node)],
        groups,
        conflicts,
        program: Program { steps, shipped_offset: Ds::ZERO },
        ring_barrier: None,
        limits,
    });
    note(notes, &i.id);
    Ok(())
}

fn note(notes: &mut Notes, id: &str) {
    notes.add("signal groups taken as the road links of an intersection", id);
    notes.add(
        "clearance taken as the shortest pause of the phases, else 5 s; yellow in it by ITE (1.0 s + v / 6.1 m/s², 3 to 6 s)",
        id,
    );
    notes.add("shortest green, longest red and cycle limits derived: CityFlow has none", id);
}

/// The phases with the groups they open, pauses known; phases that open the same as the one before are one with it.
fn phases(at: &At<'_>, i: &Intersection, served: &[usize]) -> Result<Vec<Phase>, CityflowError> {
    let mut phases: Vec<Phase> = Vec::new();
    for (p, raw) in i.traffic_light.lightphases.iter().enumerate() {
        let length = Ds::from_seconds(raw.time).ok().filter(|d| (1..=36_000).contains(&d.0)).ok_or_else(|| {
            at.fault(Flaw::Value {
                field: format!("trafficLight.lightphases[{p}].time"),
                value: raw.time.to_string(),
                expected: "a time between 0.1 s and an hour",
            })
        })?;
        let open = raw.available_road_links.iter().filter_map(|k| served.iter().position(|s| s == k)).collect();
        match phases.last_mut() {
            Some(last) if last.open == open => last.length += length,
            _ => phases.push(Phase { length, open, pause: false }),
        }
    }
    let n = phases.len();
    let pause = |p: usize| {
        let (before, here, after) = (&phases[(p + n - 1) % n].open, &phases[p].open, &phases[(p + 1) % n].open);
        let inside = |other: &BTreeSet<usize>| here.is_subset(other) && here.len() < other.len();
        n > 1 && phases[p].length <= PAUSE_MAX && inside(before) && inside(after)
    };
    let pauses: Vec<bool> = (0..n).map(pause).collect();
    for (phase, pause) in phases.iter_mut().zip(pauses) {
        phase.pause = pause;
    }
    Ok(phases)
}

fn yellow(approach_mps: f64) -> Ds {
    let s = YELLOW_REACTION_S + approach_mps / (2.0 * YELLOW_DECELERATION_MPS2);
    Ds::from_seconds(s.clamp(3.0, 6.0)).unwrap_or(Ds::from_s(6))
}

/// How two groups stand to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pair {
    Apart,
    Never,
    Together,
    Yields,
    YieldedTo,
}

/// For each pair of groups: do their ways meet, does any phase open both, and who goes first then.
fn relations(phases: &[Phase], connections: &[Vec<ConnectionId>], parts: &NetworkParts) -> Vec<Vec<Pair>> {
    let groups = connections.len();
    let mut meet = vec![vec![false; groups]; groups];
    // An intersection's connections follow one another, and its conflicts stand in the order of their first.
    let low = connections.iter().flatten().min().copied().unwrap_or(ConnectionId(0));
    let high = connections.iter().flatten().max().copied().unwrap_or(ConnectionId(0));
    let mut group_of = vec![0; high.index() - low.index() + 1];
    for (g, of_group) in connections.iter().enumerate() {
        of_group.iter().for_each(|c| group_of[c.index() - low.index()] = g);
    }
    let from = parts.conflicts.partition_point(|c| c.first < low);
    for c in parts.conflicts[from..].iter().take_while(|c| c.first <= high) {
        let (a, b) = (group_of[c.first.index() - low.index()], group_of[c.second.index() - low.index()]);
        meet[a][b] = true;
        meet[b][a] = true;
    }
    let turn = |g: usize| {
        let movement = connections[g].first().map(|c| parts.connections[c.index()].movement);
        movement.map_or(0, |m| rank(parts.movements[m.index()].turn))
    };
    let link =
        |g: usize| connections[g].first().map(|c| parts.lanes[parts.connections[c.index()].from_lane.index()].link);
    (0..groups)
        .map(|a| {
            (0..groups)
                .map(|b| {
                    // Ways from one road are one stream until they part.
                    if a == b || !meet[a][b] || link(a) == link(b) {
                        return Pair::Apart;
                    }
                    if !phases.iter().any(|p| p.open.contains(&a) && p.open.contains(&b)) {
                        return Pair::Never;
                    }
                    match turn(a).cmp(&turn(b)) {
                        std::cmp::Ordering::Less => Pair::Yields,
                        std::cmp::Ordering::Equal => Pair::Together,
                        std::cmp::Ordering::Greater => Pair::YieldedTo,
                    }
                })
                .collect()
        })
        .collect()
}

fn matrix(relations: &[Vec<Pair>], clearance: Ds) -> ConflictMatrix {
    let mut m = ConflictMatrix::compatible(relations.len());
    for (a, row) in relations.iter().enumerate() {
        for (b, pair) in row.iter().enumerate() {
            let relation = match pair {
                Pair::Apart => continue,
                Pair::Never => Relation::Conflict { intergreen: clearance },
                Pair::Together => Relation::Permitted { yields: false, intergreen: Ds::ZERO },
                Pair::Yields => Relation::Permitted { yields: true, intergreen: clearance },
                Pair::YieldedTo => Relation::Permitted { yields: false, intergreen: clearance },
            };
            m.set(GroupId::at(a), GroupId::at(b), relation);
        }
    }
    m
}

/// Stages and clearances, in the file's order.
fn steps(
    phases: &[Phase],
    relations: &[Vec<Pair>],
    (yellow, clearance): (Ds, Ds),
    options: &RoadnetOptions,
) -> Vec<Step> {
    let n = phases.len();
    // A group that ever yields is always shown a green that yields: no head changes from one kind of green to the other.
    let green = |g: usize| {
        if relations[g].contains(&Pair::Yields) { Indication::Permissive } else { Indication::Protected }
    };
    let stage_shows = |p: usize| -> Vec<Indication> {
        (0..relations.len()).map(|g| if phases[p].open.contains(&g) { green(g) } else { Indication::Red }).collect()
    };
    let stage_near =
        |p: usize, step: usize| (0..n).map(|k| (p + k * step) % n).find(|q| !phases[*q].pause).unwrap_or(p);
    let mut steps = Vec::new();
    let mut number = 0;
    for (p, phase) in phases.iter().enumerate() {
        if phase.pause {
            let (before, after) = (stage_near(p, n - 1), stage_near(p, 1));
            let length = if options.clearance.is_some() { clearance } else { phase.length };
            let on: BTreeSet<usize> = phase.open.clone();
            steps.extend(pause(&phases[before].open, &phases[after].open, &on, relations, (yellow, length), &green));
            continue;
        }
        let next = &phases[(p + 1) % n];
        let mut after = Vec::new();
        if n > 1 && !next.pause {
            let on: BTreeSet<usize> = phase.open.intersection(&next.open).copied().collect();
            if on.len() < phase.open.len() {
                after = pause(&phase.open, &next.open, &on, relations, (yellow, clearance), &green);
            }
        }
        let taken: Ds = after.iter().map(|s: &Step| s.shipped).sum();
        let min = options.min_green.min(phase.length).max(Ds(1));
        let shipped = phase.length.saturating_sub(taken).max(min);
        let kind = StepKind::Stage { stage: StageId(number), min };
        steps.push(Step { kind, shipped, shows: stage_shows(p) });
        steps.extend(after);
        number += 1;
    }
    steps
}

/// The clearance between two stages: who is not open in it gets yellow, then red. Whoever yields to a stream that would
/// run on when its own green ends takes that stream to end too (yellow trap), so it does.
fn pause(
    before: &BTreeSet<usize>,
    after: &BTreeSet<usize>,
    on: &BTreeSet<usize>,
    relations: &[Vec<Pair>],
    (yellow, length): (Ds, Ds),
    green: &impl Fn(usize) -> Indication,
) -> Vec<Step> {
    let ends = |g: usize| before.contains(&g) && !(on.contains(&g) && after.contains(&g));
    let groups = relations.len();
    let cut = |o: usize| (0..groups).any(|e| ends(e) && relations[e][o] == Pair::Yields);
    let shows = |lamp: Indication| -> Vec<Indication> {
        (0..groups)
            .map(|g| match (before.contains(&g), ends(g) || cut(g)) {
                (true, false) => green(g),
                (true, true) => lamp,
                (false, _) => Indication::Red,
            })
            .collect()
    };
    let step = |length: Ds, lamp| Step { kind: StepKind::Clearance, shipped: length, shows: shows(lamp) };
    let yellow = yellow.min(length);
    let mut steps = vec![step(yellow, Indication::Yellow)];
    if length > yellow {
        steps.push(step(length - yellow, Indication::Red));
    }
    steps
}

/// Shortens stages, in proportion to what they have above their minimum, until the cycle fits.
fn fit(at: &At<'_>, mut steps: Vec<Step>, phases: usize) -> Result<Vec<Step>, CityflowError> {
    let min_of = |s: &Step| if let StepKind::Stage { min, .. } = s.kind { min } else { s.shipped };
    let shortest: u64 = steps.iter().map(|s| u64::from(min_of(s).0)).sum();
    let cycle: u64 = steps.iter().map(|s| u64::from(s.shipped.0)).sum();
    let limit = u64::from(CYCLE_LIMIT.0);
    if shortest > limit {
        let (shortest_s, max_s) = (shortest as f64 / 10.0, CYCLE_LIMIT.seconds());
        return Err(at.fault(Flaw::CycleTooLong { phases, shortest_s, max_s }));
    }
    if cycle > limit {
        for s in &mut steps {
            let min = min_of(s);
            let spare = u64::from(s.shipped.0 - min.0) * (limit - shortest) / (cycle - shortest);
            s.shipped = min + Ds(spare as u32);
        }
    }
    Ok(steps)
}

fn shortest_stage(steps: &[Step], group: usize) -> Ds {
    let stages = steps.iter().filter(|s| s.shows[group].is_green());
    stages
        .filter_map(|s| if let StepKind::Stage { min, .. } = s.kind { Some(min) } else { None })
        .min()
        .unwrap_or(Ds(1))
}

fn longest_red(steps: &[Step], group: usize) -> Ds {
    let n = steps.len();
    let run = |from: usize| -> Ds {
        (0..n).map(|k| &steps[(from + k) % n]).take_while(|s| !s.shows[group].is_green()).map(|s| s.shipped).sum()
    };
    (0..n).map(run).max().unwrap_or(Ds::ZERO)
}
