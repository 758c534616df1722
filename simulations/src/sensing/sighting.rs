//! What an induction loop counts and when it is occupied, as SUMO defines it for its `E1` detectors: a vehicle counts
//! in the interval in which its front comes over the loop, and occupies it from then until its rear has left.

/// One vehicle over one loop.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stay {
    /// When its front came over the loop, in seconds.
    pub entered_s: f64,
    /// When its rear left; none while it is still there.
    pub left_s: Option<f64>,
}

/// What one detector saw during one reporting interval.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Sighting {
    /// Vehicles whose front came over it.
    pub count: u32,
    /// Seconds during which any vehicle was over it; for an area, the share of it that was covered times the seconds.
    pub occupied_s: f64,
    /// Mean speed in metres per second, of detectors that measure it and saw somebody.
    pub speed_mps: Option<f64>,
}

impl Sighting {
    /// Adds what happened in `[from_s, to_s)`.
    pub fn see(&mut self, stays: &[Stay], from_s: f64, to_s: f64) {
        let entered = stays.iter().filter(|stay| (from_s..to_s).contains(&stay.entered_s)).count();
        self.count += u32::try_from(entered).unwrap_or(u32::MAX);
        self.occupied_s += occupied_s(stays, from_s, to_s);
    }
}

/// Seconds of `[from_s, to_s)` during which at least one vehicle was there: the union of their stays.
fn occupied_s(stays: &[Stay], from_s: f64, to_s: f64) -> f64 {
    let mut within: Vec<(f64, f64)> = stays
        .iter()
        .map(|stay| (stay.entered_s.max(from_s), stay.left_s.unwrap_or(to_s).min(to_s)))
        .filter(|(a, b)| b > a)
        .collect();
    within.sort_by(|x, y| x.0.total_cmp(&y.0));
    let mut covered_to_s = from_s;
    let mut sum_s = 0.0;
    for (a, b) in within {
        sum_s += (b - a.max(covered_to_s)).max(0.0);
        covered_to_s = covered_to_s.max(b);
    }
    sum_s
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stay(entered_s: f64, left_s: Option<f64>) -> Stay {
        Stay { entered_s, left_s }
    }

    #[test]
    fn a_vehicle_counts_once_where_it_entered() {
        let mut sighting = Sighting::default();
        sighting.see(&[stay(10.5, None)], 10.0, 11.0);
        assert_eq!(sighting, Sighting { count: 1, occupied_s: 0.5, speed_mps: None });
        sighting.see(&[stay(10.5, Some(11.25))], 11.0, 12.0);
        assert_eq!(sighting, Sighting { count: 1, occupied_s: 0.75, speed_mps: None });
    }

    #[test]
    fn who_enters_at_the_end_of_a_step_counts_in_the_next() {
        let mut sighting = Sighting::default();
        sighting.see(&[stay(11.0, None)], 10.0, 11.0);
        assert_eq!(sighting, Sighting::default());
        sighting.see(&[stay(11.0, None)], 11.0, 12.0);
        assert_eq!((sighting.count, sighting.occupied_s), (1, 1.0));
    }

    #[test]
    fn two_vehicles_occupy_a_loop_once() {
        let stays = [stay(0.2, Some(0.6)), stay(0.5, Some(0.9)), stay(0.95, None)];
        assert!((occupied_s(&stays, 0.0, 1.0) - 0.75).abs() < 1e-12);
    }
}
