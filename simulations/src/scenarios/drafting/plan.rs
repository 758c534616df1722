//! What is to be drafted, in plain words: places, streets between them, lanes, who goes first.

use greenkerb_models::network::Point;

use super::DraftError;

/// A district to be drafted. Numbers that refer to something are positions in these lists.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Plan {
    /// Name of the network.
    pub name: String,
    /// Where streets meet or end.
    pub places: Vec<Place>,
    /// Streets from place to place.
    pub streets: Vec<Street>,
    /// Turns that are forbidden.
    pub bans: Vec<Ban>,
}

/// Where streets meet or end.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    /// Name, unique in the plan.
    pub name: String,
    /// Where it lies.
    pub at: Point,
    /// Who goes first here.
    pub control: Rule,
}

/// Who goes first at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// Signals decide.
    Signals(Lefts),
    /// Main streets before side streets; between equals, right before left.
    MainFirst,
    /// The edge of the map, or a dead end: nothing crosses here.
    Edge,
}

/// How left turns from lanes of their own are signalled. Left turns from shared lanes are always permissive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lefts {
    /// They yield to the oncoming stream.
    Permissive,
    /// They have a stage of their own, and are red otherwise.
    Protected,
    /// They yield while the oncoming stream runs, and have a stage of their own behind it.
    Both,
    /// The same from main streets; from side streets they only yield.
    BothFromMain,
}

/// A street from place to place.
#[derive(Debug, Clone, PartialEq)]
pub struct Street {
    /// Name; links are named after the places they join.
    pub name: String,
    /// Place it starts at.
    pub from: usize,
    /// Place it ends at.
    pub to: usize,
    /// Points its middle goes through, from start to end.
    pub via: Vec<Point>,
    /// Speed limit in metres per second.
    pub speed_mps: f64,
    /// Goes before streets that are no main streets.
    pub main: bool,
    /// Lanes from start to end.
    pub forward: Lanes,
    /// Lanes from end to start; none: a one-way street.
    pub backward: Option<Lanes>,
    /// People cross it at its start, at its end.
    pub crossings: (bool, bool),
}

/// Lanes of one direction, as they are at its end: full length, from kerb to middle a bus lane, lanes that only turn
/// right, lanes that go straight on, lanes that only turn left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lanes {
    /// Rightmost: a lane for buses only.
    pub bus: bool,
    /// Lanes that only turn right.
    pub right: u32,
    /// Lanes that go straight on, and turn where no lane of its own does.
    pub through: u32,
    /// Lanes that only turn left.
    pub left: u32,
}

impl std::fmt::Display for Lanes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let bus = if self.bus { ", one for buses" } else { "" };
        write!(f, "{} right, {} through, {} left{bus}", self.right, self.through, self.left)
    }
}

impl Lanes {
    /// So many lanes that all go straight on and turn from their outer ones.
    #[must_use]
    pub const fn through(through: u32) -> Self {
        Self { bus: false, right: 0, through, left: 0 }
    }

    /// The same with lanes that only turn left.
    #[must_use]
    pub const fn with_left(self, left: u32) -> Self {
        Self { left, ..self }
    }

    /// The same with lanes that only turn right.
    #[must_use]
    pub const fn with_right(self, right: u32) -> Self {
        Self { right, ..self }
    }

    /// The same with a lane for buses.
    #[must_use]
    pub const fn with_bus_lane(self) -> Self {
        Self { bus: true, ..self }
    }

    /// All of them.
    #[must_use]
    pub const fn count(self) -> u32 {
        self.bus as u32 + self.right + self.through + self.left
    }
}

/// A turn that is forbidden: from one street into another at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ban {
    /// The place.
    pub place: usize,
    /// Street that vehicles come from.
    pub from: usize,
    /// Street they may not turn into.
    pub to: usize,
}

/// Most lanes one direction can have.
const LANES_MAX: u32 = 8;
/// Streets shorter than this leave no room for stop lines and crossings at both ends.
const STREET_M_MIN: f64 = 20.0;

impl Street {
    /// Length of its middle line in metres.
    #[must_use]
    pub(super) fn course(&self, plan: &Plan) -> greenkerb_models::network::Polyline {
        let ends = (plan.places[self.from].at, plan.places[self.to].at);
        let points = std::iter::once(ends.0).chain(self.via.iter().copied()).chain([ends.1]);
        greenkerb_models::network::Polyline(points.collect())
    }
}

impl Plan {
    /// Checks that everything refers to something and can be built.
    pub(super) fn check(&self) -> Result<(), DraftError> {
        let unfit = |kind, name: &str, reason: String| Err(DraftError::Unfit { kind, name: name.into(), reason });
        let mut names = std::collections::BTreeSet::new();
        for p in &self.places {
            if !names.insert(p.name.as_str()) {
                return unfit("place", &p.name, "defined twice".into());
            }
            if !(p.at.x.is_finite() && p.at.y.is_finite()) {
                return unfit("place", &p.name, "its position is not finite".into());
            }
        }
        let mut pairs = std::collections::BTreeSet::new();
        for s in &self.streets {
            if let Some(end) = [s.from, s.to].into_iter().find(|e| *e >= self.places.len()) {
                return unfit("street", &s.name, format!("place number {end} does not exist"));
            }
            if s.from == s.to {
                return unfit("street", &s.name, "it ends where it starts".into());
            }
            if !pairs.insert((s.from.min(s.to), s.from.max(s.to))) {
                return unfit("street", &s.name, "another street joins the same places".into());
            }
            if !(s.speed_mps.is_finite() && s.speed_mps > 0.0) {
                return unfit("street", &s.name, format!("a speed limit of {} m/s", s.speed_mps));
            }
            for lanes in [Some(s.forward), s.backward].into_iter().flatten() {
                if lanes.through == 0 || lanes.count() > LANES_MAX {
                    return unfit("street", &s.name, format!("{lanes}: 1 to {LANES_MAX} lanes, one of them through"));
                }
            }
            let length_m = s.course(self).length_m();
            if !length_m.is_finite() || length_m < STREET_M_MIN {
                return unfit("street", &s.name, format!("{length_m:.1} m long, shorter than {STREET_M_MIN} m"));
            }
        }
        for b in &self.bans {
            let touches = |s: usize| self.streets.get(s).is_some_and(|s| s.from == b.place || s.to == b.place);
            if !(touches(b.from) && touches(b.to)) {
                let of = format!("from street {} into street {} at place {}", b.from, b.to, b.place);
                return unfit("ban", &of, "its streets do not meet there".into());
            }
        }
        Ok(())
    }
}
