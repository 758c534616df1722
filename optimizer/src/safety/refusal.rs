//! Why a plan is refused. Names in NTCIP 1202's own words where it has them.

use greenkerb_models::signal::{ScheduleError, TransitionError};
use greenkerb_models::units::{Ds, TimeDs};

/// One reason to refuse a plan. [`Refusal::rule`] is the number of the rule that was broken.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Refusal {
    // Rule 1: everything referenced exists, once.
    /// The plan is for another controller.
    #[error("the plan is for controller '{given}'")]
    OtherController {
        /// Controller the plan names.
        given: String,
    },
    /// Greens for another number of groups.
    #[error("the plan has greens for {given} groups, the controller has {groups}")]
    GroupCount {
        /// Groups in the plan.
        given: usize,
        /// Groups of the controller.
        groups: usize,
    },
    /// A green that is no part of the cycle.
    #[error("group '{group}': a green from {start} for {length} does not lie in a cycle of {cycle}")]
    Interval {
        /// Name of the group.
        group: String,
        /// Start of the green.
        start: Ds,
        /// Its length.
        length: Ds,
        /// The cycle.
        cycle: Ds,
    },
    /// Two greens of one group cover the same time.
    #[error("group '{group}': the greens that start at {first} and {second} overlap")]
    Overlap {
        /// Name of the group.
        group: String,
        /// Start of one green.
        first: Ds,
        /// Start of the other.
        second: Ds,
    },
    /// The view names other stages than the program has.
    #[error("the view's stages are {given:?}, the program's are {stages:?}")]
    Stages {
        /// Stages in the view.
        given: Vec<u32>,
        /// Stages of the program.
        stages: Vec<u32>,
    },
    /// The view speaks of rings, which the controller does not have.
    #[error("the view is of rings and barriers, which the controller does not have")]
    NoRings,
    /// A phase that is not exactly once in the rings and in the view.
    #[error("phase {phase} is {in_rings} times in the rings and {in_view} times in the view")]
    Phase {
        /// Phase number.
        phase: u8,
        /// How often the rings have it.
        in_rings: usize,
        /// How often the view has it.
        in_view: usize,
    },
    /// A phase that shows a group which does not exist.
    #[error("phase {phase} shows group number {group}, the controller has {groups}")]
    PhaseGroup {
        /// Phase number.
        phase: u8,
        /// Number of the group.
        group: u32,
        /// Groups of the controller.
        groups: usize,
    },
    // Rule 2: rings are equal and fill the cycle.
    /// Two rings of one barrier group take different times.
    #[error("barrier group {barrier_group}: ring {ring} takes {takes_ds} ds, ring 0 takes {first_ds} ds")]
    UnequalRings {
        /// Number of the barrier group.
        barrier_group: usize,
        /// Number of the ring.
        ring: usize,
        /// What the ring takes.
        takes_ds: u64,
        /// What ring 0 takes.
        first_ds: u64,
    },
    /// The splits (and, for stages, the clearances between them) do not add up to the cycle.
    #[error("the splits take {sum_ds} ds, the cycle is {cycle}")]
    CycleSum {
        /// What they take.
        sum_ds: u64,
        /// The cycle.
        cycle: Ds,
    },
    // Rule 3: coordinated phases.
    /// Not one coordinated phase a ring, all on one side of the barrier.
    #[error("coordinated phases {phases:?}: {reason}")]
    Coordination {
        /// The coordinated phases.
        phases: Vec<u8>,
        /// What is wrong with them.
        reason: &'static str,
    },
    // Rule 4: cycle.
    /// The cycle is outside policy, the controller's limits, or 255 s.
    #[error("a cycle of {cycle} is outside {min} to {max}")]
    Cycle {
        /// The cycle.
        cycle: Ds,
        /// Shortest allowed.
        min: Ds,
        /// Longest allowed.
        max: Ds,
    },
    // Rule 5: offset.
    /// The offset is not inside the cycle.
    #[error("an offset of {offset} is not within a cycle of {cycle}")]
    Offset {
        /// The offset.
        offset: Ds,
        /// The cycle.
        cycle: Ds,
    },
    /// The reference point lies elsewhere than its kind says.
    #[error("the offset's reference point is at {given} in the plan, and at {expected} by its kind")]
    ReferencePoint {
        /// Where the plan puts it.
        given: Ds,
        /// Where it is.
        expected: Ds,
    },
    // Rule 6: resolution.
    /// A time that the controller cannot keep.
    #[error("{what} of {value} is not a multiple of the controller's resolution {resolution}")]
    Resolution {
        /// Which time.
        what: &'static str,
        /// The time.
        value: Ds,
        /// The controller's resolution.
        resolution: Ds,
    },
    // Rule 7: safety intervals.
    /// The greens are not those that the controller's database makes of the splits.
    #[error("group '{group}': its greens are not those the controller's database makes of the splits")]
    SafetyIntervals {
        /// Name of the first group that differs.
        group: String,
    },
    // Rule 8: minimum splits.
    /// A stage below its minimum.
    #[error("stage {stage}: {green} is below its minimum of {min}")]
    StageMin {
        /// Number of the stage.
        stage: u32,
        /// Its length.
        green: Ds,
        /// Its minimum.
        min: Ds,
    },
    /// A phase's split below its minimum.
    #[error("phase {phase}: a split of {split} is below {min_ds} ds (green or walk and clearance, yellow, all-red)")]
    PhaseMin {
        /// Phase number.
        phase: u8,
        /// Its split.
        split: Ds,
        /// Its minimum.
        min_ds: u64,
    },
    // Rule 9: conflicts and intergreens.
    /// Two groups are green together that may not be.
    #[error("groups '{a}' and '{b}' conflict and are both green at {at_ds} ds")]
    Conflict {
        /// One group.
        a: String,
        /// The other.
        b: String,
        /// First such moment, from the start of the cycle (or of the transition).
        at_ds: i64,
    },
    /// Too little time between the greens of two groups.
    #[error(
        "from the end of '{ending}' at {at_ds} ds to the start of '{starting}': {gap_ds} ds, must be {needed_ds} ds"
    )]
    Intergreen {
        /// Group that ends.
        ending: String,
        /// Group that starts.
        starting: String,
        /// When the first ends, from the start of the cycle (or of the transition).
        at_ds: i64,
        /// Time between the two.
        gap_ds: i64,
        /// Time needed between the two.
        needed_ds: i64,
    },
    // Rule 10: lengths.
    /// A green (a walk, for pedestrians) that is too short.
    #[error("group '{group}': a green of {length_ds} ds from {at_ds} ds, must be {min}")]
    MinGreen {
        /// Name of the group.
        group: String,
        /// When it starts, from the start of the cycle (or of the transition).
        at_ds: i64,
        /// How long it is.
        length_ds: i64,
        /// How long it must be.
        min: Ds,
    },
    /// Too little time between two greens of one group for yellow, clearance, red and red-amber.
    #[error("group '{group}': {gap_ds} ds between greens from {at_ds} ds, must be {needed_ds} ds")]
    MinRed {
        /// Name of the group.
        group: String,
        /// When the first green ends, from the start of the cycle (or of the transition).
        at_ds: i64,
        /// Time without green.
        gap_ds: i64,
        /// Time without green that is needed.
        needed_ds: i64,
    },
    // Rule 11: nobody starves.
    /// A group waits too long.
    #[error("group '{group}' has no green for {red_ds} ds, may wait {max}")]
    MaxRed {
        /// Name of the group.
        group: String,
        /// How long it has no green.
        red_ds: i64,
        /// How long it may wait.
        max: Ds,
    },
    /// A group that the controller's program serves is never served.
    #[error("group '{group}' is never green")]
    NeverServed {
        /// Name of the group.
        group: String,
    },
    // Rule 12: yellow trap.
    /// Permissive turners see yellow while the stream they yield to stays green.
    #[error("yellow trap: '{turning}' turns yellow at {at_ds} ds while '{opposing}' stays green until {until_ds} ds")]
    YellowTrap {
        /// Group whose permissive green ends.
        turning: String,
        /// Group it yields to.
        opposing: String,
        /// When the permissive green ends, from the start of the cycle (or of the transition).
        at_ds: i64,
        /// Until when the other stays green.
        until_ds: i64,
    },
    // Rule 14: bounded change.
    /// The cycle changes too much at once.
    #[error("the cycle changes by {change_ds} ds, at most {max} at once")]
    CycleChange {
        /// New less old.
        change_ds: i64,
        /// Most allowed.
        max: Ds,
    },
    /// A split changes too much at once.
    #[error("split {index} changes by {change_ds} ds, at most {max} at once")]
    SplitChange {
        /// Position in the view (or number of the group, where the views are of different kinds).
        index: usize,
        /// New less old.
        change_ds: i64,
        /// Most allowed.
        max: Ds,
    },
    /// The offset changes too much at once.
    #[error("the offset changes by {change_ds} ds, at most {max} at once")]
    OffsetChange {
        /// New less old, the short way round.
        change_ds: i64,
        /// Most allowed.
        max: Ds,
    },
    /// Two changes too close together.
    #[error("{after_ds} ds after the last change, at least {hold} apart")]
    Hold {
        /// Time since the last change.
        after_ds: i64,
        /// Least time apart.
        hold: Ds,
    },
    // Rule 15: transition.
    /// There is no way into the plan, or from it to the fallback.
    #[error("no transition into the {into}: {error}")]
    NoTransition {
        /// The plan it would lead to: `plan` or `fallback`.
        into: &'static str,
        /// Why there is none.
        error: TransitionError,
    },
    /// A rule is broken on the way.
    #[error("in transition into the {into}: {broken}")]
    InTransition {
        /// The plan it leads to: `plan` or `fallback`.
        into: &'static str,
        /// What is broken.
        broken: Box<Refusal>,
    },
    /// The controller is still getting into step with the plan before.
    #[error("the controller is in transition until {}, the plan takes over at {}", until.rfc3339(), valid_from.rfc3339())]
    Unsettled {
        /// When it is in step.
        until: TimeDs,
        /// When the plan would take over.
        valid_from: TimeDs,
    },
    // Rule 16: coordination group.
    /// Cycles that do not keep step.
    #[error("controller '{controller}' has a cycle of {cycle}, its coordination group {of}: neither equal nor half")]
    GroupCycle {
        /// Name of the controller.
        controller: String,
        /// Its cycle.
        cycle: Ds,
        /// Longest cycle of the group.
        of: Ds,
    },
    /// Controllers of one group change too far apart.
    #[error("controller '{controller}' changes {after_ds} ds after the first of its group, at most {max}")]
    GroupSpread {
        /// Name of the controller.
        controller: String,
        /// How long after the first.
        after_ds: i64,
        /// Most allowed.
        max: Ds,
    },
    /// Plans of one change that were not computed together.
    #[error("controller '{controller}' has a plan computed at {}, its group at {}", at.rfc3339(), group_at.rfc3339())]
    GroupComputed {
        /// Name of the controller.
        controller: String,
        /// When its plan was computed.
        at: TimeDs,
        /// When the group's first was.
        group_at: TimeDs,
    },
    /// One controller twice in one change.
    #[error("controller '{controller}' is in the group twice")]
    GroupTwice {
        /// Name of the controller.
        controller: String,
    },
    // Rule 17: revision and activation.
    /// The revision does not rise.
    #[error("revision {given} does not rise above {last}, or means other bytes than before")]
    Revision {
        /// Revision of the candidate.
        given: u64,
        /// Last published revision.
        last: u64,
    },
    /// An instant no clock shows.
    #[error("{what} of {at_ds} ds since 1970 is not an instant of this service")]
    Instant {
        /// Which instant.
        what: &'static str,
        /// The instant.
        at_ds: i64,
    },
    /// The plan takes over in the past.
    #[error("it takes over at {}, which is not after {}", valid_from.rfc3339(), now.rfc3339())]
    NotInFuture {
        /// When it takes over.
        valid_from: TimeDs,
        /// Now.
        now: TimeDs,
    },
    /// The plan takes over before the plan it replaces does, or is another plan that does so at the same moment.
    #[error("it takes over at {}, not after revision {last} does at {}", valid_from.rfc3339(), last_from.rfc3339())]
    BeforeLast {
        /// When it takes over.
        valid_from: TimeDs,
        /// Revision published last.
        last: u64,
        /// When that takes over.
        last_from: TimeDs,
    },
    /// The plan takes over in the middle of a cycle.
    #[error("it takes over at {}, {position} into a cycle of the plan before", valid_from.rfc3339())]
    NotAtCycleStart {
        /// When it takes over.
        valid_from: TimeDs,
        /// Position of the running plan then.
        position: Ds,
    },
    /// The plan runs out before it is in force and in step.
    #[error("it runs out at {}, and is in step at {}", valid_until.rfc3339(), in_step.rfc3339())]
    Validity {
        /// When it runs out.
        valid_until: TimeDs,
        /// When it is in step.
        in_step: TimeDs,
    },
    // Rule 18: configuration.
    /// Computed against another database.
    #[error("it was computed against configuration {given}, the controller has {expected}")]
    Checksum {
        /// Checksum in the plan.
        given: String,
        /// The controller's.
        expected: String,
    },
    /// The database contradicts itself: nothing can be judged by it.
    #[error("the controller's database: {reason}")]
    Database {
        /// The contradiction.
        reason: String,
    },
    // Rule 19: capability.
    /// More of something than the controller takes.
    #[error("{what}: {given}, the controller takes {max}")]
    Capability {
        /// Which figure.
        what: &'static str,
        /// The figure.
        given: u64,
        /// Most it takes.
        max: u64,
    },
    /// What is read back is not what was written.
    #[error("written as {format} and read back, the plan is another")]
    Encoding {
        /// The format.
        format: &'static str,
    },
    // Rule 20: finite.
    /// A reason rests on no number.
    #[error("reason {index} rests on '{name}' = {value}, which is no finite number")]
    NotFinite {
        /// Position of the reason.
        index: usize,
        /// Name of the figure.
        name: String,
        /// The figure.
        value: f64,
    },
    // Rule 21: fallback.
    /// The fallback breaks a rule itself.
    #[error("fallback: {broken}")]
    Fallback {
        /// What is broken.
        broken: Box<Refusal>,
    },
    /// The fallback is another plan than the controller's own.
    #[error("the fallback is not the controller's own time-of-day plan")]
    OtherFallback,
    // Rule 23: a schedule is one of the program's.
    /// Stages, minimum greens or clearances are not the program's, or no way leads back into the plan.
    #[error("schedule: {0}")]
    Schedule(ScheduleError),
    /// A schedule where a cyclic plan was meant, or the other way round.
    #[error("it is {is}, {wanted} was to be judged")]
    Mode {
        /// What it is.
        is: &'static str,
        /// What was expected.
        wanted: &'static str,
    },
    // Rule 24: a schedule keeps what was promised.
    /// It begins otherwise than what the controller shows, or changes what is promised.
    #[error("schedule: it is not what is shown and promised from {} to {}", from.rfc3339(), until.rfc3339())]
    Promise {
        /// From when on it is compared.
        from: TimeDs,
        /// Until when.
        until: TimeDs,
    },
    /// Too little of it is certain: the next one comes later than that.
    #[error("schedule: it is frozen until {}, and must be until {}", frozen_until.rfc3339(), least.rfc3339())]
    Frozen {
        /// Until when it is frozen.
        frozen_until: TimeDs,
        /// The least.
        least: TimeDs,
    },
}

