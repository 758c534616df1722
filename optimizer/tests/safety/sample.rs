//! Random controllers whose databases agree with themselves, and plans that are right for them.
//!
//! The safety times are drawn at or below what the program gives at its shortest, often exactly that, so that a plan
//! from the program is valid and a decisecond less is not.

use std::ops::Range;

use greenkerb_models::ids::{GroupId, NodeId, StageId};
use greenkerb_models::plan::{Fallback, PublishedPlan, Reason, ReasonKind, Revision};
use greenkerb_models::signal::{
    BarrierGroup, ConflictMatrix, Controller, GroupKind, Indication, Limits, OffsetReference, Program, Protection,
    Relation, RingBarrier, RingPhase, SignalGroup, Step, StepKind, TimingPlan,
};
use greenkerb_models::units::{Ds, TimeDs};
use proptest::prelude::{Strategy, any};

/// SplitMix64 (Steele, Lea, Flood 2014): small, seeded, the same on every machine.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number in `from..=to`.
    pub(crate) fn within(&mut self, from: u32, to: u32) -> u32 {
        from + (self.next() % u64::from(to - from + 1)) as u32
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    /// True in `percent` of a hundred cases.
    pub(crate) fn chance(&mut self, percent: u32) -> bool {
        self.within(1, 100) <= percent
    }
}

/// A controller and a plan that is right for it.
#[derive(Clone)]
pub(crate) struct Sample {
    pub(crate) controller: Controller,
    pub(crate) plan: TimingPlan,
}

impl Sample {
    /// Rings and barriers for every third seed, stages for the others.
    pub(crate) fn of_seed(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        if dice.chance(33) { rings(&mut dice) } else { stages(&mut dice) }
    }

    pub(crate) fn stages_of_seed(seed: u64) -> Self {
        stages(&mut Dice::new(seed))
    }

    pub(crate) fn rings_of_seed(seed: u64) -> Self {
        rings(&mut Dice::new(seed))
    }

    /// Another plan that is right for the same controller, of the same kind.
    pub(crate) fn another_plan(&self, dice: &mut Dice) -> TimingPlan {
        match &self.controller.ring_barrier {
            Some(rings) => ring_plan(dice, rings, &self.controller),
            None => stage_plan(dice, &self.controller),
        }
    }

    /// A first publication of the plan: computed now, in force from the next start of the controller's own cycle on.
    pub(crate) fn published(&self, now: TimeDs) -> PublishedPlan {
        let own = self.controller.time_of_day_plan();
        let valid_from = own.next_cycle_start(now + Ds(1));
        PublishedPlan {
            controller: self.controller.name.clone(),
            revision: Revision(1),
            plan: self.plan.clone(),
            computed_at: now,
            valid_from,
            valid_until: valid_from + Ds::from_s(3600),
            configuration_checksum: self.controller.checksum(),
            fallback: Fallback { plan: own },
            reasons: vec![Reason {
                kind: ReasonKind::Changed,
                text: "the cycle changed".into(),
                value: Some(("cycle_s".into(), self.plan.cycle.seconds())),
            }],
            schedule: None,
        }
    }
}

/// Short, so that a failing case can be read: a sample follows from its seed.
impl std::fmt::Debug for Sample {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "sample with the plan {:?}", self.plan)
    }
}

pub(crate) fn any_sample() -> impl Strategy<Value = Sample> {
    any::<u64>().prop_map(Sample::of_seed)
}

pub(crate) fn any_staged() -> impl Strategy<Value = Sample> {
    any::<u64>().prop_map(Sample::stages_of_seed)
}

pub(crate) fn any_ringed() -> impl Strategy<Value = Sample> {
    any::<u64>().prop_map(Sample::rings_of_seed)
}

pub(crate) fn group(name: String, kind: GroupKind) -> SignalGroup {
    SignalGroup {
        name,
        kind,
        connections: Vec::new(),
        crossings: Vec::new(),
        link_indices: Vec::new(),
        min_green: Ds::ZERO,
        yellow: Ds::ZERO,
        red_amber: Ds::ZERO,
        clearance: Ds::ZERO,
        min_red: Ds::ZERO,
        max_red: Ds::from_s(120),
        turn_on_red: false,
    }
}

