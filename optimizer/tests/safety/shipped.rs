//! The plans that real networks ship, and random splits on them. Needs `../shared/data`; says so where it is absent.

use std::path::Path;

use greenkerb_models::units::Ds;
use greenkerb_optimizer::safety::{Policy, validate_plan};

use crate::oracle;
use crate::sample::Dice;

const NETWORKS: [&str; 5] = ["cologne1", "cologne8", "grid4x4", "ingolstadt1", "ingolstadt7"];

/// Plans with random splits on every controller.
const SPLITS: usize = 200;

#[test]
fn what_real_networks_ship_passes() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/resco");
    let policy = Policy::default();
    let mut dice = Dice::new(8);
    for name in NETWORKS {
        let file = data.join(name).join(format!("{name}.net.xml"));
        if !file.exists() {
            println!("nothing to check: {name} is not beside this workspace");
            continue;
        }
        let network = greenkerb_models::formats::read(&file).expect("a network that is imported whole").network;
        for controller in network.controllers() {
            let shipped = controller.time_of_day_plan();
            assert_eq!(oracle::broken(&shipped, controller, policy.max_red.0), Vec::<u8>::new(), "{name}");
            if let Err(refusals) = validate_plan(shipped, controller, &policy) {
                panic!("{name}: {refusals}");
            }
            let minima = controller.program.min_splits();
            let fixed = controller.program.clearance_total();
            let spare = controller.limits.cycle_max.0 - fixed.0 - minima.iter().copied().sum::<Ds>().0;
            for _ in 0..SPLITS {
                let most = dice.within(0, spare) / minima.len() as u32;
                let splits: Vec<Ds> = minima.iter().map(|min| *min + Ds(dice.within(0, most))).collect();
                let plan = controller
                    .program
                    .compile(&controller.groups, &controller.conflicts, &splits, Ds(dice.within(0, 999)))
                    .unwrap();
                let expected = oracle::broken(&plan, controller, policy.max_red.0);
                let too_short = plan.cycle < controller.limits.cycle_min;
                match validate_plan(plan, controller, &policy) {
                    Ok(_) => assert!(expected.is_empty() && !too_short, "{name} {expected:?}"),
                    // Long cycles may make somebody wait too long; nothing else can be wrong.
                    Err(refusals) => {
                        let mut expected = expected;
                        assert!(expected.iter().all(|r| *r == 11), "{name}: {refusals}");
                        expected.extend(too_short.then_some(4));
                        expected.sort_unstable();
                        assert_eq!(refusals.rules(), expected, "{name}: {refusals}");
                    }
                }
            }
        }
    }
}

#[test]
fn what_is_derived_for_cityflow_passes() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/cityflow");
    for name in ["roadnet_4_4.json", "roadnet_3_4.json"] {
        let file = data.join(name);
        if !file.exists() {
            println!("nothing to check: {name} is not beside this workspace");
            continue;
        }
        let network = greenkerb_models::formats::read(&file).expect("a network that is imported whole").network;
        for controller in network.controllers() {
            let shipped = controller.time_of_day_plan();
            assert_eq!(oracle::broken(&shipped, controller, Policy::default().max_red.0), Vec::<u8>::new(), "{name}");
            if let Err(refusals) = validate_plan(shipped, controller, &Policy::default()) {
                panic!("{name}: {refusals}");
            }
        }
    }
}
