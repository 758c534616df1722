//! A rolling schedule: which stage is green from when to when over the next minute or two, in absolute time.
//!
//! A schedule says stages and instants only. What is shown between two stages is the controller's own clearance between
//! them, so yellow, all-red and pedestrian clearance cannot be scheduled away. When it runs out, the last stage stays until
//! the controller's cyclic plan can take over without a seam ([`Schedule::rejoin`]).

use serde::{Deserialize, Serialize};

use crate::ids::{GroupId, StageId};
use crate::signal::{Controller, Indication, Protection, SignalGroup, StepKind, TimedStep, TimingPlan};
use crate::units::{Ds, TimeDs};

/// A stage that is green from one instant to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ScheduledStage {
    /// The stage.
    pub stage: StageId,
    /// When its green begins. For the first stage this may lie in the past: it has been green since then.
    pub start: TimeDs,
    /// When its green ends and the clearance to the next one begins. For the last stage: how far is planned.
    pub end: TimeDs,
}

/// Stages in order of time, each joined to the next by the controller's clearance between the two.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Schedule {
    /// The stages; never empty.
    pub stages: Vec<ScheduledStage>,
    /// Nothing before this instant is changed by a later schedule.
    pub frozen_until: TimeDs,
}

/// Why stages and instants do not make a schedule of a controller.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// It has no stages.
    #[error("it has no stages")]
    Empty,
    /// A stage that the program does not have.
    #[error("entry {entry} is stage {stage}, but the program has {stages}")]
    NoSuchStage {
        /// Position in the schedule.
        entry: usize,
        /// The stage.
        stage: u32,
        /// Stages of the program.
        stages: usize,
    },
    /// A stage follows itself.
    #[error("entry {entry}: stage {stage} follows itself")]
    Twice {
        /// Position of the second in the schedule.
        entry: usize,
        /// The stage.
        stage: u32,
    },
    /// A stage ends before it begins, or never is green.
    #[error("entry {entry}: stage {stage} ends at {}, not after its start at {}", end.rfc3339(), start.rfc3339())]
    NoGreen {
        /// Position in the schedule.
        entry: usize,
        /// The stage.
        stage: u32,
        /// When it begins.
        start: TimeDs,
        /// When it ends.
        end: TimeDs,
    },
    /// A stage is shorter than the database allows.
    #[error("entry {entry}: stage {stage} is green for {green}, its shortest green is {min}")]
    Short {
        /// Position in the schedule.
        entry: usize,
        /// The stage.
        stage: u32,
        /// Its green.
        green: Ds,
        /// The shortest.
        min: Ds,
    },
    /// Two stages are further apart, or closer, than the clearance between them lasts.
    #[error("entry {entry}: {gap_ds} ds after the stage before, but the clearance takes {clearance}")]
    Gap {
        /// Position of the second in the schedule.
        entry: usize,
        /// Deciseconds between them.
        gap_ds: i64,
        /// The clearance of the database.
        clearance: Ds,
    },
    /// The cyclic plan shows no stage that the schedule could end in.
    #[error("no way leads from stage {stage} into the cyclic plan")]
    NoWayBack {
        /// Its last stage.
        stage: u32,
    },
}

/// A green of one group in absolute time, `[start, end)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimedGreen {
    /// When it begins.
    pub start: TimeDs,
    /// When it ends.
    pub end: TimeDs,
    /// Right of way or not.
    pub protection: Protection,
}

/// How a schedule gives way to a cyclic plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rejoin {
    /// The stage the controller goes to first; the schedule's last stage where none is needed.
    pub stage: StageId,
    /// When the schedule's last stage ends: only where another is gone to.
    pub leaves: TimeDs,
    /// When the stage gone to begins; when the last stage began where none is gone to.
    pub starts: TimeDs,
    /// When the plan takes over, in the middle of that stage or at its start.
    pub at: TimeDs,
}

impl ScheduledStage {
    fn green(&self) -> Ds {
        Ds(u32::try_from(self.end.since(self.start)).unwrap_or(0))
    }
}

