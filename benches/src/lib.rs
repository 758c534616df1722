//! Greenkerb benches.
