//! Files in and out: demands, scenarios, what is written for others, and what damage does.

mod fuzz;
mod mutator;
mod native_demand;
mod sumo_demand;
mod writers;
