//! Signal groups: movements and crossings shown by the same heads, with the safety times the controller keeps for them.

use serde::{Deserialize, Serialize};

use crate::ids::{ConnectionId, CrossingId};
use crate::units::Ds;

/// Who looks at the heads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupKind {
    /// Motor vehicles (bicycles with them where they share lanes).
    Vehicle,
    /// Pedestrians or bicycles on crossings only.
    Pedestrian,
}

/// A signal group. Its times belong to the controller's database: the optimizer reads them and never writes them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SignalGroup {
    /// Name, unique in its controller.
    pub name: String,
    /// Who it serves.
    pub kind: GroupKind,
    /// Lane connections that obey it.
    pub connections: Vec<ConnectionId>,
    /// Crossings that obey it.
    pub crossings: Vec<CrossingId>,
    /// Positions in the source file's state strings.
    pub link_indices: Vec<u32>,
    /// Shortest green; for pedestrians the walk time.
    pub min_green: Ds,
    /// Yellow after green; zero for pedestrians. ITE/MUTCD: 3–6 s.
    pub yellow: Ds,
    /// Red-and-amber shown at the end of red, zero where it is not used.
    pub red_amber: Ds,
    /// Pedestrian clearance after walk, zero for vehicles. MUTCD: crossing length / 1.07 m/s.
    pub clearance: Ds,
    /// Shortest red between two greens.
    pub min_red: Ds,
    /// Longest time without green while there is demand.
    pub max_red: Ds,
    /// May turn on red after a stop (SUMO `s`).
    pub turn_on_red: bool,
}
