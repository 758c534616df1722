//! The built-in street.

mod cityflow_parity;
mod determinism;
mod support;
mod vehicles;
