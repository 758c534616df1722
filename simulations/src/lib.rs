//! Greenkerb simulations.
