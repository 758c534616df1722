//! The scenarios that come with the program, made by code and the same every time.
//!
//! Each is described and drawn in `simulations/scenarios/<name>/README.md`.

mod arterial;
mod crossing;
mod finish;
mod grid;
mod riverside;
pub(crate) mod traffic;

pub use grid::{GRID_SIDE_MAX, GridOptions, grid};

use super::Scenario;
use super::drafting::DraftError;
use crate::sketch::Backdrop;
use greenkerb_models::demand::DemandError;
use greenkerb_models::network::NetworkError;

/// Why a scenario cannot be made.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum BundledError {
    /// There is no scenario of this name.
    #[error("there is no scenario '{name}'; there are {}, and grids such as grid-10x8", NAMES.map(|n| n.0).join(", "))]
    Unknown {
        /// The name asked for.
        name: String,
    },
    /// A size that no grid can have.
    #[error("a grid of {columns}x{rows}: sides from 2 to {GRID_SIDE_MAX} can be built")]
    Size {
        /// Columns asked for.
        columns: u32,
        /// Rows asked for.
        rows: u32,
    },
    /// An option that no grid can have.
    #[error("{what} of {value}: {reason}")]
    Option {
        /// Which.
        what: &'static str,
        /// Its value.
        value: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Its streets cannot be drafted.
    #[error("scenario '{name}': {source}")]
    Draft {
        /// The scenario.
        name: String,
        /// Why not.
        source: DraftError,
    },
    /// Its tables are no network.
    #[error("scenario '{name}': {source}")]
    Network {
        /// The scenario.
        name: String,
        /// Why not.
        source: NetworkError,
    },
    /// Its tables are no demand.
    #[error("scenario '{name}': {source}")]
    Demand {
        /// The scenario.
        name: String,
        /// Why not.
        source: DemandError,
    },
}

/// Names of the bundled scenarios, each with a sentence about it.
pub const NAMES: [(&str, &str); 4] = [
    ("crossing", crossing::ABOUT),
    ("arterial", arterial::ABOUT),
    ("riverside", riverside::ABOUT),
    ("grid", grid::ABOUT),
];

/// Makes a bundled scenario: `crossing`, `arterial`, `riverside`, `grid` (of 4x4 signals), or a grid of another size and
/// seed, as in `grid-10x8` or `grid-10x8-7`.
///
/// # Errors
/// [`BundledError`] for a name that is none.
pub fn bundled(name: &str) -> Result<Scenario, BundledError> {
    match name {
        "crossing" => crossing::scenario(),
        "arterial" => arterial::scenario(),
        "riverside" => riverside::scenario(),
        "grid" => grid(&GridOptions::default()),
        _ => match GridOptions::parse(name) {
            Some(options) => grid(&options),
            None => Err(BundledError::Unknown { name: name.into() }),
        },
    }
}

/// What lies beside the streets of a bundled scenario, for drawings.
#[must_use]
pub fn backdrop(name: &str) -> Option<Backdrop> {
    (name == "riverside").then(riverside::backdrop)
}
