//! What the heads show, and to whom.

use greenkerb_models::ids::ControllerId;
use greenkerb_models::network::Network;
use greenkerb_models::signal::Indication;

use super::strips::{StripId, Strips};

/// All heads of a network, and what each strip sees.
#[derive(Debug)]
pub(crate) struct Lamps {
    heads: Vec<Vec<Indication>>,
    /// Connections of every group.
    strips: Vec<Vec<Vec<StripId>>>,
    /// What each strip's way is shown; none without a signal.
    of_strip: Vec<Option<Indication>>,
}

impl Lamps {
    /// All red.
    pub(crate) fn red(network: &Network, strips: &Strips) -> Self {
        let per_group = |c: &greenkerb_models::signal::Controller| vec![Vec::new(); c.groups.len()];
        let mut lamps = Self {
            heads: network.controllers().iter().map(|c| vec![Indication::Red; c.groups.len()]).collect(),
            strips: network.controllers().iter().map(per_group).collect(),
            of_strip: vec![None; strips.all.len()],
        };
        for (i, c) in network.connections().iter().enumerate() {
            if let Some(head) = c.signal {
                let strip = strips.of_connection(greenkerb_models::ids::ConnectionId::at(i));
                lamps.strips[head.controller.index()][head.group.index()].push(strip);
                lamps.of_strip[strip as usize] = Some(Indication::Red);
            }
        }
        lamps
    }

    /// Sets a controller's heads. Heads past the last of the controller's groups are
    /// ignored, groups past the last given keep what they show.
    pub(crate) fn show(&mut self, controller: ControllerId, shows: &[Indication]) {
        let c = controller.index();
        for (g, show) in shows.iter().enumerate().take(self.heads[c].len()) {
            if self.heads[c][g] == *show {
                continue;
            }
            self.heads[c][g] = *show;
            for strip in &self.strips[c][g] {
                self.of_strip[*strip as usize] = Some(*show);
            }
        }
    }

    /// What a controller's heads show.
    pub(crate) fn of(&self, controller: ControllerId) -> &[Indication] {
        &self.heads[controller.index()]
    }

    /// What a connection's head shows; none where there is no signal.
    pub(crate) fn at(&self, connection: StripId) -> Option<Indication> {
        self.of_strip[connection as usize]
    }
}
