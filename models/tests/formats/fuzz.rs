//! Damaged files: whatever is in them, a reader gives something whole or an error that names the file, and never panics.
//!
//! Every reader gets a fixed number of inputs, made from small valid files by a seeded mutator, so that the same inputs run
//! everywhere. More of them: `GREENKERB_FUZZ_INPUTS=100000 cargo test -p greenkerb-models --release --test formats fuzz`.

use std::panic::{AssertUnwindSafe, catch_unwind};

use greenkerb_models::formats::cityflow::{self, RoadnetOptions};
use greenkerb_models::formats::sumo_demand::{self, SumoDemandOptions, config};
use greenkerb_models::formats::{Source, native, native_demand, sumo_net};
use greenkerb_models::network::Network;

/// Inputs for each reader where nobody says otherwise.
const INPUTS: u64 = 400;
/// Numbers no file should hold.
const NUMBERS: [&str; 16] = [
    "-1",
    "0",
    "-0.0",
    "1e309",
    "-1e309",
    "NaN",
    "inf",
    "1e18",
    "99999999999999999999",
    "4294967295",
    "4294967296",
    "0.0000001",
    "1e-300",
    "",
    " ",
    "0x10",
];

/// A generator of chances (SplitMix64, Steele 2014).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }
}

/// Stretches of a text between two quotes, and stretches that are numbers.
fn stretches(text: &[u8], wanted: fn(u8) -> bool) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut from = None;
    for (i, b) in text.iter().enumerate() {
        match (wanted(*b), from) {
            (true, None) => from = Some(i),
            (false, Some(start)) => {
                found.push((start, i));
                from = None;
            }
            _ => {}
        }
    }
    found
}

fn quoted(text: &[u8]) -> Vec<(usize, usize)> {
    let quotes: Vec<usize> =
        text.iter().enumerate().filter(|(_, b)| matches!(b, b'"' | b'\'')).map(|(i, _)| i).collect();
    quotes.windows(2).map(|w| (w[0] + 1, w[1])).collect()
}

/// Pieces that stand by themselves: elements of XML, or lines.
fn pieces(text: &[u8]) -> Vec<(usize, usize)> {
    let xml = text.trim_ascii_start().starts_with(b"<");
    let starts: Vec<usize> = text
        .iter()
        .enumerate()
        .filter(|(i, b)| if xml { **b == b'<' } else { *i == 0 || matches!(text[i - 1], b'\n' | b'{' | b',') })
        .map(|(i, _)| i)
        .collect();
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    starts.iter().copied().zip(ends).collect()
}

/// Damages a text in one way.
fn damage(text: &mut Vec<u8>, chance: &mut Chance) {
    if text.is_empty() {
        return;
    }
    let span = |chance: &mut Chance, of: Vec<(usize, usize)>| of.get(chance.below(of.len())).copied();
    match chance.below(10) {
        0 => {
            let at = chance.below(text.len());
            text[at] ^= 1 << chance.below(8);
        }
        1 => {
            let at = chance.below(text.len());
            text[at] = chance.next() as u8;
        }
        2 => text.truncate(chance.below(text.len())),
        3 => {
            if let Some((from, to)) = span(chance, pieces(text)) {
                text.drain(from..to);
            }
        }
        4 => {
            if let Some((from, to)) = span(chance, pieces(text)) {
                let copy = text[from..to].to_vec();
                text.splice(from..from, copy);
            }
        }
        5 | 6 => {
            if let Some((from, to)) = span(chance, stretches(text, |b| b.is_ascii_digit() || b == b'.')) {
                let number = NUMBERS[chance.below(NUMBERS.len())];
                text.splice(from..to, number.bytes());
            }
        }
        7 | 8 => {
            // A name in the place of another: it means something else, or nothing.
            let all = quoted(text);
            if let (Some((from, to)), Some((a, b))) = (span(chance, all.clone()), span(chance, all)) {
                let other = text[a..b].to_vec();
                text.splice(from..to, other);
            }
        }
        _ => {
            let from = chance.below(text.len());
            let to = (from + 1 + chance.below(40)).min(text.len());
            text.drain(from..to);
        }
    }
}

/// Damages valid texts again and again and hands them to a reader, which tells what it found wrong.
fn fuzz(reader: &str, valid: &[&str], read: impl Fn(&str, Vec<u8>) -> Result<(), String>) {
    let inputs = std::env::var("GREENKERB_FUZZ_INPUTS").ok().and_then(|n| n.parse().ok()).unwrap_or(INPUTS);
    for (i, text) in valid.iter().enumerate() {
        read("whole", text.as_bytes().to_vec()).unwrap_or_else(|e| panic!("{reader}: text {i} is not valid: {e}"));
    }
    let (mut taken, mut refused) = (0, 0);
    for seed in 0..inputs {
        let mut chance = Chance(seed);
        let mut text = valid[seed as usize % valid.len()].as_bytes().to_vec();
        for _ in 0..=chance.below(4) {
            damage(&mut text, &mut chance);
        }
        let shown = String::from_utf8_lossy(&text).into_owned();
        let outcome = catch_unwind(AssertUnwindSafe(|| read("damaged.file", text)));
        match outcome {
            Ok(Ok(())) => taken += 1,
            Ok(Err(e)) => {
                refused += 1;
                assert!(e.contains("damaged.file"), "{reader}, seed {seed}: no file in '{e}'");
                assert!(e.len() < 2_000, "{reader}, seed {seed}: a message of {} bytes: {e:.300}", e.len());
            }
            Err(_) => panic!("{reader} panics on seed {seed}:\n{shown}"),
        }
    }
    println!("{reader}: {taken} of {inputs} damaged texts were whole, {refused} were refused");
    assert!(taken > 0 && refused > 0, "{reader}: the mutator does not do its work");
}

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
