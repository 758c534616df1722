//! The built-in street.

mod determinism;
mod support;
mod vehicles;