impl Schedule {
    /// When its first stage began.
    #[must_use]
    pub fn begins(&self) -> Option<TimeDs> {
        self.stages.first().map(|s| s.start)
    }

    /// How far is planned.
    #[must_use]
    pub fn ends(&self) -> Option<TimeDs> {
        self.stages.last().map(|s| s.end)
    }

    /// Checks it against a controller's program: stages exist, none follows itself, each is green for its minimum, and the
    /// clearances between them fit to the decisecond.
    ///
    /// # Errors
    /// [`ScheduleError`] with the first thing that is wrong.
    pub fn check(&self, controller: &Controller) -> Result<(), ScheduleError> {
        let stages: Vec<Ds> = minima(controller);
        if self.stages.is_empty() {
            return Err(ScheduleError::Empty);
        }
        for (entry, s) in self.stages.iter().enumerate() {
            let stage = s.stage.0;
            let Some(&min) = stages.get(s.stage.index()) else {
                return Err(ScheduleError::NoSuchStage { entry, stage, stages: stages.len() });
            };
            if s.end <= s.start {
                return Err(ScheduleError::NoGreen { entry, stage, start: s.start, end: s.end });
            }
            // The last stage goes on after the end of the schedule.
            if entry + 1 < self.stages.len() && s.green() < min {
                return Err(ScheduleError::Short { entry, stage, green: s.green(), min });
            }
        }
        for (i, pair) in self.stages.windows(2).enumerate() {
            let entry = i + 1;
            if pair[0].stage == pair[1].stage {
                return Err(ScheduleError::Twice { entry, stage: pair[1].stage.0 });
            }
            let clearance = clearance_length(controller, pair[0].stage, pair[1].stage);
            let gap_ds = pair[1].start.since(pair[0].end);
            if gap_ds != i64::from(clearance.0) {
                return Err(ScheduleError::Gap { entry, gap_ds, clearance });
            }
        }
        Ok(())
    }

    /// What is shown from when on, in order of time; the last step is the last stage, which goes on. The schedule has been
    /// checked.
    #[must_use]
    pub fn steps(&self, controller: &Controller) -> Vec<(TimeDs, TimedStep)> {
        let mut steps = Vec::with_capacity(self.stages.len() * 3);
        for (i, s) in self.stages.iter().enumerate() {
            let shows = shows(controller, s.stage);
            steps.push((s.start, TimedStep { stage: Some(s.stage.index()), length: s.green(), shows }));
            if let Some(next) = self.stages.get(i + 1) {
                let mut at = s.end;
                for step in clearance(controller, s.stage, next.stage) {
                    let length = step.length;
                    steps.push((at, step));
                    at = at + length;
                }
            }
        }
        steps
    }

    /// Greens of every group in absolute time. Those of the last stage end where the schedule does.
    #[must_use]
    pub fn greens(&self, controller: &Controller) -> Vec<Vec<TimedGreen>> {
        let mut greens: Vec<Vec<TimedGreen>> = vec![Vec::new(); controller.groups.len()];
        for (start, step) in self.steps(controller) {
            let end = start + step.length;
            for (spans, shows) in greens.iter_mut().zip(&step.shows) {
                let protection = match shows {
                    Indication::Protected => Protection::Protected,
                    Indication::Permissive => Protection::Permissive,
                    _ => continue,
                };
                match spans.last_mut() {
                    Some(last) if last.end == start && last.protection == protection => last.end = end,
                    _ => spans.push(TimedGreen { start, end, protection }),
                }
            }
        }
        greens
    }

    /// What every group shows at an instant. Before its beginning it shows what its first stage does, after its end what
    /// its last does.
    #[must_use]
    pub fn shows_at(&self, controller: &Controller, at: TimeDs) -> Vec<Indication> {
        let ends = self.ends().unwrap_or(at);
        if at >= ends {
            return self.stages.last().map_or_else(Vec::new, |s| rested(controller, s.stage));
        }
        let greens = self.greens(controller);
        controller.groups.iter().zip(&greens).map(|(heads, spans)| timed_indication(heads, spans, at)).collect()
    }

