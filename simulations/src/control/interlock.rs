//! Signal groups each for itself: whoever wants what, only what the database allows is shown.
//!
//! This is what lets rings of phases run side by side. A wish that would break an intergreen, a shortest green or a
//! shortest red waits.

use std::sync::Arc;

use greenkerb_models::ids::GroupId;
use greenkerb_models::signal::{Controller, Indication, Relation};
use greenkerb_models::units::{Ds, TimeDs};

/// What somebody wants a group to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Want {
    /// No green.
    #[default]
    Red,
    /// Green that yields.
    Permissive,
    /// Green with right of way.
    Protected,
}

#[derive(Debug, Clone, Copy)]
struct Lamp {
    shows: Indication,
    since: TimeDs,
    green_since: Option<TimeDs>,
    green_end: Option<TimeDs>,
    protected_end: Option<TimeDs>,
}

/// The heads of one controller.
#[derive(Debug, Clone)]
pub(crate) struct Interlock {
    controller: Arc<Controller>,
    lamps: Vec<Lamp>,
    heads: Vec<Indication>,
}

impl Interlock {
    /// All red.
    pub(crate) fn red(controller: Arc<Controller>, begin: TimeDs) -> Self {
        let red = |g| Lamp {
            shows: dark(&controller, g),
            since: begin,
            green_since: None,
            green_end: None,
            protected_end: None,
        };
        let lamps: Vec<Lamp> = (0..controller.groups.len()).map(red).collect();
        Self { heads: lamps.iter().map(|l| l.shows).collect(), lamps, controller }
    }

    /// Since when a group is green; none while it is not.
    pub(crate) fn green_since(&self, group: GroupId) -> Option<TimeDs> {
        self.lamps[group.index()].green_since
    }

    /// Shows what is wanted as far as it is allowed at `now`; one wish a group.
    pub(crate) fn drive(&mut self, wants: &[Want], now: TimeDs) -> &[Indication] {
        for (g, want) in wants.iter().enumerate() {
            self.end(g, *want, now);
        }
        for (g, want) in wants.iter().enumerate() {
            self.start(g, *want, now);
        }
        self.heads.clear();
        self.heads.extend(self.lamps.iter().map(|l| l.shows));
        &self.heads
    }

    fn set(&mut self, g: usize, shows: Indication, now: TimeDs) {
        let lamp = &mut self.lamps[g];
        if lamp.shows == shows {
            return;
        }
        if lamp.shows == Indication::Protected {
            lamp.protected_end = Some(now);
        }
        match (lamp.shows.is_green(), shows.is_green()) {
            (true, false) => {
                lamp.green_end = Some(now);
                lamp.green_since = None;
            }
            (false, true) => lamp.green_since = Some(now),
            _ => {}
        }
        lamp.shows = shows;
        lamp.since = now;
    }

    /// What ends, or goes on ending.
    fn end(&mut self, g: usize, want: Want, now: TimeDs) {
        let group = &self.controller.groups[g];
        let (yellow, min_green) = (group.yellow, group.min_green);
        let lamp = self.lamps[g];
        let dark = dark(&self.controller, g);
        match lamp.shows {
            shows
                if shows.is_green()
                    && want == Want::Red
                    && lamp.green_since.is_none_or(|since| since + min_green <= now) =>
            {
                self.set(g, if yellow > Ds::ZERO { Indication::Yellow } else { dark }, now);
            }
            Indication::Protected if want == Want::Permissive => self.set(g, Indication::Permissive, now),
            Indication::Yellow if lamp.since + yellow <= now => self.set(g, dark, now),
            Indication::RedAmber if want == Want::Red => self.set(g, dark, now),
            _ => {}
        }
    }

    /// What starts, where it may.
    fn start(&mut self, g: usize, want: Want, now: TimeDs) {
        let shows = match want {
            Want::Red => return,
            Want::Permissive => Indication::Permissive,
            Want::Protected => Indication::Protected,
        };
        let lamp = self.lamps[g];
        let gains = lamp.shows == Indication::Permissive && want == Want::Protected;
        if (lamp.shows.is_green() && !gains) || lamp.shows == Indication::Yellow || !self.may(g, shows, now) {
            return;
        }
        let red_amber = self.controller.groups[g].red_amber;
        if gains || red_amber == Ds::ZERO {
            self.set(g, shows, now);
        } else if lamp.shows != Indication::RedAmber {
            self.set(g, Indication::RedAmber, now);
        } else if lamp.since + red_amber <= now {
            self.set(g, shows, now);
        }
    }

