//! The bundled scenarios: whole, the same every time, safe, and no fuller than their signals can serve.

use greenkerb_models::demand::{Emission, Way};
use greenkerb_models::ids::LinkId;
use greenkerb_models::network::Network;
use greenkerb_optimizer::safety::{Policy, validate_plan};
use greenkerb_simulations::scenarios::Scenario;
use greenkerb_simulations::scenarios::bundled::{GridOptions, NAMES, bundled, grid};
use greenkerb_simulations::scenarios::loading::{Flows, saturations};

/// Vehicles per hour on every movement while the most of them come.
fn busiest(s: &Scenario) -> Flows {
    let parts = s.demand.parts();
    let mut best: Option<(f64, Flows)> = None;
    let mut from = s.begin.0;
    while from < s.end.0 {
        let middle = from + 4_500;
        let mut flows = Flows::none(&s.network);
        let mut sum = 0.0;
        for f in parts.flows.iter().filter(|f| f.template.depart.0 <= middle && middle < f.end.0) {
            let hours = f.end.since(f.template.depart) as f64 / 36_000.0;
            let vph = match f.emission {
                Emission::Poisson(vph) => vph.get(),
                Emission::Every { period_s } => 3_600.0 / period_s,
                Emission::Count(n) => f64::from(n) / hours,
                Emission::Chance { per_s } => per_s * 3_600.0,
            };
            if let Way::Along(r) = &f.template.way {
                flows.add(&s.network, &s.demand.route(*r).links, vph);
                sum += vph;
            }
        }
        if best.as_ref().is_none_or(|b| sum > b.0) {
            best = Some((sum, flows));
        }
        from += 9_000;
    }
    best.unwrap().1
}

fn safe(network: &Network) {
    for c in network.controllers() {
        if let Err(refusals) = validate_plan(c.time_of_day_plan(), c, &Policy::default()) {
            panic!("{}: {refusals}", c.name);
        }
    }
}

/// Every lane for cars before a junction leads on, and every link can be reached from some edge.
fn connected(network: &Network) {
    for (i, l) in network.links().iter().enumerate() {
        let edge = |n| network.links_out_of(n).count() < 2;
        let id = LinkId::at(i);
        assert!(edge(l.to) || !network.movements_from(id).is_empty(), "{} leads nowhere", l.name);
        assert!(edge(l.from) || !network.movements_into(id).is_empty(), "nothing leads to {}", l.name);
        for lane in l.lanes.iter().filter(|x| network.lane(**x).admits.cars) {
            assert!(
                network.movements_from(id).is_empty() || !network.connections_from(*lane).is_empty(),
                "{} leads nowhere",
                network.lane(*lane).name
            );
        }
    }
}

fn summary(s: &Scenario) -> String {
    let (n, d) = (&s.network, s.demand.parts());
    let full = saturations(n, n.controllers(), &busiest(s));
    let mut sorted = full.clone();
    sorted.sort_by(f64::total_cmp);
    let worst = full.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map_or(0, |w| w.0);
    let cycles: std::collections::BTreeSet<u32> =
        n.controllers().iter().map(|c| c.time_of_day_plan().cycle.0 / 10).collect();
    format!(
        "{}: {} signals, {} nodes, {} links, {} lanes, {} connections, {} crossings, {} detectors; {} flows, {} routes, {} stops, {} facilities; saturation median {:.2}, highest {:.2} at {}; cycles {cycles:?}",
        s.name,
        n.controllers().len(),
        n.nodes().len(),
        n.links().len(),
        n.lanes().len(),
        n.connections().len(),
        n.crossings().len(),
        n.detectors().len(),
        d.flows.len(),
        d.routes.len(),
        d.stops.len(),
        d.facilities.len(),
        sorted[sorted.len() / 2],
        sorted[sorted.len() - 1],
        n.controllers()[worst].name,
    )
}

#[test]
fn every_bundled_scenario_is_whole_safe_and_below_capacity() {
    for (name, about) in NAMES {
        let s = bundled(name).unwrap();
        println!("{}", summary(&s));
        assert!(!about.is_empty() && s.begin < s.end);
        safe(&s.network);
        connected(&s.network);
        let full = saturations(&s.network, s.network.controllers(), &busiest(&s));
        let highest = full.iter().copied().fold(0.0, f64::max);
        assert!((0.6..1.0).contains(&highest), "{name}: {highest}");
        let again = bundled(name).unwrap();
        assert_eq!(again.network.parts(), s.network.parts(), "{name}");
        assert_eq!(again.demand, s.demand, "{name}");
    }
}

