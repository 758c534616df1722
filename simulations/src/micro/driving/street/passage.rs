//! Gaps: whether one who yields may go before, between or after those with right of way.

use crate::micro::following::krauss;
use crate::micro::mover::{Kind, Mover};
use crate::micro::scene::Scene;
use crate::micro::strips::StripId;

/// Time kept between two vehicles where their ways meet (SUMO's `jmTimegapMinor`), in seconds.
pub(super) const GAP_S: f64 = 1.0;
/// Who has waited so long counts on everybody else to brake as hard as they can (SUMO's `time-to-impatience`), in seconds.
const IMPATIENT_S: f64 = 180.0;
/// Who can stop for another is taken to come so much later, in seconds.
const STOPPED_S: f64 = 30.0;

/// A vehicle's way across a node, from the line to when it has left with its rear, when nothing keeps it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Passage {
    /// In seconds from now.
    comes_s: f64,
    leaves_s: f64,
    /// Speeds then.
    comes_mps: f64,
    leaves_mps: f64,
    /// Speed at the line if it braked from now on; nought where it could stop.
    braked_mps: f64,
    to_line_m: f64,
    decel: f64,
    dt_s: f64,
}

impl Passage {
    pub(super) fn of(scene: &Scene<'_>, m: &Mover, kind: &Kind, to_line_m: f64, way: StripId) -> Self {
        let way = &scene.strips.all[way as usize];
        // Who waits inside the node has only the rest of the way before it.
        let way_m = (way.length_m + to_line_m.min(0.0)).max(0.0);
        let to_line_m = to_line_m.max(0.0);
        let wanted_mps = |limit_mps: f64| (limit_mps * f64::from(m.factor)).min(kind.speed_max_mps).max(0.1);
        let before_mps = wanted_mps(scene.strips.all[way.from as usize].limit_mps);
        let comes_mps = after_mps(m.speed_mps, to_line_m, kind.accel, before_mps);
        let leaves_mps = after_mps(comes_mps, way_m, kind.accel, wanted_mps(way.limit_mps));
        let comes_s = until_s(m.speed_mps, comes_mps, to_line_m, kind);
        let across_s = (way_m + f64::from(m.length_m)) / (0.5 * (comes_mps + leaves_mps)).max(0.1);
        let stops_m = m.speed_mps * kind.headway_s + krauss::brake_m(m.speed_mps, kind.decel, scene.dt_s);
        let braked = m.speed_mps * m.speed_mps - 2.0 * kind.decel * to_line_m;
        Self {
            comes_s,
            leaves_s: comes_s + across_s,
            comes_mps,
            leaves_mps,
            braked_mps: if to_line_m >= stops_m { 0.0 } else { braked.max(0.0).sqrt() },
            to_line_m,
            decel: kind.decel,
            dt_s: scene.dt_s,
        }
    }

    /// How impatient one is who has waited so long, from nought to one.
    pub(super) fn impatience(waited_s: f64) -> f64 {
        (waited_s / IMPATIENT_S).min(1.0)
    }

    /// True when one who yields must not go before or after a vehicle with right of way: their stays overlap, or lie too
    /// near to each other, or the one behind would be too fast, where both go into the same lane.
    ///
    /// The rule is SUMO 1.28's, with its impatience: the longer one has waited, the harder one counts on the other to brake.
    pub(super) fn is_kept_from_by(&self, other: &Self, merges: bool, impatience: f64) -> bool {
        let stop_m = |mps: f64, decel: f64| mps * mps / (2.0 * decel);
        if other.leaves_s < self.comes_s {
            let near = self.comes_s - other.leaves_s < GAP_S;
            let fast = stop_m(other.leaves_mps, other.decel) <= stop_m(self.comes_mps, self.decel);
            return merges && (near || fast);
        }
        let (mut comes_s, mut comes_mps) = (other.comes_s, other.braked_mps);
        if impatience > 0.0 && self.comes_s < other.comes_s {
            let (late_s, late_mps) = other.braking_for(self.comes_s, impatience);
            comes_s += impatience * late_s;
            comes_mps = late_mps;
        }
        if comes_s > self.leaves_s + GAP_S {
            return merges && stop_m(self.leaves_mps, self.decel) <= stop_m(comes_mps, other.decel);
        }
        true
    }

