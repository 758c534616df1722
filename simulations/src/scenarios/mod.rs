//! Scenarios made by rule, for benches and tests that need a network of any size.

mod grid;

pub use grid::grid;
