//! From middle lines to lanes: how wide streets are, and how far from the middle of a place their stop lines lie.

use std::f64::consts::{PI, TAU};

use greenkerb_models::ids::{LaneId, LinkId, NodeId};
use greenkerb_models::network::{Admits, Lane, Link, NetworkParts, Node, Polyline};
use greenkerb_models::units::{Metres, MetresPerSecond};

use super::plan::{Lanes, Plan, Rule};

/// Width of a lane, and of a lane for buses.
pub(super) const LANE_WIDTH_M: f64 = 3.25;
/// Radius that kerbs are rounded by.
const CORNER_M: f64 = 4.0;
/// Stop lines lie at least so far from the middle of a place where something crosses, and at most.
const SETBACK_M: (f64, f64) = (6.0, 45.0);
/// A crossing with the gaps before and behind it: 1 m from the stop line, 4 m wide, 1 m to the corner.
pub(super) const CROSSING_ROOM_M: f64 = 6.0;
/// From the stop line to the middle of the crossing.
pub(super) const CROSSING_MIDDLE_M: f64 = 3.0;
/// Share of a street that one of its places may take.
const SETBACK_SHARE_MAX: f64 = 0.35;
/// Streets that meet at more than this angle go on as one and do not narrow each other.
const STRAIGHT_ON: f64 = 160.0 / 180.0 * PI;

/// Where a street reaches a place.
#[derive(Debug, Clone)]
pub(super) struct Arm {
    /// The street.
    pub(super) street: usize,
    /// Direction away from the place, counted from east to the left, in radians from 0 to 2π.
    pub(super) heading: f64,
    /// Link that comes in here.
    pub(super) inbound: Option<LinkId>,
    /// Link that goes out here.
    pub(super) outbound: Option<LinkId>,
    /// Width on the left of the middle line and on the right of it, looking away from the place.
    pub(super) left_m: f64,
    pub(super) right_m: f64,
    /// From the middle of the place to the stop line.
    pub(super) setback_m: f64,
    /// People cross here.
    pub(super) crossing: bool,
    /// It is a main street.
    pub(super) main: bool,
}

/// What was laid out: arms of every place in order of heading, and lanes of every link.
pub(super) struct Layout {
    pub(super) arms: Vec<Vec<Arm>>,
    /// Lanes of every link as the plan has them.
    pub(super) lanes: Vec<Lanes>,
}

fn width_m(lanes: Lanes) -> f64 {
    f64::from(lanes.count()) * LANE_WIDTH_M
}

/// Lays nodes, links and lanes.
pub(super) fn lay(plan: &Plan, parts: &mut NetworkParts) -> Layout {
    for p in &plan.places {
        parts.nodes.push(Node { name: p.name.clone(), position: p.at, controller: None });
    }
    let mut arms: Vec<Vec<Arm>> = vec![Vec::new(); plan.places.len()];
    let mut lanes = Vec::new();
    for (s, street) in plan.streets.iter().enumerate() {
        let course = street.course(plan);
        let forward = LinkId::at(lanes.len());
        lanes.push(street.forward);
        let backward = street.backward.map(|l| {
            lanes.push(l);
            LinkId::at(lanes.len() - 1)
        });
        // A two-way street has its middle line between its directions, a one-way street in the middle of its only one.
        let (right_m, left_m) = match street.backward {
            Some(back) => (width_m(street.forward), width_m(back)),
            None => (width_m(street.forward) / 2.0, width_m(street.forward) / 2.0),
        };
        let heading = |d: Option<(f64, f64)>| d.map_or(0.0, |(x, y)| y.atan2(x).rem_euclid(TAU));
        let arm = |heading, inbound, outbound, (left_m, right_m), crossing| Arm {
            street: s,
            heading,
            inbound,
            outbound,
            left_m,
            right_m,
            setback_m: 0.0,
            crossing,
            main: street.main,
        };
        let out = heading(course.start_direction());
        arms[street.from].push(arm(out, backward, Some(forward), (left_m, right_m), street.crossings.0));
        let back = heading(course.end_direction().map(|(x, y)| (-x, -y)));
        arms[street.to].push(arm(back, Some(forward), backward, (right_m, left_m), street.crossings.1));
    }
    for (place, arms) in plan.places.iter().zip(&mut arms) {
        arms.sort_by(|a, b| a.heading.total_cmp(&b.heading).then(a.street.cmp(&b.street)));
        if place.control != Rule::Edge {
            set_back(plan, arms);
        }
    }
    for (s, street) in plan.streets.iter().enumerate() {
        let setback_m = |place: usize| arms[place].iter().find(|a| a.street == s).map_or(0.0, |a| a.setback_m);
        let course = street.course(plan);
        let cut = course.cut(setback_m(street.from), setback_m(street.to)).unwrap_or(course);
        let one_way = street.backward.is_none();
        let edge = if one_way { cut.beside(-width_m(street.forward) / 2.0) } else { cut.clone() };
        lay_link(parts, (street.from, street.to), plan, edge, street.forward, street.speed_mps);
        if let Some(back) = street.backward {
            let reversed = Polyline(cut.0.iter().rev().copied().collect());
            lay_link(parts, (street.to, street.from), plan, reversed, back, street.speed_mps);
        }
    }
    Layout { arms, lanes }
}

