//! Greenkerb api.
