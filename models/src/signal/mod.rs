//! Signals: the controller's own database, its stages or rings, and the timing plan they all compile into.
//!
//! NEMA ring-barrier, UK stages and European signal groups become one canonical form, and safety is judged on that form
//! only: green intervals per signal group over one cycle ([`TimingPlan`]) or over absolute time ([`Schedule`]), beside an
//! intergreen matrix ([`ConflictMatrix`]).

mod conflict;
mod controller;
mod group;
mod ring_barrier;
mod schedule;
mod stage;
mod timing_plan;
mod transition;

pub use conflict::{ConflictMatrix, Relation};
pub use controller::{Controller, ControllerError, Limits};
pub use group::{GroupKind, SignalGroup};
pub use ring_barrier::{BarrierGroup, RingBarrier, RingBarrierError, RingPhase};
pub use schedule::{
    Rejoin, Schedule, ScheduleError, ScheduledStage, TimedGreen, clearance_length, resting_stage, timed_indication,
};
pub use stage::{Indication, Program, ProgramError, Step, StepKind, TimedStep};
pub use timing_plan::{GreenInterval, OffsetReference, PlanView, Protection, StageSplit, TimingPlan};
pub use transition::{Transition, TransitionError, TransitionMethod};
