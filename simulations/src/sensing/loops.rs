//! Induction loops in the built-in street.

use super::passages::Passage;
use super::place::Place;
use super::sighting::{Sighting, Stay};
use crate::micro::VehicleId;

/// A vehicle over a loop.
#[derive(Debug, Clone, Copy)]
struct Occupant {
    vehicle: VehicleId,
    entered_s: f64,
}

#[derive(Debug, Clone)]
struct Loop {
    place: Place,
    occupants: Vec<Occupant>,
    sighting: Sighting,
}

/// Loops, in some order of the caller's.
#[derive(Debug, Clone)]
pub struct Loops(Vec<Loop>);

impl Loops {
    /// Loops at these places, nobody over them.
    #[must_use]
    pub fn at(places: impl IntoIterator<Item = Place>) -> Self {
        let place = |place| Loop { place, occupants: Vec::new(), sighting: Sighting::default() };
        Self(places.into_iter().map(place).collect())
    }

    /// Takes in how vehicles moved in a step. `passages` gives those of a lane.
    pub fn see<'a>(&mut self, passages: impl Fn(greenkerb_models::ids::LaneId) -> &'a [Passage], step_s: (f64, f64)) {
        for l in &mut self.0 {
            l.see(passages(l.place.lane), step_s);
        }
    }

    /// What every loop saw since the last time, in order.
    pub fn take(&mut self) -> Vec<Sighting> {
        self.0.iter_mut().map(|l| std::mem::take(&mut l.sighting)).collect()
    }
}

impl Loop {
    fn see(&mut self, passages: &[Passage], (from_s, to_s): (f64, f64)) {
        let mut stays = Vec::new();
        for p in passages {
            let over = self.occupants.iter().position(|o| o.vehicle == p.vehicle);
            let Some(entered_s) = over.map(|i| self.occupants[i].entered_s).or_else(|| self.entered(p, from_s, to_s))
            else {
                continue;
            };
            let left_s = self.left(p, from_s, to_s);
            stays.push(Stay { entered_s, left_s });
            match (over, left_s) {
                (Some(i), Some(_)) => drop(self.occupants.swap_remove(i)),
                (None, None) => self.occupants.push(Occupant { vehicle: p.vehicle, entered_s }),
                _ => {}
            }
        }
        self.sighting.see(&stays, from_s, to_s);
    }

    /// When a vehicle's front came over the loop, if it did in this step.
    fn entered(&self, p: &Passage, from_s: f64, to_s: f64) -> Option<f64> {
        let Place { from_m: start_m, to_m: end_m, .. } = self.place;
        match p.from_m {
            Some(from_m) => {
                (from_m <= start_m && p.to_m > start_m).then(|| passed_at(start_m, from_m, p.to_m, from_s, to_s))
            }
            None => (p.to_m > start_m && p.to_m - p.length_m < end_m).then_some(to_s),
        }
    }

    /// When a vehicle's rear left the loop, if it has.
    fn left(&self, p: &Passage, from_s: f64, to_s: f64) -> Option<f64> {
        let clear_m = self.place.to_m + p.length_m;
        if p.gone {
            return Some(to_s);
        }
        (p.to_m > clear_m).then(|| passed_at(clear_m, p.from_m.unwrap_or(p.to_m), p.to_m, from_s, to_s))
    }
}

/// When a front that moves evenly passes a place.
fn passed_at(place_m: f64, from_m: f64, to_m: f64, from_s: f64, to_s: f64) -> f64 {
    let share = if to_m > from_m { ((place_m - from_m) / (to_m - from_m)).clamp(0.0, 1.0) } else { 0.0 };
    from_s + share * (to_s - from_s)
}

#[cfg(test)]
mod tests {
    use greenkerb_models::ids::LaneId;
    use proptest::prelude::*;

    use super::*;

    /// A loop from 97 to 99 m.
    fn one() -> Loops {
        Loops::at([Place { lane: LaneId(0), from_m: 97.0, to_m: 99.0 }])
    }

