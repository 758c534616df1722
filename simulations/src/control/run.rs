//! One run of the built-in street under one controller, from the scenario's beginning to its end.

use std::sync::Arc;

use greenkerb_models::ids::ControllerId;
use greenkerb_models::signal::Indication;

use super::{Control, ControlError, Heads};
use crate::cancel::Cancel;
use crate::field::{ConflictMonitor, Violation};
use crate::micro::{Micro, MicroError, MicroOptions};
use crate::scenarios::Scenario;

/// How often in a run its progress is told, at most.
const TELLINGS: i64 = 200;

/// Why a run has no result.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The scenario cannot be driven.
    #[error(transparent)]
    Street(#[from] MicroError),
    /// The controller gave up.
    #[error(transparent)]
    Control(#[from] ControlError),
}

/// What a run left behind, beside what its listener gathered.
#[derive(Debug)]
pub struct Ran {
    /// The street as it was left.
    pub street: Micro,
    /// It was called off before the scenario's end.
    pub cancelled: bool,
    /// Safety violations that the conflict monitors saw, all controllers together.
    pub violations: u64,
    /// The first of them, with the signal controller's name.
    pub first_violation: Option<(String, Violation)>,
}

/// One monitor a signal controller, and what it last saw: a monitor that sees nothing new has nothing to say.
struct Watch {
    monitors: Vec<ConflictMonitor>,
    last: Vec<Vec<Indication>>,
}

impl Watch {
    fn of(scenario: &Scenario) -> Self {
        let controllers = scenario.network.controllers();
        Self {
            monitors: controllers.iter().map(|c| ConflictMonitor::new(Arc::new(c.clone()), scenario.tick)).collect(),
            last: vec![Vec::new(); controllers.len()],
        }
    }

    /// Shows the street what has changed, under the monitors' eyes.
    fn show(&mut self, street: &mut Micro, heads: &Heads) {
        for (i, (monitor, last)) in self.monitors.iter_mut().zip(&mut self.last).enumerate() {
            let now = heads.of(ControllerId::at(i));
            if last.as_slice() != now {
                monitor.look(street.now(), now);
                street.show(ControllerId::at(i), now);
                last.clear();
                last.extend_from_slice(now);
            }
        }
    }
}

/// Runs a scenario under a controller. `listener` sees the street after every step, with the events of that step;
/// `progress` is told the share of the run that is done, now and then.
///
/// # Errors
/// [`RunError`] when the demand cannot be driven or the controller gives up. A run that was called off is no error, unless
/// it had not begun yet: [`MicroError::Cancelled`].
pub fn run(
    scenario: &Scenario,
    options: MicroOptions,
    control: &mut dyn Control,
    listener: &mut dyn FnMut(&Micro),
    cancel: &Cancel,
    progress: &mut dyn FnMut(f64),
) -> Result<Ran, RunError> {
    let mut street = Micro::new_unless(cancel, scenario, options)?;
    let mut heads = Heads::red(&scenario.network);
    let mut watch = Watch::of(scenario);
    let length = scenario.end.since(scenario.begin).max(1);
    let every = (length / TELLINGS).max(1);
    let mut told = 0;
    while street.now() < scenario.end && !cancel.is_cancelled() {
        control.decide(&street, &mut heads)?;
        watch.show(&mut street, &heads);
        let before = street.now();
        street.step();
        listener(&street);
        let done = street.now().since(scenario.begin);
        if done / every > told {
            told = done / every;
            progress((done as f64 / length as f64).min(1.0));
        }
        debug_assert!(street.now() > before, "a step takes time");
        if street.now() <= before {
            break;
        }
    }
    let cancelled = street.now() < scenario.end;
    let first = watch.monitors.iter().enumerate().filter_map(|(i, m)| m.first_violation().map(|v| (i, v)));
    let first_violation = first
        .min_by_key(|(i, v)| (v.at, *i))
        .map(|(i, v)| (scenario.network.controller(ControllerId::at(i)).name.clone(), v.clone()));
    Ok(Ran {
        street,
        cancelled,
        violations: watch.monitors.iter().map(ConflictMonitor::violations).sum(),
        first_violation,
    })
}
