//! Streets to test the service on.
//!
//! [`sumo`] runs a scenario in SUMO; [`demo`] is a city and a simple street of our own; [`field`] is what stands at a junction: a controller that executes what it polled,
//! watched by a conflict monitor of its own; [`client`] is how the field reaches the service; [`metrics`] tells how well
//! traffic moved.

pub mod benchmark;
pub mod cancel;
pub mod client;
pub mod control;
pub mod demo;
pub mod field;
pub mod metrics;
pub mod micro;
mod random;
pub mod routing;
pub mod scenarios;
pub mod sketch;
pub mod sumo;
