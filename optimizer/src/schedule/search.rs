//! The search of one junction: which stages, and from when to when.
//!
//! Forward over the instants at which a stage may begin: of all ways to begin a stage at an instant the best few are kept
//! (a beam). How good a way is shows when it is played on to the end of the horizon by a simple rule, which also is what
//! follows the last stage that the search itself has chosen: the answer is never worse than the rule.

use super::playout::{Crossing, LaneState, Scene, State, TICK_DS};

/// How much is searched.
#[derive(Debug, Clone)]
pub struct Effort {
    /// The play ends here, deciseconds from now.
    pub horizon_ds: i32,
    /// Stages begin by choice up to here; after it the rule goes on.
    pub choice_ds: i32,
    /// Changes by choice one after the other.
    pub depth: u8,
    /// Ways kept per instant and stage.
    pub beam: usize,
    /// Longest green by choice.
    pub green_ds: i32,
    /// Lengths that differ by less are not told apart.
    pub step_ds: i32,
    /// What a queued vehicle counts when ways are compared before they are played on, deciseconds.
    pub queued_ds: i64,
}

impl Default for Effort {
    fn default() -> Self {
        Self { horizon_ds: 700, choice_ds: 350, depth: 3, beam: 1, green_ds: 400, step_ds: 10, queued_ds: 120 }
    }
}

impl Effort {
    /// No search: the simple rule decides.
    pub(super) fn rule_alone(&self) -> Self {
        Self { depth: 0, ..self.clone() }
    }
}

/// Where the junction is now.
#[derive(Debug, Clone)]
pub(super) struct Start {
    pub(super) state: State,
    /// The stage that is shown or come to.
    pub(super) stage: usize,
    /// When it became or becomes green, deciseconds from now.
    pub(super) since_ds: i32,
    /// It cannot be left before this.
    pub(super) bound_ds: i32,
}

/// A stage of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Leg {
    pub(super) stage: usize,
    pub(super) starts_ds: i32,
    pub(super) ends_ds: i32,
}

/// What was found.
#[derive(Debug, Clone, Default)]
pub(super) struct Found {
    pub(super) legs: Vec<Leg>,
    pub(super) cost: i64,
    /// What the rule alone would cost.
    pub(super) rule_cost: i64,
    pub(super) crossings: Vec<Crossing>,
    /// Work that was done, in units of a budget.
    pub(super) work: u64,
}

impl Found {
    /// Why this and nothing else, in a sentence.
    pub(super) fn reason(&self, effort: &Effort) -> String {
        let ahead_s = effort.horizon_ds / 10;
        let saved_s = (self.rule_cost - self.cost).max(0) / 10;
        if effort.depth == 0 {
            "no time was left to search: the stage that lets most vehicles go comes next".to_owned()
        } else if saved_s == 0 {
            format!("nothing was found that waits less in the next {ahead_s} s than going where most vehicles can go")
        } else {
            format!(
                "waits {saved_s} vehicle-seconds less in the next {ahead_s} s than going where most vehicles can go"
            )
        }
    }
}

struct Label {
    state: State,
    stage: usize,
    starts_ds: i32,
    /// Green from here on may end by choice.
    from_ds: i32,
    parent: usize,
    /// When the parent's stage was left.
    left_ds: i32,
    depth: u8,
    key: i64,
}

/// What a label takes, in units of a budget (about a nanosecond each). A guess at its order, not a measurement.
const WORK_PER_LABEL: u64 = 6_000;

/// The rule: a stage is kept for a while, then the one that lets most vehicles go follows.
const RULE_EVERY_DS: i32 = 20;

