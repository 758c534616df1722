//! Movements (link to link) and the lane-to-lane connections they are made of.

use serde::{Deserialize, Serialize};

use crate::ids::{ConnectionId, ControllerId, GroupId, LaneId, LinkId, MovementId, NodeId};
use crate::network::Polyline;
use crate::units::{Metres, MetresPerSecond, VehPerHour};

/// Which way a movement turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Turn {
    /// To the right.
    Right,
    /// Straight on, or bearing slightly.
    Straight,
    /// To the left.
    Left,
    /// Back the way it came.
    UTurn,
}

/// Which lamp a connection obeys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignalHead {
    /// The controller.
    pub controller: ControllerId,
    /// The group inside it.
    pub group: GroupId,
    /// Position in the source file's state strings (SUMO `linkIndex`).
    pub link_index: u32,
}

/// A lane-to-lane connection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Connection {
    /// Lane it leaves.
    pub from_lane: LaneId,
    /// Lane it enters.
    pub to_lane: LaneId,
    /// The movement it is part of.
    pub movement: MovementId,
    /// The signal it obeys, if any.
    pub signal: Option<SignalHead>,
    /// Length of the way across the node.
    pub length: Metres,
    /// Highest speed on the way across the node.
    pub speed: MetresPerSecond,
    /// Where a vehicle that gives way may wait inside the node, along the connection; none: it waits at the line.
    pub wait_at: Option<Metres>,
    /// Course across the node.
    pub shape: Polyline,
}

/// A movement: from-link to to-link at a node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Movement {
    /// The node it crosses.
    pub node: NodeId,
    /// Link it leaves.
    pub from_link: LinkId,
    /// Link it enters.
    pub to_link: LinkId,
    /// Which way it turns.
    pub turn: Turn,
    /// Saturation flow **per lane** of its connections.
    pub saturation: VehPerHour,
    /// Its connections, in file order; never empty.
    pub connections: Vec<ConnectionId>,
}

/// A crossing for pedestrians or bicycles over the links at a node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Crossing {
    /// Name in the source file.
    pub name: String,
    /// The node it belongs to.
    pub node: NodeId,
    /// Links whose lanes it crosses.
    pub links: Vec<LinkId>,
    /// Walking distance.
    pub length: Metres,
    /// Course from kerb to kerb.
    pub shape: Polyline,
    /// The signal it obeys, if any.
    pub signal: Option<SignalHead>,
}
