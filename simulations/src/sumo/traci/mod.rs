//! TraCI, SUMO's control protocol, spoken over TCP.
//!
//! Written from SUMO's protocol documentation (<https://sumo.dlr.de/docs/TraCI/Protocol.html>): a message is its length and
//! a run of commands; each command is answered by a status and, where it asks for something, a response. Several commands
//! may share a message, and subscriptions answer with every step, so that one simulated second costs one round trip.

mod connection;
mod wire;

pub use connection::{LoopReading, Step, Traci, VehiclePlace};
pub use wire::{LoopVehicle, TraciError};
