//! Streets of `riverside`: eight streets from south to north, five along each bank, bent with the river.

use greenkerb_models::ids::NodeId;
use greenkerb_models::network::Point;

use crate::scenarios::drafting::{Lanes, Lefts, Place, Plan, Rule, Street};

/// Distances of the streets before they are bent, in metres: eight from west to east, ten from south to north, the river
/// between the fifth and the sixth.
const XS: [f64; COLUMNS] = [0.0, 190.0, 360.0, 560.0, 740.0, 930.0, 1_110.0, 1_320.0];
const YS: [f64; ROWS] = [-960.0, -760.0, -560.0, -340.0, -130.0, 130.0, 320.0, 530.0, 760.0, 980.0];
const COLUMNS: usize = 8;
const ROWS: usize = 10;
const EDGE_M: f64 = 230.0;
/// The bends of the river, and of the streets that follow it.
const BEND: (f64, f64) = (45.0, 420.0);
const LEAN: (f64, f64) = (25.0, 310.0);
/// The bridge is on this street, between these rows.
const BRIDGE_COLUMN: usize = 4;
const BANKS: (usize, usize) = (4, 5);

const MAIN_MPS: f64 = 50.0 / 3.6;
const SIDE_MPS: f64 = 40.0 / 3.6;
const QUIET_MPS: f64 = 30.0 / 3.6;

/// A street of the map: its name, whether it is a main street, and its one direction: along the row or column, against it.
struct Line {
    name: &'static str,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Main,
    Side,
    /// One-way to the east or to the north.
    Up,
    /// One-way to the west or to the south.
    Down,
}

const fn line(name: &'static str, kind: Kind) -> Line {
    Line { name, kind }
}

const ROW_STREETS: [Line; ROWS] = [
    line("South Ring", Kind::Main),
    line("Market Street", Kind::Down),
    line("High Street", Kind::Up),
    line("Weaver Street", Kind::Side),
    line("South Quay", Kind::Main),
    line("North Quay", Kind::Main),
    line("Park Row", Kind::Down),
    line("Museum Street", Kind::Up),
    line("Arena Avenue", Kind::Main),
    line("Hill Street", Kind::Side),
];
/// Streets from south to north change their names at the river, all but the one with the bridge.
const COLUMN_STREETS: [(Line, Line); COLUMNS] = [
    (line("West Road", Kind::Main), line("Harbour Road", Kind::Main)),
    (line("Tanner Street", Kind::Side), line("Ropewalk", Kind::Side)),
    (line("Mill Lane", Kind::Up), line("Chapel Street", Kind::Side)),
    (line("Canal Street", Kind::Down), line("Library Street", Kind::Side)),
    (line("Bridge Street", Kind::Main), line("Bridge Street", Kind::Main)),
    (line("Abbey Street", Kind::Side), line("Garden Street", Kind::Side)),
    (line("Orchard Street", Kind::Side), line("Observatory Lane", Kind::Side)),
    (line("East Road", Kind::Main), line("Station Road", Kind::Main)),
];

/// Blocks that no street cuts: (row, western column) of a row's street, (column, southern row) of a column's.
const NO_ROW_STREET: [(usize, usize); 6] = [(1, 5), (2, 5), (3, 1), (6, 2), (7, 5), (9, 0)];
const NO_COLUMN_STREET: [(usize, usize); 3] = [(1, 2), (3, 7), (7, 8)];
/// Quiet corners without signals: (column, row).
const NO_SIGNAL: [(usize, usize); 15] = [
    (1, 1),
    (1, 3),
    (6, 1),
    (6, 2),
    (6, 3),
    (1, 6),
    (2, 6),
    (6, 6),
    (2, 7),
    (5, 7),
    (6, 7),
    (1, 9),
    (2, 9),
    (3, 9),
    (6, 9),
];
/// Streets that go on beyond the map: rows at their western and eastern end, columns at their southern and northern end.
const OUT_WEST: [usize; 5] = [0, 3, 4, 5, 8];
const OUT_EAST: [usize; 5] = [0, 4, 5, 6, 8];
const OUT_SOUTH: [usize; 5] = [0, 2, 3, 4, 7];
const OUT_NORTH: [usize; 4] = [0, 4, 5, 7];
/// Rows between which Bridge Street has lanes for buses.
const BUS_ROWS: (usize, usize) = (2, 7);

/// The drafted plan, and which places lie on which main street.
pub(super) struct Map {
    pub(super) plan: Plan,
    main: Vec<bool>,
}

/// Name of the place where a column meets a row.
pub(super) fn name(column: usize, row: usize) -> String {
    format!("{}{}", (b'a' + column as u8) as char, row)
}

/// Where a street before it is bent really lies.
pub(super) fn bent(x: f64, y: f64) -> Point {
    Point { x: (x + LEAN.0 * (y / LEAN.1).sin()).round(), y: (y + BEND.0 * (x / BEND.1).sin()).round() }
}

