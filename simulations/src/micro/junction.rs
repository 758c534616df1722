//! Where ways cross inside a node, from their courses: CityFlow's reading of a node, which knows no table of conflicts.

use greenkerb_models::ids::ConnectionId;
use greenkerb_models::network::{Network, Point, Polyline};

use super::strips::{StripId, Strips};

/// Below this two courses are parallel, or a point lies on a course, in metres (squared): CityFlow's own bound.
const TOUCH: f64 = 1e-8;

/// A way that crosses another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Cross {
    /// Where, along mine, in metres.
    pub(crate) mine_m: f64,
    /// The other way.
    pub(crate) foe: StripId,
    /// Where, along the other, in metres.
    pub(crate) its_m: f64,
}

/// Crosses of every connection, nearest first.
#[derive(Debug, Default)]
pub(crate) struct Crosses {
    all: Vec<Cross>,
    /// First cross of every strip, and one past the last.
    first: Vec<u32>,
}

impl Crosses {
    /// Every pair of connections of a node whose courses have a point in common, each at the first such point.
    pub(crate) fn by_geometry(network: &Network, strips: &Strips) -> Self {
        let mut at_node = vec![Vec::new(); network.nodes().len()];
        for m in network.movements() {
            at_node[m.node.index()].extend_from_slice(&m.connections);
        }
        let mut of_strip: Vec<Vec<Cross>> = vec![Vec::new(); strips.all.len()];
        for connections in &at_node {
            for (i, a) in connections.iter().enumerate() {
                for b in &connections[i + 1..] {
                    let shape = |c: &ConnectionId| &network.connection(*c).shape;
                    let Some((a_m, b_m)) = first_common(shape(a), shape(b)) else { continue };
                    let (sa, sb) = (strips.of_connection(*a), strips.of_connection(*b));
                    of_strip[sa as usize].push(Cross { mine_m: a_m, foe: sb, its_m: b_m });
                    of_strip[sb as usize].push(Cross { mine_m: b_m, foe: sa, its_m: a_m });
                }
            }
        }
        let mut crosses = Self { all: Vec::new(), first: vec![0] };
        for mut list in of_strip {
            list.sort_by(|x, y| x.mine_m.total_cmp(&y.mine_m).then(x.foe.cmp(&y.foe)));
            crosses.all.append(&mut list);
            crosses.first.push(crosses.all.len() as u32);
        }
        crosses
    }

    /// Crosses of a connection, nearest to its start first.
    pub(crate) fn of(&self, connection: StripId) -> &[Cross] {
        let i = connection as usize;
        match self.first.get(i..i + 2) {
            Some(span) => &self.all[span[0] as usize..span[1] as usize],
            None => &[],
        }
    }
}

/// The first point along `a` that lies on `b` too, as distances along both.
fn first_common(a: &Polyline, b: &Polyline) -> Option<(f64, f64)> {
    let mut along_a = 0.0;
    for p in a.0.windows(2) {
        let mut along_b = 0.0;
        for q in b.0.windows(2) {
            if let Some(x) = meeting(p[0], p[1], q[0], q[1]) {
                return Some((along_a + p[0].distance_m(x), along_b + q[0].distance_m(x)));
            }
            along_b += q[0].distance_m(q[1]);
        }
        along_a += p[0].distance_m(p[1]);
    }
    None
}

/// Where two stretches meet, their ends included; none for parallel ones.
fn meeting(a: Point, b: Point, c: Point, d: Point) -> Option<Point> {
    let minus = |p: Point, q: Point| Point { x: p.x - q.x, y: p.y - q.y };
    let cross = |p: Point, q: Point| p.x * q.y - p.y * q.x;
    let dot = |p: Point, q: Point| p.x * q.x + p.y * q.y;
    let (u, v) = (minus(b, a), minus(d, c));
    let spread = cross(u, v);
    if spread.abs() <= TOUCH {
        return None;
    }
    let t = cross(minus(c, a), v) / spread;
    let p = Point { x: a.x + u.x * t, y: a.y + u.y * t };
    let on = |from: Point, to: Point| {
        cross(minus(to, from), minus(p, from)).abs() <= TOUCH && dot(minus(p, from), minus(p, to)) <= TOUCH
    };
    (on(a, b) && on(c, d)).then_some(p)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(points: &[(f64, f64)]) -> Polyline {
        Polyline(points.iter().map(|(x, y)| Point { x: *x, y: *y }).collect())
    }

    #[test]
    fn courses_meet_at_the_first_point_they_share() {
        let across = line(&[(-10.0, 0.0), (0.0, 0.0), (10.0, 0.0)]);
        let up = line(&[(4.0, -3.0), (4.0, 7.0)]);
        assert_eq!(first_common(&across, &up), Some((14.0, 3.0)));
        let merging = line(&[(10.0, -5.0), (10.0, 0.0)]);
        assert_eq!(first_common(&across, &merging), Some((20.0, 5.0)));
        let beside = line(&[(-10.0, 1.0), (10.0, 1.0)]);
        assert_eq!(first_common(&across, &beside), None);
        let from_the_same_line = line(&[(-10.0, 0.0), (0.0, 8.0)]);
        assert_eq!(first_common(&across, &from_the_same_line), Some((0.0, 0.0)));
    }
}
