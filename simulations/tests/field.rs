//! Properties of the field controller: whatever it is told, what it shows is safe; what is legal, it does.

use std::sync::Arc;

use greenkerb_models::ids::{GroupId, StageId};
use greenkerb_models::plan::Revision;
use greenkerb_models::signal::{
    BarrierGroup, ConflictMatrix, Controller, GreenInterval, GroupKind, Indication, Limits, OffsetReference, PlanView,
    Program, Protection, Relation, RingBarrier, RingPhase, SignalGroup, StageSplit, Step, StepKind, TimingPlan,
    TransitionMethod,
};
use greenkerb_models::units::{Ds, TimeDs};
use greenkerb_simulations::field::{Acknowledgement, FieldController, Order, Rejection, State};
use proptest::prelude::*;

const STEP: Ds = Ds::from_s(1);

fn group(name: &str) -> SignalGroup {
    SignalGroup {
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
    }
}

fn all_conflict(groups: usize, compatible: &[(usize, usize)]) -> ConflictMatrix {
    let mut matrix = ConflictMatrix::compatible(groups);
    let apart = |a: usize, b: usize| a != b && !compatible.contains(&(a, b)) && !compatible.contains(&(b, a));
    for (a, b) in (0..groups).flat_map(|a| (0..groups).map(move |b| (a, b))).filter(|&(a, b)| apart(a, b)) {
        matrix.set(GroupId::at(a), GroupId::at(b), Relation::Conflict { intergreen: Ds::from_s(5) });
    }
    matrix
}

const LIMITS: Limits = Limits { cycle_min: Ds::from_s(20), cycle_max: Ds::from_s(120), resolution: Ds::from_s(1) };

/// Two stages of one group each: 20 s and 15 s, with 3 s of yellow and 2 s of all-red after each. Cycle 45 s, offset 7 s.
fn staged() -> Controller {
    use Indication::{Protected as G, Red as R, Yellow as Y};
    let step = |kind, s, shows: [Indication; 2]| Step { kind, shipped: Ds::from_s(s), shows: shows.to_vec() };
    let stage = |i| StepKind::Stage { stage: StageId(i), min: Ds::from_s(5) };
    let steps = vec![
        step(stage(0), 20, [G, R]),
        step(StepKind::Clearance, 3, [Y, R]),
        step(StepKind::Clearance, 2, [R, R]),
        step(stage(1), 15, [R, G]),
        step(StepKind::Clearance, 3, [R, Y]),
        step(StepKind::Clearance, 2, [R, R]),
    ];
    Controller {
        name: "staged".into(),
        nodes: vec![],
        groups: vec![group("main"), group("side")],
        conflicts: all_conflict(2, &[]),
        program: Program { steps, shipped_offset: Ds::from_s(7) },
        ring_barrier: None,
        limits: LIMITS,
    }
}

