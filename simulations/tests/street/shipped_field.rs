//! Field controllers that nobody tells anything execute the program of the file: SUMO must not be able to tell them from
//! its own. That holds lamps, stages, clearances, offsets and the order of things within a step together.

use greenkerb_simulations::sumo::{Control, SumoOptions, SumoReport, run};

use crate::options;
use crate::small::{Small, installation};

pub(crate) fn run_quietly(options: SumoOptions) -> SumoReport {
    run(options, |_| {}).unwrap_or_else(|e| panic!("{e}"))
}

/// Runs both and compares them, seed by seed.
pub(crate) fn assert_the_same(options: impl Fn(Control) -> SumoOptions) -> SumoReport {
    let shipped = run_quietly(options(Control::Shipped));
    let field = run_quietly(options(Control::ShippedField));
    assert_eq!(field.monitor_violations, 0, "{field}");
    for (a, b) in shipped.seeds.iter().zip(&field.seeds) {
        assert_eq!(a.delay, b.delay, "seed {}\n{shipped}\n{field}", a.seed);
    }
    shipped
}

#[test]
fn the_field_shows_what_sumo_shows() {
    let Some(sumo) = installation() else { return };
    let small = Small::make(&sumo);
    let report = assert_the_same(|control| SumoOptions { seeds: vec![1, 2], ..options(&small, control) });
    assert_eq!(report.collisions, 0);
    assert!(report.inserted > 100, "there is traffic to speak of: {report}");
    assert!(report.total_delay_s_per_veh > 1.0, "{report}");
}

#[test]
fn half_second_steps_show_the_same() {
    let Some(sumo) = installation() else { return };
    let small = Small::make(&sumo);
    let half = greenkerb_models::units::Ds(5);
    assert_the_same(|control| SumoOptions { step: half, end_s: 200, ..options(&small, control) });
}
