//! Files in and out: demands, scenarios, what is written for others, and what damage does.

mod sumo_demand;