impl Map {
    pub(super) fn new() -> Self {
        let mut map = Self { plan: Plan { name: "riverside".into(), ..Plan::default() }, main: Vec::new() };
        for row in 0..ROWS {
            for column in 0..COLUMNS {
                map.place(column, row);
            }
        }
        for row in 0..ROWS {
            for column in 0..COLUMNS - 1 {
                if !NO_ROW_STREET.contains(&(row, column)) {
                    map.street(row_street(row), (column, row), (column + 1, row));
                }
            }
        }
        for column in 0..COLUMNS {
            for row in 0..ROWS - 1 {
                let river = row == BANKS.0 && column != BRIDGE_COLUMN;
                if !river && !NO_COLUMN_STREET.contains(&(column, row)) {
                    map.street(column_street(column, row), (column, row), (column, row + 1));
                }
            }
        }
        for (side, rows) in [(false, OUT_WEST), (true, OUT_EAST)] {
            for row in rows {
                let column = if side { COLUMNS - 1 } else { 0 };
                let x = if side { XS[column] + EDGE_M } else { XS[column] - EDGE_M };
                let label = if side { "east" } else { "west" };
                map.edge(row_street(row), (column, row), format!("{label}{row}"), bent(x, YS[row]), side);
            }
        }
        for (north, columns) in [(false, &OUT_SOUTH[..]), (true, &OUT_NORTH[..])] {
            for &column in columns {
                let row = if north { ROWS - 1 } else { 0 };
                let y = if north { YS[row] + EDGE_M } else { YS[row] - EDGE_M };
                let label = if north { "north" } else { "south" };
                map.edge(
                    column_street(column, row),
                    (column, row),
                    format!("{label}{column}"),
                    bent(XS[column], y),
                    north,
                );
            }
        }
        map
    }

    fn place(&mut self, column: usize, row: usize) {
        let main = row_street(row).kind == Kind::Main || column_street(column, row).kind == Kind::Main;
        let control = match (main, NO_SIGNAL.contains(&(column, row))) {
            (true, _) => Rule::Signals(Lefts::BothFromMain),
            (false, true) => Rule::MainFirst,
            (false, false) => Rule::Signals(Lefts::Permissive),
        };
        self.plan.places.push(Place { name: name(column, row), at: bent(XS[column], YS[row]), control });
        self.main.push(main);
    }

    fn index(column: usize, row: usize) -> usize {
        row * COLUMNS + column
    }

    fn signals(&self, place: usize) -> bool {
        matches!(self.plan.places[place].control, Rule::Signals(_))
    }

    fn street(&mut self, line: &Line, from: (usize, usize), to: (usize, usize)) {
        let (a, b) = (Self::index(from.0, from.1), Self::index(to.0, to.1));
        let bus = line.name == "Bridge Street" && (BUS_ROWS.0..BUS_ROWS.1).contains(&from.1);
        self.add(line, a, b, bus);
    }

    fn edge(&mut self, line: &Line, at: (usize, usize), name: String, spot: Point, beyond: bool) {
        let inner = Self::index(at.0, at.1);
        let outer = self.plan.places.len();
        self.plan.places.push(Place { name, at: spot, control: Rule::Edge });
        self.main.push(line.kind == Kind::Main);
        let (from, to) = if beyond { (inner, outer) } else { (outer, inner) };
        self.add(line, from, to, false);
    }

    /// Lays a street whose row or column leads from `a` to `b`.
    fn add(&mut self, line: &Line, a: usize, b: usize, bus: bool) {
        let lanes = |to: usize| {
            let signals = self.signals(to);
            let lanes = match line.kind {
                Kind::Main => Lanes::through(2).with_left(u32::from(signals)),
                Kind::Side => Lanes::through(1).with_left(u32::from(signals && self.main[to])),
                Kind::Up | Kind::Down => Lanes::through(2),
            };
            if bus { lanes.with_bus_lane() } else { lanes }
        };
        let (from, to, backward) = match line.kind {
            Kind::Down => (b, a, None),
            Kind::Up => (a, b, None),
            Kind::Main | Kind::Side => (a, b, Some(lanes(a))),
        };
        let speed_mps = match line.kind {
            Kind::Main => MAIN_MPS,
            Kind::Up | Kind::Down => SIDE_MPS,
            Kind::Side => QUIET_MPS,
        };
        self.plan.streets.push(Street {
            name: line.name.into(),
            from,
            to,
            via: Vec::new(),
            speed_mps,
            main: line.kind == Kind::Main,
            forward: lanes(to),
            backward,
            crossings: (self.signals(from), self.signals(to)),
        });
    }

    /// True where a node lies on a main street.
    pub(super) fn on_main_street(&self, node: NodeId) -> bool {
        self.main[node.index()]
    }

    /// Places along every main street, the most important first.
    pub(super) fn main_streets(&self) -> Vec<Vec<String>> {
        let column = |c: usize, rows: std::ops::Range<usize>, south: bool, north: bool| {
            let mut along: Vec<String> = south.then(|| format!("south{c}")).into_iter().collect();
            along.extend(rows.map(|r| name(c, r)));
            along.extend(north.then(|| format!("north{c}")));
            along
        };
        let row = |r: usize| {
            let mut along = vec![format!("west{r}")];
            along.extend((0..COLUMNS).map(|c| name(c, r)));
            along.push(format!("east{r}"));
            along
        };
        vec![
            column(BRIDGE_COLUMN, 0..ROWS, true, true),
            row(BANKS.0),
            row(BANKS.1),
            row(8),
            row(0),
            column(0, 0..BANKS.1, true, false),
            column(COLUMNS - 1, 0..BANKS.1, true, false),
            column(0, BANKS.1..ROWS, false, true),
        ]
    }
}

fn row_street(row: usize) -> &'static Line {
    &ROW_STREETS[row]
}

fn column_street(column: usize, row: usize) -> &'static Line {
    let (south, north) = &COLUMN_STREETS[column];
    if row < BANKS.1 && !(row == BANKS.0 && column == BRIDGE_COLUMN) { south } else { north }
}
