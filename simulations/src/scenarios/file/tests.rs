//! Scenarios in files: found, read, written, and refused.

use std::path::Path;

use greenkerb_models::units::{Ds, TimeDs};

use super::{Opened, open, open_cityflow, save};
use crate::scenarios::Driving;

const NET: &str = include_str!("../../../../models/tests/data/crossroads.net.xml");
const TRIPS: &str = "<routes><trip id='a' depart='30' from='from_west' to='to_east'/></routes>";
const SUMOCFG: &str = "<configuration><input><net-file value='n.net.xml'/><route-files value='d.rou.xml'/>\
                       <additional-files value='x.add.xml'/></input></configuration>";
const LOOPS: &str =
    "<additional><inductionLoop id='mine' lane='from_west_1' pos='-1' freq='60' file='f'/></additional>";

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(dir.path().join(name), text).unwrap();
    }
    dir
}

fn sumo() -> tempfile::TempDir {
    folder(&[("n.net.xml", NET), ("d.rou.xml", TRIPS), ("x.add.xml", LOOPS), ("town.sumocfg", SUMOCFG)])
}

fn refusal(path: &Path) -> String {
    match open(path) {
        Ok(_) => panic!("{} should be refused", path.display()),
        Err(e) => e.to_string(),
    }
}

#[test]
fn a_sumo_configuration_is_a_scenario() {
    let dir = sumo();
    let Opened { scenario: s, notes, .. } = open(dir.path()).unwrap();
    assert_eq!((s.name.as_str(), s.driving, s.tick), ("town", Driving::Street, Ds::from_s(1)));
    // It says nothing about its end: an hour after the last departure.
    assert_eq!((s.begin, s.end), (TimeDs(0), TimeDs::from_s(3_630)));
    assert_eq!(s.demand.parts().trips.len(), 1);
    assert!(s.network.detector_named("mine").is_some() && s.network.detector_named("from_west_1.stop").is_none());
    let names: Vec<&str> = s.sources.iter().map(|s| s.0.as_str()).collect();
    assert_eq!(names, ["town.sumocfg", "n.net.xml", "x.add.xml", "d.rou.xml"]);
    let hash = "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a";
    assert!(s.sources.iter().all(|s| s.1.len() == hash.len() && s.1.bytes().all(|b| b.is_ascii_hexdigit())));
    assert!(notes.iter().any(|n| n.text.starts_with("saturation flow")), "{notes:?}");
}

#[test]
fn what_is_saved_is_opened_the_same() {
    let dir = sumo();
    let mut scenario = open(&dir.path().join("town.sumocfg")).unwrap().scenario;
    (scenario.begin, scenario.end, scenario.warm_up) = (TimeDs(5), TimeDs::from_s(900), Ds::from_s(60));
    scenario.congestion_aware = true;
    let out = tempfile::tempdir().unwrap();
    let folder = out.path().join("new/town");
    save(&scenario, &folder).unwrap();
    let back = open(&folder).unwrap().scenario;
    assert_eq!((back.name.as_str(), &back.description), ("town", &scenario.description));
    assert_eq!((back.begin, back.end, back.warm_up), (scenario.begin, scenario.end, scenario.warm_up));
    assert_eq!((back.tick, back.driving, back.congestion_aware), (scenario.tick, Driving::Street, true));
    assert_eq!(back.network.parts(), scenario.network.parts());
    assert_eq!(back.demand, scenario.demand);
    let read = |folder: &Path| std::fs::read(folder.join("scenario.toml")).unwrap();
    save(&back, &out.path().join("again")).unwrap();
    assert_eq!(read(&out.path().join("again")), read(&folder), "the same scenario gives the same bytes");
    assert_eq!(back.sources.len(), 3);
}

#[test]
fn a_description_may_name_files_of_any_format() {
    let toml = "version = 1\nname = \"town\"\nnetwork = \"n.net.xml\"\ndemand = [\"x.add.xml\", \"d.rou.xml\"]\n\
                begin = \"0:00:10\"\nend = 600.5\nwarm_up_s = 30\ntick_s = 0.5\ndriving = \"city_flow\"\n";
    let dir = folder(&[("n.net.xml", NET), ("d.rou.xml", TRIPS), ("x.add.xml", LOOPS), ("scenario.toml", toml)]);
    let s = open(dir.path()).unwrap().scenario;
    assert_eq!((s.begin, s.end, s.warm_up, s.tick), (TimeDs(100), TimeDs(6_005), Ds(300), Ds(5)));
    assert_eq!((s.driving, s.congestion_aware), (Driving::CityFlow, false));
    assert_eq!(
        s.sources.iter().map(|s| s.0.as_str()).collect::<Vec<_>>(),
        ["scenario.toml", "n.net.xml", "x.add.xml", "d.rou.xml"]
    );
}