/// What a group shows in each stage; `None` is red.
type Row = Vec<Option<Protection>>;

fn stages(dice: &mut Dice) -> Sample {
    let unit = [1, 1, 5, 10][dice.below(4)];
    let in_units = |d: u32| Ds(d / unit * unit);
    let n = dice.within(2, 5) as usize;
    let protected = Some(Protection::Protected);
    let permissive = Some(Protection::Permissive);
    let mut rows: Vec<(GroupKind, Row)> = Vec::new();
    let mut yields: Vec<(usize, usize)> = Vec::new();
    for stage in 0..n {
        for _ in 0..dice.within(1, 2) {
            let mut row: Row = vec![None; n];
            row[stage] = protected;
            // Some run on into the next stage, some come a second time.
            if n > 2 && dice.chance(25) {
                row[(stage + 1) % n] = protected;
            }
            if n > 3 && dice.chance(15) {
                row[(stage + 2) % n] = protected;
            }
            rows.push((GroupKind::Vehicle, row));
        }
        if dice.chance(40) {
            let mut row: Row = vec![None; n];
            row[stage] = protected;
            rows.push((GroupKind::Pedestrian, row));
        }
        if dice.chance(40) {
            let opposing = rows.len();
            let mut row: Row = vec![None; n];
            row[stage] = protected;
            rows.push((GroupKind::Vehicle, row));
            let mut row: Row = vec![None; n];
            row[stage] = permissive;
            let (before, after) = ((stage + n - 1) % n, (stage + 1) % n);
            match dice.below(4) {
                0 => {}
                1 => row[after] = protected,
                2 => row[before] = protected,
                _ => (row[before], row[after]) = (protected, protected),
            }
            yields.push((rows.len(), opposing));
            rows.push((GroupKind::Vehicle, row));
        }
    }
    if dice.chance(20) {
        rows.push((GroupKind::Vehicle, vec![protected; n]));
    }
    let yellow = in_units(dice.within(30, 50));
    let mut steps = Vec::new();
    for stage in 0..n {
        let next = (stage + 1) % n;
        let letter = |p: Option<Protection>| match p {
            Some(Protection::Protected) => Indication::Protected,
            Some(Protection::Permissive) => Indication::Permissive,
            None => Indication::Red,
        };
        let min = in_units(dice.within(50, 90));
        steps.push(Step {
            kind: StepKind::Stage { stage: StageId::at(stage), min },
            shipped: min + in_units(dice.within(0, 120)),
            shows: rows.iter().map(|(_, r)| letter(r[stage])).collect(),
        });
        let clearing = |after_green: Indication| {
            let show = |(kind, r): &(GroupKind, Row)| match (r[stage], r[next]) {
                (Some(Protection::Protected), Some(Protection::Protected)) => Indication::Protected,
                (Some(_), Some(_)) => Indication::Permissive,
                (Some(_), None) if *kind == GroupKind::Vehicle => after_green,
                _ => Indication::Red,
            };
            rows.iter().map(show).collect::<Vec<_>>()
        };
        let mut clearance = |shipped, shows| steps.push(Step { kind: StepKind::Clearance, shipped, shows });
        clearance(yellow, clearing(Indication::Yellow));
        let all_red = in_units(dice.within(0, 30));
        if all_red > Ds::ZERO {
            clearance(all_red, clearing(Indication::Red));
        }
    }
    let groups = rows
        .iter()
        .enumerate()
        .map(|(i, (kind, _))| {
            let mut g = group(format!("{}{i}", if *kind == GroupKind::Vehicle { 'v' } else { 'p' }), *kind);
            g.yellow = if *kind == GroupKind::Vehicle { yellow } else { Ds::ZERO };
            g
        })
        .collect::<Vec<_>>();
    let mut controller = Controller {
        name: "c1".into(),
        nodes: vec![NodeId(0)],
        conflicts: ConflictMatrix::compatible(groups.len()),
        groups,
        program: Program { steps, shipped_offset: Ds(dice.within(0, 900) * unit) },
        ring_barrier: None,
        limits: Limits { cycle_min: Ds(100), cycle_max: Ds::from_s(dice.within(180, 255)), resolution: Ds(unit) },
    };
    let tightest = controller
        .program
        .compile(&controller.groups, &controller.conflicts, &controller.program.min_splits(), Ds::ZERO)
        .expect("stages have lengths");
    draw_safety_times(dice, &mut controller, &tightest, &yields);
    let plan = stage_plan(dice, &controller);
    Sample { controller, plan }
}

