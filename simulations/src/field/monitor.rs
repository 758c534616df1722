//! The conflict monitor: looks at what the heads show, knows the controller's database, and trusts nobody.
//!
//! As a malfunction management unit does in a cabinet (NEMA TS 2, section 4; EN 12675), it judges lamps, not plans: it
//! sees one indication per group at a time and remembers when each last changed.

use std::sync::Arc;

use greenkerb_models::ids::GroupId;
use greenkerb_models::signal::{Controller, Indication, Relation};
use greenkerb_models::units::{Ds, TimeDs};

/// What a monitor trips on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Two conflicting groups are green at once.
    #[error("groups '{a}' and '{b}' are green together")]
    Conflict {
        /// One group.
        a: String,
        /// The other.
        b: String,
    },
    /// Green went out without yellow.
    #[error("group '{group}' goes from green to {to} without yellow")]
    YellowSkipped {
        /// The group.
        group: String,
        /// What it showed instead.
        to: Indication,
    },
    /// Yellow was shorter than the database says.
    #[error("group '{group}' shows {shown} of yellow instead of {yellow}")]
    YellowShort {
        /// The group.
        group: String,
        /// What was shown.
        shown: Ds,
        /// What the database says.
        yellow: Ds,
    },
    /// Too little time passed between two conflicting greens.
    #[error("{shown} pass between the green of '{ending}' and that of '{starting}' instead of {intergreen}")]
    Intergreen {
        /// The group that ended.
        ending: String,
        /// The group that started.
        starting: String,
        /// What passed.
        shown: Ds,
        /// What the database says.
        intergreen: Ds,
    },
}

/// A fault and when it was seen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{fault} at {}", at.rfc3339())]
pub struct Violation {
    /// When.
    pub at: TimeDs,
    /// What.
    pub fault: Fault,
}

/// What is remembered of one group.
#[derive(Debug, Clone, Copy)]
struct Memory {
    shows: Indication,
    /// Since when; nothing before the first look, nor of the first indication.
    since: Option<TimeDs>,
    green_end: Option<TimeDs>,
    protected_end: Option<TimeDs>,
}

/// Watches the heads of one controller.
#[derive(Debug, Clone)]
pub struct ConflictMonitor {
    controller: Arc<Controller>,
    /// Time between two looks: a length is seen rounded to looks, so that a time of the database counts rounded down.
    step: Ds,
    memory: Vec<Memory>,
    violations: u64,
    first: Option<Violation>,
}

impl ConflictMonitor {
    /// A monitor that looks every `step`.
    #[must_use]
    pub fn new(controller: Arc<Controller>, step: Ds) -> Self {
        Self { controller, step: Ds(step.0.max(1)), memory: Vec::new(), violations: 0, first: None }
    }

    /// Number of violations seen so far.
    #[must_use]
    pub const fn violations(&self) -> u64 {
        self.violations
    }

    /// The first violation seen.
    #[must_use]
    pub const fn first_violation(&self) -> Option<&Violation> {
        self.first.as_ref()
    }

    /// Forgets the violations, not what the heads show.
    pub(super) fn forgive(&mut self) {
        self.violations = 0;
        self.first = None;
    }

    /// Looks at the heads: one indication per signal group of the controller, shown from `at` on.
    pub fn look(&mut self, at: TimeDs, heads: &[Indication]) {
        let mut faults = Vec::new();
        if self.memory.len() == heads.len() {
            let before: Vec<Indication> = self.memory.iter().map(|m| m.shows).collect();
            for (i, (&was, &is)) in before.iter().zip(heads).enumerate() {
                if was != is {
                    self.judge_yellow(i, is, at, &mut faults);
                    self.remember(i, is, at);
                }
            }
            if before != heads {
                for (i, (&was, &is)) in before.iter().zip(heads).enumerate() {
                    if was != is && is.is_green() {
                        self.judge_start(i, was, at, &mut faults);
                    }
                }
                self.judge_together(heads, &mut faults);
            }
        } else {
            let unknown = |&shows: &Indication| Memory { shows, since: None, green_end: None, protected_end: None };
            self.memory = heads.iter().map(unknown).collect();
            self.judge_together(heads, &mut faults);
        }
        for fault in faults {
            self.violations += 1;
            self.first.get_or_insert(Violation { at, fault });
        }
    }

    fn name(&self, group: usize) -> String {
        self.controller.groups.get(group).map_or_else(|| format!("#{group}"), |g| g.name.clone())
    }

    /// A time of the database as it shows between looks.
    const fn seen(&self, time: Ds) -> Ds {
        Ds(time.0 - time.0 % self.step.0)
    }

    fn judge_yellow(&self, i: usize, is: Indication, at: TimeDs, faults: &mut Vec<Fault>) {
        let Some(group) = self.controller.groups.get(i) else { return };
        let memory = &self.memory[i];
        if memory.shows.is_green() && !is.is_green() && is != Indication::Yellow && group.yellow > Ds::ZERO {
            faults.push(Fault::YellowSkipped { group: group.name.clone(), to: is });
        }
        if memory.shows == Indication::Yellow
            && let Some(since) = memory.since
        {
            let shown = between(since, at);
            if shown < self.seen(group.yellow) {
                faults.push(Fault::YellowShort { group: group.name.clone(), shown, yellow: group.yellow });
            }
        }
    }

    fn remember(&mut self, i: usize, is: Indication, at: TimeDs) {
        let memory = &mut self.memory[i];
        if memory.shows.is_green() && !is.is_green() {
            memory.green_end = Some(at);
        }
        if memory.shows == Indication::Protected {
            memory.protected_end = Some(at);
        }
        memory.shows = is;
        memory.since = Some(at);
    }

