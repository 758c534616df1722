//! All junctions of a network at once.

use std::sync::Arc;

use greenkerb_models::detection::Picture;
use greenkerb_models::ids::{ControllerId, StageId};
use greenkerb_models::network::Network;
use greenkerb_models::signal::{Schedule, ScheduledStage, clearance_length};
use greenkerb_models::units::{Ds, TimeDs};

use crate::signals::Budget;

/// What a controller shows and has been promised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Running {
    /// The controller.
    pub controller: ControllerId,
    /// The stage that is green now, or the last that was, then what has been promised; never empty. All but the last end
    /// when they say; the last ends at `frozen_until` or later.
    pub stages: Vec<ScheduledStage>,
    /// Nothing before this instant can be changed any more.
    pub frozen_until: TimeDs,
}

/// What is to be done at a controller, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    /// The controller.
    pub controller: ControllerId,
    /// What it is to show. Begins with the stages of [`Running`].
    pub schedule: Schedule,
    /// Waiting that is expected within the horizon, person-seconds.
    pub expected_wait_s: f64,
    /// Why, in a sentence.
    pub reason: String,
}

/// Plans for the junctions of a network.
#[derive(Debug)]
pub struct Planner {
    network: Arc<Network>,
    /// What was seen last, by controller.
    pictures: Vec<Option<Picture>>,
}

impl Planner {
    /// A planner that has seen nothing yet.
    #[must_use]
    pub fn new(network: Arc<Network>) -> Self {
        let pictures = vec![None; network.controllers().len()];
        Self { network, pictures }
    }

    /// Takes what is seen at a junction; it takes the place of what was seen there before, unless it is older.
    pub fn see(&mut self, picture: Picture) {
        let slot = &mut self.pictures[picture.controller.index()];
        if slot.as_ref().is_none_or(|known| known.at <= picture.at) {
            *slot = Some(picture);
        }
    }

    /// Schedules for all the given controllers from `now` on, in their order.
    pub fn plan(&mut self, now: TimeDs, running: &[Running], budget: &dyn Budget) -> Vec<Planned> {
        let _ = (now, budget);
        running.iter().map(|r| self.in_turn(r)).collect()
    }

    /// Every stage in the program's order, ten seconds each.
    fn in_turn(&self, running: &Running) -> Planned {
        let controller = self.network.controller(running.controller);
        let minima = controller.program.min_splits();
        let mut stages = running.stages.clone();
        if let Some(last) = stages.last_mut() {
            last.end = last.end.max(last.start + minima[last.stage.index()].max(Ds::from_s(10)));
        }
        while let Some(last) = stages.last().copied().filter(|s| s.end < running.frozen_until + Ds::from_s(60)) {
            let next = StageId((last.stage.0 + 1) % minima.len() as u32);
            if next == last.stage {
                break;
            }
            let start = last.end + clearance_length(controller, last.stage, next);
            let end = start + minima[next.index()].max(Ds::from_s(10));
            stages.push(ScheduledStage { stage: next, start, end });
        }
        let schedule = Schedule { stages, frozen_until: running.frozen_until };
        let reason = "every stage in its turn".to_owned();
        Planned { controller: running.controller, schedule, expected_wait_s: 0.0, reason }
    }
}
