//! Controllers for tests, small enough to be seen through.

use Indication::{Permissive as P, Protected as G, Red as R};
use greenkerb_models::ids::{GroupId, StageId};
use greenkerb_models::signal::{
    ConflictMatrix, Controller, GroupKind, Indication, Limits, Program, Relation, SignalGroup, Step, StepKind,
};
use greenkerb_models::units::Ds;

const INTERGREEN: Ds = Ds::from_s(5);

pub(crate) fn group(name: &str) -> SignalGroup {
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

fn controller(names: &[&str], conflicts: ConflictMatrix, stages: &[Vec<Indication>]) -> Controller {
    let mut steps = Vec::new();
    for (i, shows) in stages.iter().enumerate() {
        let next = &stages[(i + 1) % stages.len()];
        steps.push(Step {
            kind: StepKind::Stage { stage: StageId(i as u32), min: Ds::from_s(5) },
            shipped: Ds::from_s(10),
            shows: shows.clone(),
        });
        for (length, ending) in [(3, Indication::Yellow), (2, Indication::Red)] {
            let between = shows.iter().zip(next).map(|(&a, &b)| match (a.is_green(), b.is_green()) {
                (true, false) => ending,
                (true, true) if a == b => a,
                (true, true) => P,
                _ => R,
            });
            steps.push(Step { kind: StepKind::Clearance, shipped: Ds::from_s(length), shows: between.collect() });
        }
    }
    let made = Controller {
        name: "sample".into(),
        nodes: vec![],
        groups: names.iter().map(|n| group(n)).collect(),
        conflicts,
        program: Program { steps, shipped_offset: Ds::ZERO },
        ring_barrier: None,
        limits: Limits { cycle_min: Ds::from_s(20), cycle_max: Ds::from_s(255), resolution: Ds(1) },
    };
    assert_eq!(made.check(), Ok(()));
    made
}

fn set(m: &mut ConflictMatrix, a: usize, b: usize, relation: Relation) {
    m.set(GroupId::at(a), GroupId::at(b), relation);
}

fn conflict(m: &mut ConflictMatrix, a: usize, b: usize) {
    set(m, a, b, Relation::Conflict { intergreen: INTERGREEN });
    set(m, b, a, Relation::Conflict { intergreen: INTERGREEN });
}

/// A stream (0), the turn across it (1) with the right of its own approach (2), and a side road (3). Stages: stream and
/// permissive turn; turn protected; stream alone with nobody turning; side road.
pub(crate) fn permissive_cross() -> Controller {
    let mut m = ConflictMatrix::compatible(4);
    set(&mut m, 1, 0, Relation::Permitted { yields: true, intergreen: INTERGREEN });
    set(&mut m, 0, 1, Relation::Permitted { yields: false, intergreen: INTERGREEN });
    for g in 0..3 {
        conflict(&mut m, g, 3);
    }
    let stages = [vec![G, P, P, R], vec![R, G, G, R], vec![G, R, P, R], vec![R, R, R, G]];
    controller(&["stream", "turn", "right", "side"], m, &stages)
}

/// Four approaches, each straight (even) and left (odd), clockwise from the north, and the eight usual stages: straight
/// and left of a pair of approaches, then each approach of the pair alone; then the other pair. All turns protected.
pub(crate) fn eight_stages() -> Controller {
    let mut m = ConflictMatrix::compatible(8);
    for a in 0..8 {
        for b in a + 1..8 {
            let (from_a, from_b) = (a / 2, b / 2);
            let opposed = from_a % 2 == from_b % 2;
            let apart = from_a == from_b || (opposed && a % 2 == b % 2);
            if !apart {
                conflict(&mut m, a, b);
            }
        }
    }
    let green = |groups: &[usize]| (0..8).map(|g| if groups.contains(&g) { G } else { R }).collect::<Vec<_>>();
    let stages = [[0, 4], [1, 5], [0, 1], [4, 5], [2, 6], [3, 7], [2, 3], [6, 7]].map(|s| green(&s));
    controller(&["n", "nl", "e", "el", "s", "sl", "w", "wl"], m, &stages)
}
