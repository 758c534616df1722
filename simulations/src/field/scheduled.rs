//! A schedule as a controller runs it: to its end, and on until the cyclic plan behind it can take over.

use greenkerb_models::signal::{Controller, Indication, Rejoin, Schedule, ScheduleError, TimedGreen, timed_indication};
use greenkerb_models::units::TimeDs;

use super::order::ScheduleOrder;

/// A schedule that runs.
#[derive(Debug, Clone)]
pub(super) struct Scheduled {
    pub(super) order: ScheduleOrder,
    /// The schedule, its last stage held until the plan takes over.
    pub(super) whole: Schedule,
    /// When and how the plan takes over.
    pub(super) rejoin: Rejoin,
    /// Greens of every group over the whole of it.
    greens: Vec<Vec<TimedGreen>>,
}

impl Scheduled {
    /// Works out the way back as well. The schedule has been checked.
    pub(super) fn new(order: ScheduleOrder, controller: &Controller) -> Result<Self, ScheduleError> {
        let rejoin = order.schedule.rejoin(controller, &order.fallback)?;
        let whole = order.schedule.until_rejoin(&rejoin);
        let greens = whole.greens(controller);
        Ok(Self { order, whole, rejoin, greens })
    }

    /// What every group shows at an instant before the plan takes over.
    pub(super) fn shows_at(&self, controller: &Controller, at: TimeDs) -> Vec<Indication> {
        controller.groups.iter().zip(&self.greens).map(|(heads, greens)| timed_indication(heads, greens, at)).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use greenkerb_models::ids::StageId;
    use greenkerb_models::plan::Revision;
    use greenkerb_models::signal::{ScheduledStage, clearance_length};
    use greenkerb_models::units::Ds;
    use proptest::prelude::*;

    use super::*;
    use crate::field::controller::sample;
    use crate::field::{FieldController, Rejection, State};

    const STEP: Ds = Ds::from_s(1);

    fn field() -> (Arc<Controller>, FieldController) {
        let controller = Arc::new(sample::controller());
        (Arc::clone(&controller), FieldController::new(controller, STEP))
    }

    fn order(
        controller: &Controller,
        revision: u64,
        stages: Vec<ScheduledStage>,
        frozen_until: TimeDs,
    ) -> ScheduleOrder {
        ScheduleOrder {
            revision: Revision(revision),
            hash: format!("h{revision}"),
            schedule: Schedule { stages, frozen_until },
            configuration_checksum: controller.checksum(),
            fallback: controller.time_of_day_plan(),
        }
    }

    fn stage(stage: u32, from_s: i64, to_s: i64) -> ScheduledStage {
        ScheduledStage { stage: StageId(stage), start: TimeDs::from_s(from_s), end: TimeDs::from_s(to_s) }
    }

    fn last(field: &mut FieldController) -> State {
        field.acknowledge().pop().map_or(State::Received, |a| a.state)
    }

    /// The sample's own plan shows stage 0 from 7 to 27 and stage 1 from 32 to 47 of every 45 s.
    fn run(field: &mut FieldController, from_s: i64, to_s: i64) {
        for t in from_s..to_s {
            field.show(TimeDs::from_s(t));
        }
    }

    #[test]
    fn a_schedule_takes_over_in_the_middle_of_a_stage_and_the_plan_after_it() {
        let (controller, mut field) = field();
        run(&mut field, 0, 21);
        let stages = vec![stage(0, 10, 40), stage(1, 45, 60), stage(0, 65, 75)];
        field.receive_schedule(order(&controller, 1, stages, TimeDs::from_s(25)), TimeDs::from_s(20));
        assert_eq!(last(&mut field), State::Active);
        let shown: Vec<char> = (21..76).map(|t| field.show(TimeDs::from_s(t))[2].letter()).collect();
        let text: String = shown.iter().collect();
        // The side road is green from 45 to 60 only.
        assert_eq!(text.find('G'), Some(45 - 21));
        assert_eq!(text.matches('G').count(), 15);
        // Stage 0 stays until the plan leaves it at 117 (27 + 90), as it shows it from 97 on.
        run(&mut field, 76, 98);
        assert_eq!(last(&mut field), State::LocalMode);
        assert_eq!(field.running_revision(), None);
        run(&mut field, 98, 300);
        assert_eq!(field.monitor().first_violation(), None);
    }

    #[test]
    fn a_schedule_that_begins_otherwise_than_what_is_shown_is_refused() {
        let (controller, mut field) = field();
        run(&mut field, 0, 21);
        for (revision, stages) in [
            (1, vec![stage(1, 10, 40)]),
            // Stage 0 has been green since 7 only.
            (2, vec![stage(0, 3, 40)]),
            (3, vec![stage(0, 22, 40)]),
        ] {
            field.receive_schedule(order(&controller, revision, stages, TimeDs::from_s(25)), TimeDs::from_s(20));
            let told = last(&mut field);
            match revision {
                // What is heard first was made for what ran before the switch-on.
                1 => assert_eq!(told, State::SwitchedOn),
                _ => assert!(matches!(told, State::Rejected(Rejection::Seam { .. })), "order {revision}: {told:?}"),
            }
        }
        let other = ScheduleOrder {
            configuration_checksum: "x".into(),
            ..order(&controller, 4, vec![stage(0, 10, 40)], TimeDs::from_s(25))
        };
        field.receive_schedule(other, TimeDs::from_s(20));
        assert!(matches!(last(&mut field), State::Rejected(Rejection::Configuration { .. })));
        field.receive_schedule(order(&controller, 3, vec![stage(0, 10, 40)], TimeDs::from_s(25)), TimeDs::from_s(20));
        assert!(matches!(last(&mut field), State::Rejected(Rejection::Old { .. })));
    }

    #[test]
    fn what_was_frozen_is_kept() {
        let (controller, mut field) = field();
        run(&mut field, 0, 21);
        let first = vec![stage(0, 10, 30), stage(1, 35, 60)];
        field.receive_schedule(order(&controller, 1, first, TimeDs::from_s(32)), TimeDs::from_s(20));
        assert_eq!(last(&mut field), State::Active);
        let longer = vec![stage(0, 10, 31), stage(1, 36, 60)];
        field.receive_schedule(order(&controller, 2, longer, TimeDs::from_s(33)), TimeDs::from_s(21));
        assert!(matches!(last(&mut field), State::Rejected(Rejection::Seam { .. })));
        let same = vec![stage(0, 10, 30), stage(1, 35, 50), stage(0, 55, 70)];
        field.receive_schedule(order(&controller, 3, same, TimeDs::from_s(33)), TimeDs::from_s(21));
        assert_eq!(last(&mut field), State::Active);
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]
        /// A service that plans anew every few seconds, keeps what it froze, and falls silent at some time: every order is
        /// taken, and the monitor never trips.
        #[test]
        fn rolling_schedules_are_run_safely(
            every_s in 1i64..6,
            greens in proptest::collection::vec(5i64..40, 40),
            silent_from in 40i64..200,
        ) {
            let (controller, mut field) = field();
            run(&mut field, 0, 21);
            let mut plan = vec![stage(0, 10, 10 + greens[0].max(20))];
            let mut next_green = 1;
            let mut revision = 0;
            for t in 21..400 {
                let now = TimeDs::from_s(t);
                if t < silent_from && t % every_s == 0 {
                    // Stages that were over before this second are forgotten, except one that clears now.
                    while plan.len() > 1 && plan[1].start <= now {
                        plan.remove(0);
                    }
                    // The last stage may still be cut or drawn out where it is not frozen, then others follow.
                    while plan.last().unwrap().end < now + Ds::from_s(60) {
                        let before = *plan.last().unwrap();
                        let after = StageId(1 - before.stage.0);
                        let start = before.end + clearance_length(&controller, before.stage, after);
                        let green = greens[next_green % greens.len()];
                        next_green += 1;
                        plan.push(ScheduledStage { stage: after, start, end: start + Ds::from_s(green as u32) });
                    }
                    revision += 1;
                    let frozen_until = now + Ds::from_s(5);
                    field.receive_schedule(order(&controller, revision, plan.clone(), frozen_until), now);
                    let state = last(&mut field);
                    prop_assert_eq!(&state, &State::Active, "at {} {:?}", t, plan);
                    // What lies beyond the frozen part is thrown away and planned anew.
                    let keep = plan.iter().rposition(|s| s.start <= frozen_until + Ds::from_s(5)).unwrap_or(0);
                    plan.truncate(keep + 1);
                    let (after_min, start) = (plan[keep].start + Ds::from_s(5), plan[keep].start);
                    let floor = after_min.max(frozen_until);
                    if plan[keep].end > floor && start <= now && plan[keep].end.since(floor) > 20 {
                        plan[keep].end = TimeDs(plan[keep].end.0 - 10);
                    }
                }
                field.show(now);
                prop_assert_eq!(field.monitor().first_violation(), None);
            }
            prop_assert_eq!(field.running_revision(), None);
        }
    }
}
