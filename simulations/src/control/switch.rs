//! From any stage to any other, as the controller's database asks: what ends shows its yellow, what starts waits for the
//! intergreens, nobody's green is cut below its minimum.

use std::sync::Arc;

use greenkerb_models::ids::GroupId;
use greenkerb_models::signal::{Indication, Relation};
use greenkerb_models::units::{Ds, TimeDs};

use super::stages::Stages;

/// What is remembered of one group's heads.
#[derive(Debug, Clone, Copy, Default)]
struct Lamp {
    green_since: Option<TimeDs>,
    green_end: Option<TimeDs>,
    protected_end: Option<TimeDs>,
}

/// Between two stages.
#[derive(Debug, Clone)]
struct Way {
    from: usize,
    began: TimeDs,
    ends: TimeDs,
    cut: Vec<bool>,
}

/// The heads of one controller while somebody chooses its stages.
#[derive(Debug, Clone)]
pub struct Switch {
    stages: Arc<Stages>,
    lamps: Vec<Lamp>,
    heads: Vec<Indication>,
    /// The stage that is shown, or that is come to.
    stage: usize,
    /// Since when it is shown, or will be.
    since: TimeDs,
    way: Option<Way>,
}

impl Switch {
    /// Heads that show a stage from `begin` on.
    #[must_use]
    pub fn new(stages: Arc<Stages>, first: usize, begin: TimeDs) -> Self {
        let heads = stages.all()[first].shows.clone();
        let lamps =
            heads.iter().map(|h| Lamp { green_since: h.is_green().then_some(begin), ..Lamp::default() }).collect();
        Self { stages, lamps, heads, stage: first, since: begin, way: None }
    }

    /// The stages to choose from.
    #[must_use]
    pub fn stages(&self) -> &Arc<Stages> {
        &self.stages
    }

    /// The stage that is shown, or that is come to.
    #[must_use]
    pub const fn stage(&self) -> usize {
        self.stage
    }

    /// True between two stages.
    #[must_use]
    pub const fn is_changing(&self) -> bool {
        self.way.is_some()
    }

    /// How long the stage has been shown at `now`; nothing before it has begun.
    #[must_use]
    pub fn age(&self, now: TimeDs) -> Ds {
        between(self.since, now)
    }

    /// From when on the stage is shown, or will be.
    #[must_use]
    pub const fn since(&self) -> TimeDs {
        self.since
    }

    /// True when the stage may be left for another at `now`: its shortest length is over, and so is the shortest green of
    /// every group that would end.
    #[must_use]
    pub fn may_go(&self, to: usize, now: TimeDs) -> bool {
        if self.way.is_some() || now < self.since || to == self.stage {
            return false;
        }
        if self.age(now) < self.stages.all()[self.stage].min {
            return false;
        }
        if self.stages.yellow_alone().is_some() {
            return true;
        }
        let cut = self.stages.cut(self.stage, to);
        let after = &self.stages.all()[to].shows;
        let groups = &self.stages.controller().groups;
        (0..groups.len())
            .filter(|&g| self.heads[g].is_green() && (cut[g] || !after[g].is_green()))
            .all(|g| self.lamps[g].green_since.is_none_or(|since| between(since, now) >= groups[g].min_green))
    }

    /// Leaves the stage for another at `now` when it may; tells whether it did.
    pub fn go(&mut self, to: usize, now: TimeDs) -> bool {
        if !self.may_go(to, now) {
            return false;
        }
        let cut = self.stages.cut(self.stage, to);
        let before = self.heads.clone();
        let shows = self.stages.all()[to].shows.clone();
        for g in 0..before.len() {
            let stays = shows[g].is_green() && !cut[g];
            if before[g] == Indication::Protected && (shows[g] != Indication::Protected || cut[g]) {
                self.lamps[g].protected_end = Some(now);
            }
            if before[g].is_green() && !stays {
                self.lamps[g].green_end = Some(now);
                self.lamps[g].green_since = None;
            }
        }
        let ends = now + self.length(to, &before, &cut, now);
        self.way = Some(Way { from: self.stage, began: now, ends, cut });
        self.stage = to;
        self.since = ends;
        true
    }

    /// Length the change to a stage would take if it began at `now`.
    #[must_use]
    pub fn change_length(&self, to: usize, now: TimeDs) -> Ds {
        let mut rehearsal = self.clone();
        rehearsal.way = None;
        if to == self.stage {
            return Ds::ZERO;
        }
        // The question is how long it would take, not whether it may be.
        rehearsal.since = TimeDs(i64::MIN / 2);
        for lamp in &mut rehearsal.lamps {
            lamp.green_since = lamp.green_since.map(|_| TimeDs(i64::MIN / 2));
        }
        if rehearsal.go(to, now) { between(now, rehearsal.since) } else { Ds::ZERO }
    }