/// Two rings with two barrier groups: phases 1 and 2 beside 5 and 6, then 3 beside 7.
fn ringed() -> Controller {
    let phase = |phase: u8, group: usize| RingPhase {
        phase,
        group: GroupId::at(group),
        min_green: Ds::from_s(5),
        walk_and_clearance: Ds::ZERO,
        yellow: Ds::from_s(3),
        all_red: Ds::from_s(2),
        omitted: false,
    };
    let barrier_groups = vec![
        BarrierGroup { rings: vec![vec![phase(1, 0), phase(2, 1)], vec![phase(5, 2), phase(6, 3)]] },
        BarrierGroup { rings: vec![vec![phase(3, 4)], vec![phase(7, 5)]] },
    ];
    let rings = RingBarrier { barrier_groups, coordinated: vec![2, 6] };
    use Indication::{Protected as G, Red as R, Yellow as Y};
    let step = |kind, s, shows: [Indication; 6]| Step { kind, shipped: Ds::from_s(s), shows: shows.to_vec() };
    let stage = |i| StepKind::Stage { stage: StageId(i), min: Ds::from_s(5) };
    let steps = vec![
        step(stage(0), 10, [G, R, G, R, R, R]),
        step(StepKind::Clearance, 3, [Y, R, Y, R, R, R]),
        step(StepKind::Clearance, 2, [R; 6]),
        step(stage(1), 20, [R, G, R, G, R, R]),
        step(StepKind::Clearance, 3, [R, Y, R, Y, R, R]),
        step(StepKind::Clearance, 2, [R; 6]),
        step(stage(2), 15, [R, R, R, R, G, G]),
        step(StepKind::Clearance, 3, [R, R, R, R, Y, Y]),
        step(StepKind::Clearance, 2, [R; 6]),
    ];
    Controller {
        name: "ringed".into(),
        nodes: vec![],
        groups: ["p1", "p2", "p5", "p6", "p3", "p7"].map(group).to_vec(),
        conflicts: all_conflict(6, &[(0, 2), (0, 3), (1, 2), (1, 3), (4, 5)]),
        program: Program { steps, shipped_offset: Ds::ZERO },
        ring_barrier: Some(rings),
        limits: LIMITS,
    }
}

fn order(controller: &Controller, revision: u64, plan: TimingPlan, from: TimeDs, until: TimeDs) -> Order {
    Order {
        revision: Revision(revision),
        hash: format!("hash {revision}"),
        plan,
        valid_from: from,
        valid_until: until,
        configuration_checksum: controller.checksum(),
        fallback: controller.time_of_day_plan(),
        transition: TransitionMethod::ShortWay,
    }
}

/// A plan of the staged controller, in whole seconds.
fn staged_plan(controller: &Controller, splits_s: [u32; 2], offset_s: u32) -> TimingPlan {
    controller
        .program
        .compile(&controller.groups, &controller.conflicts, &splits_s.map(Ds::from_s), Ds::from_s(offset_s))
        .unwrap()
}

/// What a field controller told from `from_s` to `to_s`, showing every second.
fn told(field: &mut FieldController, from_s: i64, to_s: i64) -> Vec<Acknowledgement> {
    for s in from_s..to_s {
        field.show(TimeDs::from_s(s));
    }
    field.acknowledge()
}

fn states(told: &[Acknowledgement]) -> Vec<&State> {
    told.iter().map(|a| &a.state).collect()
}

#[test]
fn a_plan_takes_over_at_its_cycle_start_and_runs_out_at_one() {
    let controller = Arc::new(staged());
    let mut field = FieldController::new(Arc::clone(&controller), STEP);
    told(&mut field, 0, 10);
    // Offset 7 s, cycle 45 s: cycles start at 7, 52, 97, 142 s. The new plan (40 s, offset 12 s) starts at 52 s in step.
    let plan = staged_plan(&controller, [20, 10], 12);
    field.receive(order(&controller, 1, plan.clone(), TimeDs::from_s(52), TimeDs::from_s(100)), TimeDs::from_s(10));
    let before = told(&mut field, 10, 52);
    assert_eq!(states(&before), [&State::Received, &State::Validated]);
    assert_eq!(field.running_revision(), None);
    let at = told(&mut field, 52, 53);
    assert_eq!(states(&at), [&State::Active]);
    assert_eq!((at[0].at, at[0].hash.as_str()), (TimeDs::from_s(52), "hash 1"));
    assert_eq!(field.cycle_at(TimeDs::from_s(52)), &plan);
    // It runs out at 100 s; its next cycle start is 132 s.
    assert_eq!(told(&mut field, 53, 132), []);
    let out = told(&mut field, 132, 133);
    assert_eq!(states(&out), [&State::LocalMode]);
    told(&mut field, 133, 400);
    assert_eq!(field.cycle_at(TimeDs::from_s(399)), &controller.time_of_day_plan());
    assert_eq!(field.monitor().violations(), 0);
}

