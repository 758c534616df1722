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
}
