//! How the field reaches the service: detectors report, controllers poll and acknowledge. HTTP, blocking, kept alive.
//!
//! The shapes are our own and say only what the field needs: a controller in the street is built by somebody else.

mod http;
mod wire;

pub use http::{Client, ClientError, Polled};
pub use wire::{
    Accepted, Asked, DetectorReport, Known, MovementReport, PictureReport, RefusedReport, Timing, VehicleReport,
    WireError,
};
