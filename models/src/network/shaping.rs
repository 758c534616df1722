//! Cutting and shifting lines, to draw lanes from the course of their street.

use crate::network::{Point, Polyline};

impl Polyline {
    /// What is left when `start_m` are cut from the start and `end_m` from the end; `None` where nothing is left.
    #[must_use]
    pub fn cut(&self, start_m: f64, end_m: f64) -> Option<Self> {
        let length_m = self.length_m();
        let (from_m, to_m) = (start_m.max(0.0), length_m - end_m.max(0.0));
        if from_m >= to_m || !to_m.is_finite() {
            return None;
        }
        let mut points = vec![self.point_at(from_m)?];
        let mut along_m = 0.0;
        for pair in self.0.windows(2) {
            along_m += pair[0].distance_m(pair[1]);
            if from_m < along_m && along_m < to_m {
                points.push(pair[1]);
            }
        }
        points.push(if to_m == length_m { *self.0.last()? } else { self.point_at(to_m)? });
        Some(Self(points))
    }

    /// The line `right_m` to the right of this one (to the left where negative). Every point is moved square to the mean
    /// of the directions before and after it, as CityFlow draws lanes: in bends the lanes come a little closer.
    #[must_use]
    pub fn beside(&self, right_m: f64) -> Self {
        let points = &self.0;
        let unit = |a: Point, b: Point| {
            let d = a.distance_m(b);
            if d > 0.0 { ((b.x - a.x) / d, (b.y - a.y) / d) } else { (0.0, 0.0) }
        };
        let moved = (0..points.len()).map(|i| {
            let before = if i > 0 { unit(points[i - 1], points[i]) } else { (0.0, 0.0) };
            let after = points.get(i + 1).map_or((0.0, 0.0), |next| unit(points[i], *next));
            let (x, y) = (before.0 + after.0, before.1 + after.1);
            let length = x.hypot(y);
            let (x, y) = if length > 0.0 { (x / length, y / length) } else { after };
            Point { x: points[i].x + y * right_m, y: points[i].y - x * right_m }
        });
        Self(moved.collect())
    }

    /// Direction in which the line starts, as a vector of length one; `None` for a line that goes nowhere.
    #[must_use]
    pub fn start_direction(&self) -> Option<(f64, f64)> {
        direction(self.0.windows(2).map(|w| (w[0], w[1])))
    }

    /// Direction in which the line ends, as a vector of length one; `None` for a line that goes nowhere.
    #[must_use]
    pub fn end_direction(&self) -> Option<(f64, f64)> {
        direction(self.0.windows(2).rev().map(|w| (w[0], w[1])))
    }
}

fn direction(mut segments: impl Iterator<Item = (Point, Point)>) -> Option<(f64, f64)> {
    segments.find_map(|(a, b)| {
        let d = a.distance_m(b);
        (d > 0.0).then(|| ((b.x - a.x) / d, (b.y - a.y) / d))
    })
}

/// A curve from the end of one line to the start of another, leaving and arriving in their directions: a cubic Bézier
/// curve whose handles are `reach` of the straight distance, in `pieces` pieces.
#[must_use]
pub fn curve(from: &Polyline, to: &Polyline, reach: f64, pieces: usize) -> Option<Polyline> {
    let (start, end) = (*from.0.last()?, *to.0.first()?);
    let (out, into) = (from.end_direction()?, to.start_direction()?);
    let handle_m = start.distance_m(end) * reach;
    let first = Point { x: start.x + out.0 * handle_m, y: start.y + out.1 * handle_m };
    let second = Point { x: end.x - into.0 * handle_m, y: end.y - into.1 * handle_m };
    let at = |k: usize| {
        let t = k as f64 / pieces.max(1) as f64;
        let s = 1.0 - t;
        let (a, b, c, d) = (s * s * s, 3.0 * s * s * t, 3.0 * s * t * t, t * t * t);
        Point {
            x: a * start.x + b * first.x + c * second.x + d * end.x,
            y: a * start.y + b * first.y + c * second.y + d * end.y,
        }
    };
    Some(Polyline((0..=pieces.max(1)).map(at).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(points: &[(f64, f64)]) -> Polyline {
        Polyline(points.iter().map(|&(x, y)| Point { x, y }).collect())
    }

    #[test]
    fn a_street_is_cut_at_both_ends() {
        let bend = line(&[(0.0, 0.0), (10.0, 0.0), (10.0, 10.0)]);
        assert_eq!(bend.cut(4.0, 3.0), Some(line(&[(4.0, 0.0), (10.0, 0.0), (10.0, 7.0)])));
        assert_eq!(bend.cut(12.0, 3.0), Some(line(&[(10.0, 2.0), (10.0, 7.0)])));
        assert_eq!(bend.cut(0.0, 0.0), Some(bend.clone()));
        assert_eq!(bend.cut(12.0, 8.0), None);
    }

    #[test]
    fn lanes_lie_to_the_right_of_their_street() {
        let east = line(&[(0.0, 0.0), (10.0, 0.0)]);
        assert_eq!(east.beside(2.0), line(&[(0.0, -2.0), (10.0, -2.0)]));
        let bend = line(&[(0.0, 0.0), (10.0, 0.0), (10.0, 10.0)]).beside(-2.0);
        assert!(bend.0[1].distance_m(Point { x: 10.0 - 2.0_f64.sqrt(), y: 2.0_f64.sqrt() }) < 1e-9, "{bend:?}");
        assert_eq!((bend.0[0], bend.0[2]), (Point { x: 0.0, y: 2.0 }, Point { x: 8.0, y: 10.0 }));
    }

    #[test]
    fn a_curve_leaves_and_arrives_in_the_directions_of_its_lanes() {
        let (from, to) = (line(&[(-20.0, 0.0), (-10.0, 0.0)]), line(&[(0.0, 10.0), (0.0, 30.0)]));
        let turn = curve(&from, &to, 0.4, 16).unwrap();
        assert_eq!((turn.0[0], turn.0[16]), (from.0[1], to.0[0]));
        // A quarter of a circle of 10 m is 15.7 m long.
        assert!((15.0..17.0).contains(&turn.length_m()), "{}", turn.length_m());
        assert!(turn.start_direction().unwrap().0 > 0.95 && turn.end_direction().unwrap().1 > 0.95);
    }
}
