//! SUMO as the street: an independent microscopic simulator that our service controls as it would a city.
//!
//! [`run`] starts SUMO and, where ours is the control, the service as a process of its own; between the two stand field
//! controllers and detectors that know the service by its HTTP address only.

mod error;
mod installation;
mod lights;
mod loops;
mod options;
mod process;
mod progress;
mod report;
mod street;
pub mod traci;
mod watch;

pub use error::SumoError;
pub use installation::{HOW_TO_INSTALL, Installation, InstallationError, SUMO_VERSION};
pub use options::{Control, INTERVAL_S_MAX, OptionsError, Sensing, Service, SumoOptions, parse_seeds};
pub use process::{Launch, ProcessError, Sumo};
pub use progress::{Progress, on_stderr};
pub use report::{SeedReport, SumoReport};
pub use street::run;
