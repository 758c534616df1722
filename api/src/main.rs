//! The `greenkerb` command line.
fn main() {}
