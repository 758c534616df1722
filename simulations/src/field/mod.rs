//! What stands at a junction: a controller that executes what it is told, watched by a monitor that trusts nobody.
//!
//! Pure: no sockets and no clock. The same controller runs in every street.

mod actuation;
mod controller;
mod monitor;
mod order;
mod scheduled;

pub use actuation::LocalActuation;
pub use controller::FieldController;
#[cfg(test)]
pub(crate) use controller::sample;
pub use monitor::{ConflictMonitor, Fault, Violation};
pub use order::{Acknowledgement, Order, Rejection, ScheduleOrder, State};
