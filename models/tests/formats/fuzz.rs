//! Damaged files: whatever is in them, a reader gives something whole or an error that names the file, and never panics.
//!
//! Every reader gets a fixed number of inputs, made from small valid files by a seeded mutator, so that the same inputs run
//! everywhere. More of them: `GREENKERB_FUZZ_INPUTS=100000 cargo test -p greenkerb-models --release --test formats fuzz`.

use greenkerb_models::formats::cityflow::{self, RoadnetOptions};
use greenkerb_models::formats::sumo_demand::{self, SumoDemandOptions, config};
use greenkerb_models::formats::{Source, native, native_demand, sumo_net};
use greenkerb_models::network::Network;

use crate::mutator::fuzz;

const CROSSROADS: &str = include_str!("../data/crossroads.net.xml");
const RINGS: &str = include_str!("../data/rings.net.xml");
const TOWN: &str = include_str!("../data/town.roadnet.json");
const FLOW: &str = include_str!("../data/town.flow.json");
const DEMAND: &str = "<routes>
  <vTypeDistribution id='mix'><vType id='car' sigma='0.4' speedFactor='normc(1,0.1,0.2,2)' probability='0.7'/>
    <vType id='van' vClass='delivery' length='7.1' probability='0.3'/></vTypeDistribution>
  <vType id='bus' vClass='bus' accel='1.2' maxSpeed='20'/>
  <route id='east' edges='from_west to_east'/><route id='north' edges='from_west to_north' repeat='0'/>
  <routeDistribution id='any' routes='east north' probabilities='1 3'/>
  <vehicle id='a' type='mix' route='any' depart='3.26' departLane='best' departSpeed='max'/>
  <vehicle id='b' type='bus' depart='0:00:04'><route edges='from_west to_east'/><stop busStop='bs' duration='20' until='90'/>
    <stop lane='to_east_0' endPos='-5' duration='3' parking='true'/></vehicle>
  <trip id='c' depart='7' from='from_north' to='to_south' departLane='0' departSpeed='2.5'/>
  <trip id='d' depart='9' from='from_west' to='to_east'><stop parkingArea='lot' duration='600'/></trip>
  <flow id='e' type='mix' begin='10' end='110' period='10' from='from_west' to='to_east'/>
  <flow id='f' begin='0' end='100' vehsPerHour='400' route='east'/>
  <flow id='g' begin='0' end='100' probability='0.25' from='from_west' to='to_east'/>
  <flow id='h' begin='0' number='5' period='exp(0.5)' from='from_west' to='to_east' via='to_east'/>
</routes>";
const ADDITIONAL: &str = "<additional>
  <busStop id='bs' lane='from_west_0' startPos='20' endPos='35'/>
  <parkingArea id='lot' lane='to_east_0' startPos='10' endPos='40' roadsideCapacity='5'><space x='0' y='0'/></parkingArea>
  <inductionLoop id='e1' lane='from_west_1' pos='-1.5' length='2' freq='60' file='x'/>
  <laneAreaDetector id='e2' lane='from_west_1' pos='20' endPos='60' freq='60' file='x'/>
</additional>";
const CONFIG: &str = "<configuration><input><net-file value='n.net.xml'/><route-files value='a.rou.xml, b.rou.xml'/>
  <additional-files value='x.add.xml'/></input><time><begin value='7:00:00'/><end value='28800'/>
  <step-length value='0.5'/></time><processing><ignore-route-errors value='true'/><scale value='1'/></processing>
</configuration>";

fn crossroads() -> Network {
    sumo_net::read_bytes("n", CROSSROADS.as_bytes()).unwrap().network
}

/// A network that was read is whole: its controllers hold, its plans exist, and it survives our own format.
fn check(network: &Network) {
    for c in network.controllers() {
        c.check().unwrap();
        let _ = (c.time_of_day_plan(), c.checksum());
    }
    let mut bytes = Vec::new();
    native::write(network.parts(), &mut bytes).unwrap();
    assert_eq!(native::read_bytes("again", &bytes).unwrap().parts(), network.parts());
}

fn source(name: &str, bytes: Vec<u8>) -> Result<Source, String> {
    Source::from_bytes(name, bytes).map_err(|e| e.to_string())
}

