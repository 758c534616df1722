//! How fast the built-in street is on this machine, beside what it is to reach.
//!
//! ```text
//! cargo bench -p greenkerb-benches --bench micro                     # everything
//! cargo bench -p greenkerb-benches --bench micro -- growth           # a part: hangzhou, threads, million, growth
//! cargo bench -p greenkerb-benches --bench micro -- growth street    # by the street's own rules, not CityFlow's
//! ```
//!
//! * `hangzhou`: an hour of the CityFlow scenario under fixed times, one thread; the data are test data beside the
//!   project.
//! * `threads`: the same 30×30 grid with one and with two threads, in turns, so that both meet the same neighbours on the
//!   machine; the bytes must be the same.
//! * `million`: a 100×100 grid with a million vehicles, two threads.
//! * `growth`: the cost of a vehicle-step at a million vehicles over that at ten thousand, in turns, each just after its
//!   grid was filled to as many vehicles a link.
//!
//! Times are CPU times where one thread works, wall times where several do. Results go to `target/micro.json` as well,
//! with the machine. Criterion measures the time of a call; here the calls are few and long, and what counts is their
//! number of vehicle-steps.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use greenkerb_models::demand::{
    DemandParts, DepartLane, DepartSpeed, Emission, Flow, SpeedFactor, Trip, VehicleKind, Way,
};
use greenkerb_models::formats::cityflow::{RoadnetOptions, read_flow, read_roadnet};
use greenkerb_models::ids::{ControllerId, KindId, LinkId};
use greenkerb_models::network::Network;
use greenkerb_models::signal::Indication;
use greenkerb_models::units::{Ds, TimeDs};
use greenkerb_simulations::micro::{Micro, MicroOptions};
use greenkerb_simulations::scenarios::{Driving, Scenario, grid};
use serde_json::json;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    // Cargo tells every bench that it is one.
    let words: Vec<String> = std::env::args().skip(1).filter(|w| w != "--bench").collect();
    let (rules, mut parts): (Vec<&str>, Vec<&str>) = words.iter().map(String::as_str).partition(|w| *w == "street");
    let driving = if rules.is_empty() { Driving::CityFlow } else { Driving::Street };
    if parts.is_empty() {
        parts = vec!["hangzhou", "threads", "million", "growth"];
    }
    let machine = machine();
    println!("{machine} · {driving:?}");
    let mut results = Vec::new();
    for part in parts {
        match part {
            "hangzhou" => results.extend(hangzhou(driving)?),
            "threads" => results.push(threads(driving)?),
            "million" => results.extend(million(driving)?),
            "growth" => results.push(growth(driving)?),
            other => {
                return Err(format!("there is no part '{other}'; there are hangzhou, threads, million, growth").into());
            }
        }
    }
    println!();
    for r in &results {
        let held = if (r.value >= r.goal) == r.more_is_better { "reached" } else { "MISSED" };
        let bound = if r.more_is_better { "at least" } else { "at most" };
        println!("{}: {:.2} {} ({bound} {}: {held})", r.name, r.value, r.unit, r.goal);
    }
    let told: Vec<_> =
        results.iter().map(|r| json!({ "name": r.name, "value": r.value, "unit": r.unit, "goal": r.goal })).collect();
    let all = json!({ "machine": machine, "driving": format!("{driving:?}"), "results": told });
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/micro.json");
    std::fs::write(&file, serde_json::to_string_pretty(&all)? + "\n")?;
    Ok(())
}

/// One figure, beside what it is to reach.
struct Figure {
    name: &'static str,
    value: f64,
    unit: &'static str,
    goal: f64,
    more_is_better: bool,
}

