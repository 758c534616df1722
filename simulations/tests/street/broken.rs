//! What goes wrong is said, and nothing hangs.

use greenkerb_simulations::line::LineError;
use greenkerb_simulations::sumo::{Control, OptionsError, Service, SumoError, SumoOptions, run};

use crate::options;
use crate::small::{Small, installation};

fn failure(options: SumoOptions) -> SumoError {
    run(options, |_| {}).expect_err("it must fail")
}

#[test]
fn sumo_says_why_it_died() {
    let Some(sumo) = installation() else { return };
    let small = Small::make(&sumo);
    std::fs::write(&small.routes, "<routes><vehicle id='v' route='nowhere' depart='0'/></routes>").unwrap();
    let error = failure(options(&small, Control::Shipped)).to_string();
    assert!(error.contains("SUMO ended by itself") && error.contains("nowhere"), "{error}");
}

#[test]
fn a_service_that_is_not_there_is_named() {
    let Some(sumo) = installation() else { return };
    let small = Small::make(&sumo);
    let nobody = Control::Ours(Service::At("http://127.0.0.1:9".into()));
    assert!(matches!(failure(options(&small, nobody)), SumoError::Line(LineError::Client(_))));
    let nothing = Control::Ours(Service::Spawn("/nowhere/greenkerb".into()));
    assert!(failure(options(&small, nothing)).to_string().contains("/nowhere/greenkerb"));
}

#[test]
fn a_run_can_be_called_off() {
    let Some(sumo) = installation() else { return };
    let small = Small::make(&sumo);
    let options = options(&small, Control::ShippedField);
    let cancel = options.cancel.clone();
    let outcome = run(options, |progress| {
        if progress.done_s == 20 {
            cancel.cancel();
        }
    });
    assert!(matches!(outcome, Err(SumoError::Cancelled)));
}

#[test]
fn options_that_make_no_run_are_refused() {
    let options = |begin_s, end_s| SumoOptions::new("x".into(), vec!["y".into()], begin_s, end_s, Control::Shipped);
    assert!(matches!(failure(options(10, 10)), SumoError::Options(OptionsError::Window { .. })));
    let no_seed = SumoOptions { seeds: vec![], ..options(0, 10) };
    assert!(matches!(failure(no_seed), SumoError::Options(OptionsError::NoSeed)));
    let rare = SumoOptions { interval_s: 61, ..options(0, 10) };
    assert!(matches!(failure(rare), SumoError::Options(OptionsError::Interval { .. })));
    assert!(matches!(failure(options(0, 10)), SumoError::NoFile { path } if path.as_os_str() == "y"));
}
