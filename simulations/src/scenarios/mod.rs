//! Scenarios: what a run is made of, and where they come from.

pub mod drafting;
pub mod file;
mod grid;
mod scenario;

pub use grid::grid;
pub use scenario::{Driving, Scenario};
