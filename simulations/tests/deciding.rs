//! What the optimizer proposes on grids of signals, whatever it is told.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use greenkerb_models::detection::Observation;
use greenkerb_models::ids::DetectorId;
use greenkerb_models::network::Network;
use greenkerb_models::plan::{PublishedPlan, ReasonKind};
use greenkerb_models::signal::TransitionMethod;
use greenkerb_models::units::{Ds, TimeDs};
use greenkerb_optimizer::safety::{Policy, Validated};
use greenkerb_optimizer::signals::{
    Exhausted, Method, Said, Settings, SignalOptimizer, StepOutcome, Unlimited, WorkBudget,
};
use greenkerb_simulations::demo::city;
use greenkerb_simulations::field::{FieldController, Order, State};
use greenkerb_simulations::scenarios::grid;
use proptest::prelude::*;

const SEVEN: TimeDs = TimeDs::from_s(25_200);
const SECOND: Ds = Ds::from_s(1);

/// Numbers that follow from a seed alone.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as f64 / (1u64 << 31) as f64
    }
}

/// Loops that say what chance wants: every 100 s each of them is busy, quiet, covered or anything between.
struct Loops {
    dice: Dice,
    busy: Vec<(f64, f64)>,
}

impl Loops {
    fn new(seed: u64) -> Self {
        Self { dice: Dice(seed), busy: Vec::new() }
    }

    fn tell(&mut self, network: &Network, optimizer: &mut SignalOptimizer, second: i64) {
        let detectors = network.detectors().len();
        if second % 100 == 0 {
            self.busy = (0..detectors).map(|_| (0.7 * self.dice.roll().powi(2), self.dice.roll())).collect();
        }
        for d in 0..detectors {
            let (flow_vps, covered) = self.busy[d];
            let count = u32::from(self.dice.roll() < flow_vps);
            let occupancy = if covered > 0.85 { 1.0 } else { (f64::from(count) * 0.4 * covered).min(1.0) };
            let begin = SEVEN + Ds(second as u32 * 10);
            let o = Observation::new(DetectorId::at(d), begin, SECOND, count, occupancy, None).unwrap();
            optimizer.observe(o);
        }
    }
}

/// Runs an optimizer for so many seconds and looks at what each step brings.
fn run(
    network: &Arc<Network>,
    settings: Settings,
    seed: u64,
    seconds: i64,
    mut look: impl FnMut(i64, &mut SignalOptimizer, &StepOutcome),
) {
    let mut optimizer = SignalOptimizer::new(Arc::clone(network), settings);
    let mut loops = Loops::new(seed);
    let mut late = Dice(seed ^ 0xabcd);
    let outcome = optimizer.start(SEVEN);
    look(-1, &mut optimizer, &outcome);
    let mut is_late = false;
    for second in 0..seconds {
        loops.tell(network, &mut optimizer, second);
        if second % 60 == 0 {
            is_late = late.roll() < 0.6;
        }
        let now = at(second);
        let outcome = if is_late { optimizer.advance(now, &Exhausted) } else { optimizer.advance(now, &Unlimited) };
        look(second, &mut optimizer, &outcome);
    }
}

/// Runs a network on what chance says; how often the answer came by pressure, and how often by search.
fn nothing_is_refused(network: &Arc<Network>, settings: Settings, seed: u64, seconds: i64) -> (usize, usize) {
    let (mut by_pressure, mut searched) = (0, 0);
    let mut refused = Vec::new();
    run(network, settings, seed, seconds, |second, _, outcome| {
        refused.extend(outcome.refused.iter().map(|(_, why)| format!("{second} s: {why}")));
        by_pressure += outcome.reports.iter().filter(|r| r.method == Method::MaxPressure).count();
        searched += outcome.reports.iter().filter(|r| r.method == Method::StoreAndForward).count();
    });
    assert!(refused.is_empty(), "seed {seed}: {refused:#?}");
    (by_pressure, searched)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_validator_has_nothing_to_refuse(seed: u64) {
        let network = Arc::new(grid(2, 2, 120.0).unwrap());
        let (by_pressure, searched) = nothing_is_refused(&network, Settings::default(), seed, 600);
        prop_assert!(by_pressure + searched > 10, "{by_pressure} by pressure, {searched} by search");
    }
}

/// The city has turns that may go without a stage of their own, so stages are left out and come back.
#[test]
fn stages_that_come_back_by_pressure_are_legal() {
    let network = Arc::new(city().unwrap());
    let (by_pressure, searched) = nothing_is_refused(&network, Settings::default(), 3, 420);
    assert!(by_pressure > 20 && searched > 20, "{by_pressure} by pressure, {searched} by search");
}