fn hangzhou(driving: Driving) -> Result<Option<Figure>, Failure> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/cityflow");
    if !data.is_dir() {
        println!("hangzhou: not measured, there is no {}", data.display());
        return Ok(None);
    }
    let network = Arc::new(read_roadnet(&data.join("roadnet_4_4.json"), &RoadnetOptions::default())?.network);
    let demand = read_flow(&data.join("anon_4_4_hangzhou_real.json"), &network)?.demand;
    let mut rates = Vec::new();
    for _ in 0..9 {
        let mut street = street(&network, demand.clone(), driving, 1)?;
        let from_s = cpu_s()?;
        for _ in 0..3_600 {
            show_programs(&mut street);
            street.step();
        }
        rates.push(street.totals().vehicle_steps as f64 / (cpu_s()? - from_s) / 1e6);
    }
    println!("hangzhou: million vehicle-steps a CPU second in each of {} hours: {rates:.1?}", rates.len());
    let value = median(&mut rates);
    Ok(Some(Figure {
        name: "hangzhou",
        value,
        unit: "million vehicle-steps a CPU second",
        goal: 12.0,
        more_is_better: true,
    }))
}

fn threads(driving: Driving) -> Result<Figure, Failure> {
    let network = Arc::new(grid(30, 30, 200.0)?);
    let vehicles = network.links().len() as u32 * 12;
    let mut one = filled(&network, driving, 1, vehicles)?;
    let mut two = filled(&network, driving, 2, vehicles)?;
    let mut ratios: Vec<f64> = (0..40).map(|_| wall_s(&mut one, 10) / wall_s(&mut two, 10)).collect();
    println!("threads: {} vehicles on the road, hash {:016x}", one.totals().on_road, one.hash());
    if one.hash() != two.hash() {
        return Err("one and two threads give different bytes".into());
    }
    let value = median(&mut ratios);
    Ok(Figure { name: "threads", value, unit: "x with the second core", goal: 1.7, more_is_better: true })
}

fn million(driving: Driving) -> Result<[Figure; 2], Failure> {
    let network = Arc::new(grid(100, 100, 200.0)?);
    let mut street = filled(&network, driving, 2, 1_000_000)?;
    let times_real = 60.0 / wall_s(&mut street, 60);
    let most_gb = memory_mb("VmHWM")? as f64 / 1_024.0;
    println!("million: {} vehicles on the road after a minute", street.totals().on_road);
    Ok([
        Figure { name: "million", value: times_real, unit: "x real time", goal: 10.0, more_is_better: true },
        Figure { name: "million", value: most_gb, unit: "GB at most", goal: 1.5, more_is_better: false },
    ])
}

fn growth(driving: Driving) -> Result<Figure, Failure> {
    const STEPS: u32 = 10;
    const FILLINGS: u32 = 25;
    let (near, far) = (Arc::new(grid(10, 10, 200.0)?), Arc::new(grid(100, 100, 200.0)?));
    let mut large = filled(&far, driving, 1, 1_000_000)?;
    let mut ratios = Vec::new();
    for _ in 0..6 {
        // Some kernels tell CPU time in parts of 2 ms, so that one look at the small street would say nothing. It drains
        // sooner, so it is filled anew for each.
        let (mut small_s, mut small_steps, mut vehicles) = (0.0, 0, 0);
        for _ in 0..FILLINGS {
            let mut small = filled(&near, driving, 1, 10_000)?;
            let (s, steps) = cost(&mut small, STEPS)?;
            (small_s, small_steps, vehicles) = (small_s + s, small_steps + steps, small.totals().on_road);
        }
        let small_ns = small_s * 1e9 / small_steps as f64;
        let (large_s, large_steps) = cost(&mut large, STEPS)?;
        let large_ns = large_s * 1e9 / large_steps as f64;
        println!(
            "growth: {small_ns:.1} ns a vehicle-step with {vehicles} vehicles, {large_ns:.1} ns with {}",
            large.totals().on_road
        );
        ratios.push(large_ns / small_ns);
    }
    let value = median(&mut ratios);
    Ok(Figure { name: "growth", value, unit: "x the cost", goal: 1.5, more_is_better: false })
}