    /// How long what starts has to wait for what ends.
    fn length(&self, to: usize, before: &[Indication], cut: &[bool], now: TimeDs) -> Ds {
        let controller = self.stages.controller();
        let groups = &controller.groups;
        let after = &self.stages.all()[to].shows;
        if let Some(yellow) = self.stages.yellow_alone() {
            let ends = (0..groups.len()).any(|g| before[g].is_green() && !after[g].is_green());
            return if ends { yellow } else { Ds::ZERO };
        }
        let mut length = self.stages.program_clearance(self.stage, to).unwrap_or(Ds::ZERO);
        let until = |end: TimeDs, wait: Ds| between(now, end + wait);
        for (g, group) in groups.iter().enumerate() {
            let ends = before[g].is_green() && (cut[g] || !after[g].is_green());
            if ends {
                length = length.max(group.yellow).max(group.clearance);
            }
            let starts = after[g].is_green() && (cut[g] || !before[g].is_green());
            if starts && let Some(end) = self.lamps[g].green_end {
                length = length.max(until(end, group.yellow + group.min_red + group.red_amber));
            }
            let gains = after[g] == Indication::Protected && (starts || before[g] != Indication::Protected);
            if !starts && !gains {
                continue;
            }
            if starts {
                length = length.max(group.red_amber);
            }
            for (e, lamp) in self.lamps.iter().enumerate().filter(|(e, _)| *e != g) {
                let (ending, starting) = (GroupId::at(e), GroupId::at(g));
                let wait = match controller.conflicts.get(ending, starting) {
                    Relation::Conflict { intergreen } if starts => lamp.green_end.map(|end| (end, intergreen)),
                    Relation::Permitted { yields: true, intergreen } if starts => {
                        lamp.protected_end.map(|end| (end, intergreen))
                    }
                    Relation::Permitted { yields: false, intergreen }
                        if gains
                            && matches!(
                                controller.conflicts.get(starting, ending),
                                Relation::Permitted { yields: true, .. }
                            ) =>
                    {
                        lamp.green_end.map(|end| (end, intergreen))
                    }
                    _ => None,
                };
                if let Some((end, intergreen)) = wait {
                    length = length.max(until(end, intergreen));
                }
            }
        }
        length
    }

    /// What the heads show from `now` on. Time never runs backwards here.
    pub fn show(&mut self, now: TimeDs) -> &[Indication] {
        if let Some(way) = &self.way {
            if now >= way.ends {
                self.arrive(now);
            } else {
                let shown = self.on_the_way(way, now);
                self.heads = shown;
            }
        }
        &self.heads
    }

    fn arrive(&mut self, now: TimeDs) {
        self.way = None;
        self.since = now;
        self.heads.clear();
        self.heads.extend_from_slice(&self.stages.all()[self.stage].shows);
        for (lamp, shows) in self.lamps.iter_mut().zip(&self.heads) {
            if shows.is_green() && lamp.green_since.is_none() {
                lamp.green_since = Some(now);
            }
        }
    }

    fn on_the_way(&self, way: &Way, now: TimeDs) -> Vec<Indication> {
        use Indication::{Permissive, Red, RedAmber, StopThenGo, Yellow};
        let (before, after) = (&self.stages.all()[way.from].shows, &self.stages.all()[self.stage].shows);
        let (gone, left) = (between(way.began, now), between(now, way.ends));
        let groups = self.stages.controller().groups.iter().enumerate();
        groups
            .map(|(g, group)| {
                if before[g].is_green() && after[g].is_green() && !way.cut[g] {
                    return if before[g] == after[g] { before[g] } else { Permissive };
                }
                if before[g].is_green() && gone < self.stages.yellow_alone().unwrap_or(group.yellow) {
                    return Yellow;
                }
                if after[g].is_green() && left <= group.red_amber && self.stages.yellow_alone().is_none() {
                    return RedAmber;
                }
                if group.turn_on_red { StopThenGo } else { Red }
            })
            .collect()
    }
}

