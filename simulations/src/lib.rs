//! Streets to test the service on.
//!
//! [`sumo`] runs a scenario in SUMO; [`demo`] is a city and a simple street of our own; [`field`] is what stands at a
//! junction: a controller that executes what it polled, watched by a conflict monitor of its own; [`sensing`] is what
//! detectors see and say; [`line`](mod@line) leads from the field to the service, which [`client`] reaches over HTTP;
//! [`recording`] keeps what passes; [`metrics`] tells how well traffic moved.

pub mod benchmark;
pub mod cancel;
pub mod client;
pub mod control;
pub mod demo;
pub mod field;
pub mod line;
pub mod metrics;
pub mod micro;
mod random;
pub mod recording;
pub mod routing;
pub mod scenarios;
pub mod sensing;
pub mod sketch;
pub mod sumo;
mod words;
