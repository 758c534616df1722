//! Benchmarks made by hand, for tests.

use std::sync::Arc;

use greenkerb_models::units::{Ds, TimeDs};

use super::record::{RunRecord, RunWindow};
use super::setup::{Job, Setup};
use super::trace::Trace;
use crate::metrics::samples::demand;
use crate::metrics::{Arrivals, Emitted, Greens, Measures, SpillbackTime, Throughput, TotalDelay, TravelTime, Waits};
use crate::scenarios::{Driving, Scenario, grid};

/// One signal, ten minutes.
pub(crate) fn setup(controllers: &[&str], seeds: &[u64]) -> Setup {
    Setup {
        scenario: Scenario {
            name: "grid 1x1".into(),
            description: "One signal.".into(),
            network: Arc::new(grid(1, 1, 200.0).unwrap()),
            demand: Arc::new(demand()),
            begin: TimeDs(0),
            end: TimeDs::from_s(600),
            warm_up: Ds::ZERO,
            tick: Ds::from_s(1),
            driving: Driving::Street,
            congestion_aware: false,
            sources: Vec::new(),
        },
        scenario_argument: "grid:1x1".into(),
        controllers: controllers.iter().map(|c| (*c).to_owned()).collect(),
        seeds: seeds.to_vec(),
        notes: Vec::new(),
        demand_file: None,
        threads: 1,
    }
}

/// A run of a hundred vehicles that lost so much on average.
pub(crate) fn record(job: &Job, delay_s: f64) -> RunRecord {
    let delay =
        TotalDelay { total_delay_s_per_veh: delay_s, time_loss_s_per_veh: delay_s, depart_delay_s_per_veh: 0.0 };
    RunRecord {
        key: job.key.clone(),
        scenario: "grid 1x1".into(),
        window: Some(RunWindow { begin_s: 0.0, end_s: 600.0, warm_up_s: 0.0 }),
        controller: job.controller.clone(),
        seed: job.seed,
        violations: 0,
        first_violation: None,
        vehicle_steps: 1_000,
        event_hash: format!("{:016x}", job.seed),
        measures: Measures {
            delay: Some(delay),
            travel_time: TravelTime {
                native_s: Some(60.0 + delay_s),
                att_s: Some(30.0 + delay_s),
                trip_s: Some(50.0 + delay_s),
            },
            stops_per_veh: Some(0.5),
            throughput: Throughput {
                loaded: 100,
                inserted: 100,
                arrived: 98,
                undeparted: 0,
                parked: 0,
                ended_per_h: 588.0,
            },
            waits: Waits { max_wait_s: 3.0 * delay_s, max_stand_s: 2.0 * delay_s, max_outside_s: 0.0 },
            spread: None,
            arrivals: Arrivals { on_green: 40, all: 100 },
            greens: Greens { failed: 2, all: 40 },
            spillback: SpillbackTime::default(),
            emitted: Emitted { co2_kg: 20.0, nox_g: 10.0, pm25_g: 1.0, co_g: 100.0 },
            driven_m: 100_000.0,
            people: None,
            parking: None,
            gridlock_after_s: None,
            most_locked: 0,
            queue_profile_veh: vec![1.0, 2.0, delay_s / 10.0],
            link_counts_veh: std::collections::BTreeMap::new(),
            nodes: Vec::new(),
            approaches: Vec::new(),
            movements: Vec::new(),
        },
    }
}

/// An empty trace.
pub(crate) fn trace(job: &Job) -> Trace {
    Trace {
        key: job.key.clone(),
        controller: job.controller.clone(),
        seed: job.seed,
        from_s: 0.0,
        to_s: 600.0,
        forward: Vec::new(),
        backward: Vec::new(),
        forward_heads: Vec::new(),
        backward_heads: Vec::new(),
        link_queues_veh: Vec::new(),
    }
}
