//! The quickest way from link to link.

mod tree;

pub use tree::{LinkTimes, Tree, way_between};