    /// True when two schedules show the same at every instant from `from` up to `until`.
    #[must_use]
    pub fn agrees(&self, other: &Self, from: TimeDs, until: TimeDs) -> bool {
        let part = |s: &Self| -> Vec<(StageId, TimeDs, TimeDs)> {
            let last = s.stages.len().saturating_sub(1);
            let parts = s.stages.iter().enumerate().map(|(i, p)| {
                // The end of the last stage is no end: it goes on.
                let end = if i == last { until } else { p.end.min(until) };
                (p.stage, p.start, end)
            });
            parts.filter(|(_, start, end)| *end > from && *start < until).collect()
        };
        let (mine, theirs) = (part(self), part(other));
        // A stage under way may have begun before either schedule tells.
        mine.len() == theirs.len()
            && mine.iter().zip(&theirs).all(|(a, b)| a.0 == b.0 && a.1.max(from) == b.1.max(from) && a.2 == b.2)
    }

    /// End of the clearance under way at an instant, a decisecond into the stage behind it, which it leads to whatever
    /// happens; none while a stage is green.
    #[must_use]
    pub fn clearance_ends(&self, at: TimeDs) -> Option<TimeDs> {
        let between = self.stages.windows(2).find(|pair| pair[0].end < at && at < pair[1].start);
        between.map(|pair| pair[1].start + Ds(1))
    }

    /// The schedule as it is run to its end: its last stage goes on until the cyclic plan takes over, or until the stage in
    /// between does.
    #[must_use]
    pub fn until_rejoin(&self, rejoin: &Rejoin) -> Self {
        let mut whole = self.clone();
        let Some(last) = whole.stages.last_mut() else { return whole };
        if last.stage == rejoin.stage {
            last.end = rejoin.at.max(last.end);
        } else {
            last.end = rejoin.leaves;
            whole.stages.push(ScheduledStage { stage: rejoin.stage, start: rejoin.starts, end: rejoin.at });
        }
        whole
    }

    /// How it gives way to a cyclic plan once it has run out: the last stage stays until the plan shows just that, or the
    /// controller goes to another stage first where that is sooner.
    ///
    /// # Errors
    /// [`ScheduleError::NoWayBack`] when the plan shows none of the program's stages.
    pub fn rejoin(&self, controller: &Controller, plan: &TimingPlan) -> Result<Rejoin, ScheduleError> {
        let Some(last) = self.stages.last() else { return Err(ScheduleError::Empty) };
        let minima = minima(controller);
        let mut best: Option<Rejoin> = None;
        for (stage, start, length) in rests(plan, controller) {
            // The last stage is kept for its own minimum before anything follows.
            let leaves = last.end.max(last.start + minima[last.stage.index()]);
            let starts =
                if stage == last.stage { last.start } else { leaves + clearance_length(controller, last.stage, stage) };
            let earliest = if stage == last.stage { last.end } else { starts };
            let served = starts + minima[stage.index()];
            // The rest under way at the earliest instant, and the one after it.
            let under_way = earliest - Ds((plan.position_at(earliest).0 + plan.cycle.0 - start.0) % plan.cycle.0);
            for begins in [under_way, under_way + plan.cycle] {
                let (at, ends) = (begins.max(earliest), begins + length);
                let is_whole = length == plan.cycle || ends >= served || at >= served;
                if at < ends && is_whole && best.is_none_or(|b| at < b.at) {
                    best = Some(Rejoin { stage, leaves, starts, at });
                }
            }
        }
        best.ok_or(ScheduleError::NoWayBack { stage: last.stage.0 })
    }
}

/// Shortest greens of the program's stages.
fn minima(controller: &Controller) -> Vec<Ds> {
    let min = |kind| if let StepKind::Stage { min, .. } = kind { min } else { Ds::ZERO };
    controller.program.stages().map(|s| min(s.kind)).collect()
}