/// CPU time of some steps, in seconds, and the vehicle-steps in them.
fn cost(street: &mut Micro, steps: u32) -> Result<(f64, u64), Failure> {
    let (before, from_s) = (street.totals().vehicle_steps, cpu_s()?);
    for _ in 0..steps {
        show_programs(street);
        street.step();
    }
    Ok((cpu_s()? - from_s, street.totals().vehicle_steps - before))
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// A grid with so many vehicles on it, or as many as get in within five minutes: they enter all over it and turn by
/// chance.
fn filled(network: &Arc<Network>, driving: Driving, threads: usize, vehicles: u32) -> Result<Micro, Failure> {
    let links = network.links().len() as u32;
    // Links that lead out of the map let vehicles go: those are filled from the rest.
    let inner: Vec<LinkId> = (0..links).map(LinkId).filter(|l| !network.movements_from(*l).is_empty()).collect();
    let each = vehicles.div_ceil(inner.len() as u32);
    let template = |from: LinkId| Trip {
        name: network.link(from).name.clone(),
        kind: KindId(0),
        depart: TimeDs(0),
        way: Way::Turning { from },
        depart_lane: DepartLane::Free,
        depart_speed: DepartSpeed::Max,
        stays: Vec::new(),
        parking: None,
    };
    let flows = inner.iter().map(|from| Flow {
        template: template(*from),
        end: TimeDs::from_s(i64::from(each) * 5),
        emission: Emission::Count(each),
    });
    let kinds = vec![VehicleKind { speed_factor: SpeedFactor::ONE, ..VehicleKind::car("car") }];
    let demand = DemandParts { kinds, flows: flows.collect(), ..DemandParts::default() }.build(network)?;
    let mut street = street(network, demand, driving, threads)?;
    let mut steps = 0;
    while steps < 300 && street.totals().on_road < u64::from(vehicles) {
        show_programs(&mut street);
        street.step();
        steps += 1;
    }
    Ok(street)
}

fn street(
    network: &Arc<Network>,
    demand: greenkerb_models::demand::Demand,
    driving: Driving,
    threads: usize,
) -> Result<Micro, Failure> {
    let scenario = Scenario {
        name: "speed".into(),
        description: String::new(),
        network: Arc::clone(network),
        demand: Arc::new(demand),
        begin: TimeDs(0),
        end: TimeDs::from_s(3_600),
        warm_up: Ds::ZERO,
        tick: Ds::from_s(1),
        driving,
        congestion_aware: false,
        sources: Vec::new(),
    };
    Ok(Micro::new(&scenario, MicroOptions { seed: 1, threads })?)
}

fn show_programs(street: &mut Micro) {
    let network = Arc::clone(street.network());
    for (i, c) in network.controllers().iter().enumerate() {
        let cycle: i64 = c.program.steps.iter().map(|s| i64::from(s.shipped.0)).sum();
        // Neighbours are apart, as in a city; otherwise all junctions change in the same step.
        let mut at = (street.now().0 + 70 * (i as i64 % 7)).rem_euclid(cycle.max(1));
        for s in &c.program.steps {
            at -= i64::from(s.shipped.0);
            if at < 0 {
                let shows: &[Indication] = &s.shows;
                street.show(ControllerId::at(i), shows);
                break;
            }
        }
    }
}

fn wall_s(street: &mut Micro, steps: u32) -> f64 {
    let from = Instant::now();
    for _ in 0..steps {
        show_programs(street);
        street.step();
    }
    from.elapsed().as_secs_f64()
}

/// CPU time of the calling thread, in seconds (Linux).
fn cpu_s() -> Result<f64, Failure> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let ns: f64 = text.split_whitespace().next().ok_or("schedstat is empty")?.parse()?;
    Ok(ns / 1e9)
}

/// A line of the kernel's view of this process's memory, in megabytes (Linux).
fn memory_mb(line: &str) -> Result<u64, Failure> {
    let text = std::fs::read_to_string("/proc/self/status")?;
    let found = text.lines().find_map(|l| l.strip_prefix(line)?.strip_prefix(':')).ok_or("no such line")?;
    let kb: u64 = found.split_whitespace().next().ok_or("an empty line")?.parse()?;
    Ok(kb / 1_024)
}

fn machine() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = text.lines().find_map(|l| l.strip_prefix("model name")?.split_once(':').map(|(_, m)| m.trim()));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{} · {cores} cores", model.unwrap_or("unknown processor"))
}
