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