#[test]
fn a_late_plan_waits_for_the_next_cycle_start() {
    let controller = Arc::new(staged());
    let mut field = FieldController::new(Arc::clone(&controller), STEP);
    told(&mut field, 0, 60);
    let plan = staged_plan(&controller, [20, 15], 7);
    field.receive(order(&controller, 1, plan, TimeDs::from_s(52), TimeDs::from_s(500)), TimeDs::from_s(60));
    assert!(!told(&mut field, 60, 97).iter().any(|a| a.state == State::Active));
    assert_eq!(states(&told(&mut field, 97, 98)), [&State::Active]);
}

/// The first order of all: its own plan.
fn begin(field: &mut FieldController, controller: &Controller) {
    let own = controller.time_of_day_plan();
    field.receive(order(controller, 0, own, TimeDs::from_s(0), TimeDs::from_s(1)), TimeDs::from_s(0));
    field.acknowledge();
}

#[test]
fn after_switch_on_a_plan_that_has_missed_its_moment_is_not_run_and_the_next_one_is() {
    let controller = Arc::new(staged());
    let plan = |offset_s| staged_plan(&controller, [15, 20], offset_s);
    let until = TimeDs::from_s(500);
    // A cycle starts at 52 s and at 97 s.
    for missed in [52, 60, 90] {
        let mut field = FieldController::new(Arc::clone(&controller), STEP);
        told(&mut field, 0, 60);
        field.receive(order(&controller, 8, plan(7), TimeDs::from_s(missed), until), TimeDs::from_s(60));
        assert_eq!(states(&field.acknowledge()), [&State::SwitchedOn], "{missed}");
        field.receive(order(&controller, 9, plan(7), TimeDs::from_s(97), until), TimeDs::from_s(70));
        assert_eq!(states(&told(&mut field, 70, 98)), [&State::Received, &State::Validated, &State::Active]);
        assert_eq!(field.running_revision(), Some(Revision(9)));
    }
    let mut field = FieldController::new(Arc::clone(&controller), STEP);
    field.receive(order(&controller, 8, plan(7), TimeDs::from_s(52), until), TimeDs::from_s(10));
    assert_eq!(states(&told(&mut field, 10, 53)), [&State::Received, &State::Validated, &State::Active]);
}

#[test]
fn another_database_an_old_revision_and_what_has_run_out_are_refused() {
    let controller = Arc::new(staged());
    let mut field = FieldController::new(Arc::clone(&controller), STEP);
    told(&mut field, 0, 10);
    let now = TimeDs::from_s(10);
    let plan = staged_plan(&controller, [20, 15], 7);
    let good = order(&controller, 7, plan, TimeDs::from_s(52), TimeDs::from_s(500));
    let rejection = |field: &mut FieldController, order| {
        field.receive(order, now);
        match field.acknowledge().pop().map(|a| a.state) {
            Some(State::Rejected(why)) => why,
            other => panic!("{other:?}"),
        }
    };
    let other = Order { configuration_checksum: "other".into(), revision: Revision(5), ..good.clone() };
    assert!(matches!(rejection(&mut field, other), Rejection::Configuration { .. }));
    let gone = Order { valid_until: now, revision: Revision(6), ..good.clone() };
    assert!(matches!(rejection(&mut field, gone), Rejection::RanOut { .. }));
    field.receive(good.clone(), now);
    field.acknowledge();
    let old = Order { revision: Revision(4), ..good.clone() };
    assert!(matches!(rejection(&mut field, old), Rejection::Old { revision: 4, newest: 7 }));
    field.receive(good.clone(), now);
    assert_eq!(field.acknowledge(), [], "the same again is nothing new");
    let far = Order { revision: Revision(8), valid_from: TimeDs(i64::MAX / 2), valid_until: TimeDs(i64::MAX), ..good };
    assert!(matches!(rejection(&mut field, far), Rejection::FarOff { .. }));
}

