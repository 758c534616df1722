//! A city of our own with a day's traffic, on the built-in street: enough to see the service work, without any other
//! program.

mod run;
mod traffic;

pub use run::{DemoError, DemoOptions, Pace, Progress, run};
pub use traffic::{DAY, profile, scenario};

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
