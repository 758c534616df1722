//! What stays as it is about one junction: its stages, the changes between them, its lanes and the ways out of them.

use greenkerb_models::ids::{ConnectionId, ControllerId, GroupId, LaneId, LinkId, MovementId};
use greenkerb_models::network::Network;
use greenkerb_models::signal::{Controller, Indication, Relation, StepKind};

use crate::safety::{Policy, longest_reds};

/// How far upstream a lane is followed, metres.
pub(super) const SIGHT_M: f64 = 250.0;

/// Clearance that is reckoned with for every stage, deciseconds.
const NOTICE_PER_STAGE_DS: i32 = 40;
/// Longest notice, deciseconds.
const NOTICE_MAX_DS: i32 = 360;

/// What drivers brake with for a turn, m/s².
const BRAKING_MPS2: f64 = 3.0;
/// Road a standing vehicle takes, with its gap, metres.
pub(super) const SPACE_M: f64 = 7.5;

/// What a row of the junction shows a way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Show {
    /// No green.
    #[default]
    Red,
    /// Green that yields.
    Permissive,
    /// Green with right of way.
    Protected,
}

/// A way out of a lane, across the junction.
#[derive(Debug, Clone)]
pub(super) struct Way {
    pub(super) connection: ConnectionId,
    pub(super) movement: MovementId,
    pub(super) group: GroupId,
    /// The lane it leaves, in the junction's numbers.
    pub(super) lane: usize,
    /// The lane it enters.
    pub(super) onto: LaneId,
    /// Ways it yields to where its green is permissive.
    pub(super) yields_to: Vec<usize>,
    /// It has a place inside the junction to wait for a gap.
    pub(super) waits_inside: bool,
    /// Time across the junction, deciseconds.
    pub(super) across_ds: i32,
    /// Time lost before the line by braking for the turn, deciseconds.
    pub(super) brake_ds: i32,
    /// Shortest headway behind a vehicle that takes it, deciseconds.
    pub(super) headway_ds: i32,
}

/// A lane that is looked at for a junction: an approach lane or one upstream of it.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    pub(super) lane: LaneId,
    /// From its end to the stop line, metres.
    pub(super) to_line_m: f64,
}

/// A lane that ends at the stop line.
#[derive(Debug, Clone)]
pub(super) struct Lane {
    pub(super) link: LinkId,
    pub(super) speed_mps: f64,
    /// Its ways, as numbers of the junction.
    pub(super) ways: Vec<usize>,
    /// It and the lanes upstream of it, nearest first.
    pub(super) pieces: Vec<Piece>,
}

/// A stage, or the way from one to another.
#[derive(Debug, Clone)]
pub(super) struct Row {
    /// What every way is shown.
    pub(super) shows: Vec<Show>,
    /// Lanes that have some green.
    pub(super) lanes: Vec<usize>,
}

/// A stage of the program.
#[derive(Debug, Clone)]
pub(super) struct Stage {
    /// Shortest green, deciseconds.
    pub(super) min_ds: i32,
    pub(super) row: Row,
    /// Groups that are green.
    pub(super) groups: Vec<usize>,
}

/// From one stage to another.
#[derive(Debug, Clone)]
pub(super) struct Change {
    /// How long it takes, deciseconds.
    pub(super) length_ds: i32,
    /// What keeps its green on the way.
    pub(super) row: Row,
    /// Shortest greens of groups that end, as (group, deciseconds).
    pub(super) ends: Vec<(usize, i32)>,
}

/// One junction.
#[derive(Debug, Clone)]
pub(super) struct Model {
    pub(super) lanes: Vec<Lane>,
    pub(super) ways: Vec<Way>,
    pub(super) stages: Vec<Stage>,
    /// `changes[from * stages + to]`.
    changes: Vec<Change>,
    /// Stages worth going to: of several that show the same, the first.
    pub(super) distinct: Vec<usize>,
    /// Longest red per group, deciseconds; none for those that need no green.
    pub(super) max_red_ds: Vec<Option<i32>>,
    /// So long before a group has to be green at the latest its stage is given way to.
    pub(super) notice_ds: i32,
}

fn show(i: Indication) -> Show {
    match i {
        Indication::Protected => Show::Protected,
        Indication::Permissive => Show::Permissive,
        _ => Show::Red,
    }
}

impl Row {
    fn of(shown: &[Show], ways: &[Way], lanes: usize) -> Self {
        let shows: Vec<Show> = ways.iter().map(|w| shown[w.group.index()]).collect();
        let green = |l: &usize| ways.iter().zip(&shows).any(|(w, s)| w.lane == *l && *s != Show::Red);
        Self { lanes: (0..lanes).filter(green).collect(), shows }
    }
}