/// Plays on by the rule alone; the legs it makes are added to `legs`, whose last is the stage that runs.
pub(super) fn by_rule(
    scene: &Scene<'_>,
    state: &mut State,
    (mut stage, mut since_ds): (usize, i32),
    (mut at_ds, bound_ds): (i32, i32),
    end_ds: i32,
    mut legs: Option<&mut Vec<Leg>>,
    out: &mut Option<&mut Vec<Crossing>>,
) -> usize {
    let model = scene.model;
    let mut decides_ds = at_ds.max(bound_ds).max(since_ds + model.stages[stage].min_ds.max(50));
    while at_ds < end_ds {
        if at_ds >= decides_ds {
            // Who has to be green soon goes before everybody else.
            let urgent = scene.urgent(state, &model.stages[stage], at_ds);
            let serves = |to: usize| urgent.is_none_or(|g| model.stages[to].groups.contains(&g));
            let stays = if urgent.is_some() { -1 } else { scene.score(state, &model.stages[stage], at_ds) };
            let mut best = (stays, stage);
            for &to in model.distinct.iter().filter(|to| **to != stage && serves(**to)) {
                let score = scene.score(state, &model.stages[to], at_ds);
                if score > best.0 && scene.may_leave(state, (stage, to), since_ds, at_ds) {
                    best = (score, to);
                }
            }
            if best.1 != stage {
                if let Some(legs) = legs.as_deref_mut()
                    && let Some(last) = legs.last_mut()
                {
                    last.ends_ds = at_ds;
                }
                at_ds = scene.switch(state, (stage, best.1), at_ds, out);
                stage = best.1;
                since_ds = at_ds;
                if let Some(legs) = legs.as_deref_mut() {
                    legs.push(Leg { stage, starts_ds: at_ds, ends_ds: end_ds.max(at_ds) });
                }
                decides_ds = at_ds + model.stages[stage].min_ds.max(50);
            } else {
                decides_ds = at_ds + RULE_EVERY_DS;
            }
            continue;
        }
        let to = decides_ds.min(end_ds);
        scene.run(state, &model.stages[stage].row, (at_ds, to), out);
        at_ds = to;
    }
    stage
}

/// Costs so far, and what is known to wait already.
fn key(scene: &Scene<'_>, state: &State, at_ds: i32, queued_ds: i64) -> i64 {
    let mut cost = state.cost;
    for (lane, queue) in scene.traffic.lanes.iter().enumerate() {
        for v in &queue[state.lanes[lane].next as usize..] {
            let waited = at_ds - v.arrives_ds;
            if waited < 0 {
                break;
            }
            cost += i64::from(waited) + queued_ds;
        }
    }
    cost
}

/// The best plan that is found.
pub(super) fn search(scene: &Scene<'_>, start: &Start, effort: &Effort) -> Found {
    let model = scene.model;
    let slots = (effort.choice_ds / TICK_DS + 1).max(1) as usize;
    let stages = model.stages.len();
    let mut labels: Vec<Label> = vec![Label {
        state: start.state.clone(),
        stage: start.stage,
        starts_ds: start.since_ds,
        from_ds: start.bound_ds.max(0),
        parent: usize::MAX,
        left_ds: 0,
        depth: 0,
        key: 0,
    }];
    // Places in `labels`, by instant and stage.
    let mut beams: Vec<Vec<usize>> = vec![Vec::new(); slots * stages];
    let mut best: (i64, usize) = (i64::MAX, 0);
    let mut scratch = start.state.clone();
    let mut walk = start.state.clone();
    let mut open: Vec<usize> = vec![0];
    let mut rule_cost = i64::MAX;
    let mut slot = 0;
    loop {
        for at in std::mem::take(&mut open) {
            // How good it is shows when the rule plays on.
            let begins = labels[at].starts_ds.max(0);
            scratch.copy_from(&labels[at].state);
            let ended = by_rule(
                scene,
                &mut scratch,
                (labels[at].stage, labels[at].starts_ds),
                (begins, labels[at].from_ds),
                effort.horizon_ds,
                None,
                &mut None,
            );
            let total = scene.total(&scratch, ended, effort.horizon_ds);
            if at == 0 {
                rule_cost = total;
            }
            if total < best.0 {
                best = (total, at);
            }
            if labels[at].depth >= effort.depth {
                continue;
            }
            expand(scene, effort, &mut labels, at, &mut beams, (&mut walk, &mut scratch));
        }
        if slot >= slots {
            break;
        }
        open = (0..stages).flat_map(|s| std::mem::take(&mut beams[slot * stages + s])).collect();
        slot += 1;
    }
    let mut chain = Vec::new();
    let mut at = best.1;
    while at != usize::MAX {
        chain.push(at);
        at = labels[at].parent;
    }
    chain.reverse();
    let work = labels.len() as u64 * WORK_PER_LABEL;
    let mut found = Found { cost: best.0, rule_cost, work, ..Found::default() };
    // Played once more to tell who crosses when.
    let mut state = start.state.clone();
    let mut now = 0;
    found.legs.push(Leg { stage: start.stage, starts_ds: start.since_ds, ends_ds: effort.horizon_ds });
    let mut out = Some(&mut found.crossings);
    for pair in chain.windows(2) {
        let (from, to) = (&labels[pair[0]], &labels[pair[1]]);
        scene.run(&mut state, &model.stages[from.stage].row, (now, to.left_ds), &mut out);
        now = scene.switch(&mut state, (from.stage, to.stage), to.left_ds, &mut out);
        if let Some(last) = found.legs.last_mut() {
            last.ends_ds = to.left_ds;
        }
        found.legs.push(Leg { stage: to.stage, starts_ds: now, ends_ds: effort.horizon_ds.max(now) });
    }
    let last = &labels[best.1];
    by_rule(
        scene,
        &mut state,
        (last.stage, last.starts_ds),
        (last.starts_ds.max(0), last.from_ds),
        effort.horizon_ds,
        Some(&mut found.legs),
        &mut out,
    );
    found
}

