//! The schedule layer: which stage of each junction is green from when to when over the next minute, decided anew every
//! second from where its vehicles are.
//!
//! The layer sees [`Picture`]s: from cameras, radars and connected vehicles where there are any, from what the loops say
//! where there are none. It answers with a [`Schedule`] per controller that begins with what is shown and promised.

mod exchange;
mod model;
mod planner;
mod playout;
mod search;
#[cfg(test)]
mod tests;
mod traffic;

pub use planner::{Planned, Planner, Running};
pub use playout::Manner;
pub use search::Effort;
