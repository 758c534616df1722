//! From wishes to flows, and from flows to green: who drives where, how full that makes every lane, and how long each
//! stage must be for it. This is how the bundled scenarios get their demand and the plans they ship.

mod assignment;
mod lanes;
mod progression;
mod splits;
mod thinning;

pub use assignment::{Assignment, Wish, assign};
pub use lanes::{Flows, LaneLoads};
pub use progression::{Corridor, coordinate};
pub use splits::{CycleRule, lane_saturations, saturations, time_signals};
pub use thinning::{flows_of, thin};
