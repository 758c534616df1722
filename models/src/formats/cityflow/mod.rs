//! CityFlow's `roadnet.json` and `flow.json`, in and out. See `docs/formats.md`.
//!
//! What CityFlow counts from the left (lane 0 is the innermost) is counted from the right here, and turned back in
//! writing. A lane's name is the file's: `<road>_<index>`.

mod error;
mod flow;
mod raw;
mod routing;
mod signals;
mod streets;
mod ways;
mod write;

use std::path::Path;

pub use error::{CityflowError, Flaw};
pub use flow::FlowImport;
pub use signals::{PAUSE_MAX, RoadnetOptions};
pub use write::{CityflowWriteError, write_flow, write_roadnet};

use crate::formats::{Import, Notes, Source};
use crate::ids::LaneId;
use crate::network::{Network, NetworkParts};

/// Reads a road network.
///
/// # Errors
/// [`CityflowError`] naming file, element and reason; no partial network is returned.
pub fn read_roadnet(path: &Path, options: &RoadnetOptions) -> Result<Import, CityflowError> {
    read_roadnet_source(&Source::open(path)?, options)
}

/// Reads a road network from text.
///
/// # Errors
/// As [`read_roadnet`].
pub fn read_roadnet_source(source: &Source, options: &RoadnetOptions) -> Result<Import, CityflowError> {
    let file = source.name.as_str();
    let raw = raw::Roadnet::parse(source)?;
    let mut notes = Notes::default();
    let mut parts = NetworkParts { name: network_name(file), ..NetworkParts::default() };
    let streets = streets::lay(file, &raw, &mut parts)?;
    let ways = ways::lay(file, &raw, &streets, &mut parts, &mut notes)?;
    signals::raise(file, &raw, &ways, options, &mut parts, &mut notes)?;
    let mut approaches: Vec<LaneId> =
        parts.connections.iter().filter(|c| c.signal.is_some()).map(|c| c.from_lane).collect();
    approaches.sort_unstable();
    approaches.dedup();
    parts.detectors = super::sumo_net::detectors::derive(&approaches, &parts, &mut notes);
    let network = parts.build().map_err(|source| CityflowError::Network { file: file.into(), source })?;
    Ok(Import { network, notes: notes.into_inner() })
}

/// `dir/town.json.gz` is the network `town`.
fn network_name(file: &str) -> String {
    let name = Path::new(file).file_name().map_or_else(|| file.to_owned(), |n| n.to_string_lossy().into_owned());
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    name.strip_suffix(".json").unwrap_or(name).to_owned()
}

/// Reads vehicles for a network that was read with [`read_roadnet`].
///
/// # Errors
/// [`CityflowError`] naming file, element and reason; no partial demand is returned.
pub fn read_flow(path: &Path, network: &Network) -> Result<FlowImport, CityflowError> {
    read_flow_source(&Source::open(path)?, network)
}

/// Reads vehicles from text.
///
/// # Errors
/// As [`read_flow`].
pub fn read_flow_source(source: &Source, network: &Network) -> Result<FlowImport, CityflowError> {
    flow::read(source, network)
}
