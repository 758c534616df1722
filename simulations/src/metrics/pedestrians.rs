//! How long people wait at crossings.

use greenkerb_models::ids::CrossingId;
use greenkerb_models::network::Network;
use serde::{Deserialize, Serialize};

use super::quantile::quantile;
use super::snapshot::Snapshot;
use super::window::Window;
use crate::micro::{Event, What};

/// Waits of people at crossings.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PeopleWaits {
    /// People who stepped onto a crossing.
    pub crossed: u64,
    /// Their mean wait, in seconds.
    pub mean_s: f64,
    /// 95 of 100 waited less.
    pub p95_s: f64,
    /// The longest wait, of those who still stand there too.
    pub max_s: f64,
    /// People who still waited when the run ended.
    pub still_waiting: u32,
}

/// Follows people.
#[derive(Debug, Clone)]
pub struct Pedestrians {
    window: Window,
    waits_s: Vec<f64>,
    longest_s: f64,
    still_waiting: u32,
}

impl Pedestrians {
    /// Nobody yet.
    #[must_use]
    pub fn new(window: Window) -> Self {
        Self { window, waits_s: Vec::new(), longest_s: 0.0, still_waiting: 0 }
    }

    /// Takes an event in. Who came in the warm-up does not count.
    pub fn event(&mut self, event: &Event) {
        if let What::PersonCrossed { waited_s, .. } = event.what {
            let waited_s = f64::from(waited_s);
            if event.at.seconds() - waited_s >= self.window.from.seconds() && self.window.covers(event.at) {
                self.waits_s.push(waited_s);
            }
        }
    }

    /// Looks at who still waits at the end.
    pub fn close(&mut self, street: &Snapshot, network: &Network) {
        for i in 0..network.crossings().len() {
            let people = street.people(CrossingId::at(i));
            self.still_waiting += people.waiting;
            if let Some(since) = people.since {
                self.longest_s = self.longest_s.max(street.now().since(since) as f64 / 10.0);
            }
        }
    }

    /// Waits; none when nobody came.
    #[must_use]
    pub fn waits(&self) -> Option<PeopleWaits> {
        let mut sorted = self.waits_s.clone();
        sorted.sort_by(f64::total_cmp);
        if sorted.is_empty() && self.still_waiting == 0 {
            return None;
        }
        let crossed = sorted.len();
        Some(PeopleWaits {
            crossed: crossed as u64,
            mean_s: sorted.iter().sum::<f64>() / crossed.max(1) as f64,
            p95_s: quantile(&sorted, 0.95).unwrap_or(0.0),
            max_s: sorted.last().copied().unwrap_or(0.0).max(self.longest_s),
            still_waiting: self.still_waiting,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{at_s, event};
    use super::*;

    #[test]
    fn waits_of_those_who_came_in_the_window() {
        let mut people = Pedestrians::new(Window { from: at_s(100), to: at_s(1_000) });
        assert_eq!(people.waits(), None);
        for (at, waited_s) in [(110, 20.0), (150, 10.0), (200, 30.0), (900, 0.0)] {
            people.event(&event(at, What::PersonCrossed { crossing: CrossingId(0), waited_s }));
        }
        let waits = people.waits().unwrap();
        assert_eq!((waits.crossed, waits.max_s), (3, 30.0), "the first came before the window");
        assert!((waits.mean_s - 40.0 / 3.0).abs() < 1e-12);
        assert!((waits.p95_s - 28.0).abs() < 1e-9);
    }
}
