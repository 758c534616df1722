//! What all heads of a network show.

use greenkerb_models::ids::{ControllerId, GroupId};
use greenkerb_models::network::Network;
use greenkerb_models::signal::Indication;

/// One indication per signal group of every controller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heads(Vec<Vec<Indication>>);

impl Heads {
    /// All red.
    #[must_use]
    pub fn red(network: &Network) -> Self {
        Self(network.controllers().iter().map(|c| vec![Indication::Red; c.groups.len()]).collect())
    }

    /// What a controller's heads show, one indication per group.
    #[must_use]
    pub fn of(&self, controller: ControllerId) -> &[Indication] {
        &self.0[controller.index()]
    }

    /// Sets one group's heads.
    pub fn set(&mut self, controller: ControllerId, group: GroupId, shows: Indication) {
        self.0[controller.index()][group.index()] = shows;
    }

    /// Sets all heads of a controller.
    pub fn set_all(&mut self, controller: ControllerId, shows: &[Indication]) {
        self.0[controller.index()].clear();
        self.0[controller.index()].extend_from_slice(shows);
    }
}
