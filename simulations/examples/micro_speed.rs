//! How fast the built-in street is on this machine.
//!
//! ```text
//! cargo run --release -p greenkerb-simulations --example micro_speed -- cityflow ROADNET.json FLOW.json
//! cargo run --release -p greenkerb-simulations --example micro_speed -- threads [SIDE]
//! cargo run --release -p greenkerb-simulations --example micro_speed -- million
//! cargo run --release -p greenkerb-simulations --example micro_speed -- growth
//! ```
//!
//! `cityflow` runs an hour of a CityFlow scenario under fixed times on one thread. `threads` steps the same grid with one
//! and with two threads, in turns so that both meet the same neighbours on the machine. `million` steps a 100×100 grid
//! with a million vehicles. `growth` compares the cost of a vehicle-step at 10,000 and at 1,000,000 vehicles. A fifth
//! word `street` takes the street's own rules instead of CityFlow's. Times are CPU times where one thread works, wall
//! times where several do.

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

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let mut words: Vec<String> = std::env::args().skip(1).collect();
    let street = words.last().is_some_and(|w| w == "street");
    if street {
        words.pop();
    }
    let driving = if street { Driving::Street } else { Driving::CityFlow };
    println!("{} · {} · {driving:?}", machine(), std::env::consts::ARCH);
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["cityflow", roadnet, flow] => cityflow(Path::new(roadnet), Path::new(flow), driving),
        ["threads"] => threads(30, driving),
        ["threads", side] => threads(side.parse()?, driving),
        ["million"] => million(driving),
        ["growth"] => growth(driving),
        _ => Err("say cityflow ROADNET FLOW, threads [SIDE], million or growth".into()),
    }
}

fn cityflow(roadnet: &Path, flow: &Path, driving: Driving) -> Result<(), Failure> {
    let network = Arc::new(read_roadnet(roadnet, &RoadnetOptions::default())?.network);
    let demand = read_flow(flow, &network)?.demand;
    for round in 1..=5 {
        let mut street = street(&network, demand.clone(), driving, 1)?;
        let from_s = cpu_s()?;
        for _ in 0..3_600 {
            show_programs(&mut street);
            street.step();
        }
        report(&format!("round {round}, one hour"), &street, 0, cpu_s()? - from_s);
    }
    Ok(())
}

fn threads(side: u32, driving: Driving) -> Result<(), Failure> {
    let network = Arc::new(grid(side, side, 200.0)?);
    let links = network.links().len() as u32;
    let mut one = filled(&network, driving, 1, links * 12)?;
    let mut two = filled(&network, driving, 2, links * 12)?;
    let mut ratios = Vec::new();
    for _ in 0..30 {
        let (a, b) = (wall_s(&mut one, 10), wall_s(&mut two, 10));
        ratios.push(a / b);
    }
    ratios.sort_by(f64::total_cmp);
    println!("{side}x{side}: {} vehicles on the road", one.totals().on_road);
    let at = |share: f64| ratios[(share * (ratios.len() - 1) as f64) as usize];
    println!("one thread over two: median {:.2}, best tenth {:.2}", at(0.5), at(0.9));
    println!("hashes {:016x} and {:016x}", one.hash(), two.hash());
    if one.hash() != two.hash() { Err("the two runs differ".into()) } else { Ok(()) }
}

fn million(driving: Driving) -> Result<(), Failure> {
    let network = Arc::new(grid(100, 100, 200.0)?);
    println!("network: {} MB", memory_mb("VmRSS")?);
    let mut street = filled(&network, driving, 2, 1_000_000)?;
    let before = street.totals().vehicle_steps;
    let from = Instant::now();
    let mut steps = 0;
    while steps < 60 {
        show_programs(&mut street);
        street.step();
        steps += 1;
    }
    let spent_s = from.elapsed().as_secs_f64();
    report("60 s, two threads", &street, before, spent_s);
    println!("{:.1} x real time, {} MB now, {} MB at most", 60.0 / spent_s, memory_mb("VmRSS")?, memory_mb("VmHWM")?);
    Ok(())
}

fn growth(driving: Driving) -> Result<(), Failure> {
    let mut costs = Vec::new();
    for (side, vehicles) in [(10, 10_000), (100, 1_000_000)] {
        let network = Arc::new(grid(side, side, 200.0)?);
        let mut street = filled(&network, driving, 1, vehicles)?;
        let before = street.totals().vehicle_steps;
        let from_s = cpu_s()?;
        for _ in 0..if side == 10 { 1_000 } else { 30 } {
            show_programs(&mut street);
            street.step();
        }
        let spent_s = cpu_s()? - from_s;
        report(&format!("{side}x{side}"), &street, before, spent_s);
        costs.push(spent_s / (street.totals().vehicle_steps - before) as f64);
    }
    println!("a vehicle-step at a million costs {:.2} x what it costs at ten thousand", costs[1] / costs[0]);
    Ok(())
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
    println!("filled in {steps} steps: {} on the road, {} waiting", street.totals().on_road, street.totals().waiting);
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

fn report(what: &str, street: &Micro, before: u64, spent_s: f64) {
    let t = street.totals();
    let steps = t.vehicle_steps - before;
    println!(
        "{what}: {steps} vehicle-steps in {spent_s:.3} s: {:.2} M/s ({:.1} ns each); {} on the road, {} arrived",
        steps as f64 / spent_s / 1e6,
        spent_s * 1e9 / steps as f64,
        t.on_road,
        t.arrived
    );
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