    /// How much later it would be at the line, and how fast, if it braked with a share of what it can from `from_s` on.
    fn braking_for(&self, from_s: f64, share: f64) -> (f64, f64) {
        let step = |s: f64| (s / self.dt_s).floor();
        if step(from_s) == step(self.comes_s) {
            return (0.0, self.braked_mps);
        }
        let decel = self.decel * share;
        let v = self.to_line_m / self.comes_s.max(self.dt_s);
        let left_m = self.to_line_m - v * (from_s - self.dt_s);
        if v * v / (2.0 * decel) <= left_m {
            return (STOPPED_S, 0.0);
        }
        let braking_s = self.comes_s - from_s;
        let slower_mps = v - decel * braking_s;
        let missing_m = decel * braking_s * braking_s / 2.0;
        let more_s = (slower_mps - (slower_mps * slower_mps - 2.0 * decel * missing_m).max(0.0).sqrt()) / decel;
        (more_s.max(0.0), (slower_mps - decel * more_s).max(0.0))
    }
}

/// Speed after a distance of speeding up.
fn after_mps(v: f64, way_m: f64, accel: f64, most_mps: f64) -> f64 {
    (v * v + 2.0 * accel * way_m.max(0.0)).sqrt().min(most_mps)
}

/// Time to cover a distance, changing speed as soon as possible and then holding it.
fn until_s(from_mps: f64, to_mps: f64, way_m: f64, kind: &Kind) -> f64 {
    let rate = if to_mps >= from_mps { kind.accel } else { kind.decel };
    let changing_m = (to_mps * to_mps - from_mps * from_mps).abs() / (2.0 * rate);
    if way_m > changing_m {
        (to_mps - from_mps).abs() / rate + (way_m - changing_m) / to_mps.max(0.1)
    } else {
        way_m / (0.5 * (from_mps + to_mps)).max(0.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Who stands at the line of a turn of 10 m, and who comes along the street at 13 m/s.
    fn standing() -> Passage {
        Passage {
            comes_s: 0.3,
            leaves_s: 4.3,
            comes_mps: 0.7,
            leaves_mps: 6.5,
            braked_mps: 0.0,
            to_line_m: 0.1,
            decel: 4.5,
            dt_s: 1.0,
        }
    }

    fn coming(to_line_m: f64) -> Passage {
        let comes_s = to_line_m / 13.0;
        let braked_mps = if to_line_m >= 28.0 { 0.0 } else { (169.0 - 9.0 * to_line_m).max(0.0).sqrt() };
        Passage {
            comes_s,
            leaves_s: comes_s + 1.5,
            comes_mps: 13.0,
            leaves_mps: 13.0,
            braked_mps,
            to_line_m,
            decel: 4.5,
            dt_s: 1.0,
        }
    }

    #[test]
    fn one_crosses_when_there_is_time_to_leave_before_the_other_comes() {
        let mine = standing();
        assert!(
            mine.is_kept_from_by(&coming(13.0 * 5.2), false, 0.0),
            "it would be there within a second of my leaving"
        );
        assert!(!mine.is_kept_from_by(&coming(13.0 * 5.4), false, 0.0));
        let gone = Passage { comes_s: 0.0, leaves_s: 0.2, ..coming(0.0) };
        assert!(!mine.is_kept_from_by(&gone, false, 0.0), "behind it, into another lane, there is nothing to wait for");
        assert!(mine.is_kept_from_by(&gone, true, 0.0), "into the same lane a second is left");
    }

    #[test]
    fn one_merges_before_somebody_fast_only_after_having_waited() {
        let (mine, far) = (standing(), coming(13.0 * 9.0));
        assert!(!mine.is_kept_from_by(&far, true, 0.0), "rolling up to the line one goes");
        let waited = |s: f64| mine.is_kept_from_by(&far, true, Passage::impatience(s));
        assert!(waited(5.0), "hardly braking it would still be faster than I am then");
        assert!(!waited(60.0), "by now it is expected to brake");
        assert!(mine.is_kept_from_by(&coming(13.0 * 0.9), true, 1.0), "nobody brakes who is at the line already");
        let waits: Vec<bool> = (1..180).map(|s| waited(f64::from(s))).collect();
        assert!(waits.windows(2).all(|w| w[0] || !w[1]), "patience only ever runs out");
    }

    #[test]
    fn braking_comes_later_and_slower_and_ends_in_a_stand_where_it_can() {
        let mut before = (0.0, f64::INFINITY);
        for share in [0.02, 0.05, 0.1, 0.12] {
            let now = coming(117.0).braking_for(0.3, share);
            assert!(now.0 > before.0 && now.1 < before.1, "{share}: {now:?} after {before:?}");
            before = now;
        }
        assert_eq!(coming(117.0).braking_for(0.3, 0.9), (STOPPED_S, 0.0));
    }
}
