//! Links and their lanes.

use serde::{Deserialize, Serialize};

use crate::ids::{LaneId, LinkId, NodeId};
use crate::network::Polyline;
use crate::units::{Metres, MetresPerSecond};

/// A directed link from node to node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Link {
    /// Name in the source file.
    pub name: String,
    /// Where it starts.
    pub from: NodeId,
    /// Where it ends.
    pub to: NodeId,
    /// Its lanes, rightmost first (in right-hand traffic).
    pub lanes: Vec<LaneId>,
    /// Length from stop line to stop line.
    pub length: Metres,
    /// Speed limit of its fastest lane.
    pub speed: MetresPerSecond,
    /// Course of the link.
    pub shape: Polyline,
}

/// Who may use a lane. Several may be true.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Admits {
    /// Private motor cars.
    pub cars: bool,
    /// Buses.
    pub buses: bool,
    /// Bicycles.
    pub bicycles: bool,
    /// Pedestrians.
    pub pedestrians: bool,
}

impl Admits {
    /// True when any motor vehicle may use the lane.
    #[must_use]
    pub const fn motor(self) -> bool {
        self.cars || self.buses
    }
}

/// A lane of a link.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Lane {
    /// Name in the source file.
    pub name: String,
    /// The link it belongs to.
    pub link: LinkId,
    /// Position in the link, 0 = rightmost.
    pub index: u32,
    /// Length.
    pub length: Metres,
    /// Speed limit.
    pub speed: MetresPerSecond,
    /// Width.
    pub width: Metres,
    /// Course of the lane's middle.
    pub shape: Polyline,
    /// Who may use it.
    pub admits: Admits,
}
