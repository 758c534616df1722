//! The native format: what is written is read back the same, and what is damaged is refused.

use std::io::Write;
use std::path::Path;

use greenkerb_models::formats::{self, native, sumo_net};
use greenkerb_models::network::NetworkParts;
use proptest::prelude::*;

fn parts(text: &str) -> NetworkParts {
    sumo_net::read_bytes("n", text.as_bytes()).unwrap().network.parts().clone()
}

fn crossroads() -> NetworkParts {
    parts(include_str!("data/crossroads.net.xml"))
}

fn written(parts: &NetworkParts) -> String {
    let mut bytes = Vec::new();
    native::write(parts, &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

fn refusal(text: &str) -> String {
    let error = native::read_bytes("town.gkn", text.as_bytes()).expect_err("damage must be refused");
    // Whoever prints an error with its causes says nothing twice.
    assert!(std::error::Error::source(&error).is_none(), "{error}");
    error.to_string()
}

#[test]
fn what_is_written_is_read_back_the_same() {
    for parts in [crossroads(), parts(include_str!("data/rings.net.xml"))] {
        let text = written(&parts);
        let back = native::read_bytes("n", text.as_bytes()).unwrap();
        assert_eq!(back.parts(), &parts);
        assert_eq!(written(back.parts()), text, "the same network gives the same bytes");
    }
}

#[test]
fn the_shared_networks_survive_the_round_trip() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/resco");
    if !root.is_dir() {
        println!("nothing to check: {} is absent", root.display());
        return;
    }
    for name in ["cologne1", "cologne8", "ingolstadt1", "ingolstadt7", "grid4x4"] {
        let import = formats::read(&root.join(name).join(format!("{name}.net.xml"))).unwrap();
        let text = written(import.network.parts());
        assert_eq!(native::read_bytes(name, text.as_bytes()).unwrap().parts(), import.network.parts(), "{name}");
    }
}

#[test]
fn files_are_told_apart_by_content_and_compression_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let parts = crossroads();
    for name in ["plain.anything", "packed.gkn.gz"] {
        let path = dir.path().join(name);
        native::write_file(&parts, &path).unwrap();
        assert_eq!(formats::read(&path).unwrap().network.parts(), &parts);
    }
    let packed = std::fs::read(dir.path().join("packed.gkn.gz")).unwrap();
    assert_eq!(packed[..2], [0x1f, 0x8b]);
    let sumo = dir.path().join("town.net.xml.gz");
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(include_bytes!("data/crossroads.net.xml")).unwrap();
    std::fs::write(&sumo, gzip.finish().unwrap()).unwrap();
    assert_eq!(formats::read(&sumo).unwrap().network.name(), "town");
    let other = dir.path().join("notes.txt");
    std::fs::write(&other, "hello").unwrap();
    assert!(formats::read(&other).unwrap_err().to_string().contains("notes.txt: neither a SUMO network"));
    let absent = formats::read(&dir.path().join("absent")).unwrap_err().to_string();
    assert!(absent.contains("absent"), "{absent}");
}