impl Refusal {
    /// Number of the rule that was broken.
    #[must_use]
    pub const fn rule(&self) -> u8 {
        match self {
            Self::OtherController { .. }
            | Self::GroupCount { .. }
            | Self::Interval { .. }
            | Self::Overlap { .. }
            | Self::Stages { .. }
            | Self::NoRings
            | Self::Phase { .. }
            | Self::PhaseGroup { .. } => 1,
            Self::UnequalRings { .. } | Self::CycleSum { .. } => 2,
            Self::Coordination { .. } => 3,
            Self::Cycle { .. } => 4,
            Self::Offset { .. } | Self::ReferencePoint { .. } => 5,
            Self::Resolution { .. } => 6,
            Self::SafetyIntervals { .. } => 7,
            Self::StageMin { .. } | Self::PhaseMin { .. } => 8,
            Self::Conflict { .. } | Self::Intergreen { .. } => 9,
            Self::MinGreen { .. } | Self::MinRed { .. } => 10,
            Self::MaxRed { .. } | Self::NeverServed { .. } => 11,
            Self::YellowTrap { .. } => 12,
            Self::CycleChange { .. } | Self::SplitChange { .. } | Self::OffsetChange { .. } | Self::Hold { .. } => 14,
            Self::NoTransition { .. } | Self::InTransition { .. } | Self::Unsettled { .. } => 15,
            Self::GroupCycle { .. }
            | Self::GroupSpread { .. }
            | Self::GroupComputed { .. }
            | Self::GroupTwice { .. } => 16,
            Self::Revision { .. }
            | Self::Instant { .. }
            | Self::NotInFuture { .. }
            | Self::BeforeLast { .. }
            | Self::NotAtCycleStart { .. }
            | Self::Validity { .. } => 17,
            Self::Checksum { .. } | Self::Database { .. } => 18,
            Self::Capability { .. } | Self::Encoding { .. } => 19,
            Self::NotFinite { .. } => 20,
            Self::Fallback { .. } | Self::OtherFallback => 21,
            Self::Schedule(_) | Self::Mode { .. } => 23,
            Self::Promise { .. } | Self::Frozen { .. } => 24,
        }
    }

    /// NTCIP 1202's name for it (`localFreeStatus`), where it has one.
    #[must_use]
    pub const fn ntcip(&self) -> Option<&'static str> {
        match self {
            Self::GroupCount { .. }
            | Self::Interval { .. }
            | Self::Overlap { .. }
            | Self::Stages { .. }
            | Self::NoRings
            | Self::Phase { .. }
            | Self::PhaseGroup { .. }
            | Self::Coordination { .. }
            | Self::SafetyIntervals { .. }
            | Self::Conflict { .. } => Some("badPlan"),
            Self::Cycle { .. } => Some("badCycleTime"),
            Self::UnequalRings { .. } | Self::CycleSum { .. } | Self::StageMin { .. } | Self::PhaseMin { .. } => {
                Some("splitOverrun")
            }
            Self::Offset { .. } | Self::ReferencePoint { .. } => Some("invalidOffset"),
            _ => None,
        }
    }
}
