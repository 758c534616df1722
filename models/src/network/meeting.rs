//! Where two ways across a node meet, by their courses alone.

use crate::network::{Point, Polyline};

/// Two numbers closer than this are one: far below what any map resolves.
const NEAR: f64 = 1e-8;

/// Where two ways meet, along each of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Meeting {
    /// Metres along the first.
    pub first_at_m: f64,
    /// Metres along the second.
    pub second_at_m: f64,
}

impl Meeting {
    /// The first point of `first` at which `second` crosses or touches it. Stretches that run in parallel do not count:
    /// use [`Meeting::within`] for ways that run into one lane.
    #[must_use]
    pub fn crossing(first: &Polyline, second: &Polyline) -> Option<Self> {
        if !boxes_touch(first, second, NEAR) {
            return None;
        }
        let mut along_first_m = 0.0;
        for a in first.0.windows(2) {
            let mut along_second_m = 0.0;
            for b in second.0.windows(2) {
                if let Some((t, u)) = crossing_of_segments((a[0], a[1]), (b[0], b[1])) {
                    return Some(Self {
                        first_at_m: along_first_m + t * a[0].distance_m(a[1]),
                        second_at_m: along_second_m + u * b[0].distance_m(b[1]),
                    });
                }
                along_second_m += b[0].distance_m(b[1]);
            }
            along_first_m += a[0].distance_m(a[1]);
        }
        None
    }

    /// Where two ways that end in one point come within `gap_m` of each other for good: from there on they are one.
    /// `None` where their ends are further apart than that.
    #[must_use]
    pub fn within(first: &Polyline, second: &Polyline, gap_m: f64) -> Option<Self> {
        /// Steps by which the ways are walked back.
        const STEP_M: f64 = 0.25;
        let (end_a, end_b) = (*first.0.last()?, *second.0.last()?);
        if end_a.distance_m(end_b) > gap_m {
            return None;
        }
        let (length_a_m, length_b_m) = (first.length_m(), second.length_m());
        // Two ways into one lane come together at about the same distance before their ends, also where one is longer.
        let mut back_m: f64 = 0.0;
        loop {
            let next_m = back_m + STEP_M;
            if next_m >= length_a_m.min(length_b_m) {
                break;
            }
            let a = first.point_at(length_a_m - next_m)?;
            let b = second.point_at(length_b_m - next_m)?;
            if a.distance_m(b) > gap_m {
                break;
            }
            back_m = next_m;
        }
        Some(Self { first_at_m: (length_a_m - back_m).max(0.0), second_at_m: (length_b_m - back_m).max(0.0) })
    }

    /// Where two ways come closest, and the metres between them there: where they cross, else where the gap is narrowest.
    /// The first such place along `first` where there are several; `None` for a line without points.
    #[must_use]
    pub fn closest(first: &Polyline, second: &Polyline) -> Option<(Self, f64)> {
        let mut best: Option<(Self, f64)> = None;
        let mut along_first_m = 0.0;
        for a in pieces(first) {
            let mut along_second_m = 0.0;
            for b in pieces(second) {
                let (t, u, gap_m) = closest_of_segments(a, b);
                if best.is_none_or(|(_, narrowest_m)| gap_m < narrowest_m) {
                    let first_at_m = along_first_m + t * a.0.distance_m(a.1);
                    best = Some((Self { first_at_m, second_at_m: along_second_m + u * b.0.distance_m(b.1) }, gap_m));
                }
                along_second_m += b.0.distance_m(b.1);
            }
            along_first_m += a.0.distance_m(a.1);
        }
        best
    }
}

/// The straight pieces of a line; a line of one point has one piece without length.
fn pieces(line: &Polyline) -> impl Iterator<Item = (Point, Point)> + '_ {
    let single = (line.0.len() == 1).then(|| (line.0[0], line.0[0]));
    line.0.windows(2).map(|w| (w[0], w[1])).chain(single)
}

/// Shares of two segments at which they come closest, and the distance there.
fn closest_of_segments(a: (Point, Point), b: (Point, Point)) -> (f64, f64, f64) {
    if let Some((t, u)) = crossing_of_segments(a, b) {
        return (t, u, 0.0);
    }
    // Segments that do not cross come closest at an end of one of them.
    let ends = [(a.0, 0.0), (a.1, 1.0)].map(|(p, t)| {
        let (u, gap_m) = foot(p, b);
        (t, u, gap_m)
    });
    let others = [(b.0, 0.0), (b.1, 1.0)].map(|(p, u)| {
        let (t, gap_m) = foot(p, a);
        (t, u, gap_m)
    });
    let nearer = |x: (f64, f64, f64), y: (f64, f64, f64)| if y.2 < x.2 { y } else { x };
    ends.into_iter().chain(others).fold((0.0, 0.0, f64::INFINITY), nearer)
}

/// Share of a segment at which it comes closest to a point, and the distance there.
fn foot(point: Point, segment: (Point, Point)) -> (f64, f64) {
    let (x, y) = (segment.1.x - segment.0.x, segment.1.y - segment.0.y);
    let square = x * x + y * y;
    let along = (point.x - segment.0.x) * x + (point.y - segment.0.y) * y;
    let share = if square > 0.0 { (along / square).clamp(0.0, 1.0) } else { 0.0 };
    let foot = Point { x: segment.0.x + share * x, y: segment.0.y + share * y };
    (share, foot.distance_m(point))
}

