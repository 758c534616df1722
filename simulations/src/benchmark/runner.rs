//! Makes the runs of a benchmark on some threads, and keeps each as soon as it is finished.

use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use super::arterial::Arterial;
use super::error::BenchmarkError;
use super::record::{RunRecord, Timing};
use super::setup::{ControlFactory, Job, Setup};
use super::store::Store;
use super::trace::{Trace, Tracer};
use crate::cancel::Cancel;
use crate::control::{self, RunError};
use crate::metrics::{Collector, Window};
use crate::micro::MicroOptions;

/// How often the bar is moved.
const TICK: Duration = Duration::from_millis(200);
/// Parts of a run that progress is counted in.
const PARTS: u32 = 1_000;

/// How far a benchmark has come.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// Runs to make.
    pub runs: usize,
    /// Runs finished in this go.
    pub finished: usize,
    /// Share of all the work of this go, 0 to 1.
    pub share: f64,
}

struct Finished {
    job: usize,
    run: RunRecord,
    timing: Timing,
    trace: Option<Trace>,
}

/// Makes every run that the store lacks, on `jobs` threads.
///
/// # Errors
/// [`BenchmarkError`]: a controller that does not fit is told before anything runs; the first run that breaks off ends the
/// others; being called off is an error too. Whatever was finished is kept.
pub fn run(
    setup: &Setup,
    build: &ControlFactory<'_>,
    store: &mut Store,
    jobs: usize,
    cancel: &Cancel,
    progress: &mut dyn FnMut(Progress),
) -> Result<(), BenchmarkError> {
    setup.check()?;
    for controller in &setup.controllers {
        build(controller, &setup.scenario, setup.seeds[0])?;
    }
    let arterial = Arterial::of(&setup.scenario.network);
    let open = store.open_jobs();
    let (next, stop) = (AtomicUsize::new(0), Cancel::default());
    let parts: Vec<AtomicU32> = open.iter().map(|_| AtomicU32::new(0)).collect();
    let traced: Vec<bool> = open.iter().map(|job| store.is_traced(*job)).collect();
    let all: Vec<Job> = store.jobs().to_vec();
    let (tell, results) = mpsc::channel::<Result<Finished, BenchmarkError>>();
    std::thread::scope(|threads| {
        for _ in 0..jobs.clamp(1, open.len().max(1)) {
            let tell = tell.clone();
            let (next, stop, parts, open, traced, all) = (&next, &stop, &parts, &open, &traced, &all);
            let arterial = arterial.as_ref();
            threads.spawn(move || {
                loop {
                    let i = next.fetch_add(1, Ordering::Relaxed);
                    let Some(job) = open.get(i) else { return };
                    if stop.is_cancelled() {
                        return;
                    }
                    let trace = traced[i].then_some(arterial);
                    let done = |share: f64| parts[i].store((share * f64::from(PARTS)) as u32, Ordering::Relaxed);
                    match one(setup, build, &all[*job], trace, stop, &done) {
                        Ok(Some((run, timing, trace))) => {
                            done(1.0);
                            let _ = tell.send(Ok(Finished { job: *job, run, timing, trace }));
                        }
                        Ok(None) => return,
                        Err(source) => {
                            stop.cancel();
                            let Job { controller, seed, .. } = all[*job].clone();
                            let _ = tell.send(Err(BenchmarkError::Run { controller, seed, source }));
                            return;
                        }
                    }
                }
            });
        }
        drop(tell);
        let mut finished = 0;
        let mut failed = None;
        loop {
            match results.recv_timeout(TICK) {
                Ok(Ok(f)) => {
                    finished += 1;
                    if let Err(e) = store.add(f.job, f.run, f.timing, f.trace) {
                        stop.cancel();
                        failed.get_or_insert(e);
                    }
                }
                Ok(Err(e)) => {
                    failed.get_or_insert(e);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if cancel.is_cancelled() {
                stop.cancel();
            }
            let work: f64 = parts.iter().map(|p| f64::from(p.load(Ordering::Relaxed)) / f64::from(PARTS)).sum();
            progress(Progress { runs: open.len(), finished, share: work / open.len().max(1) as f64 });
        }
        failed.map_or(Ok(()), Err)
    })?;
    let left = store.open_jobs().len();
    if left > 0 {
        return Err(BenchmarkError::Cancelled { finished: store.jobs().len() - left, all: store.jobs().len() });
    }
    store.rewrite()
}

/// Makes one run; none when it was called off.
fn one(
    setup: &Setup,
    build: &ControlFactory<'_>,
    job: &Job,
    trace: Option<Option<&Arterial>>,
    cancel: &Cancel,
    progress: &dyn Fn(f64),
) -> Result<Option<(RunRecord, Timing, Option<Trace>)>, RunError> {
    let began = Instant::now();
    let scenario = &setup.scenario;
    let mut control = build(&job.controller, scenario, job.seed)?;
    let mut collector = Collector::new(scenario, trace.is_some());
    let mut tracer = trace.map(|arterial| Tracer::new(&scenario.network, arterial, Window::of(scenario)));
    let mut looked = None;
    let options = MicroOptions { seed: job.seed, threads: setup.threads };
    let ran = control::run(
        scenario,
        options,
        control.as_mut(),
        &mut |street| {
            collector.observe(street);
            if let Some(tracer) = &mut tracer
                && looked != Some(collector.street().now())
            {
                looked = Some(collector.street().now());
                tracer.sample(collector.street());
            }
        },
        cancel,
        &mut |share| progress(share),
    )?;
    if ran.cancelled {
        return Ok(None);
    }
    let (measures, queues) = collector.finish();
    let run = RunRecord {
        key: job.key.clone(),
        scenario: scenario.name.clone(),
        controller: job.controller.clone(),
        seed: job.seed,
        violations: ran.violations,
        first_violation: ran.first_violation.map(|(signal, v)| format!("signal '{signal}': {v:?}")),
        vehicle_steps: ran.street.totals().vehicle_steps,
        measures,
    };
    let timing = Timing::new(job, began.elapsed().as_secs_f64(), control.solver_times_s());
    let trace = tracer.map(|t| t.finish(job, &scenario.network, &queues));
    Ok(Some((run, timing, trace)))
}
