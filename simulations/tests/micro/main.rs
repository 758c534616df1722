//! The built-in street.

mod cityflow_parity;
mod controllers;
mod determinism;
mod support;
mod vehicles;
