//! Damaged scenario files: whatever is in them, there is a whole scenario or an error that names the file, and never a
//! panic; and what is still a scenario can be driven, or is refused by the street.

use greenkerb_models::formats::{native, native_demand};
use greenkerb_simulations::micro::{Micro, MicroOptions};
use greenkerb_simulations::scenarios::file::open;
use greenkerb_simulations::scenarios::{Scenario, bundled};

use crate::mutator::{NAME, fuzz};

const ROADNET: &str = include_str!("../../../models/tests/data/town.roadnet.json");
const FLOW: &str = include_str!("../../../models/tests/data/town.flow.json");
const TOML: &str = "version = 1\nname = \"town\"\ndescription = \"A junction.\"\nnetwork = \"network.gkn\"\n\
                    demand = \"demand.gkd\"\nbegin = \"00:10:00\"\nend = 1500.5\nwarm_up_s = 60.0\ntick_s = 0.5\n\
                    driving = \"street\"\ncongestion_aware = true\n";
const CONFIG: &str = "{\"interval\":1.0,\"seed\":0,\"dir\":\"\",\"roadnetFile\":\"roadnet.json\",\"flowFile\":\"flow.json\",\
                      \"rlTrafficLight\":false,\"laneChange\":false}";
const STEPS: u32 = 20;

/// Damages one of several files in a folder and opens it.
fn damaged(reader: &str, file: &str, valid: &str, beside: &[(&str, &str)]) {
    fuzz(reader, &[valid], |_, bytes| {
        // Whatever file of the folder is blamed, its path holds the name.
        let folder = tempfile::Builder::new().prefix(NAME).tempdir().unwrap();
        for (name, text) in beside {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let path = folder.path().join(file);
        std::fs::write(&path, bytes).unwrap();
        drive(&open(&path).map_err(|e| e.to_string())?.scenario);
        Ok(())
    });
}

/// A few steps with everything red.
fn drive(scenario: &Scenario) {
    assert!(scenario.begin < scenario.end && scenario.begin + scenario.warm_up < scenario.end);
    if let Ok(mut street) = Micro::new(scenario, MicroOptions::default()) {
        (0..STEPS).for_each(|_| street.step());
    }
}

fn crossing() -> (String, String) {
    let s = bundled("crossing").unwrap();
    let (mut network, mut demand) = (Vec::new(), Vec::new());
    native::write(s.network.parts(), &mut network).unwrap();
    native_demand::write(&s.network, &s.demand, &mut demand).unwrap();
    (String::from_utf8(network).unwrap(), String::from_utf8(demand).unwrap())
}

#[test]
fn descriptions() {
    let (network, demand) = crossing();
    damaged("scenario.toml", "scenario.toml", TOML, &[("network.gkn", &network), ("demand.gkd", &demand)]);
}

#[test]
fn cityflow_configurations() {
    damaged("config.json", "config.json", CONFIG, &[("roadnet.json", ROADNET), ("flow.json", FLOW)]);
}

/// A demand that is damaged and still read must not hang or break the street.
#[test]
fn damaged_demands_are_driven_or_refused() {
    let s = bundled("crossing").unwrap();
    let (_, demand) = crossing();
    fuzz("driven demand", &[&demand], |name, bytes| {
        let source = greenkerb_models::formats::Source::from_bytes(name, bytes).map_err(|e| e.to_string())?;
        let demand = native_demand::read_source(&s.network, &source).map_err(|e| e.to_string())?;
        drive(&Scenario { demand: demand.into(), ..s.clone() });
        Ok(())
    });
}

/// A network that is damaged and still read must not break the street either.
#[test]
fn damaged_networks_are_driven_or_refused() {
    let s = bundled("crossing").unwrap();
    let (network, demand) = crossing();
    let demand = greenkerb_models::formats::Source { name: NAME.into(), text: demand };
    fuzz("driven network", &[&network], |name, bytes| {
        let network = native::read_bytes(name, &bytes).map_err(|e| e.to_string())?;
        let demand = native_demand::read_source(&network, &demand).map_err(|e| e.to_string())?;
        drive(&Scenario { network: network.into(), demand: demand.into(), ..s.clone() });
        Ok(())
    });
}
