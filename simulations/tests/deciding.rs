//! What the optimizer proposes on grids of signals, whatever it is told.

use std::sync::Arc;

use greenkerb_models::detection::Observation;
use greenkerb_models::ids::DetectorId;
use greenkerb_models::network::Network;
use greenkerb_models::units::{Ds, TimeDs};
use greenkerb_optimizer::signals::{Exhausted, Method, Settings, SignalOptimizer, StepOutcome, Unlimited};
use greenkerb_simulations::demo::city;
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
fn run(network: &Arc<Network>, settings: Settings, seed: u64, seconds: i64, mut look: impl FnMut(i64, &StepOutcome)) {
    let mut optimizer = SignalOptimizer::new(Arc::clone(network), settings);
    let mut loops = Loops::new(seed);
    let mut late = Dice(seed ^ 0xabcd);
    look(-1, &optimizer.start(SEVEN));
    let mut is_late = false;
    for second in 0..seconds {
        loops.tell(network, &mut optimizer, second);
        if second % 60 == 0 {
            is_late = late.roll() < 0.6;
        }
        let now = SEVEN + Ds((second as u32 + 1) * 10);
        let outcome = if is_late { optimizer.advance(now, &Exhausted) } else { optimizer.advance(now, &Unlimited) };
        look(second, &outcome);
    }
}

/// Runs a network on what chance says; how often the answer came by pressure, and how often by search.
fn nothing_is_refused(network: &Arc<Network>, settings: Settings, seed: u64, seconds: i64) -> (usize, usize) {
    let (mut by_pressure, mut searched) = (0, 0);
    let mut refused = Vec::new();
    run(network, settings, seed, seconds, |second, outcome| {
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
