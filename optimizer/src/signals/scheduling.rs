//! Schedules: for every controller in that mode, each step, from what is seen of its junction.
//!
//! All of them are planned at once, because what one lets go is what another gets. A schedule is published only where it
//! differs soon from the one before, or where that one is about to run out: most polls find nothing new.

use greenkerb_models::detection::{Picture, Sighting};
use greenkerb_models::ids::ControllerId;
use greenkerb_models::plan::{Fallback, PublishedPlan, ReasonKind, Revision};
use greenkerb_models::units::{Ds, Metres, MetresPerSecond, TimeDs};

use crate::safety::{Refusals, ScheduledPublication, Validated, validate_schedule};
use crate::schedule::{Planned, Running};

use super::budget::Budget;
use super::optimizer::{SignalOptimizer, reason};
use super::report::StepOutcome;
use super::settings::Mode;

/// How far ahead a difference has to lie to be told later: it may be gone again by then.
const TOLD_AHEAD: Ds = Ds::from_s(20);

/// A junction that nobody has seen for longer is presumed from its loops, deciseconds.
const SEEN_WITHIN: i64 = 50;

impl SignalOptimizer {
    /// Plans for every controller in schedule mode whose junction was seen of late, and publishes what is new.
    pub(super) fn schedule(&mut self, now: TimeDs, budget: &dyn Budget, outcome: &mut StepOutcome) {
        self.presume(now);
        let running: Vec<Running> = (0..self.charges.len()).filter_map(|i| self.running(i, now)).collect();
        let Some(planner) = self.planner.as_mut().filter(|_| !running.is_empty()) else { return };
        for r in &running {
            let (charge, begins) = (&self.charges[r.controller.index()], r.stages[0].start);
            if charge.rolling.at(now).is_none() {
                let (controller, plan) = (self.network.controller(r.controller), charge.timeline.plan_at(now));
                planner.recall(r.controller, &charge.rolling.last_green(controller, plan, (now, begins)));
            }
        }
        let planned = planner.plan(now, &running, budget);
        outcome.scheduled = planned.len();
        for planned in planned {
            self.publish_schedule(planned, now, outcome);
        }
    }

    /// True when a picture of a controller's junction was taken of late.
    pub(super) fn is_seen(&self, i: usize, now: TimeDs) -> bool {
        let rolling = &self.charges[i].rolling;
        rolling.seen.max(rolling.presumed).is_some_and(|at| now.since(at) <= i64::from(self.settings.feed_timeout.0))
    }

    /// Where nobody has seen a junction of late, its loops say what there is to say.
    fn presume(&mut self, now: TimeDs) {
        let Some(planner) = &mut self.planner else { return };
        let heard = self.estimator.feed_now().filter(|f| now.since(*f) <= i64::from(self.settings.feed_timeout.0));
        let Some(heard) = heard else { return };
        for (i, charge) in self.charges.iter_mut().enumerate() {
            let seen = charge.rolling.seen.is_some_and(|at| now.since(at) <= SEEN_WITHIN);
            if self.modes[i] != Mode::Schedule || seen {
                continue;
            }
            let id = ControllerId::at(i);
            let controller = self.network.controller(id);
            let green_s = charge.rolling.green_s(controller, charge.timeline.plan_at(now), now);
            let mut vehicles = Vec::new();
            for lane in self.network.approach_lanes(id) {
                let signals =
                    self.network.connections_from(lane).iter().filter_map(|c| self.network.connection(*c).signal);
                let green_s = signals.filter(|s| s.controller == id).filter_map(|s| green_s[s.group.index()]);
                let presumed = self.estimator.presumed(lane, now, green_s.reduce(f64::max));
                vehicles.extend(presumed.into_iter().filter_map(|v| {
                    let to_lane_end = Metres::new(v.to_line_m).ok()?;
                    Some(Sighting { lane, to_lane_end, speed: MetresPerSecond::new(v.speed_mps).ok()?, movement: None })
                }));
            }
            planner.presume(Picture { controller: id, at: now, vehicles });
            charge.rolling.presumed = Some(heard);
        }
    }

    /// What a controller shows and has been promised, if a schedule can be made for it now.
    fn running(&self, i: usize, now: TimeDs) -> Option<Running> {
        if self.modes[i] != Mode::Schedule {
            return None;
        }
        let charge = &self.charges[i];
        // Nothing can follow upon a publication that nobody has made yet.
        charge.published.as_ref().filter(|_| self.is_seen(i, now))?;
        let id = ControllerId::at(i);
        let controller = self.network.controller(id);
        let resolution = i64::from(controller.limits.resolution.0.max(1));
        let frozen_until = now + self.settings.policy.frozen;
        let frozen_until = frozen_until + Ds((-frozen_until.0).rem_euclid(resolution) as u32);
        charge.rolling.running((id, controller), charge.timeline.plan_at(now), (now, frozen_until))
    }