    /// True when everybody who must be gone is, for long enough.
    fn may(&self, g: usize, shows: Indication, now: TimeDs) -> bool {
        let own = &self.lamps[g];
        let group = &self.controller.groups[g];
        let starts = !own.shows.is_green();
        if starts && own.green_end.is_some_and(|end| end + group.yellow + group.min_red > now) {
            return false;
        }
        let me = GroupId::at(g);
        self.lamps.iter().enumerate().filter(|(e, _)| *e != g).all(|(e, other)| {
            let them = GroupId::at(e);
            let over = |end: Option<TimeDs>, intergreen: Ds| end.is_none_or(|end| end + intergreen <= now);
            // Red and amber is as good as green: it becomes green by itself.
            let coming = other.shows == Indication::RedAmber;
            match self.controller.conflicts.get(them, me) {
                Relation::Compatible => true,
                Relation::Conflict { intergreen } => {
                    !starts || (!other.shows.is_green() && !coming && over(other.green_end, intergreen))
                }
                Relation::Permitted { yields: true, intergreen } => {
                    !starts || (other.shows != Indication::Protected && over(other.protected_end, intergreen))
                }
                Relation::Permitted { yields: false, intergreen } => {
                    let i_yield =
                        matches!(self.controller.conflicts.get(me, them), Relation::Permitted { yields: true, .. });
                    !i_yield
                        || shows != Indication::Protected
                        || (!other.shows.is_green() && !coming && over(other.green_end, intergreen))
                }
            }
        })
    }
}

/// What a group shows when it has no green.
fn dark(controller: &Controller, g: usize) -> Indication {
    if controller.groups[g].turn_on_red { Indication::StopThenGo } else { Indication::Red }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::control::sample;
    use crate::field::ConflictMonitor;
    use Indication::{Permissive, Protected, Red, Yellow};

    #[test]
    fn a_wish_waits_for_the_intergreen() {
        let mut heads = Interlock::red(Arc::new(crate::field::sample::controller()), TimeDs(0));
        let at = |heads: &mut Interlock, s: i64, wants: [Want; 3]| heads.drive(&wants, TimeDs::from_s(s)).to_vec();
        let main = [Want::Protected, Want::Permissive, Want::Red];
        let side = [Want::Red, Want::Red, Want::Protected];
        assert_eq!(at(&mut heads, 0, main), [Protected, Permissive, Red]);
        assert_eq!(at(&mut heads, 4, side), [Protected, Permissive, Red], "shortest green");
        assert_eq!(at(&mut heads, 5, side), [Yellow, Yellow, Red]);
        assert_eq!(at(&mut heads, 8, side), [Red, Red, Red]);
        assert_eq!(at(&mut heads, 9, side), [Red, Red, Red], "5 s between the two");
        assert_eq!(at(&mut heads, 10, side), [Red, Red, Protected]);
    }

    proptest! {
        #[test]
        fn whatever_is_wanted_the_database_is_kept(
            wants in proptest::collection::vec(proptest::collection::vec(0_u8..3, 8), 200),
            hold in 1_usize..12,
        ) {
            for controller in [sample::permissive_cross(), sample::eight_stages()] {
                let controller = Arc::new(controller);
                let mut heads = Interlock::red(Arc::clone(&controller), TimeDs(0));
                let mut monitor = ConflictMonitor::new(Arc::clone(&controller), Ds::from_s(1));
                for s in 0..400 {
                    let wish = |w: &u8| [Want::Red, Want::Permissive, Want::Protected][usize::from(*w)];
                    let of = &wants[(s / hold) % wants.len()];
                    let now: Vec<Want> = of.iter().take(controller.groups.len()).map(wish).collect();
                    let at = TimeDs::from_s(s as i64);
                    let shown = heads.drive(&now, at).to_vec();
                    monitor.look(at, &shown);
                }
                prop_assert_eq!(monitor.first_violation(), None);
            }
        }
    }
}
