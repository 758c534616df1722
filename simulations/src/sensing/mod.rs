//! What detectors see of a street, and what they say of it.
//!
//! | file | holds |
//! | --- | --- |
//! | `sighting` | what a loop counts, and when it is occupied: one definition for every street |
//! | `place` | where a detector lies on its lane; loops for networks that show none |
//! | `passages` | how vehicles moved over the lanes of the built-in street within a step |
//! | `loops`, `areas` | loops and area detectors in the built-in street |
//! | `sensors` | all detectors of a network in the built-in street |
//! | `pictures` | every vehicle near a junction, for those that see them |
//! | `probes` | vehicles that report how long links took them |
//! | `faults` | which detectors and lines fail, and how |
//! | `reporter` | from sightings to reports: rounding, faults, delays, lost lines |

mod areas;
mod faults;
mod loops;
mod passages;
mod pictures;
mod place;
mod probes;
mod reporter;
mod sensors;
mod sighting;

pub use areas::{Area, AreaReading, Areas};
pub use faults::{FaultKind, Faults, FaultsError};
pub use loops::Loops;
pub use passages::{Passage, Passages};
pub use pictures::{Pictures, RANGE_M};
pub use place::{Place, with_detectors};
pub use probes::{LinkTime, Probes};
pub use reporter::Reporter;
pub use sensors::Sensors;
pub use sighting::{Sighting, Stay};
