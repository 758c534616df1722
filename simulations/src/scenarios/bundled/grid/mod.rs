//! `grid`: signals in columns and rows, from 2×2 to 100×100, uneven by a seed.

mod ways;

use std::collections::HashMap;

use greenkerb_models::demand::{DemandParts, Emission, Flow, Route, Way};
use greenkerb_models::ids::{CrossingId, LinkId, RouteId};
use greenkerb_models::network::{Network, Point};
use greenkerb_models::units::{Ds, TimeDs, VehPerHour};

use super::BundledError;
use super::finish::{Frame, built, drafted, finished};
use super::traffic::{CAR, kinds, slices, trip, walkers};
use crate::random::SplitMix64;
use crate::scenarios::Scenario;
use crate::scenarios::drafting::{Lanes, Lefts, Place, Plan, Rule, Street};
use crate::scenarios::loading::{CycleRule, Flows, saturations, time_signals};

pub(super) const ABOUT: &str = "Signals in columns and rows, of any size from 2x2 to 100x100, uneven by a seed.";

/// Most columns, and most rows.
pub const GRID_SIDE_MAX: u32 = 100;
/// Distance between two streets, and how far junctions lie off their lines.
const BLOCK_M: (f64, f64) = (150.0, 330.0);
const OFF_LINE_M: f64 = 12.0;
/// Length of the streets that lead to the edges of the map.
const EDGE_M: (f64, f64) = (180.0, 260.0);
/// Every third street or so is a main street.
const MAIN_CHANCE: f64 = 0.35;
const MAIN_MPS: f64 = 50.0 / 3.6;
const SIDE_MPS: [f64; 2] = [50.0 / 3.6, 40.0 / 3.6];
const PEOPLE_PER_H: f64 = 60.0;
/// Degree of saturation that one signal in a hundred may pass, as a multiple of the load asked for.
const BUSIEST_SHARE: f64 = 0.99;
const ROUNDS: usize = 4;

/// What grid to build.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GridOptions {
    /// Columns of signals.
    pub columns: u32,
    /// Rows of signals.
    pub rows: u32,
    /// Seed of everything that is uneven.
    pub seed: u64,
    /// How full the busiest signals are under the plan the network ships: 1 is their capacity.
    pub load: f64,
    /// Exactly so many vehicles instead, whatever that makes of the signals.
    pub vehicles: Option<u32>,
    /// How long vehicles come, in seconds.
    pub duration_s: u32,
    /// People cross at every signal.
    pub walkers: bool,
}

impl Default for GridOptions {
    fn default() -> Self {
        Self { columns: 4, rows: 4, seed: 1, load: 0.85, vehicles: None, duration_s: 4_500, walkers: true }
    }
}

impl GridOptions {
    /// Reads `COLSxROWS`, as in `10x8`.
    #[must_use]
    pub fn parse_size(text: &str) -> Option<(u32, u32)> {
        let (columns, rows) = text.split_once(['x', 'X'])?;
        Some((columns.trim().parse().ok()?, rows.trim().parse().ok()?))
    }

    /// Reads the name of a grid: `grid-10x8`, with a seed `grid-10x8-7`.
    #[must_use]
    pub(super) fn parse(name: &str) -> Option<Self> {
        let rest = name.strip_prefix("grid-")?;
        let (size, seed) = rest.split_once('-').unwrap_or((rest, "1"));
        let (columns, rows) = Self::parse_size(size)?;
        Some(Self { columns, rows, seed: seed.parse().ok()?, ..Self::default() })
    }

    fn check(&self) -> Result<(), BundledError> {
        let fits = |n: u32| (2..=GRID_SIDE_MAX).contains(&n);
        if !(fits(self.columns) && fits(self.rows)) {
            return Err(BundledError::Size { columns: self.columns, rows: self.rows });
        }
        let bad = |what, value: String, reason| Err(BundledError::Option { what, value, reason });
        if !(self.load.is_finite() && self.load > 0.0 && self.load <= 3.0) {
            return bad("load", self.load.to_string(), "above zero, at most 3");
        }
        if !(60..=86_400).contains(&self.duration_s) {
            return bad("duration", format!("{} s", self.duration_s), "from a minute to a day");
        }
        if self.vehicles == Some(0) {
            return bad("vehicles", "0".into(), "at least one");
        }
        Ok(())
    }
}

