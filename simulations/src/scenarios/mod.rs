//! Scenarios: what a run is made of, and where they come from.

pub mod bundled;
pub mod drafting;
pub mod file;
mod grid;
pub mod loading;
mod scenario;
mod summary;

pub use bundled::bundled;
pub use grid::grid;
pub use scenario::{Driving, Scenario};
pub use summary::{KindSummary, ScenarioSummary};
