//! From one stage to the next: the steps in between, made of the times of the groups that end.
//!
//! Vehicles that end all end at the same moment, so that nobody who yields loses green before the stream yielded to
//! (yellow trap); walkers end as much earlier as their clearance asks. Greens that go on go on.

use greenkerb_models::ids::GroupId;
use greenkerb_models::signal::{ConflictMatrix, GroupKind, Indication, Relation, SignalGroup, Step, StepKind};
use greenkerb_models::units::Ds;

/// What each group shows in the two stages.
pub(super) struct Change<'a> {
    pub(super) groups: &'a [SignalGroup],
    pub(super) conflicts: &'a ConflictMatrix,
    pub(super) from: &'a [Indication],
    pub(super) to: &'a [Indication],
}

impl Change<'_> {
    fn ends(&self, g: usize) -> bool {
        self.from[g].is_green() && !self.to[g].is_green()
    }

    /// A protected green that goes on as a permissive one.
    fn loses_way(&self, g: usize) -> bool {
        self.from[g] == Indication::Protected && self.to[g] == Indication::Permissive
    }

    /// Time that must pass between the end of a group's green (or of its right of way) and the start of the next stage.
    fn needed(&self, ending: usize) -> Ds {
        let group = &self.groups[ending];
        let own = if !self.ends(ending) { Ds::ZERO } else { group.yellow.max(group.clearance) };
        let starts = |s: usize| self.to[s].is_green() && self.from[s] != self.to[s];
        let others = (0..self.groups.len()).filter(|&s| s != ending && starts(s));
        let asked = others.map(|s| match self.conflicts.get(GroupId::at(ending), GroupId::at(s)) {
            Relation::Conflict { intergreen } | Relation::Permitted { intergreen, .. } => intergreen,
            Relation::Compatible => Ds::ZERO,
        });
        asked.fold(own, Ds::max)
    }

    /// The steps of the change, in order; none where nothing ends.
    pub(super) fn steps(&self) -> Vec<Step> {
        let n = self.groups.len();
        let leaves = |g: usize| self.ends(g) || self.loses_way(g);
        let vehicle = |g: usize| self.groups[g].kind == GroupKind::Vehicle;
        let vehicles = (0..n).filter(|&g| leaves(g) && vehicle(g)).map(|g| self.needed(g)).fold(Ds::ZERO, Ds::max);
        let length = (0..n).filter(|&g| leaves(g)).map(|g| self.needed(g)).fold(Ds::ZERO, Ds::max);
        let end_of = |g: usize| {
            if vehicle(g) { length - vehicles } else { length - self.needed(g).max(vehicles).min(length) }
        };
        let mut cuts: Vec<Ds> = vec![Ds::ZERO, length];
        for g in (0..n).filter(|&g| leaves(g)) {
            let end = end_of(g);
            cuts.push(end);
            if self.ends(g) {
                cuts.push((end + self.groups[g].yellow).min(length));
            }
        }
        cuts.sort_unstable();
        cuts.dedup();
        let shows = |at: Ds| -> Vec<Indication> { (0..n).map(|g| self.shown(g, at, end_of(g))).collect() };
        cuts.windows(2).map(|w| Step { kind: StepKind::Clearance, shipped: w[1] - w[0], shows: shows(w[0]) }).collect()
    }

    fn shown(&self, g: usize, at: Ds, end: Ds) -> Indication {
        use Indication::{Permissive, Red, Yellow};
        match (self.from[g], self.to[g]) {
            // Whatever starts, starts with the stage.
            (from, _) if !from.is_green() => Red,
            (from, to) if to.is_green() && from == to => from,
            (from, to) if to.is_green() => {
                if self.loses_way(g) && at >= end {
                    Permissive
                } else {
                    from
                }
            }
            (from, _) if at < end => from,
            _ if at < end + self.groups[g].yellow => Yellow,
            _ => Red,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(kind: GroupKind, yellow: u32, clearance: u32) -> SignalGroup {
        SignalGroup {
            name: String::new(),
            kind,
            connections: Vec::new(),
            crossings: Vec::new(),
            link_indices: Vec::new(),
            min_green: Ds(50),
            yellow: Ds(yellow),
            red_amber: Ds::ZERO,
            clearance: Ds(clearance),
            min_red: Ds::ZERO,
            max_red: Ds(1200),
            turn_on_red: false,
        }
    }

    /// Steps of a change among three groups: vehicles, walkers beside them, cross traffic.
    fn shown(from: [Indication; 3], to: [Indication; 3]) -> Vec<(u32, String)> {
        let groups =
            [group(GroupKind::Vehicle, 30, 0), group(GroupKind::Pedestrian, 0, 110), group(GroupKind::Vehicle, 30, 0)];
        let mut conflicts = ConflictMatrix::compatible(3);
        for (a, b, ds) in [(0, 2, 50), (2, 0, 50), (1, 2, 110), (2, 1, 45)] {
            conflicts.set(GroupId(a), GroupId(b), Relation::Conflict { intergreen: Ds(ds) });
        }
        let change = Change { groups: &groups, conflicts: &conflicts, from: &from, to: &to };
        change.steps().iter().map(|s| (s.shipped.0, s.shows.iter().map(|i| i.letter()).collect())).collect()
    }

    #[test]
    fn walkers_end_first_vehicles_last() {
        use Indication::{Protected, Red};
        assert_eq!(
            shown([Protected, Protected, Red], [Red, Red, Protected]),
            [(60, "Grr".into()), (30, "yrr".into()), (20, "rrr".into())]
        );
        assert_eq!(shown([Red, Red, Protected], [Protected, Protected, Red]), [(30, "rry".into()), (20, "rrr".into())]);
    }

    #[test]
    fn who_goes_on_goes_on() {
        use Indication::{Permissive, Protected, Red};
        assert_eq!(shown([Permissive, Protected, Red], [Protected, Red, Red]), [(110, "grr".into())]);
        assert_eq!(shown([Protected, Red, Red], [Protected, Protected, Red]), []);
    }
}
