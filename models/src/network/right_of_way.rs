//! Who goes first inside a node: pairs of connections that touch, and connections that lead over crossings.
//!
//! This is the law of the road without its lamps. Which groups may be green together is the controller's
//! [`ConflictMatrix`](crate::signal::ConflictMatrix); it says nothing about nodes without signals, nor where two ways meet.

use serde::{Deserialize, Serialize};

use crate::ids::{ConnectionId, CrossingId};
use crate::units::Metres;

/// Two connections of one node whose ways touch. Each pair stands once, `first < second`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Conflict {
    /// One connection.
    pub first: ConnectionId,
    /// The other.
    pub second: ConnectionId,
    /// The first must give way to the second.
    pub first_yields: bool,
    /// The second must give way to the first. Both may be false: then signals keep them apart, or who comes first goes.
    pub second_yields: bool,
    /// Where they meet, along the first connection; its end where both lead into one lane, or side by side into one link.
    pub first_at: Metres,
    /// Where they meet, along the second connection.
    pub second_at: Metres,
}

/// A connection whose way leads over a crossing.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CrossingConflict {
    /// The connection.
    pub connection: ConnectionId,
    /// The crossing.
    pub crossing: CrossingId,
    /// Where it reaches the crossing, along the connection.
    pub at: Metres,
    /// Vehicles give way to people on the crossing (turning vehicles at signals, any vehicle at a zebra).
    pub vehicle_yields: bool,
}

/// Another connection, as one connection sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Foe {
    /// The other connection.
    pub connection: ConnectionId,
    /// I must give way to it.
    pub i_yield: bool,
    /// It must give way to me.
    pub it_yields: bool,
    /// Where we meet, along mine.
    pub mine_at: Metres,
    /// Where we meet, along its.
    pub its_at: Metres,
}
