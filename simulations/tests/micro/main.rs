//! The built-in street.

mod determinism;
mod ours;
mod sensing;
mod support;
mod vehicles;