/// Puts stop lines where neither kerbs nor crossings of neighbours are in the way.
fn set_back(plan: &Plan, arms: &mut [Arm]) {
    let n = arms.len();
    for i in 0..n {
        let mut needed_m: f64 = 0.0;
        if n > 1 {
            let (before, here, after) = (&arms[(i + n - 1) % n], &arms[i], &arms[(i + 1) % n]);
            // Where the kerb lines of neighbours meet, along this arm.
            let meet = |angle: f64, mine_m: f64, theirs_m: f64| {
                if angle >= STRAIGHT_ON || angle <= 0.0 { 0.0 } else { (theirs_m + mine_m * angle.cos()) / angle.sin() }
            };
            let to_left = (after.heading - here.heading).rem_euclid(TAU);
            let to_right = (here.heading - before.heading).rem_euclid(TAU);
            needed_m = meet(to_left, here.left_m, after.right_m).max(meet(to_right, here.right_m, before.left_m));
        }
        if n > 2 {
            needed_m += CORNER_M;
        }
        let room_m = if arms[i].crossing { CROSSING_ROOM_M } else { 0.0 };
        let whole_m = plan.streets[arms[i].street].course(plan).length_m();
        let most_m = (whole_m * SETBACK_SHARE_MAX).min(SETBACK_M.1);
        arms[i].setback_m = (needed_m + room_m).max(SETBACK_M.0).min(most_m);
    }
}

fn lay_link(
    parts: &mut NetworkParts,
    (from, to): (usize, usize),
    plan: &Plan,
    edge: Polyline,
    lanes: Lanes,
    speed_mps: f64,
) {
    let link = LinkId::at(parts.links.len());
    let name = format!("{}>{}", plan.places[from].name, plan.places[to].name);
    let speed = MetresPerSecond::new(speed_mps).unwrap_or_default();
    let count = lanes.count();
    let middle_m = edge.beside(width_m(lanes) / 2.0).length_m();
    // Lanes of a bend differ a little in length; vehicles that change between them need them to be alike.
    let length = Metres::new(middle_m).unwrap_or_default();
    let ids: Vec<LaneId> = (0..count)
        .map(|index| {
            let id = LaneId::at(parts.lanes.len());
            let from_edge_m = (f64::from(count - 1 - index) + 0.5) * LANE_WIDTH_M;
            let bus_only = lanes.bus && index == 0;
            parts.lanes.push(Lane {
                name: format!("{name}.{index}"),
                link,
                index,
                length,
                speed,
                width: Metres::new(LANE_WIDTH_M).unwrap_or_default(),
                shape: edge.beside(from_edge_m),
                admits: Admits { cars: !bus_only, buses: true, ..Admits::default() },
            });
            id
        })
        .collect();
    parts.links.push(Link { name, from: NodeId::at(from), to: NodeId::at(to), lanes: ids, length, speed, shape: edge });
}

/// Name of an arm among those of its place: its street's, with a direction where the street has two arms here.
pub(super) fn arm_name(plan: &Plan, arms: &[Arm], arm: usize) -> String {
    let street = |a: &Arm| plan.streets[a.street].name.as_str();
    let mine = street(&arms[arm]);
    let alike: Vec<usize> = (0..arms.len()).filter(|&a| street(&arms[a]) == mine).collect();
    if alike.len() < 2 {
        return mine.to_owned();
    }
    let point = compass(arms[arm].heading);
    let twins = alike.iter().filter(|&&a| compass(arms[a].heading) == point).count();
    if twins < 2 { format!("{mine} {point}") } else { format!("{mine} {point} {arm}") }
}

/// The nearest of eight points of the compass.
fn compass(heading: f64) -> &'static str {
    const POINTS: [&str; 8] =
        ["east", "north-east", "north", "north-west", "west", "south-west", "south", "south-east"];
    POINTS[(heading / TAU * 8.0).round() as usize % 8]
}