/// Where a place of a grid stands: column and row of a signal, or of an edge beside one.
type Spot = (i64, i64);

/// The plan of a grid, and which place stands where.
struct Laid {
    plan: Plan,
    places: HashMap<Spot, usize>,
    main_columns: Vec<bool>,
    main_rows: Vec<bool>,
}

/// Builds a grid.
///
/// # Errors
/// [`BundledError`] for sizes and options that no grid can have.
pub fn grid(options: &GridOptions) -> Result<Scenario, BundledError> {
    options.check()?;
    let (columns, rows) = (options.columns, options.rows);
    let mut chance = SplitMix64(options.seed ^ 0x6772_6964);
    let name = format!("grid-{columns}x{rows}-{}", options.seed);
    let laid = lay(&name, options, &mut chance);
    let (mut parts, network) = drafted(&name, &laid.plan)?;
    let routes = ways::routes(options, &laid, &network, &mut chance);
    let mut flows = Flows::none(&network);
    for r in &routes {
        flows.add(&network, r, 1.0);
    }
    // Splits follow flows, and how much fits follows splits.
    let mut factor = match options.vehicles {
        Some(n) => f64::from(n) * 3_600.0 / f64::from(options.duration_s) / routes.len() as f64,
        None => 1.0,
    };
    for _ in 0..ROUNDS {
        let scaled = flows.scaled(factor);
        let rule = CycleRule::Webster { min: Ds::from_s(60), max: Ds::from_s(100) };
        time_signals(&mut parts.controllers, &network, &scaled, |_| rule);
        if options.vehicles.is_none() {
            let mut full = saturations(&network, &parts.controllers, &scaled);
            full.sort_by(f64::total_cmp);
            let busiest = full[((full.len() - 1) as f64 * BUSIEST_SHARE).round() as usize];
            factor *= options.load / busiest.max(1e-6);
        }
    }
    let offsets = &mut chance;
    for c in &mut parts.controllers {
        let cycle: Ds = c.program.steps.iter().map(|s| s.shipped).sum();
        c.program.shipped_offset = Ds::from_s(offsets.below(u64::from(cycle.0 / 10).max(1)) as u32);
    }
    let demand = demand(options, &network, routes, factor, &mut chance);
    let frame = Frame {
        about: format!("{columns} by {rows} signals, uneven by seed {}.", options.seed),
        name: name.clone(),
        begin: TimeDs(0),
        end: TimeDs::from_s(i64::from(options.duration_s)),
        warm_up: Ds::from_s((options.duration_s / 5).min(900)),
    };
    drop(network);
    finished(frame, built(&name, parts)?, demand)
}

