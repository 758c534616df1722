//! The greedy rule: show the stage that lets most vehicles go that are near the line and not held by one before them.
//!
//! The rule is that of the project's own measurements in SUMO (`greedyn7`, `greedyn10`): 50 m, head of line, half weight
//! for a green that yields, a decision every 7 or 10 s of green, nobody waits more than 120 s. Short as it is, it stands
//! at the level of published learners.

use greenkerb_models::units::Ds;

use super::Control;
use super::chooser::{Chooser, Question, Rhythm, Rule};
use super::max_pressure::head_of_line;
use crate::scenarios::Scenario;

/// What the rule and its sister `mpn10` see, and how often they decide.
pub(crate) const fn rhythm(every_s: u32, yellow_alone: Option<Ds>) -> Rhythm {
    Rhythm { every: Ds::from_s(every_s), red_max: Some(Ds::from_s(120)), horizon_m: 60.0, within_m: 50.0, yellow_alone }
}

struct Greedy;

impl Rule for Greedy {
    fn scores(&self, asked: &Question<'_>) -> Vec<f64> {
        let stages = &asked.junction.stages;
        stages.distinct().iter().map(|s| head_of_line::score(stages, *s, asked.queues, &|_| 0.0)).collect()
    }
}

/// The greedy rule with a decision every so many seconds of green; with `yellow_alone` as the clearance, where given.
#[must_use]
pub fn greedy(scenario: &Scenario, every_s: u32, yellow_alone: Option<Ds>) -> Box<dyn Control> {
    Box::new(Chooser::new(scenario, rhythm(every_s, yellow_alone), Greedy))
}
