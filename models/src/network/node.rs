//! Nodes: where links meet.

use serde::{Deserialize, Serialize};

use crate::ids::ControllerId;
use crate::network::Point;

/// A node (junction).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Node {
    /// Name in the source file.
    pub name: String,
    /// Where it lies.
    pub position: Point,
    /// The controller that shows signals here, if any.
    pub controller: Option<ControllerId>,
}