fn lay(name: &str, options: &GridOptions, chance: &mut SplitMix64) -> Laid {
    let (w, h) = (i64::from(options.columns), i64::from(options.rows));
    let between = |(low, high): (f64, f64), chance: &mut SplitMix64| low + (high - low) * chance.unit();
    let mut line = |n: i64| -> (Vec<f64>, Vec<bool>) {
        let mut at = vec![0.0];
        for _ in 1..n {
            at.push(at[at.len() - 1] + between(BLOCK_M, chance).round());
        }
        let main: Vec<bool> = (0..n).map(|_| chance.unit() < MAIN_CHANCE).collect();
        (at, main)
    };
    let ((xs, main_columns), (ys, main_rows)) = (line(w), line(h));
    let lefts = |c: i64, r: i64| {
        if main_columns[c as usize] || main_rows[r as usize] { Lefts::BothFromMain } else { Lefts::Permissive }
    };
    let mut plan = Plan { name: name.into(), ..Plan::default() };
    let mut places = HashMap::new();
    for r in 0..h {
        for c in 0..w {
            let off = |chance: &mut SplitMix64| ((chance.unit() - 0.5) * 2.0 * OFF_LINE_M).round();
            let at = Point { x: xs[c as usize] + off(chance), y: ys[r as usize] + off(chance) };
            places.insert((c, r), plan.places.len());
            plan.places.push(Place { name: format!("c{c}r{r}"), at, control: Rule::Signals(lefts(c, r)) });
        }
    }
    let mut edge = |spot: Spot, beside: Spot, name: String, chance: &mut SplitMix64| {
        let from = plan.places[places[&beside]].at;
        let out_m = between(EDGE_M, chance).round();
        let (dx, dy) = ((spot.0 - beside.0) as f64, (spot.1 - beside.1) as f64);
        places.insert(spot, plan.places.len());
        let at = Point { x: from.x + dx * out_m, y: from.y + dy * out_m };
        plan.places.push(Place { name, at, control: Rule::Edge });
    };
    for c in 0..w {
        edge((c, -1), (c, 0), format!("south{c}"), chance);
        edge((c, h), (c, h - 1), format!("north{c}"), chance);
    }
    for r in 0..h {
        edge((-1, r), (0, r), format!("west{r}"), chance);
        edge((w, r), (w - 1, r), format!("east{r}"), chance);
    }
    let mut join = |a: Spot, b: Spot, name: String, main: bool, chance: &mut SplitMix64| {
        let signal = |s: Spot| (0..w).contains(&s.0) && (0..h).contains(&s.1);
        let through = if main { 2 } else { 1 };
        let lanes = |to: Spot| Lanes::through(through).with_left(u32::from(signal(to)));
        let speed_mps = if main { MAIN_MPS } else { SIDE_MPS[chance.below(2) as usize] };
        plan.streets.push(Street {
            name,
            from: places[&a],
            to: places[&b],
            via: Vec::new(),
            speed_mps,
            main,
            forward: lanes(b),
            backward: Some(lanes(a)),
            crossings: (options.walkers && signal(a), options.walkers && signal(b)),
        });
    };
    for r in 0..h {
        for c in -1..w {
            join((c, r), (c + 1, r), format!("Row {r}"), main_rows[r as usize], chance);
        }
    }
    for c in 0..w {
        for r in -1..h {
            join((c, r), (c, r + 1), format!("Column {c}"), main_columns[c as usize], chance);
        }
    }
    Laid { plan, places, main_columns, main_rows }
}

fn demand(
    options: &GridOptions,
    network: &Network,
    routes: Vec<Vec<LinkId>>,
    factor: f64,
    chance: &mut SplitMix64,
) -> DemandParts {
    let mut demand = DemandParts { kinds: kinds(), ..DemandParts::default() };
    let (count, end) = (routes.len() as u64, TimeDs::from_s(i64::from(options.duration_s)));
    for (i, links) in routes.into_iter().enumerate() {
        let id = RouteId::at(i);
        let (emission, begin) = match options.vehicles {
            None => (Emission::Poisson(VehPerHour::new(factor).unwrap_or_default()), TimeDs(0)),
            Some(n) => {
                // The first routes take one more each, so that the sum is exact; each begins at a moment of its own.
                let n = u64::from(n);
                let share = n / count + u64::from((i as u64) < n % count);
                let period_ds = u64::from(options.duration_s) * 10 / share.max(1);
                (Emission::Count(share as u32), TimeDs(chance.below(period_ds.max(1)) as i64))
            }
        };
        if emission != Emission::Count(0) {
            let template = trip(format!("v{i}"), CAR, begin, Way::Along(id));
            demand.flows.push(Flow { template, end, emission });
        }
        demand.routes.push(Route { name: format!("r{i}"), links });
    }
    let whole = slices(0, i64::from(options.duration_s), &[1.0]);
    for x in 0..network.crossings().len() {
        walkers(&mut demand.people, CrossingId::at(x), PEOPLE_PER_H, &whole);
    }
    demand
}