/// The field beside the optimizer: it polls each second, and says what it runs.
struct Field {
    network: Arc<Network>,
    transition: TransitionMethod,
    controllers: Vec<FieldController>,
    /// The newest order of each controller, and the lines that are cut.
    orders: Vec<Option<Order>>,
    cut: Vec<bool>,
    said: Vec<(String, Said, TimeDs)>,
    rejected: Vec<String>,
    switched_on: usize,
}

impl Field {
    fn new(network: &Arc<Network>, transition: TransitionMethod) -> Self {
        let count = network.controllers().len();
        let mut field = Self {
            network: Arc::clone(network),
            transition,
            controllers: Vec::new(),
            orders: vec![None; count],
            cut: vec![false; count],
            said: Vec::new(),
            rejected: Vec::new(),
            switched_on: 0,
        };
        field.switch_on();
        field
    }

    fn switch_on(&mut self) {
        let controllers = self.network.controllers().iter().map(|c| FieldController::new(Arc::new(c.clone()), SECOND));
        self.controllers = controllers.collect();
    }

    /// One second: it acts, tells what it did, and polls what is out by then.
    fn second(&mut self, optimizer: &mut SignalOptimizer, outcome: &StepOutcome, now: TimeDs) {
        for plan in outcome.publications.iter().map(Validated::get) {
            let id = self.network.controller_named(&plan.controller).unwrap();
            self.orders[id.index()] = Some(Order {
                revision: plan.revision,
                hash: plan.hash(self.transition),
                plan: plan.plan.clone(),
                valid_from: plan.valid_from,
                valid_until: plan.valid_until,
                configuration_checksum: plan.configuration_checksum.clone(),
                fallback: plan.fallback.plan.clone(),
                transition: self.transition,
            });
        }
        for (i, controller) in self.controllers.iter_mut().enumerate() {
            controller.show(now);
            if self.cut[i] {
                continue;
            }
            if let Some(order) = &self.orders[i] {
                controller.receive(order.clone(), now);
            }
            let name = controller.database().name.clone();
            for told in controller.acknowledge() {
                let said = match told.state {
                    State::Active => Said::Active(told.revision),
                    State::LocalMode => Said::LocalMode(told.revision),
                    State::SwitchedOn => {
                        self.switched_on += 1;
                        Said::LocalMode(told.revision)
                    }
                    State::Rejected(why) => {
                        self.rejected.push(format!("{name} {} at {}: {why}", told.revision.0, told.at.rfc3339()));
                        Said::Rejected(told.revision)
                    }
                    State::Received | State::Validated => Said::Heard(told.revision),
                };
                optimizer.hear(&name, said, told.at);
                self.said.push((name.clone(), said, told.at));
            }
        }
    }

    /// Controllers that do not run the newest plan whose moment has come.
    fn mismatches(&self, now: TimeDs) -> Vec<String> {
        let differs = |(i, order): (usize, &Option<Order>)| {
            let order = order.as_ref().filter(|o| o.valid_from <= now)?;
            let running = self.controllers[i].running_revision();
            (running != Some(order.revision)).then(|| format!("{i} runs {running:?}, not {:?}", order.revision))
        };
        self.orders.iter().enumerate().filter_map(differs).collect()
    }
}

fn at(second: i64) -> TimeDs {
    SEVEN + Ds((second + 1) as u32 * 10)
}

#[test]
fn every_way_into_step_is_the_one_the_field_goes() {
    let network = Arc::new(grid(2, 2, 120.0).unwrap());
    for transition in [TransitionMethod::ShortWay, TransitionMethod::Add, TransitionMethod::Dwell] {
        let policy = Policy { transition, ..Policy::default() };
        let mut field = Field::new(&network, transition);
        let mut from = BTreeMap::new();
        let (mut published, mut changed) = (0, 0);
        run(&network, Settings { policy, ..Settings::default() }, 5, 1500, |second, optimizer, outcome| {
            assert!(outcome.refused.is_empty(), "{transition:?}: {:?}", outcome.refused);
            for plan in outcome.publications.iter().map(Validated::get) {
                published += 1;
                changed += usize::from(plan.reasons[0].kind == ReasonKind::Changed);
                from.insert((plan.controller.clone(), plan.revision), plan.valid_from);
            }
            field.second(optimizer, outcome, at(second));
        });
        assert_eq!(field.rejected, Vec::<String>::new(), "{transition:?}");
        let mut taken = 0;
        for (name, said, at) in field.said {
            match said {
                Said::Active(revision) => {
                    taken += 1;
                    assert_eq!(from[&(name.clone(), revision)], at, "{transition:?}: {name} {revision:?}");
                }
                Said::Heard(_) => {}
                said => panic!("{transition:?}: {name} says {said:?}"),
            }
        }
        assert!(taken + network.controllers().len() >= published, "{transition:?}: {taken} of {published}");
        assert!(changed > 20, "{transition:?}: {changed} of {published} changed something");
        println!("{transition:?}: {published} published, {changed} of them changes, {taken} taken over, 0 refused");
    }
}

