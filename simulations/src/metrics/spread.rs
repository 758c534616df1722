//! How unevenly delay is spread over vehicles, and over the people in them.

use greenkerb_models::demand::Demand;
use serde::{Deserialize, Serialize};

use super::quantile::quantile;
use super::vehicles::Vehicles;

/// Spread of delay over vehicles.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// Half of the vehicles lost less, in seconds.
    pub median_s: f64,
    /// 95 of 100 vehicles lost less, in seconds.
    pub p95_s: f64,
    /// Gini's coefficient: 0 when all lose the same, near 1 when few lose everything.
    pub gini: f64,
    /// Delay of the average person, in seconds: vehicles weighted with the people on board.
    pub person_delay_s: f64,
}

impl Spread {
    /// Spread over all vehicles that count; none when there is none.
    #[must_use]
    pub fn of(vehicles: &Vehicles, demand: &Demand) -> Option<Self> {
        let now = vehicles.now();
        let (mut weighted_s, mut people) = (0.0, 0.0);
        let mut delays: Vec<f64> = Vec::new();
        for r in vehicles.counted() {
            let delay_s = r.delay_s(now).max(0.0);
            // Who was never seen on the road is of an unknown kind and counts as one person.
            let on_board = r.kind.map_or(1.0, |k| demand.kind(k).people);
            weighted_s += delay_s * on_board;
            people += on_board;
            delays.push(delay_s);
        }
        delays.sort_by(f64::total_cmp);
        Some(Self {
            median_s: quantile(&delays, 0.5)?,
            p95_s: quantile(&delays, 0.95)?,
            gini: gini(&delays),
            person_delay_s: if people > 0.0 { weighted_s / people } else { 0.0 },
        })
    }
}

/// Gini's coefficient of sorted values, none below zero.
fn gini(sorted: &[f64]) -> f64 {
    let n = sorted.len() as f64;
    let sum: f64 = sorted.iter().sum();
    if sum <= 0.0 {
        return 0.0;
    }
    let ranked: f64 = sorted.iter().enumerate().map(|(i, v)| (i as f64 + 1.0) * v).sum();
    2.0 * ranked / (n * sum) - (n + 1.0) / n
}

#[cfg(test)]
mod tests {
    use super::super::samples::{at_s, demand, event, journey};
    use super::super::window::Window;
    use super::*;
    use crate::micro::{VehicleId, What};
    use greenkerb_models::ids::LinkId;

    #[test]
    fn gini_of_equals_is_zero_and_of_one_among_many_near_one() {
        assert!(gini(&[3.0, 3.0, 3.0]).abs() < 1e-12);
        let mut few = vec![0.0; 99];
        few.push(50.0);
        assert!((gini(&few) - 0.99).abs() < 1e-12);
        assert_eq!(gini(&[0.0, 0.0]), 0.0);
    }

    #[test]
    fn spread_over_vehicles_and_people() {
        let mut vehicles = Vehicles::new(Window { from: at_s(0), to: at_s(100) });
        for (id, lost) in [(0, 10.0), (1, 20.0), (2, 90.0)] {
            vehicles.event(&event(1, What::Loaded { vehicle: VehicleId(id), link: LinkId(0) }));
            vehicles.event(&event(50, What::Arrived { vehicle: VehicleId(id), journey: journey(lost) }));
        }
        // They waited 49 s outside, as nobody said that they got in.
        let spread = Spread::of(&vehicles, &demand()).unwrap();
        assert_eq!(spread.median_s, 69.0);
        assert!((spread.p95_s - (69.0 + 0.9 * 70.0)).abs() < 1e-9, "{spread:?}");
        assert!((spread.person_delay_s - (59.0 + 69.0 + 139.0) / 3.0).abs() < 1e-9);
        assert_eq!(Spread::of(&Vehicles::new(Window { from: at_s(0), to: at_s(1) }), &demand()), None);
    }
}