impl Model {
    /// The junction of a controller.
    pub(super) fn of(network: &Network, id: ControllerId, policy: &Policy) -> Self {
        let controller = network.controller(id);
        let (lanes, ways) = lanes_and_ways(network, id);
        let steps: Vec<_> = controller.program.stages().collect();
        let groups = controller.groups.len();
        let stages: Vec<Stage> = steps
            .iter()
            .map(|step| {
                let shown: Vec<Show> = step.shows.iter().map(|i| show(*i)).collect();
                let green = |g: &usize| shown[*g] != Show::Red;
                Stage {
                    min_ds: if let StepKind::Stage { min, .. } = step.kind { min.0 as i32 } else { 0 },
                    row: Row::of(&shown, &ways, lanes.len()),
                    groups: (0..groups).filter(green).collect(),
                }
            })
            .collect();
        let n = stages.len();
        let changes = (0..n * n).map(|k| change(controller, (k / n, k % n), &ways, lanes.len())).collect();
        // Every other stage may have to be shown first, each for its minimum; lists of stages serve all in half of them.
        let shortest = |s: &Stage| s.min_ds + NOTICE_PER_STAGE_DS;
        let notice_ds = stages.iter().map(shortest).sum::<i32>().min(NOTICE_MAX_DS);
        let distinct = (0..n).filter(|&i| (0..i).all(|j| steps[j].shows != steps[i].shows)).collect();
        Self {
            lanes,
            ways,
            stages,
            changes,
            distinct,
            max_red_ds: longest_reds(controller, policy).into_iter().map(|max| max.map(|ds| ds.0 as i32)).collect(),
            notice_ds,
        }
    }

    /// The change from one stage to another.
    pub(super) fn change(&self, from: usize, to: usize) -> &Change {
        &self.changes[from * self.stages.len() + to]
    }
}

fn change(controller: &Controller, (from, to): (usize, usize), ways: &[Way], lanes: usize) -> Change {
    let none = vec![Show::Red; controller.groups.len()];
    if from == to {
        return Change { length_ds: 0, row: Row::of(&none, ways, lanes), ends: Vec::new() };
    }
    let steps = controller.program.clearance(&controller.groups, &controller.conflicts, (from, to));
    let mut stays = none;
    for (g, shown) in stays.iter_mut().enumerate() {
        let least = steps.iter().map(|s| s.shows[g]).min_by_key(|i| match show(*i) {
            Show::Red => 0,
            Show::Permissive => 1,
            Show::Protected => 2,
        });
        *shown = least.map_or(Show::Red, show);
    }
    let shows: Vec<_> = controller.program.stages().map(|s| &s.shows).collect();
    let ends = |g: &usize| shows[from][*g].is_green() && stays[*g] == Show::Red && !steps.is_empty();
    Change {
        length_ds: steps.iter().map(|s| s.length.0 as i32).sum(),
        ends: (0..controller.groups.len()).filter(ends).map(|g| (g, controller.groups[g].min_green.0 as i32)).collect(),
        row: Row::of(&stays, ways, lanes),
    }
}

fn lanes_and_ways(network: &Network, id: ControllerId) -> (Vec<Lane>, Vec<Way>) {
    let controller = network.controller(id);
    let (mut lanes, mut ways) = (Vec::new(), Vec::<Way>::new());
    for lane in network.approach_lanes(id) {
        let mut own = Vec::new();
        for &connection in network.connections_from(lane) {
            let c = network.connection(connection);
            let Some(head) = c.signal.filter(|s| s.controller == id) else { continue };
            own.push(ways.len());
            let across_m = c.length.get();
            let (limit, turn) = (network.lane(lane).speed.get().max(1.0), c.speed.get().max(1.0));
            let slower = (limit - turn).max(0.0);
            ways.push(Way {
                connection,
                movement: c.movement,
                group: head.group,
                lane: lanes.len(),
                onto: c.to_lane,
                yields_to: Vec::new(),
                waits_inside: c.wait_at.is_some(),
                across_ds: (across_m / turn * 10.0) as i32,
                brake_ds: (slower * slower / (2.0 * BRAKING_MPS2 * limit) * 10.0) as i32,
                headway_ds: ((1.0 + SPACE_M / turn) * 10.0) as i32,
            });
        }
        let pieces = upstream(network, lane);
        lanes.push(Lane {
            link: network.lane(lane).link,
            speed_mps: network.lane(lane).speed.get().max(1.0),
            ways: own,
            pieces,
        });
    }
    let yields: Vec<Vec<usize>> = ways
        .iter()
        .map(|w| {
            let foes = network.foes(w.connection);
            (0..ways.len())
                .filter(|&o| {
                    let other = &ways[o];
                    let by_group = matches!(
                        controller.conflicts.get(w.group, other.group),
                        Relation::Permitted { yields: true, .. }
                    );
                    by_group && foes.iter().any(|f| f.connection == other.connection)
                })
                .collect()
        })
        .collect();
    for (way, yields_to) in ways.iter_mut().zip(yields) {
        way.yields_to = yields_to;
    }
    (lanes, ways)
}

/// A lane and those upstream of it through nodes without signals, nearest first.
fn upstream(network: &Network, lane: LaneId) -> Vec<Piece> {
    let mut pieces = vec![Piece { lane, to_line_m: 0.0 }];
    let mut next = 0;
    while let Some(piece) = pieces.get(next).cloned() {
        next += 1;
        let start_m = piece.to_line_m + network.lane(piece.lane).length.get();
        if start_m >= SIGHT_M {
            continue;
        }
        let link = network.lane(piece.lane).link;
        for m in network.movements_into(link).iter().map(|m| network.movement(*m)) {
            for c in m.connections.iter().map(|c| network.connection(*c)) {
                let known = pieces.iter().any(|p| p.lane == c.from_lane);
                if c.to_lane == piece.lane && c.signal.is_none() && !known {
                    pieces.push(Piece { lane: c.from_lane, to_line_m: start_m + c.length.get() });
                }
            }
        }
    }
    pieces.sort_by(|a, b| a.to_line_m.total_cmp(&b.to_line_m).then(a.lane.cmp(&b.lane)));
    pieces
}
