//! Which groups may be green together, and how long must pass between those that may not.

use serde::{Deserialize, Serialize};

use crate::ids::GroupId;
use crate::units::Ds;

/// How two groups of one controller relate. The relation is symmetric; an intergreen may differ by direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    /// Their ways do not touch: any combination may be shown.
    #[default]
    Compatible,
    /// Their ways touch, and the controller's database lets both be green together: one yields by the rules of the road,
    /// as a left turn does to the oncoming stream.
    ///
    /// A group that yields may be *permissive* green beside the other at any time; its *protected* green conflicts with
    /// the other, and then `intergreen` passes between the two. Where neither yields, the database shows both with right
    /// of way (merging streams, a file that says so) and nothing is asked.
    Permitted {
        /// The row's group yields to the column's while both are green.
        yields: bool,
        /// From the end of the row's green to the start of the column's, where one of the two is a protected green of
        /// the group that yields.
        intergreen: Ds,
    },
    /// They may never be green together; `intergreen` passes from the end of this group's green to the other's start.
    Conflict {
        /// Yellow and all-red together.
        intergreen: Ds,
    },
}

/// A square matrix over the groups of one controller: row = group that ends, column = group that starts.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ConflictMatrix {
    size: usize,
    cells: Vec<Relation>,
}

impl ConflictMatrix {
    /// A matrix of `size` groups, all compatible.
    #[must_use]
    pub fn compatible(size: usize) -> Self {
        Self { size, cells: vec![Relation::Compatible; size * size] }
    }

    /// Number of groups.
    #[must_use]
    pub fn size(&self) -> usize {
        self.size
    }

    /// True when every pair has a relation; a matrix that was read from a file may lack some.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.size.checked_mul(self.size) == Some(self.cells.len())
    }

    /// The relation from a group that ends to a group that starts; out of range counts as compatible with itself only.
    #[must_use]
    pub fn get(&self, ending: GroupId, starting: GroupId) -> Relation {
        self.cells[ending.index() * self.size + starting.index()]
    }

    /// Sets one direction. The caller sets the other; [`ConflictMatrix::asymmetry`] finds what was forgotten.
    pub fn set(&mut self, ending: GroupId, starting: GroupId, relation: Relation) {
        self.cells[ending.index() * self.size + starting.index()] = relation;
    }

    /// True when the pair may never be green together.
    #[must_use]
    pub fn conflicts(&self, a: GroupId, b: GroupId) -> bool {
        matches!(self.get(a, b), Relation::Conflict { .. })
    }

    /// The first pair whose two directions are of different kinds, or a group that conflicts with itself.
    #[must_use]
    pub fn asymmetry(&self) -> Option<(GroupId, GroupId)> {
        let ids = || (0..self.size).map(GroupId::at);
        ids().flat_map(|a| ids().map(move |b| (a, b))).find(|&(a, b)| match (self.get(a, b), self.get(b, a)) {
            _ if a == b => self.get(a, b) != Relation::Compatible,
            (Relation::Permitted { yields: x, .. }, Relation::Permitted { yields: y, .. }) => x && y && a < b,
            (x, y) => std::mem::discriminant(&x) != std::mem::discriminant(&y),
        })
    }
}
