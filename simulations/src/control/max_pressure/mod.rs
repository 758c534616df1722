//! Max pressure in its forms: by lane counts, by head of line, with regard to room, in a fixed cycle, and as the papers
//! that use CityFlow run it.

mod capacity;
mod cyclic;
pub(crate) mod head_of_line;
mod lane_counts;
mod papers;

pub use cyclic::CyclicMaxPressure;
pub use papers::{PaperRule, Papers};

use greenkerb_models::units::Ds;

use super::Control;
use super::chooser::{Chooser, Rhythm};
use super::greedy;
use crate::scenarios::Scenario;

/// The acyclic forms that see whole lanes decide every so many seconds of green.
const EVERY: Ds = Ds::from_s(10);

/// Acyclic max pressure by lane counts, every 10 s: the textbook form, and nothing that keeps anybody from waiting.
#[must_use]
pub fn lane_counts(scenario: &Scenario) -> Box<dyn Control> {
    let rhythm = Rhythm { every: EVERY, red_max: None, horizon_m: 0.0, within_m: 0.0, yellow_alone: None };
    Box::new(Chooser::new(scenario, rhythm, lane_counts::LaneCounts))
}

/// Acyclic max pressure by head of line, 50 m, every 10 s (`mpn10`); with `yellow_alone` as the clearance, where given.
#[must_use]
pub fn head_of_line(scenario: &Scenario, yellow_alone: Option<Ds>) -> Box<dyn Control> {
    Box::new(Chooser::new(scenario, greedy::rhythm(10, yellow_alone), head_of_line::HeadOfLine))
}

/// Acyclic max pressure with regard to room, every 10 s.
#[must_use]
pub fn capacity_aware(scenario: &Scenario) -> Box<dyn Control> {
    let rhythm =
        Rhythm { every: EVERY, red_max: Some(Ds::from_s(120)), horizon_m: 150.0, within_m: 150.0, yellow_alone: None };
    Box::new(Chooser::new(scenario, rhythm, capacity::CapacityAware))
}
