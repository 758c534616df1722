//! The built-in microscopic simulator.
//!
//! A [`Micro`] holds one street. Every tick a controller tells what the heads show ([`Micro::show`]), then the street
//! moves on ([`Micro::step`]) and tells what happened ([`Micro::events`]).

mod error;
mod event;
mod view;

pub use error::MicroError;
pub use event::{Event, Journey, What};
pub use view::{FacilityState, PeopleState, Totals, Vehicle, VehicleId};

use std::sync::Arc;

use greenkerb_models::ids::{ConnectionId, ControllerId, CrossingId, FacilityId, LaneId, LinkId};
use greenkerb_models::network::Network;
use greenkerb_models::signal::Indication;
use greenkerb_models::units::TimeDs;

use crate::scenarios::Scenario;

/// How a street is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MicroOptions {
    /// Seed of all chance: drivers, flows, turns.
    pub seed: u64,
    /// Threads that move vehicles. The result is the same for any number.
    pub threads: usize,
}

impl Default for MicroOptions {
    fn default() -> Self {
        Self { seed: 1, threads: 1 }
    }
}

/// A street with vehicles on it.
#[derive(Debug)]
pub struct Micro {
    network: Arc<Network>,
    now: TimeDs,
    events: Vec<Event>,
}

impl Micro {
    /// An empty street at the scenario's beginning; heads are red until they are shown something.
    ///
    /// # Errors
    /// [`MicroError`] when the demand cannot be driven on the network.
    pub fn new(scenario: &Scenario, _options: MicroOptions) -> Result<Self, MicroError> {
        Ok(Self { network: Arc::clone(&scenario.network), now: scenario.begin, events: Vec::new() })
    }

    /// The network.
    #[must_use]
    pub fn network(&self) -> &Arc<Network> {
        &self.network
    }

    /// The instant the next step begins at.
    #[must_use]
    pub const fn now(&self) -> TimeDs {
        self.now
    }

    /// Sets a controller's heads, one indication per signal group, for the next step and until shown otherwise.
    pub fn show(&mut self, _controller: ControllerId, _heads: &[Indication]) {}

    /// What the heads of a controller show.
    #[must_use]
    pub fn heads(&self, _controller: ControllerId) -> &[Indication] {
        &[]
    }

    /// Moves everything by one tick.
    pub fn step(&mut self) {
        self.events.clear();
    }

    /// What happened in the last step, in an order that does not depend on the number of threads.
    #[must_use]
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// Vehicles with their front on a lane, foremost first.
    pub fn on_lane(&self, _lane: LaneId) -> impl Iterator<Item = Vehicle> + '_ {
        std::iter::empty()
    }

    /// Vehicles with their front on the way across a node, foremost first.
    pub fn on_connection(&self, _connection: ConnectionId) -> impl Iterator<Item = Vehicle> + '_ {
        std::iter::empty()
    }

    /// One vehicle on the road.
    #[must_use]
    pub fn vehicle(&self, _id: VehicleId) -> Option<Vehicle> {
        None
    }

    /// Vehicles that wait outside the network to enter a link.
    #[must_use]
    pub fn waiting_outside(&self, _link: LinkId) -> u32 {
        0
    }

    /// People at a crossing.
    #[must_use]
    pub fn people(&self, _crossing: CrossingId) -> PeopleState {
        PeopleState::default()
    }

    /// A parking facility.
    #[must_use]
    pub fn facility(&self, _facility: FacilityId) -> FacilityState {
        FacilityState::default()
    }

    /// Counts since the beginning.
    #[must_use]
    pub fn totals(&self) -> Totals {
        Totals::default()
    }
}