#[test]
fn riverside_is_the_district_it_says_it_is() {
    let s = bundled("riverside").unwrap();
    let (n, d) = (&s.network, s.demand.parts());
    assert!((60..=80).contains(&n.controllers().len()), "{}", n.controllers().len());
    assert_eq!(d.facilities.len(), 12);
    assert!(d.stops.len() >= 12 && d.flows.iter().filter(|f| !f.template.stays.is_empty()).count() == 6);
    // One bridge: two links join the banks, and no others.
    let south =
        |node: greenkerb_models::ids::NodeId| n.node(node).position.y < 45.0 * (n.node(node).position.x / 420.0).sin();
    let over: Vec<&str> = n.links().iter().filter(|l| south(l.from) != south(l.to)).map(|l| l.name.as_str()).collect();
    assert_eq!(over, ["e4>e5", "e5>e4"]);
    // Car parks get full, and hardly more than that.
    let parking = d.flows.iter().filter(|f| f.template.parking.is_some());
    let to_park: f64 = parking.map(|f| f.vehicles_between(s.begin, s.end)).sum();
    let free: u32 = d.facilities.iter().map(|f| f.capacity - f.occupied).sum();
    assert!((0.5..1.1).contains(&(to_park / f64::from(free))), "{to_park:.0} vehicles for {free} bays");
}

#[test]
fn grids_of_any_size_and_seed_are_whole_and_safe() {
    for (columns, rows, seed) in [(2, 2, 1), (3, 2, 9), (7, 5, 3)] {
        let options = GridOptions { columns, rows, seed, ..GridOptions::default() };
        let s = grid(&options).unwrap();
        println!("{}", summary(&s));
        assert_eq!(s.network.controllers().len() as u32, columns * rows);
        safe(&s.network);
        connected(&s.network);
        let full = saturations(&s.network, s.network.controllers(), &busiest(&s));
        assert!(full.iter().all(|f| *f < 1.05), "{full:?}");
    }
    let of = |seed| grid(&GridOptions { seed, ..GridOptions::default() }).unwrap().network.parts().clone();
    assert_ne!(of(1), of(2));
    assert_eq!(bundled("grid-3x2-9").unwrap().name, "grid-3x2-9");
}

#[test]
fn a_grid_holds_exactly_the_vehicles_asked_for() {
    let s = grid(&GridOptions { vehicles: Some(12_345), ..GridOptions::default() }).unwrap();
    let count: u32 =
        s.demand.parts().flows.iter().map(|f| if let Emission::Count(n) = f.emission { n } else { 0 }).sum();
    assert_eq!(count, 12_345);
}

#[test]
fn what_cannot_be_made_is_refused_by_name() {
    let said = |name: &str| bundled(name).unwrap_err().to_string();
    assert_eq!(
        said("atlantis"),
        "there is no scenario 'atlantis'; there are crossing, arterial, riverside, grid, and grids such as grid-10x8"
    );
    assert_eq!(said("grid-1x4"), "a grid of 1x4: sides from 2 to 100 can be built");
    assert_eq!(said("grid-200x4"), "a grid of 200x4: sides from 2 to 100 can be built");
    let load = grid(&GridOptions { load: f64::NAN, ..GridOptions::default() }).unwrap_err().to_string();
    assert_eq!(load, "load of NaN: above zero, at most 3");
}

/// The network's own plans must get along with the demand: nearly everybody arrives, nobody is stuck.
#[test]
fn riverside_flows_under_the_plans_it_ships() {
    use greenkerb_simulations::cancel::Cancel;
    use greenkerb_simulations::control;
    use greenkerb_simulations::micro::{Micro, MicroOptions};
    let s = bundled("riverside").unwrap();
    for seed in [1, 3] {
        let mut shipped = control::build("shipped", &s).unwrap();
        let mut worst = 0;
        let mut listener = |street: &Micro| {
            if street.now().0 % 600 == 0 {
                let stuck = |v: &greenkerb_simulations::micro::Vehicle| {
                    v.stands_since.is_some_and(|since| street.now().since(since) > 6_000)
                };
                worst = worst.max(street.on_road().filter(stuck).count());
            }
        };
        let options = MicroOptions { seed, threads: 1 };
        let ran = control::run(&s, options, shipped.as_mut(), &mut listener, &Cancel::default(), &mut |_| {}).unwrap();
        let totals = ran.street.totals();
        println!("{totals:?}, at most {worst} vehicles stood for ten minutes");
        assert_eq!(ran.violations, 0);
        let done = totals.arrived + totals.parked;
        assert!(done as f64 > 0.95 * totals.loaded as f64, "{totals:?}");
        assert!(worst < 20, "{worst} vehicles stood for ten minutes");
    }
}
