//! The vocabulary of Greenkerb: road network, signals, detection and plans.
//!
//! This crate is pure: no sockets, no clock, no solver, no runtime. Everything a newcomer needs to name a thing is
//! here; what to *do* with it lives in `greenkerb-optimizer` (decisions) and `greenkerb-api` (input and output).

pub mod demand;
pub mod detection;
pub mod formats;
pub mod ids;
pub mod network;
pub mod plan;
pub mod signal;
pub mod units;
