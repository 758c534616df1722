//! The built-in street.

mod buses;
mod cityflow_parity;
mod controllers;
mod determinism;
mod ours;
mod parking;
mod sensing;
mod support;
mod vehicles;
