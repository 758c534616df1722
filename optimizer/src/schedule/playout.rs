//! A junction played forward: who crosses the line when, stage after stage.
//!
//! Times are deciseconds from now. Vehicles of a lane cross in their order; one that may not go holds those behind it.
//! A queue starts to move with a loss and comes to its pace over the first vehicles; a vehicle that comes to a line that
//! has just turned green has braked for nothing. A permissive way waits for a gap in what it yields to.

use super::exchange::Room;
use super::model::{Model, Row, Show, Stage};
use super::traffic::Traffic;

/// A step of the clock.
pub(super) const TICK_DS: i32 = 10;

/// Cost of a red that is longer than it may be, deciseconds.
const TOO_LATE: i64 = 1_000_000;

/// How vehicles discharge, and what counts how much.
#[derive(Debug, Clone)]
pub struct Manner {
    /// From the start of green to the first vehicle over the line.
    pub start_up_ds: i32,
    /// Headways of a queue from its second vehicle on; the last goes on.
    pub headway_ds: Vec<i32>,
    /// A vehicle that arrives so much after the start of green has not braked.
    pub braking_ds: i32,
    /// Time lost behind the line by the first vehicles of a queue, which cross it slowly.
    pub regain_ds: Vec<i32>,
    /// Gap that a permissive way needs.
    pub gap_ds: i32,
    /// Yellow that is still used.
    pub yellow_used_ds: i32,
    /// What each vehicle counts that waits at the end, in deciseconds.
    pub left_ds: i32,
    /// Seconds of red after which a vehicle that waits weighs more, and how much.
    pub late_ds: i32,
    /// Weight of being late.
    pub late_weight: i32,
    /// Speed of free vehicles, as a share of the limit.
    pub slow: f64,
}

impl Default for Manner {
    fn default() -> Self {
        Self {
            start_up_ds: 5,
            headway_ds: vec![30, 23, 22, 19, 17, 17],
            braking_ds: 25,
            regain_ds: vec![27, 9, 4, 2, 0],
            gap_ds: 35,
            yellow_used_ds: 2,
            left_ds: 100,
            late_ds: 900,
            late_weight: 4,
            slow: 0.98,
        }
    }
}

/// Where one lane has come to.
#[derive(Debug, Clone, Copy)]
pub(super) struct LaneState {
    /// Its next vehicle.
    pub(super) next: u16,
    /// Vehicles that have crossed since its queue began to move.
    pub(super) run: u16,
    /// The next one crosses no sooner.
    pub(super) ready_ds: i32,
    /// Since when its head may go.
    pub(super) open_ds: i32,
}

/// Where a junction has come to.
#[derive(Debug, Clone)]
pub(super) struct State {
    pub(super) lanes: Vec<LaneState>,
    /// Costs of those that have crossed, deciseconds.
    pub(super) cost: i64,
    /// When each group was green last.
    pub(super) green_ds: Vec<i32>,
    /// When each group became green, if it is.
    pub(super) since_ds: Vec<i32>,
    /// Vehicles that have crossed by each way.
    pub(super) entered: Vec<u16>,
}

/// What a playout is about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scene<'a> {
    pub(super) model: &'a Model,
    pub(super) traffic: &'a Traffic,
    pub(super) manner: &'a Manner,
    /// Room behind each way.
    pub(super) rooms: &'a [Option<Room>],
}

/// A vehicle that has crossed the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Crossing {
    pub(super) way: u16,
    pub(super) at_ds: i32,
}

impl State {
    pub(super) fn copy_from(&mut self, other: &Self) {
        self.lanes.clone_from(&other.lanes);
        self.green_ds.clone_from(&other.green_ds);
        self.since_ds.clone_from(&other.since_ds);
        self.entered.clone_from(&other.entered);
        self.cost = other.cost;
    }
}