/// All ways to leave a label's stage for another, kept where they are among the best that begin there and then.
fn expand(
    scene: &Scene<'_>,
    effort: &Effort,
    labels: &mut Vec<Label>,
    at: usize,
    beams: &mut [Vec<usize>],
    (walk, scratch): (&mut State, &mut State),
) {
    let model = scene.model;
    let stages = model.stages.len();
    let (stage, starts_ds, depth) = (labels[at].stage, labels[at].starts_ds, labels[at].depth);
    let begins = starts_ds.max(0);
    walk.copy_from(&labels[at].state);
    let mut now = begins;
    let mut leaves = labels[at].from_ds.max(starts_ds + model.stages[stage].min_ds).max(begins);
    // Whole ticks from now.
    leaves = (leaves + TICK_DS - 1) / TICK_DS * TICK_DS;
    while leaves <= effort.choice_ds && leaves - begins <= effort.green_ds {
        scene.run(walk, &model.stages[stage].row, (now, leaves), &mut None);
        now = leaves;
        for &to in model.distinct.iter().filter(|to| **to != stage) {
            if !scene.may_leave(walk, (stage, to), starts_ds, leaves) {
                continue;
            }
            let begins_next = leaves + model.change(stage, to).length_ds;
            let slot = ((begins_next + TICK_DS - 1) / TICK_DS) as usize;
            if slot * stages >= beams.len() {
                continue;
            }
            scratch.copy_from(walk);
            let starts = scene.switch(scratch, (stage, to), leaves, &mut None);
            let key = key(scene, scratch, starts, effort.queued_ds);
            let beam = &mut beams[slot * stages + to];
            let worst = beam.iter().copied().max_by_key(|l| (labels[*l].key, *l));
            let place = if beam.len() < effort.beam {
                labels.push(Label {
                    state: scratch.clone(),
                    stage: to,
                    starts_ds: starts,
                    from_ds: starts,
                    parent: at,
                    left_ds: leaves,
                    depth: depth + 1,
                    key,
                });
                beam.push(labels.len() - 1);
                continue;
            } else if let Some(worst) = worst.filter(|w| labels[*w].key > key) {
                worst
            } else {
                continue;
            };
            let label = &mut labels[place];
            label.state.copy_from(scratch);
            label.starts_ds = starts;
            label.from_ds = starts;
            label.parent = at;
            label.left_ds = leaves;
            label.depth = depth + 1;
            label.key = key;
        }
        leaves += effort.step_ds;
    }
}

/// Lanes as they are now: those under green go on, the others wait.
pub(super) fn lanes_now(scene: &Scene<'_>, stage: usize, since_ds: i32) -> Vec<LaneState> {
    let row = &scene.model.stages[stage].row;
    (0..scene.model.lanes.len())
        .map(|lane| {
            let head = scene.traffic.lanes[lane].first();
            let green = row.lanes.contains(&lane);
            let open_ds = if green { since_ds } else { i32::MIN / 4 };
            // A queue that moves is past its start.
            let moves = green && since_ds < 0 && head.is_none_or(|v| !v.stands);
            LaneState { next: 0, run: if moves { 9 } else { 0 }, ready_ds: since_ds.max(0), open_ds }
        })
        .collect()
}
