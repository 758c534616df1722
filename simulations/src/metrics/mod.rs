//! How well traffic moved: the one place where delay is computed, for the command line, the service and every report.
//!
//! Each measure is a file of its own. Measures are fed with the [`crate::micro::Event`]s of every step and with a
//! [`Snapshot`] of the street once a second; they read no clock, no files and no street. [`Collector`] feeds them all.

mod arrivals_on_green;
mod collector;
mod control_delay;
mod delay;
mod emissions;
mod gridlock;
mod interval;
mod los;
mod measures;
mod paired;
mod parking;
mod pedestrians;
mod quantile;
mod queues;
mod saturation;
mod snapshot;
mod spillback;
mod split_failures;
mod spread;
mod stops;
mod throughput;
mod total_delay;
mod travel_time;
mod vehicles;
mod waits;
mod window;

#[cfg(test)]
pub(crate) mod samples;

pub use arrivals_on_green::{Arrivals, ArrivalsOnGreen};
pub use collector::Collector;
pub use control_delay::{ControlDelay, Lost};
pub use delay::{Delay, MetricsError};
pub use emissions::{Emissions, Emitted};
pub use gridlock::Gridlock;
pub use interval::{Mean, plain, signed};
pub use los::{LOS_UP_TO_S, Los};
pub use measures::{ApproachMeasures, Measures, MovementMeasures, NodeMeasures};
pub use paired::{LEVEL, Paired};
pub use parking::{ParkingMeasure, ParkingUse};
pub use pedestrians::{Pedestrians, PeopleWaits};
pub use quantile::{median, quantile};
pub use queues::{LinkQueue, Queues};
pub use saturation::Saturation;
pub use snapshot::{Place, QUEUED_BELOW_MPS, Seen, Snapshot};
pub use spillback::{Spillback, SpillbackTime};
pub use split_failures::{Greens, SplitFailures};
pub use spread::Spread;
pub use stops::Stops;
pub use throughput::{Counts, Throughput};
pub use total_delay::{DelaySums, TotalDelay};
pub use travel_time::{TravelTime, TravelTimes};
pub use vehicles::{Record, Stage, Vehicles};
pub use waits::{LongestStand, Waits};
pub use window::Window;
