//! The street at one instant, as measures see it.
//!
//! Measures read a [`Snapshot`] and never the street itself: they can be fed by hand in tests, and the street is walked
//! once a second whatever the number of measures.

use std::ops::Range;

use greenkerb_models::ids::{ConnectionId, ControllerId, CrossingId, FacilityId, GroupId, LaneId, LinkId};
use greenkerb_models::network::{Network, SignalHead};
use greenkerb_models::signal::Indication;
use greenkerb_models::units::TimeDs;

use crate::micro::{FacilityState, Micro, PeopleState, Vehicle};

/// Slower than this, a vehicle is in a queue, in metres per second (5 km/h).
pub const QUEUED_BELOW_MPS: f32 = 1.4;

/// Where a vehicle's front is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// On a lane.
    Lane(LaneId),
    /// On its way across a node.
    Across(ConnectionId),
}

/// A vehicle where it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Seen {
    /// Where.
    pub place: Place,
    /// What is known of it.
    pub vehicle: Vehicle,
}

impl Seen {
    /// True while it stands or rolls up, and does not stay at a stop.
    #[must_use]
    pub fn is_queued(&self) -> bool {
        self.vehicle.speed_mps < QUEUED_BELOW_MPS && !self.vehicle.at_stop
    }

    /// The way across a node it is on, or takes next.
    #[must_use]
    pub fn heads_for(&self) -> Option<ConnectionId> {
        match self.place {
            Place::Lane(_) => self.vehicle.next,
            Place::Across(connection) => Some(connection),
        }
    }
}

/// The street at one instant.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Snapshot {
    now: TimeDs,
    seen: Vec<Seen>,
    beside: Vec<Vehicle>,
    lanes: Vec<Range<usize>>,
    heads: Vec<Vec<Indication>>,
    outside: Vec<u32>,
    people: Vec<PeopleState>,
    facilities: Vec<FacilityState>,
}

impl Snapshot {
    /// An empty street with all heads red.
    #[must_use]
    pub fn empty(network: &Network, facilities: usize, now: TimeDs) -> Self {
        Self {
            now,
            seen: Vec::new(),
            beside: Vec::new(),
            lanes: vec![0..0; network.lanes().len()],
            heads: network.controllers().iter().map(|c| vec![Indication::Red; c.groups.len()]).collect(),
            outside: vec![0; network.links().len()],
            people: vec![PeopleState::default(); network.crossings().len()],
            facilities: vec![FacilityState::default(); facilities],
        }
    }

    /// Looks at the street.
    pub fn take(&mut self, street: &Micro) {
        self.now = street.now();
        self.seen.clear();
        for (i, range) in self.lanes.iter_mut().enumerate() {
            let lane = LaneId::at(i);
            let start = self.seen.len();
            self.seen.extend(street.on_lane(lane).map(|vehicle| Seen { place: Place::Lane(lane), vehicle }));
            *range = start..self.seen.len();
        }
        for i in 0..street.network().connections().len() {
            let connection = ConnectionId::at(i);
            let across = street.on_connection(connection);
            self.seen.extend(across.map(|vehicle| Seen { place: Place::Across(connection), vehicle }));
        }
        self.beside.clear();
        self.beside.extend(street.beside());
        for (i, heads) in self.heads.iter_mut().enumerate() {
            let shown = street.heads(ControllerId::at(i));
            if shown.len() == heads.len() {
                heads.copy_from_slice(shown);
            }
        }
        for (i, outside) in self.outside.iter_mut().enumerate() {
            *outside = street.waiting_outside(LinkId::at(i));
        }
        for (i, people) in self.people.iter_mut().enumerate() {
            *people = street.people(CrossingId::at(i));
        }
        for (i, facility) in self.facilities.iter_mut().enumerate() {
            *facility = street.facility(FacilityId::at(i));
        }
    }

    /// The instant.
    #[must_use]
    pub const fn now(&self) -> TimeDs {
        self.now
    }

    /// All vehicles on lanes in id order, foremost first, then those on ways across nodes.
    #[must_use]
    pub fn vehicles(&self) -> &[Seen] {
        &self.seen
    }

    /// Vehicles on the road, but beside its lanes.
    #[must_use]
    pub fn beside(&self) -> &[Vehicle] {
        &self.beside
    }

    /// Vehicles with their front on a lane, foremost first.
    #[must_use]
    pub fn on_lane(&self, lane: LaneId) -> &[Seen] {
        &self.seen[self.lanes[lane.index()].clone()]
    }

    /// What a signal group shows.
    #[must_use]
    pub fn head(&self, controller: ControllerId, group: GroupId) -> Indication {
        self.heads[controller.index()][group.index()]
    }

    /// What a signal head shows.
    #[must_use]
    pub fn shows(&self, head: SignalHead) -> Indication {
        self.head(head.controller, head.group)
    }

    /// Vehicles that wait outside the network to enter a link.
    #[must_use]
    pub fn outside(&self, link: LinkId) -> u32 {
        self.outside[link.index()]
    }

    /// People at a crossing.
    #[must_use]
    pub fn people(&self, crossing: CrossingId) -> PeopleState {
        self.people[crossing.index()]
    }

    /// Parking facilities, in id order.
    #[must_use]
    pub fn facilities(&self) -> &[FacilityState] {
        &self.facilities
    }

    /// Sets the instant: for streams made by hand.
    #[must_use]
    pub fn at(mut self, now: TimeDs) -> Self {
        self.now = now;
        self
    }

    /// Puts vehicles on a lane, foremost first: for streams made by hand.
    #[must_use]
    pub fn with_lane(mut self, lane: LaneId, vehicles: impl IntoIterator<Item = Vehicle>) -> Self {
        let start = self.seen.len();
        self.seen.extend(vehicles.into_iter().map(|vehicle| Seen { place: Place::Lane(lane), vehicle }));
        self.lanes[lane.index()] = start..self.seen.len();
        self
    }

    /// Puts vehicles on a way across a node: for streams made by hand.
    #[must_use]
    pub fn with_across(mut self, connection: ConnectionId, vehicles: impl IntoIterator<Item = Vehicle>) -> Self {
        self.seen.extend(vehicles.into_iter().map(|vehicle| Seen { place: Place::Across(connection), vehicle }));
        self
    }

    /// Sets what a signal group shows: for streams made by hand.
    #[must_use]
    pub fn with_head(mut self, controller: ControllerId, group: GroupId, shows: Indication) -> Self {
        self.heads[controller.index()][group.index()] = shows;
        self
    }

    /// Sets how many vehicles wait outside to enter a link: for streams made by hand.
    #[must_use]
    pub fn with_outside(mut self, link: LinkId, vehicles: u32) -> Self {
        self.outside[link.index()] = vehicles;
        self
    }

    /// Sets who is at a crossing: for streams made by hand.
    #[must_use]
    pub fn with_people(mut self, crossing: CrossingId, people: PeopleState) -> Self {
        self.people[crossing.index()] = people;
        self
    }

    /// Sets how a parking facility is: for streams made by hand.
    #[must_use]
    pub fn with_facility(mut self, facility: FacilityId, state: FacilityState) -> Self {
        self.facilities[facility.index()] = state;
        self
    }
}
