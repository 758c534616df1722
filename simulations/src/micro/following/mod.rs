//! Laws by which drivers follow the vehicle in front: from two speeds and a gap to the speed of the next step.

pub(crate) mod cityflow;
pub(crate) mod idm;
pub(crate) mod krauss;
