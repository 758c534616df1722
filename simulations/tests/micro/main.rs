//! The built-in street.

mod buses;
mod cityflow_parity;
mod controllers;
mod determinism;
mod invariants;
mod ours;
mod parking;
mod people;
mod random;
mod sensing;
mod support;
mod vehicles;