/// What a stage shows.
fn shows(controller: &Controller, stage: StageId) -> Vec<Indication> {
    controller.program.stages().nth(stage.index()).map_or_else(Vec::new, |s| s.shows.clone())
}

/// What a stage shows once nothing before it matters any more.
fn rested(controller: &Controller, stage: StageId) -> Vec<Indication> {
    let lamp = |(shows, heads): (&Indication, &SignalGroup)| match shows {
        Indication::Protected | Indication::Permissive => *shows,
        _ if heads.turn_on_red => Indication::StopThenGo,
        _ => Indication::Red,
    };
    shows(controller, stage).iter().zip(&controller.groups).map(lamp).collect()
}

fn clearance(controller: &Controller, before: StageId, after: StageId) -> Vec<TimedStep> {
    controller.program.clearance(&controller.groups, &controller.conflicts, (before.index(), after.index()))
}

/// How long the controller takes from the end of one stage to the start of another.
#[must_use]
pub fn clearance_length(controller: &Controller, before: StageId, after: StageId) -> Ds {
    clearance(controller, before, after).iter().map(|s| s.length).sum()
}

/// What one group's heads show at an instant, by its greens.
#[must_use]
pub fn timed_indication(heads: &SignalGroup, greens: &[TimedGreen], at: TimeDs) -> Indication {
    if let Some(green) = greens.iter().find(|g| g.start <= at && at < g.end) {
        return match green.protection {
            Protection::Protected => Indication::Protected,
            Protection::Permissive => Indication::Permissive,
        };
    }
    if greens.iter().any(|g| g.end <= at && at.since(g.end) < i64::from(heads.yellow.0)) {
        return Indication::Yellow;
    }
    if greens.iter().any(|g| at < g.start && g.start.since(at) <= i64::from(heads.red_amber.0)) {
        return Indication::RedAmber;
    }
    if heads.turn_on_red { Indication::StopThenGo } else { Indication::Red }
}

/// Where in its cycle a plan shows one of the program's stages and nothing else: stage, start and length. What is shown
/// changes at the ends of greens and of what follows and precedes them, so only there is looked.
fn rests(plan: &TimingPlan, controller: &Controller) -> Vec<(StageId, Ds, Ds)> {
    let cycle = plan.cycle.0;
    if cycle == 0 {
        return Vec::new();
    }
    let mut edges: Vec<u32> = vec![0];
    for (greens, heads) in plan.greens.iter().zip(&controller.groups) {
        for green in greens {
            let end = green.start.0 + green.length.0;
            let ahead = cycle - heads.red_amber.0 % cycle;
            edges.extend([green.start.0, green.start.0 + ahead, end, end + heads.yellow.0].map(|at| at % cycle));
        }
    }
    edges.sort_unstable();
    edges.dedup();
    let shown: Vec<Vec<Indication>> = edges
        .iter()
        .map(|at| {
            let groups = controller.groups.iter().enumerate();
            groups.map(|(g, heads)| plan.indication(GroupId::at(g), heads, Ds(*at))).collect()
        })
        .collect();
    let mut all = Vec::new();
    for stage in (0..controller.program.stages().count()).map(StageId::at) {
        let rested = rested(controller, stage);
        let rests: Vec<bool> = shown.iter().map(|s| *s == rested).collect();
        if rests.iter().all(|r| *r) {
            all.push((stage, Ds::ZERO, plan.cycle));
            continue;
        }
        let n = edges.len();
        for first in (0..n).filter(|i| rests[*i] && !rests[(i + n - 1) % n]) {
            let after = (1..=n).map(|k| (first + k) % n).find(|i| !rests[*i]).unwrap_or(first);
            all.push((stage, Ds(edges[first]), Ds((edges[after] + cycle - edges[first]) % cycle)));
        }
    }
    all
}

