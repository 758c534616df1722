//! What a recording is of.

use std::collections::BTreeMap;

use greenkerb_models::network::Network;
use greenkerb_models::units::{Ds, TimeDs};
use serde::{Deserialize, Serialize};

use crate::sensing::Faults;

/// Name of the format.
pub const FORMAT: &str = "greenkerb-recording";
/// Its version.
pub const VERSION: u32 = 1;

/// What a recording is of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: String,
    /// [`VERSION`].
    pub version: u32,
    /// Name of the network.
    pub network: String,
    /// Number of its detectors.
    pub detectors: usize,
    /// Its controllers with the checksums of their databases.
    pub controllers: BTreeMap<String, String>,
    /// When the street began, RFC 3339.
    pub begin: String,
    /// How often detectors reported, seconds.
    pub interval_s: f64,
    /// What was broken on purpose.
    pub faults: Faults,
    /// Version of the program that recorded.
    pub greenkerb_version: String,
}

impl Manifest {
    /// The manifest of a run.
    #[must_use]
    pub fn of(network: &Network, begin: TimeDs, interval: Ds, faults: &Faults) -> Self {
        Self {
            format: FORMAT.to_owned(),
            version: VERSION,
            network: network.name().to_owned(),
            detectors: network.detectors().len(),
            controllers: network.controllers().iter().map(|c| (c.name.clone(), c.checksum())).collect(),
            begin: begin.rfc3339(),
            interval_s: interval.seconds(),
            faults: faults.clone(),
            greenkerb_version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}
