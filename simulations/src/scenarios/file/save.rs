//! Writing a scenario: a folder with `scenario.toml`, the network and the demand, which [`open`](super::open) reads back.

use std::path::Path;

use greenkerb_models::formats::{native, native_demand};

use super::toml_file::{Files, ScenarioToml, VERSION};
use super::{SCENARIO_FILE, ScenarioFileError};
use crate::scenarios::Scenario;

const NETWORK_FILE: &str = "network.gkn";
const DEMAND_FILE: &str = "demand.gkd";

/// Writes a scenario into a folder, which is made where it does not exist. The same scenario gives the same bytes.
///
/// # Errors
/// [`ScenarioFileError::Io`] with what the operating system says.
pub fn save(scenario: &Scenario, folder: &Path) -> Result<(), ScenarioFileError> {
    let io = |path: &Path| {
        let file = path.display().to_string();
        move |source| ScenarioFileError::Io { file, source }
    };
    std::fs::create_dir_all(folder).map_err(io(folder))?;
    let (network, demand) = (folder.join(NETWORK_FILE), folder.join(DEMAND_FILE));
    native::write_file(scenario.network.parts(), &network).map_err(io(&network))?;
    native_demand::write_file(&scenario.network, &scenario.demand, &demand).map_err(io(&demand))?;
    let raw = ScenarioToml {
        version: VERSION,
        name: scenario.name.clone(),
        description: scenario.description.clone(),
        network: NETWORK_FILE.into(),
        demand: Files::One(DEMAND_FILE.into()),
        begin: toml::Value::String(scenario.begin.clock()),
        end: toml::Value::String(scenario.end.clock()),
        warm_up_s: scenario.warm_up.seconds(),
        tick_s: scenario.tick.seconds(),
        driving: scenario.driving,
        congestion_aware: scenario.congestion_aware,
    };
    let file = folder.join(SCENARIO_FILE);
    let text = toml::to_string(&raw)
        .map_err(|e| ScenarioFileError::Syntax { file: file.display().to_string(), reason: e.to_string() })?;
    std::fs::write(&file, text).map_err(io(&file))
}
