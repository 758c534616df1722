//! Planar geometry in metres: enough to draw a network and to measure its links.

use serde::{Deserialize, Serialize};

/// A point in the network's plane, metres east (`x`) and north (`y`) of its origin.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Point {
    /// Metres east.
    pub x: f64,
    /// Metres north.
    pub y: f64,
}

impl Point {
    /// Straight distance in metres.
    #[must_use]
    pub fn distance_m(self, other: Self) -> f64 {
        (self.x - other.x).hypot(self.y - other.y)
    }
}

/// A line through two or more points.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Polyline(pub Vec<Point>);

impl Polyline {
    /// Length along the line in metres.
    #[must_use]
    pub fn length_m(&self) -> f64 {
        self.0.windows(2).map(|w| w[0].distance_m(w[1])).sum()
    }

    /// The point `along_m` metres from the start, held to the ends; `None` for an empty line.
    #[must_use]
    pub fn point_at(&self, along_m: f64) -> Option<Point> {
        let first = *self.0.first()?;
        let mut left_m = along_m.max(0.0);
        if left_m == 0.0 {
            return Some(first);
        }
        for w in self.0.windows(2) {
            let d = w[0].distance_m(w[1]);
            if d > 0.0 && left_m <= d {
                let t = left_m / d;
                return Some(Point { x: w[0].x + (w[1].x - w[0].x) * t, y: w[0].y + (w[1].y - w[0].y) * t });
            }
            left_m -= d;
        }
        self.0.last().copied()
    }

    /// Where two lines come closest: on a point of both where they cross, else where the gap is narrowest. The first such
    /// place along `self` where there are several; `None` for an empty line.
    #[must_use]
    pub fn meeting(&self, other: &Self) -> Option<Meeting> {
        let mut best: Option<Meeting> = None;
        let mut mine_m = 0.0;
        for a in self.pieces() {
            let mut its_m = 0.0;
            for b in other.pieces() {
                let (s, t, gap_m) = closest(a, b);
                if best.is_none_or(|m| gap_m < m.gap_m) {
                    best = Some(Meeting {
                        mine_m: mine_m + s * a[0].distance_m(a[1]),
                        its_m: its_m + t * b[0].distance_m(b[1]),
                        gap_m,
                    });
                }
                its_m += b[0].distance_m(b[1]);
            }
            mine_m += a[0].distance_m(a[1]);
        }
        best
    }

    /// Its straight pieces; a line of one point has one piece without length.
    fn pieces(&self) -> impl Iterator<Item = [Point; 2]> + '_ {
        let single = (self.0.len() == 1).then(|| [self.0[0]; 2]);
        self.0.windows(2).map(|w| [w[0], w[1]]).chain(single)
    }
}

/// Where two lines come closest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Meeting {
    /// Metres along the first line.
    pub mine_m: f64,
    /// Metres along the second.
    pub its_m: f64,
    /// Metres between them there; zero where they cross.
    pub gap_m: f64,
}

/// Shares of two pieces at which they come closest, and the distance there.
fn closest(a: [Point; 2], b: [Point; 2]) -> (f64, f64, f64) {
    if let Some((s, t)) = crossing(a, b) {
        return (s, t, 0.0);
    }
    // Pieces that do not cross come closest at an end of one of them.
    let mut best = (0.0, 0.0, f64::INFINITY);
    for (end, point) in a.into_iter().enumerate() {
        let (t, gap_m) = nearest(point, b);
        if gap_m < best.2 {
            best = (end as f64, t, gap_m);
        }
    }
    for (end, point) in b.into_iter().enumerate() {
        let (s, gap_m) = nearest(point, a);
        if gap_m < best.2 {
            best = (s, end as f64, gap_m);
        }
    }
    best
}

/// Shares of two pieces at which they cross; `None` where they do not, or lie side by side.
fn crossing(a: [Point; 2], b: [Point; 2]) -> Option<(f64, f64)> {
    let (ax, ay) = (a[1].x - a[0].x, a[1].y - a[0].y);
    let (bx, by) = (b[1].x - b[0].x, b[1].y - b[0].y);
    let (dx, dy) = (b[0].x - a[0].x, b[0].y - a[0].y);
    let turn = ax * by - ay * bx;
    if turn == 0.0 {
        return None;
    }
    let (s, t) = ((dx * by - dy * bx) / turn, (dx * ay - dy * ax) / turn);
    ((0.0..=1.0).contains(&s) && (0.0..=1.0).contains(&t)).then_some((s, t))
}

/// Share of a piece at which it comes closest to a point, and the distance there.
fn nearest(point: Point, piece: [Point; 2]) -> (f64, f64) {
    let (x, y) = (piece[1].x - piece[0].x, piece[1].y - piece[0].y);
    let square = x * x + y * y;
    let along = (point.x - piece[0].x) * x + (point.y - piece[0].y) * y;
    let share = if square > 0.0 { (along / square).clamp(0.0, 1.0) } else { 0.0 };
    let foot = Point { x: piece[0].x + share * x, y: piece[0].y + share * y };
    (share, foot.distance_m(point))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(points: &[(f64, f64)]) -> Polyline {
        Polyline(points.iter().map(|&(x, y)| Point { x, y }).collect())
    }

    #[test]
    fn lines_that_cross_meet_there() {
        let east = line(&[(-10.0, 0.0), (-5.0, 0.0), (10.0, 0.0)]);
        let north = line(&[(0.0, -4.0), (0.0, 4.0)]);
        assert_eq!(east.meeting(&north), Some(Meeting { mine_m: 10.0, its_m: 4.0, gap_m: 0.0 }));
        assert_eq!(north.meeting(&east), Some(Meeting { mine_m: 4.0, its_m: 10.0, gap_m: 0.0 }));
    }

    #[test]
    fn lines_apart_meet_where_the_gap_is_narrowest() {
        let east = line(&[(0.0, 0.0), (10.0, 0.0)]);
        let bow = line(&[(0.0, 9.0), (4.0, 3.0), (10.0, 9.0)]);
        assert_eq!(east.meeting(&bow).map(|m| (m.mine_m, m.gap_m)), Some((4.0, 3.0)));
        let beside = line(&[(0.0, 2.0), (10.0, 2.0)]);
        assert_eq!(east.meeting(&beside), Some(Meeting { mine_m: 0.0, its_m: 0.0, gap_m: 2.0 }));
        let point = line(&[(12.0, 0.0)]);
        assert_eq!(east.meeting(&point), Some(Meeting { mine_m: 10.0, its_m: 0.0, gap_m: 2.0 }));
        assert_eq!(east.meeting(&line(&[])), None);
    }
}