fn stage_plan(dice: &mut Dice, controller: &Controller) -> TimingPlan {
    let unit = controller.limits.resolution.0;
    let splits: Vec<Ds> =
        controller.program.min_splits().iter().map(|min| *min + Ds(dice.within(0, 60) / unit * unit)).collect();
    let offset = Ds(dice.within(0, 3000) / unit * unit);
    controller.program.compile(&controller.groups, &controller.conflicts, &splits, offset).expect("stages have lengths")
}

/// Draws lengths and intergreens at or below those that the program has at its shortest, and conflicts between groups
/// that it never shows together.
fn draw_safety_times(dice: &mut Dice, controller: &mut Controller, tightest: &TimingPlan, yields: &[(usize, usize)]) {
    let walk = Walk::of(tightest);
    let mut draw = |most: u32| if dice.chance(50) { Ds(most) } else { Ds(dice.within(0, most)) };
    for g in 0..controller.groups.len() {
        let green = walk.runs(g, |s| s.is_some()).min().unwrap_or(0);
        let red = walk.runs(g, |s| s.is_none()).min().unwrap_or(0);
        let group = &mut controller.groups[g];
        group.min_green = draw(green.min(100));
        let mut left = red.saturating_sub(group.yellow.0);
        if group.kind == GroupKind::Pedestrian {
            group.clearance = draw(left.min(30));
            left -= group.clearance.0;
        }
        group.min_red = draw(left.min(60));
        group.red_amber = draw((left - group.min_red.0).min(20));
    }
    let n = controller.groups.len();
    for a in 0..n {
        for b in a + 1..n {
            let (x, y) = (GroupId::at(a), GroupId::at(b));
            if let Some((turning, _)) = yields.iter().find(|p| **p == (a, b) || **p == (b, a)) {
                let protected = |s: Option<Protection>| s == Some(Protection::Protected);
                let green = |s: Option<Protection>| s.is_some();
                let side = |g: usize| if g == *turning { protected } else { green };
                let forth = walk.gap((a, side(a)), (b, side(b))).unwrap_or(50);
                let back = walk.gap((b, side(b)), (a, side(a))).unwrap_or(50);
                let conflicts = &mut controller.conflicts;
                conflicts.set(x, y, Relation::Permitted { yields: *turning == a, intergreen: draw(forth.min(90)) });
                conflicts.set(y, x, Relation::Permitted { yields: *turning == b, intergreen: draw(back.min(90)) });
            } else if !walk.together(a, b) && a % 7 != 6 {
                let green = |s: Option<Protection>| s.is_some();
                let forth = walk.gap((a, green), (b, green)).unwrap_or(50);
                let back = walk.gap((b, green), (a, green)).unwrap_or(50);
                let conflicts = &mut controller.conflicts;
                conflicts.set(x, y, Relation::Conflict { intergreen: draw(forth.min(90)) });
                conflicts.set(y, x, Relation::Conflict { intergreen: draw(back.min(90)) });
                // A walk clears before whoever conflicts with it starts.
                for (g, gap) in [(a, forth), (b, back)] {
                    let clearance = &mut controller.groups[g].clearance;
                    *clearance = (*clearance).min(Ds(gap));
                }
            }
        }
    }
}