#[test]
fn controllers_that_are_switched_on_again_get_plans_that_fit() {
    let network = Arc::new(grid(2, 2, 120.0).unwrap());
    let mut field = Field::new(&network, TransitionMethod::ShortWay);
    let mut longest_s = 0;
    run(&network, Settings::default(), 11, 1500, |second, optimizer, outcome| {
        assert!(outcome.refused.is_empty(), "{:?}", outcome.refused);
        if second % 400 == 399 {
            field.switch_on();
        }
        field.second(optimizer, outcome, at(second));
        if !field.mismatches(at(second)).is_empty() {
            longest_s = longest_s.max((second + 1) % 400);
        }
    });
    assert_eq!(field.switched_on, 3 * network.controllers().len());
    assert_eq!(field.rejected, Vec::<String>::new());
    // A cycle of their own, and the time a plan is published ahead.
    assert!(longest_s <= 130, "out of step for {longest_s} s");
}

#[test]
fn a_street_and_a_service_that_start_again_find_each_other() {
    let network = Arc::new(grid(2, 2, 120.0).unwrap());
    let mut field = Field::new(&network, TransitionMethod::ShortWay);
    let mut last = BTreeMap::new();
    run(&network, Settings::default(), 7, 900, |second, optimizer, outcome| {
        for plan in &outcome.publications {
            last.insert(plan.get().controller.clone(), plan.clone());
        }
        field.second(optimizer, outcome, at(second));
        if second == 500 {
            // What is known about traffic is lost with the service; what was published is not, and the street starts anew.
            *optimizer = SignalOptimizer::new(Arc::clone(&network), Settings::default());
            optimizer.restore(last.values().cloned().collect());
            field.switch_on();
        }
    });
    assert!(field.switched_on > 0, "nobody was told that its plan came too late");
    assert_eq!(field.rejected, Vec::<String>::new());
    assert_eq!(field.mismatches(at(899)), Vec::<String>::new());
}

#[test]
fn a_controller_that_was_cut_off_comes_back_into_step() {
    let network = Arc::new(grid(2, 2, 120.0).unwrap());
    let mut field = Field::new(&network, TransitionMethod::ShortWay);
    run(&network, Settings::default(), 13, 1500, |second, optimizer, outcome| {
        assert!(outcome.refused.is_empty(), "{:?}", outcome.refused);
        field.cut[0] = (300..900).contains(&second);
        field.second(optimizer, outcome, at(second));
    });
    assert_eq!(field.mismatches(at(1499)), Vec::<String>::new());
    // What was published meanwhile cannot all fit when it is heard; what follows does.
    assert!(field.rejected.len() <= 2, "{:?}", field.rejected);
}

#[test]
fn little_work_is_shared_and_gives_the_same_plans_every_time() {
    let network = Arc::new(grid(4, 4, 120.0).unwrap());
    let plans = |work_us: u64| {
        let mut optimizer = SignalOptimizer::new(Arc::clone(&network), Settings::default());
        let mut loops = Loops::new(3);
        let mut plans: Vec<PublishedPlan> = Vec::new();
        let (mut by_pressure, mut searched, mut most) = (0, 0, 0);
        plans.extend(optimizer.start(SEVEN).publications.iter().map(|p| p.get().clone()));
        for second in 0..200 {
            loops.tell(&network, &mut optimizer, second);
            let outcome = optimizer.advance(at(second), &WorkBudget::of(Duration::from_micros(work_us)));
            most = most.max(outcome.reports.len());
            by_pressure += outcome.reports.iter().filter(|r| r.trouble.is_some()).count();
            searched += outcome.reports.iter().filter(|r| r.method == Method::StoreAndForward).count();
            plans.extend(outcome.publications.iter().map(|p| p.get().clone()));
        }
        assert_eq!(most, 16, "all controllers decide in one step");
        (plans, by_pressure, searched)
    };
    let ample = plans(500_000);
    assert_eq!((ample.1, ample.2 >= 16), (0, true), "half a second is enough for all of them");
    let scarce = plans(20_000);
    assert!(scarce.0 != ample.0, "what is scarce is felt");
    assert_eq!(scarce, plans(20_000));
}
