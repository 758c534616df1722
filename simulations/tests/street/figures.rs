//! The shipped plans of the shared scenarios: our measure is the published one, and our field executes them as SUMO does.

use std::path::{Path, PathBuf};

use greenkerb_simulations::sumo::SumoOptions;

use crate::shipped_field::assert_the_same;
use crate::small::installation;

/// Scenario, first and last second, and the mean total delay of seeds 1–3 in the design notes' table.
const PUBLISHED: [(&str, u32, u32, f64); 5] = [
    ("cologne1", 25_200, 28_800, 42.9),
    ("cologne8", 25_200, 28_800, 49.0),
    ("ingolstadt1", 57_600, 61_200, 29.3),
    ("ingolstadt7", 57_600, 61_200, 85.8),
    ("grid4x4", 0, 3_600, 91.5),
];

fn shared() -> Option<PathBuf> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/resco");
    if !data.is_dir() {
        println!("nothing checked: there is no {}", data.display());
    }
    data.is_dir().then_some(data)
}

#[test]
fn shipped_plans_give_the_published_delay_whoever_executes_them() {
    let (Some(_), Some(data)) = (installation(), shared()) else { return };
    for (name, begin_s, end_s, published) in PUBLISHED {
        let file = |kind: &str| data.join(name).join(format!("{name}.{kind}.xml"));
        let report = assert_the_same(|control| SumoOptions {
            seeds: vec![1, 2, 3],
            ..SumoOptions::new(file("net"), vec![file("rou")], begin_s, end_s, control)
        });
        println!("{report}");
        assert!((report.total_delay_s_per_veh - published).abs() < 0.051, "{name}: {published} published\n{report}");
    }
}
