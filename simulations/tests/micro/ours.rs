//! Our service's core in control of the built-in street.

use std::path::Path;
use std::sync::Arc;

use greenkerb_models::units::{Ds, TimeDs};
use greenkerb_simulations::cancel::Cancel;
use greenkerb_simulations::control::ours::{Ours, OursError, OursOptions};
use greenkerb_simulations::control::{Control, Plans, run};
use greenkerb_simulations::line::{Exchange, InProcessOptions};
use greenkerb_simulations::micro::{MicroOptions, Totals};
use greenkerb_simulations::scenarios::{Driving, Scenario, grid};

use crate::support::{scenario, steady_car, turning_demand};

/// A district with traffic for half an hour; `detectors` false takes them out of the network.
fn district(driving: Driving, detectors: bool) -> Scenario {
    let mut network = grid(2, 2, 250.0).unwrap();
    if !detectors {
        let mut parts = network.parts().clone();
        parts.detectors.clear();
        network = parts.build().unwrap();
    }
    let demand = turning_demand(&network, steady_car(), 450.0);
    let end = TimeDs::from_s(1_800);
    Scenario { end, ..scenario(Arc::new(network), demand, driving) }
}

fn drive(scenario: &Scenario, control: &mut dyn Control) -> (Totals, u64, f64) {
    let mut lost_s = 0.0;
    let mut listener = |street: &greenkerb_simulations::micro::Micro| {
        for event in street.events() {
            if let greenkerb_simulations::micro::What::Arrived { journey, .. } = event.what {
                lost_s += f64::from(journey.time_loss_s);
            }
        }
    };
    let ran = run(scenario, MicroOptions::default(), control, &mut listener, &Cancel::default(), &mut |_| {}).unwrap();
    assert_eq!(ran.violations, 0, "{:?}", ran.first_violation);
    let totals = ran.street.totals();
    (totals, ran.street.hash(), lost_s / totals.arrived as f64)
}

fn ours(scenario: &Scenario, options: OursOptions) -> (Totals, u64, f64, Exchange) {
    let mut ours = Ours::in_process(scenario, options, InProcessOptions::default()).unwrap();
    let (totals, hash, lost_s) = drive(scenario, &mut ours);
    assert!(!ours.solver_times_s().is_empty());
    assert!(ours.field().iter().all(|c| c.monitor().violations() == 0));
    (totals, hash, lost_s, ours.close().unwrap())
}

fn recorded(folder: &Path) -> OursOptions {
    OursOptions { record: Some(folder.to_owned()), ..OursOptions::default() }
}

#[test]
fn it_sees_the_street_and_moves_it_better_than_the_shipped_plans() {
    for driving in [Driving::CityFlow, Driving::Street] {
        let scenario = district(driving, true);
        let (totals, _, lost_s, exchange) = ours(&scenario, OursOptions::default());
        let (shipped, _, shipped_lost_s) = drive(&scenario, &mut Plans::shipped(&scenario));
        println!("{driving:?}: ours {lost_s:.1} s, shipped {shipped_lost_s:.1} s lost per vehicle; {totals:?}");
        assert!(totals.arrived > 500 && shipped.arrived > 500);
        assert!(lost_s < shipped_lost_s, "{driving:?}: ours {lost_s} s, shipped {shipped_lost_s} s");
        assert_eq!((exchange.failures, exchange.reports_refused, exchange.fallbacks), (0, 0, 0), "{exchange:?}");
        assert!(exchange.plans_activated > 20, "{exchange:?}");
    }
}

#[test]
fn the_same_run_is_the_same_bytes_with_a_recording_or_without() {
    let scenario = district(Driving::CityFlow, true);
    let folder = tempfile::tempdir().unwrap();
    let [first, second] = ["first", "second"].map(|name| folder.path().join(name));
    let (one, two) = (ours(&scenario, recorded(&first)), ours(&scenario, recorded(&second)));
    assert_eq!(one, two);
    assert_eq!(one, ours(&scenario, OursOptions::default()));
    for file in ["observations.ndjson", "timings.ndjson"] {
        let [a, b] = [&first, &second].map(|f| std::fs::read(f.join(file)).unwrap());
        assert!(a == b && a.len() > 1_000, "{file}");
    }
}

#[test]
fn a_network_without_detectors_gets_loops() {
    let bare = ours(&district(Driving::CityFlow, false), OursOptions::default());
    assert!(bare.3.reports_sent > 1_000 && bare.3.plans_activated > 20, "{:?}", bare.3);
}

#[test]
fn everything_broken_at_once_is_survived() {
    let faults = "silent:10%,stuck_on:10%,stuck_off:5%,lying:10%,noisy:20%,delayed:10%,delay_s:45,\
                  lost:25%,lost_from_s:300,lost_for_s:300,seed:3";
    let options = OursOptions { faults: faults.parse().unwrap(), ..OursOptions::default() };
    let (totals, _, lost_s, exchange) = ours(&district(Driving::CityFlow, true), options);
    println!("{lost_s:.1} s lost per vehicle; {totals:?}");
    assert!(totals.arrived > 400, "{totals:?}");
    assert_eq!((exchange.failures, exchange.reports_refused), (0, 0), "{exchange:?}");
}

#[test]
fn reports_come_at_whole_ticks() {
    let scenario = Scenario { tick: Ds(4), ..district(Driving::CityFlow, true) };
    let refused = Ours::in_process(&scenario, OursOptions::default(), InProcessOptions::default()).unwrap_err();
    assert!(matches!(refused, OursError::Interval { interval: Ds(10), tick: Ds(4) }), "{refused}");
    assert_eq!(OursOptions::for_scenario(&scenario).interval, Ds(12));
}

#[test]
fn schedules_are_run_without_a_refusal_or_a_violation() {
    for driving in [Driving::CityFlow, Driving::Street] {
        let scenario = district(driving, true);
        let (_, _, _, exchange) = ours(&scenario, OursOptions::with_schedules(&scenario));
        println!("{driving:?}: {exchange:?}");
        assert_eq!((exchange.plans_rejected, exchange.reports_refused), (0, 0), "{:?}", exchange.remarks);
        assert_eq!(exchange.fallbacks, 0, "a schedule follows upon the other");
        assert!(exchange.plans_activated > 100, "{exchange:?}");
        assert!(exchange.plans_served < exchange.polls, "nothing new is the answer now and then");
    }
}

#[test]
fn controllers_that_were_cut_off_come_back_from_their_own_plans() {
    let scenario = district(Driving::Street, true);
    let faults = "lost:50%,lost_from_s:300,lost_for_s:240,seed:7".parse().unwrap();
    let options = OursOptions { faults, ..OursOptions::with_schedules(&scenario) };
    let mut ours = Ours::in_process(&scenario, options, InProcessOptions::default()).unwrap();
    drive(&scenario, &mut ours);
    assert!(ours.field().iter().all(|c| c.monitor().violations() == 0));
    assert!(ours.field().iter().all(|c| c.running_schedule().is_some()), "all run schedules in the end");
    let exchange = ours.close().unwrap();
    println!("{exchange:?}");
    assert!(exchange.fallbacks > 0, "{exchange:?}");
    // What was made for a controller that could not hear it does not fit; it is known after the first refusal.
    assert!(exchange.plans_rejected <= 4, "{exchange:?}");
}
