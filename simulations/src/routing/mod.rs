//! The quickest way from link to link.

mod measured;
mod search;
mod tree;

pub use measured::Measured;
pub use search::{Search, Times};
pub use tree::{LinkTimes, Tree, way_between};
