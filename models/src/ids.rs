//! Typed ids, interned: a `LinkId` cannot be used where a `LaneId` is meant, and comparing two is comparing integers.

use serde::{Deserialize, Serialize};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u32);

        impl $name {
            /// Position in the network's table of such things.
            #[must_use]
            pub const fn index(self) -> usize {
                self.0 as usize
            }

            /// Id of the thing at `index`.
            ///
            /// # Panics
            /// When there are more than 2³² of them.
            #[must_use]
            pub fn at(index: usize) -> Self {
                Self(u32::try_from(index).expect("more than 2^32 elements"))
            }
        }
    };
}

id!(
    /// A node (junction) of the network.
    NodeId
);
id!(
    /// A directed link, node to node.
    LinkId
);
id!(
    /// A lane of a link.
    LaneId
);
id!(
    /// A movement: from-link to to-link at a node.
    MovementId
);
id!(
    /// A lane-to-lane connection of a movement.
    ConnectionId
);
id!(
    /// A pedestrian or bicycle crossing.
    CrossingId
);
id!(
    /// A signal controller.
    ControllerId
);
id!(
    /// A detector.
    DetectorId
);
id!(
    /// A signal group, numbered inside its controller.
    GroupId
);
id!(
    /// A stage, numbered inside its controller's program.
    StageId
);
id!(
    /// A kind of vehicle of a demand.
    KindId
);
id!(
    /// A route of a demand.
    RouteId
);
id!(
    /// A place of a demand where vehicles stop: a bus stop.
    StopId
);
id!(
    /// A parking facility of a demand.
    FacilityId
);
