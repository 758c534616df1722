//! The demo city under the plans it ships.

use std::sync::Arc;

use greenkerb_models::ids::ControllerId;
use greenkerb_models::units::{Ds, TimeDs};
use greenkerb_optimizer::safety::{Policy, validate_plan};
use greenkerb_simulations::demo::{DAY, city, scenario};
use greenkerb_simulations::field::FieldController;
use greenkerb_simulations::micro::{Micro, MicroOptions, Totals};

const MIDNIGHT: TimeDs = TimeDs::from_s(20_514 * 86_400);

/// A street whose controllers run their own plans.
struct Shipped {
    street: Micro,
    controllers: Vec<FieldController>,
}

impl Shipped {
    fn new(seed: u64, start: TimeDs) -> Self {
        let scenario = scenario(Arc::new(city().unwrap()), start).unwrap();
        let mut street = Micro::new(&scenario, MicroOptions { seed, threads: 1 }).unwrap();
        street.repeat_every(DAY);
        let controllers = scenario.network.controllers().iter();
        let controllers = controllers.map(|c| FieldController::new(Arc::new(c.clone()), scenario.tick)).collect();
        Self { street, controllers }
    }

    fn seconds(&mut self, seconds: u32) -> Totals {
        for _ in 0..seconds {
            for (i, controller) in self.controllers.iter_mut().enumerate() {
                let now = self.street.now();
                self.street.show(ControllerId::at(i), controller.show(now));
            }
            self.street.step();
        }
        self.street.totals()
    }
}

#[test]
fn the_city_is_whole_and_every_plan_it_ships_is_safe() {
    let network = city().unwrap();
    assert_eq!(network.controllers().len(), 30);
    assert!(network.controllers().iter().any(|c| c.program.stage_count() > 2), "arterials have left-turn stages");
    for controller in network.controllers() {
        validate_plan(controller.time_of_day_plan(), controller, &Policy::default()).unwrap();
    }
}

#[test]
fn a_morning_flows_under_the_shipped_plans() {
    let mut shipped = Shipped::new(1, MIDNIGHT + Ds::from_s(7 * 3_600));
    let totals = shipped.seconds(5_400);
    println!("{totals:?}");
    assert!(totals.loaded > 3_000, "a city has traffic: {totals:?}");
    assert!(totals.arrived * 10 > totals.loaded * 9, "it does not lock up: {totals:?}");
    assert!(shipped.controllers.iter().all(|c| c.monitor().violations() == 0));
    let longest = shipped.street.on_road().filter_map(|v| Some(shipped.street.now().since(v.stands_since?))).max();
    assert!(longest.unwrap_or(0) < 3_000, "nobody stands for five minutes: {longest:?}");
}

#[test]
fn the_day_after_has_traffic_too() {
    // Begun in the evening: what comes after midnight are the flows of the day that is over, begun anew.
    let mut shipped = Shipped::new(2, MIDNIGHT + Ds::from_s(23 * 3_600 + 1_800));
    let before = shipped.seconds(1_800).loaded;
    let after = shipped.seconds(1_800).loaded - before;
    assert!(before > 50 && after > 30, "{before} before midnight, {after} after");
    assert!(after < before, "nights are quiet: {before} before midnight, {after} after");
}

#[test]
fn the_seed_decides_everything() {
    let run = |seed| {
        let mut shipped = Shipped::new(seed, MIDNIGHT + Ds::from_s(7 * 3_600));
        shipped.seconds(600);
        shipped.street.hash()
    };
    assert_eq!(run(7), run(7));
    assert_ne!(run(7), run(8));
}