/// True when the boxes around two lines are no further apart than `gap_m` in either direction.
fn boxes_touch(a: &Polyline, b: &Polyline, gap_m: f64) -> bool {
    let span = |line: &Polyline, of: fn(&Point) -> f64| {
        line.0.iter().map(of).fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)))
    };
    [|p: &Point| p.x, |p: &Point| p.y].into_iter().all(|of| {
        let ((a_low, a_high), (b_low, b_high)) = (span(a, of), span(b, of));
        a_low <= b_high + gap_m && b_low <= a_high + gap_m
    })
}

/// Shares of two segments at which they cross; `None` for parallel ones.
fn crossing_of_segments(a: (Point, Point), b: (Point, Point)) -> Option<(f64, f64)> {
    let along = |s: (Point, Point)| (s.1.x - s.0.x, s.1.y - s.0.y);
    let ((ax, ay), (bx, by)) = (along(a), along(b));
    let cross = ax * by - ay * bx;
    if cross.abs() < NEAR {
        return None;
    }
    let (dx, dy) = (b.0.x - a.0.x, b.0.y - a.0.y);
    let t = (dx * by - dy * bx) / cross;
    let u = (dx * ay - dy * ax) / cross;
    // The ends belong to the segments; a little beyond them is rounding.
    let slack = |x: f64, y: f64| NEAR / x.hypot(y).max(NEAR);
    let inside = |v: f64, slack: f64| (-slack..=1.0 + slack).contains(&v);
    (inside(t, slack(ax, ay)) && inside(u, slack(bx, by))).then(|| (t.clamp(0.0, 1.0), u.clamp(0.0, 1.0)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn line(points: &[(f64, f64)]) -> Polyline {
        Polyline(points.iter().map(|&(x, y)| Point { x, y }).collect())
    }

    #[test]
    fn straight_ways_cross_where_they_are_drawn() {
        let east = line(&[(-10.0, 0.0), (0.0, 0.0), (10.0, 0.0)]);
        let north = line(&[(4.0, -6.0), (4.0, 6.0)]);
        assert_eq!(Meeting::crossing(&east, &north), Some(Meeting { first_at_m: 14.0, second_at_m: 6.0 }));
        assert_eq!(Meeting::crossing(&east, &line(&[(4.0, 1.0), (4.0, 6.0)])), None);
        assert_eq!(Meeting::crossing(&east, &line(&[(-10.0, 3.0), (10.0, 3.0)])), None, "parallel");
    }

    #[test]
    fn ways_that_share_an_end_touch_there() {
        let a = line(&[(0.0, 0.0), (10.0, 0.0)]);
        let apart = line(&[(0.0, 0.0), (8.0, 6.0)]);
        assert_eq!(Meeting::crossing(&a, &apart), Some(Meeting { first_at_m: 0.0, second_at_m: 0.0 }));
        let into = line(&[(2.0, 6.0), (10.0, 0.0)]);
        assert_eq!(Meeting::crossing(&a, &into), Some(Meeting { first_at_m: 10.0, second_at_m: 10.0 }));
    }

    #[test]
    fn ways_into_one_lane_are_one_from_where_they_run_side_by_side() {
        let straight = line(&[(-20.0, 0.0), (20.0, 0.0)]);
        let joining = line(&[(-10.0, 10.0), (0.0, 1.5), (20.0, 0.0)]);
        let met = Meeting::within(&straight, &joining, 2.0).unwrap();
        assert!((15.0..25.0).contains(&met.first_at_m), "{met:?}");
        assert!(joining.length_m() - met.second_at_m > 15.0, "{met:?}");
        assert_eq!(Meeting::within(&straight, &line(&[(0.0, 9.0), (20.0, 9.0)]), 2.0), None);
    }

    #[test]
    fn ways_apart_come_closest_where_the_gap_is_narrowest() {
        let at = |first_at_m, second_at_m, gap_m| Some((Meeting { first_at_m, second_at_m }, gap_m));
        let east = line(&[(0.0, 0.0), (10.0, 0.0)]);
        assert_eq!(Meeting::closest(&east, &line(&[(4.0, -6.0), (4.0, 6.0)])), at(4.0, 6.0, 0.0));
        assert_eq!(Meeting::closest(&east, &line(&[(0.0, 3.0), (4.0, 3.0), (4.0, 2.0)])), at(4.0, 5.0, 2.0));
        assert_eq!(Meeting::closest(&east, &line(&[(0.0, 2.0), (10.0, 2.0)])), at(0.0, 0.0, 2.0), "side by side");
        assert_eq!(Meeting::closest(&east, &line(&[(12.0, 0.0)])), at(10.0, 0.0, 2.0));
        assert_eq!(Meeting::closest(&east, &line(&[])), None);
    }

    fn any_line() -> impl Strategy<Value = Polyline> {
        prop::collection::vec((-30.0..30.0, -30.0..30.0), 2..8).prop_map(|points| line(&points))
    }

    proptest! {
        /// Whoever is asked, a meeting is a point of both ways.
        #[test]
        fn a_meeting_lies_on_both_ways(a in any_line(), b in any_line()) {
            let there = Meeting::crossing(&a, &b);
            prop_assert_eq!(there.is_some(), Meeting::crossing(&b, &a).is_some());
            if let Some(m) = there {
                let (p, q) = (a.point_at(m.first_at_m).unwrap(), b.point_at(m.second_at_m).unwrap());
                prop_assert!(p.distance_m(q) < 1e-5, "{p:?} {q:?}");
            }
        }
    }
}
