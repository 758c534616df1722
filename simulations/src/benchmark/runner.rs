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
use crate::micro::{MicroError, MicroOptions};

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
    setup.check_controllers(build)?;
    let arterial = Arterial::of(&setup.scenario.network, &setup.scenario.demand);
    let open = store.open_jobs();
    let (next, stop) = (AtomicUsize::new(0), Cancel::default());
    if cancel.is_cancelled() {
        stop.cancel();
    }
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
                        Err(e) => {
                            stop.cancel();
                            let _ = tell.send(Err(e));
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
            let work: f64 = parts.iter().map(|p| f64::from(p.load(Ordering::Relaxed)) / f64::from(PARTS)).sum();
            progress(Progress { runs: open.len(), finished, share: work / open.len().max(1) as f64 });
            if cancel.is_cancelled() {
                stop.cancel();
            }
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
) -> Result<Option<(RunRecord, Timing, Option<Trace>)>, BenchmarkError> {
    let began = Instant::now();
    let scenario = &setup.scenario;
    let mut control = build(&job.controller, scenario)?;
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
    );
    let ran = match ran {
        Err(RunError::Street(MicroError::Cancelled)) => return Ok(None),
        Err(RunError::Street(source)) if source.vehicle().is_some() => {
            let place = source.vehicle().and_then(|name| setup.place_of(name));
            return Err(BenchmarkError::Street { place: place.unwrap_or_else(|| scenario.name.clone()), source });
        }
        ran => {
            ran.map_err(|source| BenchmarkError::Run { controller: job.controller.clone(), seed: job.seed, source })?
        }
    };
    if ran.cancelled {
        return Ok(None);
    }
    let (measures, queues) = collector.finish();
    let run = RunRecord {
        key: job.key.clone(),
        scenario: scenario.name.clone(),
        window: Some(setup.window()),
        controller: job.controller.clone(),
        seed: job.seed,
        violations: ran.violations,
        first_violation: ran.first_violation.map(|(signal, v)| format!("signal '{signal}': {v}")),
        vehicle_steps: ran.street.totals().vehicle_steps,
        event_hash: format!("{:016x}", ran.street.hash()),
        measures,
    };
    let timing = Timing::new(job, began.elapsed().as_secs_f64(), control.solver_times_s());
    let trace = tracer.map(|t| t.finish(job, &scenario.network, &queues));
    Ok(Some((run, timing, trace)))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;
    use std::sync::Arc;

    use greenkerb_models::demand::{DemandParts, DepartLane, DepartSpeed, Emission, Flow, Trip, VehicleKind, Way};
    use greenkerb_models::formats::native_demand;
    use greenkerb_models::ids::{KindId, LinkId};
    use greenkerb_models::units::{Ds, TimeDs, VehPerHour};

    use super::super::samples::setup;
    use super::super::write_results;
    use super::*;
    use crate::control::build;
    use crate::scenarios::grid;

    /// Two signals in a row, a few hundred vehicles an hour from every side, six minutes.
    fn small() -> Setup {
        let mut s = setup(&["shipped", "greedyn7"], &[3, 4]);
        let network = Arc::new(grid(2, 1, 200.0).unwrap());
        let outside = |l: LinkId| network.node(network.link(l).from).controller.is_none();
        let template = |from: LinkId| Trip {
            name: network.link(from).name.clone(),
            kind: KindId(0),
            depart: TimeDs(0),
            way: Way::Turning { from },
            depart_lane: DepartLane::Best,
            depart_speed: DepartSpeed::Max,
            stays: Vec::new(),
            parking: None,
        };
        let flow = |from| Flow {
            template: template(from),
            end: TimeDs::from_s(360),
            emission: Emission::Poisson(VehPerHour::new(300.0).unwrap()),
        };
        let entries = (0..network.links().len()).map(LinkId::at).filter(|l| outside(*l));
        let parts = DemandParts {
            kinds: vec![VehicleKind::car("car")],
            flows: entries.map(flow).collect(),
            ..DemandParts::default()
        };
        s.scenario.demand = Arc::new(parts.build(&network).unwrap());
        s.scenario.network = network;
        s.scenario.end = TimeDs::from_s(360);
        s.scenario.warm_up = Ds::from_s(60);
        s
    }

    fn make(setup: &Setup, folder: &Path, jobs: usize) -> Result<Store, BenchmarkError> {
        let mut store = Store::open(folder, setup.jobs()?, "program")?;
        run(setup, &|name, s| build(name, s), &mut store, jobs, &Cancel::default(), &mut |_| ())?;
        write_results(setup, &store)?;
        Ok(store)
    }

    #[test]
    fn the_same_bytes_on_one_thread_and_on_three() {
        let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let mut setup = small();
        let store = make(&setup, a.path(), 1).unwrap();
        setup.threads = 2;
        make(&setup, b.path(), 3).unwrap();
        for name in ["runs.jsonl", "summary.csv", "manifest.json", "report.html", "traces/shipped.json"] {
            let read = |folder: &Path| fs::read(folder.join(name)).unwrap();
            assert!(read(a.path()) == read(b.path()), "{name}");
        }
        let runs: Vec<_> = store.runs().collect();
        assert_eq!(runs.len(), 4);
        for run in runs {
            let m = &run.measures;
            let t = m.throughput;
            assert!(t.loaded > 80 && t.inserted > 70, "{t:?}");
            assert_eq!(run.violations, 0, "{:?}", run.first_violation);
            assert!(m.delay.unwrap().total_delay_s_per_veh > 0.0);
            let native_s = m.travel_time.native_s.unwrap();
            assert!(native_s > m.delay.unwrap().total_delay_s_per_veh, "{native_s}");
            assert_eq!(m.queue_profile_veh.len(), 6);
            assert_eq!((m.nodes.len(), m.approaches.len()), (2, 8));
            let crossed: u64 = m.nodes.iter().map(|n| n.vehicles).sum();
            assert!(crossed >= t.arrived, "everybody passes a signal: {crossed}");
            assert!(m.emitted.co2_kg > 0.0 && m.driven_m > 0.0);
        }
        let trace = store.trace("shipped").unwrap();
        assert!(trace.forward.len() > 10 && trace.backward.len() > 10);
        assert_eq!(trace.forward_heads.len(), 2);
    }

    #[test]
    fn a_vehicle_without_a_way_is_told_with_its_file_and_line() {
        let folder = tempfile::tempdir().unwrap();
        let mut setup = small();
        let network = Arc::clone(&setup.scenario.network);
        let link = |name: &str| network.link_named(name).unwrap();
        // The other way round: a link that leads out, and one that leads in.
        let way = Way::Between { from: link("n0_0>n-1_0"), to: link("n-1_0>n0_0"), via: Vec::new() };
        let mut parts = setup.scenario.demand.parts().clone();
        parts.flows[1].template = Trip { name: "lost".into(), way, ..parts.flows[1].template.clone() };
        setup.scenario.demand = Arc::new(parts.build(&network).unwrap());
        let reason = "vehicle 'lost': no way leads from link 'n0_0>n-1_0' to link 'n-1_0>n0_0'";
        let refused = |setup: &Setup, out: &str| make(setup, &folder.path().join(out), 1).err().unwrap().to_string();
        assert_eq!(refused(&setup, "a"), format!("grid 1x1: {reason}"));
        let file = folder.path().join("town.gkd");
        native_demand::write_file(&network, &setup.scenario.demand, &file).unwrap();
        setup.demand_file = Some(file.clone());
        // The header, the kind, the first flow, and then this one.
        assert_eq!(refused(&setup, "b"), format!("{}:4: {reason}", file.display()));
    }

    #[test]
    fn a_run_that_is_called_off_before_it_begins_is_not_made() {
        let folder = tempfile::tempdir().unwrap();
        let (setup, cancel) = (small(), Cancel::default());
        cancel.cancel();
        let mut store = Store::open(folder.path(), setup.jobs().unwrap(), "program").unwrap();
        let error = run(&setup, &|name, s| build(name, s), &mut store, 1, &cancel, &mut |_| ()).unwrap_err();
        assert!(matches!(error, BenchmarkError::Cancelled { finished: 0, all: 4 }), "{error}");
        let options = MicroOptions::default();
        let made = crate::micro::Micro::new_unless(&cancel, &setup.scenario, options);
        assert_eq!(made.err(), Some(MicroError::Cancelled));
    }

    #[test]
    fn what_is_finished_is_not_made_again() {
        let folder = tempfile::tempdir().unwrap();
        let setup = small();
        let first = Cancel::default();
        let mut store = Store::open(folder.path(), setup.jobs().unwrap(), "program").unwrap();
        // Called off as soon as one run is finished.
        let error = run(&setup, &|name, s| build(name, s), &mut store, 1, &first, &mut |p| {
            if p.finished == 1 {
                first.cancel();
            }
        });
        let error = error.unwrap_err();
        assert!(matches!(error, BenchmarkError::Cancelled { finished: 1.., all: 4 }), "{error}");
        let kept = Store::open(folder.path(), setup.jobs().unwrap(), "program").unwrap();
        let open = kept.open_jobs().len();
        assert!((1..4).contains(&open), "{open} runs are left");
        let made = std::cell::RefCell::new(Vec::new());
        let mut store = kept;
        run(&setup, &|name, s| build(name, s), &mut store, 1, &Cancel::default(), &mut |p| {
            made.borrow_mut().push(p.finished);
        })
        .unwrap();
        assert_eq!(made.borrow().last(), Some(&open), "only the others are made");
        // The result is that of a benchmark in one go.
        write_results(&setup, &store).unwrap();
        let whole = tempfile::tempdir().unwrap();
        make(&setup, whole.path(), 2).unwrap();
        let report = |folder: &Path| fs::read(folder.join("report.html")).unwrap();
        assert!(report(folder.path()) == report(whole.path()));
    }

    #[test]
    fn a_controller_that_does_not_exist_is_told_before_anything_runs() {
        let folder = tempfile::tempdir().unwrap();
        let mut setup = small();
        setup.controllers.push("nobody".into());
        let error = make(&setup, folder.path(), 1).unwrap_err().to_string();
        assert!(error.starts_with("there is no controller 'nobody'"), "{error}");
        assert_eq!(fs::read_to_string(folder.path().join("runs.jsonl")).unwrap(), "");
    }
}