    /// Group `i` has just become green, or protected: has enough time passed since every group it conflicts with?
    fn judge_start(&self, i: usize, was: Indication, at: TimeDs, faults: &mut Vec<Fault>) {
        let starting = GroupId::at(i);
        let (newly_green, protected) = (!was.is_green(), self.memory[i].shows == Indication::Protected);
        for (j, other) in self.memory.iter().enumerate().take(self.controller.conflicts.size()) {
            let ending = GroupId::at(j);
            if i == j || i >= self.controller.conflicts.size() {
                continue;
            }
            let (end, intergreen) = match self.controller.conflicts.get(ending, starting) {
                Relation::Compatible => continue,
                Relation::Conflict { intergreen } if newly_green => (other.green_end, intergreen),
                Relation::Conflict { .. } => continue,
                Relation::Permitted { yields, intergreen } => {
                    let starter_yields = self.yields(starting, ending);
                    match (yields && newly_green, starter_yields && protected) {
                        (true, _) => (other.protected_end, intergreen),
                        (_, true) => (other.green_end, intergreen),
                        _ => continue,
                    }
                }
            };
            let Some(end) = end.filter(|_| !other.shows.is_green()) else { continue };
            let shown = between(end, at);
            if shown < self.seen(intergreen) {
                let (ending, starting) = (self.name(j), self.name(i));
                faults.push(Fault::Intergreen { ending, starting, shown, intergreen });
            }
        }
    }

    fn yields(&self, group: GroupId, to: GroupId) -> bool {
        matches!(self.controller.conflicts.get(group, to), Relation::Permitted { yields: true, .. })
    }

    fn judge_together(&self, heads: &[Indication], faults: &mut Vec<Fault>) {
        let green = |i: usize| heads[i].is_green();
        let size = heads.len().min(self.controller.conflicts.size());
        for a in (0..size).filter(|&a| green(a)) {
            for b in (a + 1..size).filter(|&b| green(b)) {
                let (x, y) = (GroupId::at(a), GroupId::at(b));
                let wrong = self.controller.conflicts.conflicts(x, y)
                    || (self.yields(x, y) && heads[a] == Indication::Protected)
                    || (self.yields(y, x) && heads[b] == Indication::Protected);
                if wrong {
                    faults.push(Fault::Conflict { a: self.name(a), b: self.name(b) });
                }
            }
        }
    }
}

fn between(earlier: TimeDs, later: TimeDs) -> Ds {
    Ds(u32::try_from(later.since(earlier)).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::controller::sample;
    use Indication::{Permissive, Protected, Red, Yellow};

    fn watch(step: Ds, looks: &[(i64, [Indication; 3])]) -> ConflictMonitor {
        let mut monitor = ConflictMonitor::new(Arc::new(sample::controller()), step);
        for (at_s, heads) in looks {
            monitor.look(TimeDs::from_s(*at_s), heads);
        }
        monitor
    }

    fn first_fault(looks: &[(i64, [Indication; 3])]) -> Option<Fault> {
        watch(Ds::from_s(1), looks).first_violation().map(|v| v.fault.clone())
    }

    #[test]
    fn a_good_change_passes() {
        let looks = [
            (0, [Protected, Permissive, Red]),
            (10, [Yellow, Yellow, Red]),
            (13, [Red, Red, Red]),
            (15, [Red, Red, Protected]),
        ];
        assert_eq!(first_fault(&looks), None);
    }

    #[test]
    fn conflicting_greens_trip() {
        let fault = first_fault(&[(0, [Protected, Red, Protected])]).unwrap();
        assert_eq!(fault.to_string(), "groups 'main' and 'side' are green together");
    }

    #[test]
    fn a_protected_turn_beside_what_it_yields_to_trips() {
        assert!(matches!(first_fault(&[(0, [Protected, Protected, Red])]), Some(Fault::Conflict { .. })));
        assert_eq!(first_fault(&[(0, [Protected, Permissive, Red])]), None);
    }

    #[test]
    fn a_skipped_and_a_short_yellow_trip() {
        let skipped = first_fault(&[(0, [Protected, Red, Red]), (10, [Red, Red, Red])]);
        assert!(matches!(skipped, Some(Fault::YellowSkipped { .. })));
        let short = first_fault(&[(0, [Protected, Red, Red]), (10, [Yellow, Red, Red]), (12, [Red, Red, Red])]);
        assert!(matches!(short, Some(Fault::YellowShort { shown: Ds(20), yellow: Ds(30), .. })));
    }

    #[test]
    fn a_short_intergreen_trips() {
        let looks =
            [(0, [Protected, Red, Red]), (10, [Yellow, Red, Red]), (13, [Red, Red, Red]), (14, [Red, Red, Protected])];
        assert!(matches!(first_fault(&looks), Some(Fault::Intergreen { shown: Ds(40), intergreen: Ds(50), .. })));
    }

    #[test]
    fn a_turn_that_becomes_protected_waits_for_the_stream_it_yields_to() {
        let looks = [(0, [Protected, Permissive, Red]), (10, [Yellow, Permissive, Red]), (13, [Red, Protected, Red])];
        assert!(matches!(first_fault(&looks), Some(Fault::Intergreen { shown: Ds(30), intergreen: Ds(50), .. })));
    }

    #[test]
    fn times_between_looks_count_rounded_down() {
        let looks = [(0, [Protected, Red, Red]), (10, [Yellow, Red, Red]), (12, [Red, Red, Red])];
        assert_eq!(watch(Ds::from_s(2), &looks).violations(), 0, "3 s of yellow may show for 2 s every 2 s");
    }
}
