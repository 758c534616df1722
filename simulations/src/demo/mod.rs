//! A city and a street of our own: enough traffic to see the service work, without any other program.
//!
//! The street is mesoscopic: lanes are queues with a free travel time, a saturation headway, a start-up loss and room for
//! so many; a full lane lets nobody in, so queues spill back. It tells how the service behaves; for how well traffic moves
//! under its plans, measure with [`crate::sumo`].

mod demand;
mod field;
mod lanes;
mod loops;
mod right_of_way;
mod street;

pub use demand::profile;
pub use field::{DemoError, DemoOptions, Pace, Progress, run};
pub use loops::Reading;
pub use street::{Crossed, STEP, Street, Totals};

use greenkerb_models::formats::native::{self, NativeError};
use greenkerb_models::network::Network;

/// The demo city in the native format.
pub const CITY: &[u8] = include_bytes!("../../cities/harbour/network.gkn");

/// The demo city: thirty signals, two arterials, at no real place.
///
/// # Errors
/// [`NativeError`] never, short of a damaged build; it is passed on rather than hidden.
pub fn city() -> Result<Network, NativeError> {
    native::read_bytes("harbour", CITY)
}
