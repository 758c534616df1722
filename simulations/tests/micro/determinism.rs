//! The same bytes for any number of threads, and from run to run.

use std::sync::Arc;

use greenkerb_simulations::micro::{Micro, MicroOptions, Totals};
use greenkerb_simulations::scenarios::{Driving, grid};

use crate::support::{scenario, show_programs, steady_car, turning_demand};

fn run(driving: Driving, seed: u64, threads: usize, steps: u32) -> (u64, Totals) {
    let network = Arc::new(grid(8, 7, 200.0).unwrap());
    let demand = turning_demand(&network, steady_car(), 400.0);
    let scenario = scenario(network, demand, driving);
    let mut street = Micro::new(&scenario, MicroOptions { seed, threads }).unwrap();
    for _ in 0..steps {
        show_programs(&mut street);
        street.step();
    }
    (street.hash(), street.totals())
}

#[test]
fn threads_do_not_change_what_happens() {
    for driving in [Driving::CityFlow, Driving::Street] {
        let one = run(driving, 7, 1, 400);
        assert!(one.1.arrived > 100, "{driving:?}: traffic moved: {:?}", one.1);
        assert_eq!(one, run(driving, 7, 2, 400), "{driving:?}");
        assert_eq!(one, run(driving, 7, 3, 400), "{driving:?}");
    }
}

#[test]
fn the_seed_changes_what_happens() {
    assert_ne!(run(Driving::Street, 1, 1, 100).0, run(Driving::Street, 2, 1, 100).0);
}