fn rings(dice: &mut Dice) -> Sample {
    let unit = [1, 1, 10][dice.below(3)];
    let in_units = |d: u32| Ds(d / unit * unit);
    let mut groups = Vec::new();
    let mut phase = |dice: &mut Dice, number: u8, omitted: bool| {
        let id = GroupId::at(groups.len());
        let mut g = group(format!("phase{number}"), GroupKind::Vehicle);
        g.yellow = in_units(dice.within(30, 50));
        g.min_green = in_units(dice.within(40, 90));
        let p = RingPhase {
            phase: number,
            group: id,
            min_green: g.min_green + in_units(dice.within(0, 20)),
            walk_and_clearance: if number.is_multiple_of(2) { in_units(dice.within(0, 150)) } else { Ds::ZERO },
            yellow: g.yellow,
            all_red: in_units(dice.within(0, 20)),
            omitted,
        };
        groups.push(g);
        p
    };
    let (no_1, no_3) = (dice.chance(15), dice.chance(15));
    let mut ring = |dice: &mut Dice, a: (u8, bool), b: u8| {
        let order = dice.chance(30);
        let (x, y) = (phase(dice, a.0, a.1), phase(dice, b, false));
        if order { vec![y, x] } else { vec![x, y] }
    };
    let first = vec![ring(dice, (1, no_1), 2), ring(dice, (5, false), 6)];
    let second = vec![ring(dice, (3, no_3), 4), ring(dice, (7, false), 8)];
    let ring_barrier = RingBarrier {
        barrier_groups: vec![BarrierGroup { rings: first }, BarrierGroup { rings: second }],
        coordinated: vec![2, 6],
    };
    let all: Vec<RingPhase> =
        ring_barrier.barrier_groups.iter().flat_map(|b| b.rings.iter().flatten()).cloned().collect();
    let n = groups.len();
    let mut conflicts = ConflictMatrix::compatible(n);
    let ring_of = |p: &RingPhase| u8::from([5, 6, 7, 8].contains(&p.phase));
    let side_of = |p: &RingPhase| u8::from([3, 4, 7, 8].contains(&p.phase));
    for a in &all {
        for b in all.iter().filter(|b| b.phase != a.phase) {
            if ring_of(a) == ring_of(b) || side_of(a) != side_of(b) {
                let intergreen = a.yellow + if dice.chance(50) { a.all_red } else { Ds::ZERO };
                conflicts.set(a.group, b.group, Relation::Conflict { intergreen });
            }
        }
    }
    let mut steps = Vec::new();
    for (stage, pair) in [[1, 5], [2, 6], [3, 7], [4, 8]].iter().enumerate() {
        let shown: Vec<&RingPhase> = all.iter().filter(|p| pair.contains(&p.phase) && !p.omitted).collect();
        let longest = |of: fn(&RingPhase) -> Ds| shown.iter().map(|p| of(p)).max().unwrap_or(Ds::ZERO);
        let shows = |i: Indication| {
            let show = |g: usize| if shown.iter().any(|p| p.group.index() == g) { i } else { Indication::Red };
            (0..n).map(show).collect::<Vec<_>>()
        };
        let min = longest(|p| p.min_green);
        steps.push(Step {
            kind: StepKind::Stage { stage: StageId::at(stage), min },
            shipped: min + in_units(dice.within(0, 100)),
            shows: shows(Indication::Protected),
        });
        let (yellow, all_red) = (longest(|p| p.yellow), longest(|p| p.all_red));
        steps.push(Step { kind: StepKind::Clearance, shipped: yellow, shows: shows(Indication::Yellow) });
        steps.push(Step { kind: StepKind::Clearance, shipped: all_red, shows: shows(Indication::Red) });
    }
    let controller = Controller {
        name: "c8".into(),
        nodes: vec![NodeId(0)],
        groups,
        conflicts,
        program: Program { steps, shipped_offset: Ds::ZERO },
        ring_barrier: Some(ring_barrier.clone()),
        limits: Limits { cycle_min: Ds(200), cycle_max: Ds::from_s(dice.within(200, 255)), resolution: Ds(unit) },
    };
    let plan = ring_plan(dice, &ring_barrier, &controller);
    Sample { controller, plan }
}