    fn publish_schedule(&mut self, planned: Planned, now: TimeDs, outcome: &mut StepOutcome) {
        let i = planned.controller.index();
        let Some(charge) = self.charges.get(i) else { return };
        let Some(ends) = planned.schedule.ends() else { return };
        let known = charge.rolling.at(now).is_some_and(|told| {
            let until = now + TOLD_AHEAD;
            told.ends >= until && told.whole.agrees(&planned.schedule, now, until.min(ends))
        });
        if known {
            return;
        }
        match self.judge_schedule(planned, now) {
            Ok(plan) => {
                self.charges[i].commit(self.network.controller(ControllerId::at(i)), plan.clone());
                outcome.publications.push(plan);
            }
            Err(refusals) => {
                if std::mem::replace(&mut self.charges[i].rolling.refused, true) {
                    outcome.refused_again += 1;
                } else {
                    outcome.refused.push((ControllerId::at(i), refusals));
                }
            }
        }
    }

    /// What the validator says about a schedule.
    fn judge_schedule(&self, planned: Planned, now: TimeDs) -> Result<Validated<PublishedPlan>, Refusals> {
        let Planned { controller: id, schedule, expected_wait_s, reason: why, .. } = planned;
        let controller = self.network.controller(id);
        let charge = &self.charges[id.index()];
        let own = controller.time_of_day_plan();
        let (begins, ends) = (schedule.begins().unwrap_or(now), schedule.ends().unwrap_or(now));
        let plan = charge.timeline.plan_at(now);
        let candidate = PublishedPlan {
            controller: controller.name.clone(),
            revision: Revision(charge.published.as_ref().map_or(0, |p| p.get().revision.0).max(charge.spent) + 1),
            plan: own.clone(),
            computed_at: now,
            valid_from: now,
            valid_until: ends,
            configuration_checksum: charge.checksum.clone(),
            fallback: Fallback { plan: own },
            reasons: vec![reason(ReasonKind::Changed, &why, Some(("expected_wait_s", expected_wait_s)))],
            schedule: Some(schedule),
        };
        validate_schedule(ScheduledPublication {
            candidate,
            previous: charge.published.as_ref(),
            basis: charge.rolling.basis(plan, now),
            last_green: &charge.rolling.last_green(controller, plan, (now, begins)),
            controller,
            policy: &self.settings.policy,
            now,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use greenkerb_models::formats;
    use greenkerb_models::network::Network;
    use greenkerb_models::signal::Schedule;

    use super::super::{Said, Settings, Unlimited};
    use super::*;

    const ONLY: ControllerId = ControllerId(0);
    const SEVEN: i64 = 25_200;

    fn crossroads() -> Arc<Network> {
        let net = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/tests/data/crossroads.net.xml");
        Arc::new(formats::read(&net).unwrap().network)
    }

    fn optimizer(network: &Arc<Network>, mode: Mode) -> SignalOptimizer {
        let mut optimizer = SignalOptimizer::new(Arc::clone(network), Settings { mode, ..Settings::default() });
        let started = optimizer.start(TimeDs::from_s(SEVEN));
        assert_eq!((started.publications.len(), started.refused.len()), (1, 0));
        optimizer
    }

    /// A vehicle on every approach lane, somewhere.
    fn picture(network: &Network, second: i64) -> Picture {
        let sighting = |(i, lane): (usize, greenkerb_models::ids::LaneId)| Sighting {
            lane,
            to_lane_end: Metres::new((second * 7 + i as i64 * 31).rem_euclid(100) as f64).unwrap(),
            speed: MetresPerSecond::new(5.0).unwrap(),
            movement: None,
        };
        let vehicles = network.approach_lanes(ONLY).into_iter().enumerate().map(sighting).collect();
        Picture { controller: ONLY, at: TimeDs::from_s(second), vehicles }
    }

    /// What is published from one second to another, with pictures until `seen_until`.
    fn run(optimizer: &mut SignalOptimizer, from: i64, to: i64, seen_until: i64) -> Vec<(i64, PublishedPlan)> {
        let network = Arc::clone(&optimizer.network);
        let mut published = Vec::new();
        for second in from..to {
            if second < seen_until {
                optimizer.see(picture(&network, second));
            }
            let outcome = optimizer.advance(TimeDs::from_s(second), &Unlimited);
            assert_eq!((outcome.refused.len(), outcome.refused_again), (0, 0), "{:?}", outcome.refused);
            published.extend(outcome.publications.into_iter().map(|p| (second, p.into_inner())));
        }
        published
    }

    fn schedule(published: &(i64, PublishedPlan)) -> &Schedule {
        published.1.schedule.as_ref().unwrap()
    }

    #[test]
    fn schedules_follow_one_upon_the_other_as_long_as_there_are_pictures() {
        let network = crossroads();
        let mut optimizer = optimizer(&network, Mode::Schedule);
        let published = run(&mut optimizer, SEVEN + 1, SEVEN + 400, SEVEN + 200);
        assert!(published.len() > 3, "{}", published.len());
        let numbers: Vec<u64> = published.iter().map(|p| p.1.revision.0).collect();
        assert!(numbers.is_sorted() && numbers[0] == 2, "{numbers:?}");
        for pair in published.windows(2) {
            let (at, old, new) = (TimeDs::from_s(pair[1].0), schedule(&pair[0]), schedule(&pair[1]));
            assert!(old.ends().unwrap() > at, "the next comes before the last has run out");
            assert!(old.agrees(new, at, at + Ds::from_s(2)), "{old:?}\n{new:?}");
        }
        // A minute after the last picture nothing is decided any more.
        assert!(published.last().unwrap().0 <= SEVEN + 260);
        assert_eq!(run(&mut optimizer, SEVEN + 400, SEVEN + 500, 0).len(), 0);
        // Pictures again: the next row begins in a stage of the controller's own plan.
        let again = run(&mut optimizer, SEVEN + 500, SEVEN + 700, SEVEN + 700);
        let first = again.first().unwrap();
        let own = network.controller(ONLY).time_of_day_plan();
        let rests = greenkerb_models::signal::resting_stage(&own, network.controller(ONLY), TimeDs::from_s(first.0));
        assert_eq!(rests.map(|r| r.stage), Some(schedule(first).stages[0].stage));
    }

    #[test]
    fn who_does_not_run_what_it_was_told_is_planned_for_from_what_it_runs() {
        let network = crossroads();
        let mut optimizer = optimizer(&network, Mode::Schedule);
        let name = network.controller(ONLY).name.clone();
        let published = run(&mut optimizer, SEVEN + 1, SEVEN + 100, SEVEN + 100);
        let last = published.last().unwrap();
        optimizer.hear(&name, Said::LocalMode(last.1.revision), TimeDs::from_s(SEVEN + 100));
        let next = run(&mut optimizer, SEVEN + 100, SEVEN + 200, SEVEN + 200);
        let first = next.first().unwrap();
        let own = network.controller(ONLY).time_of_day_plan();
        let at = TimeDs::from_s(first.0);
        let rests = greenkerb_models::signal::resting_stage(&own, network.controller(ONLY), at).unwrap();
        assert_eq!(rests.stage, schedule(first).stages[0].stage);
        assert!(rests.start <= schedule(first).stages[0].start);
    }

    #[test]
    fn a_restart_goes_on_with_the_schedule_that_was_in_force() {
        let network = crossroads();
        let mut before = optimizer(&network, Mode::Schedule);
        let network_of = Arc::clone(&network);
        let mut last = None;
        for second in SEVEN + 1..SEVEN + 100 {
            before.see(picture(&network_of, second));
            last = before.advance(TimeDs::from_s(second), &Unlimited).publications.pop().or(last);
        }
        let last = last.unwrap();
        let mut after =
            SignalOptimizer::new(Arc::clone(&network), Settings { mode: Mode::Schedule, ..Settings::default() });
        after.restore(vec![last.clone()]);
        assert!(after.start(TimeDs::from_s(SEVEN + 100)).publications.is_empty());
        let next = run(&mut after, SEVEN + 100, SEVEN + 160, SEVEN + 160);
        let first = next.first().unwrap();
        let (at, old) = (TimeDs::from_s(first.0), last.get().schedule.as_ref().unwrap());
        assert_eq!(first.1.revision.0, last.get().revision.0 + 1);
        assert!(old.agrees(schedule(first), at, at + Ds::from_s(2)));
    }

    /// What is published from loops alone.
    fn by_loops(mode: Mode) -> (Arc<Network>, Vec<PublishedPlan>) {
        let network = crossroads();
        let mut optimizer = optimizer(&network, mode);
        let detectors = network.detectors().len() as u32;
        let mut published = Vec::new();
        for second in SEVEN + 1..SEVEN + 1_000 {
            for d in 0..detectors {
                let begin = TimeDs::from_s(second - 1);
                let id = greenkerb_models::ids::DetectorId(d);
                let count = u32::from(second % 4 == i64::from(d) % 4);
                let seen = greenkerb_models::detection::Observation::new(id, begin, Ds::from_s(1), count, 0.2, None);
                optimizer.observe(seen.unwrap());
            }
            let outcome = optimizer.advance(TimeDs::from_s(second), &Unlimited);
            assert_eq!((outcome.refused.len(), outcome.refused_again), (0, 0), "{:?}", outcome.refused);
            published.extend(outcome.publications.into_iter().map(Validated::into_inner));
        }
        (network, published)
    }

    #[test]
    fn a_fixed_controller_is_told_its_own_plan_only() {
        let (network, published) = by_loops(Mode::Fixed);
        let own = network.controller(ONLY).time_of_day_plan();
        assert!(!published.is_empty(), "it is renewed");
        assert!(published.iter().all(|p| p.plan == own && p.schedule.is_none()));
    }

    #[test]
    fn where_nobody_sees_a_junction_its_loops_are_enough() {
        let (_, published) = by_loops(Mode::Schedule);
        let schedules = published.iter().filter(|p| p.schedule.is_some()).count();
        assert!(schedules > 50, "{schedules} of {}", published.len());
    }
}
