//! What a controller runs at an instant, by what was published last.

use std::borrow::Cow;

use greenkerb_models::plan::PublishedPlan;
use greenkerb_models::signal::{Controller, TimingPlan, Transition, TransitionError};
use greenkerb_models::units::TimeDs;

use super::policy::Policy;
use super::refusal::Refusal;

/// The plan that runs at an instant.
#[derive(Debug)]
pub(super) struct Running<'a> {
    /// The plan.
    pub(super) plan: Cow<'a, TimingPlan>,
    /// When it took over, its transition before it; the beginning of time for a controller that was never told anything.
    pub(super) since: TimeDs,
    /// From when on it is in step.
    pub(super) settled: TimeDs,
}

/// Cycle start at which a published plan gives way to the fallback: the first at which it has run out and is in step.
pub(super) fn gives_way_at(plan: &PublishedPlan, settled: TimeDs) -> TimeDs {
    plan.plan.next_cycle_start(plan.valid_until.max(settled))
}

impl<'a> Running<'a> {
    /// What runs at `at`, not before `last` takes over. A controller that nobody told anything runs its own plan, and so
    /// does one whose plan has run out. `last` was validated when it was published.
    ///
    /// # Errors
    /// [`Refusal`] when there is no way along what was published, which its validation has ruled out.
    pub(super) fn at(
        controller: &Controller,
        policy: &Policy,
        last: Option<&'a PublishedPlan>,
        at: TimeDs,
    ) -> Result<Self, Refusal> {
        match last {
            None => Ok(Self::own(controller, TimeDs(i64::MIN))),
            Some(last) => Self::taken(controller, policy, (last, last.valid_from), at),
        }
    }

    /// A controller that runs its own plan, in step, and was told nothing that counts.
    pub(super) fn own(controller: &Controller, since: TimeDs) -> Self {
        Self { plan: Cow::Owned(controller.time_of_day_plan()), since, settled: since }
    }

    /// What runs at `at` where a plan has taken over at `since`.
    ///
    /// # Errors
    /// [`Refusal`] when there is no way into that plan from there, or from it into its fallback.
    pub(super) fn taken(
        controller: &Controller,
        policy: &Policy,
        (last, since): (&'a PublishedPlan, TimeDs),
        at: TimeDs,
    ) -> Result<Self, Refusal> {
        if let Some(schedule) = &last.schedule {
            let back = schedule.rejoin(controller, &last.fallback.plan).map_err(Refusal::Schedule)?.at;
            return Ok(Self { plan: Cow::Borrowed(&last.fallback.plan), since: back, settled: back });
        }
        let no_way = |error: TransitionError| Refusal::NoTransition { into: "plan", error };
        let way = |plan, at| Transition::into_plan(controller, plan, at, policy.transition).map_err(no_way);
        let settled = way(&last.plan, since)?.ends;
        let back = gives_way_at(last, settled);
        if at <= back {
            return Ok(Self { plan: Cow::Borrowed(&last.plan), since, settled });
        }
        let settled = way(&last.fallback.plan, back)?.ends;
        Ok(Self { plan: Cow::Borrowed(&last.fallback.plan), since: back, settled })
    }
}