/// Time from one instant to a later one; none where it is not later.
fn between(earlier: TimeDs, later: TimeDs) -> Ds {
    Ds(u32::try_from(later.0.saturating_sub(earlier.0).max(0)).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::control::sample;
    use crate::field::ConflictMonitor;
    use Indication::{Permissive, Protected, Red, Yellow};

    fn switch(controller: greenkerb_models::signal::Controller) -> Switch {
        Switch::new(Arc::new(Stages::of(Arc::new(controller))), 0, TimeDs(0))
    }

    #[test]
    fn a_stage_is_left_after_its_shortest_length_only() {
        let mut s = switch(crate::field::sample::controller());
        assert!(!s.go(1, TimeDs::from_s(4)));
        assert!(s.go(1, TimeDs::from_s(5)));
        assert_eq!(s.since(), TimeDs::from_s(10));
        assert!(!s.go(0, TimeDs::from_s(7)), "not on the way");
    }

    #[test]
    fn a_change_shows_yellow_then_red_then_the_stage() {
        let mut s = switch(crate::field::sample::controller());
        s.show(TimeDs::from_s(5));
        s.go(1, TimeDs::from_s(6));
        assert_eq!(s.show(TimeDs::from_s(6)), [Yellow, Yellow, Red]);
        assert_eq!(s.show(TimeDs::from_s(8)), [Yellow, Yellow, Red]);
        assert_eq!(s.show(TimeDs::from_s(9)), [Red, Red, Red]);
        assert_eq!(s.show(TimeDs::from_s(11)), [Red, Red, Protected]);
        assert_eq!(s.age(TimeDs::from_s(13)), Ds::from_s(2));
    }

    #[test]
    fn a_turn_becomes_protected_when_what_it_yields_to_is_gone() {
        let mut s = switch(sample::permissive_cross());
        s.show(TimeDs::from_s(10));
        assert!(s.go(1, TimeDs::from_s(10)));
        assert_eq!(s.show(TimeDs::from_s(10)), [Yellow, Permissive, Permissive, Red]);
        assert_eq!(s.show(TimeDs::from_s(14)), [Red, Permissive, Permissive, Red]);
        assert_eq!(s.show(TimeDs::from_s(15)), [Red, Protected, Protected, Red]);
    }

    #[test]
    fn yellow_alone_is_all_there_is_between_stages_where_it_is_asked_for() {
        let stages = Stages::of(Arc::new(sample::permissive_cross())).with_yellow_alone(Some(Ds::from_s(3)));
        let mut s = Switch::new(Arc::new(stages), 0, TimeDs(0));
        s.show(TimeDs::from_s(6));
        // With the database kept the stream over the other street's turn would end as well (yellow trap).
        assert!(s.go(2, TimeDs::from_s(6)));
        let before = s.show(TimeDs::from_s(6)).to_vec();
        assert_eq!(before[0], Protected, "who stays green does");
        assert!(before.contains(&Yellow), "{before:?}");
        assert_eq!(s.show(TimeDs::from_s(8)), before);
        let after = s.stages().all()[2].shows.clone();
        assert_eq!(s.show(TimeDs::from_s(9)), after);
    }

    /// Whatever is asked, and whenever: the database is kept.
    fn keeps_the_database(controller: greenkerb_models::signal::Controller, asked: &[u8]) {
        let controller = Arc::new(controller);
        let stages = Arc::new(Stages::of(Arc::clone(&controller)));
        let mut s = Switch::new(Arc::clone(&stages), 0, TimeDs(0));
        let mut monitor = ConflictMonitor::new(Arc::clone(&controller), Ds::from_s(1));
        let mut greens: Vec<Option<i64>> = vec![None; controller.groups.len()];
        for (at_s, ask) in asked.iter().enumerate() {
            let now = TimeDs::from_s(at_s as i64);
            s.go(usize::from(*ask) % stages.all().len(), now);
            let heads = s.show(now).to_vec();
            monitor.look(now, &heads);
            for (g, shows) in heads.iter().enumerate() {
                match (greens[g], shows.is_green()) {
                    (None, true) => greens[g] = Some(now.0),
                    (Some(since), false) => {
                        let shown = Ds((now.0 - since) as u32);
                        assert!(shown >= controller.groups[g].min_green, "group {g} green for {shown}");
                        greens[g] = None;
                    }
                    _ => {}
                }
            }
        }
        assert_eq!(monitor.first_violation(), None);
    }

    proptest! {
        #[test]
        fn every_sequence_of_stages_keeps_the_database(asked in proptest::collection::vec(0_u8..8, 300)) {
            keeps_the_database(crate::field::sample::controller(), &asked);
            keeps_the_database(sample::permissive_cross(), &asked);
            keeps_the_database(sample::eight_stages(), &asked);
        }
    }
}
