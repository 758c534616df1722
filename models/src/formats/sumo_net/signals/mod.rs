//! From SUMO's `tlLogic` to a controller's database.

mod draft;
mod relation;
mod steps;
mod times;
mod yellow;

use draft::Draft;
pub(super) use draft::{Head, Obeys, constant_letter, is_no_signal};
use relation::Pairs;

use super::error::Fault;
use super::raw::RawProgram;
use super::right_of_way::Touch;
use crate::formats::Notes;
use crate::ids::{NodeId, StageId};
use crate::signal::{Controller, Limits, Program, Step, StepKind};
use crate::units::Ds;

/// Bounds of the cycle where the file's own plan lies between them.
const CYCLE_MIN: Ds = Ds::from_s(20);
const CYCLE_MAX_USUAL: Ds = Ds::from_s(120);
/// Finest time a plan is kept in.
const RESOLUTION: Ds = Ds(1);

/// Builds the database of one controller.
pub(super) fn controller(
    program: &RawProgram,
    heads: &[Head],
    nodes: Vec<NodeId>,
    touches: &[Touch],
    notes: &mut Notes,
) -> Result<Controller, Fault> {
    let mut draft = Draft::of(program, heads, notes)?;
    let pairs = Pairs::of(&draft, touches, notes);
    let yellows = yellow::of_groups(&draft, notes);
    yellow::make_room(&mut draft, &pairs, &yellows, notes)?;
    let mut minimums = steps::classify(&mut draft, notes)?;
    let groups = times::groups(&draft, &pairs, &yellows, &mut minimums, program.rings.as_ref(), notes);
    let rings = program.rings.as_ref().and_then(|r| r.ring_barrier(&program.at.id, &groups, notes));
    let conflicts = times::conflicts(&draft, &pairs, &groups, &minimums, notes);

    let mut stages = 0..;
    let steps: Vec<Step> = draft
        .steps
        .iter()
        .zip(&minimums)
        .map(|(step, min)| Step {
            kind: match min {
                Some(min) => StepKind::Stage { stage: StageId(stages.next().unwrap_or(u32::MAX)), min: *min },
                None => StepKind::Clearance,
            },
            shipped: step.length,
            shows: step.shows.clone(),
        })
        .collect();
    let cycle: Ds = steps.iter().map(|s| s.shipped).sum();
    let shortest: Ds = draft.steps.iter().zip(&minimums).map(|(s, min)| min.unwrap_or(s.length)).sum();
    notes.add(
        "cycle limits derived: all stages at their minimum or 20 s, to 120 s or the file's own cycle",
        &draft.at.id,
    );
    let shipped_offset = Ds(program.offset_ds.rem_euclid(i64::from(cycle.0)) as u32);
    Ok(Controller {
        name: program.at.id.clone(),
        nodes,
        groups,
        conflicts,
        program: Program { steps, shipped_offset },
        ring_barrier: rings,
        limits: Limits {
            cycle_min: shortest.max(CYCLE_MIN).min(cycle),
            cycle_max: cycle.max(CYCLE_MAX_USUAL).min(steps::CYCLE_MAX),
            resolution: RESOLUTION,
        },
    })
}
