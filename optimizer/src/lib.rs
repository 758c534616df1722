//! Greenkerb optimizer.