#[test]
fn sumo_networks() {
    fuzz("sumo_net", &[CROSSROADS, RINGS], |name, bytes| {
        check(&sumo_net::read_bytes(name, &bytes).map_err(|e| e.to_string())?.network);
        Ok(())
    });
}

#[test]
fn sumo_demands() {
    let network = crossroads();
    let additional = Source { name: "good.add.xml".into(), text: ADDITIONAL.into() };
    fuzz("sumo_demand routes", &[DEMAND], |name, bytes| {
        let sources = [additional.clone(), source(name, bytes)?];
        let read = sumo_demand::read_sources(&network, &sources, SumoDemandOptions::default());
        // What only shows when all is read is blamed on the first file.
        let read = read.map_err(|e| e.to_string().replace("good.add.xml: ", "damaged.file: "))?;
        let mut written = Vec::new();
        native_demand::write(&network, &read.demand, &mut written).unwrap();
        let back = native_demand::read_source(&network, &source("again", written).unwrap()).unwrap();
        assert_eq!(back, read.demand);
        Ok(())
    });
    fuzz("sumo_demand additional", &[ADDITIONAL], |name, bytes| {
        let read = sumo_demand::read_sources(&network, &[source(name, bytes)?], SumoDemandOptions::default());
        let read = read.map_err(|e| e.to_string())?;
        let with = sumo_demand::with_detectors(&network, &read.detectors).map_err(|e| format!("damaged.file: {e}"))?;
        check(&with);
        Ok(())
    });
}

#[test]
fn sumo_configurations() {
    fuzz("sumo_config", &[CONFIG], |name, bytes| {
        config::read_source(&source(name, bytes)?, "dir".as_ref()).map(|_| ()).map_err(|e| e.to_string())
    });
}

#[test]
fn native_networks() {
    let mut bytes = Vec::new();
    native::write(crossroads().parts(), &mut bytes).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    fuzz("native", &[&text], |name, bytes| {
        check(&native::read_bytes(name, &bytes).map_err(|e| e.to_string())?);
        Ok(())
    });
}

#[test]
fn native_demands() {
    let network = crossroads();
    let sources = [ADDITIONAL, DEMAND].map(|t| Source { name: "d".into(), text: t.into() });
    let demand = sumo_demand::read_sources(&network, &sources, SumoDemandOptions::default()).unwrap().demand;
    let mut bytes = Vec::new();
    native_demand::write(&network, &demand, &mut bytes).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    fuzz("native_demand", &[&text], |name, bytes| {
        native_demand::read_source(&network, &source(name, bytes)?).map(|_| ()).map_err(|e| e.to_string())
    });
}

#[test]
fn cityflow_files() {
    let options = RoadnetOptions::default();
    fuzz("cityflow roadnet", &[TOWN], |name, bytes| {
        let read = cityflow::read_roadnet_source(&source(name, bytes)?, &options).map_err(|e| e.to_string())?;
        check(&read.network);
        Ok(())
    });
    let network = cityflow::read_roadnet_source(&source("n", TOWN.into()).unwrap(), &options).unwrap().network;
    fuzz("cityflow flow", &[FLOW], |name, bytes| {
        cityflow::read_flow_source(&source(name, bytes)?, &network).map(|_| ()).map_err(|e| e.to_string())
    });
}

/// Highest resident memory so far, in bytes, where the system tells.
fn memory_peak_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|l| l.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kb| kb * 1024)
}

#[test]
fn a_million_lines_cut_short_are_refused_within_bounds() {
    let network = crossroads();
    let mut text = String::from("<routes>\n");
    for i in 0..1_000_000 {
        text.push_str(&format!("<trip id=\"{i}\" depart=\"{i}\" from=\"from_west\" to=\"to_east\"/>\n"));
    }
    text.push_str("<trip id=\"last\" depa");
    let length = text.len() as u64;
    let before = memory_peak_bytes();
    let cut = Source { name: "long.rou.xml".into(), text };
    let e = sumo_demand::read_sources(&network, &[cut], SumoDemandOptions::default()).unwrap_err().to_string();
    assert!(e.starts_with("long.rou.xml:1000002: broken XML"), "{e}");
    if let (Some(before), Some(after)) = (before, memory_peak_bytes()) {
        let grown = after.saturating_sub(before);
        println!("{length} bytes of text, {grown} bytes more at the peak");
        assert!(grown < 10 * length, "{grown} bytes for {length} bytes of text");
    }
}