#[test]
fn a_plan_that_would_trip_the_monitor_is_refused_by_the_controller_itself() {
    let controller = Arc::new(staged());
    let mut field = FieldController::new(Arc::clone(&controller), STEP);
    told(&mut field, 0, 10);
    let mut plan = staged_plan(&controller, [20, 15], 7);
    plan.greens[1][0].start = Ds(plan.greens[1][0].start.0 - 10);
    field.receive(order(&controller, 1, plan, TimeDs::from_s(52), TimeDs::from_s(500)), TimeDs::from_s(10));
    let said = field.acknowledge();
    assert!(matches!(&said[1].state, State::Rejected(Rejection::Unsafe(_))), "{said:?}");
    told(&mut field, 10, 300);
    assert_eq!(field.monitor().violations(), 0);
}

#[test]
fn a_plan_without_a_safe_way_back_is_refused() {
    let controller = Arc::new(staged());
    let mut field = FieldController::new(Arc::clone(&controller), STEP);
    told(&mut field, 0, 10);
    // By itself it is safe: main from 12 s on, side to the end of the cycle of 45 s. The controller's own plan shows
    // main at the start of its cycle, right after that.
    let mut plan = staged_plan(&controller, [20, 15], 7);
    let green = |start_s, length_s| {
        vec![GreenInterval {
            start: Ds::from_s(start_s),
            length: Ds::from_s(length_s),
            protection: Protection::Protected,
        }]
    };
    plan.greens = vec![green(12, 10), green(30, 15)];
    field.receive(order(&controller, 1, plan, TimeDs::from_s(52), TimeDs::from_s(500)), TimeDs::from_s(10));
    let said = field.acknowledge();
    assert!(matches!(&said[1].state, State::Rejected(Rejection::Unsafe(_))), "{said:?}");
}

#[test]
fn a_newer_plan_replaces_one_that_waits() {
    let controller = Arc::new(staged());
    let mut field = FieldController::new(Arc::clone(&controller), STEP);
    told(&mut field, 0, 10);
    for (revision, green_s) in [(1, 10), (2, 12)] {
        let plan = staged_plan(&controller, [20, green_s], 12);
        field.receive(order(&controller, revision, plan, TimeDs::from_s(52), TimeDs::from_s(500)), TimeDs::from_s(10));
    }
    let said = told(&mut field, 10, 200);
    let active: Vec<u64> = said.iter().filter(|a| a.state == State::Active).map(|a| a.revision.0).collect();
    assert_eq!(active, [2]);
}