/// The stage that a cyclic plan shows, and nothing else, at an instant, with when it began to and when it ends; none while
/// it is in between. A plan that shows one stage all the time began a cycle ago and ends in a cycle.
#[must_use]
pub fn resting_stage(plan: &TimingPlan, controller: &Controller, at: TimeDs) -> Option<ScheduledStage> {
    rests(plan, controller).into_iter().find_map(|(stage, start, length)| {
        if length == plan.cycle {
            return Some(ScheduledStage { stage, start: at - length, end: at + length });
        }
        let into = Ds((plan.position_at(at).0 + plan.cycle.0 - start.0) % plan.cycle.0);
        (into < length).then(|| ScheduledStage { stage, start: at - into, end: at - into + length })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signal::{ConflictMatrix, GroupKind, Limits, Program, Relation, Step};
    use proptest::prelude::*;

    /// Two roads that cross and a turn of its own; stages in turn, 3 s of yellow and 2 s of all-red between them.
    fn controller() -> Controller {
        use Indication::{Protected as G, Red as R, Yellow as Y};
        let group = |name: &str| SignalGroup {
            name: name.into(),
            kind: GroupKind::Vehicle,
            connections: vec![],
            crossings: vec![],
            link_indices: vec![],
            min_green: Ds::from_s(5),
            yellow: Ds::from_s(3),
            red_amber: Ds::ZERO,
            clearance: Ds::ZERO,
            min_red: Ds::from_s(1),
            max_red: Ds::from_s(120),
            turn_on_red: false,
        };
        let mut conflicts = ConflictMatrix::compatible(3);
        for a in 0..3 {
            for b in (0..3).filter(|b| *b != a) {
                conflicts.set(GroupId::at(a), GroupId::at(b), Relation::Conflict { intergreen: Ds::from_s(5) });
            }
        }
        let mut steps = Vec::new();
        for g in 0..3u32 {
            let lamp =
                |shown: Indication| -> Vec<Indication> { (0..3).map(|i| if i == g { shown } else { R }).collect() };
            let kind = StepKind::Stage { stage: StageId(g), min: Ds::from_s(5) };
            steps.push(Step { kind, shipped: Ds::from_s(20), shows: lamp(G) });
            steps.push(Step { kind: StepKind::Clearance, shipped: Ds::from_s(3), shows: lamp(Y) });
            steps.push(Step { kind: StepKind::Clearance, shipped: Ds::from_s(2), shows: lamp(R) });
        }
        Controller {
            name: "three".into(),
            nodes: vec![],
            groups: vec![group("a"), group("b"), group("c")],
            conflicts,
            program: Program { steps, shipped_offset: Ds::ZERO },
            ring_barrier: None,
            limits: Limits { cycle_min: Ds::from_s(20), cycle_max: Ds::from_s(120), resolution: Ds::from_s(1) },
        }
    }

    fn schedule(entries: &[(u32, i64, i64)]) -> Schedule {
        let stage = |&(s, from, to): &(u32, i64, i64)| ScheduledStage {
            stage: StageId(s),
            start: TimeDs::from_s(from),
            end: TimeDs::from_s(to),
        };
        Schedule { stages: entries.iter().map(stage).collect(), frozen_until: TimeDs::from_s(0) }
    }

    fn letters(s: &Schedule, at_s: i64) -> String {
        s.shows_at(&controller(), TimeDs::from_s(at_s)).into_iter().map(Indication::letter).collect()
    }

    #[test]
    fn stages_come_in_any_order_with_the_clearance_between_them() {
        let s = schedule(&[(0, 0, 10), (2, 15, 25), (1, 30, 40)]);
        assert_eq!(s.check(&controller()), Ok(()));
        let shown: Vec<String> = [0, 9, 10, 12, 13, 14, 15, 24, 25, 30, 99].iter().map(|t| letters(&s, *t)).collect();
        assert_eq!(shown, ["Grr", "Grr", "yrr", "yrr", "rrr", "rrr", "rrG", "rrG", "rry", "rGr", "rGr"]);
    }

    #[test]
    fn what_is_no_schedule_is_named() {
        let check = |entries: &[(u32, i64, i64)]| schedule(entries).check(&controller()).unwrap_err();
        assert_eq!(check(&[]), ScheduleError::Empty);
        assert!(matches!(check(&[(3, 0, 10)]), ScheduleError::NoSuchStage { stage: 3, .. }));
        assert!(matches!(check(&[(0, 10, 10)]), ScheduleError::NoGreen { .. }));
        assert!(matches!(check(&[(0, 0, 4), (1, 9, 20)]), ScheduleError::Short { green: Ds(40), .. }));
        assert!(matches!(check(&[(0, 0, 10), (0, 15, 20)]), ScheduleError::Twice { entry: 1, .. }));
        assert!(matches!(check(&[(0, 0, 10), (1, 14, 20)]), ScheduleError::Gap { gap_ds: 40, .. }));
    }

    #[test]
    fn the_plan_takes_over_in_the_middle_of_the_stage_it_shows() {
        let (c, plan) = (controller(), controller().time_of_day_plan());
        // The plan shows stage 1 from 25 to 45 in its cycle of 75.
        let s = schedule(&[(0, 0, 10), (1, 15, 22)]);
        let rejoin = s.rejoin(&c, &plan).unwrap();
        assert_eq!((rejoin.stage, rejoin.at), (StageId(1), TimeDs::from_s(25)));
        // After stage 0 has ended at 60, stage 2 is shown until 70: going there is sooner than waiting for stage 0.
        let rejoin = schedule(&[(0, 40, 50)]).rejoin(&c, &plan).unwrap();
        assert_eq!((rejoin.stage, rejoin.leaves, rejoin.at), (StageId(2), TimeDs::from_s(50), TimeDs::from_s(55)));
    }

    #[test]
    fn schedules_agree_where_they_show_the_same() {
        let old = schedule(&[(0, 0, 10), (1, 15, 30)]);
        let new = schedule(&[(0, 0, 10), (1, 15, 40), (2, 45, 60)]);
        assert!(old.agrees(&new, TimeDs::from_s(5), TimeDs::from_s(20)));
        let other = schedule(&[(0, 0, 12), (1, 17, 40)]);
        assert!(!old.agrees(&other, TimeDs::from_s(5), TimeDs::from_s(20)));
        assert!(old.agrees(&other, TimeDs::from_s(5), TimeDs::from_s(9)));
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]
        /// Whatever is scheduled, the way back into the plan shows no two greens of different roads and whole clearances.
        #[test]
        fn the_way_back_has_no_seam(
            start in 0i64..200,
            lengths in proptest::collection::vec((0u32..3, 5i64..40), 1..5),
        ) {
            let c = controller();
            let plan = c.time_of_day_plan();
            let mut at = start;
            let mut entries: Vec<(u32, i64, i64)> = Vec::new();
            for (stage, length) in lengths {
                if entries.last().is_some_and(|e| e.0 == stage) { continue; }
                entries.push((stage, at, at + length));
                at += length + 5;
            }
            let s = schedule(&entries);
            prop_assert_eq!(s.check(&c), Ok(()));
            let rejoin = s.rejoin(&c, &plan).unwrap();
            let whole = s.until_rejoin(&rejoin);
            prop_assert!(rejoin.at.since(s.ends().unwrap()) <= i64::from(plan.cycle.0) + 100);
            let mut last_green: Option<(usize, i64)> = None;
            for t in start..rejoin.at.0 / 10 + 160 {
                let now = TimeDs::from_s(t);
                let shown: Vec<Indication> = if now < rejoin.at { whole.shows_at(&c, now) } else {
                    let position = plan.position_at(now);
                    (0..3).map(|g| plan.indication(GroupId::at(g), &c.groups[g], position)).collect()
                };
                let green: Vec<usize> = (0..3).filter(|g| shown[*g].is_green()).collect();
                prop_assert!(green.len() <= 1);
                if let (Some(&g), Some((before, until))) = (green.first(), last_green) {
                    prop_assert!(g == before || t - until > 5, "{} s between {} and {}", t - until - 1, before, g);
                }
                if let Some(&g) = green.first() { last_green = Some((g, t)); }
            }
        }
    }
}