fn ring_plan(dice: &mut Dice, rings: &RingBarrier, controller: &Controller) -> TimingPlan {
    let unit = controller.limits.resolution.0;
    let mut splits = Vec::new();
    for between in &rings.barrier_groups {
        let phases = |ring: &Vec<RingPhase>| ring.iter().filter(|p| !p.omitted).cloned().collect::<Vec<_>>();
        let need = |ring: &Vec<RingPhase>| phases(ring).iter().map(RingPhase::min_split).sum::<Ds>();
        let length = between.rings.iter().map(need).max().expect("two rings") + Ds(dice.within(0, 80) / unit * unit);
        for ring in &between.rings {
            let mut spare = length - need(ring);
            let served = phases(ring);
            for (i, p) in served.iter().enumerate() {
                let extra = if i + 1 == served.len() { spare } else { Ds(dice.within(0, spare.0) / unit * unit) };
                spare = spare - extra;
                splits.push((p.phase, p.min_split() + extra));
            }
        }
    }
    let reference =
        [OffsetReference::CycleStart, OffsetReference::CoordinatedGreenStart, OffsetReference::CoordinatedSplitEnd]
            [dice.below(3)];
    let offset = Ds(dice.within(0, 3000) / unit * unit);
    rings.compile(controller.groups.len(), &splits, offset, reference).expect("the rings are filled")
}

/// One cycle, decisecond by decisecond; or several cycles on end.
pub(crate) struct Walk {
    /// What each group shows at each decisecond: its green's protection, or nothing.
    pub(crate) shows: Vec<Vec<Option<Protection>>>,
    /// Deciseconds at which something may change that is looked at.
    judged: Range<usize>,
}

impl Walk {
    pub(crate) fn of(plan: &TimingPlan) -> Self {
        let cycle = plan.cycle.0;
        let show = |g: usize, at: u32| {
            let covering = |i: &&greenkerb_models::signal::GreenInterval| i.covers(Ds(at), plan.cycle);
            plan.greens[g].iter().find(covering).map(|i| i.protection)
        };
        let shows = (0..plan.greens.len()).map(|g| (0..cycle).map(|t| show(g, t)).collect()).collect();
        Self { shows, judged: 0..cycle as usize }
    }

    /// Three cycles of one plan, the cycles between, three of another. What is looked at leaves out the first cycle and
    /// the last two, so that it is seen whole.
    pub(crate) fn of_change(old: &TimingPlan, between: &[TimingPlan], new: &TimingPlan) -> Self {
        let mut shows: Vec<Vec<Option<Protection>>> = vec![Vec::new(); old.greens.len()];
        for plan in [old; 3].into_iter().chain(between).chain([new; 3]) {
            for (line, cycle) in shows.iter_mut().zip(Self::of(plan).shows) {
                line.extend(cycle);
            }
        }
        let judged = old.cycle.0 as usize..shows[0].len() - 2 * new.cycle.0 as usize;
        Self { shows, judged }
    }

    pub(crate) fn judged(&self) -> Range<usize> {
        self.judged.clone()
    }

    pub(crate) fn cycle(&self) -> usize {
        self.shows.first().map_or(0, Vec::len)
    }

    pub(crate) fn at(&self, g: usize, t: usize) -> Option<Protection> {
        self.shows[g][t % self.cycle()]
    }

    /// Moments at which a group changes into a state from outside it.
    fn entries(&self, g: usize, of: impl Fn(Option<Protection>) -> bool) -> Vec<usize> {
        let cycle = self.cycle();
        self.judged().filter(|t| of(self.at(g, *t)) && !of(self.at(g, t + cycle - 1))).collect()
    }

    /// Lengths of the stretches in a state; none when the group never leaves it.
    pub(crate) fn runs(&self, g: usize, of: impl Fn(Option<Protection>) -> bool) -> impl Iterator<Item = u32> {
        let ends: Vec<u32> = self
            .entries(g, &of)
            .into_iter()
            .map(|t| (0..self.cycle()).take_while(|d| of(self.at(g, t + d))).count() as u32)
            .collect();
        ends.into_iter()
    }

    pub(crate) fn together(&self, a: usize, b: usize) -> bool {
        (0..self.cycle()).any(|t| self.at(a, t).is_some() && self.at(b, t).is_some())
    }

    /// Shortest time from a moment at which `a` leaves its state to the next at which `b` enters its own.
    pub(crate) fn gap(
        &self,
        a: (usize, impl Fn(Option<Protection>) -> bool),
        b: (usize, impl Fn(Option<Protection>) -> bool),
    ) -> Option<u32> {
        let cycle = self.cycle();
        let ends = self.entries(a.0, |s| !a.1(s));
        let starts = self.entries(b.0, &b.1);
        ends.iter().flat_map(|e| starts.iter().map(move |s| ((s + cycle - e) % cycle) as u32)).min()
    }
}