    fn passage(vehicle: u32, from_m: Option<f64>, to_m: f64) -> Passage {
        Passage { vehicle: VehicleId(vehicle), from_m, to_m, length_m: 5.0, speed_mps: 0.0, gone: false }
    }

    /// Steps of one second, each with what moved in it.
    fn sees(steps: &[&[Passage]]) -> Sighting {
        let mut loops = one();
        for (s, passages) in steps.iter().enumerate() {
            loops.see(|_| passages, (s as f64, s as f64 + 1.0));
        }
        loops.take()[0]
    }

    #[test]
    fn a_vehicle_counts_once_and_is_seen_as_long_as_it_covers_the_loop() {
        let places = [76.0, 90.0, 104.0, 118.0];
        let steps: Vec<[Passage; 1]> = places.windows(2).map(|w| [passage(1, Some(w[0]), w[1])]).collect();
        let sighting = sees(&steps.iter().map(<[_; 1]>::as_slice).collect::<Vec<_>>());
        assert_eq!(sighting.count, 1);
        // From 97 m to 104 m, at 14 m/s.
        assert!((sighting.occupied_s - 0.5).abs() < 1e-9, "{sighting:?}");
    }

    #[test]
    fn one_that_stands_on_the_loop_occupies_it() {
        let stands = [passage(1, Some(98.0), 98.0)];
        let sighting = sees(&[&[passage(1, Some(90.0), 98.0)], &stands, &stands]);
        assert_eq!(sighting.count, 1);
        assert!((sighting.occupied_s - 2.125).abs() < 1e-9, "{sighting:?}");
    }

    #[test]
    fn who_changes_onto_the_loop_counts_and_who_changes_off_it_leaves_it() {
        let onto = passage(1, None, 98.0);
        let off = Passage { gone: true, ..passage(1, Some(98.0), 98.0) };
        let sighting = sees(&[&[onto], &[off], &[]]);
        assert_eq!(sighting, Sighting { count: 1, occupied_s: 1.0, speed_mps: None });
        assert_eq!(sees(&[&[passage(1, None, 50.0)], &[]]), Sighting::default());
        assert_eq!(sees(&[&[passage(1, None, 104.5)], &[]]), Sighting::default(), "its rear is past the loop");
    }

    #[test]
    fn a_platoon_is_counted_one_by_one() {
        let step = [passage(1, Some(96.0), 110.0), passage(2, Some(88.5), 102.5), passage(3, Some(81.0), 95.0)];
        let sighting = sees(&[&step]);
        assert_eq!(sighting.count, 2);
        // The first covers it from 1/14 s to 8/14 s, the second from 8.5/14 s on.
        assert!((sighting.occupied_s - (7.0 + 5.5) / 14.0).abs() < 1e-9, "{sighting:?}");
    }

    proptest! {
        /// However a vehicle drives over the loop, it counts once and covers it for its own length and the loop's.
        #[test]
        fn nobody_is_lost_or_counted_twice(moves in prop::collection::vec(0.0f64..20.0, 1..60)) {
            let mut loops = one();
            let (mut at_m, mut second, mut covered_s) = (0.0, 0.0, 0.0);
            let mut drive = |loops: &mut Loops, moved_m: f64| {
                let p = [passage(1, Some(at_m), at_m + moved_m)];
                loops.see(|_| &p, (second, second + 1.0));
                let over = |x: f64| x.clamp(97.0, 104.0);
                covered_s += if moved_m > 0.0 {
                    (over(at_m + moved_m) - over(at_m)) / moved_m
                } else {
                    f64::from(at_m > 97.0 && at_m <= 104.0)
                };
                at_m += moved_m;
                second += 1.0;
            };
            for moved_m in moves {
                drive(&mut loops, moved_m);
            }
            drive(&mut loops, 200.0);
            let sighting = loops.take()[0];
            prop_assert_eq!(sighting.count, 1);
            prop_assert!((sighting.occupied_s - covered_s).abs() < 1e-6);
        }
    }
}