#[test]
fn damage_is_refused_by_line() {
    let text = written(&crossroads());
    assert_eq!(refusal("hello"), "town.gkn:1: the first line is not `greenkerb-network 2`");
    let newer = text.replacen("greenkerb-network 2", "greenkerb-network 3", 1);
    assert_eq!(refusal(&newer), "town.gkn:1: version 3 of the format is not known here, only 2 is");
    let older = text.replacen("greenkerb-network 2", "greenkerb-network 1", 1);
    assert_eq!(
        refusal(&older),
        "town.gkn:1: version 1 of the format says too little about nodes and is no longer read; import the network anew \
         from its source to get version 2"
    );
    let mute = text.replacen(",\"speed\":", ",\"haste\":", 100);
    assert!(refusal(&mute).contains(": missing field `speed`"), "{}", refusal(&mute));
    let unknown = text.replacen("\nnode ", "\nknot ", 1);
    assert_eq!(refusal(&unknown), "town.gkn:4: 'knot' is no kind of record");
    let broken = text.replacen("\"position\":{\"x\":", "\"position\":{\"x\":\"a\",\"z\":", 1);
    let column = broken.lines().nth(3).unwrap().find(",\"z\"").unwrap();
    let place = format!("town.gkn:4:{column}: node record '");
    assert!(refusal(&broken).starts_with(&place), "{}", refusal(&broken));
    assert!(!refusal(&broken).contains("line 1"), "{}", refusal(&broken));
    let cut = &text[..text.rfind("end ").unwrap()];
    assert!(refusal(cut).contains("the file should end with `end "), "{}", refusal(cut));
    let spliced: String = text.lines().filter(|l| !l.starts_with("detector ")).map(|l| format!("{l}\n")).collect();
    assert!(refusal(&spliced).contains("the file should end with `end "));
    let twice = text.replacen("\nprojection ", "\nname \"again\"\nprojection ", 1);
    assert_eq!(refusal(&twice), "town.gkn:3: name record: given twice");
    let negative = text.replacen("\"width\":", "\"width\":-", 1);
    assert!(refusal(&negative).contains("must not be negative"), "{}", refusal(&negative));
    let dangling = text.replacen("\"from\":", "\"from\":9", 1);
    let line_of = |text: &str, wanted: &str| text.lines().position(|l| l.contains(wanted)).unwrap() + 1;
    let place = format!("town.gkn:{}: link '", line_of(&dangling, "\"from\":9"));
    assert!(refusal(&dangling).starts_with(&place), "{}", refusal(&dangling));
    // What has no name goes by its place in its table, and stands in a line all the same.
    let empty = text.replacen("\"saturation\":", "\"saturation\":0.0,\"was\":", 1);
    let place = format!(
        "town.gkn:{}: movement '#0': from link 'from_east' to link 'to_north': its saturation flow is zero",
        line_of(&empty, "\"was\"")
    );
    assert_eq!(refusal(&empty), place);
    let second = text.lines().filter(|l| l.starts_with("lane ")).nth(1).unwrap();
    let name = |line: &str| line.split('"').nth(3).unwrap().to_owned();
    let first = name(text.lines().find(|l| l.starts_with("lane ")).unwrap());
    let double =
        text.replacen(&format!("lane {{\"name\":\"{}\"", name(second)), &format!("lane {{\"name\":\"{first}\""), 1);
    assert_eq!(refusal(&double), format!("town.gkn:{}: lane '{first}' is defined twice", line_of(&text, second)));
    // A conflict matrix that lacks cells must not be looked up in.
    let from = text.find("\"cells\":[").unwrap() + "\"cells\":[".len();
    let to = from + text[from..].find(']').unwrap();
    let hollow = [&text[..from], &text[to..]].concat();
    assert!(refusal(&hollow).contains("conflict matrix"), "{}", refusal(&hollow));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever happens to the text, there is a whole network or a reason, and never a panic.
    #[test]
    fn damaged_text_never_panics(
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0_u8..3, any::<u8>(), 1_usize..20), 1..6),
    ) {
        let mut bytes = written(&crossroads()).into_bytes();
        for (at, what, byte, length) in edits {
            let at = at.index(bytes.len());
            let end = (at + length).min(bytes.len());
            match what {
                0 => bytes[at] = byte,
                1 => { bytes.drain(at..end); }
                _ => for b in &mut bytes[at..end] { if b.is_ascii_digit() { *b = b'0' + byte % 10; } },
            }
        }
        if let Ok(network) = native::read_bytes("damaged", &bytes) {
            for c in network.controllers() {
                prop_assert!(c.check().is_ok());
                let _ = c.time_of_day_plan();
            }
        }
    }
}

#[test]
fn a_link_as_long_as_none_of_its_lanes_is_refused() {
    use greenkerb_models::units::Metres;
    let refused = |length_m: f64| {
        let mut parts = crossroads();
        parts.links[0].length = Metres::new(length_m).unwrap();
        (parts.links[0].name.clone(), parts.build().map(|_| ()).map_err(|e| e.to_string()))
    };
    let lane_m = crossroads().lanes[crossroads().links[0].lanes[0].index()].length.get();
    refused(lane_m * 1.05).1.unwrap();
    for (length_m, reason) in
        [(0.0, "must be above 0"), (2e6, "at most 1000000 m"), (lane_m * 3.0, "none of its lanes'")]
    {
        let (name, found) = refused(length_m);
        let error = found.unwrap_err();
        assert!(error.starts_with(&format!("link '{name}': ")) && error.contains(reason), "{error}");
    }
}