/// Legal plans of the staged controller with the seconds between one and the next.
fn legal() -> impl Strategy<Value = Vec<(u32, u32, u32, i64)>> {
    prop::collection::vec((5u32..40, 5u32..40, 0u32..200, 1i64..200), 1..8)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Legal plans at legal moments are taken, become active, and leave the monitor silent on the way.
    #[test]
    fn legal_plans_are_run_safely(plans in legal()) {
        let controller = Arc::new(staged());
        let mut field = FieldController::new(Arc::clone(&controller), STEP);
        begin(&mut field, &controller);
        let mut now = 0;
        for (i, (a, b, offset_s, wait_s)) in plans.into_iter().enumerate() {
            told(&mut field, now, now + wait_s);
            now += wait_s;
            let plan = staged_plan(&controller, [a, b], offset_s);
            let (from, until) = (TimeDs::from_s(now), TimeDs::from_s(now + 600));
            field.receive(order(&controller, i as u64 + 1, plan, from, until), from);
            let said = field.acknowledge();
            // Some offsets cannot be made up within three cycles; nothing else is a reason to refuse.
            let no_way = matches!(said.last().map(|a| &a.state), Some(State::Rejected(Rejection::NoWay(_))));
            prop_assert!(no_way || said.last().map(|a| &a.state) == Some(&State::Validated), "{said:?}");
            if !no_way {
                let said = told(&mut field, now, now + 600);
                now += 600;
                prop_assert!(said.iter().any(|a| a.state == State::Active && a.revision.0 == i as u64 + 1), "{said:?}");
            }
        }
        told(&mut field, now, now + 1_200);
        prop_assert_eq!(field.running_revision(), None, "everything has run out");
        prop_assert_eq!(field.monitor().violations(), 0, "{:?}", field.monitor().first_violation());
    }

    /// The same for a controller that is told splits of rings.
    #[test]
    fn ring_barrier_plans_are_run_safely(
        splits in prop::collection::vec((10u32..20, 10u32..30, 10u32..20, 10u32..30), 1..6),
        offset_s in 0u32..100,
    ) {
        let controller = Arc::new(ringed());
        let rings = controller.ring_barrier.clone().unwrap();
        let mut field = FieldController::new(Arc::clone(&controller), STEP);
        begin(&mut field, &controller);
        let mut now = 0;
        for (i, (p1, p2, p5, p3)) in splits.into_iter().enumerate() {
            let p6 = (p1 + p2).saturating_sub(p5).max(10);
            let p5 = p1 + p2 - p6;
            let seconds = [(1, p1), (2, p2), (5, p5), (6, p6), (3, p3), (7, p3)];
            let splits: Vec<(u8, Ds)> = seconds.iter().map(|(p, s)| (*p, Ds::from_s(*s))).collect();
            let cycle_s = p1 + p2 + p3;
            let reference = OffsetReference::CoordinatedGreenStart;
            let plan = rings.compile(6, &splits, Ds::from_s(offset_s % cycle_s), reference).unwrap();
            let (from, until) = (TimeDs::from_s(now), TimeDs::from_s(now + 900));
            field.receive(order(&controller, i as u64 + 1, plan, from, until), from);
            told(&mut field, now, now + 700);
            now += 700;
        }
        told(&mut field, now, now + 1_500);
        prop_assert_eq!(field.running_revision(), None);
        prop_assert_eq!(field.monitor().violations(), 0, "{:?}", field.monitor().first_violation());
    }

    /// Whatever it is told, in whatever order, the lamps are safe and nothing panics.
    #[test]
    fn nothing_unsafe_is_ever_shown(
        orders in prop::collection::vec(
            (0u64..6, 0u32..2_600, 0u32..1_300, prop::collection::vec((0u32..1_300, 0u32..1_300, any::<bool>()), 0..4),
             -500i64..5_000, -500i64..9_000, 1i64..120), 1..8),
    ) {
        let controller = Arc::new(staged());
        let mut field = FieldController::new(Arc::clone(&controller), STEP);
        let mut now = 1_000;
        told(&mut field, 0, now);
        for (revision, cycle, offset, greens, from, lasts, wait_s) in orders {
            let interval = |(start, length, protected): &(u32, u32, bool)| GreenInterval {
                start: Ds(*start),
                length: Ds(*length),
                protection: if *protected { Protection::Protected } else { Protection::Permissive },
            };
            let (first, second) = greens.split_at(greens.len() / 2);
            let split = |stage| StageSplit { stage: StageId(stage), green: Ds(cycle / 2) };
            let plan = TimingPlan {
                cycle: Ds(cycle),
                offset: Ds(offset),
                reference: OffsetReference::CycleStart,
                greens: vec![first.iter().map(interval).collect(), second.iter().map(interval).collect()],
                view: PlanView::Stages { splits: vec![split(0), split(1)] },
                reference_position: Ds::ZERO,
            };
            let valid_from = TimeDs(now * 10 + from);
            let until = TimeDs(valid_from.0 + lasts);
            field.receive(order(&controller, revision, plan, valid_from, until), TimeDs::from_s(now));
            told(&mut field, now, now + wait_s);
            now += wait_s;
        }
        told(&mut field, now, now + 300);
        prop_assert_eq!(field.monitor().violations(), 0, "{:?}", field.monitor().first_violation());
    }
}
