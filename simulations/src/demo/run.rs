//! The demo city and its service: detectors report, controllers poll and execute, at a pace one can watch.

use std::sync::Arc;
use std::time::{Duration, Instant};

use greenkerb_models::demand::DemandError;
use greenkerb_models::ids::{ControllerId, LaneId};
use greenkerb_models::network::Network;
use greenkerb_models::units::{Ds, TimeDs};
use serde::Serialize;

use super::traffic::{DAY, scenario};
use crate::cancel::Cancel;
use crate::control::ours::{Ours, OursError, OursOptions};
use crate::control::{Control, ControlError, Heads};
use crate::micro::{Micro, MicroError, MicroOptions, Totals};

/// How often progress is told, in real time.
const TELL_EVERY: Duration = Duration::from_secs(10);
/// So many requests may fail in a row before the demo gives up; a single lost one harms nobody.
const FAILURES_IN_A_ROW_MAX: u32 = 100;
/// Slower than this is queued, in metres per second.
const QUEUED_MPS: f32 = 1.4;

/// How fast the street runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pace {
    /// So many times real time.
    Times(f64),
    /// As fast as the service answers.
    Unbound,
}

/// What a demo is started with.
#[derive(Debug, Clone)]
pub struct DemoOptions {
    /// The city; the service has the same.
    pub network: Arc<Network>,
    /// Address of the service, whose clock is set by the data.
    pub address: String,
    /// Seed of all chance.
    pub seed: u64,
    /// What time it is when it begins.
    pub start: TimeDs,
    /// How long it goes on in the street's time; none for ever.
    pub length: Option<Ds>,
    /// How fast.
    pub pace: Pace,
    /// Calls it off.
    pub cancel: Cancel,
}

/// Why a demo ends early.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// There is no traffic for this network.
    #[error(transparent)]
    Demand(#[from] DemandError),
    /// The traffic cannot be driven.
    #[error(transparent)]
    Street(#[from] MicroError),
    /// The service does not answer, or runs another network.
    #[error(transparent)]
    Service(#[from] OursError),
    /// The service stays away.
    #[error(transparent)]
    Gone(#[from] ControlError),
}

/// How a demo goes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Progress {
    /// The street's time.
    pub at: TimeDs,
    /// Vehicles on the road.
    pub driving: u64,
    /// Vehicles that wait outside, because the first lane is full.
    pub outside: u64,
    /// Vehicles that left the city.
    pub arrived: u64,
    /// Vehicles that hardly move, per lane that ends at a signal.
    pub mean_queue_veh: f64,
    /// Controllers that run a published plan now.
    pub on_published_plan: usize,
    /// Plans that took over in the field.
    pub plans_active: u64,
    /// Plans the field would not run.
    pub plans_rejected: u64,
    /// Returns of a controller to its own plan because nothing newer came.
    pub fallbacks: u64,
    /// Times a conflict monitor saw what must not be.
    pub monitor_violations: u64,
    /// Reports the service refused.
    pub reports_refused: u64,
    /// Requests that failed.
    pub failures: u64,
    /// The newest plan the field would not run, refusal or failure, in words.
    pub remark: Option<String>,
}

/// A running demo.
#[derive(Debug)]
struct Demo {
    street: Micro,
    ours: Ours,
    heads: Heads,
    /// Lanes that end at a signal.
    approaches: Vec<LaneId>,
}

/// Runs the demo to its end, or until it is called off; tells how it goes every ten seconds and once at the end.
///
/// # Errors
/// [`DemoError`].
pub fn run(options: &DemoOptions, mut tell: impl FnMut(&Progress)) -> Result<Progress, DemoError> {
    let mut demo = Demo::new(options)?;
    let begun = Instant::now();
    let mut told = begun;
    let end = options.length.map(|length| options.start + length);
    while !options.cancel.is_cancelled() && end.is_none_or(|end| demo.street.now() < end) {
        demo.step()?;
        if let Pace::Times(times) = options.pace {
            let passed_s = demo.street.now().since(options.start) as f64 / 10.0;
            options.cancel.wait_until(begun, passed_s / times);
        }
        if told.elapsed() >= TELL_EVERY {
            told = Instant::now();
            tell(&demo.look());
        }
    }
    let last = demo.look();
    tell(&last);
    Ok(last)
}

impl Demo {
    fn new(options: &DemoOptions) -> Result<Self, DemoError> {
        let scenario = scenario(Arc::clone(&options.network), options.start)?;
        let line = OursOptions {
            key: format!("demo-{}", options.seed),
            failures_in_a_row_max: Some(FAILURES_IN_A_ROW_MAX),
            ..OursOptions::for_scenario(&scenario)
        };
        let ours = Ours::over_http(&scenario, line, &options.address)?;
        let mut street = Micro::new(&scenario, MicroOptions { seed: options.seed, threads: 1 })?;
        street.repeat_every(DAY);
        let network = &options.network;
        let controllers = (0..network.controllers().len()).map(ControllerId::at);
        let approaches = controllers.flat_map(|c| network.approach_lanes(c)).collect();
        Ok(Self { street, ours, heads: Heads::red(network), approaches })
    }

    /// One step of the street: reports, polls, heads, traffic.
    fn step(&mut self) -> Result<(), DemoError> {
        self.ours.decide(&self.street, &mut self.heads)?;
        for i in 0..self.street.network().controllers().len() {
            let id = ControllerId::at(i);
            self.street.show(id, self.heads.of(id));
        }
        self.street.step();
        Ok(())
    }

    fn look(&self) -> Progress {
        let Totals { waiting, on_road, arrived, .. } = self.street.totals();
        let (exchange, field) = (self.ours.exchange(), self.ours.field());
        let queued = |lane: &LaneId| self.street.on_lane(*lane).filter(|v| v.speed_mps < QUEUED_MPS).count();
        Progress {
            at: self.street.now(),
            driving: on_road,
            outside: waiting,
            arrived,
            mean_queue_veh: self.approaches.iter().map(queued).sum::<usize>() as f64
                / self.approaches.len().max(1) as f64,
            on_published_plan: field.iter().filter(|c| c.running_revision().is_some()).count(),
            plans_active: exchange.plans_activated,
            plans_rejected: exchange.plans_rejected,
            fallbacks: exchange.fallbacks,
            monitor_violations: field.iter().map(|c| c.monitor().violations()).sum(),
            reports_refused: exchange.reports_refused,
            failures: exchange.failures,
            remark: exchange.newest.clone(),
        }
    }
}
