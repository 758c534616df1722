//! The street in SUMO: a small network of netgenerate's, and the shared scenarios where they are at hand.

mod small;

mod broken;
mod figures;
mod parity;
mod served;
mod shipped_field;

use greenkerb_simulations::sumo::{Control, SumoOptions};

use small::{END_S, Small};

/// A run of the small network.
fn options(small: &Small, control: Control) -> SumoOptions {
    SumoOptions::new(small.net.clone(), vec![small.routes.clone()], 0, END_S, control)
}