#[test]
fn what_is_wrong_is_named() {
    let good = "version = 1\nname = \"town\"\nnetwork = \"n.net.xml\"\ndemand = \"d.rou.xml\"\nbegin = 0\nend = 600\n";
    for (from, to, words) in [
        ("end = 600", "end = 600\nspeed = 3", "unknown field `speed`"),
        ("version = 1", "version = 2", "scenario.toml: version: 2 is not known here, only 1 is"),
        ("name = \"town\"", "name = \"to/wn\"", "scenario.toml: name: 'to/wn' is no name of a file"),
        ("name = \"town\"\n", "", "missing field `name`"),
        ("end = 600", "end = 0", "scenario.toml: end: it does not come after the beginning"),
        ("end = 600", "end = -4", "scenario.toml: end: -4 is neither seconds from 0 nor"),
        ("end = 600", "end = \"7:99:00\"", "scenario.toml: end: 7:99:00: 99 minutes; fewer than 60 can be"),
        ("end = 600", "end = \"0:07:60\"", "scenario.toml: end: 0:07:60: 60 seconds; fewer than 60 can be"),
        ("end = 600", "end = \"1:24:00:00\"", "scenario.toml: end: 1:24:00:00: 24 hours; fewer than 24 can be"),
        ("end = 600", "end = [1]", "scenario.toml: end: [1] is neither"),
        ("end = 600", "end = 600\nwarm_up_s = 600", "scenario.toml: warm_up_s: nothing is left after it"),
        ("end = 600", "end = 600\nwarm_up_s = -1", "scenario.toml: warm_up_s:"),
        ("end = 600", "end = 600\ntick_s = 0.25", "scenario.toml: tick_s: 0.25 is not a number of tenths of a second"),
        ("end = 600", "end = 600\ndriving = \"fast\"", "unknown variant `fast`"),
        ("\"n.net.xml\"", "\"absent.xml\"", "absent.xml: No such file"),
        ("\"d.rou.xml\"", "[]", "scenario.toml: demand: it names no file"),
        ("\"d.rou.xml\"", "7", "expected the name of a file or a list of names"),
        (
            "\"d.rou.xml\"",
            "\"n.net.xml\"",
            "n.net.xml: this is a SUMO network; a demand (SUMO's, CityFlow's flow or a native one) is wanted here",
        ),
        (
            "\"n.net.xml\"",
            "\"d.rou.xml\"",
            "d.rou.xml: this is a SUMO route or additional file; a network is wanted here",
        ),
        ("begin = 0", "begin = ", "scenario.toml: TOML parse error at line 5"),
    ] {
        assert!(good.contains(from));
        let text = good.replacen(from, to, 1);
        let dir = folder(&[("n.net.xml", NET), ("d.rou.xml", TRIPS), ("scenario.toml", &text)]);
        let found = refusal(dir.path());
        assert!(found.contains(words), "{to}\n  found  {found}\n  wanted {words}");
    }
    let empty = folder(&[]);
    assert!(
        refusal(empty.path()).contains("no scenario.toml, no .sumocfg and no CityFlow road network in this folder")
    );
    let two = folder(&[("a.sumocfg", SUMOCFG), ("b.sumocfg", SUMOCFG)]);
    assert!(refusal(two.path()).ends_with("several files to choose from, name one: a.sumocfg, b.sumocfg"));
    assert!(refusal(Path::new("nowhere")).contains("nowhere"));
}

#[test]
fn what_is_no_scenario_is_called_what_it_is() {
    let native = "greenkerb-network 2\nend 0\n";
    let files =
        [("n.net.xml", NET), ("d.rou.xml", TRIPS), ("n.gkn", native), ("f.json", "[]"), ("o.json", "{\"a\": 1}")];
    let dir = folder(&files);
    for (name, is) in [
        ("n.net.xml", "a SUMO network"),
        ("d.rou.xml", "a SUMO route or additional file"),
        ("n.gkn", "a native network"),
        ("f.json", "a CityFlow flow file"),
        ("o.json", "a JSON file that is none of CityFlow's"),
    ] {
        let said = refusal(&dir.path().join(name));
        assert!(said.contains(&format!("{name}: this is {is}, which alone is no scenario; wanted are")), "{said}");
        assert!(!said.contains("broken"), "{said}");
    }
    let pair = open_cityflow(&dir.path().join("n.net.xml"), &dir.path().join("f.json")).unwrap_err().to_string();
    assert!(pair.ends_with("n.net.xml: this is a SUMO network; a CityFlow road network is wanted here"), "{pair}");
}

#[test]
fn cityflow_files_are_a_scenario_in_pairs() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/cityflow");
    if !data.is_dir() {
        println!("nothing to check: {} is absent", data.display());
        return;
    }
    let (roadnet, flow) = (data.join("roadnet_4_4.json"), data.join("anon_4_4_hangzhou_real.json"));
    let pair = format!("{}+{}", roadnet.display(), flow.display());
    let s = open(Path::new(&pair)).unwrap().scenario;
    assert_eq!((s.name.as_str(), s.driving), ("anon_4_4_hangzhou_real", Driving::CityFlow));
    assert_eq!((s.begin, s.end, s.tick), (TimeDs(0), TimeDs::from_s(3_600), Ds::from_s(1)));
    assert_eq!(s.demand.parts().flows.len(), 2_983);
    // CityFlow's own configuration names the two; a folder with one pair in it needs no name at all.
    let config = format!(
        "{{\"interval\":0.5,\"seed\":0,\"dir\":\"{}/\",\"roadnetFile\":\"roadnet_4_4.json\",\"flowFile\":\"anon_4_4_hangzhou_real.json\"}}",
        data.display()
    );
    let dir = folder(&[("config.json", &config)]);
    assert_eq!(open(&dir.path().join("config.json")).unwrap().scenario.tick, Ds(5));
    let read = |p: &Path| std::fs::read_to_string(p).unwrap();
    let dir = folder(&[("roadnet.json", &read(&roadnet)), ("flow.json", &read(&flow))]);
    assert_eq!(open(dir.path()).unwrap().scenario.demand, s.demand);
    assert!(refusal(&data).contains("several files to choose from, name one: anon_3_4_jinan_real.json"));
}
