//! SUMO demand: route files (`.rou.xml`: types, routes, vehicles, trips, flows) and additional files (bus stops, parking
//! areas, detectors), plain or gzip, several together, read in the order they are given.
//!
//! | file | does |
//! | --- | --- |
//! | `config` | which files make up a simulation, and when it runs |
//! | `reader` | walks the elements of one file after the other |
//! | `types` | vehicle types and SUMO's defaults |
//! | `ways` | routes that hold together, links that can be reached |
//! | `vehicles` | vehicles, trips and their stops |
//! | `flows` | when the vehicles of a flow come |
//! | `places` | bus stops, parking areas, stays |
//! | `detectors` | induction loops and lane-area detectors |
//! | `draw` | distributions, drawn by the names of vehicles |
//! | `time` | instants in attributes |

pub mod config;
mod detectors;
mod draw;
mod error;
mod flows;
mod places;
mod reader;
mod time;
mod types;
mod vehicles;
mod ways;

use std::path::PathBuf;

pub use config::SumoConfig;
pub use error::SumoDemandError;

use crate::demand::Demand;
use crate::detection::Detector;
pub use crate::formats::sumo::Flaw;
use crate::formats::{Note, Source};
use crate::network::{Network, NetworkError};
use crate::units::TimeDs;

/// How a demand is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SumoDemandOptions {
    /// When the simulation begins: flows that do not say otherwise begin then.
    pub begin: TimeDs,
    /// Leave out trips that no way leads to, with a note, instead of refusing the file (SUMO's `ignore-route-errors`).
    pub ignore_route_errors: bool,
}

/// What route and additional files hold.
#[derive(Debug, Clone)]
pub struct SumoDemand {
    /// The demand, whole.
    pub demand: Demand,
    /// Detectors of the files; a network read from SUMO has only derived ones.
    pub detectors: Vec<Detector>,
    /// What was left out or changed.
    pub notes: Vec<Note>,
}

/// Reads files in order: additional files first, then route files, as SUMO does.
///
/// # Errors
/// [`SumoDemandError`] naming file, line, element and reason; nothing partial is returned.
pub fn read(network: &Network, paths: &[PathBuf], options: SumoDemandOptions) -> Result<SumoDemand, SumoDemandError> {
    let mut reader = reader::Reader::new(network, options);
    for path in paths {
        // One text at a time: a city's demand may be large.
        reader.file(&Source::open(path)?)?;
    }
    reader.finish(paths.first().map_or_else(String::new, |p| p.display().to_string()))
}

/// Reads texts that are already in memory, in order.
///
/// # Errors
/// As [`read`].
pub fn read_sources(
    network: &Network,
    sources: &[Source],
    options: SumoDemandOptions,
) -> Result<SumoDemand, SumoDemandError> {
    let mut reader = reader::Reader::new(network, options);
    for source in sources {
        reader.file(source)?;
    }
    reader.finish(sources.first().map_or_else(String::new, |s| s.name.clone()))
}

/// The network with these detectors. Lanes that one of them watches lose the derived ones; all others keep theirs.
///
/// # Errors
/// [`NetworkError`] when two detectors share a name.
pub fn with_detectors(network: &Network, detectors: &[Detector]) -> Result<Network, NetworkError> {
    let mut parts = network.parts().clone();
    let told = |lane: &crate::ids::LaneId| detectors.iter().any(|d| d.watches.contains(lane));
    for d in &mut parts.detectors {
        d.watches.retain(|lane| !told(lane));
    }
    parts.detectors.retain(|d| !d.watches.is_empty());
    parts.detectors.extend_from_slice(detectors);
    parts.build()
}