impl Scene<'_> {
    /// When a lane's next vehicle can cross at the soonest, and which it is.
    fn due(&self, lane: usize, s: &LaneState) -> Option<(i32, u16)> {
        let v = self.traffic.lanes[lane].get(s.next as usize)?;
        let m = self.manner;
        let late = v.arrives_ds - s.open_ds;
        let free = if late >= m.braking_ds {
            v.arrives_ds
        } else if late <= 0 {
            s.open_ds + m.start_up_ds
        } else {
            s.open_ds + m.start_up_ds + late * (m.braking_ds - m.start_up_ds) / m.braking_ds
        };
        Some((free.max(v.arrives_ds).max(s.ready_ds), v.way))
    }

    fn gap(&self, state: &State, row: &Row, way: u16, at_ds: i32) -> bool {
        let until = at_ds + self.manner.gap_ds;
        self.model.ways[way as usize].yields_to.iter().all(|&foe| {
            if row.shows[foe] == Show::Red {
                return true;
            }
            let lane = self.model.ways[foe].lane;
            let s = &state.lanes[lane];
            let queue = &self.traffic.lanes[lane];
            for (k, v) in queue[s.next as usize..].iter().take(3).enumerate() {
                if v.arrives_ds.max(s.ready_ds) + k as i32 * 15 > until || row.shows[v.way as usize] == Show::Red {
                    return true;
                }
                if v.way as usize == foe {
                    return false;
                }
            }
            true
        })
    }

    /// There is room behind a way at an instant.
    fn has_room(&self, state: &State, way: u16, at_ds: i32) -> bool {
        self.rooms[way as usize].as_ref().is_none_or(|room| room.admits(state.entered[way as usize], at_ds))
    }

    fn cross(&self, state: &mut State, lane: usize, at_ds: i32, out: &mut Option<&mut Vec<Crossing>>) {
        let m = self.manner;
        let v = self.traffic.lanes[lane][state.lanes[lane].next as usize];
        let s = &mut state.lanes[lane];
        let waited = at_ds - v.arrives_ds;
        let regain = m.regain_ds[(s.run as usize).min(m.regain_ds.len() - 1)];
        let mut cost = waited + regain * waited.clamp(0, m.braking_ds) / m.braking_ds;
        let group = self.model.ways[v.way as usize].group.index();
        let red = s.open_ds - state.green_ds[group];
        cost += (red - m.late_ds).max(0) * m.late_weight;
        state.cost += i64::from(cost);
        // A gap in the stream ends the queue: who follows comes at speed.
        let follows = at_ds <= s.ready_ds + 20 || s.run == 0;
        s.run = if follows { s.run.saturating_add(1) } else { m.headway_ds.len() as u16 };
        let headway_ds = m.headway_ds[(s.run as usize - 1).min(m.headway_ds.len() - 1)];
        s.ready_ds = at_ds + headway_ds.max(self.model.ways[v.way as usize].headway_ds);
        s.next += 1;
        state.entered[v.way as usize] += 1;
        if let Some(out) = out.as_deref_mut() {
            out.push(Crossing { way: v.way, at_ds });
        }
    }

    /// Plays a row from one instant to another.
    pub(super) fn run(
        &self,
        state: &mut State,
        row: &Row,
        (from_ds, to_ds): (i32, i32),
        out: &mut Option<&mut Vec<Crossing>>,
    ) {
        let mut tick = from_ds;
        while tick < to_ds {
            let end = (tick + TICK_DS).min(to_ds);
            // Before this nobody else can cross.
            let mut idle_until = to_ds;
            for &lane in &row.lanes {
                while let Some((due, way)) = self.due(lane, &state.lanes[lane]) {
                    if due >= end {
                        idle_until = idle_until.min(due);
                        break;
                    }
                    let at = due.max(tick);
                    let waits = match row.shows[way as usize] {
                        Show::Red => break,
                        _ if !self.has_room(state, way, at) => true,
                        Show::Permissive => !self.gap(state, row, way, at),
                        Show::Protected => false,
                    };
                    if waits {
                        idle_until = end;
                        break;
                    }
                    self.cross(state, lane, at, out);
                }
            }
            tick = end + (idle_until - end).max(0) / TICK_DS * TICK_DS;
        }
    }

    /// From a stage that ends at an instant to another; when that is green.
    pub(super) fn switch(
        &self,
        state: &mut State,
        (from, to): (usize, usize),
        at_ds: i32,
        out: &mut Option<&mut Vec<Crossing>>,
    ) -> i32 {
        let change = self.model.change(from, to);
        let (before, after) = (&self.model.stages[from], &self.model.stages[to]);
        let starts = at_ds + change.length_ds;
        if change.length_ds > 0 {
            // Those that cannot stop any more, and turns that wait inside the junction.
            for &lane in &before.row.lanes {
                let yellow_ends = at_ds + self.manner.yellow_used_ds.min(change.length_ds);
                while let Some((due, way)) = self.due(lane, &state.lanes[lane]) {
                    let w = &self.model.ways[way as usize];
                    let passes = match before.row.shows[way as usize] {
                        Show::Protected => due < yellow_ends && due > at_ds - TICK_DS,
                        Show::Permissive => {
                            let inside = w.waits_inside
                                && state.lanes[lane].open_ds <= at_ds - 30
                                && due <= at_ds
                                && state.lanes[lane].run < 200;
                            inside || (due < yellow_ends && self.gap(state, &before.row, way, due.max(at_ds)))
                        }
                        Show::Red => false,
                    };
                    if !passes
                        || !self.has_room(state, way, due.max(at_ds))
                        || change.row.shows[way as usize] != Show::Red
                    {
                        break;
                    }
                    let was_inside = before.row.shows[way as usize] == Show::Permissive;
                    self.cross(state, lane, due.max(at_ds), out);
                    if was_inside {
                        break;
                    }
                }
            }
            self.run(state, &change.row, (at_ds, starts), out);
        }
        self.begin(state, before, after, (at_ds, starts), &change.row);
        starts
    }

    /// Lanes whose head could not go and now can start anew.
    fn begin(&self, state: &mut State, before: &Stage, after: &Stage, (left_ds, at_ds): (i32, i32), kept: &Row) {
        for &lane in &after.row.lanes {
            let s = &mut state.lanes[lane];
            let Some(v) = self.traffic.lanes[lane].get(s.next as usize) else {
                if !before.row.lanes.contains(&lane) || !kept.lanes.contains(&lane) {
                    s.open_ds = at_ds;
                    s.run = 0;
                }
                continue;
            };
            let way = v.way as usize;
            if kept.shows[way] == Show::Red && after.row.shows[way] != Show::Red {
                s.open_ds = at_ds;
                s.ready_ds = s.ready_ds.max(at_ds);
                s.run = 0;
            }
        }
        for &g in &before.groups {
            state.green_ds[g] = left_ds;
        }
        for &g in &after.groups {
            if !before.groups.contains(&g) {
                state.since_ds[g] = at_ds;
                state.cost += self.too_late(g, at_ds - state.green_ds[g]);
            }
        }
    }

    /// What a red costs that is longer than it may be: more than anybody's waiting.
    fn too_late(&self, group: usize, red_ds: i32) -> i64 {
        match self.model.max_red_ds[group] {
            Some(max) if red_ds > max => TOO_LATE + i64::from(red_ds - max) * 100,
            _ => 0,
        }
    }

    /// The group that has to be green next, of those that have to be soon.
    pub(super) fn urgent(&self, state: &State, stage: &Stage, at_ds: i32) -> Option<usize> {
        let left = |g: usize| self.model.max_red_ds[g].map(|max| state.green_ds[g] + max - at_ds);
        let waits = (0..state.green_ds.len()).filter(|g| !stage.groups.contains(g));
        let soon = waits.filter_map(|g| Some((left(g)?, g))).filter(|(left, _)| *left < self.model.notice_ds);
        soon.min().map(|(_, g)| g)
    }

    /// Costs of everybody, those included that have not crossed when the play ends.
    pub(super) fn total(&self, state: &State, stage: usize, end_ds: i32) -> i64 {
        let mut cost = state.cost;
        let shown = &self.model.stages[stage].groups;
        let dark = (0..state.green_ds.len()).filter(|g| !shown.contains(g));
        cost += dark.map(|g| self.too_late(g, end_ds - state.green_ds[g])).sum::<i64>();
        for (lane, queue) in self.traffic.lanes.iter().enumerate() {
            for v in &queue[state.lanes[lane].next as usize..] {
                let waited = end_ds - v.arrives_ds;
                if waited > 0 {
                    let group = self.model.ways[v.way as usize].group.index();
                    let green = self.model.stages[stage].groups.contains(&group);
                    let red = if green { 0 } else { end_ds - state.green_ds[group] };
                    cost += i64::from(waited + self.manner.left_ds);
                    cost += i64::from((red - self.manner.late_ds).max(0) * self.manner.late_weight);
                }
            }
        }
        cost
    }

    /// Vehicles near the line that a stage would let go, in halves: a permissive green counts half; one that may not go
    /// holds those behind it.
    pub(super) fn score(&self, state: &State, stage: &Stage, at_ds: i32) -> i32 {
        let mut score = 0;
        for &lane in &stage.row.lanes {
            for v in self.traffic.lanes[lane][state.lanes[lane].next as usize..].iter().take(8) {
                if v.arrives_ds > at_ds + 35 {
                    break;
                }
                match stage.row.shows[v.way as usize] {
                    Show::Red => break,
                    _ if !self.has_room(state, v.way, at_ds + 30) => break,
                    Show::Permissive => score += 1,
                    Show::Protected => score += 2,
                }
            }
        }
        score
    }

    /// True when the groups that end on the way to another stage have been green for their minimum, and so has the stage.
    pub(super) fn may_leave(&self, state: &State, (from, to): (usize, usize), since_ds: i32, at_ds: i32) -> bool {
        at_ds - since_ds >= self.model.stages[from].min_ds
            && self.model.change(from, to).ends.iter().all(|(g, min)| at_ds - state.since_ds[*g] >= *min)
    }
}
