//! Vehicles' ways through the network: single trips, flows of them, and turning flows.

use serde::{Deserialize, Serialize};

use super::stop::Stay;
use crate::ids::{FacilityId, KindId, LinkId, RouteId};
use crate::units::{Ds, TimeDs, VehPerHour};

/// A fixed sequence of links, each joined to the next by a movement.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Route {
    /// Name, unique in the demand.
    pub name: String,
    /// Links in order; never empty.
    pub links: Vec<LinkId>,
}

/// How a vehicle finds its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// Along a route.
    Along(RouteId),
    /// From the start of one link to the end of another, through others in order, by the quickest way at departure:
    /// free-flow times, or measured ones where the scenario asks for congestion-aware routing.
    Between {
        /// First link.
        from: LinkId,
        /// Last link.
        to: LinkId,
        /// Links in between, in order.
        via: Vec<LinkId>,
    },
    /// From a link on, drawing every turn from the demand's turning shares, until a link that leads nowhere.
    Turning {
        /// First link.
        from: LinkId,
    },
}

/// On which lane a vehicle enters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DepartLane {
    /// The emptiest of the lanes from which its way goes on.
    #[default]
    Best,
    /// The rightmost of those lanes, or, by chance, one left of it that has more room.
    BestProb,
    /// The one with the most room of those it may use.
    Free,
    /// Any one it may use, by chance.
    Random,
    /// The rightmost it may use.
    First,
    /// This one, counted from the right.
    Index(u32),
}

/// With which speed a vehicle enters.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DepartSpeed {
    /// As fast as it is safe and allowed.
    Max,
    /// As fast as those on the lane drive on average, where that is safe; as fast as allowed on an empty lane.
    Average,
    /// So many metres per second, or later when that is not safe.
    Fixed(f64),
    /// From a stand.
    #[default]
    Zero,
}

/// A stay in a parking facility.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parking {
    /// The facility it heads for.
    pub facility: FacilityId,
    /// How long it stays; none: for ever.
    pub stay: Option<Ds>,
}

/// One vehicle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trip {
    /// Name, unique among trips.
    pub name: String,
    /// Its kind.
    pub kind: KindId,
    /// When it wants to enter.
    pub depart: TimeDs,
    /// Where it goes.
    pub way: Way,
    /// On which lane it enters.
    pub depart_lane: DepartLane,
    /// With which speed it enters.
    pub depart_speed: DepartSpeed,
    /// Stays at bus stops on the way, in order.
    pub stays: Vec<Stay>,
    /// Parks on the way. Its way leads to the facility's link first; after the stay it goes on to its way's end.
    pub parking: Option<Parking>,
}

/// When the vehicles of a flow come.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Emission {
    /// One at the beginning and then one every so many seconds.
    Every {
        /// Seconds between two, above zero.
        period_s: f64,
    },
    /// So many, evenly spread.
    Count(u32),
    /// In every second with this chance.
    Chance {
        /// 0 to 1.
        per_s: f64,
    },
    /// A Poisson stream.
    Poisson(VehPerHour),
}

/// Vehicles that come again and again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Flow {
    /// What every vehicle is like; its name is the flow's, vehicles are `name.0`, `name.1`, …; `depart` begins the flow.
    pub template: Trip,
    /// No vehicle at or after this instant; with [`Emission::Every`] in CityFlow's sense one at `end` itself still comes.
    pub end: TimeDs,
    /// When they come.
    pub emission: Emission,
}

/// Share of the vehicles of a link that go on to another.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TurningShare {
    /// Where they come from.
    pub from: LinkId,
    /// Where they go.
    pub to: LinkId,
    /// Weight among the shares of `from`, not negative.
    pub share: f64,
}

impl Flow {
    /// Vehicles it sends at or after `from` and before `to`: how many exactly where no chance is in it, else how many are
    /// expected.
    #[must_use]
    pub fn vehicles_between(&self, from: TimeDs, to: TimeDs) -> f64 {
        let begin = self.template.depart;
        let seconds = |from: TimeDs, to: TimeDs| (to.since(from) as f64 / 10.0).max(0.0);
        // Vehicles before an instant where they come every so many seconds, the first at the beginning.
        let before = |at: TimeDs, period_s: f64| (seconds(begin, at) / period_s).ceil();
        match self.emission {
            Emission::Every { period_s } => {
                let most = (seconds(begin, self.end) / period_s).floor() + 1.0;
                (before(to, period_s).min(most) - before(from, period_s).min(most)).max(0.0)
            }
            Emission::Count(count) => {
                let period_s = seconds(begin, self.end).max(1e-9) / f64::from(count.max(1));
                let most = f64::from(count);
                (before(to, period_s).min(most) - before(from, period_s).min(most)).max(0.0)
            }
            Emission::Chance { per_s } => per_s * seconds(from.max(begin), to.min(self.end)),
            Emission::Poisson(vph) => vph.get() * seconds(from.max(begin), to.min(self.end)) / 3_600.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow(begin_s: i64, end_s: i64, emission: Emission) -> Flow {
        let template = Trip {
            name: "f".into(),
            kind: KindId::at(0),
            depart: TimeDs::from_s(begin_s),
            way: Way::Along(RouteId::at(0)),
            depart_lane: DepartLane::Best,
            depart_speed: DepartSpeed::Zero,
            stays: Vec::new(),
            parking: None,
        };
        Flow { template, end: TimeDs::from_s(end_s), emission }
    }

    #[test]
    fn vehicles_are_counted_by_when_they_come() {
        let between = |f: &Flow, from, to| f.vehicles_between(TimeDs::from_s(from), TimeDs::from_s(to));
        let every = flow(100, 200, Emission::Every { period_s: 10.0 });
        assert_eq!(between(&every, 0, 1_000), 11.0, "one at the end itself");
        assert_eq!((between(&every, 100, 110), between(&every, 101, 110), between(&every, 101, 111)), (1.0, 0.0, 1.0));
        let single = flow(7, 7, Emission::Every { period_s: 1.0 });
        assert_eq!((between(&single, 0, 7), between(&single, 7, 8), between(&single, 8, 9)), (0.0, 1.0, 0.0));
        let count = flow(0, 100, Emission::Count(4));
        assert_eq!((between(&count, 0, 100), between(&count, 0, 26), between(&count, 50, 50)), (4.0, 2.0, 0.0));
        assert_eq!(between(&flow(3, 3, Emission::Count(4)), 0, 9), 4.0);
        let poisson = flow(0, 100, Emission::Poisson(VehPerHour::new(360.0).unwrap()));
        assert!((between(&poisson, -50, 50) - 5.0).abs() < 1e-9 && between(&poisson, 200, 300) == 0.0);
        assert!((between(&flow(0, 100, Emission::Chance { per_s: 0.5 }), 90, 190) - 5.0).abs() < 1e-9);
    }
}
